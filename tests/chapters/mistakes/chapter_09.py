"""Known answers to the exercises of chapter 09, right and wrong ones: tests/support/exercises.py says how."""


def _keep(credentials: str) -> str:
    return (
        "def body_to_add(existing, new):\n"
        f"    credentials = {credentials}\n"
        '    return {"keyCredentials": credentials}\n'
    )


def _due(limit: str, is_due: str = "end <= limit") -> str:
    return (
        "def due(credentials, now, days):\n"
        "    found = []\n"
        "    for credential in credentials:\n"
        '        end = dt.datetime.fromisoformat(credential["endDateTime"])\n'
        f"        limit = {limit}\n"
        f"        if {is_due}:\n"
        '            found.append(credential["keyId"])\n'
        "    return found\n"
    )


_LIMIT = "now + dt.timedelta(days=days)"

_STEP = """def next_step(credentials, in_use, now):
    soon = now + dt.timedelta(days=30)
    ends = {one["keyId"]: dt.datetime.fromisoformat(one["endDateTime"]) for one in credentials}
    others = {key_id: end for key_id, end in ends.items() if key_id != in_use}
    current = ends.get(in_use, now)
    latest = max(others.values(), default=now)
    if latest > soon and latest > current:
        return "switch"
    if current <= soon:
        return "add"
    return "remove" if others else "nothing"
"""


def _instead(old: str, new: str) -> str:
    assert old in _STEP
    return _STEP.replace(old, new)


RIGHT = {
    "09-keep": {
        "joined with +": _keep("existing + [new]"),
        "the new one first": _keep("[new] + existing"),
        "appended before": (
            'def body_to_add(existing, new):\n    existing.append(new)\n    return {"keyCredentials": existing}\n'
        ),
        "a tuple, in dict()": ("def body_to_add(existing, new):\n    return dict(keyCredentials=(*existing, new))\n"),
    },
    "09-order": {
        "a tuple": 'order = ("b", "d", "c", "a")',
        "a text": 'order = "bdca"',
        "a text with commas, in capitals": 'order = "B, D, C, A"',
        "the letters of a list": 'order = list("bdca")',
    },
    "09-due": {
        "seconds": _due("days * 86_400", "(end - now).total_seconds() < limit"),
        "the other way round": _due(_LIMIT, "not limit < end"),
        "a comprehension and a generator": (
            "def due(credentials, now, days):\n"
            "    for one in credentials:\n"
            '        if dt.datetime.fromisoformat(one["endDateTime"]) - dt.timedelta(days) <= now:\n'
            '            yield one["keyId"]\n'
        ),
        "pandas": (
            "def due(credentials, now, days):\n"
            "    import pandas\n"
            '    ends = {one["keyId"]: pandas.Timestamp(one["endDateTime"]) for one in credentials}\n'
            "    return tuple(name for name, end in ends.items() if (end - now) / pandas.Timedelta(days=1) <= days)\n"
        ),
    },
    "09-next": {
        "a dictionary of the days that are left": (
            "def next_step(credentials, in_use, now):\n"
            "    def left(one):\n"
            '        return (dt.datetime.fromisoformat(one["endDateTime"]) - now).total_seconds() / 86_400\n'
            '    days = {one["keyId"]: left(one) for one in credentials}\n'
            "    current = days.pop(in_use)\n"
            "    if any(other > 30 and other > current for other in days.values()):\n"
            '        return "switch"\n'
            '    return "add" if current <= 30 else "remove" if days else "nothing"\n'
        ),
        "sorted by its end": (
            "def next_step(credentials, in_use, now):\n"
            '    newest = sorted(credentials, key=lambda one: one["endDateTime"])[-1]\n'
            '    good = dt.datetime.fromisoformat(newest["endDateTime"]) - now > dt.timedelta(days=30)\n'
            '    if newest["keyId"] != in_use:\n'
            '        return "switch" if good else "add"\n'
            "    if not good:\n"
            '        return "add"\n'
            '    return "nothing" if len(credentials) == 1 else "remove"\n'
        ),
        "a kind of str": (
            "from enum import StrEnum\n"
            'Step = StrEnum("Step", ["ADD", "SWITCH", "REMOVE", "NOTHING"])\n'
            "def next_step(credentials, in_use, now):\n"
            "    moment = dt.datetime.fromisoformat\n"
            '    mine = [moment(one["endDateTime"]) for one in credentials if one["keyId"] == in_use][0]\n'
            '    others = [moment(one["endDateTime"]) for one in credentials if one["keyId"] != in_use]\n'
            "    soon = now + dt.timedelta(30)\n"
            "    if [end for end in others if end > max(soon, mine)]:\n"
            "        return Step.SWITCH\n"
            "    if mine <= soon:\n"
            "        return Step.ADD\n"
            "    return Step.REMOVE if others else Step.NOTHING\n"
        ),
    },
}

MISTAKES = {
    "09-keep": {
        "the new one forgotten": (_keep("existing"), "leaves out the new one"),
        "only the first one kept": (_keep("[*existing[:1], new]"), "leaves out 1 of 2 existing ones"),
        "a list in the list": (_keep("[existing, new]"), "a list is inside the list"),
        "what append() gives back": (_keep("existing.append(new)"), "append() changes the list"),
        "a list and a dictionary added": (_keep("existing + new"), "raises TypeError"),
        "the new one in place of the last": (_keep("[*existing[:-1], new]"), "leaves out 1 of 1 existing ones"),
        "twice": (_keep("[*existing, new, new]"), "each credential belongs into the list once"),
        "another name": (_keep("[*existing, new]").replace('"keyCredentials"', '"keys"'), "a body with keys"),
        "the list without its name": (
            "def body_to_add(existing, new):\n    return [*existing, new]\n",
            "gives a list, expected a dictionary",
        ),
        "one that is empty first": (_keep("[existing[0], *existing[1:], new]"), "raises IndexError"),
        "an entry made shorter": (
            _keep("[*({} | {'keyId': one['keyId'], 'x': 1} for one in existing), new]"),
            "changed",
        ),
    },
    "09-order": {
        "the old one removed first": ('order = ["a", "b", "d", "c"]', "before the new one is there"),
        "started before it is added": ('order = ["d", "b", "c", "a"]', "has not been told about"),
        "removed before all have switched": ('order = ["b", "d", "a", "c"]', "still sign with its key"),
        "all at once": ('order = ["b", "c", "d", "a"]', "let a single one go first"),
        "three steps": ('order = ["b", "c", "a"]', "is wanted once"),
        "one gap left": ('order = ["b", ..., "c", "a"]', "there is still a ..."),
        "a number": ("order = 2431", "gives an int, expected a list"),
    },
    "09-due": {
        "only the expired ones": (_due("now"), "is to come before"),
        "30 days, whatever is asked": (_due("now + dt.timedelta(days=30)"), "here 60"),
        "the clock of this machine": (
            _due("dt.datetime.now(dt.UTC) + dt.timedelta(days=days)"),
            "not what a clock says",
        ),
        "the expired ones left out": (_due(_LIMIT, "now < end <= limit"), "it finds in 10 hours, in 10 days for 30"),
        "hours": (_due("now + dt.timedelta(hours=days)"), "and not hours"),
        "the wrong way round": (_due(_LIMIT, "end > limit"), "it finds in a year for 30"),
        "whole days": (_due("days", "(end - now).days <= limit"), "six hours after"),
        "the days back": (_due("now - dt.timedelta(days=days)"), "and not behind it"),
        "days without their span": (_due("now + days"), "makes a span of days"),
        "one gap left": (_due("..."), "there is still a ..."),
        "how many": (_due(_LIMIT).replace("return found", "return len(found)"), "gives an int"),
    },
    "09-next": {
        "no look at the others": (
            _instead("if latest > soon and latest > current:", "if False:"),
            "expected switch: the one in use ends in 10 days",
        ),
        "switches only when it must": (
            _instead("latest > soon and latest > current", "current <= soon < latest"),
            "no need to wait",
        ),
        "switches to an older one": (
            _instead("latest > soon and latest > current", "latest > soon"),
            "the one in use is the newest",
        ),
        "switches to one that ends soon": (
            _instead("latest > soon and latest > current", "latest > current"),
            "but also within 30 days",
        ),
        "removes first": (
            _instead(
                '    if current <= soon:\n        return "add"\n',
                '    if current <= soon and not others:\n        return "add"\n',
            ),
            "it gives remove, expected add",
        ),
        "an expired one is not soon": (
            _instead("if current <= soon:", "if now < current <= soon:"),
            "has ended already",
        ),
        "the clock of this machine": (
            _instead("now + dt.timedelta(days=30)", "dt.datetime.now(dt.UTC) + dt.timedelta(days=30)"),
            "the only one ends in 10 days",
        ),
        "only the first other one": (
            _instead("max(others.values(), default=now)", "next(iter(others.values()), now)"),
            "one of the two others is good for a year.",
        ),
        "the first in the list is in use": (
            _instead(
                "    current =",
                '    in_use = credentials[0]["keyId"]\n    others = dict(list(ends.items())[1:])\n    current =',
            ),
            "find it by its keyId",
        ),
        "never removes": (_instead('"remove" if others else "nothing"', '"nothing"'), "is needed no more"),
        "the end of no others": (_instead(", default=now", ""), "raises ValueError"),
        "another word": (_instead('"nothing"', '"wait"'), "expected one of add"),
        "a truth value": (_instead('"remove" if others else "nothing"', "bool(others)"), "gives a bool"),
    },
}
