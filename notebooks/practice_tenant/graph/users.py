"""Users as Microsoft Graph serves them: lists, pages, single users, counts, managers.

Sources: graph docs user-list.md, user-get.md, user-list-manager.md, paging.md; recorded answers for the order of keys.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import islice
from json.encoder import encode_basestring as json_string
from typing import Any

from ..directory.people import People, identities
from ..errors import not_found
from ..messages import Answer, compact
from ..odata.links import context_url, entity_context, next_link
from ..odata.properties import USERS
from ..odata.query import Expand, Query, parse_query
from .call import Call
from .entities import alternate_key
from .listing import require_audit_log
from .page_tokens import read_page_token, write_page_token

User = dict[str, Any]

DEFAULT = USERS.default  # in the recorded order: id comes last
NEVER = "0001-01-01T00:00:00Z"
MOST_LEVELS = 1_000  # managers above a user that one answer shows: the largest $levels (user-list-manager.md)


def list_users(call: Call) -> Answer:
    """``GET /users``: one page."""
    query = parse_query(call.request.query, USERS, eventual=call.eventual)
    require_audit_log(call, query)
    people, tokens = call.tenant.people, call.tenant.page_tokens
    start = read_page_token(tokens, "users", query)
    matching = _matching(people, query, start)
    page = list(islice(matching, query.page_size))
    head: dict[str, Any] = {"@odata.context": context_url(USERS, query)}
    if query.count and query.skiptoken is None:
        head["@odata.count"] = _count(people, query)
    following = list(islice(matching, query.page_size))
    afterwards = None
    if following:
        last_place, _ = page[-1]
        afterwards = partial(people.prepare, [user for _, user in following], query.returned, _in_json, people.revision)
        head["@odata.nextLink"] = next_link(
            f"{call.base}/users", query, write_page_token(tokens, "users", query, last_place)
        )
    users = b",".join(_listed(people, [user for _, user in page], query))
    return Answer(body=compact(head)[:-1] + b',"value":[' + users + b"]}", afterwards=afterwards)


def count_users(call: Call) -> Answer:
    """``GET /users/$count``: the bare number, as text."""
    query = parse_query(call.request.query, USERS, eventual=call.eventual, count_segment=True)
    require_audit_log(call, query)
    number = str(_count(call.tenant.people, query)).encode()
    return Answer(headers={"Content-Type": "text/plain"}, body=number)


def get_user(call: Call) -> Answer:
    """``GET /users/{id or userPrincipalName}``."""
    query = parse_query(call.request.query, USERS, eventual=call.eventual, single=True)
    require_audit_log(call, query)
    user = find_user(call, call.keys[0])
    shown = compact({"@odata.context": context_url(USERS, query, single=True)} | shape(user, query.returned))
    return Answer(body=_with_managers(shown, call.tenant.people, user, query.expand_manager))


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
    require_audit_log(call, query)
    user = find_user(call, call.keys[0])
    manager = call.tenant.people.find(user.get("manager", ""))
    if manager is None:
        # The body for a user without a manager is not sourced: the text for a missing object is chosen.
        raise not_found("manager")
    context = {"@odata.context": entity_context("directoryObjects"), "@odata.type": "#microsoft.graph.user"}
    return Answer(body=compact(context | shape(manager, query.returned)))


def find_user(call: Call, key: str) -> dict[str, Any]:
    """The user a path names by id, by userPrincipalName or by ``userPrincipalName='…'``.

    Raises:
        GraphError: 404 ``Request_ResourceNotFound``.
    """
    name = alternate_key(key, "userPrincipalName")
    wanted = key if name is None else name
    user = call.tenant.people.find(wanted)
    if user is None:
        raise not_found(wanted)
    return user


# --- how a user is shown ------------------------------------------------------------------------------------


def shape(user: User, names: tuple[str, ...] | None) -> dict[str, Any]:
    """A stored user as Graph shows it: the selected properties, or the default eleven; null and [] put back."""
    shown = {name: user.get(name, EMPTY.get(name)) for name in names or DEFAULT if name in user or name in EMPTY}
    if "identities" in shown:
        shown["identities"] = identities(user)
    return shown


# What is shown when a stored user leaves a property out: collections are empty, nearly all else is null.
EMPTY: dict[str, Any] = {name: [] if USERS.table[name.lower()].many else None for name in USERS.names.values()}
# Who never signed in has none of this (resources/signinactivity.md), and an extension that is not set is left out as
# well (user-list.md, example 10).
del EMPTY["signInActivity"]
# The metadata does not let these be null. Chosen, not sourced: what "never" looks like elsewhere, and the smaller of
# the two documented limits.
EMPTY |= {"birthday": NEVER, "hireDate": NEVER, "deviceEnrollmentLimit": 5}


def _listed(people: People, users: list[User], query: Query) -> list[bytes]:
    """Users as a list shows them, each in JSON."""
    shown = people.prepared(users, query.returned, _in_json)
    if query.expand_manager is None:
        return shown
    return [_with_managers(text, people, user, query.expand_manager) for text, user in zip(shown, users, strict=True)]


def _in_json(users: list[User], names: tuple[str, ...] | None) -> list[bytes]:
    """`shape` of each user in JSON.

    A page has thousands of values, so what is between them is written once, and the values property by property.
    """
    template = _template(names or DEFAULT)
    if template is None:
        return [compact(shape(user, names)) for user in users]
    columns = [_column_in_json(users, name) for name in names or DEFAULT]
    return [(template % row).encode("utf-8") for row in zip(*columns, strict=True)]


@lru_cache(maxsize=64)
def _template(names: tuple[str, ...]) -> str | None:
    """``{"city":%s,"id":%s}``; None when one of the properties may be left out or is worked out."""
    if any(name not in EMPTY or name == "identities" for name in names):
        return None
    return "{" + ",".join(f'"{name}":%s' for name in names) + "}"


def _column_in_json(users: list[User], name: str) -> list[str]:
    """One property of each user in JSON; nearly all of them are text, null, true or false."""
    empty = EMPTY[name]
    values = [user.get(name, empty) for user in users]
    return [json_string(value) if type(value) is str else _json_value(value) for value in values]


def _json_value(value: Any) -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    return compact(value).decode("utf-8")


def _with_managers(shown: bytes, people: People, user: User, asked: Expand | None) -> bytes:
    """``$expand=manager``: the manager inside the user; with $levels the chain above as well.

    The chain ends with an object that has no ``manager`` key, or where it would come back to somebody it has shown
    (chosen, not sourced). Each is put into the one before as text: a thousand levels are more than a recursive writer
    can go.
    """
    if asked is None:
        return shown
    objects, seen = [shown], set()
    manager = people.find(user.get("manager", ""))
    while manager is not None and manager["id"] not in seen and len(objects) <= (asked.levels or MOST_LEVELS):
        objects.append(compact({"@odata.type": "#microsoft.graph.user"} | shape(manager, asked.select)))
        seen.add(manager["id"])
        manager = people.find(manager.get("manager", ""))
    opened = b',"manager":'.join(shown_object[:-1] for shown_object in objects)
    return opened + b"}" * len(objects)


# --- pages --------------------------------------------------------------------------------------------------


def _matching(people: People, query: Query, start: int) -> Iterator[tuple[int, User]]:
    """(position, user) for all users beyond `start` that the query lets through, in the query's order.

    A position is the user's place, with $orderby the user's number among those found.
    """
    if query.condition is None and not query.order_by:
        return people.after(start)
    found = people.search(query)
    if query.order_by:
        return ((number, people.at(found[number])) for number in range(start + 1, len(found)))
    return ((place, people.at(place)) for place in islice(found, bisect_right(found, start), None))


def _count(people: People, query: Query) -> int:
    return len(people) if query.condition is None else len(people.search(query))
