"""What a scope asks for: one resource of an app, or permissions of a person.

Sources: entra docs scopes-oidc.md; RFC 6749 section 3.3.
"""

from __future__ import annotations

from typing import Any

from ..directory.tenant import Tenant
from ..directory.well_known import GRAPH_APP_ID, GRAPH_ELSEWHERE, GRAPH_NAMES, OIDC_SCOPES, PERMISSIONS, Client
from .aadsts import EntraError

_CANONICAL = {name.lower(): name for name in (*OIDC_SCOPES, *PERMISSIONS)}


def read_scopes(scope: str, tenant: Tenant, client: Client, origin: str) -> tuple[str, ...]:
    """The scopes of a request: OpenID Connect's, and permissions of Graph with or without Graph's name in front.

    Args:
        client: who asks; Microsoft's own clients may name some other resources with ``/.default``.
        origin: the tenant's own address, another name of Graph.

    Raises:
        EntraError: 70011 for another resource or a permission Graph does not have. Entra tells a person on the
            sign-in page instead (650053, 65002); that the program is told at once is chosen, not sourced.
    """
    graph_names = {name.rstrip("/").lower() for name in tenant.graph_audiences} | own_names(origin)
    scopes = []
    for asked in scope.split():
        resource, slash, name = asked.rpartition("/")
        is_graph = not slash or resource.rstrip("/").lower() in graph_names
        if name.lower() == ".default" and slash and (is_graph or _may_call(client, resource, tenant)):
            scopes.append(asked)
        elif is_graph and name.lower() in _CANONICAL:
            scopes.append(_CANONICAL[name.lower()])
        else:
            raise EntraError("scope_invalid", scope=asked[:500])
    return tuple(dict.fromkeys(scopes))


def other_audience(scopes: tuple[str, ...], tenant: Tenant) -> str | None:
    """The audience of a person's token that is not for Graph, None for one that is."""
    for scope in scopes:
        if scope.endswith("/.default"):
            name = scope.removesuffix("/.default")
            resource = tenant.resource(name)
            if resource is not None and resource["appId"] != GRAPH_APP_ID:
                return _audience(name, resource)
    return None


def own_names(origin: str) -> frozenset[str]:
    """The tenant's own address, by number and by name: Azure CLI takes the address of Graph for its name.

    That is the one name here that no real tenant has.
    """
    by_number = origin.replace("//localhost:", "//127.0.0.1:")
    by_name = origin.replace("//127.0.0.1:", "//localhost:")
    return frozenset((by_number, by_name))


def _may_call(client: Client, resource_name: str, tenant: Tenant) -> bool:
    resource = tenant.resource(resource_name)
    return resource is not None and resource["appId"] in client.resources


def resource_of(scope: str, tenant: Tenant, origin: str) -> tuple[dict[str, Any], str]:
    """The one resource a scope asks for, and the audience of its tokens.

    Args:
        origin: the tenant's own address, another name of Graph; a token for it says Graph's own.

    OpenID Connect scopes beside it are ignored: Microsoft's Java library sends them along.
    """
    asked = scope.split()
    scopes = [one for one in asked if one.lower() not in OIDC_SCOPES] or asked
    if not all(one.endswith("/.default") and one != "/.default" for one in scopes):
        raise EntraError("scope_not_default", scope=scope[:500])
    names = [one.removesuffix("/.default") for one in scopes]
    names = [GRAPH_NAMES[0] if name.lower().removesuffix("/") in own_names(origin) else name for name in names]
    if len({name.lower().removesuffix("/") for name in names}) > 1:
        raise EntraError("scope_invalid", scope=scope[:500])
    if names[0].lower().rstrip("/") in GRAPH_ELSEWHERE:
        raise EntraError("scope_not_default", scope=scope[:500])
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
    registered: str = next(name for name in names if name.lower() == bare.lower())
    return registered + asked[len(bare) :]
