"""What the practice tenant knows: the tenant, its people, applications, service principals and role assignments.

Objects are dictionaries with the property names of Microsoft Graph. A property that is null or an empty
collection may be left out of a stored object; whoever shows it puts it back.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from .assertion import RegisteredKey, thumbprints
from .odata_compare import order
from .tokens import GRAPH_APP_ID

PEOPLE_FILE = Path(__file__).resolve().parents[2] / "data" / "people.jsonl"

# Fixed, so that what a notebook shows is the same on every machine; never all zeros, because Entra answers a
# client id of zeros with an error of its own (700038).
TENANT_ID = "7d2c9e5a-1b64-4f0e-9a37-c3d58e41f260"
TENANT_NAME = "Contoso Practice"
DOMAIN = "contoso.example"
INITIAL_DOMAIN = "contoso.onmicrosoft.example"
CLIENT_ID = "4e8f1a6b-93d7-4c25-b0fa-6d1e72c4a895"
APP_OBJECT_ID = "b16a0d3f-58c2-4e97-8d41-0f9b7a25ce63"
SERVICE_PRINCIPAL_ID = "e95b7c20-3fd8-4a16-a7c4-815d2b60f3ea"
APP_NAME = "daemon-console"
GRAPH_SERVICE_PRINCIPAL_ID = "2a6f84d1-c07e-4b39-95e8-d42b1c7f5036"
TENANT_CREATED = 1_483_274_096  # Unix seconds
REGION = "EU"

# Application permissions of Microsoft Graph: value -> id of the app role (Microsoft Graph permissions reference).
GRAPH_APP_ROLES = {
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
    "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadBasic.All": "97235f07-e226-4f63-ace3-39588e11d3a1",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
}

# Resources a token can be asked for besides Microsoft Graph. Only their service principals exist here: a token for
# one of them is real, and Graph refuses it, which is the lesson.
OTHER_RESOURCES = {
    "797f4846-ba00-4fd7-ba43-dac1f8f63013": (
        "Windows Azure Service Management API",
        "5c3d9f07-86b1-4e2a-b4d5-70e1a98c62bf",
        ("https://management.azure.com", "https://management.core.windows.net"),
    ),
    "cfa8b339-82a2-471a-a3c9-0fc0be7a4093": (
        "Azure Key Vault",
        "d80e42a5-17fc-49b6-8c93-2e6ab5f0714d",
        ("https://vault.azure.net",),
    ),
}
GRAPH_NAMES = (
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
)


class People:
    """The users of the directory, in a fixed order that never depends on how they are asked for.

    Every user has a place (a sequence number) that is never given to another, so "the page after place 4,711" costs
    the same however large the directory is, and nobody is skipped or repeated when users come and go in between.

    Args:
        users: the users to begin with, each a dictionary with at least ``id`` and ``userPrincipalName``.
    """

    def __init__(self, users: list[dict[str, Any]]) -> None:
        self._places: list[dict[str, Any] | None] = []
        self._place_of: dict[str, int] = {}
        self._id_of_upn: dict[str, str] = {}
        self._prepared: dict[str, bytes] = {}
        self._ordered: tuple[Any, int, list[dict[str, Any]]] = (None, 0, [])
        self.revision = 0
        self.changes: list[tuple[int, str]] = []  # (revision, id of the user that changed), oldest first
        for user in users:
            self._append(user)

    def __len__(self) -> int:
        return len(self._place_of)

    def find(self, key: str) -> dict[str, Any] | None:
        """The user with this id or userPrincipalName; both compare without regard to case."""
        place = self._place_of.get(key.lower())
        if place is None:
            place = self._place_of.get(self._id_of_upn.get(key.casefold(), ""))
        return None if place is None else self._places[place]

    def after(self, place: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """All users whose place is beyond `place` (-1: from the start), each with its place."""
        for number, user in enumerate(islice(self._places, place + 1, None), place + 1):
            if user is not None:
                yield number, user

    def ordered(self, order_by: tuple[tuple[str, bool], ...]) -> list[dict[str, Any]]:
        """All users in the order of $orderby; the last order asked for is kept, so that pages cost no sorting."""
        asked, revision, users = self._ordered
        if asked != order_by or revision != self.revision:
            users = order(filter(None, self._places), order_by)
            self._ordered = (order_by, self.revision, users)
        return users

    def prepared(self, user: dict[str, Any], render: Callable[[dict[str, Any]], bytes]) -> bytes:
        """What `render` makes of a user, made once and kept until the user changes."""
        kept = self._prepared.get(user["id"])
        if kept is None:
            kept = self._prepared[user["id"]] = render(user)
        return kept

    def add(self, user: dict[str, Any]) -> None:
        """Add a user at the end and remember the change for delta queries."""
        self._append(user)
        self._remember(user["id"])

    def replace(self, user: dict[str, Any]) -> None:
        """Put a changed user in the place of the one with the same id."""
        place = self._place_of[user["id"]]
        del self._id_of_upn[self._places[place]["userPrincipalName"].casefold()]
        self._places[place] = user
        self._id_of_upn[user["userPrincipalName"].casefold()] = user["id"]
        self._remember(user["id"])

    def remove(self, user_id: str) -> dict[str, Any]:
        """Take a user out; the place stays empty."""
        place = self._place_of.pop(user_id)
        user, self._places[place] = self._places[place], None
        del self._id_of_upn[user["userPrincipalName"].casefold()]
        self._remember(user_id)
        return user

    def _append(self, user: dict[str, Any]) -> None:
        self._place_of[user["id"]] = len(self._places)
        self._places.append(user)
        self._id_of_upn[user["userPrincipalName"].casefold()] = user["id"]

    def _remember(self, user_id: str) -> None:
        self._prepared.pop(user_id, None)
        self.revision += 1
        self.changes.append((self.revision, user_id))


def load_people(count: int | None = None, file: Path = PEOPLE_FILE) -> list[dict[str, Any]]:
    """The people of the data folder, and made ones beyond them, the same at every start.

    Args:
        count: how many users; None for just those in the file, fewer than those cuts the list.

    Raises:
        ValueError: the file is missing or damaged; the text says what to do.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        people = [json.loads(line) for line in lines if line.strip()]
        known = [person["userPrincipalName"] and person["id"] for person in people]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"The people cannot be read from {file}: restore it with 'git checkout data'.") from error
    if count is None or count <= len(known):
        return people[:count]
    gc.disable()  # none of the many small objects made here is garbage; looking for some takes half the time
    try:
        return people + list(_made_people(people, count - len(people)))
    finally:
        gc.enable()


def _made_people(people: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    """Employees beyond the file: a colleague's place in the organisation with names from the same country."""
    patterns = [p for p in people if p.get("userType") == "Member" and p.get("givenName") and p.get("surname")]
    countries: dict[str, list[dict[str, Any]]] = {}
    for pattern in patterns:
        countries.setdefault(pattern.get("country", ""), []).append(pattern)
    for number in range(count):
        pattern = patterns[number % len(patterns)]
        compatriots = countries[pattern.get("country", "")]
        # Two strides that share no factor with each other walk through the pairs of names in a mixed order.
        given = compatriots[(number * 31 + 7) % len(compatriots)]
        family = compatriots[(number // len(patterns) * 17 + number) % len(compatriots)]
        yield _made_person(number, pattern, given, family)


def _made_person(number: int, pattern: dict, given: dict, family: dict) -> dict[str, Any]:
    local = f"{_ascii_name(given, 0)}.{_ascii_name(family, -1)}.{number}"
    address = f"{local}@{DOMAIN}"
    person = dict(pattern)
    person.update(
        id=_made_id(number),
        givenName=given["givenName"],
        surname=family["surname"],
        displayName=_display_name(pattern, given["givenName"], family["surname"]),
        userPrincipalName=address,
        mailNickname=local,
    )
    if "mail" in person:
        person["mail"] = address
    if "employeeId" in person:
        person["employeeId"] = f"E{200000 + number}"
    for one_of_a_kind in (
        "proxyAddresses",
        "otherMails",
        "onPremisesImmutableId",
        "onPremisesSamAccountName",
    ):
        person.pop(one_of_a_kind, None)
    return person


def _ascii_name(person: dict[str, Any], part: int) -> str:
    return person["userPrincipalName"].partition("@")[0].split(".")[part]


def _display_name(pattern: dict[str, Any], given: str, family: str) -> str:
    """Given name first or surname first, with or without a space: as the pattern's own display name has it."""
    shown = pattern["displayName"]
    gap = " " if " " in shown else ""
    return f"{family}{gap}{given}" if shown.startswith(pattern["surname"]) else f"{given}{gap}{family}"


def _made_id(number: int) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(f"practice person {number}".encode()).digest()[:16], version=4))


@dataclass
class Settings:
    """What the command line decides about the tenant.

    Args:
        users: size of the directory, None for the people in the data folder.
        certificates: DER certificates to register on the daemon's application.
        secret: a client secret for it.
        roles: app roles of Microsoft Graph to grant it.
    """

    users: int | None = None
    certificates: tuple[bytes, ...] = ()
    secret: str | None = None
    roles: tuple[str, ...] = ("User.Read.All",)


class Tenant:
    """Everything the practice tenant knows, and its clock.

    Attributes:
        client_id: the daemon application's client id, None when none was registered.
        applications, service_principals, assignments: object id -> object.
        token_lifetime: seconds an access token is good for.
        clock_shift: seconds the tenant's clock is ahead of the machine's.
    """

    def __init__(self, settings: Settings) -> None:
        self.id = TENANT_ID
        self.name = TENANT_NAME
        self.domains = (DOMAIN, INITIAL_DOMAIN)
        self.people = People(load_people(settings.users))
        self.applications: dict[str, dict[str, Any]] = {}
        self.service_principals: dict[str, dict[str, Any]] = {}
        self.assignments: dict[str, dict[str, Any]] = {}
        self._secret_hashes: dict[str, bytes] = {}
        self.client_id: str | None = None
        self.token_lifetime = 3600
        self.clock_shift = 0.0
        self._add_resources()
        if settings.certificates or settings.secret:
            self._add_daemon(settings)

    # --- time and names -----------------------------------------------------------------------------------

    def now(self) -> float:
        """Unix seconds on the tenant's clock."""
        return time.time() + self.clock_shift

    def is_named(self, name: str) -> bool:
        """Whether an authority's tenant segment means this tenant: its id or one of its domains."""
        return name.lower() in (self.id, *self.domains)

    @property
    def graph_audiences(self) -> frozenset[str]:
        """Every spelling of Microsoft Graph that may stand as a token's audience."""
        return frozenset((GRAPH_APP_ID, *GRAPH_NAMES, *(f"{name}/" for name in GRAPH_NAMES)))

    # --- applications and service principals ------------------------------------------------------------

    def application(self, client_id: str) -> dict[str, Any] | None:
        return _first(self.applications.values(), "appId", client_id)

    def service_principal(self, client_id: str) -> dict[str, Any] | None:
        return _first(self.service_principals.values(), "appId", client_id)

    def resource(self, name: str) -> dict[str, Any] | None:
        """The service principal that answers to a resource's URI or app id, trailing slash or not."""
        wanted = name.lower().rstrip("/")
        for principal in self.service_principals.values():
            names = (uri.lower().rstrip("/") for uri in principal["servicePrincipalNames"])
            if wanted == principal["appId"] or wanted in names:
                return principal
        return None

    def granted_roles(self, principal: dict[str, Any], resource: dict[str, Any]) -> list[str]:
        """The values of the app roles this service principal was granted on the resource, sorted."""
        values = {role["id"]: role["value"] for role in resource["appRoles"]}
        return sorted(
            values[assignment["appRoleId"]]
            for assignment in self.assignments.values()
            if assignment["principalId"] == principal["id"]
            and assignment["resourceId"] == resource["id"]
            and assignment["appRoleId"] in values
        )

    def grant(self, principal: dict[str, Any], resource: dict[str, Any], role_id: str) -> dict[str, Any]:
        """Assign an app role: this, and nothing else, is admin consent for an application permission."""
        assignment = {
            "id": secrets.token_urlsafe(32),
            "deletedDateTime": None,
            "appRoleId": role_id,
            "createdDateTime": graph_time(self.now(), fraction=True),
            "principalDisplayName": principal["displayName"],
            "principalId": principal["id"],
            "principalType": "ServicePrincipal",
            "resourceDisplayName": resource["displayName"],
            "resourceId": resource["id"],
        }
        self.assignments[assignment["id"]] = assignment
        return assignment

    # --- credentials --------------------------------------------------------------------------------------

    def registered_keys(self, application: dict[str, Any]) -> list[RegisteredKey]:
        """The certificates of an application as the assertion's check needs them."""
        return [
            RegisteredKey(
                certificate=_certificate(base64.b64decode(credential["key"])),
                key_id=credential["keyId"],
                start=datetime.fromisoformat(credential["startDateTime"]).timestamp(),
                end=datetime.fromisoformat(credential["endDateTime"]).timestamp(),
            )
            for credential in application["keyCredentials"]
            if credential["type"] == "AsymmetricX509Cert"
        ]

    def add_secret(self, application: dict[str, Any], text: str, *, name: str | None, start: float, end: float) -> dict:
        """Register a client secret; only a hash of it is kept. Returns its ``passwordCredential``."""
        credential = {
            "customKeyIdentifier": None,
            "displayName": name,
            "endDateTime": graph_time(end),
            "hint": text[:3],
            "keyId": str(uuid.uuid4()),
            "secretText": None,
            "startDateTime": graph_time(start),
        }
        application["passwordCredentials"].append(credential)
        self._secret_hashes[credential["keyId"]] = _hash(text)
        return credential

    def matching_secret(self, application: dict[str, Any], text: str) -> dict[str, Any] | None:
        """The registered secret that equals `text`, compared in constant time; all of them are looked at."""
        given, found = _hash(text), None
        for credential in application["passwordCredentials"]:
            if hmac.compare_digest(self._secret_hashes.get(credential["keyId"], b""), given):
                found = credential
        return found

    # --- set-up -------------------------------------------------------------------------------------------

    def _add_resources(self) -> None:
        roles = [
            {"allowedMemberTypes": ["Application"], "description": value, "displayName": value, "id": role_id,
             "isEnabled": True, "origin": "Application", "value": value}
            for value, role_id in GRAPH_APP_ROLES.items()
        ]  # fmt: skip
        resources = {GRAPH_APP_ID: ("Microsoft Graph", GRAPH_SERVICE_PRINCIPAL_ID, GRAPH_NAMES)} | OTHER_RESOURCES
        for app_id, (name, object_id, uris) in resources.items():
            self.service_principals[object_id] = new_service_principal(
                object_id,
                app_id,
                name,
                self.now(),
                names=(app_id, *uris),
                roles=roles if app_id == GRAPH_APP_ID else [],
            )

    def _add_daemon(self, settings: Settings) -> None:
        self.client_id = CLIENT_ID
        application = new_application(APP_OBJECT_ID, CLIENT_ID, APP_NAME, self.now())
        application["keyCredentials"] = [key_credential(der) for der in settings.certificates]
        self.applications[APP_OBJECT_ID] = application
        if settings.secret:
            two_years = timedelta(days=730).total_seconds()
            self.add_secret(application, settings.secret, name=None, start=self.now(), end=self.now() + two_years)
        principal = new_service_principal(SERVICE_PRINCIPAL_ID, CLIENT_ID, APP_NAME, self.now(), names=(CLIENT_ID,))
        self.service_principals[SERVICE_PRINCIPAL_ID] = principal
        graph = self.service_principals[GRAPH_SERVICE_PRINCIPAL_ID]
        for role in settings.roles:
            self.grant(principal, graph, GRAPH_APP_ROLES[role])


def new_application(object_id: str, app_id: str, name: str, now: float) -> dict[str, Any]:
    """An application object as Graph creates it, without credentials."""
    return {
        "id": object_id,
        "deletedDateTime": None,
        "appId": app_id,
        "createdDateTime": graph_time(now),
        "displayName": name,
        "identifierUris": [],
        "publisherDomain": DOMAIN,
        "signInAudience": "AzureADMyOrg",
        "keyCredentials": [],
        "passwordCredentials": [],
        "requiredResourceAccess": [],
    }


def new_service_principal(
    object_id: str,
    app_id: str,
    name: str,
    now: float,
    *,
    names: tuple[str, ...],
    roles: list[dict[str, Any]] = (),
) -> dict[str, Any]:
    """A service principal: the application's presence in this tenant."""
    return {
        "id": object_id,
        "deletedDateTime": None,
        "accountEnabled": True,
        "appDisplayName": name,
        "appId": app_id,
        "appOwnerOrganizationId": TENANT_ID,
        "appRoleAssignmentRequired": False,
        "createdDateTime": graph_time(now),
        "displayName": name,
        "servicePrincipalNames": list(names),
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMyOrg",
        "appRoles": list(roles),
        "keyCredentials": [],
        "passwordCredentials": [],
    }


def key_credential(der: bytes, *, name: str | None = None, key_id: str | None = None) -> dict[str, Any]:
    """A certificate as a ``keyCredential`` (graph docs: resources/keycredential.md).

    The dates are the certificate's own; ``customKeyIdentifier`` is its SHA-1 thumbprint in upper-case hex.

    Raises:
        ValueError: the bytes are not a certificate.
    """
    certificate = _certificate(der)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return {
        "customKeyIdentifier": thumbprints(certificate)[0].hex().upper(),
        "displayName": name or (f"CN={names[0].value}" if names else certificate.subject.rfc4514_string()),
        "endDateTime": graph_time(certificate.not_valid_after_utc.timestamp()),
        "key": base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii"),
        "keyId": key_id or str(uuid.uuid4()),
        "startDateTime": graph_time(certificate.not_valid_before_utc.timestamp()),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def graph_time(seconds: float, *, fraction: bool = False) -> str:
    """Unix seconds as Graph writes a DateTimeOffset; 201 bodies have seven fractional digits, later reads none."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{moment.microsecond:06d}0Z" if fraction else "Z")


@lru_cache(maxsize=1024)
def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _first(objects: Any, name: str, value: str) -> dict[str, Any] | None:
    return next((item for item in objects if item[name] == value.lower()), None)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
