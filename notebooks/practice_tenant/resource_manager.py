"""The little of Azure Resource Manager that Azure CLI asks for at sign-in: which tenants and subscriptions there are.

There is one tenant and no subscription, so ``az login --allow-no-subscriptions`` is the way in. It asks for a token of
its own: one for Graph is refused, and Graph refuses this one.

Sources: Azure REST docs resources/tenants/list and resources/subscriptions/list; error texts as public logs quote them.
"""

from __future__ import annotations

from typing import Any

from .directory.tenant import Tenant
from .directory.well_known import MANAGEMENT_APP_ID, MANAGEMENT_NAMES, REGION
from .errors import GraphError
from .graph.bearer import verify_token
from .messages import Answer, Request, compact
from .signing import SigningKey

PATHS = ("/subscriptions", "/tenants")
_AUDIENCES = [name + slash for name in reversed(MANAGEMENT_NAMES) for slash in ("/", "")]
_JSON = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-cache", "Pragma": "no-cache"}


def answer(request: Request, tenant: Tenant, key: SigningKey) -> Answer:
    """Answer one request to Azure Resource Manager.

    Args:
        request: its path is one of `PATHS`.
        key: the key that good tokens are signed with.
    """
    if request.method != "GET":  # chosen, not sourced
        return _refusal(405, "MethodNotAllowed", "The requested resource does not support this http method.")
    authorization = request.headers.get("authorization")
    if not authorization:
        return _refusal(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    everybody = frozenset((*_AUDIENCES, MANAGEMENT_APP_ID)) | tenant.graph_audiences
    try:
        claims = verify_token(authorization, key=key, tenant_id=tenant.id, audiences=everybody, now=tenant.now())
    except GraphError:
        return _refusal(401, "InvalidAuthenticationToken", "The access token is invalid.")
    if claims["aud"] in tenant.graph_audiences:
        allowed = ",".join(f"'{name}'" for name in _AUDIENCES)
        text = (
            f"The access token has been obtained for wrong audience or resource '{claims['aud']}'. It should exactly "
            f"match with one of the allowed audiences {allowed}."
        )
        return _refusal(401, "InvalidAuthenticationTokenAudience", text)
    found = [] if request.path == "/subscriptions" else [_described(tenant)]
    return Answer(200, dict(_JSON), compact({"value": found}))


def _described(tenant: Tenant) -> dict[str, Any]:
    """The tenant as ``/tenants`` lists it."""
    return {
        "id": f"/tenants/{tenant.id}",
        "tenantId": tenant.id,
        "countryCode": REGION[:2],
        "displayName": tenant.name,
        "domains": list(tenant.domains),
        "tenantCategory": "Home",
        "defaultDomain": tenant.domains[0],
        "tenantType": "AAD",
    }


def _refusal(status: int, code: str, message: str) -> Answer:
    return Answer(status, dict(_JSON), compact({"error": {"code": code, "message": message}}))
