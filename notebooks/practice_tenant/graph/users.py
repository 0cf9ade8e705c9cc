"""Users as Microsoft Graph serves them: lists, pages, single users, counts, managers.

Sources: graph docs user-list.md, user-get.md, user-list-manager.md, paging.md; recorded answers for the order of keys.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..directory.people import People, identities
from ..errors import GraphError
from ..formats import decode_base64url
from ..messages import Answer, compact
from ..odata.links import SERVICE_ROOT, context_url, next_link
from ..odata.properties import USERS
from ..odata.query import Query, parse_query
from .call import Call
from .permissions import READ_AUDIT_LOG

DEFAULT = USERS.default  # in the recorded order: id comes last
NEVER = "0001-01-01T00:00:00Z"

_TOKEN_MARK = b"DSpt\x02\x00\x01\x00\x00\x00"  # Graph's own tokens begin with these bytes, base64 RFNwdAIAAQAAAA
_TOKEN_KEY = secrets.token_bytes(32)


def list_users(call: Call) -> Answer:
    """``GET /users``: one page."""
    query = parse_query(call.request.query, USERS, eventual=call.eventual)
    require_audit_log(call, query)
    people = call.tenant.people
    start = -1 if query.skiptoken is None else read_skiptoken(query)
    page, last = [], start
    matching = _matching(people, query, start)
    for last, user in matching:  # noqa: B007 - the place of the last user is needed after the loop
        page.append(user)
        if len(page) == query.page_size:
            break
    parts = [f'"@odata.context":{_json(context_url(SERVICE_ROOT, USERS, query))}'.encode()]
    if query.count and query.skiptoken is None:
        parts.append(f'"@odata.count":{_count(people, query)}'.encode())
    if next(matching, None) is not None:
        link = next_link(f"{call.base}/users", query, write_skiptoken(query, last))
        parts.append(f'"@odata.nextLink":{_json(link)}'.encode())
    shown = _rendered(people, page, query)
    parts.append(b'"value":[' + b",".join(shown) + b"]")
    return Answer(body=b"{" + b",".join(parts) + b"}")


def count_users(call: Call) -> Answer:
    """``GET /users/$count``: the bare number, as text."""
    query = parse_query(call.request.query, USERS, eventual=call.eventual, count_segment=True)
    if not call.eventual:
        raise GraphError(400, "Request_BadRequest", "$count is not currently supported.")
    require_audit_log(call, query)
    number = str(_count(call.tenant.people, query)).encode()
    return Answer(headers={"Content-Type": "text/plain"}, body=number)


def get_user(call: Call) -> Answer:
    """``GET /users/{id or userPrincipalName}``."""
    query = parse_query(call.request.query, USERS, eventual=call.eventual, single=True)
    require_audit_log(call, query)
    user = find_user(call, call.keys[0])
    context = {"@odata.context": context_url(SERVICE_ROOT, USERS, query, single=True)}
    return Answer(body=compact(context | shape(user, query.returned) | _expanded(call.tenant.people, user, query)))


def get_me(call: Call) -> Answer:
    """``GET /me``: the person who signed in."""
    call.keys = [call.claims["oid"]]
    return get_user(call)


def get_my_manager(call: Call) -> Answer:
    """``GET /me/manager``."""
    call.keys = [call.claims["oid"]]
    return get_manager(call)


def get_manager(call: Call) -> Answer:
    """``GET /users/{key}/manager``. A directoryObject collection's member says which type it is."""
    query = parse_query(call.request.query, USERS, eventual=call.eventual, single=True)
    user = find_user(call, call.keys[0])
    manager = call.tenant.people.find(user.get("manager", ""))
    if manager is None:
        # The body for a user without a manager is not sourced: the text for a missing object is chosen.
        raise GraphError(404, "Request_ResourceNotFound", _missing("manager"))
    context = {
        "@odata.context": f"{SERVICE_ROOT}/$metadata#directoryObjects/$entity",
        "@odata.type": "#microsoft.graph.user",
    }
    return Answer(body=compact(context | shape(manager, query.returned)))


def find_user(call: Call, key: str) -> dict[str, Any]:
    """The user a path names by id, by userPrincipalName or by ``userPrincipalName='…'``.

    Raises:
        GraphError: 404 ``Request_ResourceNotFound``.
    """
    key = key.removeprefix("userPrincipalName='").removesuffix("'") if key.startswith("userPrincipalName='") else key
    user = call.tenant.people.find(key)
    if user is None:
        raise GraphError(404, "Request_ResourceNotFound", _missing(key))
    return user


def shape(user: Mapping[str, Any], names: tuple[str, ...] | None) -> dict[str, Any]:
    """A stored user as Graph shows it: the selected properties, or the default eleven; null and [] put back."""
    shown = {name: user.get(name, EMPTY.get(name)) for name in names or DEFAULT if name in user or name in EMPTY}
    if "identities" in shown:
        shown["identities"] = identities(user)
    return shown


# What stands for "nothing" when a stored user leaves a property out: collections are empty, nearly all else is null.
EMPTY = {name: [] if USERS.table[name.lower()].many else None for name in USERS.names.values()}
# Nobody has signed in here, and who never has, has none of this (resources/signinactivity.md); an extension that is
# not set is left out, too (user-list.md, example 10).
del EMPTY["signInActivity"]
# The metadata does not let these be null. Chosen, not sourced: what "never" looks like elsewhere, and the smaller of
# the two documented limits.
EMPTY |= {"birthday": NEVER, "hireDate": NEVER, "deviceEnrollmentLimit": 5}


def require_audit_log(call: Call, query: Query) -> None:
    """Refuse a query about sign-ins to a caller who may not read the audit log.

    Raises:
        GraphError: 403; code and text are recorded (microsoft-graph-explorer-v4#2731).
    """
    if query.sign_in and not call.holds(READ_AUDIT_LOG, READ_AUDIT_LOG):
        text = f"Calling principal does not have required MSGraph permissions {READ_AUDIT_LOG[0]}"
        raise GraphError(403, "Authentication_MSGraphPermissionMissing", text)


# --- pages --------------------------------------------------------------------------------------------------


def _matching(people: People, query: Query, start: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """(position, user) for all users beyond `start` that the query lets through, in the query's order.

    A position is the user's place, with $orderby the user's number among those found.
    """
    if query.condition is None and not query.order_by:
        return people.after(start)
    found = _found(people, query)
    if query.order_by:
        return ((number, people.at(found[number])) for number in range(start + 1, len(found)))
    return ((place, people.at(place)) for place in islice(found, bisect_right(found, start), None))


def _count(people: People, query: Query) -> int:
    return len(people) if query.condition is None else len(_found(people, query))


def _found(people: People, query: Query) -> Sequence[int]:
    return people.search(query)


def _rendered(people: People, page: list[dict[str, Any]], query: Query) -> list[bytes]:
    if query.expand_manager is not None:
        return [compact(shape(user, query.returned) | _expanded(people, user, query)) for user in page]
    if query.returned is None:
        return [people.prepared(user, _default_bytes) for user in page]
    return [compact([shape(user, query.returned) for user in page])[1:-1]] if page else []


def _default_bytes(user: dict[str, Any]) -> bytes:
    return compact(shape(user, None))


def _expanded(people: People, user: dict[str, Any], query: Query) -> dict[str, Any]:
    """``$expand=manager``: the manager inside the user; with $levels the chain above as well.

    The chain ends with an object that has no ``manager`` key.
    """
    asked = query.expand_manager
    shown: dict[str, Any] = {}
    innermost, left = shown, -1 if asked is None else asked.levels or len(people)
    while left > 0 and (manager := people.find(user.get("manager", ""))) is not None:
        innermost["manager"] = {"@odata.type": "#microsoft.graph.user"} | shape(manager, asked.select)
        innermost, user, left = innermost["manager"], manager, left - 1
    return shown


def _missing(key: str) -> str:
    return f"Resource '{key[:200]}' does not exist or one of its queried reference-property objects are not present."


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


# --- page tokens ------------------------------------------------------------------------------------------------


def write_skiptoken(query: Query, position: int) -> str:
    """An opaque page token: where the page ended, and a seal that ties it to this very query."""
    number = position.to_bytes(8, "big")
    return base64.urlsafe_b64encode(_TOKEN_MARK + number + _seal(query, number)).decode("ascii").rstrip("=")


def read_skiptoken(query: Query) -> int:
    """Where the page before ended.

    Raises:
        GraphError: 400 when the token is damaged or another query's (text chosen, not sourced).
    """
    try:
        data = decode_base64url(query.skiptoken)
    except ValueError:
        data = b""
    number, seal = data[len(_TOKEN_MARK) : len(_TOKEN_MARK) + 8], data[len(_TOKEN_MARK) + 8 :]
    if not data.startswith(_TOKEN_MARK) or not hmac.compare_digest(seal, _seal(query, number)):
        raise GraphError(400, "Request_BadRequest", "Invalid Skip Token")
    return int.from_bytes(number, "big")


def _seal(query: Query, number: bytes) -> bytes:
    """Depends on everything that decides which users come in which order, but not on $top or $select."""
    return hmac.new(_TOKEN_KEY, number + compact(query.deciding), hashlib.sha256).digest()[:16]
