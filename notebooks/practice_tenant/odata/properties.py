"""Which property of which resource allows what: the tables behind `odata`.

One row for one property, for example ``"displayName": "String DD-A sort:D"``:

    type        Edm type; in brackets when the property holds many values
    four letters, one for each column of Microsoft's table of filter support
        1st     eq (and in)
        2nd     startsWith
        3rd     ge and le
        4th     eq null
      D  by default and in advanced queries      A  in advanced queries only
      O  by default only                         -  never
    sort:D/A    $orderby by default / in advanced queries only; without it, never
    ends:A      endsWith, which is always advanced
    one         only GET of a single object returns it; a list answers 501
    cased       values compare with regard to case
    at:path     where the value is stored, when not under its own name

``ne`` and ``not`` have no column: they are always advanced, and follow the column of what they negate.

The path before the colon is written as in a filter, with ``[]`` for the members of a collection
(``assignedLicenses[]/skuId`` is what ``assignedLicenses/any(l:l/skuId eq …)`` asks) and ``$count`` for the
number of members, which may only be compared with 0.

Source: graph docs aad-advanced-queries.md (filter and sort support of directory objects), the service's
metadata for names and types. Where a property's description and that table disagree, the table counts: it is
newer and finer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

DEFAULT, ADVANCED, DEFAULT_ONLY, NEVER = "D", "A", "O", "-"


class Property(NamedTuple):
    """One row of a table, taken apart.

    Args:
        path: the names to walk through from the object to the value; past a collection, from its member.
        kind: Edm type without the brackets, e.g. ``"String"``.
        many: True when the property holds a collection.
        eq, starts, ranges, null, ends, sort: ``D``, ``A``, ``O`` or ``-`` as in the module's docstring.
        single_only: a list of objects cannot return it.
        cased: comparisons look at upper and lower case.
    """

    path: tuple[str, ...]
    kind: str = "String"
    many: bool = False
    eq: str = NEVER
    starts: str = NEVER
    ranges: str = NEVER
    null: str = NEVER
    ends: str = NEVER
    sort: str = NEVER
    single_only: bool = False
    cased: bool = False

    @classmethod
    def from_row(cls, path: str, row: str) -> Property:
        """``("displayName", "String DD-A sort:D")`` becomes a Property."""
        kind, letters, *notes = row.split()
        eq, starts, ranges, null = tuple(letters)
        flags = {}
        for note in notes:
            name, _, value = note.partition(":")
            flags[name] = value
        walk = flags.get("at") or path.rpartition("[]")[2]
        return cls(
            tuple(part for part in walk.split("/") if part and part != "$count"),
            kind.strip("[]"),
            kind.startswith("["),
            eq=eq,
            starts=starts,
            ranges=ranges,
            null=null,
            ends=flags.get("ends", NEVER),
            sort=flags.get("sort", NEVER),
            single_only="one" in flags,
            cased="cased" in flags,
        )


@dataclass(frozen=True)
class Collection:
    """What a collection allows: one table, and what the service calls things.

    Args:
        name: the path segment, e.g. ``"users"``.
        entity: the type's name in the metadata, e.g. ``"user"``.
        resource: the type's name in the directory service's own messages, e.g. ``"User"``.
        rows: the table.
        default: what a list returns without $select, in the order recorded; all properties when empty.
        navigations: relationships $expand knows, though only ``expandable`` is played here.
        expandable: relationships that can be expanded.
        advanced: the service offers advanced queries on it.
    """

    name: str
    entity: str
    resource: str
    rows: dict[str, str] = field(repr=False)
    default: tuple[str, ...] = ()
    navigations: tuple[str, ...] = ()
    expandable: tuple[str, ...] = ()
    advanced: bool = True
    table: dict[str, Property] = field(init=False, repr=False, compare=False)
    names: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        table = {path.lower(): Property.from_row(path, row) for path, row in self.rows.items()}
        names = {path.lower(): path for path, row in self.rows.items() if path.isidentifier() and "at:" not in row}
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "names", names)

    def __hash__(self) -> int:
        return hash(self.name)

    def find(self, path: str) -> Property | None:
        """The row for a path as a filter spells it (names in any case), or None when there is none."""
        found = self.table.get(path.lower())
        if found or self.entity not in ("user", "servicePrincipal"):
            return found
        for pattern, row in _OPEN_ROWS:
            if pattern.fullmatch(path):
                return Property.from_row(path, row)
        return None

    def canonical(self, name: str) -> str | None:
        """A property's name as the metadata spells it, or None when there is no such property.

        ``user`` is an open type: names that look like a directory or schema extension pass as they stand.
        """
        known = self.names.get(name.lower())
        if known or self.entity != "user":
            return known
        return name if _EXTENSION_NAME.fullmatch(name) else None

    def relationship(self, name: str) -> str | None:
        """A relationship's name as the metadata spells it, or None when there is no such relationship."""
        return next((known for known in self.navigations if known.lower() == name.lower()), None)


# user is an open type (and servicePrincipal alike). What stands here has no row of its own:
#  - directory extensions: eq by default, startsWith and null advanced
#  - schema extensions: all advanced
#  - custom security attributes: advanced, and the only values documented to be case-sensitive
_EXTENSION_NAME = re.compile(r"(?i)extension_[0-9a-f]{32}_\w+|ext[0-9a-z]{8}_\w+")
_OPEN_ROWS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"(?i)extension_[0-9a-f]{32}_\w+"), "String DA-A"),
    (re.compile(r"(?i)ext[0-9a-z]{8}_\w+/\w+"), "String AA-A"),
    (re.compile(r"(?i:customSecurityAttributes)/\w+/\w+"), "String AA-- cased"),
]

_USER_ROWS = {
    # The newest table leaves id out; its older revisions have it (eq by default) and programs rely on
    # ``id in (…)``. Chosen, not sourced: the older row.
    "id": "String D---",
    # The same holds for deletedDateTime, but on live users it is always null: the newest table counts.
    "deletedDateTime": "DateTimeOffset ---- sort:A",
    "aboutMe": "String ---- one",
    "accountEnabled": "Boolean D---",
    "ageGroup": "String D---",
    "assignedLicenses": "[assignedLicense] ----",
    "assignedLicenses[]/skuId": "Guid D---",
    "assignedLicenses/$count": "Int32 A---",
    "assignedPlans": "[assignedPlan] ----",
    "assignedPlans[]/capabilityStatus": "String A---",
    "assignedPlans[]/servicePlanId": "Guid A---",
    "assignedPlans[]/service": "String AA--",
    "authorizationInfo": "authorizationInfo ----",
    "authorizationInfo/certificateUserIds": "[String] ----",
    "authorizationInfo/certificateUserIds[]": "String A---",
    "birthday": "DateTimeOffset ---- one",
    "businessPhones": "[String] ----",
    "businessPhones[]": "String AA--",
    "city": "String DD-A",
    "companyName": "String AA-A",
    "consentProvidedForMinor": "String D---",
    "country": "String DD-A",
    "createdDateTime": "DateTimeOffset --DA sort:A",
    "creationType": "String D---",
    "customSecurityAttributes": "customSecurityAttributeValue ----",
    "department": "String DD-A",
    "deviceEnrollmentLimit": "Int32 ----",
    "displayName": "String DD-A sort:D",
    "employeeHireDate": "DateTimeOffset --A-",
    "employeeId": "String D--A",
    "employeeLeaveDateTime": "DateTimeOffset ----",
    "employeeOrgData": "employeeOrgData ----",
    "employeeOrgData/costCenter": "String AA--",
    "employeeOrgData/division": "String AA--",
    "employeeType": "String A---",
    "externalUserState": "String D---",
    "externalUserStateChangeDateTime": "DateTimeOffset ----",
    "faxNumber": "String AA-A",
    "givenName": "String DD-A",
    "hireDate": "DateTimeOffset ---- one",
    "identities": "[objectIdentity] ----",
    "identities[]/issuer": "String O--O",
    # In no column of the table, but in the documentation's example, which demands issuer beside it.
    "identities[]/issuerAssignedId": "String O---",
    "identityParentId": "String ----",
    "imAddresses": "[String] ----",
    "imAddresses[]": "String DD--",
    "interests": "[String] ---- one",
    # In no row of the table, but in an example of user-list.md, without advanced parameters.
    "isManagementRestricted": "Boolean D---",
    "isResourceAccount": "Boolean D---",
    "jobTitle": "String DD-A",
    "lastPasswordChangeDateTime": "DateTimeOffset ----",
    "legalAgeGroupClassification": "String ----",
    "licenseAssignmentStates": "[licenseAssignmentState] ----",
    "mail": "String DD-A ends:A",
    "mailboxSettings": "mailboxSettings ---- one",
    "mailNickname": "String DD-A",
    "mobilePhone": "String AA-A",
    "mySite": "String ---- one",
    "officeLocation": "String AA-A",
    "onPremisesDistinguishedName": "String AA-A",
    "onPremisesDomainName": "String ----",
    "onPremisesExtensionAttributes": "onPremisesExtensionAttributes ----",
    **{f"onPremisesExtensionAttributes/extensionAttribute{n}": "String AA-A" for n in range(1, 16)},
    "onPremisesImmutableId": "String D---",
    "onPremisesLastSyncDateTime": "DateTimeOffset --D-",
    "onPremisesProvisioningErrors": "[onPremisesProvisioningError] ----",
    "onPremisesProvisioningErrors[]/category": "String D---",
    "onPremisesProvisioningErrors[]/propertyCausingError": "String D---",
    "onPremisesProvisioningErrors/$count": "Int32 A---",
    "onPremisesSamAccountName": "String AA--",
    "onPremisesSecurityIdentifier": "String D--A",
    "onPremisesSyncEnabled": "Boolean D--A",
    "onPremisesUserPrincipalName": "String ----",
    "otherMails": "[String] ----",
    "otherMails[]": "String DD-- ends:A",
    "otherMails/$count": "Int32 A---",
    "passwordPolicies": "String ---A",
    "passwordProfile": "passwordProfile ----",
    "passwordProfile/forceChangePasswordNextSignIn": "Boolean A--A",
    "passwordProfile/forceChangePasswordNextSignInWithMfa": "Boolean A--A",
    "pastProjects": "[String] ---- one",
    "postalCode": "String AA-A",
    "preferredDataLocation": "String ----",
    "preferredLanguage": "String A--A",
    "preferredName": "String ---- one",
    "print": "userPrint ----",
    "provisionedPlans": "[provisionedPlan] ----",
    "provisionedPlans[]/provisioningStatus": "String A---",
    "provisionedPlans[]/service": "String AA--",
    "proxyAddresses": "[String] ----",
    "proxyAddresses[]": "String DD-- ends:A",
    "proxyAddresses/$count": "Int32 A---",
    "responsibilities": "[String] ---- one",
    "schools": "[String] ---- one",
    "securityIdentifier": "String ----",
    "serviceProvisioningErrors": "[serviceProvisioningError] ----",
    "showInAddressList": "Boolean ----",
    # In no row of the table; its description and the examples of user-list.md say eq, ne, not, ge, le.
    # Chosen, not sourced: by default, because the examples send no header.
    "signInActivity": "signInActivity ----",
    "signInActivity/lastSignInDateTime": "DateTimeOffset D-D-",
    "signInActivity/lastNonInteractiveSignInDateTime": "DateTimeOffset D-D-",
    "signInActivity/lastSuccessfulSignInDateTime": "DateTimeOffset D-D-",
    "signInSessionsValidFromDateTime": "DateTimeOffset ----",
    "skills": "[String] ---- one",
    "state": "String D--A",
    "streetAddress": "String AA-A",
    "surname": "String DD-A",
    "usageLocation": "String DD-A",
    "userPrincipalName": "String DD-- sort:D ends:A",
    "userType": "String D--A",
    # filter-query-parameter.md writes the certificate ids without their parent, and with startsWith.
    "certificateUserIds": "[String] ---- at:authorizationInfo/certificateUserIds",
    "certificateUserIds[]": "String AA--",
}

# Applications and service principals: every property of the metadata, but the filters of a sensible subset
# only. The operators are those of each property's description. Whether by default or advanced is sourced for
# sorting and for appOwnerOrganizationId; the rest is chosen, not sourced: by default what public programs ask
# without the header (id, appId, displayName, identifierUris, servicePrincipalNames, tags, accountEnabled,
# servicePrincipalType), else advanced.
_APPLICATION_ROWS = {
    "id": "String D---",
    "deletedDateTime": "DateTimeOffset ---- sort:A",
    "appId": "String D---",
    "applicationTemplateId": "String A---",
    "disabledByMicrosoftStatus": "String A---",
    "createdByAppId": "String ----",
    "createdDateTime": "DateTimeOffset A-AA sort:A",
    "displayName": "String DD-A sort:A",
    "description": "String AA--",
    "groupMembershipClaims": "String ----",
    "identifierUris": "[String] ----",
    "identifierUris[]": "String DD--",
    "isDeviceOnlyAuthSupported": "Boolean ----",
    "isDisabled": "Boolean ----",
    "isFallbackPublicClient": "Boolean ----",
    "nativeAuthenticationApisEnabled": "nativeAuthenticationApisEnabled ----",
    "notes": "String ----",
    "oauth2RequirePostResponse": "Boolean ----",
    "optionalClaims": "optionalClaims ----",
    "publisherDomain": "String AA--",
    "requestSignatureVerification": "requestSignatureVerification ----",
    "samlMetadataUrl": "String ----",
    "serviceManagementReference": "String ----",
    "servicePrincipalLockConfiguration": "servicePrincipalLockConfiguration ----",
    "signInAudience": "String A---",
    "tags": "[String] ----",
    "tags[]": "String DD--",
    "tokenEncryptionKeyId": "Guid ----",
    "uniqueName": "String ----",
    "defaultRedirectUri": "String ----",
    "certification": "certification ----",
    "verifiedPublisher": "verifiedPublisher ----",
    "addIns": "[addIn] ----",
    "api": "apiApplication ----",
    "appRoles": "[appRole] ----",
    "authenticationBehaviors": "authenticationBehaviors ----",
    "info": "informationalUrl ----",
    "keyCredentials": "[keyCredential] ----",
    "keyCredentials[]/keyId": "Guid A---",
    "logo": "Stream ----",
    "managerApplications": "[Guid] ----",
    "parentalControlSettings": "parentalControlSettings ----",
    "passwordCredentials": "[passwordCredential] ----",
    "passwordCredentials[]/keyId": "Guid A---",
    "publicClient": "publicClientApplication ----",
    "requiredResourceAccess": "[requiredResourceAccess] ----",
    "requiredResourceAccess[]/resourceAppId": "String A---",
    "web": "webApplication ----",
    "spa": "spaApplication ----",
}

_SERVICE_PRINCIPAL_ROWS = {
    "id": "String D---",
    "deletedDateTime": "DateTimeOffset ---- sort:A",
    "accountEnabled": "Boolean D---",
    "alternativeNames": "[String] ----",
    "alternativeNames[]": "String AA--",
    "appDisplayName": "String ----",
    "appDescription": "String ----",
    "appId": "String DA--",
    "applicationTemplateId": "String A---",
    "appOwnerOrganizationId": "Guid A-A-",
    "appRoleAssignmentRequired": "Boolean A---",
    "createdByAppId": "String ----",
    "createdDateTime": "DateTimeOffset A-AA sort:A",
    "customSecurityAttributes": "customSecurityAttributeValue ----",
    "description": "String AA--",
    "disabledByMicrosoftStatus": "String A---",
    "displayName": "String DD-A sort:A",
    "homepage": "String ----",
    "isDisabled": "Boolean ----",
    "loginUrl": "String ----",
    "logoutUrl": "String ----",
    "notes": "String ----",
    "notificationEmailAddresses": "[String] ----",
    "preferredSingleSignOnMode": "String A---",
    "preferredTokenSigningKeyThumbprint": "String ----",
    "replyUrls": "[String] ----",
    "servicePrincipalNames": "[String] ----",
    "servicePrincipalNames[]": "String DD--",
    "servicePrincipalType": "String D---",
    "signInAudience": "String ----",
    "tags": "[String] ----",
    "tags[]": "String DD--",
    "tokenEncryptionKeyId": "Guid ----",
    "samlSingleSignOnSettings": "samlSingleSignOnSettings ----",
    "addIns": "[addIn] ----",
    "appRoles": "[appRole] ----",
    "info": "informationalUrl ----",
    "keyCredentials": "[keyCredential] ----",
    "keyCredentials[]/keyId": "Guid A---",
    "oauth2PermissionScopes": "[permissionScope] ----",
    "passwordCredentials": "[passwordCredential] ----",
    "passwordCredentials[]/keyId": "Guid A---",
    "resourceSpecificApplicationPermissions": "[resourceSpecificPermission] ----",
    "verifiedPublisher": "verifiedPublisher ----",
}

# resourceId and principalDisplayName are documented; organization documents no filter at all.
_APP_ROLE_ASSIGNMENT_ROWS = {
    "id": "String ----",
    "deletedDateTime": "DateTimeOffset ----",
    "appRoleId": "Guid ----",
    "createdDateTime": "DateTimeOffset ----",
    "principalDisplayName": "String DD--",
    "principalId": "Guid ----",
    "principalType": "String ----",
    "resourceDisplayName": "String ----",
    "resourceId": "Guid D---",
}

# clientId, consentType, principalId and resourceId: "Supports $filter (eq only)" (resources/oauth2permissiongrant.md).
_GRANT_ROWS = {
    "clientId": "String D---",
    "consentType": "String D---",
    "id": "String ----",
    "principalId": "String D---",
    "resourceId": "String D---",
    "scope": "String ----",
}

# name: "Supports $filter (eq)"; the others are not documented (resources/federatedidentitycredential.md).
_FEDERATED_ROWS = {
    "id": "String ----",
    "name": "String D---",
    "issuer": "String D---",
    "subject": "String D---",
    "description": "String ----",
    "audiences": "[String] ----",
}

# A list of owners may hold users, applications and service principals: $select names properties of any of them.
_DIRECTORY_OBJECT_ROWS = {
    name: f"{row.split()[0]} ----"
    for rows in (_USER_ROWS, _APPLICATION_ROWS, _SERVICE_PRINCIPAL_ROWS)
    for name, row in rows.items()
    if name.isidentifier() and "at:" not in row
}

_ORGANIZATION_ROWS = {
    name: f"{kind} ----"
    for kind, names in {
        "String": "id city country countryLetterCode defaultUsageLocation displayName postalCode "
        "preferredLanguage state street tenantType mobileDeviceManagementAuthority partnerTenantType",
        "DateTimeOffset": "deletedDateTime createdDateTime onPremisesLastSyncDateTime",
        "Boolean": "onPremisesSyncEnabled",
        "[String]": "businessPhones marketingNotificationEmails technicalNotificationMails "
        "securityComplianceNotificationMails securityComplianceNotificationPhones",
        "[complex]": "assignedPlans provisionedPlans verifiedDomains",
        "complex": "privacyProfile directorySizeQuota",
    }.items()
    for name in names.split()
}

# Recorded order of keys on GET /users: id stands last.
USER_DEFAULT = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName", "id",
)  # fmt: skip

# Relationships of a user that cannot be expanded at all (query-parameters.md and the metadata).
NOT_EXPANDABLE = frozenset(["events", "messages", "photo", "chats", "joinedteams", "permissiongrants", "teamwork"])

USERS = Collection(
    "users", "user", "User", _USER_ROWS, USER_DEFAULT,
    navigations=(
        "appRoleAssignments", "createdObjects", "directReports", "extensions", "licenseDetails", "manager",
        "memberOf", "oauth2PermissionGrants", "ownedDevices", "ownedObjects", "registeredDevices",
        "transitiveMemberOf",
    ),
    expandable=("manager",),
)  # fmt: skip
APPLICATIONS = Collection(
    "applications", "application", "Application", _APPLICATION_ROWS,
    navigations=("owners", "extensionProperties", "federatedIdentityCredentials", "tokenIssuancePolicies"),
)  # fmt: skip
SERVICE_PRINCIPALS = Collection(
    "servicePrincipals", "servicePrincipal", "ServicePrincipal", _SERVICE_PRINCIPAL_ROWS,
    navigations=("owners", "appRoleAssignedTo", "appRoleAssignments", "memberOf", "oauth2PermissionGrants"),
)  # fmt: skip
APP_ROLE_ASSIGNMENTS = Collection(
    "appRoleAssignments", "appRoleAssignment", "AppRoleAssignment", _APP_ROLE_ASSIGNMENT_ROWS
)
GRANTS = Collection("oauth2PermissionGrants", "oAuth2PermissionGrant", "OAuth2PermissionGrant", _GRANT_ROWS)
FEDERATED_CREDENTIALS = Collection(
    "federatedIdentityCredentials", "federatedIdentityCredential", "FederatedIdentityCredential", _FEDERATED_ROWS
)
DIRECTORY_OBJECTS = Collection("directoryObjects", "directoryObject", "DirectoryObject", _DIRECTORY_OBJECT_ROWS)
ORGANIZATION = Collection("organization", "organization", "Organization", _ORGANIZATION_ROWS, advanced=False)


def read(stored: Any, path: tuple[str, ...]) -> Any:
    """Walk from a stored object to a value; None as soon as a step is missing."""
    for name in path:
        if stored is None:
            return None
        stored = stored.get(name)
    return stored
