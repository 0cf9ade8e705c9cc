"""Chapter 04: which scope a daemon asks for, and what its token says it may do."""

from collections.abc import Callable

from ..verdicts import Ask, LearnersError, Verdict, exercise, not_yet, right

GRAPH = "https://graph.microsoft.com"


@exercise("04-scope")
def scope(graph_scope: Callable[[str], list[str]], ask: Ask) -> Verdict:
    """graph_scope(resource_uri) gives the list of scopes to ask for: the resource's .default and nothing else."""
    answer = graph_scope(GRAPH)
    if isinstance(answer, str):
        return not_yet("MSAL takes a list of scopes, and this is a str: put it into [ ].")
    if not isinstance(answer, list):
        return not_yet(f"MSAL takes a list of scopes, and this is a {type(answer).__name__}.")
    if answer != [f"{GRAPH}/.default"]:
        refusal = ask.token(answer)
        if "error" in refusal:
            return not_yet(f"for {answer} Entra ID answers {ask.sentence(refusal)}")
        return not_yet(f"Entra ID takes {answer}, but the scope to ask for is one: the resource, a slash, .default.")
    other = "api://b5c1a3de-0000-4000-8000-9e2f71d0c4a6"
    if graph_scope(other) != [f"{other}/.default"]:
        return not_yet(f"right for Graph, but for {other} it gives {graph_scope(other)}: use resource_uri.")
    return right("one resource, everything that was consented to for it.")


@exercise("04-roles")
def roles(missing_roles: Callable[[dict, list[str]], list[str]], ask: Ask) -> Verdict:
    """missing_roles(claims, needed) gives the needed app roles that a token lacks, sorted."""
    needed = ["User.Read.All", "Group.Read.All", "AuditLog.Read.All"]
    answer = missing_roles({"roles": ["User.Read.All", "Mail.Read"]}, needed)
    if not isinstance(answer, list):
        return not_yet(f"a list is wanted, and this is a {type(answer).__name__}: sorted() makes one.")
    if "User.Read.All" in answer:
        return not_yet("it reports User.Read.All as missing although the token has it.")
    if "Mail.Read" in answer:
        return not_yet("it reports Mail.Read, which the token has and nobody needs.")
    if set(answer) != {"Group.Read.All", "AuditLog.Read.All"}:
        return not_yet(f"of {needed} the token has only the first, yet it reports {answer}.")
    if answer != sorted(answer):
        return not_yet(f"the roles are the right ones, but {answer} is not sorted.")
    if missing_roles({"roles": ["Group.Read.All"], "scp": "User.Read.All"}, needed) != sorted(
        {*needed} - {"Group.Read.All"}
    ):
        return not_yet("scp lists what a signed-in user allowed; for an app only the claim roles counts.")
    return _without_roles(missing_roles, needed)


def _without_roles(missing_roles: Callable[[dict, list[str]], list[str]], needed: list[str]) -> Verdict:
    """Nothing consented to: Entra ID leaves the claim out (entra docs: v2-oauth2-client-creds-grant-flow.md)."""
    try:
        answer = missing_roles({"idtyp": "app"}, needed)
    except LearnersError as error:
        if isinstance(error.__cause__, KeyError | AttributeError | TypeError):
            return not_yet(f"a token without any consent has no claim roles, not an empty one. {error}")
        raise
    if answer != sorted(needed):
        return not_yet(f"a token without the claim roles lacks every needed role, yet it reports {answer}.")
    return right("claims are for looking at, as here; what decides is Graph's answer.")
