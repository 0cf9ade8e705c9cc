"""What login.microsoftonline.com does: discovery, keys, and every refusal of the token endpoint a daemon can provoke.

The texts are written out here a second time on purpose: they are the recorded ones, not what the code happens to say.
"""

import base64
import hashlib
import json
import re
import time
import uuid
from datetime import datetime
from urllib.parse import quote, urlencode

import forge
import pytest
from practice import CERTIFICATE, DER, GRAPH_SCOPE, ORIGIN, SECRET
from practice_tenant.directory.certificates import key_credential
from practice_tenant.entra.assertion import ASSERTION_TYPE
from practice_tenant.messages import FORM

GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
UNKNOWN = "11111111-2222-4333-8444-555555555555"
TENANT = "7d2c9e5a-1b64-4f0e-9a37-c3d58e41f260"
CLIENT = "4e8f1a6b-93d7-4c25-b0fa-6d1e72c4a895"


# --- discovery and keys -----------------------------------------------------------------------------------------

DISCOVERY_ORDER = [
    "token_endpoint", "token_endpoint_auth_methods_supported", "jwks_uri", "response_modes_supported",
    "subject_types_supported", "id_token_signing_alg_values_supported", "response_types_supported",
    "scopes_supported", "issuer", "request_uri_parameter_supported", "userinfo_endpoint", "authorization_endpoint",
    "device_authorization_endpoint", "http_logout_supported", "frontchannel_logout_supported",
    "end_session_endpoint", "claims_supported", "kerberos_endpoint", "tenant_region_scope", "cloud_instance_name",
    "cloud_graph_host_name", "msgraph_host", "rbac_url",
]  # fmt: skip


def discovery(practice, tenant, slashes="/"):
    return practice.send("GET", f"/{tenant}{slashes}v2.0/.well-known/openid-configuration")


@pytest.mark.parametrize("tenant", [TENANT, TENANT.upper(), "contoso.example", "contoso.onmicrosoft.example"])
def test_discovery_names_the_tenant_by_its_id_however_it_was_asked_for(shared, tenant):
    reply = discovery(shared, tenant)
    assert reply.status == 200
    assert list(reply.json) == DISCOVERY_ORDER
    assert reply.json["token_endpoint"] == f"{ORIGIN}/{TENANT}/oauth2/v2.0/token"
    assert reply.json["device_authorization_endpoint"] == f"{ORIGIN}/{TENANT}/oauth2/v2.0/devicecode"
    assert reply.json["issuer"] == f"{ORIGIN}/{TENANT}/v2.0"
    assert reply.json["tenant_region_scope"] == "EU"


def test_discovery_headers_are_the_recorded_ones(shared):
    headers = discovery(shared, TENANT).headers
    assert headers["Cache-Control"] == "max-age=86400, private"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert re.fullmatch(GUID, headers["x-ms-request-id"])


@pytest.mark.parametrize("name", ["common", "organizations", "consumers", "Common"])
def test_discovery_without_a_tenant_leaves_its_place_open(shared, name):
    document = discovery(shared, name).json
    assert document["issuer"] == ORIGIN + "/{tenantid}/v2.0"
    assert document["token_endpoint"] == f"{ORIGIN}/{name.lower()}/oauth2/v2.0/token"
    assert document["tenant_region_scope"] is None


def test_discovery_takes_the_double_slash_of_msals_default_authority(shared):
    assert discovery(shared, TENANT, slashes="//").json["token_endpoint"].endswith(f"{TENANT}/oauth2/v2.0/token")


@pytest.mark.parametrize(
    ("tenant", "number"), [(UNKNOWN, 90002), ("fabrikam.example", 90002), ("not a tenant", 900023)]
)
@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"])
def test_metadata_of_an_unknown_tenant_is_400_invalid_tenant(shared, tenant, number, path):
    reply = shared.send("GET", f"/{quote(tenant)}/{path}")
    assert (reply.status, reply.json["error"], reply.json["error_codes"]) == (400, "invalid_tenant", [number])
    assert f"'{tenant}'" in reply.json["error_description"]


@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys", "discovery/instance"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
def test_metadata_is_there_to_be_read(shared, method, path):
    query = f"?authorization_endpoint={quote('https://login.microsoftonline.com/common', safe='')}"
    assert shared.send("GET", f"/common/{path}{query}").status == 200
    reply = shared.send(method, f"/common/{path}{query}")
    assert (reply.status, reply.headers["Allow"], reply.body) == (405, "GET, HEAD, OPTIONS", b"")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/contoso.example",
        f"/{TENANT}%2Fv2.0/.well-known/openid-configuration",
        f"/{TENANT}/v2.0/v2.0/.well-known/openid-configuration",
        "/a/b/c",
    ],
)
def test_a_path_entra_does_not_have_is_404(shared, path):
    assert shared.send("GET", path).status == 404


def instance(practice, host, version="1.1"):
    endpoint = quote(f"https://{host}/common/oauth2/authorize", safe="")
    return practice.send("GET", f"/common/discovery/instance?api-version={version}&authorization_endpoint={endpoint}")


@pytest.mark.parametrize("host", ["login.microsoftonline.com", "login.windows.net", "127.0.0.1:8443"])
def test_instance_discovery_knows_entras_hosts_and_its_own(shared, host):
    reply = instance(shared, host)
    assert reply.status == 200
    assert list(reply.json) == ["tenant_discovery_endpoint", "api-version", "metadata"]
    assert reply.json["tenant_discovery_endpoint"] == f"https://{host}/common/.well-known/openid-configuration"
    first = reply.json["metadata"][0]
    assert list(first) == ["preferred_network", "preferred_cache", "aliases"]
    assert first["preferred_cache"] == "login.windows.net"


def test_instance_discovery_refuses_a_foreign_host(shared):
    reply = instance(shared, "login.fabrikam.example")
    assert (reply.status, reply.json["error"]) == (400, "invalid_instance")
    assert reply.json["error_description"].startswith("AADSTS50049: Unknown or invalid instance.")


def test_keys_are_published_as_entra_publishes_them(shared):
    (key,) = shared.send("GET", f"/{TENANT}/discovery/v2.0/keys").json["keys"]
    assert list(key) == ["kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"]
    der = base64.b64decode(key["x5c"][0])
    thumbprint = base64.urlsafe_b64encode(hashlib.sha1(der).digest()).rstrip(b"=").decode()  # noqa: S324
    assert key["kid"] == key["x5t"] == thumbprint
    assert (key["kty"], key["use"], key["e"]) == ("RSA", "sig", "AQAB")
    assert len(base64.urlsafe_b64decode(key["n"] + "==")) == 256
    assert key["issuer"] == f"{ORIGIN}/{TENANT}/v2.0"


def test_common_keys_leave_the_tenant_open(shared):
    (key,) = shared.send("GET", "/common/discovery/v2.0/keys").json["keys"]
    assert key["issuer"] == ORIGIN + "/{tenantid}/v2.0"


# --- refusals ---------------------------------------------------------------------------------------------------

NOT_FOUND_HERE = (
    "This can happen if the application has not been installed by the administrator of the tenant or consented to by "
    "any user in the tenant. You {} have sent your authentication request to the wrong tenant."
)
SEE_KEYS = (
    f"Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id "
    f"'{CLIENT}'. Review the documentation at https://docs.microsoft.com/en-us/graph/deployments to determine the "
    "corresponding service endpoint and https://docs.microsoft.com/en-us/graph/api/application-get?view=graph-rest-1.0"
    "&tabs=http to build a query request URL, such as "
    f"'https://graph.microsoft.com/beta/applications/{CLIENT}']."
)
CREDENTIALS_PAGE = "https://learn.microsoft.com/entra/identity-platform/certificate-credentials"
SHA1 = forge.thumbprints(CERTIFICATE)[0].hex().upper()
SHA256 = forge.thumbprints(CERTIFICATE)[1].hex().upper()
OTHER_KEY = forge.private_key("other")
OTHER = forge.certificate(OTHER_KEY)
SAME_KEY = forge.certificate()  # another certificate around the registered key
ZEROS = str(uuid.UUID(int=0))

NO_CREDENTIAL = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
NOT_FOUND_TENANT = (
    "Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your "
    "subscription administrator, this may happen if there are no active subscriptions for the tenant."
)
WRONG_SECRET = (
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the "
    f"client secret ID, for a secret added to app '{CLIENT}'."
)
MISSING = "The request body must contain the following parameter: '{}'."
NOT_VALID_SCOPE = (
    "The provided value for scope {} is not valid. Client credential flows must have a scope value with /.default "
    "suffixed to the resource identifier (application ID URI)."
)


def asking(**changes):
    return lambda practice: practice.ask_token(changes)


def asserting(key=None, header=None, **claims):
    return lambda practice: practice.ask_token({"client_assertion": practice.assertion(key, header, **claims)})


def secret(text, **changes):
    return lambda practice: practice.ask_token_with_secret({"client_secret": text} | changes)


def in_tenant(name):
    return lambda practice: practice.ask_token(tenant=name)


def grant_type(text):
    return asking(grant_type=text)


def found(certificate):
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return f"Found key 'Start={start:%m/%d/%Y %H:%M:%S}, End={end:%m/%d/%Y %H:%M:%S}'"


# name: request -> (error, number, text, has an error_uri). HTTP 401 goes with invalid_client, 400 with all others.
REFUSED = {
    "unknown tenant": (
        in_tenant(UNKNOWN), "invalid_request", 90002, f"Tenant '{UNKNOWN}' not found. {NOT_FOUND_TENANT}", True),
    "unknown domain": (
        in_tenant("fabrikam.example"), "invalid_request", 90002,
        f"Tenant 'fabrikam.example' not found. {NOT_FOUND_TENANT}", True),
    "tenant neither id nor domain": (
        in_tenant("nobody"), "invalid_request", 900023,
        "Specified tenant identifier 'nobody' is neither a valid DNS name, nor a valid external domain.", True),
    "common": (
        in_tenant("common"), "invalid_request", 9001023,
        "The grant type 'client_credentials' is not supported over the /common or /consumers endpoints. Please use "
        "the /organizations or tenant-specific endpoint.", True),
    "unknown client id": (
        asking(client_id=UNKNOWN), "unauthorized_client", 700016,
        f"Application with identifier '{UNKNOWN}' was not found in the directory 'Contoso Practice'. "
        + NOT_FOUND_HERE.format("may"), True),
    "client id of zeros": (
        asking(client_id=ZEROS), "unauthorized_client", 700038, f"{ZEROS} is not a valid application identifier.",
        False),
    "wrong secret": (secret("guess"), "invalid_client", 7000215, WRONG_SECRET, True),
    "secret of another case": (secret(SECRET.upper()), "invalid_client", 7000215, WRONG_SECRET, True),
    "no credential": (
        asking(client_assertion=None, client_assertion_type=None), "invalid_client", 7000216, NO_CREDENTIAL, True),
    "empty credential": (
        asking(client_assertion="", client_secret=""), "invalid_client", 7000216, NO_CREDENTIAL, True),
    "certificate not uploaded": (
        asserting(OTHER_KEY, {"x5t#S256": forge.x5t_s256(OTHER)}), "invalid_client", 700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason "
        "- The key was not found., Thumbprint of key used by client: "
        f"'{forge.thumbprints(OTHER)[1].hex().upper()}', {SEE_KEYS}", True),
    "another certificate around the registered key": (
        asserting(None, {"x5t#S256": None, "x5t": forge.x5t(SAME_KEY)}), "invalid_client", 700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason "
        "- The key was not found., Thumbprint of key used by client: "
        f"'{forge.thumbprints(SAME_KEY)[0].hex().upper()}', {SEE_KEYS}", True),
    "SHA-256 in x5t": (
        asserting(None, {"x5t#S256": None, "x5t": forge.x5t_s256(CERTIFICATE)}), "invalid_client", 700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason "
        f"- The key was not found., Thumbprint of key used by client: '{SHA256}', {SEE_KEYS}", True),
    "key and certificate do not match": (
        asserting(OTHER_KEY), "invalid_client", 700027,
        "The certificate with identifier used to sign the client assertion is not registered on application. [Reason "
        "- Key was found, but use of the key to verify the signature failed., Thumbprint of key used by client: "
        f"'{SHA1}', {found(CERTIFICATE)}, {SEE_KEYS}", True),
    "elliptic curve": (
        asserting(forge.elliptic_key(), {"alg": "ES256"}), "invalid_client", 700027,
        "Invalid JWT token. Unsupported asymmetric signing algorithm.", True),
    "HS256": (
        asserting(b"0" * 32, {"alg": "HS256"}), "invalid_client", 5002738,
        "Invalid JWT token. 'HS256' is not a supported signature algorithm. Supported signing algorithms are: "
        "'RS256,RS384,RS512,PS256,PS384,PS512'", True),
    "no thumbprint": (
        asserting(None, {"x5t#S256": None}), "invalid_client", 5002723,
        "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in "
        "token header.", True),
    "iss of another app": (
        asserting(iss=UNKNOWN, sub=UNKNOWN), "invalid_client", 700021,
        "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at "
        f"{CREDENTIALS_PAGE} .", True),
    "sub is not iss": (
        asserting(sub=UNKNOWN), "invalid_client", 50048,
        "Subject must match the issuer claim in the client assertion.", True),
    "audience of another cloud": (
        asserting(aud=f"https://login.microsoftonline.us/{TENANT}/oauth2/v2.0/token"), "invalid_client", 700023,
        "Client assertion audience claim does not match Realm issuer. Review the documentation at "
        f"{CREDENTIALS_PAGE}.", True),
    "audience of another tenant": (
        asserting(aud=f"{ORIGIN}/{UNKNOWN}/oauth2/v2.0/token"), "invalid_client", 700023,
        "Client assertion audience claim does not match Realm issuer. Review the documentation at "
        f"{CREDENTIALS_PAGE}.", True),
    "malformed assertion": (
        asking(client_assertion="not.a.jwt"), "invalid_request", 50027, "JWT token is invalid or malformed.", True),
    "audience as a list": (
        asserting(aud=[f"{ORIGIN}/{TENANT}/oauth2/v2.0/token"]), "invalid_request", 50027,
        "JWT token is invalid or malformed.", True),
    "assertion without iss": (
        asserting(iss=None), "invalid_request", 90014,
        "The required field 'iss' is missing from the credential. Ensure that you have all the necessary parameters "
        "for the login request.", True),
    "a single permission as scope": (
        asking(scope="User.Read.All"), "invalid_scope", 1002012, NOT_VALID_SCOPE.format("User.Read.All"), False),
    "openid as scope": (asking(scope="openid"), "invalid_scope", 1002012, NOT_VALID_SCOPE.format("openid"), False),
    "two resources": (
        asking(scope=f"{GRAPH_SCOPE} https://vault.azure.net/.default"), "invalid_scope", 70011,
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter "
        f"'scope' is not valid. The scope {GRAPH_SCOPE} https://vault.azure.net/.default is not valid.", True),
    "unknown resource": (
        asking(scope="api://payroll/.default"), "invalid_resource", 500011,
        "The resource principal named api://payroll was not found in the tenant named Contoso Practice. "
        + NOT_FOUND_HERE.format("might"), True),
    "no grant_type": (grant_type(None), "invalid_request", 900144, MISSING.format("grant_type"), True),
    "no client_id": (asking(client_id=None), "invalid_request", 900144, MISSING.format("client_id"), True),
    "no scope": (asking(scope=None), "invalid_request", 900144, MISSING.format("scope"), True),
    "blank scope": (asking(scope="  "), "invalid_request", 900144, MISSING.format("scope"), True),
    "assertion without its type": (
        asking(client_assertion_type=None), "invalid_request", 900144, MISSING.format("client_assertion_type"), True),
    "unsupported grant": (
        grant_type("no_such_grant"), "unsupported_grant_type", 70003,
        "The app requested an unsupported grant type 'no_such_grant'.", False),
    "GET": (
        lambda practice: practice.send("GET", f"/{TENANT}/oauth2/v2.0/token"), "invalid_request", 900561,
        "The endpoint only accepts POST requests. Received a GET request.", True),
    "JSON instead of a form": (
        lambda practice: practice.send(
            "POST", f"/{TENANT}/oauth2/v2.0/token", {"Content-Type": "application/json"},
            json.dumps({"grant_type": "client_credentials", "client_id": CLIENT}).encode()),
        "invalid_request", 900144, MISSING.format("grant_type"), True),
}  # fmt: skip


def assert_refused(reply, error, number, text, has_error_uri=True):
    """The whole of a refusal: status, seven keys in order, and the ids that tie body and headers together."""
    body = reply.json
    assert (body["error"], body["error_codes"], reply.status) == (
        error, [number], 401 if error == "invalid_client" else 400)  # fmt: skip
    shown = re.fullmatch(
        rf"AADSTS{number}: (.*) Trace ID: ({GUID}) Correlation ID: ({GUID}) Timestamp: (\d{{4}}-\d\d-\d\d "
        r"\d\d:\d\d:\d\dZ)",
        body["error_description"],
        re.DOTALL,
    )
    assert shown, body["error_description"]
    assert shown.groups() == (text, body["trace_id"], body["correlation_id"], body["timestamp"])
    keys = ["error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id"]
    assert list(body) == keys + ["error_uri"] * has_error_uri
    if has_error_uri:
        assert body["error_uri"] == f"https://login.microsoftonline.com/error?code={number}"
    assert reply.headers["x-ms-request-id"] == body["trace_id"]
    assert reply.headers["Cache-Control"] == "no-store, no-cache"
    assert reply.headers["Pragma"] == "no-cache"


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(shared, name):
    request, *expected = REFUSED[name]
    assert_refused(request(shared), *expected)


def test_700024_tells_the_time_as_entra_does(shared):
    reply = asserting(exp=int(time.time()) - 301, iat=None)(shared)
    (now, expired) = re.search(
        r"Current time: (\S+), assertion valid from 1970-01-01T00:00:00\.0000000Z, expiry time of assertion (\S+)\. ",
        reply.json["error_description"],
    ).groups()
    assert (reply.status, reply.json["error_codes"]) == (401, [700024])
    assert 300 < (datetime.fromisoformat(now) - datetime.fromisoformat(expired)).total_seconds() < 360


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ((-400, -35), "is expired on application. [Reason - The key used is expired., "),
        ((30, 365), "is expired on application. [Reason - The key used is expired., "),
    ],
)
def test_700027_for_a_registered_certificate_outside_its_time(practice, days, sentence):
    certificate = forge.certificate(starts_in_days=days[0], ends_in_days=days[1])
    register(practice, certificate)
    reply = asserting(None, {"x5t#S256": forge.x5t_s256(certificate)})(practice)
    thumbprint = forge.thumbprints(certificate)[0].hex().upper()
    text = (
        f"The certificate with identifier used to sign the client assertion {sentence}Thumbprint of key used by client:"
        f" '{thumbprint}', {found(certificate)}, {SEE_KEYS}"
    )
    assert_refused(reply, "invalid_client", 700027, text)


def test_700027_for_a_registered_key_of_1024_bits(practice):
    key = forge.private_key("short", 1024)
    certificate = forge.certificate(key)
    register(practice, certificate)
    reply = asserting(key, {"x5t#S256": forge.x5t_s256(certificate), "alg": "RS256"})(practice)
    text = "RSA key size 1024 is less than the minimum required 2048 bits"
    assert_refused(reply, "invalid_client", 700027, text)


def test_7000222_for_a_secret_past_its_end(practice):
    practice.control("clock", {"shift_seconds": 731 * 86_400})
    reply = practice.ask_token_with_secret()
    text = (
        f"The provided client secret keys for app '{CLIENT}' are expired. Visit the Azure portal to create new keys "
        "for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
        "https://aka.ms/certCreds."
    )
    assert_refused(reply, "invalid_client", 7000222, text)


def test_7000215_for_a_secret_whose_time_has_not_come(practice):
    tomorrow = time.time() + 86_400
    application = practice.tenant.application(CLIENT)
    practice.tenant.add_secret(application, "tomorrow~secret", name=None, start=tomorrow, end=tomorrow + 86_400)
    assert_refused(secret("tomorrow~secret")(practice), "invalid_client", 7000215, WRONG_SECRET)
    practice.control("clock", {"shift_seconds": 86_401})
    assert secret("tomorrow~secret")(practice).status == 200


def test_9000411_for_a_field_that_stands_twice(shared):
    fields = [("grant_type", "client_credentials"), ("scope", GRAPH_SCOPE), ("scope", GRAPH_SCOPE)]
    reply = shared.send("POST", f"/{TENANT}/oauth2/v2.0/token", {"Content-Type": FORM}, urlencode(fields).encode())
    text = "The request is not properly formatted. The parameter 'scope' is duplicated."
    assert_refused(reply, "invalid_request", 9000411, text)


def test_7000229_when_the_service_principal_is_gone(practice):
    practice.remove_service_principal()
    text = (
        f"The client application {CLIENT} is missing service principal in the tenant {TENANT}. See instructions here: "
        "https://go.microsoft.com/fwlink/?linkid=2225119"
    )
    assert_refused(practice.ask_token(), "invalid_client", 7000229, text)


def test_700016_when_the_app_is_gone(practice):
    practice.control("app", {"action": "remove"})
    reply = practice.form({"client_id": CLIENT, "grant_type": "client_credentials", "scope": GRAPH_SCOPE,
                           "client_secret": SECRET})  # fmt: skip
    assert (reply.status, reply.json["error_codes"]) == (400, [700016])


def test_7000112_when_the_app_is_disabled(practice):
    practice.control("app", {"action": "disable"})
    assert_refused(
        practice.ask_token(), "unauthorized_client", 7000112, f"Application '{CLIENT}'(daemon-console) is disabled."
    )
    practice.control("app", {"action": "enable"})
    assert practice.ask_token().status == 200


def test_500014_when_the_resource_is_disabled(practice):
    practice.graph_principal["accountEnabled"] = False
    text = (
        "The service principal for resource 'https://graph.microsoft.com' is disabled. This indicate that a "
        "subscription within the tenant has lapsed, or that the administrator for this tenant has disabled the "
        "application, preventing tokens from being issued for it."
    )
    assert_refused(practice.ask_token(), "invalid_resource", 500014, text)


def test_501051_when_the_resource_wants_an_assignment(practice):
    vault = next(one for one in practice.tenant.service_principals.values() if one["displayName"] == "Azure Key Vault")
    scope = {"scope": "https://vault.azure.net/.default"}
    assert practice.ask_token(scope).status == 200
    vault["appRoleAssignmentRequired"] = True
    reply = practice.ask_token(scope)
    assert (reply.status, reply.json["error"], reply.json["error_codes"]) == (401, "invalid_grant", [501051])
    assert reply.json["error_description"].startswith(
        f"AADSTS501051: Application '{CLIENT}'(daemon-console) is not assigned to a role for the application "
        f"'{vault['appId']}'(Azure Key Vault). Trace ID: "
    )


# --- the order of the checks ------------------------------------------------------------------------------------

# Every mistake is made together with all that come after it: the first one is what Entra tells.
MISTAKES_IN_ORDER = [
    ("grant_type", {"grant_type": "password?"}, None, 70003),
    ("scope missing", {"scope": None}, None, 900144),
    ("tenant", {}, UNKNOWN, 90002),
    ("client id", {"client_id": UNKNOWN}, None, 700016),
    ("assertion", {"client_assertion": "x.y.z"}, None, 50027),
    ("scope", {"scope": "User.Read.All"}, None, 1002012),
    ("resource", {"scope": "api://payroll/.default"}, None, 500011),
]


@pytest.mark.parametrize("first", range(len(MISTAKES_IN_ORDER)), ids=[name for name, *_ in MISTAKES_IN_ORDER])
def test_the_first_mistake_in_entras_order_is_the_one_that_is_told(shared, first):
    changes, tenant = {}, None
    for _, fields, name, _ in reversed(MISTAKES_IN_ORDER[first:]):
        changes, tenant = changes | fields, name or tenant
    assert shared.ask_token(changes, tenant).json["error_codes"] == [MISTAKES_IN_ORDER[first][3]]


def test_the_assertion_is_read_before_its_key_and_its_key_before_the_signature(shared):
    unregistered = {"x5t#S256": forge.x5t_s256(OTHER)}
    in_order = [
        (b"k" * 32, {"alg": "HS256", "x5t#S256": None}, {"iss": UNKNOWN, "aud": "elsewhere", "exp": 1}, 5002738),
        (OTHER_KEY, {"x5t#S256": None}, {"iss": UNKNOWN, "aud": "elsewhere", "exp": 1}, 5002723),
        (OTHER_KEY, unregistered, {"iss": UNKNOWN, "aud": "elsewhere", "exp": 1}, 700021),
        (OTHER_KEY, unregistered, {"aud": "elsewhere", "exp": 1}, 700023),
        (OTHER_KEY, unregistered, {"exp": 1}, 700024),
        (forge.private_key("third"), unregistered, {}, 700027),
    ]
    for key, header, claims, number in in_order:
        reply = asserting(key, header, **claims)(shared)
        assert reply.json["error_codes"] == [number]
    assert "The key was not found." in reply.json["error_description"]


# --- what is taken ----------------------------------------------------------------------------------------------


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize("with_client_id", [True, False])
def test_takes_the_secret_as_basic_credentials(shared, with_client_id):
    fields = {"client_assertion": None, "client_assertion_type": None}
    fields |= {} if with_client_id else {"client_id": None}
    assert shared.ask_token(fields, headers=basic(CLIENT, quote(SECRET, safe=""))).status == 200
    assert shared.ask_token(fields, headers=basic(CLIENT, "guess")).json["error_codes"] == [7000215]


@pytest.mark.parametrize("tenant", ["contoso.example", TENANT.upper(), "contoso.onmicrosoft.example"])
def test_takes_the_tenant_by_each_of_its_names(shared, tenant):
    assert shared.ask_token(tenant=tenant).status == 200


@pytest.mark.parametrize(
    "scope",
    [
        GRAPH_SCOPE,
        "https://graph.microsoft.com//.default",
        "00000003-0000-0000-c000-000000000000/.default",
        "HTTPS://GRAPH.MICROSOFT.COM/.default",
        "00000003-0000-0000-C000-000000000000/.default",
        f"openid profile offline_access {GRAPH_SCOPE}",  # azure-identity for Java sends these along
    ],
)
def test_takes_every_spelling_of_graph(shared, scope):
    reply = shared.ask_token({"scope": scope})
    assert reply.status == 200
    assert shared.get("/v1.0/users?$top=1", reply.json["access_token"]).status == 200


def test_takes_the_same_assertion_twice_and_fields_nobody_knows(shared):
    fields = {"client_assertion": shared.assertion(), "claims": "{}", "x-app-name": "daemon"}
    assert [shared.ask_token(fields).status for _ in range(2)] == [200, 200]


def test_takes_an_assertion_up_to_five_minutes_outside_its_dates(shared):
    now = time.time()
    for good in ({"nbf": now + 290}, {"exp": now - 290}, {"nbf": now + 290, "exp": now + 280}):
        assert asserting(**good)(shared).status == 200
    for bad in ({"nbf": now + 330}, {"exp": now - 310}):
        assert asserting(**bad)(shared).json["error_codes"] == [700024]


def test_takes_the_secret_of_one_of_several_and_the_certificate_of_one_of_several(practice):
    application = practice.tenant.application(CLIENT)
    practice.tenant.add_secret(application, "second~secret", name="second", start=0, end=time.time() + 60)
    register(practice, OTHER)
    assert secret("second~secret")(practice).status == secret(SECRET)(practice).status == 200
    assert asserting()(practice).status == 200
    assert asserting(OTHER_KEY, {"x5t#S256": forge.x5t_s256(OTHER)})(practice).status == 200


@pytest.mark.parametrize("cloud", ["graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"])
def test_1002012_for_the_graph_of_another_cloud(shared, cloud):
    scope = f"https://{cloud}/.default"
    text = (
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI)."
    )
    assert_refused(shared.ask_token({"scope": scope}), "invalid_scope", 1002012, text, has_error_uri=False)


def test_50059_for_organizations(shared):
    text = "No tenant-identifying information found in either the request or implied by any provided credentials."
    assert_refused(shared.ask_token(tenant="organizations"), "invalid_request", 50059, text)


def test_client_request_id_may_stand_in_the_query_string(shared):
    """As MSAL for Node sends it."""
    mine = str(uuid.uuid4())
    target = f"/{shared.tenant.id}/oauth2/v2.0/token?client-request-id={mine}"
    reply = shared.send("POST", target, {"Content-Type": "application/x-www-form-urlencoded"})
    assert reply.headers["client-request-id"] == reply.json["correlation_id"] == mine
    other = str(uuid.uuid4())
    reply = shared.send("POST", target, {"client-request-id": other})
    assert reply.headers["client-request-id"] == other
    odd = shared.send("POST", target.replace(mine, "%00&client-request-id"))
    assert odd.headers["client-request-id"] == odd.json["correlation_id"] != "%00"


def test_client_request_id_comes_back_as_header_and_as_correlation_id(shared):
    mine = str(uuid.uuid4())
    refused = shared.ask_token({"scope": "openid"}, headers={"client-request-id": mine})
    assert refused.headers["client-request-id"] == refused.json["correlation_id"] == mine
    assert shared.ask_token(headers={"client-request-id": mine}).headers["client-request-id"] == mine
    assert "client-request-id" not in shared.ask_token().headers


def test_headers_of_a_good_answer(shared):
    headers = shared.ask_token().headers
    assert headers["Cache-Control"] == "no-store, no-cache"
    assert (headers["Pragma"], headers["Expires"]) == ("no-cache", "-1")
    assert headers["Content-Type"] == "application/json; charset=utf-8"


def test_an_assertion_of_another_type_is_no_credential(shared):
    reply = shared.ask_token({"client_assertion_type": ASSERTION_TYPE.replace("jwt-bearer", "saml2-bearer")})
    assert_refused(reply, "invalid_client", 7000216, NO_CREDENTIAL)


def register(practice, certificate):
    der = certificate.public_bytes(forge.Encoding.DER)
    assert der != DER
    practice.tenant.application(CLIENT)["keyCredentials"].append(key_credential(der))
