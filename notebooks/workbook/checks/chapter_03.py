"""Chapter 03: thumbprints, and the credential and the authority that an app object is built from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ..keys import self_signed
from ..marking import call_of, chosen, of_type, plain
from ..verdicts import GRAPH_SCOPE, Ask, LearnersError, Verdict, exercise, not_yet, right

SCOPE = [GRAPH_SCOPE]
LOCAL_ERRORS = (ValueError, TypeError, jwt.InvalidKeyError)  # what MSAL lets out when a credential is malformed


# A certificate that is nobody's, with the line ends of Windows as in many a file from a mail. Nobody has its key.
SAMPLE = """-----BEGIN CERTIFICATE-----
MIIBIjCByKADAgECAhQif6K4tWuRPaOlMVsxxVPWlin3aTAKBggqhkjOPQQDAjAR
MQ8wDQYDVQQDDAZzYW1wbGUwHhcNMjYwMTAxMDAwMDAwWhcNMjcwMTAxMDAwMDAw
WjARMQ8wDQYDVQQDDAZzYW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQz
Qf8PrAv9JzEsQvuNRc9za1fIlapzKnZ+x6riq4Ce4RIw4V2LxaAgWi11O/qF7c6B
u1l54PvcRokC/27VV6CtMAoGCCqGSM49BAMCA0kAMEYCIQDraiRKM2XNrkLuuY42
4tBTplSSuwenyXKGi2aDB9dp3QIhANal6QQuCN+GQGRFwx8O3cxo0Le99ZI97QRc
D1X9RgQX
-----END CERTIFICATE-----
""".replace("\n", "\r\n")

# --- 03-thumbprint ----------------------------------------------------------------------------------------------------


@exercise(
    "03-thumbprint",
    given="""
def portal_thumbprint(certificate_pem):
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    data = certificate.public_bytes(serialization.Encoding.PEM)
    return hashlib.sha1(data, usedforsecurity=False).hexdigest().upper()
""",
)
def thumbprint(portal_thumbprint: Callable[[str], str], ask: Ask) -> Verdict:
    """portal_thumbprint(certificate_pem) gives SHA-1 over the DER bytes in 40 capital digits."""
    known = ask.bench.certificate
    for pem in (known, SAMPLE):
        answer = portal_thumbprint(pem)
        if wrong := of_type(answer, str, "portal_thumbprint(certificate_pem)"):
            return wrong
        answer, expected = plain(answer), _sha1(pem)
        if answer == expected:
            continue
        if pem == SAMPLE and answer == _sha1(known):
            return not_yet("two different certificates get the same answer: use certificate_pem.")
        if pem == SAMPLE:
            return not_yet("right for one certificate, wrong for another, whose lines end as on Windows.")
        if answer.replace(":", "").upper() == expected:
            return not_yet("the digits are the right ones, but the portal writes them in capitals and without colons.")
        return not_yet(f"{_hashed(answer, pem)} Asked for by this name, Entra ID answers: {_reply_to(answer, ask)}.")
    return right("SHA-1 is only a name here, so that it is weak as a signature does no harm.")


def _sha1(pem: str) -> str:
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303


def _hashed(answer: str, pem: str) -> str:
    """What the digits were computed from, told by making the usual mistakes."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    public_key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    letters = "".join(line for line in pem.split() if len(line) > 20)
    mistakes = {
        "this is a hash over the PEM text: take the bytes of the other encoding, DER.": pem.encode(),
        "this is a hash over the letters of base64: decode them first.": letters.encode(),
        "this is a hash over the public key alone: take the whole certificate.": public_key,
        "this is a hash over what is signed in the certificate: take the signature as well.": (
            certificate.tbs_certificate_bytes
        ),
    }
    for words, data in mistakes.items():
        if answer.lower() in {hashlib.sha1(form, usedforsecurity=False).hexdigest() for form in (data, data.strip())}:
            return words
    if answer.lower() == certificate.fingerprint(hashes.SHA256()).hex():
        return "these are 64 digits of SHA-256: the portal's 40 are of SHA-1."
    return f"40 digits of SHA-1 over the DER bytes are wanted, and these {len(answer)} characters are something else."


def _reply_to(name: str, ask: Ask) -> str:
    """What Entra ID, or MSAL before it, says to a good signature under this name of a certificate."""
    try:
        result = ask.token(SCOPE, client_credential={"private_key": ask.bench.private_key, "thumbprint": name})
    except ValueError:
        return "nothing, because MSAL takes no such thumbprint"
    reason = re.search(r"(AADSTS\d+).*Reason - (.+?)\.,", result.get("error_description", ""))
    return ", ".join(reason.groups()) if reason else ask.sentence(result).rstrip(".")


# --- 03-form ----------------------------------------------------------------------------------------------------------


@exercise("03-form")
def form(choice: int, ask: Ask) -> Verdict:
    """The number of the credential that signs with PS256 and needs no thumbprint."""
    key, certificate = ask.bench.private_key, ask.bench.certificate
    sha1 = {"private_key": key, "thumbprint": _sha1(certificate)}
    credentials = {1: sha1, 3: sha1 | {"public_certificate": certificate}}
    reasons = {number: f"with {number} {_seen(credential, ask)}" for number, credential in credentials.items()}
    return chosen(
        choice,
        2,
        reasons={
            1: f"{reasons[1]}. It is the old form, and you would have to compute the thumbprint.",
            3: f"{reasons[3]}, because MSAL goes by the thumbprint even when it has the certificate.",
            4: f"with 4 MSAL raises {_raised({'private_key_pfx_path': key}, ask)}: it wants a path there, and this is "
            "the key itself.",
        },
        otherwise="the credentials have the numbers 1 to 4, and a number is written without quotation marks.",
    ) or right(f"with 2 {_seen({'private_key': key, 'public_certificate': certificate}, ask)}.")


def _seen(credential: dict[str, Any], ask: Ask) -> str:
    ask.token(SCOPE, client_credential=credential)
    header = (ask.bench.wire.assertion() or {})["header"]
    name = next(field for field in header if field.startswith("x5t"))
    return f"Entra ID sees {header['alg']} and {name}"


def _raised(credential: dict[str, Any], ask: Ask) -> str:
    try:
        ask.token(SCOPE, client_credential=credential)
    except (*LOCAL_ERRORS, OSError) as error:
        return type(error).__name__
    return "nothing"


# --- 03-credential ----------------------------------------------------------------------------------------------------


@exercise(
    "03-credential",
    given="""
def build_credential(key_pem, certificate_pem):
    return ...
""",
)
def credential(build_credential: Callable[[str, str], dict[str, str]], ask: Ask) -> Verdict:
    """build_credential(key_pem, certificate_pem) gives the client_credential that signs with PS256 and x5t#S256."""
    key_pem, certificate_pem = ask.bench.private_key, ask.bench.certificate
    answer = build_credential(key_pem, certificate_pem)
    return (
        _wrong_shape(answer)
        or _refused(answer, ask)
        or _wrong_header(answer, ask)
        or _ignores_its_arguments(build_credential, ask)
        or right("signed with PS256, the certificate named by x5t#S256, and Entra ID has given a token for it.")
    )


def _wrong_shape(answer: Any) -> Verdict | None:
    """What can be told without MSAL. A text is never sent: MSAL would take it for a client secret."""
    if isinstance(answer, str | bytes):
        return not_yet("a str is a client secret to MSAL: it would send this text to Entra ID as it is. Give a dict.")
    if not isinstance(answer, dict):
        return of_type(answer, dict, "build_credential(key_pem, certificate_pem)")
    key, certificate = (answer.get(name) for name in ("private_key", "public_certificate"))
    if "BEGIN CERTIFICATE" in str(key) and "PRIVATE KEY" in str(certificate):
        return not_yet("key and certificate are swapped: public_certificate holds the private key.")
    for name, value in (("private_key", key), ("public_certificate", certificate)):
        if value is not None and "-----BEGIN" not in str(value):
            return not_yet(f"{name} holds no PEM text: MSAL opens no PEM files, so give the text and not a path.")
    if isinstance(certificate, bytes):
        return not_yet("public_certificate is bytes, which MSAL passes over: it wants a str.")
    return None


def _refused(answer: dict[str, Any], ask: Ask) -> Verdict | None:
    try:
        result = ask.token(SCOPE, client_credential=answer)
    except LOCAL_ERRORS as error:
        names = ", ".join(str(name) for name in answer) or "nothing"
        return not_yet(f"MSAL raises {type(error).__name__} for a dict with {names}: look again at the five forms.")
    if "error" in result:
        return not_yet(f"MSAL takes it, and Entra ID answers {_without_thumbprint(ask.sentence(result))}")
    return None


def _without_thumbprint(sentence: str) -> str:
    """700027 without what follows its reason: the thumbprint, and where to look."""
    return sentence.partition(", Thumbprint")[0]


def _wrong_header(answer: dict[str, Any], ask: Ask) -> Verdict | None:
    header = (ask.bench.wire.assertion() or {})["header"]
    if header["alg"] == "PS256" and "x5t#S256" in header:
        return None
    seen = f"Entra ID gives a token, but the header says {header['alg']} and x5t"
    if "public_certificate" in answer:
        return not_yet(f"{seen}: there is a thumbprint beside the certificate, and MSAL goes by the thumbprint.")
    return not_yet(f"{seen}, the deprecated form: give the certificate instead of its thumbprint.")


def _ignores_its_arguments(build_credential: Callable[[str, str], dict[str, str]], ask: Ask) -> Verdict | None:
    """With one half of another pair Entra ID must refuse; a token means that the half was not used."""
    other_key, other_certificate = _other_pair()
    halves = {
        "key_pem": (other_key, ask.bench.certificate),
        "certificate_pem": (ask.bench.private_key, other_certificate),
    }
    for name, pair in halves.items():
        try:
            result = ask.token(SCOPE, client_credential=build_credential(*pair))
        except LearnersError:
            continue  # an answer that compares the two halves itself, and refuses them
        if "access_token" in result:
            return not_yet(f"given another {name}, it builds the same credential as before: use {name}.")
    return None


@cache
def _other_pair() -> tuple[str, str]:
    """A key and a self-signed certificate, as PEM, that the tenant does not know."""
    key, certificate = self_signed("another-daemon", days=30)
    pem, form, open_text = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(pem, form, open_text).decode(), certificate.public_bytes(pem).decode()


# --- 03-authority -----------------------------------------------------------------------------------------------------

HOST, TENANT = "login.microsoftonline.com", "contoso.com"
LIKE_ITS_SCHEME = "login.microsoftonline.us"  # begins and ends in letters of "https://", which strip("https://") takes
SLOPPY = [  # host and tenant as people type them, with {host} and {tenant} for the clean ones
    ("{host}", "{tenant}"),
    ("https://{host}", "{tenant}"),
    ("{host}/", "{tenant}"),
    ("https://{host}//", "{tenant}"),
    ("{host}", "{tenant}/"),
    ("{host}", "/{tenant}"),
    ("{host}", "{tenant}/v2.0"),
    ("{host}", "{tenant}/v2.0/"),
    ("{host}", "{tenant}/oauth2/v2.0/token"),
    ("https://{host}/", "/{tenant}/oauth2/v2.0/token/"),
]
TENANTLESS = ("common", "organizations", "consumers", "Common", "/common/", "organizations/v2.0")


@exercise("03-authority")
def authority(build_authority: Callable[[str, str], str], ask: Ask) -> Verdict:
    """build_authority(host, tenant) gives https://host/tenant out of sloppy input; ValueError where it is no tenant."""
    practice = urlsplit(ask.bench.authority)
    for host, tenant in SLOPPY:
        given = host.format(host=HOST), tenant.format(tenant=TENANT)
        answer = plain(build_authority(*given))
        if wrong := of_type(answer, str, call_of(build_authority)):
            return wrong
        likewise = plain(
            build_authority(host.format(host=practice.netloc), tenant.format(tenant=practice.path.strip("/")))
        )
        if answer != f"https://{HOST}/{TENANT}":
            return not_yet(f"for {given[0]!r} and {given[1]!r} it gives {answer!r}. {_msal_on(likewise, ask)}")
        if likewise != ask.bench.authority:
            return not_yet(f"right for {HOST} and {TENANT}, but another host with a port, or a GUID, comes out wrong.")
    answer = plain(build_authority(f"https://{LIKE_ITS_SCHEME}/", TENANT))
    if answer != f"https://{LIKE_ITS_SCHEME}/{TENANT}":
        return not_yet(
            f"for 'https://{LIKE_ITS_SCHEME}/' it gives {answer!r}: "
            "strip() takes single letters, removeprefix() a whole text."
        )
    for name in TENANTLESS:
        if complaint := _complaint(build_authority, name, ask):
            return not_yet(complaint)
    result = ask.token(SCOPE, authority=likewise)
    if "error" in result:
        return not_yet(f"Entra ID answers {ask.sentence(result)}")
    return right("MSAL has fetched a token from an authority that it made.")


def _msal_on(answer: Any, ask: Ask) -> str:
    """What MSAL does with the like of a wrong answer at the practice tenant; nothing else is ever asked."""
    if urlsplit(str(answer)).netloc != urlsplit(ask.bench.authority).netloc:
        return "An authority is https://, the host, a slash, the tenant."
    try:
        result = ask.token(SCOPE, authority=answer)
    except ValueError:
        last = ask.bench.wire.last
        if last is None:
            return "MSAL's constructor refuses such an authority with ValueError, before it sends anything."
        return f"MSAL's constructor finds no discovery document there (HTTP {last.status}) and raises ValueError."
    if "error" in result:
        return f"Entra ID answers {ask.sentence(result)}"
    return "MSAL copes with it, but the clean form is https://host/tenant."


def _complaint(build_authority: Callable[[str, str], str], name: str, ask: Ask) -> str | None:
    """What is wrong with how it takes a name that is no organisation's tenant (entra docs: v2-protocols-oidc.md)."""
    try:
        answer = build_authority(HOST, name)
    except LearnersError as error:
        if isinstance(error.__cause__, ValueError):
            return None
        if error.__cause__ is None:
            return f"for {name!r} it gives back None: raise ValueError, so that the daemon stops there."
        return f"for {name!r} it raises {type(error.__cause__).__name__}: ValueError is wanted."
    if name == "common":
        refusal = ask.token(SCOPE, authority=f"https://{urlsplit(ask.bench.authority).netloc}/common")
        return f"it takes 'common', where Entra ID answers {ask.sentence(refusal)}"
    return f"for {name!r} it gives {answer!r}, which names no organisation's tenant: raise ValueError."
