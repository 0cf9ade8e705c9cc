"""What Entra publishes about itself: OpenID Connect discovery, signing keys, and which hosts are Entra's.

Sources: entra docs v2-protocols-oidc.md, access-tokens.md; recorded answers.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..directory.well_known import REGION
from .aadsts import EntraError
from .authority import check_tenant, is_tenantless
from .call import Call


def openid_configuration(call: Call) -> dict[str, Any]:
    """OpenID Connect discovery. The addresses carry the tenant's id also when it was asked for by domain."""
    tenantless = is_tenantless(call)
    if not tenantless:
        check_tenant(call, error="invalid_tenant")
    origin = call.origin
    base = f"{origin}/{call.authority.lower() if tenantless else call.tenant.id}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{origin}/{{tenantid}}/v2.0" if tenantless else f"{base}/v2.0",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{base}/oauth2/v2.0/logout",
        "claims_supported": [
            "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host",
            "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash",
            "c_hash", "email",
        ],
        "kerberos_endpoint": f"{base}/kerberos",
        "tenant_region_scope": None if tenantless else REGION,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }  # fmt: skip


def signing_keys(call: Call) -> dict[str, Any]:
    """The keys tokens are signed with. An unknown tenant is refused as discovery refuses it (chosen, not sourced)."""
    tenantless = is_tenantless(call)
    if not tenantless:
        check_tenant(call, error="invalid_tenant")
    place = "{tenantid}" if tenantless else call.tenant.id
    return {"keys": [call.signing_key.published(f"{call.origin}/{place}/v2.0")]}


def instance_discovery(call: Call) -> dict[str, Any]:
    """Which hosts are Entra's. The practice tenant's own address counts as one: nothing else could be right."""
    own = urlsplit(call.origin).netloc
    clouds = [
        ("login.microsoftonline.com", "login.windows.net",
         ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]),
        ("login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn",
         ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"]),
        ("login.microsoftonline.de", "login.microsoftonline.de", ["login.microsoftonline.de"]),
        ("login.microsoftonline.us", "login.microsoftonline.us",
         ["login.microsoftonline.us", "login.usgovcloudapi.net"]),
        ("login-us.microsoftonline.com", "login-us.microsoftonline.com", ["login-us.microsoftonline.com"]),
        (own, own, [own]),
    ]  # fmt: skip
    asked = parse_qs(call.request.query)
    endpoint = asked.get("authorization_endpoint", [""])[0]
    host, _, path = endpoint.lower().removeprefix("https://").partition("/")
    if not any(host in aliases for _, _, aliases in clouds):
        raise EntraError("unknown_instance")
    tenant = path.strip("/").partition("/")[0] or "common"
    return {
        "tenant_discovery_endpoint": f"https://{host}/{tenant}/.well-known/openid-configuration",
        "api-version": asked.get("api-version", ["1.1"])[0],
        "metadata": [
            {"preferred_network": network, "preferred_cache": cache, "aliases": aliases}
            for network, cache, aliases in clouds
        ],
    }
