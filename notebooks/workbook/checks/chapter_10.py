"""Chapter 10: what a scheduler does with an exit code, and the classic sample's settings under their other names."""

from collections.abc import Callable
from typing import Any

from ..marking import call_of, gives, of_type, plain
from ..verdicts import GRAPH_SCOPE, Ask, LearnersError, Verdict, exercise, not_yet, right

# --- 10-where -------------------------------------------------------------------------------------------------------

STREAMS = ("stdout", "stderr")
PLACES = {
    "the users": ("stdout", "the users go to standard error here, and users.json stays empty."),
    "a warning that the certificate ends soon": (
        "stderr",
        "the warning goes into users.json here, and the next program cannot read that file any more.",
    ),
    "the reason why it failed": (
        "stderr",
        "the reason goes into users.json here: nobody sees it, and the file looks as if there were data in it.",
    ),
}


@exercise("10-where")
def streams(where: dict[str, str], ask: Ask) -> Verdict:
    """For each of three things, whether it goes to stdout or to stderr."""
    if wrong := of_type(where, dict, "where"):
        return wrong
    chosen = plain(where)
    for what, (place, reason) in PLACES.items():
        if what not in chosen:
            return not_yet(f"{what!r} is gone from the dictionary: change what comes after the colons only.")
        stream = str(chosen[what]).strip().casefold()
        if stream not in STREAMS:
            return not_yet(f"{what!r} has {chosen[what]!r}, expected 'stdout' or 'stderr'.")
        if stream != place:
            return not_yet(reason)
    return right("the file holds data and nothing else, and the mail from cron says the rest.")


# --- 10-parameters --------------------------------------------------------------------------------------------------

FORMS = {
    "AZURE_AUTHORITY_HOST": "the host with https://, without tenant and without a slash at its end",
    "AZURE_TENANT_ID": "what comes after the host",
    "AZURE_CLIENT_ID": "client_id as it is",
    "AZURE_CLIENT_CERTIFICATE_PATH": "private_key_file as it is",
    "AZURE_CLIENT_SECRET": "secret as it is",
}
Parameters = dict[str, Any]
GLOBAL: Parameters = {
    "authority": "https://login.microsoftonline.com/contoso.example",
    "client_id": "2f1c7a90-5d1e-4b0a-9c55-3a7e6f10b2c4",
    "scope": [GRAPH_SCOPE],
    "thumbprint": "790E1B5F8C9D4B7A9E0F1A2B3C4D5E6F70819203",
    "private_key_file": "server.pem",
    "endpoint": "https://graph.microsoft.com/v1.0/users",
}
IN_CHINA: Parameters = {
    "authority": "https://login.partner.microsoftonline.cn/7b1e4c52-2f0d-4d0b-8a3e-51c9d2f6e8a7/",
    "client_id": "c0ffee00-1d2e-4f3a-8b4c-5d6e7f8091a2",
    "scope": ["https://microsoftgraph.chinacloudapi.cn/.default"],
    "secret": "an-invented-secret",
    "endpoint": "https://microsoftgraph.chinacloudapi.cn/v1.0",
}


@exercise(
    "10-parameters",
    given="""
def to_environment(parameters):
    host, _, tenant = ...
    settings = {
        "AZURE_AUTHORITY_HOST": host,
        "AZURE_TENANT_ID": tenant,
        "AZURE_CLIENT_ID": parameters["client_id"],
        "AZURE_CLIENT_CERTIFICATE_PATH": ...,
        "AZURE_CLIENT_SECRET": ...,
        "GRAPH_ENDPOINT": ...,
    }
    return {name: value for name, value in settings.items() if value}
""",
)
def parameters(to_environment: Callable[[dict[str, Any]], dict[str, str]], ask: Ask) -> Verdict:
    """to_environment(parameters) gives the AZURE_* settings and GRAPH_ENDPOINT that say what a parameters.json says."""
    usual: dict[str, str] = {
        "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com",
        "AZURE_TENANT_ID": "contoso.example",
        "AZURE_CLIENT_ID": GLOBAL["client_id"],
        "AZURE_CLIENT_CERTIFICATE_PATH": "server.pem",
        "GRAPH_ENDPOINT": "https://graph.microsoft.com/v1.0",
    }
    in_china: dict[str, str] = {
        "AZURE_AUTHORITY_HOST": "https://login.partner.microsoftonline.cn",
        "AZURE_TENANT_ID": "7b1e4c52-2f0d-4d0b-8a3e-51c9d2f6e8a7",
        "AZURE_CLIENT_ID": IN_CHINA["client_id"],
        "AZURE_CLIENT_SECRET": "an-invented-secret",
        "GRAPH_ENDPOINT": "https://microsoftgraph.chinacloudapi.cn/v1.0",
    }
    try:
        verdict = _compare(to_environment(dict(GLOBAL)), usual, GLOBAL, ask)
        verdict = verdict or _compare(to_environment(dict(IN_CHINA)), in_china, IN_CHINA, ask)
    except LearnersError as error:
        if isinstance(error.__cause__, KeyError):
            return not_yet(f"a certificate or a secret, seldom both: there may be no {error.__cause__} in the file.")
        raise
    return verdict or _used(to_environment, ask)


def _compare(settings: dict[str, str], expected: dict[str, str], given: Parameters, ask: Ask) -> Verdict | None:
    if wrong := of_type(settings, dict, "to_environment(parameters)"):
        return wrong
    settings = plain(settings)
    for name in sorted(settings.keys() - expected.keys()):
        if name in FORMS and not settings[name]:
            return not_yet(f"the file says nothing about {name}, and this makes an empty setting of it: leave it out.")
        return not_yet(f"{name} is in it, for which this file has nothing or azure-identity has no name: leave it out.")
    for name in sorted(expected.keys() - settings.keys()):
        return not_yet(f"{name} is missing for the authority {given['authority']}.")
    if settings["GRAPH_ENDPOINT"] != expected["GRAPH_ENDPOINT"]:
        return _endpoint(settings["GRAPH_ENDPOINT"], expected["GRAPH_ENDPOINT"], ask)
    for name, form in FORMS.items():
        if settings.get(name) != expected.get(name):
            return not_yet(f"{name} is {settings[name]!r} for {given['authority']}: {form}.")
    return None


def _endpoint(found: str, expected: str, ask: Ask) -> Verdict:
    """GRAPH_ENDPOINT is where Graph answers; a program adds the path of what it reads."""
    if isinstance(found, str) and found.rstrip("/") == f"{expected}/users":
        refusal = ask.sentence(ask.graph("/users/users"))
        return not_yet(f"with /users kept, a program that adds /users asks for /users/users, and Graph says {refusal}")
    return not_yet(f"GRAPH_ENDPOINT is {found!r}, and Graph answers at {expected}: cut an ending only if it is there.")


def _used(to_environment: Callable[[Parameters], dict[str, str]], ask: Ask) -> Verdict:
    """The practice tenant's own addresses, with a port, used as a program would use them."""
    bench = ask.bench
    given = GLOBAL | {"authority": bench.authority, "client_id": bench.client_id}
    settings = to_environment(given | {"endpoint": f"{bench.graph_endpoint}/users"})
    authority = f"{settings['AZURE_AUTHORITY_HOST']}/{settings['AZURE_TENANT_ID']}"
    if authority != bench.authority or settings["GRAPH_ENDPOINT"] != bench.graph_endpoint:
        return not_yet("right for Microsoft's hosts, but a host with a port does not come through: keep it as it is.")
    result = ask.token([GRAPH_SCOPE], authority=authority, client_id=settings["AZURE_CLIENT_ID"])
    if "access_token" not in result:
        return not_yet(f"with these settings Entra ID answers {ask.sentence(result)}")
    answer = ask.graph("/users?$top=1", result["access_token"])
    return right(f"with these settings the practice tenant gives a token, and Graph answers {answer.status_code}.")


# --- 10-exit-code ---------------------------------------------------------------------------------------------------

STEPS = ("ok", "retry", "alert")
FOR_A_PERSON = {
    3: "the same certificate is refused in an hour as well",
    2: "nobody has corrected the setting in an hour",
}


@exercise("10-exit-code")
def exit_code(next_step: Callable[[int, int], str], ask: Ask) -> Verdict:
    """next_step(exit_code, attempt) gives "ok", "retry" or "alert"."""
    for code in (0, 5, 4):
        if next_step(code, 1) not in STEPS:
            return not_yet(f"{call_of(next_step)} gives {next_step(code, 1)!r}, expected one of {', '.join(STEPS)}.")
    verdict = _done(next_step) or _refused(next_step, ask) or _busy(next_step, ask) or _unknown(next_step)
    return verdict or right("people are woken when only people can help, and for everything nobody thought of.")


def _done(next_step: Callable[[int, int], str]) -> Verdict | None:
    for attempt in (1, 3, 5):
        if next_step(0, attempt) != "ok":
            return not_yet(f"0 at attempt {attempt} gives {next_step(0, attempt)}, but the output is complete: ok.")
    return None


def _refused(next_step: Callable[[int, int], str], ask: Ask) -> Verdict | None:
    """Exit codes 2, 3 and 4: another attempt ends as the first one did."""
    for code in (4, *FOR_A_PERSON):
        steps = [next_step(code, attempt) for attempt in (1, 2, 3, 4)]
        step = next((step for step in steps if step != "alert"), "alert")
        if step == "ok":
            return not_yet(f"{code} is ok here, so nobody learns that the file is that of yesterday.")
        if step == "retry" and code == 4:
            ask.practice.revoke("User.Read.All")
            statuses = [ask.graph("/users?$top=1").status_code for _ in range(3)]
            return not_yet(
                f"4 is tried again; without consent the practice tenant answers {statuses}: time does not help."
            )
        if step == "retry":
            return not_yet(f"{code} is tried again, but {FOR_A_PERSON[code]}: alert.")
    return None


def _busy(next_step: Callable[[int, int], str], ask: Ask) -> Verdict | None:
    """Exit code 5: worth another attempt, but not forever."""
    steps = [next_step(5, attempt) for attempt in range(1, 7)]
    if "ok" in steps:
        return not_yet("5 is ok here, but there is no new file: try again, and alert in the end.")
    if steps[0] == "alert":
        token = ask.token([GRAPH_SCOPE])["access_token"]
        ask.practice.fail("graph", status=503)
        statuses = [ask.graph("/users?$top=1", token).status_code for _ in range(2)]
        return not_yet(f"5 wakes somebody at once; the practice tenant was busy once and answers {statuses}: retry.")
    if "alert" not in steps:
        return not_yet("5 is tried again forever, and nobody hears of it: after the third attempt, alert.")
    if steps.index("alert") != 2 or "retry" in steps[2:]:
        return not_yet(f"5 at attempts 1 to 6 gives {', '.join(steps)}: the third attempt is the last one.")
    return None


def _unknown(next_step: Callable[[int, int], str]) -> Verdict | None:
    """A crash of Python (1), Ctrl-C (130), a signal (137 in a shell, -9 and -5 in Python), any other number."""
    for code in (1, 137, -9, -5, 130, 6):
        for attempt in (1, 4):
            step = next_step(code, attempt)
            if step != "alert":
                return not_yet(f"{code} at attempt {attempt} gives {step}: a number nobody planned for needs a person.")
    return None


# --- 10-failed ------------------------------------------------------------------------------------------------------

ENDS = {
    -9: "the system killed it with signal 9, as it does when memory runs out",
    -15: "somebody ended it with signal 15, and there is no new file",
    4: "Graph refused, and there is no new file",
    1: "Python itself ended with a traceback",
    137: "a shell reports signal 9 as 128 + 9",
    0: "0 is the one number that means success",
}


@exercise(
    "10-failed",
    given="""
def has_failed(exit_code):
    return exit_code > 0
""",
)
def failed(has_failed: Callable[[int], bool], ask: Ask) -> Verdict:
    """has_failed(exit_code) is True for every number but 0."""
    for code, reason in ENDS.items():
        if wrong := gives(has_failed, code, expected=code != 0, reason=f"{reason}."):
            return wrong
    return right("whatever a process ends with, only 0 is a success.")
