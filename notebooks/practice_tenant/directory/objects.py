"""What applications and service principals look like when they are new.

The keys, their order and the values nobody set are those of recorded answers to POST /applications and POST
/servicePrincipals (azure-cli, test_create_for_rbac_create_cert.yaml).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from ..formats import graph_time

ANY_ACCOUNT = "AzureADandPersonalMicrosoftAccount"


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
    roles: Sequence[dict[str, Any]] = (),
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


def principal_of(application: dict[str, Any], home: str, now: float) -> dict[str, Any]:
    """A new service principal for an application.

    Args:
        home: id of the tenant in which it is registered.
        now: Unix seconds, becomes createdDateTime.
    """
    principal = new_service_principal(
        str(uuid.uuid4()),
        application["appId"],
        application["displayName"],
        now,
        owner_tenant=home,
        names=(application["appId"],),
        audience=application["signInAudience"],
    )
    follow(principal, application)
    return principal


def follow(principal: dict[str, Any], application: dict[str, Any]) -> None:
    """What a service principal takes over from its application (serviceprincipal-update.md, "inherit")."""
    principal |= {
        "appDisplayName": application["displayName"],
        "displayName": application["displayName"],
        "appDescription": application["description"],
        "homepage": application["web"].get("homePageUrl"),
        "logoutUrl": application["web"].get("logoutUrl"),
        "replyUrls": application["web"].get("redirectUris") or [],
        "servicePrincipalNames": [application["appId"], *application["identifierUris"]],
        "signInAudience": application["signInAudience"],
        "appRoles": application["appRoles"],
        "info": application["info"],
        "oauth2PermissionScopes": application["api"].get("oauth2PermissionScopes") or [],
    }


def _no_info() -> dict[str, None]:
    return dict.fromkeys(("logoUrl", "marketingUrl", "privacyStatementUrl", "supportUrl", "termsOfServiceUrl"))


def _no_publisher() -> dict[str, None]:
    return dict.fromkeys(("displayName", "verifiedPublisherId", "addedDateTime"))
