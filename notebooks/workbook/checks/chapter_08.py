"""Chapter 08: who speaks, where to look first, and six daemons that each have one wrong setting."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jwt
import msal  # type: ignore[import-untyped]
import requests

from ..marking import call_of, chosen, gives, of_type, plain
from ..showing import show
from ..verdicts import GRAPH_SCOPE, Ask, Verdict, exercise, not_yet, right

# --- 08-speaker -----------------------------------------------------------------------------------------------------

SPEAKERS = ("my machine", "Entra ID", "Graph")
THROTTLED = "JSONDecodeError, and the record shows status 429"
WHO = {
    "ProxyError": ("my machine", "the request did not get past the proxy, so neither service has seen it."),
    THROTTLED: ("Entra ID", "a status came back, so somebody answered. It was the token endpoint, in plain text."),
    "InvalidKeyError": ("my machine", "the key could not be read, so nothing was signed and no token was asked for."),
    "a dictionary whose error is invalid_scope": (
        "Entra ID",
        "MSAL returns a dictionary with an error when Entra ID has refused, and Graph was not asked yet.",
    ),
    "a token, and then status 403": (
        "Graph",
        "Entra ID is satisfied, since the token is there; the status is Graph's.",
    ),
}


@exercise("08-speaker")
def who_it_was(speaker: dict[str, str], ask: Ask) -> Verdict:
    """speaker says for each of five outcomes who spoke."""
    if wrong := of_type(speaker, dict):
        return wrong
    for outcome, (who, reason) in WHO.items():
        if outcome not in speaker:
            return not_yet(f"the outcome {outcome!r} is gone from the dictionary: change the values only.")
        others = {other: f"{outcome}: {reason}" for other in SPEAKERS if other != who}
        otherwise = f"for {outcome!r} choose one of {', '.join(SPEAKERS)}."
        if wrong := chosen(speaker[outcome], who, reasons=others, otherwise=otherwise):
            return wrong
    return right("an exception is raised on your machine, and three of them carry Entra ID's words all the same.")


# --- 08-look-first --------------------------------------------------------------------------------------------------

GIVEN_LOOK_FIRST = """\
FIRST = {
    "unauthorized_client": "application",
    "invalid_client": ...,
    "invalid_scope": "scope",
    "invalid_resource": "scope",
    "invalid_request": "request",
}


def look_first(result):
    numbers = result.get("error_codes", [])
    if 700024 in numbers:
        return "clock"
    if 7000229 in numbers:
        return ...
    return FIRST.get(result["error"], ...)
"""
REWORDED = {
    "error": "invalid_client",
    "error_codes": [7000215],
    "error_description": "Das Geheimnis ist falsch; mit der Uhr (AADSTS700024) hat es nichts zu tun.",
}
REVOKED = {"error": "invalid_client", "error_codes": [7000214]}
BLOCKED = {  # Conditional Access for workload identities (entra docs: conditional-access/workload-identity.md)
    "error": "invalid_grant",
    "error_codes": [53003],
    "error_description": "AADSTS53003: Access has been blocked by Conditional Access policies.",
}


@exercise("08-look-first", given=GIVEN_LOOK_FIRST)
def entra_first(look_first: Callable[[dict[str, Any]], str], ask: Ask) -> Verdict:
    """look_first(result) gives one word for a refusal of Entra ID."""
    return (
        _entra(look_first, ask)
        or gives(look_first, {"error": "invalid_client"}, expected="proof", reason="the numbers may be missing.")
        or right("a new number under a known error still leads to the right place.")
    )


def _entra(look: Callable[[dict[str, Any]], Any], ask: Ask, word: Callable[[str], Any] = str) -> Verdict | None:
    """Refusals of the practice tenant, and three that it does not give.

    Args:
        look: the learner's function.
        word: makes what is expected of the one word that `look_first` gives.
    """
    for refusal, expected, reason in _refusals(ask):
        if wrong := gives(look, refusal, expected=word(expected), reason=reason):
            return wrong
    return None


@cache  # the tenant gives the same answers every time, and asking for them takes longer than checking
def _refusals(ask: Ask) -> list[tuple[dict[str, Any], str, str]]:
    """What Entra ID refuses, where to look first, and why."""
    return [
        (_refusal(ask, client_credential="a-wrong-secret"), "proof", "the secret is what Entra ID did not accept."),
        (_refusal(ask, client_id=ask.bench.tenant_id), "application", "no such application is known in this tenant."),
        (_refusal(ask, client_credential=_unknown_key(ask)), "proof", "700027 is about the certificate."),
        (_without_principal(ask), "application", "the app has no service principal, and no other proof would help."),
        (_late(ask), "clock", "700024 is about time, and its error is that of a wrong certificate."),
        (_brief(ask, ask.token(["User.Read.All"])), "scope", "a permission was asked for instead of .default."),
        (_brief(ask, ask.token([])), "request", "the request lacks a field, and its error is invalid_request."),
        (BLOCKED, "unknown", "this error is in no table, so say that you do not know."),
        (REWORDED, "proof", "decide by error and number: the text is for people, and it may be in any language."),
        (REVOKED, "proof", "this number is in no table, and its error is."),
    ]


def _refusal(ask: Ask, **changes: Any) -> dict[str, Any]:
    return _brief(ask, ask.token([GRAPH_SCOPE], **changes))


def _brief(ask: Ask, refusal: Mapping[str, Any]) -> dict[str, Any]:
    """A refusal without the ids and times that differ on each run."""
    text = ask.sentence(refusal).removeprefix(f"{refusal['error']}, ")
    return {"error": refusal["error"], "error_codes": refusal["error_codes"], "error_description": text}


def _unknown_key(ask: Ask) -> dict[str, str]:
    """A credential whose certificate is not registered: Entra ID looks for it by the thumbprint."""
    return {"private_key": ask.bench.private_key, "thumbprint": "25" * 20}


def _without_principal(ask: Ask) -> dict[str, Any]:
    """The refusal of an app that somebody registered without a service principal."""
    app = _as_administrator(ask, "/applications", {"displayName": "by-script"})
    secret = _as_administrator(ask, f"/applications/{app['id']}/addPassword", {"passwordCredential": {}})
    return _refusal(ask, client_id=app["appId"], client_credential=secret["secretText"])


def _late(ask: Ask) -> dict[str, Any]:
    ask.practice.shift_clock(3600)
    refusal = _refusal(ask)
    ask.practice.shift_clock(-3600)
    return refusal


def _as_administrator(ask: Ask, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """POST to Graph with a permission that the daemon holds for this one request."""
    ask.practice.grant("Application.ReadWrite.All")
    headers = {"Authorization": f"Bearer {ask.token([GRAPH_SCOPE])['access_token']}"}
    ask.practice.revoke("Application.ReadWrite.All")
    answer = ask.bench.session.post(ask.bench.graph_endpoint + path, json=body, headers=headers)
    answer.raise_for_status()
    created: dict[str, Any] = answer.json()
    return created


# --- 08-diagnose ----------------------------------------------------------------------------------------------------

NETWORK = ("my machine", "network")
WAIT = ("Entra ID", "wait")
SETTINGS = ("my machine", "settings")


@exercise("08-diagnose")
def who_and_where(diagnose: Callable[[Any], tuple[str, str]], ask: Ask) -> Verdict:
    """diagnose(outcome) gives who speaks and where to look."""
    return (
        _exceptions(diagnose, ask)
        or gives(diagnose, {"access_token": "a-token"}, expected=("nobody", "nothing"), reason="a token is no failure.")
        or _entra(diagnose, ask, lambda word: ("Entra ID", word))
        or _statuses(diagnose, ask)
        or right("it asks who speaks, then the error or the status, then the number, and never a text.")
    )


def _exceptions(diagnose: Callable[[Any], Any], ask: Ask) -> Verdict | None:
    cases = [
        (requests.exceptions.ProxyError("no way out"), NETWORK, "a ProxyError is a kind of ConnectionError."),
        (requests.exceptions.SSLError("not trusted"), NETWORK, "an SSLError is a kind of ConnectionError."),
        (requests.exceptions.ReadTimeout("no answer"), NETWORK, "a ReadTimeout is a Timeout and no ConnectionError."),
        (msal.exceptions.MsalServiceError("503", error="", error_description=""), WAIT, "the service has an outage."),
        (_not_json(), WAIT, "a JSONDecodeError is also a ValueError, so ask for it first."),
        (_unknown_tenant(ask), SETTINGS, "MSAL raises this ValueError for a tenant that nobody knows."),
        (jwt.InvalidKeyError("no key"), SETTINGS, "the key could not be read."),
        (FileNotFoundError("server.pfx"), SETTINGS, "a file that is not there is no matter of the network."),
        (MemoryError("full"), ("my machine", "unknown"), "this exception is not in the table, so say so."),
    ]
    found = diagnose(cases[0][0])
    if isinstance(found, str):
        return not_yet(f"{call_of(diagnose)} gives {show(found)}, and two texts are wanted: who, and where.")
    for outcome, expected, reason in cases:
        if wrong := gives(diagnose, outcome, expected=expected, reason=reason):
            return wrong
    return None


def _not_json() -> Any:
    try:
        return json.loads("Too Many Requests")
    except json.JSONDecodeError as error:
        return error


@cache
def _unknown_tenant(ask: Ask) -> Any:
    host = ask.bench.authority.rpartition("/")[0]
    try:
        return ask.token([GRAPH_SCOPE], authority=f"{host}/contosso.example")
    except ValueError as error:
        return error


def _statuses(diagnose: Callable[[Any], Any], ask: Ask) -> Verdict | None:
    for answer, expected, reason in _answers(ask):
        if wrong := gives(diagnose, answer, expected=expected, reason=reason):
            return wrong
    return None


@cache
def _answers(ask: Ask) -> list[tuple[requests.Response, tuple[str, str], str]]:
    """Graph's answers, as the practice tenant gives them, what to say of each, and why."""
    practice, token = ask.practice, ask.token([GRAPH_SCOPE])["access_token"]
    answers = [
        (ask.graph("/users?$top=1", token), ("nobody", "nothing"), "200 is no failure."),
        (ask.graph("/users", "not-a-token"), ("Graph", "token"), "401: Graph does not accept the token."),
        (ask.graph("/applications", token), ("Graph", "permission"), "403: the token does not allow this."),
        (ask.graph("/me", token), ("Graph", "question"), "400: the question cannot be answered."),
        (
            ask.graph("/users/nobody@contoso.example", token),
            ("Graph", "question"),
            "404: there is nobody of this name.",
        ),
    ]
    for status in (429, 500, 502, 503, 504):
        practice.fail("graph", status=status)
        answers.append((ask.graph("/users", token), ("Graph", "wait"), f"{status} goes away with time."))
    for status in (409, 501):
        practice.fail("graph", status=status)
        answers.append((ask.graph("/users", token), ("Graph", "unknown"), f"{status} is not in the table, so say so."))
    return answers


# --- 08-shop --------------------------------------------------------------------------------------------------------

GIVEN_SHOP = """\
repairs = {
    "birthdays": {},
    "phone list": {},
    "door badges": {},
    "parking": {},
    "seating": {},
    "bonus": {},
}
"""
HEALTHY = {
    "tenant": "contoso.example",
    "client_id": "4e8f1a6b-93d7-4c25-b0fa-6d1e72c4a895",
    "credential": "certificate-2026",
    "resource": "https://graph.microsoft.com",
}
SHOP = {
    "birthdays": HEALTHY | {"department": "Marketing", "tenant": "contosso.example"},
    "phone list": HEALTHY | {"department": "Finance", "client_id": "b16a0d3f-58c2-4e97-8d41-0f9b7a25ce63"},
    "door badges": HEALTHY | {"department": "Facilities", "credential": "certificate-2025"},
    "parking": HEALTHY | {"department": "Legal", "credential": "secret-id"},
    "seating": HEALTHY | {"department": "Operations", "resource": "https://management.azure.com"},
    "bonus": HEALTHY | {"department": "Slaes"},
}
SAFE = ("certificate-2025", "certificate-2026", "secret-id", "secret-value")
MEANT = {name: settings["department"] for name, settings in SHOP.items()} | {"bonus": "Sales"}


@exercise("08-shop", given=GIVEN_SHOP)
def six_repairs(repairs: dict[str, dict[str, str]], ask: Ask) -> Verdict:
    """repairs names for each of six daemons the setting that was wrong, with the right value."""
    if wrong := of_type(repairs, dict):
        return wrong
    repairs = plain(repairs)
    for name in repairs.keys() - SHOP.keys():
        return not_yet(f"there is no daemon called {show(name)}; there are {', '.join(SHOP)}.")
    verdicts = {name: _one_repair(name, repairs.get(name, {}), ask) for name in SHOP}
    running = sum(verdict.state == "right" for verdict in verdicts.values())
    lines = [f"{_MARKS[verdict.state]} {name}: {verdict.hint}" for name, verdict in verdicts.items()]
    words = "\n   ".join([f"{running} of {len(SHOP)} daemons run.", *lines])
    return right(words) if running == len(SHOP) else not_yet(words)


_MARKS = {"not started": "⬜", "not yet": "❌", "right": "✅"}


def _safe(ask: Ask) -> dict[str, Any]:
    """The tenant prepared for the shop: the app gets a secret, and the safe holds what the settings name."""
    bench = ask.bench
    made = _as_administrator(ask, f"/applications(appId='{bench.client_id}')/addPassword", {"passwordCredential": {}})
    certificate = {"private_key": bench.private_key, "public_certificate": bench.certificate}
    return dict(zip(SAFE, (_unknown_key(ask), certificate, made["keyId"], made["secretText"]), strict=True))


def _one_repair(name: str, repair: Any, ask: Ask) -> Verdict:
    if repair in ({}, None, ...):
        return Verdict("not started", "no repair yet.")
    if not isinstance(repair, dict):
        return not_yet(f"this is {show(repair)}, and a setting with its value is wanted: {{'department': 'Sales'}}.")
    for setting in repair.keys() - SHOP[name].keys():
        return not_yet(f"there is no setting {show(setting)}; there are {', '.join(SHOP[name])}.")
    if len(repair) > 1:
        return not_yet(f"{len(repair)} settings were changed at once, and one was wrong. Which of them was it?")
    [(setting, value)] = repair.items()
    if not isinstance(value, str):
        return not_yet(f"the value of {setting} is a text, and this is {show(value)}.")
    if setting == "credential" and value not in SAFE:
        return not_yet(f"the safe holds nothing under that name; it holds {', '.join(SAFE)}.")
    return _try_out(name, setting, value, ask)


@cache
def _try_out(name: str, setting: str, value: str, ask: Ask) -> Verdict:
    """Runs one daemon with its repaired setting, and lets whoever refuses say so."""
    settings, safe = SHOP[name] | {setting: value}, _safe(ask)
    try:
        result = ask.token(
            [f"{settings['resource']}/.default"],
            authority=f"{ask.bench.authority.rpartition('/')[0]}/{settings['tenant']}",
            client_id=settings["client_id"],
            client_credential=safe[settings["credential"]],
        )
    except ValueError:
        return not_yet(f"MSAL raises ValueError, because Entra ID knows no tenant {show(settings['tenant'])}.")
    if "error" in result:
        return not_yet(f"Entra ID answers {result['error']}, {result['error_codes']}.")
    department = settings["department"].replace("'", "''")
    answer = ask.graph(f"/users?$filter=department eq '{department}'&$select=department", result["access_token"])
    if answer.status_code != 200:
        return not_yet(f"Graph answers {answer.status_code} {answer.json()['error']['code']}.")
    found = [person["department"] for person in answer.json()["value"]]
    if not found:
        return not_yet(f"Graph answers 200, and nobody is in the department {show(settings['department'])}.")
    if found[0].casefold() != MEANT[name].casefold():
        return not_yet(f"{len(found)} people of {found[0]}, and this daemon is about {MEANT[name]}.")
    return right(f"{len(found)} people in {MEANT[name]}.")
