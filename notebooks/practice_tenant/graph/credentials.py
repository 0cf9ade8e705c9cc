"""Adding and removing the certificates and secrets of an application or of a service principal: of a holder.

An administrator replaces ``keyCredentials`` with a PATCH; an app without permissions rolls its own with addKey and
removeKey and a proof that it has the private key of an old one.

Sources: graph docs application-addkey.md, application-removekey.md, application-addpassword.md,
application-removepassword.md, and the same of serviceprincipal; single error texts as marked.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from ..errors import GraphError, bad_request, denied, invalid, missing
from ..formats import GUID, is_instant, seconds
from ..messages import Answer, compact
from ..odata.links import metadata_context
from .applications import find_application
from .call import Call
from .entities import owns
from .key_credentials import is_proof, read_keys
from .permissions import OWNED, ROLL_KEYS
from .service_principals import find_service_principal, is_ours

TWO_YEARS = timedelta(days=730)
LATEST = seconds("9999-12-31T23:59:59Z")  # no later end can be written


def _find_holder(call: Call, *, to_write: bool = False) -> dict[str, Any]:
    """The application or the service principal that the path names.

    Raises:
        GraphError: 404, 400 or 403 as for the object itself; 403 also for a service principal of Microsoft's (chosen,
            not sourced).
    """
    if not call.template.startswith("servicePrincipals"):
        return find_application(call, to_write=to_write)
    principal = find_service_principal(call, to_write=to_write)
    if not is_ours(call, principal):
        raise denied()
    return principal


# --- rolling certificates -----------------------------------------------------------------------------------


def add_key(call: Call) -> Answer:
    """``POST …/addKey``: 200 with the new credential; needs a proof of possession of an old one."""
    holder, body = _rolling(call)
    given = body.get("keyCredential")
    if not isinstance(given, dict):
        raise missing("keyCredential", "Application")
    tenant = call.tenant
    kept = holder["keyCredentials"]
    credential = read_keys([given], [], tenant.now())[0]
    if any(credential["keyId"] == one["keyId"] for one in kept):
        raise bad_request(f"Update to existing credential with KeyId '{credential['keyId']}' is not allowed.")
    holder["keyCredentials"] = [*kept, credential]
    context = {"@odata.context": metadata_context("microsoft.graph.keyCredential")}
    return Answer(body=compact(context | credential | {"key": None}))


def remove_key(call: Call) -> Answer:
    """``POST …/removeKey``: 204; a proof of possession is needed here, too."""
    holder, body = _rolling(call)
    key_id = _read_key_id(body)
    left = [one for one in holder["keyCredentials"] if one["keyId"].lower() != key_id]
    if len(left) == len(holder["keyCredentials"]):
        raise bad_request("No credentials found to be removed.")  # recorded: 400 with this generic code
    holder["keyCredentials"] = left
    return Answer(204)


def _rolling(call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
    """The holder and the body, when the caller may roll its keys and proves that it has one of them.

    An application needs no permission for its own keys.
    """
    holder, body = _find_holder(call), call.json()
    itself = not call.is_delegated and call.claims["appid"] == holder["appId"]
    owner = call.holds(OWNED, ()) and owns(call, holder["appId"])
    if not (itself or owner or call.holds(ROLL_KEYS, ROLL_KEYS)):
        raise denied()
    now = call.tenant.now()
    usable = [key for key in call.tenant.registered_keys(holder) if key.start <= now < key.end]
    if not is_proof(body.get("proof"), holder["id"], usable, now):
        # Recorded for every fault of a proof (microsoft-graph-docs#10686, #22076), whatever it is.
        raise GraphError(401, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")
    return holder, body


# --- secrets ------------------------------------------------------------------------------------------------


def add_password(call: Call) -> Answer:
    """``POST …/addPassword``: 200 with ``secretText``, this once and never again."""
    holder = _find_holder(call, to_write=True)
    body = call.json() if call.request.body.strip() else {}
    given = body.get("passwordCredential") or {}
    if not isinstance(given, dict) or not isinstance(given.get("displayName"), str | None):
        raise invalid("passwordCredential", "Application")
    start, end = _lifetime(given, call.tenant.now())
    text = f"{secrets.token_urlsafe(3)[:3]}8Q~{secrets.token_urlsafe(26)[:34]}"
    credential = call.tenant.add_secret(holder, text, name=given.get("displayName"), start=start, end=end)
    context = {"@odata.context": metadata_context("microsoft.graph.passwordCredential")}
    # The Location is as recorded: the bare address of Graph.
    location = {"Location": "https://graph.microsoft.com"}
    return Answer(200, location, compact(context | credential | {"secretText": text}))


def remove_password(call: Call) -> Answer:
    """``POST …/removePassword``: 204."""
    holder = _find_holder(call, to_write=True)
    if not call.tenant.remove_secret(holder, _read_key_id(call.json())):
        raise bad_request("No password credential found with keyId.")  # chosen, not sourced
    return Answer(204)


def _lifetime(given: dict[str, Any], now: float) -> tuple[float, float]:
    """From now on and for two years unless the client says otherwise (application-addpassword.md)."""
    for name in ("startDateTime", "endDateTime"):
        if given.get(name) is not None and not is_instant(given[name]):
            raise invalid(name, "PasswordCredential")
    start = seconds(given["startDateTime"]) if given.get("startDateTime") else now
    end = seconds(given["endDateTime"]) if given.get("endDateTime") else start + TWO_YEARS.total_seconds()
    if not start < end <= LATEST:  # both refusals are chosen, not sourced
        raise invalid("endDateTime", "PasswordCredential")
    return start, end


def _read_key_id(body: dict[str, Any]) -> str:
    key_id = body.get("keyId")
    if not isinstance(key_id, str) or not GUID.fullmatch(key_id):
        raise invalid("keyId", "Application")
    return key_id.lower()
