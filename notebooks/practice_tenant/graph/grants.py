"""Delegated permission grants: consent to what an app may do for people who signed in.

A grant ties a client's service principal to a resource's. It is for everybody in the tenant (``AllPrincipals``: an
administrator consented) or for one person (``Principal``).

Sources: graph docs oauth2permissiongrant-list.md, -post.md, -get.md, -update.md, -delete.md,
serviceprincipal-list-oauth2permissiongrants.md, resources/oauth2permissiongrant.md; single error texts as marked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..directory.tenant import EVERYBODY, ONE_PERSON
from ..errors import bad_request, denied, invalid, missing, not_found
from ..messages import Answer
from ..odata.links import entity_context
from ..odata.properties import GRANTS
from .call import Call
from .directory_roles import may_consent_for_everybody
from .listing import Object, created, list_objects, one_object
from .payload import read_properties
from .service_principals import find_service_principal
from .users import find_user

_WRITABLE = frozenset(["clientId", "consentType", "principalId", "resourceId", "scope"])
_RESOURCE = "OAuth2PermissionGrant"


def list_grants(call: Call) -> Answer:
    """``GET /oauth2PermissionGrants``."""
    return list_objects(call, GRANTS, _alive(call), _show, path="oauth2PermissionGrants")


def list_grants_of_client(call: Call) -> Answer:
    """``GET /servicePrincipals/{client}/oauth2PermissionGrants``."""
    principal = find_service_principal(call)
    here = ((place, grant) for place, grant in _alive(call) if grant["clientId"] == principal["id"])
    path = f"servicePrincipals/{principal['id']}/oauth2PermissionGrants"
    return list_objects(call, GRANTS, here, _show, path=path)


def list_grants_of_person(call: Call) -> Answer:
    """``GET /users/{key}/oauth2PermissionGrants``: what a person consented to, not what stands for everybody."""
    user = find_user(call, call.keys[0])
    here = ((place, grant) for place, grant in _alive(call) if grant["principalId"] == user["id"])
    return list_objects(call, GRANTS, here, _show, path=f"users/{user['id']}/oauth2PermissionGrants")


def get_grant(call: Call) -> Answer:
    """``GET /oauth2PermissionGrants/{id}``."""
    return one_object(call, GRANTS, _find(call), _show)


def create_grant(call: Call) -> Answer:
    """``POST /oauth2PermissionGrants``: 201. The permissions count from the next token on."""
    body = {name: value for name, value in call.json().items() if name not in ("id", "startTime", "expiryTime")}
    given = read_properties(body, GRANTS, _WRITABLE)
    for needed in ("clientId", "consentType", "resourceId"):
        if not given.get(needed):
            raise missing(needed, _RESOURCE)
    if given["consentType"] not in (EVERYBODY, ONE_PERSON):
        raise invalid("consentType", _RESOURCE)
    client_id, resource_id = given["clientId"].lower(), given["resourceId"].lower()
    for object_id in (client_id, resource_id):
        if object_id not in call.tenant.service_principals:
            raise not_found(object_id)
    _require_role(call, given["consentType"])
    person_id = _person(call, given)
    if call.tenant.grant_of(client_id, resource_id, given["consentType"], person_id):
        raise bad_request("Permission entry already exists.")  # recorded
    scope = given.get("scope") or ""
    grant = call.tenant.add_grant(client_id, resource_id, given["consentType"], person_id, scope.strip())
    context = {"@odata.context": entity_context("oauth2PermissionGrants")}
    return created(call, context | grant, _RESOURCE)


def update_grant(call: Call) -> Answer:
    """``PATCH /oauth2PermissionGrants/{id}``: 204. Only ``scope`` may change, and it replaces the whole list."""
    grant = _find(call)
    _require_role(call, grant["consentType"])
    given = read_properties(call.json(), GRANTS, frozenset(["scope"]))
    if "scope" in given:
        grant["scope"] = (given["scope"] or "").strip()
    return Answer(204)


def delete_grant(call: Call) -> Answer:
    """``DELETE /oauth2PermissionGrants/{id}``: 204. Access tokens that were given out stay good until they expire."""
    grant = _find(call)
    _require_role(call, grant["consentType"])
    del call.tenant.grants[grant["id"]]
    return Answer(204)


def _require_role(call: Call, consent_type: str) -> None:
    """Consent for everybody takes a directory role that may give it.

    Raises:
        GraphError: 403.
    """
    if consent_type == EVERYBODY and not may_consent_for_everybody(call):
        raise denied()


def _person(call: Call, given: dict[str, Any]) -> str | None:
    """Whose consent it is: needed for one person, and out of place for everybody (the answers are chosen)."""
    person_id = given.get("principalId")
    if given["consentType"] == EVERYBODY:
        if person_id:
            raise invalid("principalId", _RESOURCE)
        return None
    if not person_id:
        raise missing("principalId", _RESOURCE)
    person = call.tenant.people.find(person_id)
    if person is None:
        raise not_found(person_id)
    return str(person["id"])


def _alive(call: Call) -> Iterator[tuple[int, Object]]:
    """While one of its ends lies in the waste basket, a grant is not shown."""
    tenant = call.tenant
    for place, grant in tenant.grants.after(-1):
        ends = {grant["clientId"], grant["resourceId"]}
        person_is_there = grant["principalId"] is None or tenant.people.find(grant["principalId"])
        if ends <= tenant.service_principals.keys() and person_is_there:
            yield place, grant


def _find(call: Call) -> Object:
    for _, grant in _alive(call):
        if grant["id"] == call.keys[0]:
            return grant
    raise not_found(call.keys[0])


def _show(grant: Object, names: tuple[str, ...] | None) -> Object:
    return {name: grant.get(name) for name in names or grant}
