"""What graph.microsoft.com does first: who is calling, what for, and in which form the answer goes back.

The resources themselves stand in modules of their own; `routes` lists everything that is played.
Sources: graph docs errors.md, resolve-auth-errors.md, json-batching.md; recorded answers.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any
from urllib.parse import unquote

from .directory import Tenant
from .errors import GraphError
from .messages import Answer, Request, compact
from .payload import denied, read_json
from .routes import ROUTES, Route
from .throttling import Limits, cost
from .tokens import SigningKey, verify_token

VERSION = "v1.0"
RESOURCE_UNIT = "x-ms-resource-unit"
JSON = "application/json"
ODATA_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
DIAGNOSTIC = compact({"ServerInfo": {"DataCenter": "Practice", "Slice": "E", "Ring": "0", "ScaleUnit": "000",
                                     "RoleInstance": "PRACTICE0001"}}).decode()  # fmt: skip


@dataclass
class Call:
    """One authorised call: the request, whom it comes from, and the parts of its path.

    Args:
        claims: the access token's.
        request_id: Graph's own id for the request, as it stands in the answer's header.
        template: the route's path.
        keys: what stands for the braces in it.
        only_owned: the caller may write nothing but the applications it owns (Application.ReadWrite.OwnedBy).
        answer_step: answers a step of a batch as if it had come alone.
    """

    request: Request
    tenant: Tenant
    claims: dict[str, Any]
    request_id: str
    template: str = ""
    keys: list[str] = field(default_factory=list)
    only_owned: bool = False
    answer_step: Callable[[Request], Answer] | None = None

    @property
    def is_delegated(self) -> bool:
        """Whether a signed-in user calls through an app, not the app for itself."""
        return "scp" in self.claims

    def holds(self, roles: tuple[str, ...], scopes: tuple[str, ...]) -> bool:
        """Whether the caller has any one of the application or of the delegated permissions, whichever count for it."""
        held = self.claims["scp"].split() if self.is_delegated else self.claims.get("roles", [])
        return not set(held).isdisjoint(scopes if self.is_delegated else roles)

    @property
    def eventual(self) -> bool:
        """Whether the header ``ConsistencyLevel: eventual`` was sent, in any case."""
        return self.request.headers.get("consistencylevel", "").strip().lower() == "eventual"

    @cached_property
    def base(self) -> str:
        """The address that links in the answer start with."""
        return f"{self.request.origin}/{VERSION}"

    def json(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            GraphError: 400 when it is not one (text chosen, not sourced).
        """
        try:
            value = read_json(self.request.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise GraphError(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type "
                             "header is set and payload is of valid JSON format.")  # fmt: skip
        return value


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
    headers = _headers(request)
    try:
        call = _admit(request, tenant, key, headers["request-id"])
        call.answer_step = answer_step or partial(answer, tenant=tenant, key=key, limits=limits)
        given = _perform(call, limits)
    except GraphError as error:
        return refuse(request, tenant, error, headers)
    if not given.body:
        del headers["Vary"]  # as recorded: a 204 has neither
    else:
        headers = {"Content-Type": ODATA_JSON, "OData-Version": "4.0"} | headers
    return Answer(given.status, headers | given.headers, given.body)


def refuse(request: Request | None, tenant: Tenant, error: GraphError, headers: dict[str, str] | None = None) -> Answer:
    """A refusal in Graph's error envelope."""
    headers = headers or _headers(request)
    body = compact(error_body(error, tenant.now(), headers["request-id"], headers["client-request-id"]))
    return Answer(error.status, {"Content-Type": JSON} | headers | error.headers, body)


def _headers(request: Request | None) -> dict[str, str]:
    """What every answer carries. Without a client-request-id from the client the two ids are equal."""
    request_id = request.envelope_id if request and request.envelope_id else str(uuid.uuid4())
    sent = re.sub(r"[^\x21-\x7e]", "", request.headers.get("client-request-id", ""))[:100] if request else ""
    return {
        "Cache-Control": "no-cache",
        "request-id": request_id,
        "client-request-id": sent or request_id,
        "Strict-Transport-Security": "max-age=31536000",
        "Vary": "Accept-Encoding",
        "x-ms-ags-diagnostic": DIAGNOSTIC,
    }


def error_body(error: GraphError, now: float, request_id: str, client_request_id: str) -> dict[str, Any]:
    """Graph's error envelope; the date is UTC in whole seconds and has no Z. 429 has a shape of its own."""
    date = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S}"
    if error.status == 429:
        inner = {
            "code": "429",
            "date": date,
            "message": "Please retry after",
            "request-id": request_id,
            "status": "429",
        }
        return {"error": {"code": error.code, "innerError": inner, "message": error.message}}
    inner = {"date": date, "request-id": request_id, "client-request-id": client_request_id}
    details = [{"code": code, "message": error.message, "target": target} for code, target in error.details]
    finer = {"details": details} if details else {}
    return {"error": {"code": error.code, "message": error.message, **finer, "innerError": inner}}


def _admit(request: Request, tenant: Tenant, key: SigningKey, request_id: str) -> Call:
    """Who is calling: a good token, of a service principal that still is there."""
    claims = verify_token(
        request.headers.get("authorization"),
        key=key,
        tenant_id=tenant.id,
        audiences=tenant.graph_audiences,
        now=tenant.now(),
    )
    call = Call(request, tenant, claims, request_id)
    if not call.is_delegated and tenant.service_principal(claims["appid"]) is None:
        text = "The identity of the calling application could not be established."
        raise GraphError(401, "Authorization_IdentityNotFound", text)
    return call


def _perform(call: Call, limits: Limits) -> Answer:
    """Find the operation, ask for its permission, take its resource units, do it."""
    request, tenant = call.request, call.tenant
    route, call.keys = _find_route(call, segments(request.path)[1:])
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
    fits = [(route, keys) for route in ROUTES if (keys := route.match(path)) is not None]
    for route, keys in fits:
        if route.method == call.request.method:
            return route, keys
    # `user` is an open type: what stands behind one could be a property of it, and only GET goes there. A POST to an
    # action that v1.0 does not have is therefore a 405 (json-batching.md, step 4 of its example).
    is_below_a_user = len(path) == 3 and path[0].lower() == "users" and call.request.method != "GET"
    if fits or is_below_a_user:
        text = "Specified HTTP method is not allowed for the request target."
        raise GraphError(405, "Request_BadRequest", text, {RESOURCE_UNIT: "1"})
    raise GraphError(400, "BadRequest", f"Resource not found for the segment '{_unknown_segment(path)[:100]}'.")


def _unknown_segment(path: list[str]) -> str:
    """The first segment no route goes on with."""
    for length in range(1, len(path) + 1):
        if not any(route.begins(path[:length]) for route in ROUTES):
            return path[length - 1]
    return path[-1] if path else ""


def _authorize(route: Route, call: Call) -> bool:
    """Refuse a caller without permission; True when it may only touch what it owns.

    Delegated permissions stand in `scp`, application permissions in `roles`; one that suffices is enough.
    """
    if route.roles is None or call.holds(route.roles, route.scopes):
        return False
    if call.holds(route.for_owner, ()):
        return True
    raise denied()


_OWN_SEGMENTS = frozenset(["$batch", "$count", "$ref"])
_CALLED = re.compile(r"([\w.$]+)\((?:(\w+)=)?(?:'((?:[^']|'')*)'|([\w-]*))\)", re.ASCII)


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
        found.append(name.removeprefix("microsoft.graph."))
        value = quoted.replace("''", "'") if quoted is not None else plain
        if value:
            found.append(f"{alternate}='{value}'" if alternate else value)
    return found
