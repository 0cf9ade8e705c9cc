"""The headers and the error envelope that all of Graph's answers share.

Sources: graph docs errors.md; recorded answers.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from ..directory.tenant import Tenant
from ..errors import GraphError
from ..formats import graph_time
from ..messages import Answer, Request, compact
from .causes import notes_on

RESOURCE_UNIT = "x-ms-resource-unit"
JSON = "application/json"
ODATA_JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
DIAGNOSTIC = compact({"ServerInfo": {"DataCenter": "Practice", "Slice": "E", "Ring": "0", "ScaleUnit": "000",
                                     "RoleInstance": "PRACTICE0001"}}).decode()  # fmt: skip


def refuse(request: Request | None, tenant: Tenant, error: GraphError, headers: dict[str, str] | None = None) -> Answer:
    """A refusal in Graph's error envelope."""
    headers = headers or answer_headers(request)
    body = compact(error_body(error, tenant.now(), headers["request-id"], headers["client-request-id"]))
    return Answer(error.status, {"Content-Type": JSON} | headers | error.headers, body, notes=notes_on(error))


def answer_headers(request: Request | None) -> dict[str, str]:
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
    date = graph_time(now).removesuffix("Z")
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
