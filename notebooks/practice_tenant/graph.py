"""What graph.microsoft.com does first: who is calling, what for, and in which form the answer goes back.

The resources themselves stand in modules of their own; `ROUTES` below is the list of everything that is played.
Sources: graph docs errors.md, resolve-auth-errors.md, json-batching.md; recorded answers.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from . import users
from .directory import Tenant
from .errors import GraphError
from .messages import Answer, Request, compact
from .throttling import Limits, cost
from .tokens import SigningKey, verify_token

VERSION = "v1.0"
JSON = "application/json"
ODATA_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
DIAGNOSTIC = compact({"ServerInfo": {"DataCenter": "Practice", "Slice": "E", "Ring": "0", "ScaleUnit": "000",
                                     "RoleInstance": "PRACTICE0001"}}).decode()  # fmt: skip


@dataclass
class Call:
    """One authorised call: the request, whom it comes from, and the parts of its path."""

    request: Request
    tenant: Tenant
    claims: dict[str, Any]
    keys: list[str] = field(default_factory=list)

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
            value = json.loads(self.request.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise GraphError(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type "
                             "header is set and payload is of valid JSON format.")  # fmt: skip
        return value


@dataclass(frozen=True)
class Route:
    """One operation: method, path template, what it does, and any one of these permissions is needed for it."""

    method: str
    path: str
    handler: Callable[[Call], Answer]
    roles: tuple[str, ...]  # application permissions, in the token's `roles`
    scopes: tuple[str, ...] = ()  # delegated permissions, in the token's `scp`

    def match(self, segments: list[str]) -> list[str] | None:
        """The values of the template's braces when the path fits, else None. Names compare without case."""
        wanted = self.path.split("/")
        if len(wanted) != len(segments):
            return None
        values = []
        for name, segment in zip(wanted, segments, strict=True):
            if name == "{key}":
                values.append(segment)
            elif name.lower() != segment.lower():
                return None
        return values


READ_USERS = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")

ROUTES = (
    Route("GET", "users", users.list_users, READ_USERS, READ_USERS),
    Route("GET", "users/$count", users.count_users, READ_USERS, READ_USERS),
    Route("GET", "users/{key}", users.get_user, READ_USERS, READ_USERS),
    Route("GET", "users/{key}/manager", users.get_manager, READ_USERS, READ_USERS),
)


def answer(request: Request, tenant: Tenant, key: SigningKey, limits: Limits) -> Answer:
    """Answer one request to Microsoft Graph.

    Args:
        request: path ``/v1.0/…``.
        tenant: the practice tenant.
        key: the key that good tokens are signed with.
        limits: counts resource units and throttles when that is switched on.

    Returns:
        Answer: the resource, or the recorded error in Graph's envelope.
    """
    try:
        given = _perform(request, tenant, key, limits)
    except GraphError as error:
        return refuse(request, tenant, error)
    headers = _headers(request)
    if given.body:
        headers = {"Content-Type": ODATA_JSON, "OData-Version": "4.0"} | headers
    return Answer(given.status, headers | given.headers, given.body)


def refuse(request: Request | None, tenant: Tenant, error: GraphError) -> Answer:
    """A refusal in Graph's error envelope."""
    headers = _headers(request)
    body = compact(error_body(error, tenant.now(), headers["request-id"], headers["client-request-id"]))
    return Answer(error.status, {"Content-Type": JSON} | headers | error.headers, body)


def _headers(request: Request | None) -> dict[str, str]:
    """What every answer carries. Without a client-request-id from the client the two ids are equal."""
    request_id = str(uuid.uuid4())
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
    return {"error": {"code": error.code, "message": error.message, "innerError": inner}}


def _perform(request: Request, tenant: Tenant, key: SigningKey, limits: Limits) -> Answer:
    claims = verify_token(
        request.headers.get("authorization"),
        key=key,
        tenant_id=tenant.id,
        audiences=tenant.graph_audiences,
        now=tenant.now(),
    )
    if tenant.service_principal(claims["appid"]) is None and "scp" not in claims:
        text = "The identity of the calling application could not be established."
        raise GraphError(401, "Authorization_IdentityNotFound", text)
    route, keys = _find_route(request, segments(request.path)[1:])
    _authorize(route, claims)
    units = cost(request.method, route.path, request.query)
    limits.spend(claims["appid"], tenant.id, units, writes=request.method != "GET", people=len(tenant.people))
    given = route.handler(Call(request, tenant, claims, keys))
    given.headers.setdefault("x-ms-resource-unit", str(units))
    return given


def _find_route(request: Request, path: list[str]) -> tuple[Route, list[str]]:
    if path and path[0].lower() == "me":
        raise GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    fits = [(route, keys) for route in ROUTES if (keys := route.match(path)) is not None]
    for route, keys in fits:
        if route.method == request.method:
            return route, keys
    if fits:
        text = "Specified HTTP method is not allowed for the request target."
        raise GraphError(405, "Request_BadRequest", text)
    known = {route.path.partition("/")[0].lower() for route in ROUTES}
    unknown = next((name for name in path if name.lower() not in known), path[-1] if path else "")
    raise GraphError(400, "BadRequest", f"Resource not found for the segment '{unknown[:100]}'.")


def _authorize(route: Route, claims: dict[str, Any]) -> None:
    """Delegated permissions stand in `scp`, application permissions in `roles`; one that suffices is enough."""
    held = claims["scp"].split() if "scp" in claims else claims.get("roles", [])
    enough = route.scopes if "scp" in claims else route.roles
    if not set(held) & set(enough):
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


_CALLED = re.compile(r"([\w.$]+)\((?:(\w+)=)?(?:'((?:[^']|'')*)'|([\w-]*))\)", re.ASCII)


def segments(path: str) -> list[str]:
    """A path's segments, decoded, with keys in brackets as segments of their own.

    ``/v1.0/users('a')`` and ``/v1.0/users/a`` are the same; an alternate key keeps its name:
    ``applications(appId='x')`` becomes ``applications``, ``appId='x'``. ``microsoft.graph.delta()`` is ``delta``.
    """
    found = []
    for raw in path.strip("/").split("/"):
        text = unquote(raw)
        called = _CALLED.fullmatch(text)
        name, alternate, quoted, plain = called.groups() if called else (text, None, None, None)
        found.append(name.removeprefix("microsoft.graph."))
        value = quoted.replace("''", "'") if quoted is not None else plain
        if value:
            found.append(f"{alternate}='{value}'" if alternate else value)
    return found
