"""Chapter 04: which scope a daemon asks for, and what its token says it may do."""

from collections.abc import Callable
from typing import Any

from ..marking import call_of, gives, of_type, plain
from ..showing import show
from ..verdicts import Ask, LearnersError, Verdict, exercise, not_yet, right

Missing = Callable[[dict[str, Any], list[str]], list[str]]
GRAPH = "https://graph.microsoft.com"
OTHERS = {
    "api://b5c1a3de-0000-4000-8000-9e2f71d0c4a6": "use resource_uri.",
    "https://management.azure.com/": "the slash at the end belongs to this resource's address: keep it as it is given.",
}


@exercise("04-scope")
def scope(graph_scope: Callable[[str], list[str]], ask: Ask) -> Verdict:
    """graph_scope(resource_uri) gives the list of scopes to ask for: the resource's .default and nothing else."""
    answer = graph_scope(GRAPH)
    if isinstance(answer, str):
        return not_yet("MSAL takes a list of scopes, and this is a str: put it into [ ].")
    if wrong := of_type(answer, list, call_of(graph_scope)):
        return wrong
    if plain(answer) != [f"{GRAPH}/.default"]:
        refusal = ask.token(plain(answer))
        if "error" in refusal:
            return not_yet(f"for {show(answer)} Entra ID answers {ask.sentence(refusal)}")
        return not_yet(f"Entra ID takes {show(answer)}, but the scope to ask for is one: resource, a slash, .default.")
    for resource, reason in OTHERS.items():
        if wrong := gives(graph_scope, resource, expected=[f"{resource}/.default"], reason=reason):
            return wrong
    return right("one resource, everything that was consented to for it.")


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
