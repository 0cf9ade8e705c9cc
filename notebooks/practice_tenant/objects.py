"""What applications, service principals and key credentials look like when they are new.

The keys, their order and the values nobody set are those of recorded answers to POST /applications and POST
/servicePrincipals (azure-cli, test_create_for_rbac_create_cert.yaml).
"""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from .assertion import thumbprints

ANY_ACCOUNT = "AzureADandPersonalMicrosoftAccount"
LONGEST_KEY_NAME = 90  # characters; longer names are taken and cut (graph docs: resources/keycredential.md)


def new_application(
    object_id: str, app_id: str, name: str, now: float, *, domain: str, audience: str = "AzureADMyOrg"
) -> dict[str, Any]:
    """An application object as Graph creates it, without credentials.

    Args:
        now: Unix seconds, becomes createdDateTime.
        domain: the tenant's publisher domain.
        audience: signInAudience.
    """
    return {
        "id": object_id,
        "deletedDateTime": None,
        "appId": app_id,
        "applicationTemplateId": None,
        "disabledByMicrosoftStatus": None,
        "createdDateTime": graph_time(now),
        "displayName": name,
        "description": None,
        "groupMembershipClaims": None,
        "identifierUris": [],
        "isDeviceOnlyAuthSupported": None,
        "isFallbackPublicClient": None,
        "notes": None,
        "publisherDomain": domain,
        "serviceManagementReference": None,
        "signInAudience": audience,
        "tags": [],
        "tokenEncryptionKeyId": None,
        "defaultRedirectUri": None,
        "certification": None,
        "optionalClaims": None,
        "addIns": [],
        "api": {
            "acceptMappedClaims": None,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": 2 if audience == ANY_ACCOUNT else None,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "appRoles": [],
        "info": _no_info(),
        "keyCredentials": [],
        "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        "passwordCredentials": [],
        "publicClient": {"redirectUris": []},
        "requiredResourceAccess": [],
        "verifiedPublisher": _no_publisher(),
        "web": {
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": [],
            "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
        },
        "spa": {"redirectUris": []},
    }


def new_service_principal(
    object_id: str,
    app_id: str,
    name: str,
    now: float,
    *,
    owner_tenant: str,
    names: tuple[str, ...],
    roles: list[dict[str, Any]] = (),
    audience: str = "AzureADMyOrg",
) -> dict[str, Any]:
    """A service principal: the application's presence in this tenant.

    Args:
        owner_tenant: id of the tenant the application belongs to.
        names: servicePrincipalNames, the app id and the URIs a token can be asked for.
        roles: the app roles it defines.
    """
    return {
        "id": object_id,
        "deletedDateTime": None,
        "accountEnabled": True,
        "alternativeNames": [],
        "appDisplayName": name,
        "appDescription": None,
        "appId": app_id,
        "applicationTemplateId": None,
        "appOwnerOrganizationId": owner_tenant,
        "appRoleAssignmentRequired": False,
        "createdDateTime": graph_time(now),
        "description": None,
        "disabledByMicrosoftStatus": None,
        "displayName": name,
        "homepage": None,
        "loginUrl": None,
        "logoutUrl": None,
        "notes": None,
        "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": None,
        "preferredTokenSigningKeyThumbprint": None,
        "replyUrls": [],
        "servicePrincipalNames": list(names),
        "servicePrincipalType": "Application",
        "signInAudience": audience,
        "tags": [],
        "tokenEncryptionKeyId": None,
        "samlSingleSignOnSettings": None,
        "verifiedPublisher": _no_publisher(),
        "addIns": [],
        "appRoles": list(roles),
        "info": _no_info(),
        "keyCredentials": [],
        "oauth2PermissionScopes": [],
        "passwordCredentials": [],
        "resourceSpecificApplicationPermissions": [],
    }


def _no_info() -> dict[str, None]:
    return dict.fromkeys(("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl"))


def _no_publisher() -> dict[str, None]:
    return dict.fromkeys(("displayName", "verifiedPublisherId", "addedDateTime"))


def key_credential(der: bytes, *, name: str | None = None, key_id: str | None = None) -> dict[str, Any]:
    """A certificate as a ``keyCredential`` (graph docs: resources/keycredential.md).

    The dates are the certificate's own; ``customKeyIdentifier`` is its SHA-1 thumbprint in upper-case hex.

    Raises:
        ValueError: the bytes are not a certificate.
    """
    certificate = load_certificate(der)
    return {
        "customKeyIdentifier": thumbprints(certificate)[0].hex().upper(),
        "displayName": (name or _windows_name(certificate.subject))[:LONGEST_KEY_NAME],
        "endDateTime": graph_time(certificate.not_valid_after_utc.timestamp()),
        "key": base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii"),
        "keyId": key_id or str(uuid.uuid4()),
        "startDateTime": graph_time(certificate.not_valid_before_utc.timestamp()),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def _windows_name(name: x509.Name) -> str:
    """A certificate's subject as Windows writes it: ``O=Internet Widgits Pty Ltd, S=Some-State, C=AU`` (recorded)."""
    return ", ".join(part.rfc4514_string({NameOID.STATE_OR_PROVINCE_NAME: "S"}) for part in reversed(name.rdns))


@lru_cache(maxsize=1024)
def load_certificate(der: bytes) -> x509.Certificate:
    """Parse a DER certificate, once for each.

    Raises:
        ValueError: the bytes are not a certificate.
    """
    try:
        return x509.load_der_x509_certificate(der)
    except x509.InvalidVersion as error:
        raise ValueError("not a certificate") from error


def graph_time(seconds: float, *, fraction: bool = False) -> str:
    """Unix seconds as Graph writes a DateTimeOffset; 201 bodies have seven fractional digits, later reads none."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{moment.microsecond:06d}0Z" if fraction else "Z")
