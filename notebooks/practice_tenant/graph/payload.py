"""Reading what a client sends to be stored: which properties, of which type, and who may write them.

Sources: graph docs user-post-users.md, user-update.md, application-update.md; single error texts as marked.
"""

from __future__ import annotations

from typing import Any

from ..errors import bad_request, invalid
from ..formats import GUID, is_instant
from ..odata.properties import Collection, Property


def read_properties(body: dict[str, Any], collection: Collection, writable: frozenset[str]) -> dict[str, Any]:
    """The properties of a body, in the metadata's spelling, when every one may be written and has the right type.

    Args:
        body: the client's JSON object; OData annotations (``@odata.type``) in it are left out.
        collection: whose properties they are.
        writable: the names that may be written.

    Raises:
        GraphError: 400 for an unknown or read-only property or a value of the wrong type. The text for an unknown
            property is recorded for queries, the other two are chosen, not sourced.
    """
    given = {}
    for name, value in body.items():
        if "@" in name:
            continue
        known = collection.canonical(name)
        if known is None:
            shown = name[:100]
            raise bad_request(f"Property '{shown}' does not exist as a declared property or extension property.")
        if known.lower() in collection.table and known not in writable:
            raise bad_request(f"Property '{known}' is read-only and cannot be set.")
        row = collection.find(known)
        if row is not None and not (_has_type(row, value) and _members_fit(collection, known, value)):
            raise invalid(known, collection.resource)
        given[known] = value
    return given


def merged(old: Any, new: Any) -> Any:
    """What a PATCH makes of a value: a complex one keeps the members that were not sent (OData 4.0 part 1, 11.4.3)."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return old | {name: merged(old.get(name), value) for name, value in new.items()}


def _has_type(row: Property, value: Any) -> bool:
    """Whether a JSON value can stand for a property's Edm type; null can, except for a collection."""
    if row.many:
        return isinstance(value, list) and all(item is not None and _is_one(row.kind, item) for item in value)
    return value is None or _is_one(row.kind, value)


def _members_fit(collection: Collection, name: str, value: Any) -> bool:
    """Whether those members of a complex value that the table knows have the right type; filters rely on it."""
    items = value if isinstance(value, list) else [value]
    prefixes = (f"{name}/", f"{name}[]/")
    rows = [(path.rpartition("/")[2], path) for path in collection.rows if path.startswith(prefixes)]
    return all(
        member not in item or _has_type(collection.table[path.lower()], item[member])
        for item in items
        if isinstance(item, dict)
        for member, path in rows
    )


def _is_one(kind: str, value: Any) -> bool:
    match kind:
        case "String":
            return isinstance(value, str)
        case "Boolean":
            return isinstance(value, bool)
        case "Int32":
            return isinstance(value, int) and not isinstance(value, bool)
        case "Guid":
            return isinstance(value, str) and GUID.fullmatch(value) is not None
        case "DateTimeOffset":
            return is_instant(value)
        case _:
            return isinstance(value, dict) and _is_complex(kind, value)


# The members of complex types a client writes, as the service's metadata has them. Those that have a reader of their
# own (credentials, passwords) and those nobody writes are not here: what is in them is stored as it came.
_COMPLEX = {
    kind: dict(member.split(":") for member in members.split())
    for kind, members in {
        "apiApplication": "acceptMappedClaims:Boolean knownClientApplications:[Guid] requestedAccessTokenVersion:Int32 "
        "oauth2PermissionScopes:[permissionScope] preAuthorizedApplications:[preAuthorizedApplication]",
        "appRole": "allowedMemberTypes:[String] description:String displayName:String id:Guid isEnabled:Boolean "
        "origin:String value:String",
        "authorizationInfo": "certificateUserIds:[String]",
        "employeeOrgData": "costCenter:String division:String",
        "implicitGrantSettings": "enableAccessTokenIssuance:Boolean enableIdTokenIssuance:Boolean",
        "informationalUrl": "logoUrl:String marketingUrl:String privacyStatementUrl:String supportUrl:String "
        "termsOfServiceUrl:String",
        "objectIdentity": "issuer:String issuerAssignedId:String signInType:String",
        "onPremisesExtensionAttributes": " ".join(f"extensionAttribute{n}:String" for n in range(1, 16)),
        "optionalClaim": "additionalProperties:[String] essential:Boolean name:String source:String",
        "optionalClaims": "accessToken:[optionalClaim] idToken:[optionalClaim] saml2Token:[optionalClaim]",
        "parentalControlSettings": "countriesBlockedForMinors:[String] legalAgeGroupRule:String",
        "permissionScope": "adminConsentDescription:String adminConsentDisplayName:String id:Guid isEnabled:Boolean "
        "origin:String type:String userConsentDescription:String userConsentDisplayName:String value:String",
        "preAuthorizedApplication": "appId:String delegatedPermissionIds:[String]",
        "publicClientApplication": "redirectUris:[String]",
        "redirectUriSettings": "index:Int32 uri:String",
        "requiredResourceAccess": "resourceAccess:[resourceAccess] resourceAppId:String",
        "resourceAccess": "id:Guid type:String",
        "spaApplication": "redirectUris:[String]",
        "webApplication": "homePageUrl:String implicitGrantSettings:implicitGrantSettings logoutUrl:String "
        "redirectUris:[String] redirectUriSettings:[redirectUriSettings]",
    }.items()
}


def _is_complex(kind: str, value: dict[str, Any]) -> bool:
    """Whether a complex value has no members but those of its type, each of the right type; annotations do not count.

    Graph's answer to an unknown member is not sourced; chosen: that to a wrong value.
    """
    members = _COMPLEX.get(kind)
    return members is None or all(
        "@" in name or (name in members and _has_type(Property.from_row(name, f"{members[name]} ----"), item))
        for name, item in value.items()
    )
