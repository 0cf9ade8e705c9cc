"""Client assertions made by hand: good ones, and every kind of bad one.

MSAL cannot be asked to sign nonsense, so the tests sign for themselves. Keys are made once for each run.
"""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from practice_tenant.directory.certificates import RegisteredKey, thumbprints
from practice_tenant.formats import encode_base64url

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


@cache
def private_key(name: str = "daemon", bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key for each name, the same one every time it is asked for."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def elliptic_key(name: str = "daemon") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


DAEMON = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "daemon")])


def certificate(
    key: Any = None, *, starts_in_days: float = -1, ends_in_days: float = 365, subject: x509.Name = DAEMON
) -> x509.Certificate:
    """A self-signed certificate around a key; days count from now."""
    key, now = key or private_key(), datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=starts_in_days))
        .not_valid_after(now + timedelta(days=ends_in_days))
        .sign(key, hashes.SHA256())
    )


def registered(cert: x509.Certificate) -> RegisteredKey:
    """A certificate as the tenant would hold it after an upload."""
    start, end = cert.not_valid_before_utc.timestamp(), cert.not_valid_after_utc.timestamp()
    return RegisteredKey(cert, str(uuid.uuid4()), start, end)


def x5t(cert: x509.Certificate) -> str:
    return encode_base64url(thumbprints(cert)[0])


def x5t_s256(cert: x509.Certificate) -> str:
    return encode_base64url(thumbprints(cert)[1])


def x5c(cert: x509.Certificate) -> str:
    return base64.b64encode(cert.public_bytes(Encoding.DER)).decode()


def sign(
    header: dict[str, Any] | str,
    claims: dict[str, Any] | str,
    key: Any = None,
    *,
    alg=None,
    pad: bool = False,
) -> str:
    """A compact JWS. Header and claims are dictionaries, or JSON text when the text itself is what is wrong.

    Args:
        alg: the algorithm really used; by default the one the header names.
        pad: leave the ``=`` in every segment, also in what is signed, as azure-identity's async client does.
    """
    alg = alg or (header["alg"] if isinstance(header, dict) else "RS256")
    finish = (lambda text: text + "=" * (-len(text) % 4)) if pad else str
    signed = ".".join(finish(segment(part)) for part in (header, claims))
    return f"{signed}.{finish(encode_base64url(signature(signed.encode(), key or private_key(), alg)))}"


def segment(part: dict[str, Any] | str) -> str:
    return encode_base64url((part if isinstance(part, str) else json.dumps(part)).encode())


def signature(signed: bytes, key: Any, alg: str) -> bytes:
    if alg.lower() == "none":
        return b""
    digest = HASHES[alg[2:]]
    match alg[:2]:
        case "RS":
            return key.sign(signed, padding.PKCS1v15(), digest)
        case "PS":
            return key.sign(signed, padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH), digest)
        case "ES":
            return key.sign(signed, ec.ECDSA(digest))
        case "HS":
            mac = hmac.HMAC(key, digest)
            mac.update(signed)
            return mac.finalize()
    raise ValueError(alg)


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a compact JWS, unchecked."""
    header, claims, _ = token.split(".")
    return json.loads(decode(header)), json.loads(decode(claims))


def decode(text: str) -> bytes:
    """base64url without its padding, decoded."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
