"""Reading what a client sends to be stored: which properties, of which type, and who may write them.

Sources: graph docs user-post-users.md, user-update.md, application-update.md; single error texts as marked.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .errors import GraphError
from .odata_compare import instant
from .properties import Collection, Property

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


DEEPEST = 32  # levels of nesting in a body; chosen, not sourced


def read_json(data: bytes) -> Any:
    """JSON that can be stored and sent again.

    Raises:
        ValueError: it is none, holds NaN or Infinity, or is nested too deep.
    """
    try:
        value = json.loads(data, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None
    _check_depth(value, DEEPEST)
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise ValueError("nested too deep")
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inside:
        _check_depth(item, left - 1)


def bad_request(message: str, *details: tuple[str, str]) -> GraphError:
    """400 ``Request_BadRequest``; each detail is a finer code and the property it is about."""
    return GraphError(400, "Request_BadRequest", message, details=details)


def not_found(key: str) -> GraphError:
    """404 for an object that is not there; the text is recorded."""
    text = f"Resource '{key[:200]}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", text)


def denied() -> GraphError:
    """403 for a caller whose permissions do not suffice; the text is recorded."""
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def conflict(name: str) -> GraphError:
    """400 for a value another object already has (microsoft-graph-docs#1508; a 400, not a 409)."""
    text = f"Another object with the same value for property {name} already exists."
    return bad_request(text, ("ObjectConflict", name))


def missing(name: str, resource: str) -> GraphError:
    """400 for a property that must be there; the text is recorded."""
    return bad_request(f"A value is required for property '{name}' of resource '{resource}'.", ("InvalidValue", name))


def invalid(name: str, resource: str) -> GraphError:
    """400 for a value that the property cannot take; the text is recorded for mailNickname."""
    text = f"Invalid value specified for property '{name}' of resource '{resource}'."
    return bad_request(text, ("InvalidValue", name))


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


def is_instant(value: Any) -> bool:
    """Whether a value is a DateTimeOffset as Graph writes it."""
    try:
        return isinstance(value, str) and bool(instant(value))
    except (ValueError, OverflowError):
        return False
