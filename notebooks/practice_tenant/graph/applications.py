"""Applications: what a developer registers.

Sources: graph docs application-*.md; recorded answers of azure-cli for keys and their order.
"""

from __future__ import annotations

import uuid
from typing import Any

from ..directory.objects import ANY_ACCOUNT, follow, new_application
from ..errors import GraphError, bad_request, conflict, denied, invalid, missing, not_found
from ..formats import GUID, graph_time
from ..messages import Answer
from ..odata.links import entity_context
from ..odata.properties import APPLICATIONS
from .call import Call
from .directory_roles import manages_every_app
from .entities import alternate_key, by_id, owns, show, show_selected_keys, write
from .key_credentials import read_keys
from .listing import count_objects, created, list_objects, one_object
from .payload import read_properties

LONGEST_NAME = 120  # characters of an application's displayName
AUDIENCES = ("AzureADMyOrg", "AzureADMultipleOrgs", ANY_ACCOUNT, "PersonalMicrosoftAccount")

_NAMES = (
    "displayName description keyCredentials passwordCredentials requiredResourceAccess signInAudience identifierUris "
    "tags notes web spa api publicClient appRoles info isFallbackPublicClient isDeviceOnlyAuthSupported addIns "
    "groupMembershipClaims optionalClaims parentalControlSettings serviceManagementReference tokenEncryptionKeyId "
    "defaultRedirectUri oauth2RequirePostResponse servicePrincipalLockConfiguration requestSignatureVerification "
    "nativeAuthenticationApisEnabled authenticationBehaviors samlMetadataUrl"
)
_WRITABLE = frozenset(_NAMES.split())


def list_applications(call: Call) -> Answer:
    """``GET /applications``."""
    return list_objects(call, APPLICATIONS, call.tenant.applications.after(-1), show_application, path="applications")


def count_applications(call: Call) -> Answer:
    """``GET /applications/$count``."""
    return count_objects(call, APPLICATIONS, call.tenant.applications.values())


def get_application(call: Call) -> Answer:
    """``GET /applications/{id}`` or ``/applications(appId='…')``.

    Only here, and only with ``$select=keyCredentials``, the certificates themselves come along (application-get.md).
    """
    return one_object(call, APPLICATIONS, find_application(call), show_selected_keys(APPLICATIONS))


def create_application(call: Call) -> Answer:
    """``POST /applications``: 201. The calling app owns the new one, and so does a person without a role for apps."""
    given = read_properties(call.json(), APPLICATIONS, _WRITABLE)
    if not given.get("displayName"):
        raise missing("displayName", "Application")
    if given.get("passwordCredentials"):  # documented; the text is chosen, not sourced
        raise bad_request("Property passwordCredentials is invalid.", ("InvalidValue", "passwordCredentials"))
    tenant, now, audience = call.tenant, call.tenant.now(), given.get("signInAudience") or ANY_ACCOUNT
    application = new_application(
        str(uuid.uuid4()), str(uuid.uuid4()), given["displayName"], now, domain=tenant.domains[0], audience=audience
    )
    _change_application(call, application, given)
    tenant.applications[application["id"]] = application
    if not call.is_delegated or not manages_every_app(call):
        tenant.owners[application["id"]] = {call.claims["oid"]}
    context = {"@odata.context": entity_context("applications")}
    shown = show_application(application, None) | {"createdDateTime": graph_time(now, fraction=True)}
    return created(call, context | shown, "Application")


def update_application(call: Call) -> Answer:
    """``PATCH /applications/{id}``: 204. A collection in the body, keyCredentials above all, replaces the whole one."""
    application = find_application(call, to_write=True)
    _change_application(call, application, read_properties(call.json(), APPLICATIONS, _WRITABLE))
    if principal := call.tenant.service_principal(application["appId"]):
        follow(principal, application)
    return Answer(204)


def delete_application(call: Call) -> Answer:
    """``DELETE /applications/{id}``: 204, restorable for thirty days; the service principal goes with it."""
    call.tenant.delete("application", find_application(call, to_write=True)["id"])
    return Answer(204)


def find_application(call: Call, *, to_write: bool = False) -> dict[str, Any]:
    """The application a path names by id or by ``appId='…'``.

    Raises:
        GraphError: 404 when there is none, 400 for an id that is no GUID, 403 when the caller may only write
            what it owns and does not own this one.
    """
    key, tenant = call.keys[0], call.tenant
    app_id = alternate_key(key, "appId")
    found = by_id(tenant.applications, key) if app_id is None else tenant.application(app_id)
    if found is None:
        raise not_found(app_id or key)
    if to_write and call.only_owned and not owns(call, found["appId"]):
        raise denied()
    return found


def show_application(application: dict[str, Any], names: tuple[str, ...] | None) -> dict[str, Any]:
    """An application as a list shows it: without the certificates' bytes."""
    return show(APPLICATIONS, application, names, with_keys=False)


def _change_application(call: Call, application: dict[str, Any], given: dict[str, Any]) -> None:
    """Check everything, then write it: a refused request changes nothing."""
    name = given.get("displayName", application["displayName"])
    if not name:
        raise missing("displayName", "Application")
    if len(name) > LONGEST_NAME:
        raise invalid("displayName", "Application")
    if given.get("signInAudience", AUDIENCES[0]) not in AUDIENCES:
        raise invalid("signInAudience", "Application")
    refuse_taken_uris(call, application, given.get("identifierUris", []))
    changes = dict(given)
    if given.get("optionalClaims") is not None:
        changes["optionalClaims"] = _complete_claims(given["optionalClaims"])
    if "appRoles" in given:
        changes["appRoles"] = read_roles(given["appRoles"], application["appRoles"])
    if "keyCredentials" in given:
        changes["keyCredentials"] = read_keys(given["keyCredentials"], application["keyCredentials"], call.tenant.now())
    if "passwordCredentials" in given:
        kept = _kept_passwords(given["passwordCredentials"], application["passwordCredentials"])
        for gone in [one for one in application["passwordCredentials"] if one not in kept]:
            call.tenant.remove_secret(application, gone["keyId"])
        del changes["passwordCredentials"]
    write(application, changes)


def _complete_claims(given: dict[str, Any]) -> dict[str, Any]:
    """Optional claims with what the client left out (recorded: azure-cli, test_app_scenario.yaml)."""
    empty = {"additionalProperties": [], "essential": False, "name": None, "source": None}
    return {kind: [empty | claim for claim in given.get(kind, [])] for kind in ("accessToken", "idToken", "saml2Token")}


def refuse_taken_uris(call: Call, application: dict[str, Any], uris: list[str]) -> None:
    """Refuse identifier URIs that another application of the tenant has.

    Raises:
        GraphError: 400.
    """
    taken = {
        uri.lower()
        for other in call.tenant.applications.values()
        if other["id"] != application["id"]
        for uri in other["identifierUris"]
    }
    if any(uri.lower() in taken for uri in uris):
        raise conflict("identifierUris")


def read_roles(given: list[dict[str, Any]], existing: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An application's app roles. One that is enabled must be disabled before it can go (terraform-azuread's list)."""
    defaults = {"description": None, "isEnabled": True, "origin": "Application", "value": None}
    roles = [defaults | role for role in given]
    for role in roles:
        members = role.get("allowedMemberTypes")
        if not (
            isinstance(role.get("id"), str)
            and GUID.fullmatch(role["id"])
            and isinstance(role.get("value"), str | None)
            and isinstance(role.get("displayName"), str)
            and isinstance(members, list)
            and members
            and all(member in ("Application", "User") for member in members)
        ):
            raise invalid("appRoles", "Application")
        role["id"] = role["id"].lower()
    left = {role["id"] for role in roles}
    if len(left) != len(roles):
        raise invalid("appRoles", "Application")
    if any(role["isEnabled"] and role["id"] not in left for role in existing):
        text = "Permission (scope or role) cannot be deleted or updated unless disabled first."
        raise GraphError(400, "CannotDeleteOrUpdateEnabledEntitlement", text)
    return roles


def _kept_passwords(given: list[dict[str, Any]], existing: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """PATCH can take secrets away, not add any: that is addPassword's (chosen, not sourced)."""
    stored = {credential["keyId"]: credential for credential in existing}
    wanted = [one.get("keyId") for one in given]
    if not all(isinstance(key_id, str) and key_id in stored for key_id in wanted):
        raise bad_request("Property passwordCredentials is invalid.", ("InvalidValue", "passwordCredentials"))
    return [stored[key_id] for key_id in wanted]
