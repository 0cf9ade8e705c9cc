"""What a program gets while it signs a person in: codes to show, and tokens once the person has agreed.

Sources: entra docs v2-oauth2-device-code.md; RFC 8628.
"""

from __future__ import annotations

from typing import Any

from ..directory.well_known import GRAPH_APP_ID, REGION
from ..formats import encode_base64url
from ..messages import compact
from .call import Call
from .claims import delegated_claims, id_token_claims
from .scopes import other_audience
from .sign_ins import INTERVAL, LIFETIME, Grant, SignIn

GRANT_TYPES = ("urn:ietf:params:oauth:grant-type:device_code", "device_code")  # the second: MSAL for Node and .NET


def device_authorization(sign_in: SignIn, address: str) -> dict[str, Any]:
    """The answer of the device code endpoint, in the documented order.

    Args:
        address: the page a person opens.
    """
    return {
        "user_code": sign_in.user_code,
        "device_code": sign_in.device_code,
        "verification_uri": address,
        "expires_in": LIFETIME,
        "interval": INTERVAL,
        "message": f"To sign in, use a web browser to open the page {address} and enter the code "
        f"{sign_in.user_code} to authenticate.",
    }


def tokens_of_person(call: Call, grant: Grant, *, with_client_info: bool) -> dict[str, Any]:
    """The answer of the token endpoint for a signed-in person.

    Args:
        grant: what the person agreed to.
        with_client_info: adds who it was for MSAL's cache, as ``client_info=1`` in the request asks for.

    A refresh token goes along when ``offline_access`` was asked for, an ID token when ``openid`` was.
    """
    tenant, key = call.tenant, call.signing_key
    seconds = tenant.token_lifetime - 1  # a token for 3600 seconds is announced as 3599
    scopes = [scope for scope in grant.scopes if scope != "offline_access"]
    audience = other_audience(grant.scopes, tenant)
    permissions = [scope for scope in scopes if not scope.endswith("/.default")]
    access_token = key.sign(
        delegated_claims(
            audience=audience or GRAPH_APP_ID,
            tenant_id=tenant.id,
            tenant_created=tenant.created,
            region=REGION,
            client_id=grant.client.id,
            app_name=grant.client.name,
            person=tenant.administrator,
            scopes=["user_impersonation"] if audience else permissions,
            now=tenant.now(),
            lifetime=tenant.token_lifetime,
        ),
        with_nonce=audience is None,
    )
    body = {
        "token_type": "Bearer",
        "scope": " ".join(scopes),
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": access_token,
    }
    if "offline_access" in grant.scopes:
        body["refresh_token"] = call.sign_ins.remember(grant)
    if "openid" in grant.scopes:
        claims = id_token_claims(
            tenant_id=tenant.id,
            issuer=f"{call.origin}/{tenant.id}/v2.0",
            client_id=grant.client.id,
            person=tenant.administrator,
            now=tenant.now(),
        )
        body["id_token"] = key.sign(claims, with_nonce=False, with_x5t=False)
    if with_client_info:
        body["client_info"] = encode_base64url(compact({"uid": tenant.administrator.id, "utid": tenant.id}))
    return body
