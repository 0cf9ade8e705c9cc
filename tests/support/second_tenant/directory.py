"""What the organisation has: people, applications, service principals, consent. Both services read it."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .answers import new_id, now
from .people import DOMAIN, FIRST_DOMAIN, people

TENANT_ID = "b83c0f6e-94d7-4a51-8e2b-d06f17a95c3e"
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
GRAPH_PRINCIPAL = "6e0d7c52-1b4f-47a9-b7e3-95f2c8a1d604"
COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
# The application roles of Microsoft Graph that are needed here (Microsoft Graph permissions reference).
ROLES = {
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadBasic.All": "97235f07-e226-4f63-ace3-39588e11d3a1",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
}
LAG = 1  # how often something new is unknown before it is known


@dataclass
class Secret:
    value: str
    key_id: str = field(default_factory=new_id)


@dataclass
class App:
    """An application. `lag` counts down with every look at it from the other service."""

    name: str
    audience: str = "AzureADMyOrg"
    app_id: str = field(default_factory=new_id)
    object_id: str = field(default_factory=new_id)
    certificates: list[dict[str, Any]] = field(default_factory=list)
    ders: list[bytes] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    wishes: list[Any] = field(default_factory=list)
    lag: int = LAG

    def as_json(self) -> dict[str, Any]:
        return {
            "appId": self.app_id,
            "createdDateTime": f"{now():%Y-%m-%dT%H:%M:%SZ}",
            "displayName": self.name,
            "id": self.object_id,
            "keyCredentials": self.certificates,
            "passwordCredentials": [{"keyId": one.key_id, "hint": one.value[:3]} for one in self.secrets],
            "requiredResourceAccess": self.wishes,
            "signInAudience": self.audience,
        }

    def put_certificates(self, credentials: list[dict[str, Any]]) -> None:
        """Replaces the collection, as PATCH does; a member without ``key`` is one that is there already."""
        known = {one["customKeyIdentifier"]: der for one, der in zip(self.certificates, self.ders, strict=True)}
        self.certificates, self.ders = [], []
        for credential in credentials:
            thumbprint = credential.get("customKeyIdentifier")
            der = known.get(thumbprint) or der_of(credential["key"])
            read = x509.load_der_x509_certificate(der)
            self.ders.append(der)
            self.certificates.append(
                {
                    "customKeyIdentifier": hashlib.sha1(der).hexdigest().upper(),  # noqa: S324 - Entra's thumbprint
                    "displayName": read.subject.rfc4514_string(),
                    "endDateTime": f"{read.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
                    "key": None,
                    "keyId": credential.get("keyId") or new_id(),
                    "startDateTime": f"{read.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
                    "type": "AsymmetricX509Cert",
                    "usage": "Verify",
                }
            )


def der_of(key: str) -> bytes:
    """The certificate's bytes: base64 of DER or, as recorded from azure-cli, of PEM."""
    data = base64.b64decode(key)
    if data.startswith(b"-----BEGIN"):
        return x509.load_pem_x509_certificate(data).public_bytes(Encoding.DER)
    return data


@dataclass
class Principal:
    """A service principal, with what was consented to: role ids by assignment id."""

    app_id: str
    name: str
    object_id: str = field(default_factory=new_id)
    tags: list[str] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)
    lag: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "accountEnabled": True,
            "appDisplayName": self.name,
            "appId": self.app_id,
            "appRoles": graph_roles() if self.app_id == GRAPH_APP else [],
            "displayName": self.name,
            "id": self.object_id,
            "servicePrincipalType": "Application",
            "tags": self.tags,
        }

    def assignments(self) -> list[dict[str, Any]]:
        return [
            {
                "appRoleId": role,
                "id": key,
                "principalDisplayName": self.name,
                "principalId": self.object_id,
                "principalType": "ServicePrincipal",
                "resourceDisplayName": "Microsoft Graph",
                "resourceId": GRAPH_PRINCIPAL,
            }
            for key, role in self.roles.items()
        ]


def graph_roles() -> list[dict[str, Any]]:
    return [
        {"allowedMemberTypes": ["Application"], "id": key, "isEnabled": True, "value": name}
        for name, key in ROLES.items()
    ]


class Directory:
    def __init__(self, size: int):
        self.tenant_id = TENANT_ID
        self.domains = (DOMAIN, FIRST_DOMAIN)
        self.name = "Havn Logistikk AS"
        self.users = people(size)
        self.by_key = {user[key].lower(): user for user in self.users for key in ("id", "userPrincipalName")}
        self.apps: list[App] = []
        self.deleted: list[App] = []
        self.principals = [Principal(GRAPH_APP, "Microsoft Graph", GRAPH_PRINCIPAL)]

    def register(self, name: str, certificate: x509.Certificate, secret: str, roles: tuple[str, ...]) -> App:
        """An app that was registered, and consented to, long ago."""
        app = App(name, lag=0, secrets=[Secret(secret)])
        key = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
        app.put_certificates([{"key": key}])
        self.apps.append(app)
        granted = {new_id(): ROLES[role] for role in roles}
        self.principals.append(Principal(app.app_id, name, roles=granted))
        return app

    def app(self, key: str) -> App | None:
        """By object id or client id."""
        return next((one for one in self.apps if key.lower() in (one.object_id, one.app_id)), None)

    def principal(self, key: str) -> Principal | None:
        """By object id or client id."""
        return next((one for one in self.principals if key.lower() in (one.object_id, one.app_id)), None)

    def delete(self, app: App) -> None:
        self.apps.remove(app)
        self.deleted.append(app)
        self.principals = [one for one in self.principals if one.app_id != app.app_id]
