"""What login.microsoftonline.com does: discovery, signing keys, tokens for programs and for people.

Sources: entra docs v2-protocols-oidc.md, v2-oauth2-client-creds-grant-flow.md, access-tokens.md; recorded answers.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from . import device_code
from .assertion import ASSERTION_TYPE, check_assertion
from .device_code import COMMAND_LINE_TOOLS, Client, SignIns
from .directory import REGION, TENANT_CREATED, Tenant
from .errors import EntraError
from .messages import Answer, Request, compact
from .tokens import GRAPH_APP_ID, SigningKey, app_only_claims

TENANTLESS = ("common", "organizations", "consumers")
OIDC_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
ZERO_GUID = str(uuid.UUID(int=0))

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DNS_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)
_READING = ("GET", "HEAD", "OPTIONS")
_SECURITY = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}
_PUBLIC = {
    "Cache-Control": "max-age=86400, private",
    "Content-Type": "application/json; charset=utf-8",
    **_SECURITY,
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS",
}
_PRIVATE = {
    "Cache-Control": "no-store, no-cache",
    "Pragma": "no-cache",
    "Content-Type": "application/json; charset=utf-8",
    "Expires": "-1",
    **_SECURITY,
}


def answer(request: Request, tenant: Tenant, key: SigningKey, sign_ins: SignIns) -> Answer:
    """Answer one request to Entra ID.

    Args:
        request: path ``/{tenant}/…``; tenant is an id, a verified domain or ``common``.
        tenant: the practice tenant.
        key: signs the tokens.
        sign_ins: remembers who signs in by device code.

    Returns:
        Answer: 200, the recorded error, 404 for a path Entra does not have, 405 for a document that is written to.
    """
    if unquote(request.path).lower().endswith(f"/{device_code.PAGE}"):
        return device_code.page(request, tenant, sign_ins)
    trace_id, correlation_id = str(uuid.uuid4()), _correlation_id(request)
    headers = {"x-ms-request-id": trace_id, "x-ms-ests-server": "2.1.0 - PRACTICE ProdSlices"}
    if "client-request-id" in request.headers:
        headers["client-request-id"] = correlation_id
    try:
        public, value = _route(request, tenant, key, sign_ins)
    except EntraError as error:
        timestamp = f"{datetime.fromtimestamp(tenant.now(), UTC):%Y-%m-%d %H:%M:%SZ}"
        body = compact(error.body(timestamp, trace_id, correlation_id))
        return Answer(error.status, _PRIVATE | headers, body)
    if value is None:
        return Answer(404, _PRIVATE | headers | {"Content-Type": "text/html; charset=utf-8"})
    if public and request.method not in _READING:  # what Entra says is not sourced; 405 is chosen
        return Answer(405, _PRIVATE | headers | {"Allow": ", ".join(_READING)})
    return Answer(200, (_PUBLIC if public else _PRIVATE) | headers, compact(value))


def _route(request: Request, tenant: Tenant, key: SigningKey, sign_ins: SignIns) -> tuple[bool, dict[str, Any] | None]:
    name, *rest = (unquote(segment) for segment in request.path.removeprefix("/").split("/"))
    match [segment.lower() for segment in rest]:
        case ["v2.0", ".well-known", "openid-configuration"]:
            return True, _discovery(name, tenant, request.origin)
        case ["discovery", "v2.0", "keys"] | ["discovery", "keys"]:
            return True, _keys(name, tenant, key, request.origin)
        case ["discovery", "instance"]:
            return True, _instance(request)
        case ["oauth2", "v2.0", "token"]:
            return False, _token(name, request, tenant, key, sign_ins)
        case ["oauth2", "v2.0", "devicecode"]:
            return False, _device_code(name, request, tenant, sign_ins)
    return True, None


def _correlation_id(request: Request) -> str:
    """The client's own id when it sent a GUID, so that a person can find the call in both logs."""
    sent = request.headers.get("client-request-id", "")
    return sent.lower() if _GUID.fullmatch(sent) else str(uuid.uuid4())


def check_tenant(name: str, tenant: Tenant, error: str | None = None) -> None:
    """Refuse a tenant segment that does not mean this tenant.

    Raises:
        EntraError: 90002 for one that could exist, 900023 for one that could not.
    """
    if tenant.is_named(name):
        return
    if _GUID.fullmatch(name) or _DNS_NAME.fullmatch(name):
        raise EntraError("tenant_not_found", error=error, tenant=name)
    raise EntraError("tenant_malformed", error=error, tenant=name[:100])


# --- discovery ----------------------------------------------------------------------------------------------


def _discovery(name: str, tenant: Tenant, origin: str) -> dict[str, Any]:
    """OpenID Connect discovery. The addresses carry the tenant's id also when it was asked for by domain."""
    tenantless = name.lower() in TENANTLESS
    if not tenantless:
        check_tenant(name, tenant, error="invalid_tenant")
    base = f"{origin}/{name.lower() if tenantless else tenant.id}"
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


def _keys(name: str, tenant: Tenant, key: SigningKey, origin: str) -> dict[str, Any]:
    """The keys tokens are signed with. An unknown tenant is refused as discovery refuses it (chosen, not sourced)."""
    tenantless = name.lower() in TENANTLESS
    if not tenantless:
        check_tenant(name, tenant, error="invalid_tenant")
    return {"keys": [key.published(f"{origin}/{'{tenantid}' if tenantless else tenant.id}/v2.0")]}


def _instance(request: Request) -> dict[str, Any]:
    """Which hosts are Entra's. The practice tenant's own address counts as one: nothing else could be right."""
    own = urlsplit(request.origin).netloc
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
    asked = parse_qs(request.query)
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


# --- tokens -------------------------------------------------------------------------------------------------


def _token(name: str, request: Request, tenant: Tenant, key: SigningKey, sign_ins: SignIns) -> dict[str, Any]:
    """The token endpoint: one grant type for a program alone, two for a person who has signed in."""
    form = _posted(request, "grant_type", "client_id")
    grant_type = form["grant_type"]
    if grant_type == "client_credentials":
        return _app_token(name, form, request.origin, tenant, key)
    if grant_type in device_code.GRANT_TYPES:
        form |= {"device_code": form.get("device_code") or form.get("code", "")}  # MSAL sends both, older ones `code`
        _require(form, "device_code")
        client = _client_of_person(name, form, request.origin, tenant)
        grant = sign_ins.redeem(form["device_code"], client, tenant.now())
    elif grant_type == "refresh_token":
        _require(form, "refresh_token")
        client = _client_of_person(name, form, request.origin, tenant)
        grant = sign_ins.refresh(form["refresh_token"], client, form.get("scope", ""), tenant)
    else:
        raise EntraError("unsupported_grant", grant_type=grant_type[:100])
    wants_info = form.get("client_info") == "1"
    return device_code.tokens(grant, sign_ins, tenant, key, request.origin, with_client_info=wants_info)


def _device_code(name: str, request: Request, tenant: Tenant, sign_ins: SignIns) -> dict[str, Any]:
    """The device code endpoint: any app of the tenant may begin, and its credential is asked for at the end."""
    form = _posted(request, "client_id", "scope")
    _check_tenant_of_person(name, tenant)
    client = _known_client(form["client_id"], tenant)
    scopes = device_code.read_scopes(form["scope"], tenant)
    return device_code.codes(sign_ins.begin(client, scopes, tenant.now()), request.origin)


def _posted(request: Request, *required: str) -> dict[str, str]:
    if request.method != "POST":
        raise EntraError("only_post", method=request.method)
    names = [name for name, _ in request.form_pairs()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise EntraError("parameter_twice", name=twice[:100])  # recorded for the token endpoint: azure-dev-docs#934
    form = _form_with_basic_credentials(request)
    for field in required:
        _require(form, field)
    return form


def _check_tenant_of_person(name: str, tenant: Tenant) -> None:
    """A person brings their tenant along, so /common and /organizations will do; /consumers has nobody of ours."""
    if name.lower() not in ("common", "organizations"):
        check_tenant(name, tenant)


def _known_client(client_id: str, tenant: Tenant) -> Client:
    if client_id.lower() == COMMAND_LINE_TOOLS.id:
        return COMMAND_LINE_TOOLS
    _, application = _client(client_id, tenant)
    return Client(application["appId"], application["displayName"])


def _client_of_person(name: str, form: dict[str, str], origin: str, tenant: Tenant) -> Client:
    """The app that wants tokens for a person. A public client has no credential; every other one shows its own."""
    _check_tenant_of_person(name, tenant)
    client = _known_client(form["client_id"], tenant)
    has_credential = bool(form.get("client_assertion") or form.get("client_secret"))
    application = tenant.application(client.id)
    if application is None or application.get("isFallbackPublicClient"):
        if has_credential:
            raise EntraError("public_client")
    elif not has_credential:
        raise EntraError("client_secret_missing")
    else:
        _authenticate(form, application, tenant, origin, name)
    if application is not None:
        _check_enabled(tenant.service_principal(client.id), application, tenant)
    return client


def _app_token(name: str, form: dict[str, str], origin: str, tenant: Tenant, key: SigningKey) -> dict[str, Any]:
    """Client credentials. Order of the checks: parameters, tenant, application, credential, scope, resource."""
    _require(form, "scope")
    if name.lower() in TENANTLESS:
        raise EntraError("tenantless", grant_type="client_credentials")
    check_tenant(name, tenant)
    if form["client_id"].lower() == COMMAND_LINE_TOOLS.id:
        has_credential = form.get("client_assertion") or form.get("client_secret")
        raise EntraError("public_client" if has_credential else "no_credential")
    principal, application = _client(form["client_id"], tenant)
    by_certificate = _authenticate(form, application, tenant, origin, name)
    _check_enabled(principal, application, tenant)
    resource, audience = _resource(form["scope"], tenant)
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
        tenant_created=TENANT_CREATED,
        region=REGION,
        audience=audience,
        client_id=application["appId"],
        app_name=application["displayName"],
        app_created=int(datetime.fromisoformat(application["createdDateTime"]).timestamp()),
        service_principal_id=principal["id"],
        roles=tenant.granted_roles(principal, resource),
        by_certificate=by_certificate,
        now=now,
        lifetime=tenant.token_lifetime,
    )
    token = key.sign(claims, with_nonce=resource["appId"] == GRAPH_APP_ID)
    seconds = tenant.token_lifetime - 1  # a token for 3600 seconds is announced as 3599
    return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}


def _form_with_basic_credentials(request: Request) -> dict[str, str]:
    """The form, completed by an HTTP Basic header: Entra announces client_secret_basic.

    A credential in the form counts before the header, and the header of another app than the form's counts for
    nothing (both chosen, not sourced).
    """
    form = request.form()
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic" and "client_secret" not in form and "client_assertion" not in form:
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return form
        if form.get("client_id", unquote(user)).lower() == unquote(user).lower():
            form = {"client_id": unquote(user)} | form | {"client_secret": unquote(password)}
    return form


def _require(form: dict[str, str], name: str) -> None:
    if not form.get(name, "").strip():
        raise EntraError("missing_parameter", name=name)


def _client(client_id: str, tenant: Tenant) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    if client_id == ZERO_GUID:
        raise EntraError("app_id_placeholder", client_id=client_id)
    application = tenant.application(client_id)
    if application is None:
        raise EntraError("app_not_found", client_id=client_id[:100], tenant_name=tenant.name)
    return tenant.service_principal(client_id), application


def _check_enabled(principal: dict[str, Any] | None, application: dict[str, Any], tenant: Tenant) -> None:
    if principal is None:
        raise EntraError("no_service_principal", client_id=application["appId"], tenant_id=tenant.id)
    if not principal["accountEnabled"]:
        raise EntraError("app_disabled", client_id=application["appId"], app_name=application["displayName"])


def _authenticate(form: dict[str, str], application: dict[str, Any], tenant: Tenant, origin: str, name: str) -> bool:
    """Check the credential; True when it was a certificate. An assertion counts before a secret (chosen)."""
    if form.get("client_assertion"):
        _require(form, "client_assertion_type")
        if form["client_assertion_type"] != ASSERTION_TYPE:
            raise EntraError("unknown_assertion_type")
        check_assertion(
            form["client_assertion"],
            client_id=form["client_id"],
            keys=tenant.usable_keys(application),
            audiences=_audiences(origin, {tenant.id, name}),
            now=tenant.now(),
        )
        return True
    if form.get("client_secret"):
        _check_secret(form["client_secret"], application, tenant)
        return False
    raise EntraError("no_credential")


def _audiences(origin: str, names: set[str]) -> set[str]:
    """What an assertion's aud may be: the token endpoint that was posted to, or its issuer as older pages print it."""
    return {f"{origin}/{name}/{end}" for name in names for end in ("oauth2/v2.0/token", "v2.0", "v2")}


def _check_secret(secret: str, application: dict[str, Any], tenant: Tenant) -> None:
    credential, now = tenant.matching_secret(application, secret), tenant.now()
    # That a secret whose time has not come is as good as none is chosen, not sourced.
    if credential is None or now < datetime.fromisoformat(credential["startDateTime"]).timestamp():
        raise EntraError("wrong_secret", client_id=application["appId"])
    if datetime.fromisoformat(credential["endDateTime"]).timestamp() <= now:
        raise EntraError("secret_expired", client_id=application["appId"])


def _resource(scope: str, tenant: Tenant) -> tuple[dict[str, Any], str]:
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
