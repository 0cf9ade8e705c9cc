"""The real MSAL, over real HTTPS, against the real process: every form of credential, and every way to get it wrong.

What MSAL sends for each form is written out, because the practice tenant has to take exactly that.
"""

import base64
import binascii
import json
import ssl
import time
import warnings
from typing import ClassVar
from urllib.parse import parse_qs

import forge
import jwt
import msal
import pytest
import requests
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from practice import CERTIFICATE, GRAPH_SCOPE, SECRET, running, write_certificate

SCOPES = [GRAPH_SCOPE]
KEY = forge.private_key()
SHA1 = forge.thumbprints(CERTIFICATE)[0].hex()
SHA256 = forge.thumbprints(CERTIFICATE)[1].hex()
EXPIRED = forge.certificate(starts_in_days=-400, ends_in_days=-35)
UNREGISTERED = forge.certificate()
PUBLIC = CERTIFICATE.public_bytes(Encoding.PEM).decode()


def pem(key=KEY, passphrase=None):
    protection = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection).decode()


@pytest.fixture(scope="module")
def tenant(tmp_path_factory):
    """One real process for the whole file."""
    folder = tmp_path_factory.mktemp("certificates")
    paths = write_certificate(folder), write_certificate(folder, EXPIRED, "expired.crt")
    options = [option for path in paths for option in ("--certificate", str(path))]
    with running(*options, "--secret", SECRET) as tenant:
        tenant.session.mount("https://", Recorder())
        yield tenant


class Recorder(requests.adapters.HTTPAdapter):
    """Keeps the client assertions that went over the wire."""

    assertions: ClassVar[list[str]] = []

    def send(self, request, **kwargs):
        if isinstance(request.body, str):  # a form; JSON goes as bytes
            self.assertions += parse_qs(request.body).get("client_assertion", [])
        return super().send(request, **kwargs)


@pytest.fixture
def daemon(tenant):
    """Makes MSAL's app for a credential; everything it sends goes to the practice tenant."""

    def make(credential, **changes):
        options = {"authority": tenant.facts["authority"], "instance_discovery": False} | changes
        return msal.ConfidentialClientApplication(
            tenant.facts["client_id"], client_credential=credential, http_client=tenant.session, **options
        )

    return make


@pytest.fixture
def pfx(tmp_path):
    """The path of a PFX with the registered pair, opened by "open sesame"."""
    data = pkcs12.serialize_key_and_certificates(
        b"daemon", KEY, CERTIFICATE, None, BestAvailableEncryption(b"open sesame")
    )
    path = tmp_path / "server.pfx"
    path.write_bytes(data)
    return str(path)


# --- every form of credential -----------------------------------------------------------------------------------

THUMBPRINT_FORM = {"private_key": pem(), "thumbprint": SHA1}
FORMS = {  # name: credential, algorithm, how the key is named, whether x5c goes along
    "private key and thumbprint": (THUMBPRINT_FORM, "RS256", "x5t", False),
    "thumbprint in upper case": (THUMBPRINT_FORM | {"thumbprint": SHA1.upper()}, "RS256", "x5t", False),
    "with public_certificate": (THUMBPRINT_FORM | {"public_certificate": PUBLIC}, "RS256", "x5t", True),
    "private key and public_certificate": (
        {"private_key": pem(), "public_certificate": PUBLIC}, "PS256", "x5t#S256", True),
    "encrypted PEM": (
        {"private_key": pem(passphrase="open sesame"), "passphrase": "open sesame", "public_certificate": PUBLIC},
        "PS256", "x5t#S256", True),
    "encrypted PEM and thumbprint": (
        THUMBPRINT_FORM | {"private_key": pem(passphrase="open sesame"), "passphrase": "open sesame"},
        "RS256", "x5t", False),
    "PFX": ({"private_key_pfx_path": ..., "passphrase": "open sesame"}, "PS256", "x5t#S256", False),
    "PFX with public_certificate": (
        {"private_key_pfx_path": ..., "passphrase": "open sesame", "public_certificate": True},
        "PS256", "x5t#S256", True),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_msal_gets_a_token_with(daemon, tenant, pfx, name):
    credential, algorithm, key_name, with_chain = FORMS[name]
    if "private_key_pfx_path" in credential:
        credential = credential | {"private_key_pfx_path": pfx}
    result = daemon(credential).acquire_token_for_client(SCOPES)
    assert result.keys() == {"token_type", "expires_in", "ext_expires_in", "access_token", "token_source"}, result
    assert result["token_source"] == "identity_provider"
    assert forge.decoded(result["access_token"])[1]["appidacr"] == "2"
    header, claims = forge.decoded(Recorder.assertions[-1])
    assert set(header) == {"alg", "typ", key_name} | ({"x5c"} if with_chain else set())
    assert header["alg"] == algorithm
    assert claims["aud"] == f"{tenant.facts['authority']}/oauth2/v2.0/token"
    answer = tenant.session.get(
        f"{tenant.facts['graph_endpoint']}/users?$top=1", headers={"Authorization": f"Bearer {result['access_token']}"}
    )
    assert answer.status_code == 200


def test_msal_gets_a_token_with_a_secret(daemon):
    result = daemon(SECRET).acquire_token_for_client(SCOPES)
    assert forge.decoded(result["access_token"])[1]["appidacr"] == "1"


def test_msal_gets_a_token_with_an_assertion_of_ones_own(daemon, tenant):
    asked = []

    def sign(facts):
        asked.append(facts)
        now = time.time()
        claims = {"aud": facts["token_endpoint"], "iss": facts["client_id"], "sub": facts["client_id"], "exp": now + 60}
        return forge.sign({"alg": "RS512", "kid": forge.x5t(CERTIFICATE)}, claims)

    assert "access_token" in daemon({"client_assertion": sign}).acquire_token_for_client(SCOPES)
    assert asked[0]["token_endpoint"] == f"{tenant.facts['authority']}/oauth2/v2.0/token"


@pytest.mark.parametrize("tenant_name", ["contoso.example", "contoso.onmicrosoft.example"])
def test_msal_takes_the_tenant_by_domain(daemon, tenant, tenant_name):
    authority = tenant.facts["authority"].replace(tenant.facts["tenant_id"], tenant_name)
    assert "access_token" in daemon(SECRET, authority=authority).acquire_token_for_client(SCOPES)


def test_msal_takes_an_oidc_authority_and_checks_its_issuer(daemon, tenant):
    authority = f"{tenant.facts['authority']}/v2.0"
    app = daemon(SECRET, authority=None, oidc_authority=authority)
    assert "access_token" in app.acquire_token_for_client(SCOPES)


def test_msal_takes_an_authority_with_a_slash_at_its_end(daemon, tenant):
    app = daemon(SECRET, authority=tenant.facts["authority"] + "/")
    assert "access_token" in app.acquire_token_for_client(SCOPES)


def test_the_second_token_comes_from_msals_cache(daemon, tenant):
    app = daemon(THUMBPRINT_FORM)
    first, before = app.acquire_token_for_client(SCOPES), len(tenant.control("requests")["requests"])
    second = app.acquire_token_for_client(SCOPES)
    assert second["token_source"] == "cache"
    assert second["access_token"] == first["access_token"]
    assert len(tenant.control("requests")["requests"]) == before


def test_msal_sends_one_assertion_for_several_tokens(daemon):
    app = daemon(THUMBPRINT_FORM)
    for scope in (GRAPH_SCOPE, "https://vault.azure.net/.default"):
        assert "access_token" in app.acquire_token_for_client([scope])
    assert Recorder.assertions[-1] == Recorder.assertions[-2]


# --- refused by Entra: a result without a token -----------------------------------------------------------------

REFUSED = {  # name: credential, scopes, error, AADSTS number, words of its text
    "thumbprint of the expired certificate": (
        THUMBPRINT_FORM | {"thumbprint": forge.thumbprints(EXPIRED)[0].hex()}, SCOPES,
        "invalid_client", 700027, "The key used is expired."),
    "expired certificate": (
        {"private_key": pem(), "public_certificate": EXPIRED.public_bytes(Encoding.PEM).decode()}, SCOPES,
        "invalid_client", 700027, "The key used is expired."),
    "certificate not registered": (
        {"private_key": pem(), "public_certificate": UNREGISTERED.public_bytes(Encoding.PEM).decode()}, SCOPES,
        "invalid_client", 700027, "The key was not found."),
    "SHA-256 as thumbprint": (
        THUMBPRINT_FORM | {"thumbprint": SHA256}, SCOPES, "invalid_client", 700027, SHA256.upper()),
    "key of another pair": (
        THUMBPRINT_FORM | {"private_key": pem(forge.private_key("other"))}, SCOPES,
        "invalid_client", 700027, "use of the key to verify the signature failed."),
    "wrong secret": ("guess", SCOPES, "invalid_client", 7000215, "client secret value, not the client secret ID"),
    "no credential": (None, SCOPES, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request'"),
    "an empty secret": ("", SCOPES, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request'"),
    "one permission as scope": (SECRET, ["User.Read.All"], "invalid_scope", 1002012, "/.default"),
    "two resources": (
        SECRET, [GRAPH_SCOPE, "https://vault.azure.net/.default"], "invalid_scope", 70011, "vault.azure.net"),
    "no scope": (SECRET, [], "invalid_request", 900144, "'scope'"),
    "unknown resource": (SECRET, ["api://payroll/.default"], "invalid_resource", 500011, "api://payroll"),
    "assertion that is none": (
        {"client_assertion": lambda: "nonsense"}, SCOPES, "invalid_request", 50027, "malformed"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_msal_hands_on_the_refusal(daemon, name):
    credential, scopes, error, number, words = REFUSED[name]
    result = daemon(credential).acquire_token_for_client(scopes)
    assert "access_token" not in result
    assert (result["error"], result["error_codes"]) == (error, [number])
    assert words in result["error_description"]


def test_a_clock_that_is_wrong_shows_as_700024(daemon, tenant):
    tenant.control("clock", {"shift_seconds": 3600})
    try:
        result = daemon(THUMBPRINT_FORM).acquire_token_for_client(SCOPES)
    finally:
        tenant.control("clock", {"shift_seconds": -3600})
    assert result["error_codes"] == [700024]
    assert "assertion valid from 1970-01-01T00:00:00.0000000Z" in result["error_description"]


def test_msal_answers_a_400_from_memory_for_a_minute_and_a_401_never(daemon, tenant):
    app, count = daemon(SECRET), lambda: len(tenant.control("requests")["requests"])
    app.acquire_token_for_client(["User.Read.All"])
    before = count()
    app.acquire_token_for_client(["User.Read.All"])
    assert count() == before
    wrong = daemon("guess")
    wrong.acquire_token_for_client(SCOPES)
    before = count()
    wrong.acquire_token_for_client(SCOPES)
    assert count() == before + 1


def test_a_throttled_token_endpoint_answers_in_plain_text_that_msal_cannot_read(daemon, tenant):
    app = daemon(SECRET)
    tenant.control("faults", {"target": "token", "status": 429})
    for _ in range(2):  # the second time from MSAL's memory: the fault is used up
        with pytest.raises(json.JSONDecodeError):
            app.acquire_token_for_client(SCOPES)
    assert "access_token" in daemon(SECRET).acquire_token_for_client(SCOPES)


def test_a_failing_token_endpoint_is_an_exception(daemon, tenant):
    app = daemon(SECRET)
    tenant.control("faults", {"target": "token", "status": 503})
    with pytest.raises(msal.exceptions.MsalServiceError):
        app.acquire_token_for_client(SCOPES)


# --- refused by MSAL itself, before anything is sent ------------------------------------------------------------


def colons(text):
    return ":".join(text[i : i + 2] for i in range(0, len(text), 2))


LOCAL = {  # name: credential, exception
    "thumbprint with colons": (THUMBPRINT_FORM | {"thumbprint": colons(SHA1)}, binascii.Error),
    "thumbprint in base64": (
        THUMBPRINT_FORM | {"thumbprint": base64.b64encode(bytes.fromhex(SHA1)).decode()}, binascii.Error),
    "thumbprint with an invisible character": (THUMBPRINT_FORM | {"thumbprint": "\u200e" + SHA1}, ValueError),
    "only a private key": ({"private_key": pem()}, ValueError),
    "wrong passphrase of a PEM": (
        THUMBPRINT_FORM | {"private_key": pem(passphrase="open sesame"), "passphrase": "guess"}, ValueError),
    "passphrase for a PEM that has none": (THUMBPRINT_FORM | {"passphrase": "open sesame"}, TypeError),
    "wrong password of a PFX": ({"private_key_pfx_path": ..., "passphrase": "guess"}, ValueError),
    "no password for a PFX": ({"private_key_pfx_path": ...}, ValueError),
    "private key as public_certificate": (THUMBPRINT_FORM | {"public_certificate": pem()}, ValueError),
}  # fmt: skip
LATER = {
    "private_key is a path": (THUMBPRINT_FORM | {"private_key": "server.pem"}, jwt.exceptions.InvalidKeyError),
    "private_key is the certificate": (THUMBPRINT_FORM | {"private_key": PUBLIC}, jwt.exceptions.InvalidKeyError),
    "encrypted PEM without passphrase": (
        THUMBPRINT_FORM | {"private_key": pem(passphrase="open sesame")}, TypeError),
    "elliptic key": (THUMBPRINT_FORM | {"private_key": pem(forge.elliptic_key())}, jwt.exceptions.InvalidKeyError),
}  # fmt: skip


@pytest.mark.parametrize("name", LOCAL)
def test_msal_refuses_while_it_is_set_up(daemon, pfx, name):
    credential, exception = LOCAL[name]
    if "private_key_pfx_path" in credential:
        credential = credential | {"private_key_pfx_path": pfx}
    with pytest.raises(exception):
        daemon(credential)


@pytest.mark.parametrize("name", LATER)
def test_msal_refuses_when_it_has_to_sign(daemon, name):
    credential, exception = LATER[name]
    app = daemon(credential)
    with pytest.raises(exception):
        app.acquire_token_for_client(SCOPES)


@pytest.mark.parametrize("scopes", [GRAPH_SCOPE, (GRAPH_SCOPE,), None])
def test_scopes_are_a_list(daemon, scopes):
    with pytest.raises(AssertionError):
        daemon(SECRET).acquire_token_for_client(scopes)


@pytest.mark.parametrize("ending", ["/v2.0", "/oauth2/v2.0/token"])
def test_an_authority_with_too_much_at_its_end_is_an_exception(daemon, tenant, ending):
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        daemon(SECRET, authority=tenant.facts["authority"] + ending)


def test_an_unknown_tenant_is_an_exception_not_a_result(daemon, tenant):
    authority = tenant.facts["authority"].replace(tenant.facts["tenant_id"], tenant.facts["client_id"])
    with pytest.raises(ValueError, match="Unable to get authority configuration"):
        daemon(SECRET, authority=authority)


def test_common_is_no_tenant_for_a_daemon(daemon, tenant):
    authority = tenant.facts["authority"].replace(tenant.facts["tenant_id"], "common")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        result = daemon(SECRET, authority=authority).acquire_token_for_client(SCOPES)
    assert result["error_codes"] == [9001023]


def test_the_certificate_of_the_server_is_verified(tenant):
    with pytest.raises(requests.exceptions.SSLError) as refused, requests.Session() as stranger:
        stranger.trust_env = False
        stranger.get(tenant.facts["authority"], timeout=5)
    assert isinstance(refused.value.args[0].reason.args[0], ssl.SSLCertVerificationError)
