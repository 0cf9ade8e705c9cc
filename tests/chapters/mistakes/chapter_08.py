"""Known answers to the exercises of chapter 08: unusual right ones, and mistakes -> (the answer, words of its hint)."""

SPEAKER = {
    "ProxyError": "my machine",
    "JSONDecodeError, and the record shows status 429": "Entra ID",
    "InvalidKeyError": "my machine",
    "a dictionary whose error is invalid_scope": "Entra ID",
    "a token, and then status 403": "Graph",
}


def speaker(**changes: str) -> str:
    """The right answer with some values replaced, found by the first word of the outcome."""
    changed = {outcome: changes.get(outcome.split(",")[0].split()[-1], who) for outcome, who in SPEAKER.items()}
    return f"speaker = {changed!r}\n"


LOOK_FIRST = """\
FIRST = {{
    "unauthorized_client": "application",
    "invalid_client": {proof},
    "invalid_scope": "scope",
    "invalid_resource": "scope",
    "invalid_request": "request",
}}


def look_first(result):
    numbers = result.get("error_codes", [])
    if 700024 in numbers:
        return "clock"
    if 7000229 in numbers:
        return {principal}
    return FIRST.get(result["error"], {unknown})
"""


def look_first(proof: str = '"proof"', principal: str = '"application"', unknown: str = '"unknown"') -> str:
    """The cell with its three gaps filled in."""
    return LOOK_FIRST.format(proof=proof, principal=principal, unknown=unknown)


TABLES = """\
import json

import jwt
import msal
import requests

NUMBERS = {700024: "clock", 7000229: "application"}
ERRORS = {"unauthorized_client": "application", "invalid_client": "proof"}
ERRORS |= {"invalid_scope": "scope", "invalid_resource": "scope", "invalid_request": "request"}
STATUSES = {401: "token", 403: "permission", 400: "question", 404: "question"}
STATUSES |= dict.fromkeys([429, 500, 502, 503, 504], "wait")
NETWORK = (requests.ConnectionError, requests.Timeout)
WAIT = (msal.exceptions.MsalServiceError, json.JSONDecodeError)
SETTINGS = (ValueError, jwt.InvalidKeyError, FileNotFoundError)


"""
OF_EXCEPTION = """\
    if isinstance(outcome, Exception):
        if isinstance(outcome, NETWORK):
            return "my machine", "network"
        if isinstance(outcome, WAIT):
            return "Entra ID", "wait"
        if isinstance(outcome, SETTINGS):
            return "my machine", "settings"
        return "my machine", "unknown"
"""
OF_DICT = """\
    if isinstance(outcome, dict):
        if "access_token" in outcome:
            return "nobody", "nothing"
        for number in outcome.get("error_codes", []):
            if number in NUMBERS:
                return "Entra ID", NUMBERS[number]
        return "Entra ID", ERRORS.get(outcome["error"], "unknown")
"""
OF_STATUS = """\
    if outcome.status_code == 200:
        return "nobody", "nothing"
    return "Graph", STATUSES.get(outcome.status_code, "unknown")
"""


def diagnose(
    tables: str = TABLES, exception: str = OF_EXCEPTION, answer: str = OF_DICT, status: str = OF_STATUS
) -> str:
    """A right answer in parts, so that one part can be another."""
    return f"{tables}def diagnose(outcome):\n{exception}{answer}{status}"


REPAIRS = {
    "birthdays": {"tenant": "contoso.example"},
    "phone list": {"client_id": "4e8f1a6b-93d7-4c25-b0fa-6d1e72c4a895"},
    "door badges": {"credential": "certificate-2026"},
    "parking": {"credential": "secret-value"},
    "seating": {"resource": "https://graph.microsoft.com"},
    "bonus": {"department": "Sales"},
}


def repairs(**changes: object) -> str:
    """The right repairs with some of them replaced; a blank in a daemon's name is written as _."""
    return f"repairs = {REPAIRS | {name.replace('_', ' '): repair for name, repair in changes.items()}!r}\n"


RIGHT = {
    "08-speaker": {
        "in capitals and with blanks": speaker(ProxyError="My Machine", InvalidKeyError=" my machine "),
        "made by a function": (
            "names = list(speaker)\n"
            'speaker = dict(zip(names, ["my machine", "Entra ID", "my machine", "Entra ID", "Graph"]))\n'
        ),
        "one after another": f"{speaker()}speaker |= dict(speaker)\n",
    },
    "08-look-first": {
        "words kept under names": f'WORD = "application"\nDO_NOT_KNOW = "unknown"\n{look_first(principal="WORD")}',
        "the table asked twice": look_first(principal='FIRST["unauthorized_client"]'),
        "an own way": (
            "def look_first(result):\n"
            "    match result.get('error_codes'), result['error']:\n"
            "        case [700024, *_], _:\n"
            "            return 'clock'\n"
            "        case ([7000229, *_], _) | (_, 'unauthorized_client'):\n"
            "            return 'application'\n"
            "        case _, 'invalid_client':\n"
            "            return 'proof'\n"
            "        case _, 'invalid_scope' | 'invalid_resource':\n"
            "            return 'scope'\n"
            "        case _, 'invalid_request':\n"
            "            return 'request'\n"
            "    return 'unknown'\n"
        ),
    },
    "08-diagnose": {
        "a list of two": diagnose().replace("def diagnose", "def pair")
        + ("\n\ndef diagnose(outcome):\n    return list(pair(outcome))\n"),
        "match": (
            f"{TABLES}def diagnose(outcome):\n"
            "    match outcome:\n"
            "        case requests.ConnectionError() | requests.Timeout():\n"
            "            return 'my machine', 'network'\n"
            "        case msal.exceptions.MsalServiceError() | json.JSONDecodeError():\n"
            "            return 'Entra ID', 'wait'\n"
            "        case ValueError() | jwt.InvalidKeyError() | FileNotFoundError():\n"
            "            return 'my machine', 'settings'\n"
            "        case Exception():\n"
            "            return 'my machine', 'unknown'\n"
            "        case {'access_token': _}:\n"
            "            return 'nobody', 'nothing'\n"
            "        case {'error_codes': [700024, *_]}:\n"
            "            return 'Entra ID', 'clock'\n"
            "        case {'error_codes': [7000229, *_]}:\n"
            "            return 'Entra ID', 'application'\n"
            "        case {'error': error}:\n"
            "            return 'Entra ID', ERRORS.get(error, 'unknown')\n"
            f"{OF_STATUS}"
        ),
        "raised and caught again": diagnose(
            exception=(
                "    try:\n"
                "        if isinstance(outcome, Exception):\n"
                "            raise outcome\n"
                "    except NETWORK:\n"
                "        return 'my machine', 'network'\n"
                "    except WAIT:\n"
                "        return 'Entra ID', 'wait'\n"
                "    except SETTINGS:\n"
                "        return 'my machine', 'settings'\n"
                "    except Exception:\n"
                "        return 'my machine', 'unknown'\n"
            )
        ),
        "the response's own ok": diagnose(status=OF_STATUS.replace("outcome.status_code == 200", "outcome.ok")),
    },
    "08-shop": {
        "a secret for the badges, a certificate for the parking": repairs(
            door_badges={"credential": "secret-value"}, parking={"credential": "certificate-2026"}
        ),
        "the tenant by its id": repairs(birthdays={"tenant": "7d2c9e5a-1b64-4f0e-9a37-c3d58e41f260"}),
        "the tenant's first domain, sales in small letters": repairs(
            birthdays={"tenant": "contoso.onmicrosoft.example"}, bonus={"department": "sales"}
        ),
        "Graph by its application id": repairs(seating={"resource": "00000003-0000-0000-c000-000000000000"}),
    },
}

MISTAKES = {
    "08-speaker": {
        "the exception taken at its word": (speaker(JSONDecodeError="my machine"), "a status came back"),
        "Graph refuses a token": (speaker(invalid_scope="Graph"), "Graph was not asked yet"),
        "Entra ID refuses the call": (speaker(token="Entra ID"), "the status is Graph's"),
        "the proxy is Microsoft's": (speaker(ProxyError="Entra ID"), "neither service has seen it"),
        "the key was refused": (speaker(InvalidKeyError="Entra ID"), "nothing was signed"),
        "another name": (speaker(ProxyError="the proxy"), "choose one of"),
        "a line lost": ('speaker = {"ProxyError": "my machine"}\n', "is gone from the dictionary"),
        "a list": (
            'speaker = ["my machine", "Entra ID", "my machine", "Entra ID", "Graph"]\n',
            "expected a dictionary",
        ),
    },
    "08-look-first": {
        "the application for everything": (look_first(proof='"application"'), "is what Entra ID did not accept"),
        "the proof for the missing service principal": (look_first(principal='"proof"'), "no other proof would help"),
        "a guess at the end": (look_first(unknown='"proof"'), "say that you do not know"),
        "None at the end": (look_first(unknown="None"), "gives back None"),
        "the text decides": (
            'def look_first(result):\n    text = result.get("error_description", "")\n'
            '    words = {"700024": "clock", "7000229": "application", "700016": "application", "1002012": "scope"}\n'
            '    words |= {"53003": "unknown", "900144": "request"}\n'
            '    return next((word for number, word in words.items() if number in text), "proof")\n',
            "the text is for people",
        ),
        "numbers only": (
            'def look_first(result):\n    numbers = {700024: "clock", 7000229: "application", 700016: "application"}\n'
            '    numbers |= {7000215: "proof", 700027: "proof", 1002012: "scope", 900144: "request"}\n'
            '    return numbers.get(result["error_codes"][0], "unknown")\n',
            "its error is",
        ),
        "numbers taken for granted": (
            look_first().replace('result.get("error_codes", [])', 'result["error_codes"]'),
            "KeyError: 'error_codes'",
        ),
    },
    "08-diagnose": {
        "ValueError first": (
            diagnose(tables=TABLES.replace("json.JSONDecodeError)", "SystemError)")),
            "ask for it first",
        ),
        "every OSError is the network": (
            diagnose(tables=TABLES.replace("requests.Timeout)", "requests.Timeout, OSError)")),
            "no matter of the network",
        ),
        "connection errors only": (
            diagnose(tables=TABLES.replace("requests.Timeout)", "requests.ConnectionError)")),
            "no ConnectionError",
        ),
        "every exception is a setting": (
            diagnose(exception=OF_EXCEPTION.replace('"unknown"', '"settings"')),
            "this exception is not in the table",
        ),
        "the numbers left out": (
            diagnose(tables=TABLES.replace('{700024: "clock", 7000229: "application"}', "{}")),
            "no other proof would help",
        ),
        "the text decides": (
            diagnose(
                answer=OF_DICT.replace(
                    'for number in outcome.get("error_codes", []):', "for number in NUMBERS:"
                ).replace("if number in NUMBERS:", "if str(number) in outcome.get('error_description', ''):")
            ),
            "the text is for people",
        ),
        "an unknown error is a proof": (
            diagnose(answer=OF_DICT.replace('outcome["error"], "unknown"', 'outcome["error"], "proof"')),
            "say that you do not know",
        ),
        "every other status is worth waiting for": (
            diagnose(status=OF_STATUS.replace('"unknown"', '"wait"')),
            "409 is not in the table",
        ),
        "5xx without 502": (diagnose(tables=TABLES.replace("500, 502,", "500,")), "502 goes away with time"),
        "a text instead of two": (
            diagnose().replace('return "my machine", "network"', 'return "network"'),
            "two texts are wanted",
        ),
        "a token is a failure": (
            diagnose(answer=OF_DICT.replace('"nobody", "nothing"', '"Entra ID", "nothing"')),
            "a token is no failure",
        ),
    },
    "08-shop": {
        "one repair": ("repairs = {'bonus': {'department': 'Sales'}}\n", "1 of 6 daemons run"),
        "the service principal's id": (
            repairs(phone_list={"client_id": "e95b7c20-3fd8-4a16-a7c4-815d2b60f3ea"}),
            "Entra ID answers unauthorized_client, [700016]",
        ),
        "two settings at once": (
            repairs(seating={"resource": "https://graph.microsoft.com", "credential": "secret-value"}),
            "2 settings were changed at once",
        ),
        "the secret itself": (repairs(parking={"credential": "a-secret"}), "the safe holds nothing under that name"),
        "the scope instead of the resource": (
            repairs(seating={"resource": "https://graph.microsoft.com/.default"}),
            "Entra ID answers invalid_",
        ),
        "another department": (repairs(bonus={"department": "Finance"}), "this daemon is about Sales"),
        "a typing error again": (repairs(bonus={"department": "Seals"}), "nobody is in the department 'Seals'"),
        "a setting that is not there": (repairs(bonus={"departement": "Sales"}), "there is no setting 'departement'"),
        "a value without its setting": (repairs(bonus="Sales"), "a setting with its value is wanted"),
        "the tenant misspelt otherwise": (repairs(birthdays={"tenant": "contoso.exmaple"}), "MSAL raises ValueError"),
        "another setting": (repairs(door_badges={"department": "Sales"}), "Entra ID answers invalid_client, [700027]"),
    },
}
