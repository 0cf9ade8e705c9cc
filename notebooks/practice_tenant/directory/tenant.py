"""What the practice tenant knows: the tenant, its people, applications, service principals and role assignments.

Objects are dictionaries with the property names of Microsoft Graph. A property that is null or an empty
collection may be left out of a stored object; whoever shows it puts it back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from ..clock import Clock
from ..formats import graph_time, seconds
from .certificates import RegisteredKey, key_credential, load_certificate
from .graph_permissions import APP_ROLES, SCOPES
from .objects import new_application, new_service_principal, principal_of
from .organisation import CONTOSO, Organisation
from .people import People
from .registrations import MULTI_TENANT, Registration, Registrations
from .well_known import (
    ADMINISTRATOR,
    APP_NAME,
    GRAPH_APP_ID,
    GRAPH_APP_ROLES,
    GRAPH_NAMES,
    GRAPH_SERVICE_PRINCIPAL_ID,
    MICROSOFT_TENANT_ID,
    OTHER_RESOURCES,
    PUBLIC_CLIENTS,
    Client,
    Person,
)

EVERYBODY, ONE_PERSON = "AllPrincipals", "Principal"  # whom a consent is for (resources/oauth2permissiongrant.md)
KEPT_AFTER_DELETION = 30 * 86_400  # seconds: then a deleted object is gone for good (application-delete.md)


class Register(dict[str, dict[str, Any]]):
    """Objects by id, in the order they came. Like a user in `People`, each has a place that no other ever gets."""

    def __init__(self) -> None:
        super().__init__()
        self._place_of: dict[str, int] = {}

    def __setitem__(self, object_id: str, item: dict[str, Any]) -> None:
        self._place_of.setdefault(object_id, len(self._place_of))
        super().__setitem__(object_id, item)

    def after(self, place: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """All objects whose place is beyond `place` (-1: from the start), each with its place."""
        places = sorted((self._place_of[object_id], object_id) for object_id in self)
        return ((number, self[object_id]) for number, object_id in places if number > place)


@dataclass
class Deleted:
    """An object in the directory's waste basket.

    Args:
        kind: ``user``, ``application`` or ``servicePrincipal``.
        item: the object with its deletedDateTime.
        at: Unix seconds of the deletion.
        place: a sequence number; no other deletion has the same, so a list can go on behind it.
    """

    kind: str
    item: dict[str, Any]
    at: float
    place: int


@dataclass
class Settings:
    """What the command line decides about the tenant.

    Args:
        users: size of the directory, None for the people in the data folder.
        sign_in_names: how the made people sign in, a key of `made_people.SIGN_IN_NAMES`.
        certificates: DER certificates to register on the daemon's application.
        secret: a client secret for it.
        roles: app roles of Microsoft Graph to grant it.
        organisation: whose directory it is.
        multi_tenant: whether other tenants may use that application. It then names `roles` as what it needs.
        registrations: what is known of other tenants' applications, None for nothing.
    """

    users: int | None = None
    sign_in_names: str = "mixed"
    certificates: tuple[bytes, ...] = ()
    secret: str | None = None
    roles: tuple[str, ...] = ("User.Read.All",)
    organisation: Organisation = CONTOSO
    multi_tenant: bool = False
    registrations: Registrations | None = None


class Tenant:
    """Everything the practice tenant knows, and its clock.

    Args:
        settings: what the command line decided.
        users: the people to begin with, see `load_people`. A stored user is never changed, only replaced by another.

    Attributes:
        organisation: whose directory it is.
        created: Unix seconds.
        client_id: the daemon application's client id, None when none was registered.
        applications, service_principals, assignments: object id -> object.
        grants: consent to delegated permissions, id -> ``oAuth2PermissionGrant``.
        federated: object id of an application -> its federated identity credentials.
        owners: object id of an application or a service principal -> ids of the users and service principals that own
            it.
        deleted: object id -> what was deleted less than 30 days ago.
        page_tokens: seals and hides what the tokens in links to further pages and rounds say.
        token_lifetime: seconds an access token is good for.
        clock: what time it is here.
    """

    def __init__(self, settings: Settings, users: list[dict[str, Any]]) -> None:
        self.organisation = settings.organisation
        self.id = self.organisation.id
        self.name = self.organisation.name
        self.domains = (self.organisation.domain, self.organisation.initial_domain)
        self.created = self.organisation.created
        self.people = People(users)
        self.applications = Register()
        self.service_principals = Register()
        self.assignments = Register()
        self.grants = Register()
        self.federated: dict[str, Register] = {}
        self.owners: dict[str, set[str]] = {}
        self.deleted: dict[str, Deleted] = {}
        self._deletions = 0
        self.page_tokens = AESSIV(AESSIV.generate_key(256))
        self._secret_hashes: dict[str, bytes] = {}
        self.client_id: str | None = None
        self.token_lifetime = 3600
        self.clock = Clock()
        self._registrations = settings.registrations
        self._add_resources()
        if settings.certificates or settings.secret:
            self._add_daemon(settings)

    # --- time and names -----------------------------------------------------------------------------------

    def now(self) -> float:
        """Unix seconds on the tenant's clock."""
        return self.clock.now()

    def is_named(self, name: str) -> bool:
        """Whether an authority's tenant segment means this tenant: its id or one of its domains."""
        return name.lower() in (self.id, *self.domains)

    @property
    def administrator(self) -> Person:
        """The account with which somebody signs in."""
        return self.organisation.person(ADMINISTRATOR)

    @property
    def graph_audiences(self) -> frozenset[str]:
        """Every spelling of Microsoft Graph that may stand as a token's audience."""
        return frozenset((GRAPH_APP_ID, *GRAPH_NAMES, *(f"{name}/" for name in GRAPH_NAMES)))

    # --- applications and service principals ------------------------------------------------------------

    def application(self, client_id: str) -> dict[str, Any] | None:
        return _first(self.applications.values(), "appId", client_id)

    def application_elsewhere(self, client_id: str) -> Registration | None:
        """The multi-tenant application with this client id that is registered in another tenant."""
        return self._registrations.find(client_id) if self._registrations else None

    def application_of_client(self, client_id: str) -> dict[str, Any] | None:
        """The application that may ask for tokens here: one of this tenant, or another's that has a service principal.

        What becomes of a service principal whose application is gone, or is single-tenant now, is chosen, not sourced:
        the application is not found.
        """
        own = self.application(client_id)
        if own is not None or self.service_principal(client_id) is None:
            return own
        found = self.application_elsewhere(client_id)
        return found.application if found else None

    def add_principal(self, application: dict[str, Any], home: str) -> dict[str, Any]:
        """Give an application its service principal here.

        Args:
            application: of this tenant, or a multi-tenant one.
            home: id of the tenant it is registered in.
        """
        principal = principal_of(application, home, self.now())
        self.service_principals[principal["id"]] = principal
        return principal

    def publish(self) -> None:
        """Let the other tenants know of this one's applications."""
        if self._registrations:
            self._registrations.publish(self.applications.values())

    def service_principal(self, client_id: str) -> dict[str, Any] | None:
        return _first(self.service_principals.values(), "appId", client_id)

    @property
    def graph(self) -> dict[str, Any]:
        """The service principal of Microsoft Graph, which every tenant has."""
        return self.service_principals[self.organisation.id_of(GRAPH_SERVICE_PRINCIPAL_ID)]

    def resource(self, name: str) -> dict[str, Any] | None:
        """The service principal that answers to a resource's URI or app id, trailing slash or not."""
        wanted = name.lower().removesuffix("/")
        for principal in self.service_principals.values():
            names = (uri.lower().rstrip("/") for uri in principal["servicePrincipalNames"])
            if wanted == principal["appId"] or wanted in names:
                return principal
        return None

    def granted_roles(self, principal: dict[str, Any], resource: dict[str, Any]) -> list[str]:
        """The values of the app roles this service principal was granted on the resource, sorted."""
        values = {role["id"]: role["value"] for role in resource["appRoles"] if role["value"]}
        return sorted(
            values[assignment["appRoleId"]]
            for assignment in self.assignments.values()
            if assignment["principalId"] == principal["id"]
            and assignment["resourceId"] == resource["id"]
            and assignment["appRoleId"] in values
        )

    def is_assigned(self, principal: dict[str, Any], resource: dict[str, Any]) -> bool:
        """Whether this service principal holds any assignment on the resource."""
        pair = (principal["id"], resource["id"])
        return any((one["principalId"], one["resourceId"]) == pair for one in self.assignments.values())

    def grant(
        self, principal: dict[str, Any], resource: dict[str, Any], role_id: str, *, kind: str = "ServicePrincipal"
    ) -> dict[str, Any]:
        """Assign an app role: this, and nothing else, is admin consent for an application permission.

        Args:
            kind: what the principal is, ``ServicePrincipal`` or ``User``.
        """
        assignment = {
            "id": secrets.token_urlsafe(32),
            "deletedDateTime": None,
            "appRoleId": role_id,
            "createdDateTime": graph_time(self.now(), fraction=True),
            "principalDisplayName": principal["displayName"],
            "principalId": principal["id"],
            "principalType": kind,
            "resourceDisplayName": resource["displayName"],
            "resourceId": resource["id"],
        }
        self.assignments[assignment["id"]] = assignment
        return assignment

    # --- consent to delegated permissions -------------------------------------------------------------------

    def consent(self, client: Client, permissions: Iterable[str]) -> None:
        """An administrator's yes, for everybody in the tenant, to delegated permissions of Microsoft Graph.

        One of Microsoft's own clients gets its service principal with the first consent, as in every tenant. An app of
        this tenant without one gets nothing: there is nothing that consent could hang on.

        Args:
            permissions: e.g. ``User.Read.All``; those the client had before stay.
        """
        wanted = set(permissions) - set(client.preauthorized)
        if not wanted:
            return
        principal = self.service_principal(client.id) or self._add_client(client)
        graph = self.service_principal(GRAPH_APP_ID)
        if principal is None or graph is None:
            return
        known = self.grant_of(principal["id"], graph["id"], EVERYBODY, None)
        if known is None:
            self.add_grant(principal["id"], graph["id"], EVERYBODY, None, " ".join(sorted(wanted)))
        else:
            known["scope"] = " ".join(sorted(wanted | set(known["scope"].split())))

    def consented(self, client: Client, person_id: str) -> set[str]:
        """The delegated permissions of Graph that a client may have for a person, pre-authorised ones included."""
        principal, graph = self.service_principal(client.id), self.service_principal(GRAPH_APP_ID)
        found = set(client.preauthorized)
        if principal is None or graph is None:
            return found
        for consent_type, whose in ((EVERYBODY, None), (ONE_PERSON, person_id)):
            grant = self.grant_of(principal["id"], graph["id"], consent_type, whose)
            if grant is not None:
                found.update(grant["scope"].split())
        return found

    def grant_of(
        self, client_id: str, resource_id: str, consent_type: str, person_id: str | None
    ) -> dict[str, Any] | None:
        """The consent between a client and a resource; there is one for everybody, and one for each person."""
        wanted = (client_id, resource_id, consent_type, person_id)
        for grant in self.grants.values():
            if (grant["clientId"], grant["resourceId"], grant["consentType"], grant["principalId"]) == wanted:
                return grant
        return None

    def add_grant(
        self, client_id: str, resource_id: str, consent_type: str, person_id: str | None, scope: str
    ) -> dict[str, Any]:
        """Write down consent to delegated permissions.

        Args:
            client_id, resource_id: object ids of two service principals.
            consent_type: ``AllPrincipals``, or ``Principal`` for one person alone.
            scope: the permissions with spaces between them.
        """
        grant: dict[str, Any] = {
            "clientId": client_id,
            "consentType": consent_type,
            "id": secrets.token_urlsafe(32),
            "principalId": person_id,
            "resourceId": resource_id,
            "scope": scope,
        }
        self.grants[grant["id"]] = grant
        return grant

    def _add_client(self, client: Client) -> dict[str, Any] | None:
        if client.id not in PUBLIC_CLIENTS:
            return None
        principal = new_service_principal(
            str(uuid.uuid4()),
            client.id,
            client.name,
            self.now(),
            owner_tenant=MICROSOFT_TENANT_ID,
            names=(client.id,),
            audience="AzureADMultipleOrgs",
        )
        self.service_principals[principal["id"]] = principal
        return principal

    # --- deleting and restoring -----------------------------------------------------------------------------

    def delete(self, kind: str, object_id: str) -> None:
        """Move an object to the waste basket; an application takes its service principal along."""
        item = self.people.remove(object_id) if kind == "user" else self._register(kind).pop(object_id)
        at = self.now()
        self._deletions += 1
        self.deleted[object_id] = Deleted(kind, item | {"deletedDateTime": graph_time(at)}, at, self._deletions)
        if kind == "application" and (principal := self.service_principal(item["appId"])):
            self.delete("servicePrincipal", principal["id"])

    def restore(self, object_id: str) -> dict[str, Any]:
        """Take an object out of the waste basket.

        An application brings the service principal along that was deleted last (chosen, not sourced).
        """
        gone = self.deleted.pop(object_id)
        item = gone.item | {"deletedDateTime": None}
        if gone.kind == "user":
            del item["deletedDateTime"]
            self.people.add(item)
            return item
        self._register(gone.kind)[object_id] = item
        principals = self._deleted_principals(item["appId"]) if gone.kind == "application" else []
        if principals and self.service_principal(item["appId"]) is None:
            self.restore(principals[-1])
        return item

    def purge(self, object_id: str) -> None:
        """Delete an object for good, with all that hangs on it."""
        gone = self.deleted.pop(object_id)
        for grant in list(self.grants.values()):
            if object_id in (grant["clientId"], grant["resourceId"], grant["principalId"]):
                del self.grants[grant["id"]]
        if gone.kind == "user":
            self.people.forget(object_id)
            return
        self.owners.pop(object_id, None)
        self.federated.pop(object_id, None)
        for assignment in list(self.assignments.values()):
            if object_id in (assignment["principalId"], assignment["resourceId"]):
                del self.assignments[assignment["id"]]
        for credential in gone.item["passwordCredentials"]:
            self._secret_hashes.pop(credential["keyId"], None)
        for other_id in self._deleted_principals(gone.item["appId"]) if gone.kind == "application" else ():
            self.purge(other_id)

    def purge_expired(self) -> None:
        """Delete for good what has waited for thirty days."""
        limit = self.now() - KEPT_AFTER_DELETION
        for object_id in [object_id for object_id, gone in self.deleted.items() if gone.at <= limit]:
            if object_id in self.deleted:  # an application before it may have taken it along
                self.purge(object_id)

    def _register(self, kind: str) -> Register:
        return self.applications if kind == "application" else self.service_principals

    def _deleted_principals(self, app_id: str) -> list[str]:
        return [
            object_id
            for object_id, gone in self.deleted.items()
            if gone.kind == "servicePrincipal" and gone.item["appId"] == app_id
        ]

    # --- credentials --------------------------------------------------------------------------------------

    def usable_keys(self, application: dict[str, Any]) -> list[RegisteredKey]:
        """The certificates an app can ask for tokens with: the application's, and its service principal's."""
        return [key for holder in self._holders(application) for key in self.registered_keys(holder)]

    def registered_keys(self, holder: dict[str, Any]) -> list[RegisteredKey]:
        """The certificates of an application or a service principal as the assertion's check needs them."""
        return [
            RegisteredKey(
                certificate=load_certificate(base64.b64decode(credential["key"])),
                key_id=credential["keyId"],
                start=seconds(credential["startDateTime"]),
                end=seconds(credential["endDateTime"]),
            )
            for credential in holder["keyCredentials"]
            if credential["type"] == "AsymmetricX509Cert"
        ]

    def add_secret(
        self, holder: dict[str, Any], text: str, *, name: str | None, start: float, end: float
    ) -> dict[str, Any]:
        """Register a client secret; only a hash of it is kept. Returns its ``passwordCredential``."""
        credential: dict[str, Any] = {
            "customKeyIdentifier": None,
            "displayName": name,
            "endDateTime": graph_time(end),
            "hint": text[:3],
            "keyId": str(uuid.uuid4()),
            "secretText": None,
            "startDateTime": graph_time(start),
        }
        holder["passwordCredentials"].append(credential)
        self._secret_hashes[credential["keyId"]] = _hash(text)
        return credential

    def remove_secret(self, holder: dict[str, Any], key_id: str) -> bool:
        """Take a client secret away; False when there is none with this keyId."""
        left = [one for one in holder["passwordCredentials"] if one["keyId"] != key_id]
        if len(left) == len(holder["passwordCredentials"]):
            return False
        holder["passwordCredentials"] = left
        self._secret_hashes.pop(key_id, None)
        return True

    def matching_secret(self, application: dict[str, Any], text: str) -> dict[str, Any] | None:
        """The registered secret that equals `text`, compared in constant time; all of them are looked at.

        As with certificates, the application's and its service principal's count alike.
        """
        given, found = _hash(text), None
        for holder in self._holders(application):
            for credential in holder["passwordCredentials"]:
                if hmac.compare_digest(self._secret_hashes.get(credential["keyId"], b""), given):
                    found = credential
        return found

    def _holders(self, application: dict[str, Any]) -> list[dict[str, Any]]:
        principal = self.service_principal(application["appId"])
        return [application] if principal is None else [application, principal]

    # --- set-up -------------------------------------------------------------------------------------------

    def _add_resources(self) -> None:
        resources = {GRAPH_APP_ID: ("Microsoft Graph", GRAPH_SERVICE_PRINCIPAL_ID, GRAPH_NAMES)} | OTHER_RESOURCES
        for app_id, (name, known_id, uris) in resources.items():
            object_id = self.organisation.id_of(known_id)
            self.service_principals[object_id] = new_service_principal(
                object_id,
                app_id,
                name,
                self.now(),
                owner_tenant=MICROSOFT_TENANT_ID,
                names=(app_id, *uris),
                audience="AzureADMultipleOrgs",
            )
        graph = self.graph
        graph["appRoles"] = [role.as_graph() for role in APP_ROLES]
        graph["oauth2PermissionScopes"] = [scope.as_graph() for scope in SCOPES]

    def _add_daemon(self, settings: Settings) -> None:
        own = self.organisation
        self.client_id = own.client_id
        audience = MULTI_TENANT[0] if settings.multi_tenant else "AzureADMyOrg"
        application = new_application(
            own.app_object_id, own.client_id, APP_NAME, self.now(), domain=own.domain, audience=audience
        )
        if settings.multi_tenant:
            needed = [{"id": GRAPH_APP_ROLES[role], "type": "Role"} for role in settings.roles]
            application["requiredResourceAccess"] = [{"resourceAppId": GRAPH_APP_ID, "resourceAccess": needed}]
        application["keyCredentials"] = [key_credential(der) for der in settings.certificates]
        self.applications[application["id"]] = application
        if settings.secret:
            two_years = timedelta(days=730).total_seconds()
            self.add_secret(application, settings.secret, name=None, start=self.now(), end=self.now() + two_years)
        principal = new_service_principal(
            own.service_principal_id,
            own.client_id,
            APP_NAME,
            self.now(),
            owner_tenant=self.id,
            names=(own.client_id,),
            audience=audience,
        )
        self.service_principals[principal["id"]] = principal
        for role in settings.roles:
            self.grant(principal, self.graph, GRAPH_APP_ROLES[role])


def _first(objects: Any, name: str, value: str) -> dict[str, Any] | None:
    return next((item for item in objects if item[name] == value.lower()), None)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
