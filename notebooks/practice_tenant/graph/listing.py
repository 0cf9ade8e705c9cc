"""Lists of applications, service principals and the like: one page, as the query options ask for it.

Users have a module of their own, because there may be a hundred thousand of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from ..errors import GraphError
from ..messages import Answer, compact
from ..odata.compare import order
from ..odata.links import context_url, next_link
from ..odata.properties import Collection
from ..odata.query import Query, parse_query
from .call import Call
from .page_tokens import read_page_token, write_page_token
from .permissions import READ_AUDIT_LOG

Object = dict[str, Any]
Show = Callable[[Object, tuple[str, ...] | None], Object]


def list_objects(
    call: Call,
    collection: Collection,
    objects: Iterable[tuple[int, Object]],
    show: Show,
    *,
    path: str,
    context: str | None = None,
) -> Answer:
    """One page of a collection.

    Args:
        objects: all of them with their places, in the order of the places.
        show: makes of an object and the selected names (None: all) what the client sees.
        path: the collection's path below the version, for the link to the next page.
        context: what the ``@odata.context`` names when that is not the collection itself.
    """
    query = parse_query(call.request.query, collection, eventual=call.eventual)
    require_audit_log(call, query)
    start = read_page_token(call.tenant.page_tokens, path, query)
    found = [(place, item) for place, item in objects if query.where is None or query.where(item)]
    if query.order_by:
        found = list(enumerate(order([item for _, item in found], query.order_by)))
    rest = ((place, item) for place, item in found if place > start)
    page = list(islice(rest, query.page_size))
    body: Object = {"@odata.context": _context(collection, query, context)}
    if query.count and query.skiptoken is None:
        body["@odata.count"] = len(found)
    if next(rest, None) is not None:
        last_place, _ = page[-1]
        token = write_page_token(call.tenant.page_tokens, path, query, last_place)
        body["@odata.nextLink"] = next_link(f"{call.base}/{path}", query, token)
    body["value"] = [_shown(collection, show, item, query.select) for _, item in page]
    return Answer(body=compact(body))


def count_objects(call: Call, collection: Collection, objects: Iterable[Object]) -> Answer:
    """``…/$count``: the bare number, as text."""
    query = parse_query(call.request.query, collection, eventual=call.eventual, count_segment=True)
    number = sum(1 for item in objects if query.where is None or query.where(item))
    return Answer(headers={"Content-Type": "text/plain"}, body=str(number).encode())


def one_object(call: Call, collection: Collection, item: Object, show: Show) -> Answer:
    """A single object of a collection."""
    query = parse_query(call.request.query, collection, eventual=call.eventual, single=True)
    context = {"@odata.context": context_url(collection, query, single=True)}
    return Answer(body=compact(context | _shown(collection, show, item, query.select)))


def require_audit_log(call: Call, query: Query) -> None:
    """Refuse a query about sign-ins to a caller who may not read the audit log.

    Raises:
        GraphError: 403; code and text are recorded (microsoft-graph-explorer-v4#2731).
    """
    if query.sign_in and not call.holds(READ_AUDIT_LOG, READ_AUDIT_LOG):
        text = f"Calling principal does not have required MSGraph permissions {READ_AUDIT_LOG[0]}"
        raise GraphError(403, "Authentication_MSGraphPermissionMissing", text)


def created(call: Call, body: Object, kind: str) -> Answer:
    """201 with the new object. The Location is the recorded one: an address of old that no client can use.

    Args:
        kind: e.g. ``Application``, as the directory's own types are called.
    """
    place = f"https://graph.microsoft.com/v2/{call.tenant.id}/directoryObjects/{body['id']}"
    return Answer(201, {"Location": f"{place}/Microsoft.DirectoryServices.{kind}"}, compact(body))


def _shown(collection: Collection, show: Show, item: Object, names: tuple[str, ...] | None) -> Object:
    """An object as `show` makes it. Selected names that the collection does not know are left out."""
    if names is None:
        return show(item, None)
    known = tuple(name for name in names if collection.canonical(name))
    return show(item, known) if known else {}


def _context(collection: Collection, query: Query, context: str | None) -> str:
    plain = context_url(collection, query)
    return plain.replace(f"#{collection.name}", f"#{context}", 1) if context else plain
