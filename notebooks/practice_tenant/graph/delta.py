"""``/users/delta``: the whole directory once, and from then on only what has changed.

The tokens in the links say everything the next request needs (what is tracked, how far the client has come, when), so
the practice tenant remembers nothing about its clients.

Sources: graph docs user-delta.md, delta-query-users.md, delta-query-overview.md; error texts as marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..directory.people import People
from ..errors import GraphError
from ..messages import Answer, compact
from ..odata.links import context_url
from ..odata.properties import USERS
from ..odata.query import Query, parse_query
from .call import Call
from .listing import require_audit_log
from .page_tokens import read_token, write_token
from .users import DEFAULT

PAGE_SIZE = 200  # users on a page (microsoft-graph-docs#5363)
LONGEST_ABSENCE = 30 * 86_400  # seconds a link is good for: observed; the documentation says seven days
LATEST = "latest"


@dataclass(frozen=True)
class Round:
    """Where a client stands: what a token says.

    Args:
        select: the tracked properties; None for all, of which the default eleven are shown.
        manager: the relationship ``manager`` is tracked, too.
        ids: only these users; None for all.
        since: number of the last change the client had seen when the round began.
        place: in a first round, the place of the last user shown; None when only changes are shown.
        seen: otherwise, the number of the last change looked at.
        issued: Unix seconds.
    """

    select: tuple[str, ...] | None
    manager: bool
    ids: tuple[str, ...] | None
    since: int
    place: int | None
    seen: int
    issued: float

    @property
    def shown(self) -> tuple[str, ...]:
        """The properties of an answer; id is always among them."""
        names = DEFAULT if self.select is None else self.select
        return names if "id" in names else (*names, "id")

    def wants(self, user_id: str) -> bool:
        return self.ids is None or user_id in self.ids


def track_users(call: Call) -> Answer:
    """``GET /users/delta``: a page, and exactly one of nextLink and deltaLink."""
    query = parse_query(call.request.query, USERS, eventual=call.eventual, delta=True)
    require_audit_log(call, query)
    tenant = call.tenant
    tenant.purge_expired()
    current = _current_round(call, query)
    # The first answer's context names the selected properties, later ones do not (delta-query-users.md).
    body: dict[str, Any] = {"@odata.context": context_url(USERS, query)}
    if current.place is None:
        page, after = _changes(call, current, minimal=_wants_minimal(call))
    else:
        page, after = _first_round(tenant.people, current)
    # A first round knows all up to where it began; what happened while it was read comes in the next.
    name, parameter = ("@odata.nextLink", "$skiptoken") if after else ("@odata.deltaLink", "$deltatoken")
    reached = current.since if current.place is not None else tenant.people.revision
    following = after or replace(current, since=reached, place=None, seen=reached)
    token = write_token(tenant.page_tokens, asdict(replace(following, issued=tenant.now())))
    body[name] = f"{call.base}/users/delta?{parameter}={token}"
    body["value"] = page
    return Answer(body=compact(body))


# --- where a round stands -----------------------------------------------------------------------------------


def _current_round(call: Call, query: Query) -> Round:
    people, now = call.tenant.people, call.tenant.now()
    if query.skiptoken is not None:
        return _from_token(call, query.skiptoken, GraphError(400, "Request_BadRequest", "Invalid Skip Token"))
    if query.deltatoken is not None and query.deltatoken.lower() != LATEST:
        return _from_token(call, query.deltatoken, _too_old())
    latest = query.deltatoken is not None
    options = {name.lower(): value for name, value in query.options}
    selected = [name.strip().lower() for name in options.get("$select", "").split(",")]
    ids = tuple(re.findall(r"'([^']*)'", options["$filter"].lower())) if "$filter" in options else None
    return Round(
        select=query.select,
        manager="manager" in selected,
        ids=ids,
        since=people.revision,
        place=None if latest else -1,
        seen=people.revision,
        issued=now,
    )


def _from_token(call: Call, token: str, damaged: GraphError) -> Round:
    """The round a token speaks of.

    Raises:
        GraphError: 400 for a token that is too old (observed, not documented); a damaged $deltatoken is said to get
            the same answer, that for a damaged $skiptoken is chosen, not sourced.
    """
    content = read_token(call.tenant.page_tokens, token)
    if not isinstance(content, dict):
        raise damaged
    for name in ("select", "ids"):
        content[name] = None if content[name] is None else tuple(content[name])
    current = Round(**content)
    if call.tenant.now() - current.issued > LONGEST_ABSENCE:
        raise _too_old()
    return current


def _too_old() -> GraphError:
    return GraphError(400, "Request_UnsupportedQuery", "DeltaLink older than 30 days is not supported.")


def _wants_minimal(call: Call) -> bool:
    preferences = call.request.headers.get("prefer", "").lower().replace(" ", "").replace(";", ",")
    return "return=minimal" in preferences.split(",")


# --- what a page shows --------------------------------------------------------------------------------------


def _first_round(people: People, current: Round) -> tuple[list[dict[str, Any]], Round | None]:
    """A page of all users, and where the next one begins, None when there is none."""
    page: list[dict[str, Any]] = []
    last = current.place
    for place, user in _all_users(people, current):
        if len(page) == PAGE_SIZE:
            return page, replace(current, place=last)
        page.append(_show(people, user, current, None, minimal=False))
        last = place
    return page, None


def _all_users(people: People, current: Round) -> Iterator[tuple[int, dict[str, Any]]]:
    if current.ids is None:
        return people.after(-1 if current.place is None else current.place)
    found = (people.find(user_id) for user_id in dict.fromkeys(current.ids))
    return enumerate(user for user in found if user is not None and user["id"] in current.ids)


def _changes(call: Call, current: Round, *, minimal: bool) -> tuple[list[dict[str, Any]], Round | None]:
    """A page of the users that changed, each at its latest change, and where the next page begins."""
    people = call.tenant.people
    page: list[dict[str, Any]] = []
    for number in range(current.seen + 1, people.revision + 1):
        user_id = people.changes[number - 1].user_id
        if people.latest[user_id] != number or not current.wants(user_id):
            continue
        shown = _show_change(call, user_id, current, minimal=minimal)
        if shown is None:
            continue
        if len(page) == PAGE_SIZE:
            return page, replace(current, seen=number - 1)
        page.append(shown)
    return page, None


def _show_change(call: Call, user_id: str, current: Round, *, minimal: bool) -> dict[str, Any] | None:
    """A user that changed; None when nothing the client tracks did."""
    people = call.tenant.people
    user = people.find(user_id)
    if user is None:
        reason = "changed" if user_id in call.tenant.deleted else "deleted"
        return {"id": user_id, "@removed": {"reason": reason}}
    changed = people.changed_since(user_id, current.since)
    if changed is not None and current.select is not None:
        tracked = {*current.select, "manager"} if current.manager else set(current.select)
        if changed.isdisjoint(tracked):
            return None
    return _show(people, user, current, changed, minimal=minimal)


def _show(
    people: People, user: dict[str, Any], current: Round, changed: frozenset[str] | None, *, minimal: bool
) -> dict[str, Any]:
    """A user: what never was set is left out, what was emptied is null.

    Args:
        changed: what changed since the round began; None when all of it counts as new.
        minimal: leave out what has not changed.
    """
    only = changed if minimal else None
    shown = {
        name: user[name] for name in current.shown if name in user and (name == "id" or only is None or name in only)
    }
    if current.manager and (changed is None or "manager" in changed):
        shown |= _manager(people, user, current)
    return shown


def _manager(people: People, user: dict[str, Any], current: Round) -> dict[str, Any]:
    """The relationship as ``manager@delta``, with ``@removed`` when it was taken away."""
    person, now = {"@odata.type": "#microsoft.graph.user"}, user.get("manager")
    if now is not None:
        return {"manager@delta": [person | {"id": now}]}
    before = people.manager_at(user["id"], current.since)
    return {"manager@delta": [person | {"id": before, "@removed": {"reason": "deleted"}}]} if before else {}
