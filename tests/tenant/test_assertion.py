"""Every rule of the client assertion: what Entra takes, what it refuses, and with which AADSTS number.

Tolerances and texts: entra docs certificate-credentials.md and what MSAL, azure-identity and MSAL.NET really send.
"""

import base64
import json
import time
import uuid

import forge
import pytest
from practice_tenant.directory.certificates import RegisteredKey
from practice_tenant.entra.aadsts import EntraError
from practice_tenant.entra.assertion import check_assertion

CLIENT_ID = "4e8f1a6b-93d7-4c25-b0fa-6d1e72c4a895"
TOKEN_URL = "https://127.0.0.1:8443/7d2c9e5a-1b64-4f0e-9a37-c3d58e41f260/oauth2/v2.0/token"
GOOD = forge.certificate()
OTHER = forge.certificate(forge.private_key("other"))
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


def header(**changes) -> dict:
    """The header MSAL writes for a PFX, with changes; None takes a member out."""
    return without_none({"alg": "PS256", "typ": "JWT", "x5t#S256": forge.x5t_s256(GOOD)} | changes)


def claims(**changes) -> dict:
    now = time.time()
    mine = {
        "aud": TOKEN_URL,
        "iss": CLIENT_ID,
        "sub": CLIENT_ID,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 600,
    }
    return without_none(mine | changes)


def without_none(members: dict) -> dict:
    return {name: value for name, value in members.items() if value is not None}


def check(assertion: str, *certificates):
    keys = [forge.registered(one) for one in certificates or (GOOD,)]
    audiences = {TOKEN_URL, TOKEN_URL.replace("/oauth2/v2.0/token", "/v2.0")}
    return check_assertion(assertion, client_id=CLIENT_ID, keys=keys, audiences=audiences, now=time.time())


TAKEN = {
    "kid as hex thumbprint": lambda: forge.sign(
        header(**{"x5t#S256": None, "kid": forge.thumbprints(GOOD)[0].hex()}), claims()
    ),
    "kid beside a thumbprint, unknown": lambda: forge.sign(header(kid="whatever"), claims()),
    "both thumbprints": lambda: forge.sign(header(x5t=forge.x5t(GOOD)), claims()),
    "padded thumbprint (MSAL Python)": lambda: forge.sign(header(**{"x5t#S256": forge.x5t_s256(GOOD) + "="}), claims()),
    "padded segments (azure-identity)": lambda: forge.sign(header(), claims(), pad=True),
    "dates as floats (MSAL Python)": lambda: forge.sign(header(), claims(exp=time.time() + 600.25, iat=time.time())),
    "dates as strings (MSAL.NET)": lambda: forge.sign(
        header(), claims(exp=str(int(time.time()) + 600), nbf=str(int(time.time())))
    ),
    "no iat (azure-identity)": lambda: forge.sign(header(), claims(iat=None)),
    "nbf in the past": lambda: forge.sign(header(), claims(nbf=int(time.time()) - 5)),
    "half an hour (azure-identity)": lambda: forge.sign(header(), claims(exp=int(time.time()) + 1800)),
    "x5c as a string with line breaks": lambda: forge.sign(
        header(x5c=forge.x5c(GOOD)[:64] + "\n" + forge.x5c(GOOD)[64:]), claims()
    ),
    "x5c as a list": lambda: forge.sign(header(x5c=[forge.x5c(GOOD)]), claims()),
    "no typ": lambda: forge.sign(header(typ=None), claims()),
    "the issuer as audience (older pages)": lambda: forge.sign(
        header(), claims(aud=TOKEN_URL.replace("/oauth2/v2.0/token", "/v2.0"))
    ),
    "client id in upper case": lambda: forge.sign(header(), claims(iss=CLIENT_ID.upper(), sub=CLIENT_ID.upper())),
    "claims nobody knows": lambda: forge.sign(header(), claims(team="payroll")),
}


@pytest.mark.parametrize("name", TAKEN)
def test_takes(name):
    assert check(TAKEN[name]()).certificate == GOOD


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize("member", ["x5t", "x5t#S256", "kid"])
def test_takes_every_algorithm_with_every_way_to_name_the_key(alg, member):
    value = forge.x5t_s256(GOOD) if member == "x5t#S256" else forge.x5t(GOOD)
    names = {"x5t#S256": None} | {member: value}
    assert check(forge.sign(header(alg=alg, **names), claims())).certificate == GOOD


def test_finds_the_key_among_several_and_by_its_key_id():
    keys = [forge.registered(OTHER), forge.registered(GOOD)]
    assertion = forge.sign(header(**{"x5t#S256": None, "kid": keys[1].key_id}), claims())
    found = check_assertion(assertion, client_id=CLIENT_ID, keys=keys, audiences={TOKEN_URL}, now=time.time())
    assert found == keys[1]


def test_of_a_certificate_registered_twice_the_credential_counts_that_is_valid_now():
    now = time.time()
    keys = [RegisteredKey(GOOD, str(uuid.uuid4()), *dates) for dates in ((now - 60, now + 60), (now + 60, now + 9_000))]
    for order in (keys, keys[::-1]):
        assertion = forge.sign(header(), claims())
        found = check_assertion(assertion, client_id=CLIENT_ID, keys=order, audiences={TOKEN_URL}, now=now)
        assert found == keys[0]


def test_takes_the_same_assertion_again():
    """MSAL Python sends one assertion for up to nine minutes, so its jti comes again and again."""
    assertion = forge.sign(header(), claims())
    assert check(assertion) and check(assertion)


def tampered(assertion: str, segment: int, **changes) -> str:
    parts = assertion.split(".")
    parts[segment] = forge.segment(claims() | changes if segment else header() | changes)
    return ".".join(parts)


def flipped_last_bit(assertion: str) -> str:
    """The same signature written differently: only bits after its last byte change."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return assertion[:-1] + alphabet[alphabet.index(assertion[-1]) ^ 1]


def twice(members: dict, name: str) -> str:
    """JSON in which one member stands twice."""
    text = json.dumps(members)
    return text[:-1] + f', "{name}": {json.dumps(members[name])}}}'


EC_CERTIFICATE = forge.certificate(forge.elliptic_key())
SHORT_KEY = forge.private_key("short", 1024)
SHORT = forge.certificate(SHORT_KEY)
EXPIRED = forge.certificate(starts_in_days=-30, ends_in_days=-1)
NOT_YET = forge.certificate(starts_in_days=1)
REWRAPPED = forge.certificate()  # another certificate around the key of GOOD


def by(certificate) -> dict:
    return header(**{"x5t#S256": forge.x5t_s256(certificate)})


SHAPES = {
    "empty": lambda: ".",
    "one segment": lambda: "eyJhbGciOiJub25lIn0",
    "two segments": lambda: forge.sign(header(), claims()).rpartition(".")[0],
    "five segments": lambda: forge.sign(header(), claims()) + ".a.b",
    "empty signature": lambda: forge.sign(header(), claims()).rpartition(".")[0] + ".",
    "white space": lambda: forge.sign(header(), claims()) + "\n",
    "standard base64 alphabet": lambda: forge.sign(header(), claims())[:-3] + "+/+",
    "too much padding": lambda: forge.sign(header(), claims()) + "===",
    "bits after the last byte": lambda: flipped_last_bit(forge.sign(header(), claims())),
    "header is no JSON": lambda: forge.sign("PS256", claims(), alg="PS256"),
    "header is a list": lambda: forge.sign("[]", claims(), alg="PS256"),
    "claims are a list": lambda: forge.sign(header(), "[]"),
    "claims nested deep": lambda: forge.sign(header(), '{"a":' * 5000 + "1" + "}" * 5000),
    "a member twice in the header": lambda: forge.sign(twice(header(), "alg"), claims(), alg="PS256"),
    "a claim twice": lambda: forge.sign(header(), twice(claims(), "aud")),
    "NaN as exp": lambda: forge.sign(header(), json.dumps(claims()).replace('"exp": ', '"exp": NaN, "was": ')),
    "infinite exp": lambda: forge.sign(header(), json.dumps(claims()).replace('"exp": ', '"exp": 1e999, "was": ')),
    "exp is true": lambda: forge.sign(header(), claims(exp=True)),
    "exp is a list": lambda: forge.sign(header(), claims(exp=[time.time() + 600])),
    "exp is a word": lambda: forge.sign(header(), claims(exp="tomorrow")),
    "exp in Arabic digits": lambda: forge.sign(header(), claims(exp="٩٩٩٩٩٩٩٩٩٩")),
    "negative exp": lambda: forge.sign(header(), claims(exp=-1)),
    "nbf is an object": lambda: forge.sign(header(), claims(nbf={})),
    "aud is a list": lambda: forge.sign(header(), claims(aud=[TOKEN_URL])),
    "iss is a list": lambda: forge.sign(header(), claims(iss=[CLIENT_ID])),
    "sub is an object": lambda: forge.sign(header(), claims(sub={"id": CLIENT_ID})),
    "jti is a number": lambda: forge.sign(header(), claims(jti=7)),
    "no alg": lambda: forge.sign(header(alg=None), claims(), alg="PS256"),
    "alg is a list": lambda: forge.sign(header(alg=["PS256"]), claims(), alg="PS256"),
    "crit": lambda: forge.sign(header(crit=["exp"]), claims()),
    "typ of something else": lambda: forge.sign(header(typ="at+jwt"), claims()),
    "x5t is a number": lambda: forge.sign(header(x5t=7), claims()),
    "x5t with colons": lambda: forge.sign(header(x5t="AB:CD:EF"), claims()),
    "kid is empty": lambda: forge.sign(header(kid=""), claims()),
}

REFUSED = {
    "no way to name a key": (5002723, lambda: forge.sign(header(**{"x5t#S256": None}), claims())),
    "only an x5c of its own": (
        5002723,
        lambda: forge.sign(
            header(**{"x5t#S256": None, "x5c": [forge.x5c(OTHER)]}), claims(), forge.private_key("other")
        ),
    ),
    "only a jwk of its own": (
        5002723,
        lambda: forge.sign(header(**{"x5t#S256": None, "jwk": {"kty": "RSA"}}), claims()),
    ),
    "alg none": (5002738, lambda: forge.sign(header(alg="none"), claims()) + "AA"),
    "alg HS256 with the certificate as key": (
        5002738,
        lambda: forge.sign(header(alg="HS256"), claims(), forge.x5c(GOOD).encode()),
    ),
    "alg in lower case": (5002738, lambda: forge.sign(header(alg="ps256"), claims(), alg="PS256")),
    "alg unknown": (5002738, lambda: forge.sign(header(alg="RS1"), claims(), alg="RS256")),
    "alg ES256": (700027, lambda: forge.sign(header(alg="ES256"), claims(), forge.elliptic_key())),
    **{
        f"no {name}": (90014, lambda name=name: forge.sign(header(), claims(**{name: None})))
        for name in ("aud", "iss", "sub", "exp")
    },
    "empty aud": (90014, lambda: forge.sign(header(), claims(aud=""))),
    "iss of another app": (700021, lambda: forge.sign(header(), claims(iss=str(uuid.uuid4())))),
    "sub of another app": (50048, lambda: forge.sign(header(), claims(sub=str(uuid.uuid4())))),
    "aud of another tenant": (700023, lambda: forge.sign(header(), claims(aud=TOKEN_URL.replace("7d2c", "0000")))),
    "aud of another host": (
        700023,
        lambda: forge.sign(header(), claims(aud=TOKEN_URL.replace("127.0.0.1", "localhost"))),
    ),
    "aud in upper case": (700023, lambda: forge.sign(header(), claims(aud=TOKEN_URL.upper()))),
    "aud with a slash more": (700023, lambda: forge.sign(header(), claims(aud=TOKEN_URL + "/"))),
    "expired": (700024, lambda: forge.sign(header(), claims(exp=int(time.time()) - 301))),
    "not yet valid": (700024, lambda: forge.sign(header(), claims(nbf=int(time.time()) + 360))),
    "key not registered": (700027, lambda: forge.sign(by(OTHER), claims(), forge.private_key("other"))),
    "another certificate round the same key": (700027, lambda: forge.sign(by(REWRAPPED), claims())),
    "SHA-256 in x5t": (700027, lambda: forge.sign(header(**{"x5t#S256": None, "x5t": forge.x5t_s256(GOOD)}), claims())),
    "two thumbprints that disagree": (700027, lambda: forge.sign(header(x5t=forge.x5t(OTHER)), claims())),
    "registered x5t, x5c of another": (
        700027,
        lambda: forge.sign(header(x5c=[forge.x5c(OTHER)]), claims(), forge.private_key("other")),
    ),
    "signed with another key": (700027, lambda: forge.sign(header(), claims(), forge.private_key("other"))),
    "signed with another algorithm": (700027, lambda: forge.sign(header(alg="PS256"), claims(), alg="RS256")),
    "claims changed after signing": (700027, lambda: tampered(forge.sign(header(), claims()), 1, team="payroll")),
    "header changed after signing": (700027, lambda: tampered(forge.sign(header(), claims()), 0, team="payroll")),
}


@pytest.mark.parametrize("name", SHAPES)
def test_refuses_a_wrong_shape(name):
    with pytest.raises(EntraError) as refusal:
        check(SHAPES[name]())
    assert (refusal.value.entry.number, refusal.value.status, refusal.value.error) == (
        50027,
        400,
        "invalid_request",
    )


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name):
    number, forged = REFUSED[name]
    with pytest.raises(EntraError) as refusal:
        check(forged())
    assert refusal.value.entry.number == number
    assert refusal.value.status == (400 if number == 90014 else 401)


@pytest.mark.parametrize(
    ("certificate", "key", "reason"),
    [
        (EXPIRED, None, "[Reason - The key used is expired."),
        (NOT_YET, None, "[Reason - The key used is expired."),
        (SHORT, SHORT_KEY, "RSA key size 1024 is less than the minimum required 2048 bits"),
        (EC_CERTIFICATE, None, "Unsupported asymmetric signing algorithm"),
    ],
)
def test_refuses_a_registered_key_that_is_no_good(certificate, key, reason):
    with pytest.raises(EntraError) as refusal:
        check(forge.sign(by(certificate), claims(), key), certificate)
    assert refusal.value.entry.number == 700027
    assert reason in refusal.value.text


def test_700027_prints_what_a_person_compares():
    """The thumbprint as the portal shows it, and the credential's dates."""
    with pytest.raises(EntraError) as refusal:
        check(forge.sign(header(), claims(), forge.private_key("other")))
    assert f"Thumbprint of key used by client: '{forge.thumbprints(GOOD)[0].hex().upper()}'" in refusal.value.text
    assert f"Start={GOOD.not_valid_before_utc:%m/%d/%Y %H:%M:%S}" in refusal.value.text
    assert "use of the key to verify the signature failed" in refusal.value.text


def test_700027_prints_the_whole_sha256_when_that_is_the_name():
    with pytest.raises(EntraError) as refusal:
        check(forge.sign(by(OTHER), claims(), forge.private_key("other")))
    assert f"'{forge.thumbprints(OTHER)[1].hex().upper()}'" in refusal.value.text


@pytest.mark.parametrize("name", ["x5t", "x5t#S256"])
def test_takes_a_thumbprint_in_standard_base64(name):
    """MSAL for Go and for Java write it so; this one has both characters that base64url writes differently."""
    for number in range(500):
        certificate = forge.certificate(starts_in_days=-1 - number)
        digest = forge.thumbprints(certificate)[name == "x5t#S256"]
        standard = base64.b64encode(digest).decode()
        if "+" in standard and "/" in standard:
            break
    names = {"x5t#S256": None, "x5t": None} | {name: standard}
    assert check(forge.sign(header(**names), claims()), certificate).certificate == certificate


def test_700024_prints_1970_when_there_is_no_nbf():
    with pytest.raises(EntraError) as refusal:
        check(forge.sign(header(), claims(exp=1_700_000_000)))
    assert "assertion valid from 1970-01-01T00:00:00.0000000Z" in refusal.value.text
    assert "expiry time of assertion 2023-11-14T22:13:20.0000000Z" in refusal.value.text
