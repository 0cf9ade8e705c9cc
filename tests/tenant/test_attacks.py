"""Forged and malformed assertions, tokens and requests, each with the answer it must get; then a fuzz run.

Everything goes through `Emulator.answer`, as the server hands it over; what only a socket can send stands in
test_process.py.
"""

import base64
import codecs
import json
import logging
import re
import time
import uuid
from urllib.parse import quote, urlencode

import forge
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hunt import HUNT, LETTERS
from hypothesis import given
from hypothesis import strategies as st
from practice import CERTIFICATE, DER, GRAPH_SCOPE, ORIGIN, SECRET, Practice, running, write_certificate
from practice_tenant.messages import FORM
from test_tokens import BAD as BAD_TOKENS

ATTACKER = forge.private_key("other")
ATTACKERS = forge.certificate(ATTACKER)
UNKNOWN = "11111111-2222-4333-8444-555555555555"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def target():
    return Practice()


# --- client assertions ------------------------------------------------------------------------------------------


def asks(**changes):
    """A token request with these fields changed."""
    return lambda p: p.ask_token(changes)


def signs(header=None, key=None, **claims):
    """A token request with an assertion of one's own making."""
    return lambda p: p.ask_token({"client_assertion": p.assertion(key, header, **claims)})


def writes(make):
    """A token request whose assertion `make` writes: it gets the good header and claims, and the tenant."""

    def request(p):
        header, claims = forge.decoded(p.assertion())
        return p.ask_token({"client_assertion": make(header, claims, p)})

    return request


def tampered(make):
    """A token request with a good assertion after `make` has got hold of its three segments."""
    return lambda p: p.ask_token({"client_assertion": make(*p.assertion().split("."))})


def really(done, /, **header):
    """Signed with the algorithm `done`, although the header says something else."""
    return writes(lambda head, claims, p: forge.sign(head | header, claims, alg=done))


def with_text(old, new):
    """The claims as JSON text, with a piece of it replaced, well signed."""
    return writes(lambda head, claims, p: forge.sign(head, json.dumps(claims).replace(old, new, 1)))


def public_pem():
    return CERTIFICATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def attackers_jwk():
    numbers = ATTACKER.public_key().public_numbers()
    return {"kty": "RSA", "e": "AQAB", "n": forge.encode_base64url(numbers.n.to_bytes(256, "big"))}


NOT_FOUND, NOT_VERIFIED = (700027, "The key was not found."), (700027, "use of the key to verify the signature failed.")
MALFORMED, WRONG_ALGORITHM = (50027, "malformed"), (5002738, "is not a supported signature algorithm")
WRONG_AUDIENCE, WRONG_TIME, WRONG_CLIENT = (700023, "audience"), (700024, "time range"), (700021, "'client_id'")

ASSERTIONS = {  # name: request, (AADSTS number, words of its text)
    "alg none without signature": (writes(lambda h, c, p: forge.sign(h | {"alg": "none"}, c)), MALFORMED),
    "alg none with a good signature": (really("PS256", alg="none"), WRONG_ALGORITHM),
    "alg nOnE with a good signature": (really("PS256", alg="nOnE"), WRONG_ALGORITHM),
    "alg empty": (really("PS256", alg=""), WRONG_ALGORITHM),
    "alg with a space": (really("PS256", alg="PS256 "), WRONG_ALGORITHM),
    "alg in small letters": (really("PS256", alg="ps256"), WRONG_ALGORITHM),
    "no alg": (really("PS256", alg=None), MALFORMED),
    "alg a list": (really("PS256", alg=["PS256"]), MALFORMED),
    "alg a number": (really("PS256", alg=256), MALFORMED),
    "HS256 with the certificate as secret": (signs({"alg": "HS256"}, DER), WRONG_ALGORITHM),
    "HS256 with the public key as secret": (signs({"alg": "HS256"}, public_pem()), WRONG_ALGORITHM),
    "HS256 with a secret of one byte": (signs({"alg": "HS256"}, b"\0"), WRONG_ALGORITHM),
    "ES256": (signs({"alg": "ES256"}, forge.elliptic_key()), (700027, "Unsupported asymmetric")),
    "EdDSA": (really("PS256", alg="EdDSA"), WRONG_ALGORITHM),
    "RS1": (really("PS256", alg="RS1"), WRONG_ALGORITHM),
    "an encryption algorithm": (really("PS256", alg="RSA-OAEP"), WRONG_ALGORITHM),
    "RS256 said, PS256 done": (really("PS256", alg="RS256"), NOT_VERIFIED),
    "PS256 said, RS256 done": (really("RS256"), NOT_VERIFIED),
    "PS512 said, PS256 done": (really("PS256", alg="PS512"), NOT_VERIFIED),
    "another key": (signs(None, ATTACKER), NOT_VERIFIED),
    "another key brought along as jwk": (signs({"jwk": attackers_jwk()}, ATTACKER), NOT_VERIFIED),
    "another key in jwk alone": (signs({"x5t#S256": None, "jwk": attackers_jwk()}, ATTACKER), (5002723, "thumbprint")),
    "another key at a jku": (signs({"jku": "https://practice.example/keys"}, ATTACKER), NOT_VERIFIED),
    "another key at an x5u": (signs({"x5u": "https://practice.example/a.pem"}, ATTACKER), NOT_VERIFIED),
    "an unregistered certificate in x5c": (
        signs({"x5c": [forge.x5c(ATTACKERS)], "x5t#S256": forge.x5t_s256(ATTACKERS)}, ATTACKER), NOT_FOUND),
    "an unregistered certificate in x5c under a registered thumbprint": (
        signs({"x5c": [forge.x5c(ATTACKERS)]}, ATTACKER), NOT_VERIFIED),
    "two thumbprints that disagree": (signs({"x5t": forge.x5t(ATTACKERS)}), NOT_FOUND),
    "kid a path": (signs({"x5t#S256": None, "kid": "../../../../dev/null"}), NOT_FOUND),
    "kid a query": (signs({"x5t#S256": None, "kid": "' OR 1=1 --"}), NOT_FOUND),
    "kid of a key the tenant signs with": (
        writes(lambda h, c, p: forge.sign({"alg": "RS256", "kid": p.emulator.state.signing_key.kid}, c, ATTACKER)),
        NOT_FOUND),
    "kid empty": (signs({"x5t#S256": None, "kid": ""}), MALFORMED),
    "kid a thumbprint in small letters": (signs({"x5t#S256": None, "kid": forge.x5t(CERTIFICATE).lower()}), NOT_FOUND),
    "alg twice, once in escapes": (
        writes(lambda h, c, p: forge.sign(json.dumps(h)[:-1] + ', "\\u0061lg": "none"}', c, alg="PS256")), MALFORMED),
    "iss twice, once in escapes": (with_text("{", '{"\\u0069ss": "somebody", '), MALFORMED),
    "PSS without salt": (tampered(lambda h, c, s: f"{h}.{c}.{pss(h, c, salt=0)}"), NOT_VERIFIED),
    "PSS with the longest salt": (tampered(lambda h, c, s: f"{h}.{c}.{pss(h, c, salt=222)}"), NOT_VERIFIED),
    "kid an object": (signs({"x5t#S256": None, "kid": {}}), MALFORMED),
    "thumbprint cut short": (signs({"x5t#S256": forge.x5t_s256(CERTIFICATE)[:20]}), NOT_FOUND),
    "thumbprint in hex": (signs({"x5t#S256": forge.thumbprints(CERTIFICATE)[1].hex()}), NOT_FOUND),
    "thumbprint no base64": (signs({"x5t#S256": "!!!"}), MALFORMED),
    "thumbprint null": (
        writes(lambda h, c, p: forge.sign(json.dumps(h | {"x5t#S256": None}), c, alg="PS256")), MALFORMED),
    "signature cut short": (
        tampered(lambda h, c, s: f"{h}.{c}.{forge.encode_base64url(forge.decode(s)[:-1])}"), NOT_VERIFIED),
    "signature made longer": (
        tampered(lambda h, c, s: f"{h}.{c}.{forge.encode_base64url(forge.decode(s) + bytes(1))}"), NOT_VERIFIED),
    "signature of zeros": (tampered(lambda h, c, s: f"{h}.{c}." + forge.encode_base64url(bytes(256))), NOT_VERIFIED),
    "no signature": (tampered(lambda h, c, s: f"{h}.{c}."), MALFORMED),
    "claims changed after signing": (
        tampered(lambda h, c, s: f"{h}.{forge.segment(json.dumps(json.loads(forge.decode(c)) | {'exp': 9e9}))}.{s}"),
        NOT_VERIFIED),
    "header changed after signing": (
        tampered(lambda h, c, s: f"{forge.segment(json.dumps(json.loads(forge.decode(h)) | {'a': 1}))}.{c}.{s}"),
        NOT_VERIFIED),
    "bits left over in the signature": (tampered(lambda h, c, s: f"{h}.{c}.{s[:-1]}{other_last(s)}"), MALFORMED),
    "two segments": (tampered(lambda h, c, s: f"{h}.{c}"), MALFORMED),
    "four segments": (tampered(lambda h, c, s: f"{h}.{c}.{s}.{s}"), MALFORMED),
    "an encrypted token": (tampered(lambda h, c, s: f"{h}.{c}.{s}.{c}.{s}"), MALFORMED),
    "dots alone": (asks(client_assertion=".."), MALFORMED),
    "a space inside": (tampered(lambda h, c, s: f"{h}. {c}.{s}"), MALFORMED),
    "a line break at the end": (tampered(lambda h, c, s: f"{h}.{c}.{s}\n"), MALFORMED),
    "standard base64": (tampered(lambda h, c, s: f"{h}.{c}.{'+/' + s[2:]}"), MALFORMED),
    "padding in the middle": (tampered(lambda h, c, s: f"{h[:4]}={h[4:]}.{c}.{s}"), MALFORMED),
    "a zero byte": (tampered(lambda h, c, s: f"{h}\0.{c}.{s}"), MALFORMED),
    "letters of other scripts": (asks(client_assertion="ａ.ｂ.ｃ"), MALFORMED),
    "half a surrogate pair": (asks(client_assertion="eyJ.\udc80.x".encode("utf-8", "replace").decode()), MALFORMED),
    "three megabytes": (asks(client_assertion="A" * 3_000_000), MALFORMED),
    "a million dots": (asks(client_assertion="." * 1_000_000), MALFORMED),
    "header an array": (writes(lambda h, c, p: forge.sign(json.dumps([h]), c, alg="PS256")), MALFORMED),
    "header in UTF-16": (
        tampered(lambda h, c, s: f"{forge.encode_base64url(forge.decode(h).decode().encode('utf-16'))}.{c}.{s}"),
        MALFORMED),
    "header with a byte order mark": (
        tampered(lambda h, c, s: f"{forge.encode_base64url(codecs.BOM_UTF8 + forge.decode(h))}.{c}.{s}"), MALFORMED),
    "claims nested very deep": (writes(lambda h, c, p: forge.sign(h, '{"a":' * 100_000)), MALFORMED),
    "claims with a member twice": (with_text("{", '{"iss": "somebody", '), MALFORMED),
    "claims with something behind them": (
        writes(lambda h, c, p: forge.sign(h, json.dumps(c) + json.dumps({"sub": "x"}))), MALFORMED),
    "a critical extension": (signs({"crit": ["b64"], "b64": False}), MALFORMED),
    "typ of an access token": (signs({"typ": "at+jwt"}), MALFORMED),
    "typ a number": (signs({"typ": 1}), MALFORMED),
    "exp NaN": (with_text('"exp": ', '"exp": NaN, "x": '), MALFORMED),
    "exp infinite": (with_text('"exp": ', '"exp": 1e999, "x": '), MALFORMED),
    "exp a number of ten thousand digits": (with_text('"exp": ', f'"exp": {"9" * 10_000}, "x": '), MALFORMED),
    "exp beyond 64 bits": (signs(exp=2**63), MALFORMED),
    "exp 1e300": (signs(exp=1e300), MALFORMED),
    "exp in scientific notation and over": (with_text('"exp": ', '"exp": 1E3, "x": '), WRONG_TIME),
    "exp minus zero": (with_text('"exp": ', '"exp": -0.0, "x": '), WRONG_TIME),
    "exp a text with spaces": (signs(exp=" 4000000000 "), MALFORMED),
    "exp a text with a sign": (signs(exp="+4000000000"), MALFORMED),
    "exp true": (signs(exp=True), MALFORMED),
    "exp a list": (signs(exp=[4_000_000_000]), MALFORMED),
    "exp in words": (signs(exp="tomorrow"), MALFORMED),
    "exp in other digits": (signs(exp="٤٠٠٠٠٠٠٠٠٠"), MALFORMED),
    "exp missing": (signs(exp=None), (90014, "'exp'")),
    "exp over": (signs(exp=int(time.time()) - 301), WRONG_TIME),
    "exp zero": (signs(exp=0), WRONG_TIME),
    "nbf to come": (signs(nbf=int(time.time()) + 86_400), WRONG_TIME),
    "nbf after exp": (signs(nbf=4_000_000_000, exp=3_999_999_999), WRONG_TIME),
    "nbf true": (signs(nbf=True), MALFORMED),
    "iat negative": (signs(iat=-1), MALFORMED),
    "aud missing": (signs(aud=None), (90014, "'aud'")),
    "aud a list that holds the right one": (
        writes(lambda h, c, p: forge.sign(h, c | {"aud": [c["aud"], "elsewhere"]})), MALFORMED),
    "aud of another host": (
        writes(lambda h, c, p: forge.sign(h, c | {"aud": c["aud"].replace(ORIGIN, "https://practice.example")})),
        WRONG_AUDIENCE),
    "aud with more at its end": (writes(lambda h, c, p: forge.sign(h, c | {"aud": c["aud"] + "/x"})), WRONG_AUDIENCE),
    "aud with a slash at its end": (writes(lambda h, c, p: forge.sign(h, c | {"aud": c["aud"] + "/"})), WRONG_AUDIENCE),
    "aud in upper case": (writes(lambda h, c, p: forge.sign(h, c | {"aud": c["aud"].upper()})), WRONG_AUDIENCE),
    "aud without the port": (
        writes(lambda h, c, p: forge.sign(h, c | {"aud": c["aud"].replace(":8443", "")})), WRONG_AUDIENCE),
    "aud with a dot after the host": (
        writes(lambda h, c, p: forge.sign(h, c | {"aud": c["aud"].replace(":8443", ".:8443")})), WRONG_AUDIENCE),
    "aud the host alone": (signs(aud=ORIGIN), WRONG_AUDIENCE),
    "aud of Graph": (signs(aud="https://graph.microsoft.com"), WRONG_AUDIENCE),
    "iss with a space": (
        writes(lambda h, c, p: forge.sign(h, c | {"iss": c["iss"] + " ", "sub": c["iss"] + " "})), WRONG_CLIENT),
    "iss in braces": (
        writes(lambda h, c, p: forge.sign(h, c | dict.fromkeys(("iss", "sub"), f"{{{c['iss']}}}"))), WRONG_CLIENT),
    "iss without hyphens": (
        writes(lambda h, c, p: forge.sign(h, c | dict.fromkeys(("iss", "sub"), c["iss"].replace("-", "")))),
        WRONG_CLIENT),
    "iss of the tenant": (signs(iss=f"{ORIGIN}/7d2c9e5a-1b64-4f0e-9a37-c3d58e41f260/v2.0"), WRONG_CLIENT),
    "iss a list": (writes(lambda h, c, p: forge.sign(h, c | {"iss": [c["iss"]]})), MALFORMED),
    "iss an empty string": (signs(iss=""), (90014, "'iss'")),
    "sub of another app": (signs(sub=UNKNOWN), (50048, "Subject must match")),
    "sub an object": (signs(sub={"id": 1}), MALFORMED),
    "jti a number": (signs(jti=7), MALFORMED),
    "an access token as assertion": (lambda p: p.ask_token({"client_assertion": p.token()}), WRONG_CLIENT),
    "another app's assertion": (lambda p: p.ask_token({"client_id": other_app(p)[0]}), WRONG_CLIENT),
    "another app's certificate": (
        lambda p: p.ask_token({"client_assertion": p.assertion(
            other_app(p)[1], {"x5t#S256": forge.x5t_s256(other_app(p)[2])})}), NOT_FOUND),
}  # fmt: skip


def pss(header, claims, salt):
    """A signature that differs from a good one in the length of its salt (bytes) alone."""
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    return forge.encode_base64url(forge.private_key().sign(f"{header}.{claims}".encode(), scheme, hashes.SHA256()))


def other_last(signature):
    """A last letter that decodes to the same bytes: only the bits that count for nothing differ."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(signature[-1]) ^ 1]


def other_app(p):
    """A second app of the tenant with a certificate of its own: client id, private key, certificate."""
    if not hasattr(p, "second"):
        key = forge.private_key("second")
        certificate = forge.certificate(key)
        raw = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
        credential = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": raw}
        token = p.token(scopes=("Application.ReadWrite.All",))
        body = {"displayName": "second", "keyCredentials": [credential]}
        reply = p.call("POST", "/v1.0/applications", body, token)
        assert reply.status == 201, reply.body
        p.second = reply.json["appId"], key, certificate
    return p.second


@pytest.mark.parametrize("name", ASSERTIONS)
def test_a_bad_assertion_gets_the_answer_entra_gives(target, name):
    request, (number, words) = ASSERTIONS[name]
    reply = request(target)
    assert reply.json["error_codes"] == [number], reply.json["error_description"]
    assert words in reply.json["error_description"]
    assert "access_token" not in reply.json
    assert reply.status == (401 if reply.json["error"] == "invalid_client" else 400)
    assert len(reply.body) < 4_000  # what was sent does not come back at length


# --- requests ---------------------------------------------------------------------------------------------------


def gets(path, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda p: p.get(path, headers=named)


def stranger(method, path, headers=None, body=b""):
    """A request without any credential."""
    return lambda p: p.send(method, path, headers, body)


def posts(body, content_type=FORM):
    return lambda p: p.send("POST", f"/{p.tenant.id}/oauth2/v2.0/token", {"Content-Type": content_type}, body)


def basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def two_secrets(first, second):
    """A form in which client_secret stands twice."""
    fields = {"grant_type": "client_credentials", "scope": GRAPH_SCOPE}

    def request(p):
        pairs = [
            *fields.items(),
            ("client_id", p.tenant.client_id),
            ("client_secret", first),
            ("client_secret", second),
        ]
        return posts(urlencode(pairs).encode())(p)

    return request


NEEDS_GRANT_TYPE = (400, "'grant_type'")
EMPTY_TOKEN = (401, "Access token is empty.")
KEYLESS = (401, "X-Practice-Key")

REQUESTS = {  # name: request, (status, words of the answer)
    "a form in JSON": (posts(b'{"grant_type":"client_credentials"}', "application/json"), NEEDS_GRANT_TYPE),
    "a form without a type": (posts(b"grant_type=client_credentials", ""), NEEDS_GRANT_TYPE),
    "a form in parts": (posts(b"--x\r\n", "multipart/form-data; boundary=x"), NEEDS_GRANT_TYPE),
    "a form of bytes that are no text": (posts(b"\xff\xfe=\xff&%ff=%zz"), NEEDS_GRANT_TYPE),
    "a form of a million fields": (posts(b"a=1&" * 1_000_000), NEEDS_GRANT_TYPE),
    "an empty form": (posts(b""), NEEDS_GRANT_TYPE),
    "a grant type with a zero byte": (posts(b"client_id=x&grant_type=client_credentials%00"), (400, "70003")),
    "a grant type of a megabyte": (posts(b"client_id=x&grant_type=" + b"y" * 1_000_000), (400, "70003")),
    "a client id of a megabyte": (asks(client_id="x" * 1_000_000), (400, "700016")),
    "a client id with a query in it": (asks(client_id="' OR '1'='1"), (400, "700016")),
    "a client id with a replacement field in it": (asks(client_id="{tenant_name}{0}"), (400, "{tenant_name}{0}")),
    "a scope with a replacement field in it": (asks(scope="{scope.__class__}"), (400, "{scope.__class__}")),
    "a secret that is only the start": (
        lambda p: p.ask_token_with_secret({"client_secret": SECRET[:-1]}), (401, "7000215")),
    "a secret with something at its end": (
        lambda p: p.ask_token_with_secret({"client_secret": SECRET + "\0"}), (401, "7000215")),
    "the id of the secret": (
        lambda p: p.ask_token_with_secret({"client_secret": secret_id(p)}), (401, "7000215")),
    "the hint of the secret": (lambda p: p.ask_token_with_secret({"client_secret": SECRET[:3]}), (401, "7000215")),
    "a wrong secret before the right one": (two_secrets("guess", SECRET), (400, "9000411")),
    "the right secret twice": (two_secrets(SECRET, SECRET), (400, "'client_secret' is duplicated")),
    "the certificate as a secret": (
        lambda p: p.ask_token_with_secret({"client_secret": base64.b64encode(DER).decode()}), (401, "7000215")),
    "the right secret beside a bad assertion": (asks(client_assertion="x", client_secret=SECRET), (400, "50027")),
    "the secret of another app": (
        lambda p: p.ask_token_with_secret({"client_id": other_app(p)[0]}), (401, "7000215")),
    "Basic that is no base64": (
        lambda p: p.ask_token({"client_assertion": None}, headers={"Authorization": "Basic !"}), (401, "7000216")),
    "Basic of another app beside one's own id": (
        lambda p: p.ask_token({"client_assertion": None}, headers=basic(f"{UNKNOWN}:{SECRET}")), (401, "7000216")),
    "an encoded slash before the endpoint": (
        lambda p: p.form({}, tenant=f"{p.tenant.id}%2Foauth2%2Fv2.0%2Ftoken?", endpoint=""), (404, "")),
    "an encoded slash in the tenant": (
        stranger("GET", "/contoso.example%2F../v2.0/.well-known/openid-configuration"), (400, "900023")),
    "a scope that is .default alone": (asks(scope="/.default"), (400, "1002012")),
    "a scope with more slashes than a resource has": (
        asks(scope="https://graph.microsoft.com///.default"), (400, "500011")),
    "a tenant of another script": (
        stranger("GET", "/%3Cscript%3E/v2.0/.well-known/openid-configuration"), (400, "900023")),
    "a tenant with dots": (stranger("GET", "/../v2.0/.well-known/openid-configuration"), (400, "900023")),
    "an endpoint no parser takes": (
        stranger("GET", "/common/discovery/instance?authorization_endpoint=https%3A%2F%2F%5B"), (400, "50049")),
    "an instance that only begins like one": (
        stranger("GET", "/common/discovery/instance?authorization_endpoint="
                 "https%3A%2F%2Flogin.microsoftonline.com.practice.example%2F"), (400, "50049")),
    "an instance behind an at sign": (
        stranger("GET", "/common/discovery/instance?authorization_endpoint="
                 "https%3A%2F%2Flogin.microsoftonline.com%40practice.example%2F"), (400, "50049")),
    "a token in the query": (
        lambda p: p.get(f"/v1.0/users?access_token={p.token()}", None), EMPTY_TOKEN),
    "a token in a cookie": (
        lambda p: p.get("/v1.0/users", None, {"Cookie": f"access_token={p.token()}"}), EMPTY_TOKEN),
    "a secret as a token": (gets("/v1.0/users", Authorization=f"Bearer {SECRET}"), (401, "IDX14120")),
    "an assertion as a token": (lambda p: p.get("/v1.0/users", p.assertion()), (401, "Signature is invalid.")),
    "another method by a header": (
        lambda p: p.send("POST", "/v1.0/users/$count", {"X-HTTP-Method-Override": "GET", **bearer(p)}), (405, "")),
    "a path that climbs to control": (gets("/v1.0/../control/requests"), (400, "'..'")),
    "a path that climbs in disguise": (gets("/v1.0/%2e%2e/control/requests"), (400, "'..'")),
    "control without a key": (stranger("GET", "/control/requests"), KEYLESS),
    "control behind two slashes": (stranger("GET", "//control//requests"), KEYLESS),
    "control with its name encoded": (stranger("GET", "/%63ontrol/requests"), (404, "")),
    "control with the key in the query": (
        lambda p: p.send("GET", f"/control/requests?X-Practice-Key={p.emulator.state.control_key}"), KEYLESS),
    "control with the start of the key": (
        lambda p: p.send("POST", "/control/reset", {"X-Practice-Key": p.emulator.state.control_key[:-1]}), KEYLESS),
    "control with a key and more": (
        lambda p: p.send("POST", "/control/reset", {"X-Practice-Key": p.emulator.state.control_key + "x"}), KEYLESS),
    "control with a Graph token": (
        lambda p: p.send("POST", "/control/reset", {"Authorization": f"Bearer {p.token()}"}), KEYLESS),
    "a page that asks beforehand": (
        stranger("OPTIONS", "/control/reset", {"Origin": "https://practice.example"}), KEYLESS),
    "a user with a zero byte": (gets("/v1.0/users/%00"), (404, "Request_ResourceNotFound")),
    "a user with half a letter": (gets("/v1.0/users/%ff"), (404, "Request_ResourceNotFound")),
    "a user with a broken escape": (gets("/v1.0/users/%zz"), (404, "Request_ResourceNotFound")),
    "a user with a quote": (gets("/v1.0/users/'%20or%20'1'%20eq%20'1"), (404, "Request_ResourceNotFound")),
    "a user of fifty thousand letters": (gets("/v1.0/users/" + "a" * 50_000), (404, "Request_ResourceNotFound")),
    "a line of seventy thousand letters": (gets("/v1.0/users?" + "a" * 70_000), (414, "URI Too Long")),
    "a property of Python's": (gets("/v1.0/users?$filter=__class__%20eq%20'a'"), (400, "__class__")),
    "a filter by a password": (gets("/v1.0/users?$filter=passwordProfile/password%20eq%20'a'"), (400, "")),
    "a filter nested a thousand deep": (
        gets("/v1.0/users?$filter=" + "(" * 1_000 + "id%20eq%20'a'" + ")" * 1_000), (400, "")),
    "a filter of not, a thousand times": (
        gets("/v1.0/users?$filter=" + "not%20" * 1_000 + "(id%20eq%20'a')"), (400, "")),
    "a page token of nonsense": (gets("/v1.0/users?$skiptoken=nonsense"), (400, "Invalid Skip Token")),
    "a page token of another tenant": (
        lambda p: p.get("/v1.0/users?$skiptoken=" + Practice().get("/v1.0/users?$top=1").json["@odata.nextLink"]
                        .partition("$skiptoken=")[2][:-3] + "AAA"), (400, "Invalid Skip Token")),
    "an id that would break the header": (
        lambda p: p.get("/v1.0/users/nobody", headers={"client-request-id": "a\r\nSet-Cookie: b=c"}), (404, "")),
    "an app asking for a person's token": (
        lambda p: p.form({"client_id": p.tenant.client_id, "grant_type": "password", "username": "a",
                          "password": "b", "scope": "openid"}), (400, "70003")),
    "a device code nobody gave out": (
        lambda p: p.form({"client_id": "14d82eec-204b-4c2f-b7e8-296a70dab67e", "grant_type": "device_code",
                          "device_code": "x" * 500_000}), (400, "70018")),
    "a sign-in with another page's key": (
        stranger("POST", "/common/oauth2/deviceauth", {"Content-Type": FORM}, b"user_code=A&decision=approve"),
        (403, "not ours")),
}  # fmt: skip


def bearer(p):
    return {"Authorization": f"Bearer {p.token()}"}


def secret_id(p):
    return p.tenant.application(p.tenant.client_id)["passwordCredentials"][0]["keyId"]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_bad_request_gets_the_answer_it_must(target, name):
    request, (status, words) = REQUESTS[name]
    reply = request(target)
    assert reply.status == status, reply.body[:500]
    assert words in reply.body.decode()
    assert not re.search(r"[\r\n]", "".join([*reply.headers, *reply.headers.values()]))
    assert len(reply.body) < 4_000
    assert "text/html" not in reply.headers.get("Content-Type", "") or b"script" not in reply.body
    assert target.control("requests", method="GET").status == 200  # and it still works


def test_there_are_more_than_eighty_of_them():
    assert len(ASSERTIONS) + len(BAD_TOKENS) + len(REQUESTS) > 80


# --- nothing secret is kept -------------------------------------------------------------------------------------


def test_neither_the_request_log_nor_the_log_keeps_a_secret(caplog):
    practice = Practice()
    token, assertion = practice.token(), practice.assertion()
    with caplog.at_level(logging.DEBUG):
        practice.ask_token({"client_assertion": assertion})
        practice.ask_token_with_secret({"client_secret": "guess-of-a-secret"})
        practice.ask_token({"client_assertion": None}, headers=basic(f"{practice.tenant.client_id}:guess-of-a-secret"))
        practice.get("/v1.0/users?$top=1", token)
        practice.get(f"/v1.0/users?access_token={token}&client_secret=guess-of-a-secret&$top=1", token)
        practice.call("POST", "/v1.0/users", {"passwordProfile": {"password": "guess-of-a-secret"}}, token)
    kept = json.dumps(practice.control("requests", method="GET").json) + caplog.text
    signatures = [one.rpartition(".")[2] for one in (token, assertion)]
    for secret in (token, assertion, *signatures, "guess-of-a-secret", SECRET, practice.emulator.state.control_key):
        assert secret not in kept
    assert list(practice.state.log)[-2]["query"] == "access_token=…&client_secret=…&$top=1"


def test_the_process_writes_no_secret_to_standard_error(tmp_path):
    with running("--certificate", str(write_certificate(tmp_path)), "--secret", SECRET) as tenant:
        token = tenant.token()
        url = f"{tenant.facts['authority']}/oauth2/v2.0/token"
        for fields in ({"client_assertion": "a.b.c", "client_secret": SECRET}, {"client_secret": "x" * 5_000_000}):
            tenant.session.post(url, {"client_id": tenant.facts["client_id"], **fields}, timeout=20)
        for path in ("/users", "/nothing", "/users?$top=0"):
            tenant.session.get(tenant.facts["graph_endpoint"] + path, headers={"Authorization": f"Bearer {token}"},
                               timeout=20)  # fmt: skip
        assert [
            one for one in (SECRET, token, tenant.facts["control_key"], "eyJ", "Traceback") if one in tenant.log()
        ] == []


# --- fuzz -------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(LETTERS, max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(LETTERS, max_size=12), inner, max_size=4),
    max_leaves=12,
)
known_claims = st.dictionaries(
    st.sampled_from(["aud", "iss", "sub", "exp", "nbf", "iat", "jti", "alg", "typ", "kid", "x5t", "x5t#S256", "x5c"]),
    json_values,
    max_size=5,
)
some_text = st.text(LETTERS, max_size=60) | st.text("./%?&=$()'@#\\\0\r\n;:,+ eEqandusr0", max_size=80)


def never_fails(reply):
    assert reply.status < 500 or reply.status == 501, reply.body[:500]  # 501: what a list cannot return
    assert isinstance(reply.body, bytes)
    assert not re.search(r"[\r\n]", "".join(reply.headers.values()))


@HUNT
@given(header=known_claims, claims=known_claims)
def test_fuzz_well_signed_assertions(target, header, claims):
    good_header, good_claims = forge.decoded(target.assertion())
    assertion = forge.sign(json.dumps(good_header | header), json.dumps(good_claims | claims), alg="PS256")
    never_fails(target.ask_token({"client_assertion": assertion}))


@HUNT
@given(segments=st.lists(st.binary(max_size=40).map(forge.encode_base64url) | some_text, max_size=6))
def test_fuzz_assertions_and_tokens_by_their_segments(target, segments):
    text = ".".join(segments)
    reply = target.ask_token({"client_assertion": text.encode("utf-8", "replace").decode()})
    never_fails(reply)
    assert "access_token" not in reply.json
    reply = target.get("/v1.0/users", None, {"Authorization": f"Bearer {text}"})
    assert reply.status == 401


@HUNT
@given(header=known_claims | json_values, claims=known_claims | json_values)
def test_fuzz_tokens_that_entra_never_signed(target, header, claims):
    token = forge.sign(json.dumps(header), json.dumps(claims), ATTACKER)
    assert target.get("/v1.0/users", token).status == 401


@HUNT
@given(name=st.sampled_from(["faults", "clock", "roles", "app", "token-lifetime", "sign-in", "nothing"]),
       body=json_values | st.fixed_dictionaries({}, optional={
           "target": st.sampled_from(["token", "graph", "x"]), "status": json_values, "count": json_values,
           "skip": json_values, "delay_ms": json_values, "cut": json_values, "shift_seconds": json_values,
           "grant": json_values, "revoke": json_values, "action": json_values, "seconds": json_values,
           "user_code": json_values}))  # fmt: skip
def test_fuzz_control_bodies(disposable, name, body):
    reply = disposable.control(name, body)
    assert reply.status in (200, 400, 404, 409)
    assert isinstance(reply.json, dict)


@HUNT
@given(body=st.binary(max_size=80))
def test_fuzz_control_bytes(disposable, body):
    key = {"X-Practice-Key": disposable.emulator.state.control_key}
    assert disposable.send("POST", "/control/faults", key, body).status in (200, 400)


methods = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "BREW"])
starts = st.sampled_from([
    "", "/", "/v1.0/", "/v1.0/users/", "/v1.0/users?", "/v1.0/users?$filter=", "/v1.0/users?$select=",
    "/v1.0/users?$search=", "/v1.0/users?$orderby=", "/v1.0/users?$expand=", "/v1.0/users/delta?",
    "/v1.0/applications/", "/v1.0/servicePrincipals?$filter=", "/v1.0/directory/", "/beta/", "/control",
    "https://", "//", "/common/", "/common/discovery/instance?", "/common/oauth2/deviceauth",
])  # fmt: skip


@HUNT
@given(method=methods, target=st.tuples(starts, some_text), encoded=st.booleans(), eventual=st.booleans())
def test_fuzz_paths_and_queries(everything, method, target, encoded, eventual):
    practice, token = everything
    start, rest = target
    path = start + (quote(rest.encode("utf-8", "replace")) if encoded else rest)
    headers = {"Authorization": f"Bearer {token}"} | ({"ConsistencyLevel": "eventual"} if eventual else {})
    never_fails(practice.send(method, path, headers))


step = st.fixed_dictionaries({}, optional={
    "id": st.sampled_from(["1", "2", "1", ""]) | json_values,
    "method": methods | json_values,
    "url": st.sampled_from(["/users?$top=1", "users/$count", "/$batch", "/me"]) | some_text | json_values,
    "headers": st.dictionaries(st.text(LETTERS, max_size=8), st.text(LETTERS, max_size=8), max_size=2) | json_values,
    "body": json_values,
    "dependsOn": st.lists(st.sampled_from(["1", "2", "3"]), max_size=3) | json_values,
})  # fmt: skip


@HUNT
@given(body=json_values | st.fixed_dictionaries({"requests": st.lists(step | json_values, max_size=5) | json_values}))
def test_fuzz_batches(everything, body):
    practice, token = everything
    reply = practice.call("POST", "/v1.0/$batch", body, token)
    never_fails(reply)
    if reply.status == 200:
        assert all(answer["status"] < 500 or answer["status"] == 501 for answer in reply.json["responses"])


members = st.sampled_from([
    "displayName", "mailNickname", "userPrincipalName", "accountEnabled", "passwordProfile", "appId", "keyCredentials",
    "signInAudience", "businessPhones", "passwordCredential", "keyCredential", "proof", "principalId", "resourceId",
    "appRoleId", "@odata.id",
])  # fmt: skip
changeable = st.sampled_from([
    "users", "users/nobody", "applications", "servicePrincipals", "applications/{app}",
    "applications/{app}/addPassword", "applications/{app}/addKey",
    "applications/{app}/removeKey", "servicePrincipals/{principal}/appRoleAssignedTo",
])  # fmt: skip


@HUNT
@given(
    method=st.sampled_from(["POST", "PATCH"]),
    body=json_values | st.dictionaries(members, json_values, max_size=5),
    path=changeable,
)
def test_fuzz_bodies_that_would_change_something(everything, method, body, path):
    practice, token = everything
    ids = {"app": next(iter(practice.tenant.applications)), "principal": practice.graph_principal["id"]}
    never_fails(practice.call(method, "/v1.0/" + path.format_map(ids), body, token))


@HUNT
@given(fields=st.dictionaries(st.sampled_from(
    ["client_id", "grant_type", "scope", "client_secret", "client_assertion", "client_assertion_type", "device_code",
     "code", "refresh_token", "client_info", "user_code", "page_key", "decision"]), some_text, max_size=6),
    endpoint=st.sampled_from(["oauth2/v2.0/token", "oauth2/v2.0/devicecode", "oauth2/deviceauth"]))  # fmt: skip
def test_fuzz_forms(target, fields, endpoint):
    clean = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    never_fails(target.form(clean, endpoint=endpoint))
    good = {"client_id": target.tenant.client_id, "grant_type": "client_credentials", "scope": GRAPH_SCOPE}
    never_fails(target.form(good | clean, endpoint=endpoint))


@pytest.fixture(scope="module")
def disposable():
    return Practice(users=3)


@pytest.fixture(scope="module")
def everything():
    """A small tenant and a token that may do everything, so that the fuzz run gets past the permissions."""
    practice = Practice(users=12)
    scopes = ("User.ReadWrite.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All",
              "Directory.AccessAsUser.All", "Directory.ReadWrite.All")  # fmt: skip
    assert uuid.UUID(practice.tenant.client_id)
    return practice, practice.token(scopes=scopes)
