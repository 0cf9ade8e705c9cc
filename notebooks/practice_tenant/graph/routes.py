"""Everything of Microsoft Graph that is played: each operation, what does it, and which permission it asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ..messages import Answer
from . import (
    applications,
    assignments,
    batch,
    credentials,
    deleted_items,
    delta,
    federated_credentials,
    grants,
    organization,
    owners,
    service_principals,
    user_changes,
    users,
)
from .call import Call
from .permissions import (
    AS_USER,
    ASSIGN_ROLES,
    DELETE_USERS,
    OWNED,
    READ_APPS,
    READ_GRANTS,
    READ_ME,
    READ_ORGANIZATION,
    READ_USERS,
    WRITE_APPS,
    WRITE_GRANTS,
    WRITE_USERS,
)


class Route(NamedTuple):
    """One operation: method, path template, what it does, and any one of these permissions is needed for it.

    Args:
        roles: application permissions, in the token's `roles`; None when the handler itself asks for permissions.
        scopes: delegated permissions, in the token's `scp`.
        for_owner: application permissions that suffice when the caller owns the application it is about.
        metered: whether the request costs resource units.
    """

    method: str
    path: str
    handler: Callable[[Call], Answer]
    roles: tuple[str, ...] | None
    scopes: tuple[str, ...] = ()
    for_owner: tuple[str, ...] = ()
    metered: bool = True


ASKED_BY_HANDLER = None  # which permission is needed depends on more than the path: the handler asks


def _reads(path: str, handler: Callable[[Call], Answer]) -> Route:
    return Route("GET", path, handler, READ_APPS + OWNED, READ_APPS + AS_USER)


def _writes(method: str, path: str, handler: Callable[[Call], Answer]) -> Route:
    return Route(method, path, handler, WRITE_APPS, WRITE_APPS + AS_USER, for_owner=OWNED)


def _assigns(method: str, path: str, handler: Callable[[Call], Answer]) -> Route:
    return Route(method, path, handler, ASSIGN_ROLES, ASSIGN_ROLES + AS_USER)


def _reads_grants(path: str, handler: Callable[[Call], Answer]) -> Route:
    return Route("GET", path, handler, READ_GRANTS, READ_GRANTS + AS_USER)


def _writes_grants(method: str, path: str, handler: Callable[[Call], Answer]) -> Route:
    return Route(method, path, handler, WRITE_GRANTS, WRITE_GRANTS + AS_USER)


# A fixed name counts before a key in the same place.
ROUTES = (
    Route("GET", "me", users.get_me, (), READ_ME),
    Route("GET", "me/manager", users.get_my_manager, (), READ_USERS + AS_USER),
    Route("GET", "me/ownedObjects", owners.list_my_objects, (), READ_ME + AS_USER),
    Route("GET", "users", users.list_users, READ_USERS, READ_USERS),
    Route("POST", "users", user_changes.create_user, WRITE_USERS, WRITE_USERS + AS_USER),
    Route("GET", "users/$count", users.count_users, READ_USERS, READ_USERS),
    Route("GET", "users/delta", delta.track_users, READ_USERS, READ_USERS + AS_USER),
    Route("GET", "users/{key}", users.get_user, READ_USERS, READ_USERS),
    Route("PATCH", "users/{key}", user_changes.update_user, WRITE_USERS, WRITE_USERS + AS_USER),
    Route("DELETE", "users/{key}", user_changes.delete_user, DELETE_USERS, DELETE_USERS + AS_USER),
    Route("GET", "users/{key}/manager", users.get_manager, READ_USERS, READ_USERS + AS_USER),
    _reads_grants("users/{key}/oauth2PermissionGrants", grants.list_grants_of_person),
    Route("PUT", "users/{key}/manager/$ref", user_changes.set_manager, WRITE_USERS, WRITE_USERS + AS_USER),
    Route("DELETE", "users/{key}/manager/$ref", user_changes.remove_manager, WRITE_USERS, WRITE_USERS + AS_USER),
    _reads("applications", applications.list_applications),
    _writes("POST", "applications", applications.create_application),
    _reads("applications/$count", applications.count_applications),
    _reads("applications/{key}", applications.get_application),
    _writes("PATCH", "applications/{key}", applications.update_application),
    _writes("DELETE", "applications/{key}", applications.delete_application),
    _writes("POST", "applications/{key}/addPassword", credentials.add_password),
    _writes("POST", "applications/{key}/removePassword", credentials.remove_password),
    Route("POST", "applications/{key}/addKey", credentials.add_key, ASKED_BY_HANDLER),
    Route("POST", "applications/{key}/removeKey", credentials.remove_key, ASKED_BY_HANDLER),
    _reads("applications/{key}/owners", owners.list_owners),
    _writes("POST", "applications/{key}/owners/$ref", owners.add_owner),
    _writes("DELETE", "applications/{key}/owners/{key}/$ref", owners.remove_owner),
    _reads("applications/{key}/federatedIdentityCredentials", federated_credentials.list_credentials),
    _writes("POST", "applications/{key}/federatedIdentityCredentials", federated_credentials.create_credential),
    _reads("applications/{key}/federatedIdentityCredentials/{key}", federated_credentials.get_credential),
    _writes("PATCH", "applications/{key}/federatedIdentityCredentials/{key}", federated_credentials.update_credential),
    _writes("DELETE", "applications/{key}/federatedIdentityCredentials/{key}", federated_credentials.delete_credential),
    _reads("servicePrincipals", service_principals.list_service_principals),
    _writes("POST", "servicePrincipals", service_principals.create_service_principal),
    _reads("servicePrincipals/$count", service_principals.count_service_principals),
    _reads("servicePrincipals/{key}", service_principals.get_service_principal),
    _writes("PATCH", "servicePrincipals/{key}", service_principals.update_service_principal),
    _writes("DELETE", "servicePrincipals/{key}", service_principals.delete_service_principal),
    _writes("POST", "servicePrincipals/{key}/addPassword", credentials.add_password),
    _writes("POST", "servicePrincipals/{key}/removePassword", credentials.remove_password),
    Route("POST", "servicePrincipals/{key}/addKey", credentials.add_key, ASKED_BY_HANDLER),
    Route("POST", "servicePrincipals/{key}/removeKey", credentials.remove_key, ASKED_BY_HANDLER),
    _reads("servicePrincipals/{key}/appRoleAssignments", assignments.list_of_client),
    _assigns("POST", "servicePrincipals/{key}/appRoleAssignments", assignments.assign_to_client),
    _reads("servicePrincipals/{key}/appRoleAssignments/{key}", assignments.get_of_client),
    _assigns("DELETE", "servicePrincipals/{key}/appRoleAssignments/{key}", assignments.delete_of_client),
    _reads("servicePrincipals/{key}/appRoleAssignedTo", assignments.list_of_resource),
    _assigns("POST", "servicePrincipals/{key}/appRoleAssignedTo", assignments.assign_on_resource),
    _reads("servicePrincipals/{key}/appRoleAssignedTo/{key}", assignments.get_of_resource),
    _assigns("DELETE", "servicePrincipals/{key}/appRoleAssignedTo/{key}", assignments.delete_of_resource),
    _reads("servicePrincipals/{key}/owners", owners.list_owners),
    _writes("POST", "servicePrincipals/{key}/owners/$ref", owners.add_owner),
    _writes("DELETE", "servicePrincipals/{key}/owners/{key}/$ref", owners.remove_owner),
    _reads_grants("servicePrincipals/{key}/oauth2PermissionGrants", grants.list_grants_of_client),
    _reads_grants("oauth2PermissionGrants", grants.list_grants),
    _writes_grants("POST", "oauth2PermissionGrants", grants.create_grant),
    _reads_grants("oauth2PermissionGrants/{key}", grants.get_grant),
    _writes_grants("PATCH", "oauth2PermissionGrants/{key}", grants.update_grant),
    _writes_grants("DELETE", "oauth2PermissionGrants/{key}", grants.delete_grant),
    Route("GET", "directory/deletedItems/user", deleted_items.list_users, READ_USERS, READ_USERS + AS_USER),
    _reads("directory/deletedItems/application", deleted_items.list_applications),
    _reads("directory/deletedItems/servicePrincipal", deleted_items.list_service_principals),
    Route("GET", "directory/deletedItems/{key}", deleted_items.get_item, ASKED_BY_HANDLER),
    Route("DELETE", "directory/deletedItems/{key}", deleted_items.purge_item, ASKED_BY_HANDLER),
    Route("POST", "directory/deletedItems/{key}/restore", deleted_items.restore_item, ASKED_BY_HANDLER),
    Route("GET", "organization", organization.list_organization, READ_ORGANIZATION, (*READ_ORGANIZATION, "User.Read")),
    Route("GET", "organization/{key}", organization.get_organization, READ_ORGANIZATION,
          (*READ_ORGANIZATION, "User.Read")),
    Route("POST", "$batch", batch.answer_batch, ASKED_BY_HANDLER, metered=False),
)  # fmt: skip


@dataclass
class Place:
    """One place in the tree of all paths: what goes on from here, and what can be done here.

    Args:
        names: the places behind fixed names, in lower case.
        behind_key: the place behind any other segment, which is a key; None when no key may come.
        routes: by method.
    """

    names: dict[str, Place] = field(default_factory=dict)
    behind_key: Place | None = None
    routes: dict[str, Route] = field(default_factory=dict)

    def add(self, route: Route) -> None:
        """Put a route at the end of its path."""
        place = self
        for name in route.path.split("/"):
            if name == "{key}":
                place.behind_key = place.behind_key or Place()
                place = place.behind_key
            else:
                place = place.names.setdefault(name.lower(), Place())
        place.routes[route.method] = route


@dataclass
class Walk:
    """How far a path leads.

    Args:
        place: the last place that exists.
        keys: the segments that were taken for keys.
        unknown: the first segment that leads nowhere; None when the whole path exists.
    """

    place: Place
    keys: list[str]
    unknown: str | None = None


def walk(segments: list[str]) -> Walk:
    """Follow a path; names compare without case."""
    place, keys = _TREE, []
    for segment in segments:
        named = place.names.get(segment.lower())
        if named is not None:
            place = named
        elif place.behind_key is not None:
            place = place.behind_key
            keys.append(segment)
        else:
            return Walk(place, keys, segment)
    return Walk(place, keys)


_TREE = Place()
for _route in ROUTES:
    _TREE.add(_route)
