"""What graph.microsoft.com does first: who is calling, what for, and in which form the answer goes back.

The resources themselves are in modules of their own; `routes` lists everything that is played.
Sources: graph docs errors.md, resolve-auth-errors.md, json-batching.md; recorded answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import unquote

from ..directory.tenant import Tenant
from ..errors import GraphError, denied
from ..messages import Answer, Request
from ..signing import SigningKey
from .bearer import verify_token
from .call import Call
from .directory_roles import manages_every_app
from .envelope import ODATA_JSON, RESOURCE_UNIT, answer_headers, refuse
from .routes import Route, walk
from .throttling import Limits, cost


def answer(
    request: Request,
    tenant: Tenant,
    key: SigningKey,
    limits: Limits,
    answer_step: Callable[[Request], Answer] | None = None,
) -> Answer:
    """Answer one request to Microsoft Graph.

    Args:
        request: path ``/v1.0/…``.
        tenant: the practice tenant.
        key: the key that good tokens are signed with.
        limits: counts resource units and throttles when that is switched on.
        answer_step: answers the steps of a batch; None for this very function.

    Returns:
        Answer: the resource, or the recorded error in Graph's envelope.
    """
    headers = answer_headers(request)
    try:
        step = answer_step or partial(answer, tenant=tenant, key=key, limits=limits)
        call = _admit(request, tenant, key, headers["request-id"], step)
        given = _perform(call, limits)
    except GraphError as error:
        return refuse(request, tenant, error, headers)
    if not given.body:
        del headers["Vary"]  # as recorded: a 204 has neither
    else:
        headers = {"Content-Type": ODATA_JSON, "OData-Version": "4.0"} | headers
    return Answer(given.status, headers | given.headers, given.body, afterwards=given.afterwards)


def _admit(
    request: Request, tenant: Tenant, key: SigningKey, request_id: str, answer_step: Callable[[Request], Answer]
) -> Call:
    """Who is calling: a good token, of a service principal that still is there."""
    claims = verify_token(
        request.headers.get("authorization"),
        key=key,
        tenant_id=tenant.id,
        audiences=tenant.graph_audiences,
        now=tenant.now(),
    )
    call = Call(request, tenant, claims, request_id, answer_step)
    if not call.is_delegated and tenant.service_principal(claims["appid"]) is None:
        text = "The identity of the calling application could not be established."
        raise GraphError(401, "Authorization_IdentityNotFound", text)
    return call


def _perform(call: Call, limits: Limits) -> Answer:
    """Find the operation, ask for its permission, take its resource units, do it."""
    request, tenant = call.request, call.tenant
    route, call.keys = _find_route(call, _without_alias(segments(request.path)[1:]))
    call.template = route.path
    units = cost(request.method, route.path, request.query)
    writes = request.method != "GET"
    try:
        call.only_owned = _authorize(route, call)
        if not route.metered:
            return route.handler(call)
        limits.spend(call.claims["appid"], tenant.id, units, writes=writes, people=len(tenant.people))
        given = route.handler(call)
    except GraphError as error:
        # Recorded for 403 (azure-cli, test_app_credential.yaml), documented for 405 (json-batching.md). Chosen, not
        # sourced: for 404 too, and for no other refusal.
        if error.status in (403, 404):
            error.headers.setdefault(RESOURCE_UNIT, str(units))
        raise
    given.headers.setdefault(RESOURCE_UNIT, str(units))
    return given


def _find_route(call: Call, path: list[str]) -> tuple[Route, list[str]]:
    if path and path[0].lower() == "me" and not call.is_delegated:
        raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    way = walk(path)
    route = way.place.routes.get(call.request.method)
    if way.unknown is None and route is not None:
        return route, way.keys
    # `user` is an open type: what comes behind one could be a property of it, and only GET goes there. A POST to an
    # action that v1.0 does not have is therefore a 405 (json-batching.md, step 4 of its example).
    is_below_a_user = (
        len(path) == 3
        and path[0].lower() == "users"
        and call.request.method != "GET"
        and path[2].lower() not in _ABSENT_ACTIONS
    )
    if (way.unknown is None and way.place.routes) or is_below_a_user:
        text = "Specified HTTP method is not allowed for the request target."
        raise GraphError(405, "Request_BadRequest", text, {RESOURCE_UNIT: "1"})
    unknown = way.unknown or (path[-1] if path else "")
    raise GraphError(400, "BadRequest", f"Resource not found for the segment '{unknown[:100]}'.")


def _without_alias(path: list[str]) -> list[str]:
    """``/v1.0/myorganization/users`` is ``/v1.0/users``: CLI for Microsoft 365 writes it so."""
    return path[1:] if path and path[0].lower() == "myorganization" else path


def _authorize(route: Route, call: Call) -> bool:
    """Refuse a caller without permission; True when it may only touch what it owns.

    Delegated permissions stand in `scp`, application permissions in `roles`; one that suffices is enough. A person who
    has the scope but no directory role for applications is held to what that person owns.
    """
    if route.roles is None or call.holds(route.roles, route.scopes):
        return bool(route.for_owner) and not manages_every_app(call)
    if call.holds(route.for_owner, ()):
        return True
    raise denied()


# Actions that v1.0 has and the practice tenant does not play.
_ABSENT_ACTIONS = frozenset(
    ["getmembergroups", "getmemberobjects", "checkmembergroups", "checkmemberobjects", "revokesigninsessions"]
)
_OWN_SEGMENTS = frozenset(["$batch", "$count", "$ref"])
_CALLED = re.compile(r"([\w.$]+)\((?:(\w+)=)?(?:'((?:[^']|'')*)'|([\w-]*))\)", re.ASCII)


def _bare(name: str) -> str:
    """A type or function without its namespace; ``graph`` is the published alias of ``microsoft.graph``."""
    return name.removeprefix("microsoft.").removeprefix("graph.") if "graph." in name else name


def segments(path: str) -> list[str]:
    """A path's segments, decoded, with keys in brackets as segments of their own.

    ``/v1.0/users('a')`` and ``/v1.0/users/a`` are the same; an alternate key keeps its name:
    ``applications(appId='x')`` becomes ``applications``, ``appId='x'``. ``microsoft.graph.delta()`` is ``delta``.

    Raises:
        GraphError: 400 for a segment with a dollar sign that is none of OData's own: a user whose name begins with one
            stands in brackets (user-get.md; the text is chosen, not sourced).
    """
    found = []
    for raw in path.strip("/").split("/"):
        text = unquote(raw)
        if text.startswith("$") and text.lower() not in _OWN_SEGMENTS:
            raise GraphError(400, "BadRequest", f"Resource not found for the segment '{text[:100]}'.")
        called = _CALLED.fullmatch(text)
        name, alternate, quoted, plain = called.groups() if called else (text, None, None, None)
        found.append(_bare(name))
        value = quoted.replace("''", "'") if quoted is not None else plain
        if value:
            found.append(f"{alternate}='{value}'" if alternate else value)
    return found
