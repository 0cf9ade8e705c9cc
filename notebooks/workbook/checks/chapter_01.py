"""Chapter 01: the name Entra ID finds a certificate by, and which file may leave the machine."""

import base64
import hashlib
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..keys import PASSPHRASE
from ..marking import call_of, of_type, plain
from ..verdicts import GRAPH_SCOPE, Ask, LearnersError, Verdict, exercise, not_yet, right

# A certificate whose SHA-256 has a + and a / in plain base64: there the two alphabets show. Nobody has its key.
SAMPLE = """-----BEGIN CERTIFICATE-----
MIIBIjCByKADAgECAhQif6K4tWuRPaOlMVsxxVPWlin3aTAKBggqhkjOPQQDAjAR
MQ8wDQYDVQQDDAZzYW1wbGUwHhcNMjYwMTAxMDAwMDAwWhcNMjcwMTAxMDAwMDAw
WjARMQ8wDQYDVQQDDAZzYW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQz
Qf8PrAv9JzEsQvuNRc9za1fIlapzKnZ+x6riq4Ce4RIw4V2LxaAgWi11O/qF7c6B
u1l54PvcRokC/27VV6CtMAoGCCqGSM49BAMCA0kAMEYCIQDraiRKM2XNrkLuuY42
4tBTplSSuwenyXKGi2aDB9dp3QIhANal6QQuCN+GQGRFwx8O3cxo0Le99ZI97QRc
D1X9RgQX
-----END CERTIFICATE-----
"""


# --- 01-x5t -------------------------------------------------------------------------------------------------------


@exercise("01-x5t")
def x5t(x5t_s256: Callable[[str], str], ask: Ask) -> Verdict:
    """x5t_s256(certificate_pem) gives base64url, unpadded, of SHA-256 over the DER bytes (RFC 7515, section 4.1.8)."""
    answer = x5t_s256(SAMPLE)
    if isinstance(answer, bytes):
        return not_yet("a header is text, and this is bytes: .decode() makes a str of it.")
    if wrong := of_type(answer, str, call_of(x5t_s256)):
        return wrong
    answer, digest = plain(answer), _der_digest(SAMPLE)
    if answer != _base64url(digest):
        if plain(x5t_s256(ask.bench.certificate)) == answer:
            return not_yet("two different certificates get the same answer: use certificate_pem, not another variable.")
        return not_yet(_what_is_wrong(answer, digest, x5t_s256, ask))
    if plain(x5t_s256(ask.bench.certificate)) != _base64url(_der_digest(ask.bench.certificate)):
        return not_yet("right for one certificate, wrong for another: use certificate_pem.")
    reply = _reply_of_entra(x5t_s256(ask.bench.certificate), ask)
    return right(f"asked with this name, Entra ID answers: {reply}.")


def _what_is_wrong(answer: str, digest: bytes, x5t_s256: Callable[[str], str], ask: Ask) -> str:
    bare = answer.rstrip("=")
    if bare == _base64url(digest):
        return "all but the = at the end, which base64url omits (RFC 7515). Entra ID takes both; here cut it off."
    if bare.replace("+", "-").replace("/", "_") == _base64url(digest):
        return "this is plain base64, with + and /. base64url writes - and _ there: base64.urlsafe_b64encode does."
    mistake = _known_mistake(bare, digest)
    reply = _reply_of_entra(x5t_s256(ask.bench.certificate), ask)
    return f"{mistake} Asked with this name, Entra ID answers: {reply}."


def _known_mistake(bare: str, digest: bytes) -> str:
    """What the answer was computed from, told by trying the usual mistakes on the sample."""
    certificate = x509.load_pem_x509_certificate(SAMPLE.encode())
    public_key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    texts = [form(SAMPLE).encode() for form in (str, str.strip)]
    hexadecimal = digest.hex()
    if bare.replace(":", "").lower() == hexadecimal:
        return "this is the hexadecimal spelling; the header wants the same 32 bytes as base64url."
    if bare in {_base64url(text.encode()) for text in (hexadecimal, hexadecimal.upper())}:
        return "this is base64url of the hexadecimal text: encode the 32 bytes, digest() and not hexdigest()."
    if bare == _base64url(certificate.fingerprint(hashes.SHA1())):  # noqa: S303 - the learner's mistake, not ours
        return "this is x5t, made with SHA-1; x5t#S256 is made with SHA-256."
    text_digests = [hashlib.sha256(text).digest() for text in texts]
    if bare.lower() in {text_digest.hex() for text_digest in text_digests}:
        return (
            "this is a hash over the PEM text, in hexadecimal: take the DER bytes, and encode the digest as base64url."
        )
    if bare in {_base64url(text_digest) for text_digest in text_digests}:
        return "this is a hash over the PEM text: take the DER bytes, which are in it as base64."
    if bare == _base64url(hashlib.sha256(public_key).digest()):
        return "this is a hash over the public key alone: take the whole certificate."
    return f"43 characters are wanted, of SHA-256 over the DER bytes; these are {len(bare)} others."


def _der_digest(certificate_pem: str) -> bytes:
    return x509.load_pem_x509_certificate(certificate_pem.encode()).fingerprint(hashes.SHA256())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _reply_of_entra(thumbprint: str, ask: Ask) -> str:
    """What Entra ID answers to an assertion that is good in all but, perhaps, the name of its certificate."""
    bench, now = ask.bench, int(time.time())
    claims: dict[str, Any] = {
        "aud": f"{bench.authority}/oauth2/v2.0/token",
        "iss": bench.client_id,
        "sub": bench.client_id,
    }
    claims |= {"jti": str(uuid.uuid4()), "nbf": now, "exp": now + 600}
    assertion = jwt.encode(claims, str(bench.private_key), "PS256", headers={"x5t#S256": thumbprint})
    result = ask.token([GRAPH_SCOPE], client_credential={"client_assertion": lambda: assertion})
    if "error" not in result:
        return "a token"
    reason = re.search(r"(AADSTS\d+).*Reason - (.+?)\.,", result["error_description"])
    return ", ".join(reason.groups()) if reason else ask.sentence(result).rstrip(".")


# --- 01-upload ----------------------------------------------------------------------------------------------------


@exercise("01-upload")
def upload(may_upload: Callable[[bytes], bool], ask: Ask) -> Verdict:
    """may_upload(data) is True for the bytes of a certificate, PEM or DER, with no private key beside it."""
    files = _files(ask)
    for name, why in (
        ("server.crt", "server.crt is the certificate in PEM: that one may be uploaded."),
        ("server.cer", "server.cer is the same certificate in DER, bytes without any BEGIN line: it may be uploaded."),
    ):
        answer = _ask_about(may_upload, files, name)
        if wrong := of_type(answer, bool, f"may_upload(the bytes of {name})"):
            return wrong
        if not plain(answer):
            return not_yet(why)
    for name, why in _REFUSED.items():
        if plain(_ask_about(may_upload, files, name)):
            return not_yet(f"{why}{_loss(ask) if name in _KEYS else ''}")
    return right("and when in doubt, look at the first line, not at the file's name.")


_KEYS = ("server.pem", "a key and a certificate in one PEM", "an old RSA key", "a key in DER", "an old RSA key in DER")
_REFUSED = {
    "server.pem": "server.pem is the private key, and you would upload it.",
    "a key and a certificate in one PEM": "the private key is behind the certificate, and you would upload both.",
    "an old RSA key": "-----BEGIN RSA PRIVATE KEY----- is a private key as well, in its older form.",
    "an encrypted key": "-----BEGIN ENCRYPTED PRIVATE KEY----- is a private key as well, and passphrases get guessed.",
    "server.pfx": "a PFX holds the private key as well; it has no BEGIN line that would say so.",
    "server.csr": "BEGIN CERTIFICATE REQUEST is a request, not a certificate: Entra ID has no use for it.",
    "a public key": "a bare public key gives nothing away, but it is no certificate: it lacks the name and the dates.",
    "a photograph": "a file that is no certificate at all would be uploaded: let a parser decide.",
    "a key in DER": "a private key in DER has no BEGIN line, and you would upload it: what does begin like that?",
    "an old RSA key in DER": "an RSA private key in DER has no BEGIN line either: only a parser tells it apart.",
    "rubbish between CERTIFICATE lines": "between its BEGIN and END lines is no certificate: let a parser read it.",
}


def _ask_about(may_upload: Callable[[bytes], bool], files: dict[str, bytes], name: str) -> bool:
    try:
        return may_upload(files[name])
    except LearnersError as error:
        if isinstance(error.__cause__, ValueError):
            raise LearnersError(f"for {name} the answer is a plain True or False, but {error}") from error.__cause__
        if error.__cause__ is None and name in _REFUSED:
            raise LearnersError(
                f"for {name} it gives back None, where False is meant: end with return False."
            ) from None
        raise


def _files(ask: Ask) -> dict[str, bytes]:
    """The bench's own pair in every envelope a learner may meet."""
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    key = serialization.load_pem_private_key(ask.bench.private_key.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey) or ask.bench.pfx_path is None:
        raise TypeError("the practice pair is RSA, and there is a PFX of it")
    certificate = x509.load_pem_x509_certificate(ask.bench.certificate.encode())
    modern, open_text = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    lock = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    request = x509.CertificateSigningRequestBuilder().subject_name(certificate.subject).sign(key, hashes.SHA256())
    return {
        "server.crt": certificate.public_bytes(pem),
        "server.cer": certificate.public_bytes(der),
        "server.pem": key.private_bytes(pem, modern, open_text),
        "a key and a certificate in one PEM": certificate.public_bytes(pem) + key.private_bytes(pem, modern, open_text),
        "an old RSA key": key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, open_text),
        "an encrypted key": key.private_bytes(pem, modern, lock),
        "server.pfx": ask.bench.pfx_path.read_bytes(),
        "server.csr": request.public_bytes(pem),
        "a public key": key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
        "a key in DER": key.private_bytes(der, modern, open_text),
        "an old RSA key in DER": key.private_bytes(der, serialization.PrivateFormat.TraditionalOpenSSL, open_text),
        "rubbish between CERTIFICATE lines": b"-----BEGIN CERTIFICATE-----\nMDEw\n-----END CERTIFICATE-----\n",
        "a photograph": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    }


def _loss(ask: Ask) -> str:
    """What a stranger gets who holds the key: tried, not only said. The certificate is public anyway."""
    stranger = {"private_key": ask.bench.private_key, "public_certificate": ask.bench.certificate}
    got = "access_token" in ask.token([GRAPH_SCOPE], client_credential=stranger)
    return " Whoever holds it gets tokens as your app: tried just now, and Entra ID gave one." if got else ""
