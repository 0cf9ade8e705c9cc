"""Access tokens for Graph: what stands in them, how they are signed, and what Graph says to a bad one."""

import base64
import hashlib
import hmac
import json
import time

import forge
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from practice import ORIGIN, Practice
from practice_tenant.signing import SigningKey

TENANT = "7d2c9e5a-1b64-4f0e-9a37-c3d58e41f260"
CLIENT = "4e8f1a6b-93d7-4c25-b0fa-6d1e72c4a895"
PRINCIPAL = "e95b7c20-3fd8-4a16-a7c4-815d2b60f3ea"
CLAIMS_IN_ORDER = [
    "aud", "iss", "iat", "nbf", "exp", "aio", "app_displayname", "appid", "appidacr", "idp", "idtyp", "oid", "rh",
    "roles", "sub", "tenant_region_scope", "tid", "uti", "ver", "wids", "xms_acd", "xms_act_fct", "xms_ftd",
    "xms_idrel", "xms_rd", "xms_sub_fct", "xms_tcdt", "xms_tdbr", "xms_tnt_fct",
]  # fmt: skip
CHALLENGE = (
    'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
    'client_id="00000003-0000-0000-c000-000000000000"'
)


# --- what Entra gives out ---------------------------------------------------------------------------------------


def test_a_good_answer_has_four_keys_in_the_captured_order(shared):
    reply = shared.ask_token()
    assert reply.status == 200
    assert list(reply.json) == ["token_type", "expires_in", "ext_expires_in", "access_token"]
    assert (reply.json["token_type"], reply.json["expires_in"], reply.json["ext_expires_in"]) == ("Bearer", 3599, 3599)


def test_header_and_claims_stand_in_the_captured_order(shared):
    header, claims = forge.decoded(shared.token())
    assert list(header) == ["typ", "nonce", "alg", "x5t", "kid"]
    assert (header["typ"], header["alg"], len(header["nonce"])) == ("JWT", "RS256", 43)
    assert header["x5t"] == header["kid"]
    assert list(claims) == CLAIMS_IN_ORDER


def test_claims_tell_who_and_what_for(shared):
    claims = shared.claims(shared.token())
    assert claims["aud"] == "https://graph.microsoft.com"
    assert claims["iss"] == claims["idp"] == f"https://sts.windows.net/{TENANT}/"
    assert (claims["tid"], claims["appid"], claims["app_displayname"]) == (TENANT, CLIENT, "daemon-console")
    assert claims["oid"] == claims["sub"] == PRINCIPAL
    assert (claims["idtyp"], claims["ver"], claims["roles"]) == ("app", "1.0", ["User.Read.All"])
    assert claims["wids"] == ["0997a1d0-0d1d-4acb-b408-d5ca73121e90"]
    assert len(claims["uti"]) == 22


def test_a_token_was_issued_five_minutes_ago_and_ends_in_an_hour(shared):
    before, claims, after = int(time.time()), shared.claims(shared.token()), int(time.time())
    assert claims["iat"] == claims["nbf"] == claims["exp"] - 3900
    assert before <= claims["exp"] - 3600 <= after


def test_appidacr_tells_a_certificate_from_a_secret(shared):
    by_certificate, by_secret = shared.ask_token(), shared.ask_token_with_secret()
    assert shared.claims(by_certificate.json["access_token"])["appidacr"] == "2"
    assert shared.claims(by_secret.json["access_token"])["appidacr"] == "1"


def test_every_token_is_another(shared):
    first, second = (shared.claims(shared.token()) for _ in range(2))
    assert all(first[name] != second[name] for name in ("uti", "aio", "rh"))


def test_roles_are_absent_when_none_are_granted():
    claims = Practice(roles=()).claims(Practice(roles=()).token())
    assert "roles" not in claims
    assert list(claims) == [name for name in CLAIMS_IN_ORDER if name != "roles"]


def test_a_role_shows_in_the_next_token_and_not_in_the_old_one(practice):
    old = practice.token()
    practice.control("roles", {"revoke": "User.Read.All"})
    assert practice.get("/v1.0/users", old).status == 200
    assert practice.get("/v1.0/users", practice.token()).status == 403
    practice.control("roles", {"grant": "Directory.Read.All"})
    assert practice.claims(practice.token())["roles"] == ["Directory.Read.All"]
    assert practice.get("/v1.0/users").status == 200


def test_roles_of_one_resource_stay_out_of_anothers_token(shared):
    reply = shared.ask_token({"scope": "https://vault.azure.net/.default"})
    header, claims = forge.decoded(reply.json["access_token"])
    assert claims["aud"] == "https://vault.azure.net"
    assert "roles" not in claims
    assert "nonce" not in header  # only Graph's tokens have one


def test_lifetime_is_what_control_says(practice):
    practice.control("token-lifetime", {"seconds": 90})
    reply = practice.ask_token()
    assert (reply.json["expires_in"], reply.json["ext_expires_in"]) == (89, 89)
    claims = practice.claims(reply.json["access_token"])
    assert claims["exp"] - claims["iat"] == 390


@pytest.mark.parametrize("scope", ["https://graph.microsoft.com/", "00000003-0000-0000-c000-000000000000"])
def test_the_audience_is_spelt_as_it_was_asked_for(shared, scope):
    token = shared.ask_token({"scope": f"{scope}/.default"}).json["access_token"]
    assert shared.claims(token)["aud"] == scope
    assert shared.get("/v1.0/users?$top=1", token).status == 200


# --- the nonce and the signature --------------------------------------------------------------------------------


def published_key(practice):
    (key,) = practice.send("GET", f"/{TENANT}/discovery/v2.0/keys").json["keys"]
    return forge.x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0])).public_key()


def verifies(key, signed, signature):
    try:
        key.verify(forge.decode(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def test_a_graph_token_cannot_be_verified_by_the_rules_of_jwt(shared):
    header, claims, signature = shared.token().split(".")
    assert not verifies(published_key(shared), f"{header}.{claims}", signature)


def test_it_verifies_over_a_header_with_the_nonce_hashed(shared):
    header, claims, signature = shared.token().split(".")
    members = json.loads(forge.decode(header))
    digest = hashlib.sha256(members["nonce"].encode()).digest()
    members["nonce"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    hashed = forge.segment(json.dumps(members, separators=(",", ":")))
    assert verifies(published_key(shared), f"{hashed}.{claims}", signature)


def test_a_token_for_another_resource_verifies_as_it_is(shared):
    token = shared.ask_token({"scope": "https://vault.azure.net/.default"}).json["access_token"]
    header, claims, signature = token.split(".")
    assert verifies(published_key(shared), f"{header}.{claims}", signature)


# --- what Graph says to a bad one -------------------------------------------------------------------------------

WANTS_DOTS = (
    "\nThe token needs to be in JWS or JWE Compact Serialization Format. (JWS): 'EncodedHeader.EncodedPayload."
    "EncodedSignature'. (JWE): 'EncodedProtectedHeader.EncodedEncryptedKey.EncodedInitializationVector."
    "EncodedCiphertext.EncodedAuthenticationTag'."
)
NO_DOTS = "IDX14100: JWT is not well formed, there are no dots (.)." + WANTS_DOTS
ONE_DOT = "IDX14120: JWT is not well formed, there is only one dot (.)." + WANTS_DOTS
THREE_DOTS = "IDX14121: JWT is not a well formed JWE, there must be four dots (.)." + WANTS_DOTS
FIVE_DOTS = (
    "IDX14122: JWT is not a well formed JWE, there are more than four dots (.) a JWE can have at most 4 dots."
    + WANTS_DOTS
)
EMPTY = "Access token is empty."
BAD_SIGNATURE = "Signature is invalid."
EXPIRED = "Lifetime validation failed, the token is expired."
WRONG_AUDIENCE = "Access token validation failure. Invalid audience."
BAD_HEADER = "IDX14102: Unable to decode the header '"
BAD_PAYLOAD = "IDX14101: Unable to decode the payload '"


def parts(practice):
    header, claims, signature = practice.token().split(".")
    return header, claims, signature


def with_header(practice, **changes):
    """A good token whose header was changed without signing again."""
    header, claims, signature = parts(practice)
    members = json.loads(forge.decode(header)) | changes
    return f"{forge.segment(compact(members))}.{claims}.{signature}"


def header_written(practice, write):
    """A good token whose header says the same in another spelling."""
    header, claims, signature = parts(practice)
    return f"{forge.segment(write(json.loads(forge.decode(header))))}.{claims}.{signature}"


def with_claims(practice, **changes):
    header, claims, signature = parts(practice)
    return f"{header}.{forge.segment(compact(json.loads(forge.decode(claims)) | changes))}.{signature}"


def compact(members):
    return json.dumps({name: value for name, value in members.items() if value is not None}, separators=(",", ":"))


def signed_again(practice, header=None, key=None, alg="RS256", **claims):
    """Good claims with changes, under a header of one's own, signed with a key of one's own."""
    good, mine = forge.decoded(practice.token())
    members = {name: value for name, value in (good | {"alg": alg} | (header or {})).items() if value is not None}
    return forge.sign(members, mine | claims, key or forge.private_key("other"), alg=alg)


def by_entra(practice, **changes):
    """Claims Entra's key really signs: only what Graph checks in them is wrong."""
    claims = practice.claims(practice.token()) | changes
    return practice.emulator.state.signing_key.sign(claims)


def with_public_key_as_secret(practice):
    """The classic confusion: HS256 with the published key as the shared secret."""
    pem = published_key(practice).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header, claims, _ = parts(practice)
    members = compact(json.loads(forge.decode(header)) | {"alg": "HS256"})
    signed = f"{forge.segment(members)}.{claims}"
    return f"{signed}.{forge.encode_base64url(hmac.digest(pem, signed.encode(), 'sha256'))}"


def jwk(practice):
    numbers = forge.private_key("other").public_key().public_numbers()
    return {"kty": "RSA", "e": "AQAB", "n": forge.encode_base64url(numbers.n.to_bytes(256, "big"))}


def swapped_nonce(practice):
    other = forge.decoded(practice.token())[0]["nonce"]
    return with_header(practice, nonce=other)


BAD = {
    "empty": (lambda p: " ", EMPTY),
    "no dots": (lambda p: "token", NO_DOTS),
    "one dot": (lambda p: "a.b", ONE_DOT),
    "three dots": (lambda p: p.token() + ".x", THREE_DOTS),
    "an encrypted token": (lambda p: p.token() + ".x.y", BAD_SIGNATURE),
    "five dots": (lambda p: p.token() + ".x.y.z", FIVE_DOTS),
    "only dots": (lambda p: "..", BAD_HEADER),
    "header not base64url": (lambda p: "!!!." + ".".join(parts(p)[1:]), BAD_HEADER),
    "header not JSON": (lambda p: forge.segment("nonsense") + "." + ".".join(parts(p)[1:]), BAD_HEADER),
    "header a list": (lambda p: forge.segment("[]") + "." + ".".join(parts(p)[1:]), BAD_HEADER),
    "payload not base64url": (lambda p: f"{parts(p)[0]}.!!!.{parts(p)[2]}", BAD_PAYLOAD),
    "payload not JSON": (lambda p: f"{parts(p)[0]}.{forge.segment('nonsense')}.{parts(p)[2]}", BAD_PAYLOAD),
    "payload nested very deep": (lambda p: f"{parts(p)[0]}.{forge.segment('[' * 30_000)}.{parts(p)[2]}", BAD_PAYLOAD),
    "no signature": (lambda p: ".".join(parts(p)[:2]) + ".", BAD_SIGNATURE),
    "another token's signature": (lambda p: ".".join([*parts(p)[:2], parts(p)[2]]), BAD_SIGNATURE),
    "signature not base64url": (lambda p: p.token() + "!", BAD_SIGNATURE),
    "signature padded": (lambda p: p.token() + "==", BAD_SIGNATURE),
    "alg none": (lambda p: ".".join(with_header(p, alg="none").split(".")[:2]) + ".", BAD_SIGNATURE),
    "alg nOnE with the old signature": (lambda p: with_header(p, alg="nOnE"), BAD_SIGNATURE),
    "HS256 with the public key": (with_public_key_as_secret, BAD_SIGNATURE),
    "another key": (signed_again, BAD_SIGNATURE),
    "another key, PS256": (lambda p: signed_again(p, alg="PS256"), BAD_SIGNATURE),
    "another key, named by its own kid": (lambda p: signed_again(p, {"kid": "mine", "x5t": "mine"}), BAD_SIGNATURE),
    "another key brought along as jwk": (lambda p: signed_again(p, {"jwk": jwk(p)}), BAD_SIGNATURE),
    "another key brought along as x5c": (
        lambda p: signed_again(p, {"x5c": [forge.x5c(forge.certificate(forge.private_key("other")))]}),
        BAD_SIGNATURE),
    "another key at a jku": (lambda p: signed_again(p, {"jku": f"{ORIGIN}/keys"}), BAD_SIGNATURE),
    "no kid": (lambda p: with_header(p, kid=None), BAD_SIGNATURE),
    "another kid": (lambda p: with_header(p, kid="other"), BAD_SIGNATURE),
    "kid of another type": (lambda p: with_header(p, kid=7), BAD_SIGNATURE),
    "crit": (lambda p: with_header(p, crit=["exp"]), BAD_SIGNATURE),
    "swapped nonce": (swapped_nonce, BAD_SIGNATURE),
    "header with spaces": (lambda p: header_written(p, json.dumps), BAD_SIGNATURE),
    "header with an escape": (
        lambda p: header_written(p, lambda header: compact(header).replace('"alg"', '"\\u0061lg"')), BAD_SIGNATURE),
    "no nonce": (lambda p: with_header(p, nonce=None), BAD_SIGNATURE),
    "nonce of another type": (lambda p: with_header(p, nonce=["a"]), BAD_SIGNATURE),
    "nonce with half a surrogate pair": (lambda p: with_header(p, nonce="\ud800"), BAD_SIGNATURE),
    "changed role": (lambda p: with_claims(p, roles=["Directory.ReadWrite.All"]), BAD_SIGNATURE),
    "changed expiry": (lambda p: with_claims(p, exp=4_000_000_000), BAD_SIGNATURE),
    "made delegated": (lambda p: with_claims(p, scp="User.Read.All"), BAD_SIGNATURE),
    "expired": (lambda p: by_entra(p, exp=int(time.time()) - 1), EXPIRED),
    "expires this very second": (lambda p: by_entra(p, exp=int(time.time())), EXPIRED),
    "not yet valid": (lambda p: by_entra(p, nbf=int(time.time()) + 60), EXPIRED),
    "for the key vault": (
        lambda p: p.ask_token({"scope": "https://vault.azure.net/.default"}).json["access_token"], WRONG_AUDIENCE),
    "for Azure Resource Manager": (
        lambda p: p.ask_token({"scope": "https://management.azure.com/.default"}).json["access_token"],
        WRONG_AUDIENCE),
    "audience in upper case": (lambda p: by_entra(p, aud="HTTPS://GRAPH.MICROSOFT.COM"), WRONG_AUDIENCE),
    "for the client itself": (lambda p: by_entra(p, aud=CLIENT), WRONG_AUDIENCE),
    "another tenant's issuer": (
        lambda p: by_entra(p, iss=f"https://sts.windows.net/{CLIENT}/"),
        "Access token validation failure. Invalid issuer."),
    "another tenant's id": (
        lambda p: by_entra(p, tid=CLIENT), "Access token validation failure. Invalid issuer."),
    "another practice tenant's": (
        lambda p: SigningKey.generate().sign(p.claims(p.token())), BAD_SIGNATURE),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_graph_refuses(shared, name):
    make, message = BAD[name]
    reply = shared.get("/v1.0/users", make(shared))
    assert (reply.status, reply.json["error"]["code"]) == (401, "InvalidAuthenticationToken")
    shown = reply.json["error"]["message"]
    assert shown == message or (message in (BAD_HEADER, BAD_PAYLOAD) and shown.startswith(message)), shown
    assert reply.headers["WWW-Authenticate"] == CHALLENGE
    assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dTpw", "token only"])
def test_graph_wants_a_bearer_token(shared, header):
    headers = {} if header is None else {"Authorization": header}
    assert shared.get("/v1.0/users", None, headers).error == (401, "InvalidAuthenticationToken", EMPTY)


def test_the_name_of_the_scheme_has_no_case(shared):
    assert shared.get("/v1.0/users", None, {"Authorization": f"bearer {shared.token()}"}).status == 200


def test_a_token_ends_when_the_tenants_clock_says_so(practice):
    token = practice.token()
    practice.control("clock", {"shift_seconds": 3599})
    assert practice.get("/v1.0/users", token).status == 200
    practice.control("clock", {"shift_seconds": 2})
    assert practice.get("/v1.0/users", token).error == (401, "InvalidAuthenticationToken", EXPIRED)


def test_the_error_envelope_ties_the_two_ids_together(shared):
    reply = shared.get("/v1.0/users", None)
    inner = reply.json["error"]["innerError"]
    assert list(reply.json["error"]) == ["code", "message", "innerError"]
    assert list(inner) == ["date", "request-id", "client-request-id"]
    assert inner["request-id"] == inner["client-request-id"] == reply.headers["request-id"]
    mine = shared.get("/v1.0/users", None, {"client-request-id": "my-own"})
    assert mine.json["error"]["innerError"]["client-request-id"] == mine.headers["client-request-id"] == "my-own"


# --- permissions ------------------------------------------------------------------------------------------------

DENIED = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
READS_USERS = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")


@pytest.mark.parametrize("role", READS_USERS)
def test_any_role_that_suffices_is_enough(shared, role):
    assert shared.get("/v1.0/users?$top=1", shared.token(roles=(role,))).status == 200


@pytest.mark.parametrize("roles", [(), ("Group.Read.All",), ("Mail.Read", "Application.ReadWrite.All")])
@pytest.mark.parametrize("path", ["users", "users/$count", "users/nobody", "users/nobody/manager"])
def test_403_without_a_role_that_suffices(shared, roles, path):
    assert shared.get(f"/v1.0/{path}", shared.token(roles=roles)).error == DENIED


def test_403_for_an_app_without_consent():
    practice = Practice(roles=())
    assert practice.get("/v1.0/users").error == DENIED


def test_delegated_permissions_are_looked_for_in_scp_alone(shared):
    both = shared.emulator.state.signing_key.sign(
        shared.claims(shared.token(roles=READS_USERS)) | {"scp": "User.Read", "idtyp": "user"}
    )
    assert shared.get("/v1.0/users", both).error == DENIED
    assert shared.get("/v1.0/users?$top=1", shared.token(scopes=("User.Read", "User.Read.All"))).status == 200


def test_401_identity_not_found_when_the_service_principal_is_gone(practice):
    token = practice.token()
    practice.remove_service_principal()
    text = "The identity of the calling application could not be established."
    assert practice.get("/v1.0/users", token).error == (401, "Authorization_IdentityNotFound", text)
