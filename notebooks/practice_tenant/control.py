"""What only the practice tenant has: faults, the clock, consent, the request log.

The interface asks for a key that only the process that started the tenant was told. Paths under ``/control``; JSON in
and out; POST, except for ``/requests``.
"""

from __future__ import annotations

import hmac
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .device_code import ADMINISTRATOR
from .directory import GRAPH_APP_ROLES, GRAPH_SERVICE_PRINCIPAL_ID, Tenant
from .errors import GraphError
from .messages import Answer, Request, compact

if TYPE_CHECKING:
    from .emulator import Emulator

PREFIX = "/control"
LONGEST_DELAY_MS = 60_000
LONGEST_LIFETIME = 86_400  # seconds


class ControlError(Exception):
    """A control call that cannot be carried out: HTTP status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


# --- faults ----------------------------------------------------------------------------------------------------


@dataclass
class Fault:
    """Makes the next answers of one service fail.

    Args:
        target: ``token`` (everything Entra answers) or ``graph``.
        count: how many answers.
        skip: how many good answers come first.
        status: the HTTP status to answer instead, 400 to 599; None lets the real answer through.
        retry_after: seconds for ``Retry-After``; None sends none.
        delay_ms: milliseconds before the answer.
        cut: the connection is closed in the middle of the body.
        corrupt: the body ends in the middle although the HTTP message is whole.
        expired_page_token: requests with a ``$skiptoken`` get ``Directory_ExpiredPageToken``; others do not count.
        in_batch: it hits the steps inside a ``$batch`` instead of whole requests.
    """

    target: str
    count: int = 1
    skip: int = 0
    status: int | None = None
    retry_after: int | None = None
    delay_ms: int = 0
    cut: bool = False
    corrupt: bool = False
    expired_page_token: bool = False
    in_batch: bool = False

    def concerns(self, target: str, request: Request) -> bool:
        if target != self.target or self.count <= 0 or self.in_batch != (request.envelope_id is not None):
            return False
        return not self.expired_page_token or "skiptoken=" in request.query.lower()

    def answer(self, tenant: Tenant) -> Answer | None:
        """The failure as an answer; None when the real answer goes out, only late, cut or corrupt."""
        from . import graph  # noqa: PLC0415 - graph needs the directory, which needs nothing of this module

        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.expired_page_token:
            text = "The specified page token value has expired and can no longer be included in your request."
            return graph.refuse(None, tenant, GraphError(400, "Directory_ExpiredPageToken", text))
        if self.status is None:
            return None
        if self.target == "graph":
            code, text = _GRAPH_FAILURES.get(self.status, ("UnknownError", ""))  # but for 429 chosen, not sourced
            return graph.refuse(None, tenant, GraphError(self.status, code, text, headers))
        # Entra throttles client credentials with plain text and a minute's wait (MSAL.NET issue 2855).
        headers = ({"Retry-After": "60"} if self.status == 429 else {}) | headers
        text = b"Too Many Requests" if self.status == 429 else b"The service is unavailable."
        return Answer(self.status, {"Content-Type": "text/plain; charset=utf-8"} | headers, text)


_GRAPH_FAILURES = {429: ("TooManyRequests", "Please retry again later.")}


class Faults:
    """The faults that wait for their turn, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def next(self, target: str, request: Request) -> Fault | None:
        """The fault for this request, if there is one, taken off the count."""
        for fault in self.waiting:
            if not fault.concerns(target, request):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                return None
            fault.count -= 1
            self.waiting = [one for one in self.waiting if one.count > 0]
            return fault
        return None


# --- calls -----------------------------------------------------------------------------------------------------


def answer(request: Request, emulator: Emulator) -> Answer:
    """Carry out one control call: 401 without the key and nothing done, 400 for a body that does not fit."""
    given = request.headers.get("x-practice-key", "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, emulator.control_key.encode()):
        return _json(401, {"error": "Send the control key in the header X-Practice-Key."})
    name = request.path.removeprefix(PREFIX).strip("/")
    try:
        if name not in _CALLS:
            raise ControlError(404, f"There is no control call '{name[:50]}'; there are: {', '.join(sorted(_CALLS))}.")
        method, call = _CALLS[name]
        if request.method != method:
            raise ControlError(405, f"Call {PREFIX}/{name} with {method}.")
        return _json(200, call(emulator, _body(request)))
    except ControlError as error:
        return _json(error.status, {"error": str(error)})


def _requests(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    return {"requests": list(emulator.log)}


def _faults(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    fault = Fault(
        target=_choice(body, "target", ("token", "graph")),
        count=_number(body, "count", 1, 1, 1_000_000),
        skip=_number(body, "skip", 0, 0, 1_000_000),
        status=_number(body, "status", None, 400, 599),
        retry_after=_number(body, "retry_after", None, 0, 86_400),
        delay_ms=_number(body, "delay_ms", 0, 0, LONGEST_DELAY_MS),
        cut=_flag(body, "cut"),
        corrupt=_flag(body, "corrupt"),
        expired_page_token=_flag(body, "expired_page_token"),
        in_batch=_flag(body, "in_batch"),
    )
    if fault.in_batch and (fault.target != "graph" or fault.delay_ms or fault.cut or fault.corrupt):
        raise ControlError(400, "in_batch goes with the target graph, and with status or expired_page_token alone.")
    emulator.faults.waiting.append(fault)
    return {"waiting": len(emulator.faults.waiting)}


def _clock(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    seconds = body.get("shift_seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
        raise ControlError(400, "shift_seconds is a number of seconds.")
    shifted = emulator.tenant.clock_shift + seconds
    if abs(shifted) > 20 * 365 * 86_400:
        raise ControlError(400, "The clock can be shifted by twenty years at most.")
    emulator.tenant.clock_shift = shifted
    return {"shift_seconds": shifted}


def _roles(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    tenant = emulator.tenant
    principal, resource = _daemon(tenant), tenant.service_principals[GRAPH_SERVICE_PRINCIPAL_ID]
    if not {"grant", "revoke"} & body.keys():
        raise ControlError(400, "Say which app role to grant or to revoke.")
    for action in ("grant", "revoke"):
        if action not in body:
            continue
        role_id = GRAPH_APP_ROLES[_choice(body, action, tuple(GRAPH_APP_ROLES))]
        held = [
            a for a in tenant.assignments.values() if (a["principalId"], a["appRoleId"]) == (principal["id"], role_id)
        ]
        if action == "grant" and not held:
            tenant.grant(principal, resource, role_id)
        for assignment in held if action == "revoke" else ():
            del tenant.assignments[assignment["id"]]
    return {"roles": tenant.granted_roles(principal, resource)}


def _app(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    tenant = emulator.tenant
    principal = _daemon(tenant)
    action = _choice(body, "action", ("enable", "disable", "remove"))
    if action == "remove":
        tenant.delete("application", tenant.application(principal["appId"])["id"])
    else:
        principal["accountEnabled"] = action == "enable"
    return {"action": action}


def _token_lifetime(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    seconds = _number(body, "seconds", None, 1, LONGEST_LIFETIME)
    if seconds is None:
        raise ControlError(400, "seconds is the lifetime of the next tokens.")
    emulator.tenant.token_lifetime = seconds
    return {"seconds": seconds}


def _sign_in(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    sign_in = emulator.sign_ins.find(str(body.get("user_code", "")), emulator.tenant.now())
    if sign_in is None:
        raise ControlError(404, "No sign-in waits for this user_code: ask for a new one.")
    action = _choice({"action": "approve"} | body, "action", ("approve", "decline"))
    emulator.sign_ins.decide(sign_in, approved=action == "approve")
    return {"user": ADMINISTRATOR.user_principal_name, "client": sign_in.client.name, "action": action}


def _reset(emulator: Emulator, body: dict[str, Any]) -> dict[str, Any]:
    emulator.reset()
    return {}


_CALLS = {
    "requests": ("GET", _requests),
    "faults": ("POST", _faults),
    "clock": ("POST", _clock),
    "roles": ("POST", _roles),
    "app": ("POST", _app),
    "token-lifetime": ("POST", _token_lifetime),
    "sign-in": ("POST", _sign_in),
    "reset": ("POST", _reset),
}


# --- reading what was sent -------------------------------------------------------------------------------------


def _daemon(tenant: Tenant) -> dict[str, Any]:
    principal = tenant.client_id and tenant.service_principal(tenant.client_id)
    if not principal:
        raise ControlError(409, "No daemon app is registered: start with --certificate or --secret, or call /reset.")
    return principal


def _body(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ControlError(400, "Send a JSON object.")
    return value


def _number(body: dict[str, Any], name: str, default: int | None, least: int, most: int) -> int | None:
    value = body.get(name, default)
    if value is None or value == default:
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ControlError(400, f"{name} is a whole number from {least} to {most}.")
    return value


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise ControlError(400, f"{name} is true or false.")
    return value


def _choice(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = body.get(name)
    if value not in allowed:
        raise ControlError(400, f"{name} is one of: {', '.join(allowed)}.")
    return value


def _json(status: int, value: dict[str, Any]) -> Answer:
    return Answer(status, {"Content-Type": "application/json", "Cache-Control": "no-store"}, compact(value))
