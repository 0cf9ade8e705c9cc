"""What a signed-in person may do to applications: the scopes of a token are not enough, directory roles decide too.

A delegated token carries the person's directory roles in ``wids``. An app that calls for itself has none, and needs
none.

Sources: entra docs grant-admin-consent.md, delegate-app-roles.md; graph docs rbac-application-apis-write.md.
"""

from __future__ import annotations

from typing import Any

from ..directory.administrators import CONSENT_EXCEPT_GRAPH_ROLES, CONSENT_TO_EVERYTHING, MANAGE_EVERY_APP
from ..directory.well_known import GRAPH_APP_ID
from .call import Call


def manages_every_app(call: Call) -> bool:
    """Whether the caller may change any application; everybody else may change what they own."""
    return not call.is_delegated or _holds_one_of(call, MANAGE_EVERY_APP)


def may_assign_roles_of(call: Call, resource: dict[str, Any]) -> bool:
    """Whether the caller may grant or revoke application permissions of this resource.

    Args:
        resource: the service principal whose app roles they are. Microsoft Graph's ask for more than all others.
    """
    if not call.is_delegated or _holds_one_of(call, CONSENT_TO_EVERYTHING):
        return True
    return resource["appId"] != GRAPH_APP_ID and _holds_one_of(call, CONSENT_EXCEPT_GRAPH_ROLES)


def may_consent_for_everybody(call: Call) -> bool:
    """Whether the caller may grant or revoke delegated permissions for all users of the tenant."""
    return not call.is_delegated or _holds_one_of(call, CONSENT_TO_EVERYTHING | CONSENT_EXCEPT_GRAPH_ROLES)


def _holds_one_of(call: Call, roles: frozenset[str]) -> bool:
    return not roles.isdisjoint(call.claims.get("wids", ()))
