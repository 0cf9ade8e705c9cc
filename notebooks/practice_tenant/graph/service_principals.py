"""Service principals: an application's presence in this tenant, and what can be granted to it.

Sources: graph docs serviceprincipal-*.md; recorded answers of azure-cli for keys and their order.
"""

from __future__ import annotations

from typing import Any

from ..directory.objects import principal_of
from ..directory.well_known import MICROSOFT_TENANT_ID
from ..errors import GraphError, bad_request, denied, invalid, missing, not_found
from ..messages import Answer
from ..odata.links import entity_context
from ..odata.properties import SERVICE_PRINCIPALS
from .applications import read_roles
from .call import Call
from .entities import alternate_key, by_id, owns, show, show_selected_keys, write
from .key_credentials import read_keys
from .listing import count_objects, created, list_objects, one_object
from .payload import read_properties

_NAMES = (
    "accountEnabled addIns alternativeNames appRoleAssignmentRequired appRoles description displayName homepage "
    "keyCredentials loginUrl logoutUrl notes notificationEmailAddresses oauth2PermissionScopes "
    "preferredSingleSignOnMode preferredTokenSigningKeyThumbprint replyUrls samlSingleSignOnSettings "
    "servicePrincipalNames tags tokenEncryptionKeyId"
)
_WRITABLE = frozenset(_NAMES.split())
# What may be changed where the application is another tenant's: that it is these, and that Microsoft's own cannot be
# deleted, is chosen, not sourced.
_WRITABLE_OF_OTHERS = frozenset(["accountEnabled", "appRoleAssignmentRequired", "notes", "tags"])


def list_service_principals(call: Call) -> Answer:
    """``GET /servicePrincipals``."""
    principals = call.tenant.service_principals.after(-1)
    return list_objects(call, SERVICE_PRINCIPALS, principals, show_service_principal, path="servicePrincipals")


def count_service_principals(call: Call) -> Answer:
    """``GET /servicePrincipals/$count``."""
    return count_objects(call, SERVICE_PRINCIPALS, call.tenant.service_principals.values())


def get_service_principal(call: Call) -> Answer:
    """``GET /servicePrincipals/{id}`` or ``/servicePrincipals(appId='…')``."""
    shown = show_selected_keys(SERVICE_PRINCIPALS)
    return one_object(call, SERVICE_PRINCIPALS, find_service_principal(call), shown)


def create_service_principal(call: Call) -> Answer:
    """``POST /servicePrincipals``: an application's presence in this tenant; without it there is no token."""
    body = {name: value for name, value in call.json().items() if name.lower() != "appid"}
    app_id = next((value for name, value in call.json().items() if name.lower() == "appid"), None)
    if not app_id:
        raise missing("appId", "ServicePrincipal")
    if not isinstance(app_id, str):
        raise invalid("appId", "ServicePrincipal")
    given = read_properties(body, SERVICE_PRINCIPALS, _WRITABLE)
    tenant = call.tenant
    refuse_second(call, app_id)
    application, home = _backing_application(call, app_id)
    if call.only_owned and not owns(call, application["appId"]):
        text = (
            "When using this permission, the backing application of the service principal being created must in the "
            "local tenant"
        )
        raise GraphError(403, "Authorization_RequestDenied", text)
    principal = principal_of(application, home, tenant.now())
    _change_principal(call, principal, given)
    tenant.service_principals[principal["id"]] = principal
    context = {"@odata.context": entity_context("servicePrincipals")}
    return created(call, context | show_service_principal(principal, None), "ServicePrincipal")


def _backing_application(call: Call, app_id: str) -> tuple[dict[str, Any], str]:
    """The application with this client id and its home tenant's id: one of this tenant, or a multi-tenant one.

    Raises:
        GraphError: 400 for one that does not exist, and for another tenant's that is for its home alone
            (Microsoft365DSC#3390).
    """
    own = call.tenant.application(app_id)
    if own is not None:
        return own, call.tenant.id
    found = call.tenant.application_elsewhere(app_id)
    if found is None:
        text = f"The appId '{app_id}' of the service principal does not reference a valid application object."
        raise bad_request(text, ("NoBackingApplicationObject", "appId"))
    return found.application, found.home


def update_service_principal(call: Call) -> Answer:
    """``PATCH /servicePrincipals/{id}``: 204; ``accountEnabled`` false switches an app off."""
    principal = find_service_principal(call, to_write=True)
    body = call.json()
    if "passwordCredentials" in body:  # documented; the text is chosen, not sourced
        raise bad_request("Property passwordCredentials is invalid.", ("InvalidValue", "passwordCredentials"))
    given = read_properties(body, SERVICE_PRINCIPALS, _WRITABLE)
    if not is_ours(call, principal) and not given.keys() <= _WRITABLE_OF_OTHERS:
        raise denied()
    _change_principal(call, principal, given)
    return Answer(204)


def delete_service_principal(call: Call) -> Answer:
    """``DELETE /servicePrincipals/{id}``: 204, restorable for thirty days. That of another tenant's app, too."""
    principal = find_service_principal(call, to_write=True)
    if principal["appOwnerOrganizationId"] == MICROSOFT_TENANT_ID:
        raise denied()
    call.tenant.delete("servicePrincipal", principal["id"])
    return Answer(204)


def find_service_principal(call: Call, *, to_write: bool = False) -> dict[str, Any]:
    """The service principal a path names by id or by ``appId='…'``; raises as `find_application` does."""
    key, tenant = call.keys[0], call.tenant
    app_id = alternate_key(key, "appId")
    found = by_id(tenant.service_principals, key) if app_id is None else tenant.service_principal(app_id)
    if found is None:
        raise not_found(app_id or key)
    if to_write and call.only_owned and not owns(call, found["appId"]):
        raise denied()
    return found


def refuse_second(call: Call, app_id: str) -> None:
    """An application has one service principal in a tenant; the answer is recorded (terraform-azuread).

    Raises:
        GraphError: 409.
    """
    if call.tenant.service_principal(app_id):
        text = (
            "The service principal cannot be created, updated, or restored because the service principal name "
            f"{app_id} is already in use."
        )
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", text)


def is_ours(call: Call, principal: dict[str, Any]) -> bool:
    """Whether the application behind a service principal is registered in this tenant."""
    return bool(principal["appOwnerOrganizationId"] == call.tenant.id)


def _change_principal(call: Call, principal: dict[str, Any], given: dict[str, Any]) -> None:
    if given.get("accountEnabled", True) is None:
        raise invalid("accountEnabled", "ServicePrincipal")
    if not given.get("displayName", principal["displayName"]):
        raise missing("displayName", "ServicePrincipal")
    changes = dict(given)
    if "appRoles" in given:
        changes["appRoles"] = read_roles(given["appRoles"], principal["appRoles"])
    if "keyCredentials" in given:
        changes["keyCredentials"] = read_keys(given["keyCredentials"], principal["keyCredentials"], call.tenant.now())
    write(principal, changes)


def show_service_principal(principal: dict[str, Any], names: tuple[str, ...] | None) -> dict[str, Any]:
    """A service principal as a list shows it."""
    return show(SERVICE_PRINCIPALS, principal, names, with_keys=False)
