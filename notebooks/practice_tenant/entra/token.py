"""The token endpoint, and the device code endpoint that comes before it when a person signs in.

Sources: entra docs v2-oauth2-client-creds-grant-flow.md, v2-oauth2-device-code.md; recorded answers.
"""

from __future__ import annotations

from typing import Any

from ..directory.well_known import GRAPH_APP_ID, PUBLIC_CLIENTS, REGION
from ..formats import seconds
from .aadsts import EntraError
from .authority import check_tenant, check_tenant_of_person, is_tenantless
from .call import Call
from .claims import app_only_claims
from .clients import authenticate, check_enabled, client_of_person, find_client, known_client
from .form import read_form, require_field
from .scopes import read_scopes, resource_of
from .sign_in import GRANT_TYPES, device_authorization, tokens_of_person
from .sign_ins import PAGE


def issue_token(call: Call) -> dict[str, Any]:
    """The token endpoint: one grant type for a program alone, two for a person who has signed in.

    Raises:
        EntraError: whatever is wrong first.
    """
    read_form(call, "grant_type", "client_id")
    form, sign_ins = call.form, call.sign_ins
    grant_type = form["grant_type"]
    if grant_type == "client_credentials":
        return _app_token(call)
    if grant_type in GRANT_TYPES:
        form["device_code"] = form.get("device_code") or form.get("code", "")  # MSAL sends both, older ones `code`
        require_field(call, "device_code")
        grant = sign_ins.redeem(form["device_code"], client_of_person(call), call.tenant)
    elif grant_type == "refresh_token":
        require_field(call, "refresh_token")
        client, scope = client_of_person(call), form.get("scope", "")
        grant = sign_ins.refresh(form["refresh_token"], client, scope, call.tenant, call.origin)
    else:
        raise EntraError("unsupported_grant", grant_type=grant_type[:100])
    return tokens_of_person(call, grant, with_client_info=form.get("client_info") == "1")


def begin_sign_in(call: Call) -> dict[str, Any]:
    """The device code endpoint: any app of the tenant may begin, and its credential is asked for at the end.

    Raises:
        EntraError: an unknown tenant or app, or a scope Graph does not have.
    """
    read_form(call, "client_id", "scope")
    check_tenant_of_person(call)
    client = known_client(call)
    scopes = read_scopes(call.form["scope"], call.tenant, client, call.origin)
    address = call.sign_ins.page_address or f"{call.origin}/common/{PAGE}"
    return device_authorization(call.sign_ins.begin(client, scopes, call.tenant.now()), address)


def _app_token(call: Call) -> dict[str, Any]:
    """Client credentials. Order of the checks: parameters, tenant, application, credential, scope, resource."""
    form, tenant = call.form, call.tenant
    require_field(call, "scope")
    if call.authority.lower() == "organizations":
        raise EntraError("organizations_without_person")
    if is_tenantless(call):
        raise EntraError("tenantless", grant_type="client_credentials")
    check_tenant(call)
    if form["client_id"].lower() in PUBLIC_CLIENTS:
        raise EntraError("public_client" if call.has_credential else "no_credential")
    principal, application = find_client(call)
    by_certificate = authenticate(call, application)
    principal = check_enabled(call, principal, application)
    resource, audience = resource_of(form["scope"], tenant, call.origin)
    if resource["appRoleAssignmentRequired"] and not tenant.is_assigned(principal, resource):
        raise EntraError(
            "not_assigned",
            client_id=application["appId"],
            app_name=application["displayName"],
            resource_id=resource["appId"],
            resource_name=resource["displayName"],
        )
    now = tenant.now()
    claims = app_only_claims(
        tenant_id=tenant.id,
        tenant_created=tenant.created,
        region=REGION,
        audience=audience,
        client_id=application["appId"],
        app_name=application["displayName"],
        app_created=seconds(application["createdDateTime"]),
        service_principal_id=principal["id"],
        roles=tenant.granted_roles(principal, resource),
        by_certificate=by_certificate,
        now=now,
        lifetime=tenant.token_lifetime,
    )
    token = call.signing_key.sign(claims, with_nonce=resource["appId"] == GRAPH_APP_ID)
    lifetime = tenant.token_lifetime - 1  # a token for 3600 seconds is announced as 3599
    return {"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token}
