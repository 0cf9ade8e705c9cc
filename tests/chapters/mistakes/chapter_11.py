"""Known answers to the exercises of chapter 11, right and wrong ones: tests/support/exercises.py says how."""

_HEAPS = """def heaps(outcomes):
    found = {"done": [], "later": [], "person": []}
    for tenant, exit_code in sorted(outcomes.items()):
        heap = {0: "done", 5: "later"}.get(exit_code, "person")
        found[heap].append(tenant)
    return found
"""
_MISSING = "def still_missing(tenants, files):\n"
_SHARED = "def shared(users, least):\n"
_GUESTS = "    guests = users[users['userType'] == 'Guest']\n"
_COUNTED = "    tenants = guests.groupby(guests['mail'].str.lower())['tenant'].nunique()\n"


def _instead(old: str, new: str) -> str:
    assert old in _HEAPS
    return _HEAPS.replace(old, new)


RIGHT = {
    "11-outcome": {
        "match": _instead(
            '        heap = {0: "done", 5: "later"}.get(exit_code, "person")\n',
            "        match exit_code:\n            case 0:\n                heap = 'done'\n            case 5:\n"
            "                heap = 'later'\n            case _:\n                heap = 'person'\n",
        ),
        "tuples from a mapping that is no dict": (
            "def heaps(outcomes):\n    from types import MappingProxyType\n"
            "    done = tuple(sorted(t for t, code in outcomes.items() if not code))\n"
            "    later = tuple(sorted(t for t in outcomes if outcomes[t] == 5))\n"
            "    person = tuple(sorted({*outcomes} - {*done, *later}))\n"
            "    return MappingProxyType({'person': person, 'later': later, 'done': done})\n"
        ),
        "sorted at the end, in a defaultdict": (
            "def heaps(outcomes):\n    from collections import defaultdict\n    found = defaultdict(list)\n"
            "    found.update(done=[], later=[], person=[])\n"
            "    while outcomes:\n        tenant, code = outcomes.popitem()\n"
            "        found['done' if code == 0 else 'later' if code == 5 else 'person'].append(tenant)\n"
            "    return {heap: sorted(names) for heap, names in found.items()}\n"
        ),
    },
    "11-missing": {
        "a set for the files": f"{_MISSING}    there = set(files)\n"
        "    return [tenant for tenant in tenants if tenant + '.jsonl' not in there]\n",
        "paths, and a tuple": (
            f"{_MISSING}    from pathlib import PurePath\n"
            "    done = {PurePath(file).stem for file in files if PurePath(file).suffix == '.jsonl'}\n"
            "    return tuple(tenant for tenant in tenants if tenant not in done)\n"
        ),
        "a filter that is an iterator": (
            f"{_MISSING}    return filter(lambda tenant: f'{{tenant}}.jsonl' not in files, tenants)\n"
        ),
        "removed one by one": (
            f"{_MISSING}    for file in files:\n        if file.removesuffix('.jsonl') in tenants:\n"
            "            if file.endswith('.jsonl'):\n                tenants.remove(file.removesuffix('.jsonl'))\n"
            "    return tenants\n"
        ),
    },
    "11-shared": {
        "an index instead of a list": f"{_SHARED}{_GUESTS}{_COUNTED}    return tenants[tenants >= least].index\n",
        "without pandas' groups": (
            f"{_SHARED}    seen = {{}}\n    for row in users.itertuples():\n"
            "        if row.userType == 'Guest' and isinstance(row.mail, str):\n"
            "            seen.setdefault(row.mail.casefold(), set()).add(row.tenant)\n"
            "    return sorted(mail for mail, tenants in seen.items() if len(tenants) >= least)\n"
        ),
        "duplicates dropped, then counted": (
            f"{_SHARED}    rows = users.query('userType == \"Guest\"').dropna(subset=['mail'])\n"
            "    rows = rows.assign(mail=rows['mail'].str.lower()).drop_duplicates(['tenant', 'mail'])\n"
            "    counts = rows['mail'].value_counts()\n    return sorted(counts[counts.ge(least)].index)\n"
        ),
    },
    "11-travels": {
        "a set": 'may_travel = {"client id", "tenant id", "path of the key file"}\n',
        "another order, as a tuple": 'may_travel = ("path of the key file", "client id", "tenant id")\n',
        "in capitals, with spaces": 'may_travel = ["Tenant ID", " client id ", "Path of the key file"]\n',
        "a Series": ('import pandas\nmay_travel = pandas.Series(["tenant id", "path of the key file", "client id"])\n'),
    },
}

MISTAKES = {
    "11-outcome": {
        "not sorted": (_instead("sorted(outcomes.items())", "outcomes.items()"), "in alphabetical order"),
        "the keys alone": (_instead("sorted(outcomes.items())", "sorted(outcomes)"), "ValueError"),
        "every failure is for a person": (_instead(', 5: "later"', ""), "the same run succeeds later"),
        "every failure waits": (
            _instead('{0: "done", 5: "later"}.get(exit_code, "person")', '"later" if exit_code > 0 else "done"'),
            "still missing in an hour",
        ),
        "a list of the bad numbers": (
            _instead(
                '{0: "done", 5: "later"}.get(exit_code, "person")',
                '"person" if exit_code in (2, 3, 4) else "later" if exit_code == 5 else "done"',
            ),
            "1 is a fault of the program",
        ),
        "above 0 only": (
            _instead(
                '{0: "done", 5: "later"}.get(exit_code, "person")',
                '"later" if exit_code == 5 else "person" if exit_code > 0 else "done"',
            ),
            "has a number below 0",
        ),
        "the numbers of the table only": (
            _instead('.get(exit_code, "person")', '.get(exit_code, "person" if exit_code in (1, 2, 3, 4) else "done")'),
            "-9 and 137 are not in the table",
        ),
        "no default": (_instead('.get(exit_code, "person")', "[exit_code]"), "KeyError: 3"),
        "one gap left": (_instead('{0: "done", 5: "later"}.get(exit_code, "person")', "..."), "there is still a ..."),
        "a list of three lists": (_instead("return found", "return list(found.values())"), "expected a dictionary"),
    },
    "11-missing": {
        "those that are there": (
            f"{_MISSING}    return [tenant for tenant in tenants if f'{{tenant}}.jsonl' in files]\n",
            "wanted are those without",
        ),
        "without the ending": (
            f"{_MISSING}    return [tenant for tenant in tenants if tenant not in files]\n",
            "the names of the files end in .jsonl",
        ),
        "the ending, but still pieces": (
            f"{_MISSING}    return [tenant for tenant in tenants if f'{{tenant}}.jsonl' not in ' '.join(files)]\n",
            "that somebody has put aside",
        ),
        "a beginning": (
            f"{_MISSING}    return [t for t in tenants if not any(f.startswith(t + '.jsonl') for f in files)]\n",
            "a run that did not finish",
        ),
        "an ending": (
            f"{_MISSING}    return [t for t in tenants if not any(f.endswith(t + '.jsonl') for f in files)]\n",
            "may end like a shorter one",
        ),
        "the first part of a file's name": (
            f"{_MISSING}    done = [file.partition('.')[0] for file in files]\n"
            "    return [tenant for tenant in tenants if tenant not in done]\n",
            "a file with settings",
        ),
        "sorted": (
            f"{_MISSING}    return sorted(tenant for tenant in tenants if f'{{tenant}}.jsonl' not in files)\n",
            "the order of the tenants is lost",
        ),
        "a set": (
            f"{_MISSING}    return set(tenants) - {{file.removesuffix('.jsonl') for file in files}}\n",
            "gives a set, expected a list",
        ),
    },
    "11-shared": {
        "rows instead of tenants": (
            f"{_SHARED}{_GUESTS}    rows = guests.groupby(guests['mail'].str.lower())['tenant'].size()\n"
            "    return sorted(rows[rows >= least].index)\n",
            "counts once",
        ),
        "as it is written": (
            f"{_SHARED}{_GUESTS}    tenants = guests.groupby('mail')['tenant'].nunique()\n"
            "    return sorted(tenants[tenants >= least].index)\n",
            "are the same mailbox",
        ),
        "members as well": (
            f"{_SHARED}    guests = users\n{_COUNTED}    return sorted(tenants[tenants >= least].index)\n",
            "members do not count",
        ),
        "more than": (
            f"{_SHARED}{_GUESTS}{_COUNTED}    return sorted(tenants[tenants > least].index)\n",
            "exactly so many are enough",
        ),
        "the largest first": (
            f"{_SHARED}{_GUESTS}{_COUNTED}    return sorted(tenants[tenants >= least].index, reverse=True)\n",
            "a list in alphabetical order",
        ),
        "all of them": (f"{_SHARED}{_GUESTS}{_COUNTED}    return sorted(tenants.index)\n", "however few tenants"),
        "those without an address as one": (
            f"{_SHARED}{_GUESTS}    mails = guests['mail'].str.lower().fillna('')\n"
            "    tenants = guests.groupby(mails)['tenant'].nunique()\n"
            "    return sorted(tenants[tenants >= least].index)\n",
            "guests with an address",
        ),
        "a dictionary": (
            f"{_SHARED}{_GUESTS}{_COUNTED}    return dict(tenants[tenants >= least])\n",
            "gives a dict, expected a list",
        ),
    },
    "11-travels": {
        "the key as well": (
            'may_travel = ["tenant id", "client id", "private key"]\n',
            "whoever has it signs in as the app",
        ),
        "the token as well": (
            'may_travel = ["tenant id", "client id", "path of the key file", "access token"]\n',
            "answers 200 to it",
        ),
        "the passphrase as well": (
            'may_travel = ["tenant id", "client id", "path of the key file", "passphrase"]\n',
            "as good as the key",
        ),
        "no path": ('may_travel = ["tenant id", "client id"]\n', "a path opens nothing"),
        "no client id": ('may_travel = ["tenant id", "path of the key file"]\n', "the link that you send"),
        "no tenant": ('may_travel = ["client id", "path of the key file"]\n', "the address of every request"),
        "one text": ('may_travel = "tenant id"\n', "expected a list"),
        "another thing": (
            'may_travel = ["tenant id", "client id", "path of the key file", "users"]\n',
            "none of the six",
        ),
    },
}
