"""What only the practice tenant has: faults, the clock, consent, the request log.

The interface asks for a key that only the process that started the tenant was told. Paths under ``/control``; JSON in
and out; POST, except for ``/requests``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import fields
from typing import Any, NamedTuple

from .directory.tenant import Tenant
from .directory.well_known import GRAPH_APP_ID, GRAPH_APP_ROLES
from .faults import Fault
from .formats import read_json
from .messages import Answer, Request, compact
from .state import State

PREFIX = "/control"
LONGEST_DELAY_MS = 60_000
LONGEST_LIFETIME = 86_400  # seconds
MOST_ANSWERS = 1_000_000  # that a fault waits for, or makes fail
MOST_SHIFTED = 20 * 365 * 86_400  # seconds


class ControlError(Exception):
    """A control call that cannot be carried out: HTTP status and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


# --- calls -----------------------------------------------------------------------------------------------------


def answer(request: Request, state: State) -> Answer:
    """Carry out one control call: 401 without the key and nothing done, 400 for a body that does not fit."""
    key = request.headers.get("x-practice-key", "").encode("utf-8", "replace")
    if not hmac.compare_digest(key, state.control_key.encode()):
        return _json(401, {"error": "Send the control key in the header X-Practice-Key."})
    name = request.path.removeprefix(PREFIX).strip("/")
    try:
        if name not in CALLS:
            raise ControlError(404, f"There is no control call '{name[:50]}'; there are: {', '.join(sorted(CALLS))}.")
        called = CALLS[name]
        if request.method != called.method:
            raise ControlError(405, f"Call {PREFIX}/{name} with {called.method}.")
        return _json(200, called.carry_out(state, _body(request, called.names)))
    except ControlError as error:
        return _json(error.status, {"error": str(error)})


def _requests(state: State, body: dict[str, Any]) -> dict[str, Any]:
    return {"requests": list(state.log)}


def _faults(state: State, body: dict[str, Any]) -> dict[str, Any]:
    fault = Fault(
        target=_choice(body, "target", ("token", "graph")),
        count=_number(body, "count", 1, MOST_ANSWERS, default=1),
        skip=_number(body, "skip", 0, MOST_ANSWERS, default=0),
        status=_optional_number(body, "status", 400, 599),
        retry_after=_optional_number(body, "retry_after", 0, 86_400),
        delay_ms=_number(body, "delay_ms", 0, LONGEST_DELAY_MS, default=0),
        cut=_flag(body, "cut"),
        corrupt=_flag(body, "corrupt"),
        expired_page_token=_flag(body, "expired_page_token"),
        in_batch=_flag(body, "in_batch"),
    )
    if not (fault.status or fault.delay_ms or fault.cut or fault.corrupt or fault.expired_page_token):
        raise ControlError(400, "Say what goes wrong: status, delay_ms, cut, corrupt or expired_page_token.")
    if fault.in_batch and (fault.target != "graph" or fault.delay_ms or fault.cut or fault.corrupt):
        raise ControlError(400, "in_batch goes with the target graph, and with status or expired_page_token alone.")
    state.faults.waiting.append(fault)
    return {"waiting": len(state.faults.waiting)}


def _clock(state: State, body: dict[str, Any]) -> dict[str, Any]:
    seconds = body.get("shift_seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ControlError(400, "shift_seconds is a number of seconds.")
    clock = state.tenant.clock
    # Two comparisons, because a whole number may be too large to be added to the clock's.
    if abs(seconds) > 2 * MOST_SHIFTED or abs(clock.shift + seconds) > MOST_SHIFTED:
        raise ControlError(400, "The clock can be shifted by twenty years at most.")
    clock.shift += seconds
    return {"shift_seconds": clock.shift}


def _roles(state: State, body: dict[str, Any]) -> dict[str, Any]:
    tenant = state.tenant
    principal, resource = _daemon(tenant), tenant.graph
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
        application = tenant.application(principal["appId"])
        if application is None:
            raise ControlError(409, "The daemon's app is gone already: call /reset.")
        tenant.delete("application", application["id"])
    else:
        principal["accountEnabled"] = action == "enable"
    return {"action": action}


def _token_lifetime(state: State, body: dict[str, Any]) -> dict[str, Any]:
    seconds = _number(body, "seconds", 1, LONGEST_LIFETIME)
    state.tenant.token_lifetime = seconds
    return {"seconds": seconds}


def _consent(state: State, body: dict[str, Any]) -> dict[str, Any]:
    """The practice administrator opens the admin-consent link of an app and accepts (entra docs v2-admin-consent.md).

    The app gets its service principal and the application permissions of Graph that its registration asks for.
    """
    tenant, client_id = state.tenant, _text(body, "client_id").lower()
    application, home = tenant.application(client_id), tenant.id
    if application is None:
        found = tenant.application_elsewhere(client_id)
        if found is None:
            raise ControlError(
                409, f"No app '{client_id[:50]}' can be consented to: it is not there, or single-tenant."
            )
        application, home = found
    principal = tenant.service_principal(client_id) or tenant.add_principal(application, home)
    wanted = {
        one["id"]
        for resource in application["requiredResourceAccess"] or []
        if resource["resourceAppId"] == GRAPH_APP_ID
        for one in resource["resourceAccess"]
        if one["type"] == "Role"
    }
    held = tenant.granted_roles(principal, tenant.graph)
    for role, role_id in GRAPH_APP_ROLES.items():
        if role_id in wanted and role not in held:
            tenant.grant(principal, tenant.graph, role_id)
    return {"client_id": client_id, "roles": tenant.granted_roles(principal, tenant.graph)}


def _sign_in(state: State, body: dict[str, Any]) -> dict[str, Any]:
    sign_in = state.sign_ins.find(_text(body, "user_code"), state.tenant.now())
    if sign_in is None:
        raise ControlError(404, "No sign-in waits for this user_code: ask for a new one.")
    action = _choice({"action": "approve"} | body, "action", ("approve", "decline"))
    state.sign_ins.decide(sign_in, state.tenant, approved=action == "approve")
    return {"user": state.tenant.administrator.user_principal_name, "client": sign_in.client.name, "action": action}


def _reset(state: State, body: dict[str, Any]) -> dict[str, Any]:
    state.reset()
    return {}


class ControlCall(NamedTuple):
    """One control call: its method, what carries it out, and the names its body may have."""

    method: str
    carry_out: Callable[[State, dict[str, Any]], dict[str, Any]]
    names: frozenset[str] = frozenset()


CALLS = {
    "requests": ControlCall("GET", _requests),
    "faults": ControlCall("POST", _faults, frozenset(field.name for field in fields(Fault))),
    "clock": ControlCall("POST", _clock, frozenset(["shift_seconds"])),
    "roles": ControlCall("POST", _roles, frozenset(["grant", "revoke"])),
    "app": ControlCall("POST", _app, frozenset(["action"])),
    "token-lifetime": ControlCall("POST", _token_lifetime, frozenset(["seconds"])),
    "consent": ControlCall("POST", _consent, frozenset(["client_id"])),
    "sign-in": ControlCall("POST", _sign_in, frozenset(["user_code", "action"])),
    "reset": ControlCall("POST", _reset),
}


# --- reading what was sent -------------------------------------------------------------------------------------


def _daemon(tenant: Tenant) -> dict[str, Any]:
    principal = tenant.service_principal(tenant.client_id) if tenant.client_id else None
    if principal is None:
        raise ControlError(409, "No daemon app is registered: start with --certificate or --secret, or call /reset.")
    return principal


def _body(request: Request, names: frozenset[str]) -> dict[str, Any]:
    """The body as a JSON object with none but these names; an empty body is an empty object."""
    try:
        value = read_json(request.body or b"{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ControlError(400, "Send a JSON object.")
    unknown = [name for name in value if name not in names]
    if unknown:
        allowed = f"it takes {', '.join(sorted(names))}" if names else "it takes none"
        raise ControlError(400, f"This call does not know the name '{unknown[0][:50]}': {allowed}.")
    return value


def _number(body: dict[str, Any], name: str, least: int, most: int, *, default: int | None = None) -> int:
    """A whole number; without a default it must be there."""
    value = body.get(name, default)
    if type(value) is not int or not least <= value <= most:  # True is an int in Python
        raise ControlError(400, f"{name} is a whole number from {least} to {most}.")
    return value


def _optional_number(body: dict[str, Any], name: str, least: int, most: int) -> int | None:
    return _number(body, name, least, most) if name in body else None


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise ControlError(400, f"{name} is true or false.")
    return value


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise ControlError(400, f"{name} is a text.")
    return value


def _choice(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = body.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise ControlError(400, f"{name} is one of: {', '.join(allowed)}.")
    return value


def _json(status: int, value: dict[str, Any]) -> Answer:
    return Answer(status, {"Content-Type": "application/json", "Cache-Control": "no-store"}, compact(value))
