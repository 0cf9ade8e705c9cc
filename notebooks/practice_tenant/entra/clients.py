"""Which app asks, and whether it is the one it says it is: client id, credential, enabled or not.

Sources: entra docs v2-oauth2-client-creds-grant-flow.md, reference-error-codes.md.
"""

from __future__ import annotations

import uuid
from typing import Any

from ..directory.tenant import Tenant
from ..directory.well_known import PUBLIC_CLIENTS, Client
from ..formats import seconds
from .aadsts import EntraError
from .assertion import ASSERTION_TYPE, check_assertion
from .authority import check_tenant_of_person
from .call import Call
from .form import require_field

ZERO_GUID = str(uuid.UUID(int=0))


def known_client(call: Call) -> Client:
    """The app behind the form's client id, Microsoft's own public clients included.

    Raises:
        EntraError: as `find_client`.
    """
    own = PUBLIC_CLIENTS.get(call.form["client_id"].lower())
    if own is not None:
        return own
    _, application = find_client(call)
    return Client(application["appId"], application["displayName"])


def client_of_person(call: Call) -> Client:
    """The app that wants tokens for a person. A public client has no credential; every other one shows its own.

    Raises:
        EntraError: an unknown or disabled app, a credential that is missing, wrong or out of place.
    """
    check_tenant_of_person(call)
    client = known_client(call)
    application = call.tenant.application_of_client(client.id)
    is_public = application is None or application.get("isFallbackPublicClient")
    if is_public and call.has_credential:
        raise EntraError("public_client")
    if not is_public and not call.has_credential:
        raise EntraError("client_secret_missing")
    if application is None:
        return client
    if not is_public:
        authenticate(call, application)
    check_enabled(call, call.tenant.service_principal(client.id), application)
    return client


def find_client(call: Call) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The service principal, None without one, and the application of the form's client id.

    Raises:
        EntraError: 700038 for an id of zeros, 700016 for one this tenant does not know.
    """
    client_id, tenant = call.form["client_id"], call.tenant
    if client_id == ZERO_GUID:
        raise EntraError("app_id_placeholder", client_id=client_id)
    application = tenant.application_of_client(client_id)
    if application is None:
        raise EntraError("app_not_found", client_id=client_id[:100], tenant_name=tenant.name)
    return tenant.service_principal(client_id), application


def check_enabled(call: Call, principal: dict[str, Any] | None, application: dict[str, Any]) -> dict[str, Any]:
    """The service principal, when there is one and nobody switched it off.

    Raises:
        EntraError: 7000229 without one, 7000112 for one that is disabled.
    """
    if principal is None:
        raise EntraError("no_service_principal", client_id=application["appId"], tenant_id=call.tenant.id)
    if not principal["accountEnabled"]:
        raise EntraError("app_disabled", client_id=application["appId"], app_name=application["displayName"])
    return principal


def authenticate(call: Call, application: dict[str, Any]) -> bool:
    """Check the credential; True when it was a certificate. An assertion counts before a secret (chosen).

    Raises:
        EntraError: the credential is missing or not good.
    """
    form, tenant = call.form, call.tenant
    if form.get("client_assertion"):
        require_field(call, "client_assertion_type")
        if form["client_assertion_type"] != ASSERTION_TYPE:
            raise EntraError("unknown_assertion_type")
        check_assertion(
            form["client_assertion"],
            client_id=form["client_id"],
            keys=tenant.usable_keys(application),
            audiences=_audiences(call.origin, {tenant.id, call.authority}),
            now=tenant.now(),
        )
        return True
    if form.get("client_secret"):
        _check_secret(form["client_secret"], application, tenant)
        return False
    raise EntraError("no_credential")


def _audiences(origin: str, names: set[str]) -> set[str]:
    """What an assertion's aud may be: the token endpoint that was posted to, or its issuer as older pages print it."""
    return {f"{origin}/{name}/{end}" for name in names for end in ("oauth2/v2.0/token", "v2.0", "v2")}


def _check_secret(secret: str, application: dict[str, Any], tenant: Tenant) -> None:
    credential, now = tenant.matching_secret(application, secret), tenant.now()
    # That a secret whose time has not come is as good as none is chosen, not sourced.
    if credential is None or now < seconds(credential["startDateTime"]):
        raise EntraError("wrong_secret", client_id=application["appId"])
    if seconds(credential["endDateTime"]) <= now:
        raise EntraError("secret_expired", client_id=application["appId"])
