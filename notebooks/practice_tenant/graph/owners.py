"""Owners of applications and service principals: users and service principals.

Sources: graph docs application-list-owners.md, application-post-owners.md, application-delete-owners.md, and the same
of serviceprincipal; single error texts as marked.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ..errors import bad_request, missing, not_found
from ..messages import Answer
from ..odata.properties import APPLICATIONS, DIRECTORY_OBJECTS, SERVICE_PRINCIPALS, USERS, Collection
from .applications import find_application, show_application
from .call import Call
from .listing import Object, Show, list_objects
from .service_principals import find_service_principal, show_service_principal
from .users import shape

_SHOWN: dict[str, tuple[Collection, Show]] = {
    "user": (USERS, shape),
    "application": (APPLICATIONS, show_application),
    "servicePrincipal": (SERVICE_PRINCIPALS, show_service_principal),
}


def list_owners(call: Call) -> Answer:
    """``GET …/owners``: each says in ``@odata.type`` what it is."""
    owned = _owned(call)
    kind = call.template.partition("/")[0]
    owners = [_directory_object(call, owner_id) for owner_id in sorted(call.tenant.owners.get(owned["id"], ()))]
    present = enumerate(owner for owner in owners if owner is not None)
    return list_objects(call, DIRECTORY_OBJECTS, present, _show, path=f"{kind}/{owned['id']}/owners")


def list_my_objects(call: Call) -> Answer:
    """``GET /me/ownedObjects``: the applications and service principals of the person who signed in."""
    tenant, person_id = call.tenant, call.claims["oid"]
    things = (*tenant.applications.values(), *tenant.service_principals.values())
    owned = enumerate(thing for thing in things if person_id in tenant.owners.get(thing["id"], ()))
    return list_objects(call, DIRECTORY_OBJECTS, owned, _show, path="me/ownedObjects")


def add_owner(call: Call) -> Answer:
    """``POST …/owners/$ref`` with ``{"@odata.id": "…/directoryObjects/{id}"}``: 204."""
    owned, reference = _owned(call, to_write=True), call.json().get("@odata.id")
    if not isinstance(reference, str):
        raise missing("@odata.id", "DirectoryObject")
    owner_id = urlsplit(reference).path.rstrip("/").rpartition("/")[2].lower()
    owner = _directory_object(call, owner_id)
    if owner is None:
        raise not_found(owner_id)
    owners = call.tenant.owners.setdefault(owned["id"], set())
    if owner["id"] in owners:  # recorded by many public programs
        text = "One or more added object references already exist for the following modified properties: 'owners'."
        raise bad_request(text)
    owners.add(owner["id"])
    return Answer(204)


def remove_owner(call: Call) -> Answer:
    """``DELETE …/owners/{id}/$ref``: 204. The last owner may go as well (chosen, not sourced)."""
    owned, owner_id = _owned(call, to_write=True), call.keys[1].lower()
    owners = call.tenant.owners.get(owned["id"], set())
    if owner_id not in owners:
        raise not_found(owner_id)
    owners.discard(owner_id)
    return Answer(204)


def _owned(call: Call, *, to_write: bool = False) -> Object:
    if call.template.startswith("servicePrincipals"):
        return find_service_principal(call, to_write=to_write)
    return find_application(call, to_write=to_write)


def _directory_object(call: Call, object_id: str) -> dict[str, Any] | None:
    """The user or service principal with this id, None when there is none."""
    principal = call.tenant.service_principals.get(object_id)
    if principal is not None:
        return principal
    user = call.tenant.people.find(object_id)
    return user if user is not None and user["id"] == object_id else None


def _show(thing: Object, names: tuple[str, ...] | None) -> Object:
    kind = _kind(thing)
    collection, show = _SHOWN[kind]
    known = names and tuple(name for name in names if name in collection.names.values())
    return {"@odata.type": f"#microsoft.graph.{kind}"} | show(thing, known)


def _kind(thing: Object) -> str:
    if "servicePrincipalType" in thing:
        return "servicePrincipal"
    return "application" if "appId" in thing else "user"
