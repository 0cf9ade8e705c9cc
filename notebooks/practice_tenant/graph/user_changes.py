"""Creating, changing and deleting users, so that delta queries have something to say.

Sources: graph docs user-post-users.md, user-update.md, user-delete.md, user-post-manager.md; recorded answers of
azure-cli (test_user_scenario.yaml). A real tenant lets nobody change what is synchronised from on-premises; the
practice tenant does (chosen), because most of its people are.
"""

from __future__ import annotations

import re
import uuid
from typing import Any
from urllib.parse import unquote

from ..directory.tenant import Tenant
from ..errors import bad_request, conflict, denied, invalid, missing, not_found
from ..formats import graph_time
from ..messages import Answer
from ..odata.links import entity_context
from ..odata.properties import USERS
from .call import Call
from .listing import created
from .payload import merged, read_properties
from .permissions import WRITE_PASSWORDS
from .users import find_user, shape

REQUIRED = ("accountEnabled", "displayName", "passwordProfile", "userPrincipalName", "mailNickname")
LOCAL_PART = re.compile(r"(?!\.)[A-Za-z0-9'._!#^~-]{1,113}(?<!\.)")  # user-post-users.md, userPrincipalName
NICKNAME = re.compile(r"[!#-'*-9=?A-Z^-~]{1,64}")  # ASCII without spaces and @ ( ) \ [ ] " ; : < > ,
_NAMES = (
    "aboutMe accountEnabled ageGroup authorizationInfo birthday businessPhones city companyName "
    "consentProvidedForMinor country department displayName employeeHireDate employeeId "
    "employeeLeaveDateTime employeeOrgData employeeType faxNumber givenName hireDate identities interests jobTitle "
    "mail mailNickname mobilePhone mySite officeLocation onPremisesExtensionAttributes onPremisesImmutableId "
    "otherMails passwordPolicies passwordProfile pastProjects postalCode preferredDataLocation preferredLanguage "
    "preferredName responsibilities schools showInAddressList skills state streetAddress surname usageLocation "
    "userPrincipalName userType"
)
WRITABLE = frozenset(_NAMES.split())
# Limits of resources/user.md: characters, and the values of what is in truth an enumeration.
LONGEST = {
    name: length
    for length, names in {
        16: "employeeId",
        40: "postalCode",
        64: "companyName department givenName mobilePhone surname",
        128: "city country jobTitle state",
        256: "displayName",
        1024: "streetAddress",
    }.items()
    for name in names.split()
}
ALLOWED = {
    "ageGroup": ("minor", "notadult", "adult"),
    "consentProvidedForMinor": ("granted", "denied", "notrequired"),
    "userType": ("member", "guest"),
}
COUNTRY = re.compile("[A-Za-z]{2}")  # usageLocation, ISO 3166
_NEVER_NULL = ("accountEnabled", "displayName", "mailNickname", "userPrincipalName", "usageLocation")


def create_user(call: Call) -> Answer:
    """``POST /users``: 201; in this one answer the id comes first (recorded)."""
    given, tenant = read_properties(call.json(), USERS, WRITABLE), call.tenant
    for name in REQUIRED:
        if given.get(name) in (None, ""):
            raise missing(name, "User")
    _check(given, tenant, needs_password=True)
    if tenant.people.find(given["userPrincipalName"]):
        raise conflict("userPrincipalName")
    own = {"id": str(uuid.uuid4()), "createdDateTime": graph_time(tenant.now()), "userType": "Member"}
    user = own | {name: value for name, value in _stored(given).items() if value not in (None, [])}
    tenant.people.add(user)
    context = {"@odata.context": entity_context("users"), "id": user["id"]}
    return created(call, context | shape(user, None), "User")


def update_user(call: Call) -> Answer:
    """``PATCH /users/{id or userPrincipalName}``: 204."""
    user, given = find_user(call, call.keys[0]), read_properties(call.json(), USERS, WRITABLE)
    if "passwordProfile" in given and not call.holds((), WRITE_PASSWORDS):
        raise denied()
    _check(given, call.tenant, needs_password=False)
    other = call.tenant.people.find(given.get("userPrincipalName", user["id"]))
    if other is not None and other["id"] != user["id"]:
        raise conflict("userPrincipalName")
    # A property that never was set stays absent: a delta query tells it from one that was emptied.
    changes = {
        name: merged(user.get(name), value)
        for name, value in _stored(given).items()
        if name in user or value not in (None, [])
    }
    call.tenant.people.replace(user | changes)
    return Answer(204)


def delete_user(call: Call) -> Answer:
    """``DELETE /users/{id or userPrincipalName}``: 204; for thirty days the user can be restored."""
    call.tenant.delete("user", find_user(call, call.keys[0])["id"])
    return Answer(204)


def set_manager(call: Call) -> Answer:
    """``PUT /users/{key}/manager/$ref`` with ``{"@odata.id": "…/users/{id}"}``: 204."""
    user, reference = find_user(call, call.keys[0]), call.json().get("@odata.id")
    if not isinstance(reference, str):
        raise missing("@odata.id", "User")
    address = reference.partition("?")[0].partition("#")[0]
    manager_id = unquote(address.rstrip("/").rpartition("/")[2])
    manager = call.tenant.people.find(manager_id)
    if manager is None:
        raise not_found(manager_id)
    call.tenant.people.replace(user | {"manager": manager["id"]})
    return Answer(204)


def remove_manager(call: Call) -> Answer:
    """``DELETE /users/{key}/manager/$ref``: 204."""
    user = find_user(call, call.keys[0])
    if call.tenant.people.find(user.get("manager", "")) is None:
        raise not_found("manager")
    call.tenant.people.replace({name: value for name, value in user.items() if name != "manager"})
    return Answer(204)


# --- checks -------------------------------------------------------------------------------------------------


def _check(given: dict[str, Any], tenant: Tenant, *, needs_password: bool) -> None:
    for name in _NEVER_NULL:
        if name in given and given[name] in (None, ""):
            raise invalid(name, "User")
    for name, value in given.items():
        if not _fits(name, value):
            raise invalid(name, "User")
    if "userPrincipalName" in given:
        _check_name(given["userPrincipalName"], tenant)
    if "mailNickname" in given and not NICKNAME.fullmatch(given["mailNickname"]):
        raise invalid("mailNickname", "User")
    if given.get("passwordProfile") is not None:
        _check_password(given["passwordProfile"], given.get("passwordPolicies"), needed=needs_password)


def _fits(name: str, value: Any) -> bool:
    """Whether a value keeps to what the documentation says of its property; null always does."""
    if value is None:
        return True
    if name == "otherMails":  # 250 addresses of 250 characters
        return len(value) <= 250 and all(len(address) <= 250 for address in value)
    if name == "businessPhones":
        return len(value) <= 1
    if name == "usageLocation":
        return COUNTRY.fullmatch(value) is not None
    if name in ALLOWED:
        return value.lower() in ALLOWED[name]
    return name not in LONGEST or len(value) <= LONGEST[name]


def _check_name(name: str, tenant: Tenant) -> None:
    """Both texts are recorded. A guest's name holds another address before #EXT#, which the pattern allows for."""
    local, _, domain = name.rpartition("@")
    if domain.lower() not in tenant.domains:
        text = (
            "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain "
            "names in your organization."
        )
        raise bad_request(text, ("InvalidValue", "userPrincipalName"))
    if not LOCAL_PART.fullmatch(local):
        raise bad_request("Property userPrincipalName is invalid.", ("InvalidValue", "userPrincipalName"))


def _check_password(profile: dict[str, Any], policies: str | None, *, needed: bool) -> None:
    """Eight characters or more of three kinds (Entra's password policy); the text is recorded."""
    password = profile.get("password")
    if password is None and not needed:
        return
    kinds = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
    text_given = password if isinstance(password, str) else ""
    is_strong = len([kind for kind in kinds if re.search(kind, text_given)]) >= 3
    weak_is_fine = "disablestrongpassword" in (policies or "").lower()
    if not (is_strong or weak_is_fine) or not 8 <= len(text_given) <= 256:
        text = (
            "The specified password does not comply with password complexity requirements. "
            "Please provide a different password."
        )
        raise bad_request(text, ("InvalidPassword", "passwordProfile"))


def _stored(given: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a body: nulls and empty lists too, the password never."""
    stored = dict(given)
    if profile := stored.get("passwordProfile"):
        flags = {
            name: bool(profile.get(name))
            for name in ("forceChangePasswordNextSignIn", "forceChangePasswordNextSignInWithMfa")
        }
        stored["passwordProfile"] = {"password": None} | flags
    return stored
