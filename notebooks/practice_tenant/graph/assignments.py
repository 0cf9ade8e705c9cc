"""App role assignments: the consent an administrator gives to an app that calls for itself.

``appRoleAssignments`` hang on the client, ``appRoleAssignedTo`` on the resource; they are the same objects seen from
two sides, and Microsoft recommends the second.

Sources: graph docs serviceprincipal-post-approleassignedto.md, -list-, -delete-; error texts as public programs quote
them.
"""

from __future__ import annotations

import uuid
from typing import Any

from ..errors import bad_request, denied, missing, not_found
from ..formats import GUID
from ..messages import Answer, compact
from ..odata.links import entity_context
from ..odata.properties import APP_ROLE_ASSIGNMENTS
from .call import Call
from .directory_roles import may_assign_roles_of
from .entities import alternate_key
from .listing import list_objects, one_object
from .payload import read_properties
from .service_principals import find_service_principal

DEFAULT_ACCESS = str(uuid.UUID(int=0))  # the role of a resource that defines none
CLIENT_SIDE, RESOURCE_SIDE = ("principalId", "appRoleAssignments"), ("resourceId", "appRoleAssignedTo")
_WRITABLE = frozenset(["principalId", "resourceId", "appRoleId"])


def list_of_client(call: Call) -> Answer:
    """``GET /servicePrincipals/{id}/appRoleAssignments``: what this client was granted."""
    return _list(call, *CLIENT_SIDE)


def list_of_resource(call: Call) -> Answer:
    """``GET /servicePrincipals/{id}/appRoleAssignedTo``: to whom roles of this resource were granted."""
    return _list(call, *RESOURCE_SIDE)


def get_of_client(call: Call) -> Answer:
    """``GET /servicePrincipals/{client}/appRoleAssignments/{id}``."""
    return one_object(call, APP_ROLE_ASSIGNMENTS, _find(call, CLIENT_SIDE[0]), _show)


def get_of_resource(call: Call) -> Answer:
    """``GET /servicePrincipals/{resource}/appRoleAssignedTo/{id}``."""
    return one_object(call, APP_ROLE_ASSIGNMENTS, _find(call, RESOURCE_SIDE[0]), _show)


def assign_to_client(call: Call) -> Answer:
    """``POST /servicePrincipals/{client}/appRoleAssignments``: 201."""
    return _assign(call, *CLIENT_SIDE)


def assign_on_resource(call: Call) -> Answer:
    """``POST /servicePrincipals/{resource}/appRoleAssignedTo``: 201."""
    return _assign(call, *RESOURCE_SIDE)


def delete_of_client(call: Call) -> Answer:
    """``DELETE /servicePrincipals/{client}/appRoleAssignments/{id}``: 204."""
    return _delete(call, CLIENT_SIDE[0])


def delete_of_resource(call: Call) -> Answer:
    """``DELETE /servicePrincipals/{resource}/appRoleAssignedTo/{id}``: 204."""
    return _delete(call, RESOURCE_SIDE[0])


def _list(call: Call, side: str, name: str) -> Answer:
    principal = find_service_principal(call)
    here = [
        (place, assignment)
        for place, assignment in call.tenant.assignments.after(-1)
        if assignment[side] == principal["id"] and _is_alive(call, assignment)
    ]
    path = f"servicePrincipals/{principal['id']}/{name}"
    return list_objects(call, APP_ROLE_ASSIGNMENTS, here, _show, path=path, context=_context(call, name))


def _context(call: Call, name: str) -> str:
    """The key stands in the context as the path spelt it, an alternate key escaped (recorded)."""
    app_id = alternate_key(call.keys[0], "appId")
    shown = call.keys[0] if app_id is None else f"appId%3D{app_id}"
    return f"servicePrincipals('{shown}')/{name}"


def _is_alive(call: Call, assignment: dict[str, Any]) -> bool:
    """While one of its ends lies in the waste basket, an assignment is not shown."""
    principals = call.tenant.service_principals
    client = assignment["principalId"] in principals or call.tenant.people.find(assignment["principalId"])
    return bool(client) and assignment["resourceId"] in principals


def _find(call: Call, side: str) -> dict[str, Any]:
    principal, assignment = find_service_principal(call), call.tenant.assignments.get(call.keys[1])
    if assignment is None or assignment[side] != principal["id"] or not _is_alive(call, assignment):
        raise not_found(call.keys[1])
    return assignment


def _delete(call: Call, side: str) -> Answer:
    """204. Tokens that were given out before keep the role until they expire."""
    assignment = _find(call, side)
    if not may_assign_roles_of(call, call.tenant.service_principals[assignment["resourceId"]]):
        raise denied()
    del call.tenant.assignments[assignment["id"]]
    return Answer(204)


def _assign(call: Call, side: str, name: str) -> Answer:
    """Assign an app role; it stands in the next token, not in those that were given out before."""
    here, tenant = find_service_principal(call), call.tenant
    given = read_properties(call.json(), APP_ROLE_ASSIGNMENTS, _WRITABLE)
    for needed in ("principalId", "resourceId", "appRoleId"):
        if given.get(needed) is None:
            raise missing(needed, "AppRoleAssignment")
    ids = {needed: given[needed].lower() for needed in given}
    resource = tenant.service_principals.get(ids["resourceId"])
    principal, kind = _principal(call, ids["principalId"])
    if resource is None or principal is None or ids[side] != here["id"]:
        # Recorded for objects that are not there or not there yet; for another one than the path's it is chosen.
        raise bad_request("Not a valid reference update.")
    if not may_assign_roles_of(call, resource):
        raise denied()
    if not _is_defined(resource, ids["appRoleId"], "User" if kind == "User" else "Application"):
        raise bad_request("Permission being assigned was not found on application")
    if any(
        (one["principalId"], one["resourceId"], one["appRoleId"]) == (principal["id"], resource["id"], ids["appRoleId"])
        for one in tenant.assignments.values()
    ):
        raise bad_request("Permission being assigned already exists on the object")
    assignment = tenant.grant(principal, resource, ids["appRoleId"], kind=kind)
    context = {"@odata.context": entity_context(_context(call, name))}
    return Answer(201, body=compact(context | assignment))


def _principal(call: Call, object_id: str) -> tuple[dict[str, Any] | None, str]:
    found = call.tenant.service_principals.get(object_id)
    if found is None and GUID.fullmatch(object_id):
        return call.tenant.people.find(object_id), "User"
    return found, "ServicePrincipal"


def _is_defined(resource: dict[str, Any], role_id: str, member: str) -> bool:
    """Whether the resource has this role for this kind of member; the role of zeros is for those that define none."""
    roles = [role for role in resource["appRoles"] if member in role["allowedMemberTypes"] and role["isEnabled"]]
    if role_id == DEFAULT_ACCESS:
        return not roles
    return any(role["id"].lower() == role_id for role in roles)


def _show(assignment: dict[str, Any], names: tuple[str, ...] | None) -> dict[str, Any]:
    return {name: assignment.get(name) for name in names or assignment}
