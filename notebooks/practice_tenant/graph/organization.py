"""The tenant itself as Graph shows it: ``/organization``, a collection of one.

Source: graph docs organization-list.md.
"""

from __future__ import annotations

from typing import Any

from ..directory.tenant import Tenant
from ..directory.well_known import REGION
from ..errors import not_found
from ..formats import graph_time
from ..messages import Answer
from ..odata.properties import ORGANIZATION
from .call import Call
from .listing import list_objects, one_object
from .permissions import READ_ORGANIZATION

LARGEST_DIRECTORY = 300_000  # objects, for a tenant with a verified domain
_WITH_USER_READ = frozenset(["id", "displayName", "verifiedDomains"])  # the rest is null for such a caller


def list_organization(call: Call) -> Answer:
    """``GET /organization``."""
    return list_objects(call, ORGANIZATION, [(0, _visible(call))], _show, path="organization")


def get_organization(call: Call) -> Answer:
    """``GET /organization/{id}``."""
    if call.keys[0].lower() != call.tenant.id:
        raise not_found(call.keys[0])
    return one_object(call, ORGANIZATION, _visible(call), _show)


def describe(tenant: Tenant) -> dict[str, Any]:
    """The tenant as an ``organization``."""
    first, *_ = tenant.domains
    return {
        "id": tenant.id,
        "deletedDateTime": None,
        "businessPhones": [],
        "city": None,
        "country": None,
        "countryLetterCode": REGION[:2],
        "createdDateTime": graph_time(tenant.created),
        "defaultUsageLocation": None,
        "displayName": tenant.name,
        "marketingNotificationEmails": [],
        "onPremisesLastSyncDateTime": None,
        "onPremisesSyncEnabled": None,
        "partnerTenantType": None,
        "postalCode": None,
        "preferredLanguage": "en",
        "securityComplianceNotificationMails": [],
        "securityComplianceNotificationPhones": [],
        "state": None,
        "street": None,
        "technicalNotificationMails": [f"admin@{first}"],
        "tenantType": "AAD",
        "directorySizeQuota": {"used": _size(tenant), "total": LARGEST_DIRECTORY},
        "assignedPlans": [],
        "privacyProfile": None,
        "provisionedPlans": [],
        "verifiedDomains": [
            {
                "capabilities": "Email, OfficeCommunicationsOnline",
                "isDefault": name == first,
                "isInitial": name != first,
                "name": name,
                "type": "Managed",
            }
            for name in tenant.domains
        ],
    }


def _size(tenant: Tenant) -> int:
    return len(tenant.people) + len(tenant.applications) + len(tenant.service_principals)


def _visible(call: Call) -> dict[str, Any]:
    described = describe(call.tenant)
    if call.holds(READ_ORGANIZATION, READ_ORGANIZATION):
        return described
    return {
        name: value if name in _WITH_USER_READ else [] if isinstance(value, list) else None
        for name, value in described.items()
    }


def _show(described: dict[str, Any], names: tuple[str, ...] | None) -> dict[str, Any]:
    many = {name for name, row in ORGANIZATION.table.items() if row.many}
    empty = {"mobileDeviceManagementAuthority": "unknown"}  # the metadata does not let it be null
    return {name: described.get(name, [] if name.lower() in many else empty.get(name)) for name in names or described}
