"""Chapter 04: which scope a daemon asks for, and what its token says it may do."""

import base64
import json
from collections.abc import Callable
from typing import Any

from ..marking import call_of, chosen, gives, of_type, plain
from ..showing import show
from ..verdicts import Ask, LearnersError, Verdict, exercise, not_yet, right

Held = Callable[[dict[str, Any]], list[str]]
Missing = Callable[[dict[str, Any], list[str]], list[str]]
GRAPH = "https://graph.microsoft.com"
OTHERS = {
    "api://b5c1a3de-0000-4000-8000-9e2f71d0c4a6": "use resource_uri.",
    "https://management.azure.com/": "the slash at the end belongs to this resource's address: keep it as it is given.",
}


# --- 04-choose ------------------------------------------------------------------------------------------------------

SCOPES = {
    1: "User.Read.All",
    2: f"{GRAPH}/User.Read.All",
    3: f"{GRAPH}/.default",
    4: f"{GRAPH}/.default https://vault.azure.net/.default",
}


@exercise("04-choose")
def choose(choice: int, ask: Ask) -> Verdict:
    """The number of the scope that names one resource and its .default; Entra ID says what is wrong with the others."""
    refused = {number: scope for number, scope in SCOPES.items() if number != 3}
    return chosen(
        choice,
        3,
        reasons={number: f"for {scope} Entra ID answers {_answer_to(scope, ask)}" for number, scope in refused.items()},
        otherwise="the four scopes have the numbers 1 to 4, and a number is written without quotation marks.",
    ) or right(f"for {SCOPES[3]} Entra ID answers {_answer_to(SCOPES[3], ask)}.")


def _answer_to(scope: str, ask: Ask) -> str:
    result = ask.token([scope])
    return ask.sentence(result) if "error" in result else "a token"


# --- 04-scope -------------------------------------------------------------------------------------------------------


@exercise(
    "04-scope",
    given="""
def graph_scope(resource_uri):
    return f"{resource_uri}.default"
""",
)
def scope(graph_scope: Callable[[str], list[str]], ask: Ask) -> Verdict:
    """graph_scope(resource_uri) gives the list of scopes to ask for: the resource's .default and nothing else."""
    answer = graph_scope(GRAPH)
    if isinstance(answer, str):
        return not_yet("MSAL takes a list of scopes, and this is a str: put it into [ ].")
    if wrong := of_type(answer, list, call_of(graph_scope)):
        return wrong
    if not isinstance(answer, list):
        return not_yet(f"MSAL takes a list of scopes, and for a {type(answer).__name__} it {_raised_for(answer, ask)}.")
    if plain(answer) != [f"{GRAPH}/.default"]:
        refusal = ask.token(plain(answer))
        if "error" in refusal:
            return not_yet(f"for {show(answer)} Entra ID answers {ask.sentence(refusal)}")
        return not_yet(f"Entra ID takes {show(answer)}, but the scope to ask for is one: resource, a slash, .default.")
    for resource, reason in OTHERS.items():
        if wrong := gives(graph_scope, resource, expected=[f"{resource}/.default"], reason=reason):
            return wrong
    return right("one resource, everything that was consented to for it.")


def _raised_for(scopes: Any, ask: Ask) -> str:
    try:
        ask.token(scopes)
    except (AssertionError, TypeError, ValueError) as error:
        return f"raises {type(error).__name__}"
    return "gives a token in this release only"


# --- 04-held --------------------------------------------------------------------------------------------------------


@exercise(
    "04-held",
    given="""
def roles_held(claims):
    roles = ...
    return sorted(roles)
""",
)
def held(roles_held: Held, ask: Ask) -> Verdict:
    """roles_held(claims) gives the roles in a token's claims, and an empty list when there is no such claim."""
    return (
        gives(roles_held, {"idtyp": "app", "roles": ["User.Read.All"]}, expected=["User.Read.All"])
        or gives(
            roles_held,
            {"roles": ["User.Read.All", "Group.Read.All"]},
            expected=["Group.Read.All", "User.Read.All"],
            reason="a token may hold several roles.",
        )
        or gives(
            roles_held,
            {"roles": ["Mail.Read"], "scp": "User.Read"},
            expected=["Mail.Read"],
            reason="scp lists what a signed-in user allowed, and a daemon has no user.",
        )
        or _nothing_granted(roles_held, ask)
        or right("Entra ID gave a token without any role, and its claims came through.")
    )


def _nothing_granted(roles_held: Held, ask: Ask) -> Verdict | None:
    """A real token of an app to which nothing was granted."""
    ask.practice.revoke("User.Read.All")
    payload = ask.token([f"{GRAPH}/.default"])["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    few = {name: value for name, value in claims.items() if name in ("idtyp", "roles", "scp")}
    try:
        return gives(roles_held, few, expected=[], reason="nothing was granted, and an empty list says so.")
    except LearnersError as error:
        if isinstance(error.__cause__, KeyError | TypeError | AttributeError):
            return not_yet(f"a token to which nothing was granted has no claim roles at all. {error}")
        raise


# --- 04-roles -------------------------------------------------------------------------------------------------------


@exercise("04-roles")
def roles(missing_roles: Missing, ask: Ask) -> Verdict:
    """missing_roles(claims, needed) gives the needed app roles that a token lacks, sorted."""
    needed = ["User.Read.All", "Group.Read.All", "AuditLog.Read.All"]
    return (
        gives(
            missing_roles,
            {"roles": ["User.Read.All", "Mail.Read"]},
            needed,
            expected=["AuditLog.Read.All", "Group.Read.All"],
            reason="of the three needed roles the token has only the first.",
            mistakes=_FIRST_MISTAKES,
        )
        or gives(
            missing_roles,
            {"roles": ["Group.Read.All"], "scp": "User.Read.All"},
            needed,
            expected=["AuditLog.Read.All", "User.Read.All"],
            reason="scp lists what a signed-in user allowed; for an app only the claim roles counts.",
        )
        or gives(
            missing_roles,
            {"roles": ["Mail.ReadWrite"]},
            ["Mail.Read"],
            expected=["Mail.Read"],
            reason="Mail.ReadWrite is another role: compare whole names, not parts of a text.",
        )
        or _without_roles(missing_roles, needed)
        or _nothing_missing(missing_roles)
        or right("claims are for looking at, as here; what decides is Graph's answer.")
    )


_FIRST_MISTAKES = {
    "it reports what the token has.": lambda claims, needed: sorted({*needed} & {*claims["roles"]}),
    "it reports Mail.Read, which the token has and nobody needs.": lambda claims, needed: sorted(
        {*needed} ^ {*claims["roles"]}
    ),
    "the roles are the right ones, and the order is not: sorted() gives a sorted list.": lambda claims, needed: [
        role for role in needed if role not in claims["roles"]
    ],
}


def _without_roles(missing_roles: Missing, needed: list[str]) -> Verdict | None:
    """Nothing consented to: Entra ID leaves the claim out (entra docs: v2-oauth2-client-creds-grant-flow.md)."""
    try:
        return gives(
            missing_roles,
            {"idtyp": "app"},
            needed,
            expected=sorted(needed),
            reason="a token without the claim roles lacks every needed role.",
        )
    except LearnersError as error:
        if isinstance(error.__cause__, KeyError | AttributeError | TypeError):
            return not_yet(f"a token without any consent has no claim roles, not an empty one. {error}")
        raise


def _nothing_missing(missing_roles: Missing) -> Verdict | None:
    claims = {"roles": ["User.Read.All", "Mail.Read"]}
    reason = "nothing is missing, and an empty list says so."
    try:
        return gives(missing_roles, claims, ["User.Read.All"], expected=[], reason=reason)
    except LearnersError as error:
        if error.__cause__ is None and "None" in str(error):
            return not_yet(f"{call_of(missing_roles)} gives back None, expected []: {reason}")
        raise
