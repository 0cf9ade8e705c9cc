"""What only the practice tenant has: faults, the clock, consent, the request log.

The interface asks for a key that only the process that started the tenant was told. Paths under ``/control``; JSON in
and out; POST, except for ``/requests``.
"""

from __future__ import annotations

import hmac
import json
import math
from typing import Any

from .directory.tenant import Tenant
from .directory.well_known import ADMINISTRATOR, GRAPH_APP_ROLES, GRAPH_SERVICE_PRINCIPAL_ID
from .faults import Fault
from .messages import Answer, Request, compact
from .state import State

PREFIX = "/control"
LONGEST_DELAY_MS = 60_000
LONGEST_LIFETIME = 86_400  # seconds


class ControlError(Exception):
    """A control call that cannot be carried out: HTTP status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


# --- calls -----------------------------------------------------------------------------------------------------


def answer(request: Request, state: State) -> Answer:
    """Carry out one control call: 401 without the key and nothing done, 400 for a body that does not fit."""
    given = request.headers.get("x-practice-key", "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, state.control_key.encode()):
        return _json(401, {"error": "Send the control key in the header X-Practice-Key."})
    name = request.path.removeprefix(PREFIX).strip("/")
    try:
        if name not in _CALLS:
            raise ControlError(404, f"There is no control call '{name[:50]}'; there are: {', '.join(sorted(_CALLS))}.")
        method, call = _CALLS[name]
        if request.method != method:
            raise ControlError(405, f"Call {PREFIX}/{name} with {method}.")
        return _json(200, call(state, _body(request)))
    except ControlError as error:
        return _json(error.status, {"error": str(error)})


def _requests(state: State, body: dict[str, Any]) -> dict[str, Any]:
    return {"requests": list(state.log)}


def _faults(state: State, body: dict[str, Any]) -> dict[str, Any]:
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
    state.faults.waiting.append(fault)
    return {"waiting": len(state.faults.waiting)}


def _clock(state: State, body: dict[str, Any]) -> dict[str, Any]:
    seconds = body.get("shift_seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
        raise ControlError(400, "shift_seconds is a number of seconds.")
    shifted = state.tenant.clock.shift + seconds
    if abs(shifted) > 20 * 365 * 86_400:
        raise ControlError(400, "The clock can be shifted by twenty years at most.")
    state.tenant.clock.shift = shifted
    return {"shift_seconds": shifted}


def _roles(state: State, body: dict[str, Any]) -> dict[str, Any]:
    tenant = state.tenant
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


def _app(state: State, body: dict[str, Any]) -> dict[str, Any]:
    tenant = state.tenant
    principal = _daemon(tenant)
    action = _choice(body, "action", ("enable", "disable", "remove"))
    if action == "remove":
        tenant.delete("application", tenant.application(principal["appId"])["id"])
    else:
        principal["accountEnabled"] = action == "enable"
    return {"action": action}


def _token_lifetime(state: State, body: dict[str, Any]) -> dict[str, Any]:
    seconds = _number(body, "seconds", None, 1, LONGEST_LIFETIME)
    if seconds is None:
        raise ControlError(400, "seconds is the lifetime of the next tokens.")
    state.tenant.token_lifetime = seconds
    return {"seconds": seconds}


def _sign_in(state: State, body: dict[str, Any]) -> dict[str, Any]:
    sign_in = state.sign_ins.find(str(body.get("user_code", "")), state.tenant.now())
    if sign_in is None:
        raise ControlError(404, "No sign-in waits for this user_code: ask for a new one.")
    action = _choice({"action": "approve"} | body, "action", ("approve", "decline"))
    state.sign_ins.decide(sign_in, state.tenant, approved=action == "approve")
    return {"user": ADMINISTRATOR.user_principal_name, "client": sign_in.client.name, "action": action}


def _reset(state: State, body: dict[str, Any]) -> dict[str, Any]:
    state.reset()
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
