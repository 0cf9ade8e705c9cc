"""What an app wishes for and what it was granted: two lists that Graph keeps apart, and people mix up.

The wishes stand in the application (``requiredResourceAccess``). What was granted are objects of their own: an
``appRoleAssignment`` for each application permission, an ``oauth2PermissionGrant`` for the delegated ones of a
resource.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .click import Click, literal, segment

ROLE, SCOPE = "Role", "Scope"  # the types of a wish, as Graph calls them
EVERYBODY = "AllPrincipals"
OFFERED = "$select=id,appId,displayName,appRoles,oauth2PermissionScopes"


@dataclass(frozen=True)
class Permission:
    """One permission of one API.

    Args:
        resource: the API's service principal.
        kind: `ROLE` for an application permission, `SCOPE` for a delegated one.
        value: what stands in a token, e.g. ``User.Read.All``; the id itself when the API does not offer it.
        text: its display name.
        needs_admin: whether only an administrator can consent to it.
    """

    resource: dict[str, Any] = field(hash=False)
    kind: str
    id: str
    value: str
    text: str
    needs_admin: bool

    @property
    def type(self) -> str:
        """The type as the portal calls it."""
        return "Application" if self.kind == ROLE else "Delegated"

    @property
    def name(self) -> tuple[str, str, str]:
        """What tells it from every other permission."""
        return self.resource["appId"], self.kind, self.id


@dataclass
class Granted:
    """A permission that was granted, and the object that says so.

    Args:
        object_id: of the appRoleAssignment, or of the oauth2PermissionGrant.
        whole: all scopes of that grant; empty for an application permission.
        for_everybody: granted by an administrator for all users.
    """

    permission: Permission
    object_id: str
    whole: tuple[str, ...] = ()
    for_everybody: bool = True


@dataclass
class Permissions:
    """Both lists of one app.

    Args:
        principal: its service principal, None when it has none: then nothing can have been granted.
        resources: the APIs that are spoken of, by app id.
        configured: what the application wishes for.
        granted: what was granted to the service principal.
    """

    principal: dict[str, Any] | None
    resources: dict[str, dict[str, Any]]
    configured: list[Permission]
    granted: list[Granted]

    def grants_of(self, permission: Permission) -> list[Granted]:
        """The grants for everybody of a permission; one at most, unless somebody granted it twice."""
        return [one for one in self.granted if one.permission.name == permission.name and one.for_everybody]

    @property
    def others(self) -> list[Granted]:
        """What was granted for everybody but is not configured."""
        wished = {one.name for one in self.configured}
        return [one for one in self.granted if one.for_everybody and one.permission.name not in wished]


def read_permissions(click: Click, application: dict[str, Any]) -> Permissions:
    """Both lists, read from Graph.

    Args:
        application: with its id, appId and requiredResourceAccess.
    """
    principal = click.find(f"servicePrincipals(appId='{application['appId']}')?$select=id,appId,displayName")
    resources: dict[str, dict[str, Any]] = {}
    configured = []
    for wish in application["requiredResourceAccess"]:
        resource = _resource(click, resources, wish["resourceAppId"])
        configured += [offered(resource, one["type"], one["id"]) for one in wish["resourceAccess"]]
    granted = [] if principal is None else read_granted(click, principal, resources)
    return Permissions(principal, resources, _once(configured), granted)


def read_granted(click: Click, principal: dict[str, Any], resources: dict[str, dict[str, Any]]) -> list[Granted]:
    """What was granted to a service principal. APIs that are not among `resources` are read and added."""
    granted = []
    for one in click.get(f"servicePrincipals/{segment(principal['id'])}/appRoleAssignments")["value"]:
        resource = _resource_by_id(click, resources, one["resourceId"])
        granted.append(Granted(offered(resource, ROLE, one["appRoleId"]), one["id"]))
    for one in click.get(f"oauth2PermissionGrants?$filter=clientId%20eq%20{literal(principal['id'])}")["value"]:
        resource = _resource_by_id(click, resources, one["resourceId"])
        whole = tuple((one["scope"] or "").split())
        for value in whole:
            permission = _scope_of_value(resource, value)
            granted.append(Granted(permission, one["id"], whole, one["consentType"] == EVERYBODY))
    return granted


def offered(resource: dict[str, Any], kind: str, permission_id: str) -> Permission:
    """A permission by its id; one that the API does not offer is called by its id."""
    if kind == ROLE:
        for role in resource["appRoles"]:
            if role["id"] == permission_id:
                return Permission(resource, ROLE, role["id"], role["value"] or "", role["displayName"], True)
    else:
        for scope in resource["oauth2PermissionScopes"]:
            if scope["id"] == permission_id:
                return _permission_of_scope(resource, scope)
    return Permission(resource, kind, permission_id, permission_id, "Not known to this API", kind == ROLE)


def all_offered(resource: dict[str, Any], kind: str) -> list[Permission]:
    """Everything an API offers of one kind, by name."""
    if kind == ROLE:
        found = [
            offered(resource, ROLE, role["id"])
            for role in resource["appRoles"]
            if "Application" in role["allowedMemberTypes"] and role["isEnabled"]
        ]
    else:
        found = [_permission_of_scope(resource, one) for one in resource["oauth2PermissionScopes"] if one["isEnabled"]]
    return sorted(found, key=lambda permission: permission.value)


def read_resource(click: Click, app_id: str) -> dict[str, Any] | None:
    """The service principal of an API with what it offers, None when the tenant has none with this app id."""
    found: dict[str, Any] | None = click.find(f"servicePrincipals(appId={literal(app_id)})?{OFFERED}")
    return found


# --- consent ---------------------------------------------------------------------------------------------------------


def grant(click: Click, permissions: Permissions, principal: dict[str, Any]) -> int:
    """Grant what is configured and not granted yet; says how many permissions that were.

    Application permissions come first: they ask for the higher directory role, so a refusal comes before anything is
    done.
    """
    missing = [one for one in permissions.configured if not permissions.grants_of(one)]
    for one in missing:
        if one.kind == ROLE:
            body = {"principalId": principal["id"], "resourceId": one.resource["id"], "appRoleId": one.id}
            click.send("POST", f"servicePrincipals/{one.resource['id']}/appRoleAssignedTo", body)
    scopes: dict[str, list[str]] = {}
    for one in missing:
        if one.kind == SCOPE:
            scopes.setdefault(one.resource["id"], []).append(one.value)
    for resource_id, values in scopes.items():
        _grant_scopes(click, permissions, principal, resource_id, values)
    return len(missing)


def revoke(click: Click, gone: Granted) -> None:
    """Take one permission away: an assignment whole, of a grant its one scope."""
    left = [value for value in gone.whole if value != gone.permission.value]
    if gone.permission.kind == ROLE:
        click.send(
            "DELETE", f"servicePrincipals/{gone.permission.resource['id']}/appRoleAssignedTo/{segment(gone.object_id)}"
        )
    elif left:
        click.send("PATCH", f"oauth2PermissionGrants/{segment(gone.object_id)}", {"scope": " ".join(left)})
    else:
        click.send("DELETE", f"oauth2PermissionGrants/{segment(gone.object_id)}")


def _grant_scopes(
    click: Click, permissions: Permissions, principal: dict[str, Any], resource_id: str, values: list[str]
) -> None:
    """One grant holds all delegated permissions of an API: it is made, or gets longer."""
    existing = [
        one
        for one in permissions.granted
        if one.permission.kind == SCOPE and one.for_everybody and one.permission.resource["id"] == resource_id
    ]
    if existing:
        scope = " ".join((*existing[0].whole, *values))
        click.send("PATCH", f"oauth2PermissionGrants/{segment(existing[0].object_id)}", {"scope": scope})
        return
    body = {
        "clientId": principal["id"],
        "consentType": EVERYBODY,
        "resourceId": resource_id,
        "scope": " ".join(values),
    }
    click.send("POST", "oauth2PermissionGrants", body)


# --- APIs ------------------------------------------------------------------------------------------------------------


def _resource(click: Click, known: dict[str, dict[str, Any]], app_id: str) -> dict[str, Any]:
    if app_id not in known:
        known[app_id] = read_resource(click, app_id) or _unknown(app_id)
    return known[app_id]


def _resource_by_id(click: Click, known: dict[str, dict[str, Any]], object_id: str) -> dict[str, Any]:
    for resource in known.values():
        if resource["id"] == object_id:
            return resource
    found = click.find(f"servicePrincipals/{segment(object_id)}?{OFFERED}") or _unknown(object_id)
    known[found["appId"]] = found
    return found


def _unknown(name: str) -> dict[str, Any]:
    """What stands for an API that this tenant does not have."""
    return {"id": "", "appId": name, "displayName": name, "appRoles": [], "oauth2PermissionScopes": []}


def _scope_of_value(resource: dict[str, Any], value: str) -> Permission:
    for scope in resource["oauth2PermissionScopes"]:
        if scope["value"] == value:
            return _permission_of_scope(resource, scope)
    return Permission(resource, SCOPE, value, value, "Not known to this API", False)


def _permission_of_scope(resource: dict[str, Any], scope: dict[str, Any]) -> Permission:
    text = scope["adminConsentDisplayName"] or scope["value"]
    return Permission(resource, SCOPE, scope["id"], scope["value"], text, scope["type"] == "Admin")


def _once(permissions: list[Permission]) -> list[Permission]:
    """Each permission once, in the order of the wishes; `az ad app permission add` may have added one twice."""
    return list({one.name: one for one in permissions}.values())
