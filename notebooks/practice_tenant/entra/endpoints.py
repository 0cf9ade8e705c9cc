"""What login.microsoftonline.com does: which endpoint a request is for, and in which form the answer goes back.

Sources: entra docs v2-protocols-oidc.md; recorded answers.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ..directory.tenant import Tenant
from ..formats import GUID
from ..messages import Answer, Request, compact
from ..signing import SigningKey
from .aadsts import EntraError
from .call import Call
from .discovery import instance_discovery, openid_configuration, signing_keys
from .sign_in_page import sign_in_page
from .sign_ins import PAGE, SignIns
from .token import begin_sign_in, issue_token

Operation = Callable[[Call], dict[str, Any]]

_ID_IN_QUERY = re.compile(r"(?:^|&)client-request-id=([^&]*)")
_READING = ("GET", "HEAD", "OPTIONS")
_SECURITY = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
_PUBLIC = {
    "Cache-Control": "max-age=86400, private",
    "Content-Type": "application/json; charset=utf-8",
    **_SECURITY,
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS",
}
_PRIVATE = {
    "Cache-Control": "no-store, no-cache",
    "Pragma": "no-cache",
    "Content-Type": "application/json; charset=utf-8",
    "Expires": "-1",
    **_SECURITY,
}


def answer(request: Request, tenant: Tenant, key: SigningKey, sign_ins: SignIns) -> Answer:
    """Answer one request to Entra ID.

    Args:
        request: path ``/{tenant}/…``; tenant is an id, a verified domain or ``common``.
        tenant: the practice tenant.
        key: signs the tokens.
        sign_ins: remembers who signs in by device code.

    Returns:
        Answer: 200, the recorded error, 404 for a path Entra does not have, 405 for a document that is written to.
    """
    if unquote(request.path).lower().endswith(f"/{PAGE}"):
        return sign_in_page(request, tenant, sign_ins)
    trace_id, correlation_id = str(uuid.uuid4()), _correlation_id(request)
    headers = {"x-ms-request-id": trace_id, "x-ms-ests-server": "2.1.0 - PRACTICE ProdSlices"}
    if _sent_id(request) is not None:
        headers["client-request-id"] = correlation_id
    authority, *rest = (unquote(segment) for segment in request.path.removeprefix("/").split("/"))
    document, endpoint = _DOCUMENTS.get(_named(rest)), _ENDPOINTS.get(_named(rest))
    operation = document or endpoint
    if operation is None:
        return Answer(404, _PRIVATE | headers | {"Content-Type": "text/html; charset=utf-8"})
    try:
        value = operation(Call(request, tenant, key, sign_ins, authority))
    except EntraError as error:
        timestamp = f"{datetime.fromtimestamp(tenant.now(), UTC):%Y-%m-%d %H:%M:%SZ}"
        body = compact(error.body(timestamp, trace_id, correlation_id))
        return Answer(error.status, _PRIVATE | headers, body, notes=error.notes)
    if document and request.method not in _READING:  # what Entra says is not sourced; 405 is chosen
        return Answer(405, _PRIVATE | headers | {"Allow": ", ".join(_READING)})
    return Answer(200, (_PUBLIC if document else _PRIVATE) | headers, compact(value))


def _named(segments: list[str]) -> str:
    return "/".join(segments).lower()


# What stands behind the tenant's segment of a path: documents anybody may read, and endpoints that are posted to.
_DOCUMENTS: dict[str, Operation] = {
    "v2.0/.well-known/openid-configuration": openid_configuration,
    "discovery/v2.0/keys": signing_keys,
    "discovery/keys": signing_keys,
    "discovery/instance": instance_discovery,
}
_ENDPOINTS: dict[str, Operation] = {
    "oauth2/v2.0/token": issue_token,
    "oauth2/v2.0/devicecode": begin_sign_in,
}


def _sent_id(request: Request) -> str | None:
    """The client-request-id of the header, else of the query string, where MSAL for JavaScript puts it (its #7385)."""
    in_query = _ID_IN_QUERY.search(request.query)
    return request.headers.get("client-request-id", in_query and in_query[1])


def _correlation_id(request: Request) -> str:
    """The client's own id when it sent a GUID, so that a person can find the call in both logs."""
    sent = _sent_id(request) or ""
    return sent.lower() if GUID.fullmatch(sent) else str(uuid.uuid4())
