"""Entra ID: discovery, keys, tokens for a daemon and for a person with a device code.

Sources: entra docs v2-protocols-oidc.md, v2-oauth2-client-creds-grant-flow.md, v2-oauth2-device-code.md,
certificate-credentials.md, access-token-claims-reference.md; answers recorded by calvinchengx/entra-emulator (2026),
azure-sdk-for-js (2021) and MSAL.NET's tests.
"""

import base64
import hashlib
import re
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from .answers import Answer, Asked, new_id, now
from .directory import COMMAND_LINE_TOOLS, GRAPH_APP, ROLES, App, Directory

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
GRAPH = "https://graph.microsoft.com"
OTHER_CLOUDS = {"https://graph.microsoft.us", "https://microsoftgraph.chinacloudapi.cn"}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
CLAIMS = [
    "sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud",
    "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash",
    "email",
]  # fmt: skip
SKEW = 300  # seconds, the default of Microsoft.IdentityModel
WITHOUT_PAGE = {70003, 700038, 1002012, 70016}  # codes whose answers have no error_uri
PROTECTED = {"strict-transport-security": "max-age=31536000; includeSubDomains", "x-content-type-options": "nosniff"}
METADATA_HEADERS = PROTECTED | {
    "cache-control": "max-age=86400, private",
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, OPTIONS",
}
TOKEN_HEADERS = PROTECTED | {"cache-control": "no-store, no-cache", "pragma": "no-cache", "expires": "-1"}


class Refusal(Exception):
    """What the body of a refusal says; the status follows from `error`."""

    def __init__(self, error: str, code: int, text: str):
        super().__init__(text)
        self.error, self.code, self.text = error, code, text


@dataclass
class DeviceCode:
    user_code: str
    scopes: str
    approved: bool = False


class Entra:
    """With `signs_in` an administrator agrees to every device code once a program has asked about it."""

    def __init__(self, directory: Directory, signs_in: bool = False):
        self.directory = directory
        self.signs_in = signs_in
        self.device_codes: dict[str, DeviceCode] = {}
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = own_certificate(self.key)
        der = self.certificate.public_bytes(Encoding.DER)
        self.key_id = base64url(hashlib.sha1(der).digest())  # noqa: S324 - Entra's own name for a key

    def answer(self, asked: Asked) -> Answer:
        """One request to the sign-in host."""
        try:
            answer = self._dispatch(asked)
        except Refusal as refusal:
            answer = self._refused(asked, refusal)
        answer.headers.setdefault("x-ms-request-id", new_id())
        if "client-request-id" in asked.headers:
            answer.headers["client-request-id"] = asked.headers["client-request-id"]
        return answer

    def sign_in(self, user_code: str) -> None:
        """An administrator types the code and agrees.

        Raises:
            LookupError: nobody is waiting with this code.
        """
        for one in self.device_codes.values():
            if one.user_code == user_code:
                one.approved = True
                return
        raise LookupError(user_code)

    def _dispatch(self, asked: Asked) -> Answer:
        match asked.path:
            case ["common", "discovery", "instance"]:
                return self._instance(asked)
            case [tenant, "v2.0", ".well-known", "openid-configuration"]:
                return self._discovery(tenant, asked.base)
            case [tenant, "discovery", "v2.0", "keys"]:
                self._tenant(tenant, "invalid_tenant")
                return Answer(200, {"keys": [self._public_key()]}, dict(METADATA_HEADERS))
            case [tenant, "oauth2", "v2.0", "token"]:
                return self._token(tenant, asked)
            case [tenant, "oauth2", "v2.0", "devicecode"]:
                self._tenant(tenant)
                return self._device_code(form_of(asked), asked.base)
        return Answer(404, "", {}, "text/html")

    # --- metadata ---------------------------------------------------------------------------------------------

    def _tenant(self, name: str, error: str = "invalid_request") -> None:
        if name.lower() in (self.directory.tenant_id, *self.directory.domains, "common", "organizations"):
            return
        if not (GUID.fullmatch(name) or "." in name):
            text = f"Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain."
            raise Refusal(error, 900023, text)
        raise Refusal(
            error,
            90002,
            f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct cloud. Check with your subscription administrator, this may happen if there are no active "
            "subscriptions for the tenant.",
        )

    def _discovery(self, name: str, base: str) -> Answer:
        self._tenant(name, "invalid_tenant")
        is_common = name in {"common", "organizations"}
        here = f"{base}/{name if is_common else self.directory.tenant_id}"
        issuer = "{tenantid}" if is_common else self.directory.tenant_id
        document = {
            "token_endpoint": f"{here}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{here}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"https://login.microsoftonline.com/{issuer}/v2.0",
            "request_uri_parameter_supported": False,
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{here}/oauth2/v2.0/devicecode",
            "http_logout_supported": True,
            "frontchannel_logout_supported": True,
            "end_session_endpoint": f"{here}/oauth2/v2.0/logout",
            "claims_supported": CLAIMS,
            "kerberos_endpoint": f"{here}/kerberos",
            "tenant_region_scope": None if is_common else "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
            "rbac_url": "https://pas.windows.net",
        }
        return Answer(200, document, dict(METADATA_HEADERS))

    def _instance(self, asked: Asked) -> Answer:
        endpoint = asked.query.get("authorization_endpoint", "")
        if not endpoint.startswith("https://login.microsoftonline.com/"):
            raise Refusal("invalid_instance", 50049, "Unknown or invalid instance.")
        aliases = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]
        names = {"preferred_network": aliases[0], "preferred_cache": aliases[1], "aliases": aliases}
        tenant = endpoint.split("/")[3]
        document = {
            "tenant_discovery_endpoint": f"https://{aliases[0]}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": asked.query.get("api-version", "1.1"),
            "metadata": [names],
        }
        return Answer(200, document, dict(METADATA_HEADERS))

    def _public_key(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.key_id,
            "x5t": self.key_id,
            "n": base64url(numbers.n.to_bytes(256, "big")),
            "e": "AQAB",
            "x5c": [base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode()],
            "issuer": f"https://login.microsoftonline.com/{self.directory.tenant_id}/v2.0",
        }

    def _refused(self, asked: Asked, refusal: Refusal) -> Answer:
        trace, stamp = new_id(), f"{now():%Y-%m-%d %H:%M:%SZ}"
        correlation = asked.headers.get("client-request-id") or asked.query.get("client-request-id") or new_id()
        said = f"AADSTS{refusal.code}: {refusal.text}"
        body = {
            "error": refusal.error,
            "error_description": f"{said} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
            "error_codes": [refusal.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
        }
        if refusal.code not in WITHOUT_PAGE:
            body["error_uri"] = f"https://login.microsoftonline.com/error?code={refusal.code}"
        status = 401 if refusal.error == "invalid_client" else 400
        return Answer(status, body, TOKEN_HEADERS | {"x-ms-request-id": trace})

    # --- tokens -----------------------------------------------------------------------------------------------

    def _token(self, tenant: str, asked: Asked) -> Answer:
        if asked.method != "POST":
            text = f"The endpoint only accepts POST requests. Received a {asked.method} request."
            raise Refusal("invalid_request", 900561, text)
        fields = [name for name, _ in parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True)]
        doubled = next((name for name in fields if fields.count(name) > 1), None)
        if doubled:
            text = f"The request is not properly formatted. The parameter '{doubled}' is duplicated."
            raise Refusal("invalid_request", 9000411, text)
        form = form_of(asked)
        grant = needed(form, "grant_type")
        self._tenant(tenant)
        if grant == DEVICE:
            return self._poll(form)
        if grant != "client_credentials":
            text = f"The app requested an unsupported grant type '{grant}'."
            raise Refusal("unsupported_grant_type", 70003, text)
        return self._client_credentials(tenant, form, asked)

    def _client_credentials(self, tenant: str, form: dict[str, str], asked: Asked) -> Answer:
        basic = basic_of(asked.headers.get("authorization", ""))
        client_id = form.get("client_id") or basic[0] or needed(form, "client_id")
        scope = needed(form, "scope")
        if tenant in {"common", "consumers"}:
            text = "The grant type 'client_credentials' is not supported over the /common or /consumers endpoints. "
            text += "Please use the /organizations or tenant-specific endpoint."
            raise Refusal("invalid_request", 9001023, text)
        if tenant == "organizations":
            text = (
                "No tenant-identifying information found in either the request or implied by any provided credentials."
            )
            raise Refusal("invalid_request", 50059, text)
        app = self._app(client_id)
        proof = self._proof(app, form, basic[1], tenant, asked.base)
        self._graph_only(scope)
        principal = self.directory.principal(app.app_id)
        if principal is None:
            text = f"The client application {app.app_id} is missing service principal in the tenant "
            text += (
                f"{self.directory.tenant_id}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"
            )
            raise Refusal("invalid_client", 7000229, text)
        roles = [name for name, key in ROLES.items() if key in principal.roles.values()]
        if principal.lag:  # consent is known here a little later
            principal.lag -= 1
            roles = []
        claims = {
            "appidacr": proof,
            "idtyp": "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "app_displayname": app.name,
            "appid": app.app_id,
            "wids": ["0997a1d0-0d1d-4acb-b408-d5ca73121e90"],
        }
        token = self._signed(claims | ({"roles": roles} if roles else {}))
        body = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}
        return Answer(200, body, dict(TOKEN_HEADERS))

    def _app(self, client_id: str) -> App:
        if not client_id.strip("0-"):
            text = f"{client_id} is not a valid application identifier."
            raise Refusal("unauthorized_client", 700038, text)
        app = self.directory.app(client_id)
        if app is None or app.app_id != client_id.lower() or app.lag:
            if app and app.lag:
                app.lag -= 1
            raise Refusal(
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory '{self.directory.name}'. "
                "This can happen if the application has not been installed by the administrator of the tenant or "
                "consented to by any user in the tenant. You may have sent your authentication request to the wrong "
                "tenant.",
            )
        return app

    def _proof(self, app: App, form: dict[str, str], basic: str, tenant: str, base: str) -> str:
        """The claim appidacr: "2" for a certificate, "1" for a secret."""
        if "client_assertion" in form and form.get("client_assertion_type") == ASSERTION:
            self._assertion(app, form["client_assertion"], tenant, base)
            return "2"
        secret = form.get("client_secret") or basic
        if not secret:
            text = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant "
            raise Refusal("invalid_client", 7000216, text + "type.")
        if not any(secrets.compare_digest(secret.encode(), one.value.encode()) for one in app.secrets):
            raise Refusal(
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{app.app_id}'.",
            )
        return "1"

    def _assertion(self, app: App, assertion: str, tenant: str, base: str) -> None:
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise Refusal("invalid_request", 50027, "JWT token is invalid or malformed.") from None
        if header.get("alg") not in ALGORITHMS:
            text = f"Invalid JWT token. '{header.get('alg')}' is not a supported signature algorithm. Supported "
            text += f"signing algorithms are: '{','.join(ALGORITHMS)}'"
            raise Refusal("invalid_client", 5002738, text)
        page = "Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials"
        for claim in ("iss", "sub", "aud", "exp"):
            if claim not in claims:
                text = f"The required field '{claim}' is missing from the credential. Ensure that you have all the "
                raise Refusal("invalid_request", 90014, text + "necessary parameters for the login request.")
        if claims["iss"] != app.app_id:
            text = f"Client assertion application identifier doesn't match 'client_id' parameter. {page} ."
            raise Refusal("invalid_client", 700021, text)
        if claims["sub"] != claims["iss"]:
            text = "Subject must match the issuer claim in the client assertion."
            raise Refusal("invalid_client", 50048, text)
        names = {tenant, self.directory.tenant_id, *self.directory.domains}
        endings = ("/oauth2/v2.0/token", "/v2.0", "/oauth2/token")
        if claims["aud"] not in {f"{base}/{name}{ending}" for name in names for ending in endings}:
            text = f"Client assertion audience claim does not match Realm issuer. {page}."
            raise Refusal("invalid_client", 700023, text)
        self._in_time(claims, page)
        self._signature(app, assertion, header)

    def _in_time(self, claims: dict[str, Any], page: str) -> None:
        begins, ends = float(claims.get("nbf", 0)), float(claims["exp"])
        if begins - SKEW <= time.time() <= ends + SKEW:
            return
        times = [f"{datetime.fromtimestamp(one, UTC):%Y-%m-%dT%H:%M:%S}.0000000Z" for one in (begins, ends)]
        raise Refusal(
            "invalid_client",
            700024,
            f"Client assertion is not within its valid time range. Current time: {now():%Y-%m-%dT%H:%M:%S.%f}0Z, "
            f"assertion valid from {times[0]}, expiry time of assertion {times[1]}. {page} .",
        )

    def _signature(self, app: App, assertion: str, header: dict[str, Any]) -> None:
        names = {str(header.get(name, "")).rstrip("=") for name in ("x5t", "x5t#S256", "kid")} - {""}
        if not names:
            text = "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId "
            raise Refusal("invalid_client", 5002723, text + "specified in token header.")
        names = {name.replace("+", "-").replace("/", "_") for name in names}
        for der in app.ders:
            sha1, sha256 = hashlib.sha1(der), hashlib.sha256(der)  # noqa: S324 - a name
            if not names & {base64url(sha1.digest()), base64url(sha256.digest()), sha1.hexdigest().upper()}:
                continue
            certificate = x509.load_der_x509_certificate(der)
            found = f", Found key 'Start={american(certificate.not_valid_before_utc)}, "
            found += f"End={american(certificate.not_valid_after_utc)}'"
            try:
                key = certificate.public_key()
                jwt.decode(assertion, key, ALGORITHMS, options={"verify_aud": False, "verify_exp": False})
            except jwt.InvalidTokenError:
                reason = "Key was found, but use of the key to verify the signature failed."
                raise self._bad_key(app, "is not registered", reason, sha1.hexdigest(), found) from None
            if not certificate.not_valid_before_utc <= now() <= certificate.not_valid_after_utc:
                raise self._bad_key(app, "is expired", "The key used is expired.", sha1.hexdigest(), found)
            return
        shown = base64.urlsafe_b64decode(max(names, key=len) + "==").hex()
        raise self._bad_key(app, "is not registered", "The key was not found.", shown)

    def _bad_key(self, app: App, what: str, reason: str, thumbprint: str, found: str = "") -> Refusal:
        return Refusal(
            "invalid_client",
            700027,
            f"The certificate with identifier used to sign the client assertion {what} on application. [Reason - "
            f"{reason}, Thumbprint of key used by client: '{thumbprint.upper()}'{found}, Please visit the Azure "
            "Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id "
            f"'{app.app_id}'. Review the "
            "documentation at https://docs.microsoft.com/en-us/graph/deployments to determine the corresponding "
            "service endpoint and https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0&"
            "tabs=http to build a query request URL, such as "
            f"'https://graph.microsoft.com/beta/applications/{app.app_id}'].",
        )

    def _graph_only(self, scope: str) -> None:
        scopes = [one for one in scope.split() if one not in {"openid", "profile", "offline_access", "email"}]
        if len(scopes) > 1:
            text = "The provided request must include a 'scope' input parameter. The provided value for the input "
            text += f"parameter 'scope' is not valid. The scope {scope} is not valid."
            raise Refusal("invalid_scope", 70011, text)
        if not scopes or not scopes[0].endswith("/.default"):
            text = (
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
            )
            text += "with /.default suffixed to the resource identifier (application ID URI)."
            raise Refusal("invalid_scope", 1002012, text)
        resource = scopes[0].removesuffix("/.default").rstrip("/")
        if resource in OTHER_CLOUDS:
            text = f"The provided value for scope {scope} is not valid. Client credential flows must have a scope "
            text += "value with /.default suffixed to the resource identifier (application ID URI)."
            raise Refusal("invalid_scope", 1002012, text)
        if resource not in {GRAPH, GRAPH_APP}:
            raise Refusal(
                "invalid_resource",
                500011,
                f"The resource principal named {resource} was not found in the tenant named {self.directory.name}. "
                "This can happen if the application has not been installed by the administrator of the tenant or "
                "consented to by any user in the tenant. You might have sent your authentication request to the wrong "
                "tenant.",
            )

    # --- a person with a device code --------------------------------------------------------------------------

    def _device_code(self, form: dict[str, str], base: str) -> Answer:
        if needed(form, "client_id") != COMMAND_LINE_TOOLS:
            text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            raise Refusal("invalid_client", 7000218, text)
        code = secrets.token_urlsafe(24)
        one = DeviceCode("".join(secrets.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(9)), needed(form, "scope"))
        self.device_codes[code] = one
        page = f"{base}/devicelogin"
        message = f"To sign in, use a web browser to open the page {page} and enter the code {one.user_code} to "
        body = {
            "user_code": one.user_code,
            "device_code": code,
            "verification_uri": page,
            "expires_in": 900,
            "interval": 1,
            "message": message + "authenticate.",
        }
        return Answer(200, body, dict(TOKEN_HEADERS))

    def _poll(self, form: dict[str, str]) -> Answer:
        one = self.device_codes.get(needed(form, "device_code"))
        if one is None:
            raise Refusal("bad_verification_code", 70018, "The verification code is not valid.")
        if not one.approved:
            one.approved = self.signs_in
            text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
            raise Refusal("authorization_pending", 70016, text)
        granted = [scope for scope in one.scopes.split() if scope not in {"openid", "profile", "offline_access"}]
        person = str(uuid.uuid5(uuid.UUID(self.directory.tenant_id), "administrator"))
        claims = {
            "appidacr": "0",
            "idtyp": "user",
            "oid": person,
            "sub": base64url(person.encode()),
            "app_displayname": "Microsoft Graph Command Line Tools",
            "appid": COMMAND_LINE_TOOLS,
            "scp": " ".join(scope.rpartition("/")[2] for scope in granted),
        }
        body = {
            "token_type": "Bearer",
            "scope": " ".join(granted),
            "expires_in": 4211,
            "ext_expires_in": 4211,
            "access_token": self._signed(claims),
        }
        return Answer(200, body, dict(TOKEN_HEADERS))

    def _signed(self, claims: dict[str, Any]) -> str:
        """A token in the v1.0 format. Graph reads it by `claims_of` below."""
        issued = now() - timedelta(minutes=5)
        tenant = self.directory.tenant_id
        common = {
            "aud": GRAPH,
            "iss": f"https://sts.windows.net/{tenant}/",
            "iat": issued,
            "nbf": issued,
            "exp": issued + timedelta(minutes=65),
            "tid": tenant,
            "idp": f"https://sts.windows.net/{tenant}/",
            "tenant_region_scope": "EU",
            "uti": secrets.token_urlsafe(16),
            "rh": f"1.{secrets.token_urlsafe(30)}.",
            "aio": secrets.token_urlsafe(30),
            "ver": "1.0",
        }
        header = {"nonce": secrets.token_urlsafe(32), "x5t": self.key_id, "kid": self.key_id}
        return jwt.encode(common | claims, self.key, "RS256", header)

    def claims_of(self, token: str) -> dict[str, Any]:
        """The claims of one of this tenant's own tokens.

        Raises:
            jwt.InvalidTokenError: another's, an old one, or none at all.
        """
        claims: dict[str, Any] = jwt.decode(token, self.key.public_key(), ["RS256"], audience=GRAPH)
        return claims


def form_of(asked: Asked) -> dict[str, str]:
    return dict(parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True))


def needed(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        text = f"The request body must contain the following parameter: '{name}'."
        raise Refusal("invalid_request", 900144, text)
    return form[name]


def basic_of(header: str) -> tuple[str, str]:
    if not header.startswith("Basic "):
        return "", ""
    name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
    return name, secret


def american(moment: datetime) -> str:
    """A date as the text of 700027 writes it."""
    return f"{moment:%m/%d/%Y %H:%M:%S}"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def own_certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "accounts.accesscontrol.havn.test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now() - timedelta(days=90)).not_valid_after(now() + timedelta(days=900))
    return builder.sign(key, hashes.SHA256())
