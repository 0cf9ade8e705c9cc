"""What a scope asks for: one resource of an app, or permissions of a person.

Sources: entra docs scopes-oidc.md; RFC 6749 section 3.3.
"""

from __future__ import annotations

from typing import Any

from ..directory.tenant import Tenant
from ..directory.well_known import OIDC_SCOPES, PERMISSIONS
from .aadsts import EntraError

_CANONICAL = {name.lower(): name for name in (*OIDC_SCOPES, *PERMISSIONS)}


def read_scopes(scope: str, tenant: Tenant) -> tuple[str, ...]:
    """The scopes of a request: OpenID Connect's, and permissions of Graph with or without Graph's name in front.

    Raises:
        EntraError: 70011 for another resource or a permission Graph does not have. Entra tells a person on the
            sign-in page instead (650053, 65002); that the program is told at once is chosen, not sourced.
    """
    scopes = []
    for asked in scope.split():
        resource, slash, name = asked.rpartition("/")
        if slash and resource.rstrip("/").lower() not in {one.rstrip("/") for one in tenant.graph_audiences}:
            raise EntraError("scope_invalid", scope=asked[:500])
        if name.lower() == ".default" and slash:
            scopes.append(asked)
        elif name.lower() in _CANONICAL:
            scopes.append(_CANONICAL[name.lower()])
        else:
            raise EntraError("scope_invalid", scope=asked[:500])
    return tuple(dict.fromkeys(scopes))


def resource_of(scope: str, tenant: Tenant) -> tuple[dict[str, Any], str]:
    """The one resource a scope asks for, and the audience of its tokens.

    OpenID Connect scopes beside it are ignored: Microsoft's Java library sends them along.
    """
    asked = scope.split()
    scopes = [one for one in asked if one.lower() not in OIDC_SCOPES] or asked
    if not all(one.endswith("/.default") and one != "/.default" for one in scopes):
        raise EntraError("scope_not_default", scope=scope[:500])
    names = [one.removesuffix("/.default") for one in scopes]
    if len({name.lower().removesuffix("/") for name in names}) > 1:
        raise EntraError("scope_invalid", scope=scope[:500])
    resource = tenant.resource(names[0])
    if resource is None:
        raise EntraError("resource_not_found", resource=names[0][:500], tenant_name=tenant.name)
    if not resource["accountEnabled"]:
        raise EntraError("resource_disabled", resource=names[0][:500])
    return resource, _audience(names[0], resource)


def _audience(asked: str, resource: dict[str, Any]) -> str:
    """The name of the resource that was asked for, slash at its end included, in the case in which it is registered.

    Graph compares audiences to the letter. What becomes of capitals in a scope is chosen, not sourced.
    """
    bare = asked.removesuffix("/")
    names = (name.rstrip("/") for name in (resource["appId"], *resource["servicePrincipalNames"]))
    return next(name for name in names if name.lower() == bare.lower()) + asked[len(bare) :]
