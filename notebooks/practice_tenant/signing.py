"""The key Entra ID signs tokens with, and what both sides do to a signature.

Graph's tokens have a peculiarity: the header carries a `nonce`, and the signature is made over a header in which the
nonce is replaced by its SHA-256 (AzureAD/azure-activedirectory-identitymodel-extensions-for-dotnet#609).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from .clock import machine_time
from .directory.certificates import thumbprints
from .formats import encode_base64url
from .messages import compact

_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_FAMILIES = {"RS": "PKCS #1 v1.5", "PS": "PSS"}
ALGORITHMS = frozenset(family + bits for family in _FAMILIES for bits in _HASHES)  # the JOSE names Entra takes


def is_signed(public_key: rsa.RSAPublicKey, algorithm: str, signed: bytes, signature: bytes) -> bool:
    """Whether an RSA signature fits.

    Args:
        algorithm: one of `ALGORITHMS` (RFC 7518, sections 3.3 and 3.5: a PSS salt is as long as the hash).
        signed: the bytes that were signed.
    """
    family, digest = algorithm[:2], _HASHES[algorithm[2:]]
    scheme: padding.AsymmetricPadding = padding.PKCS1v15()
    if family == "PS":
        scheme = padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.DIGEST_LENGTH)
    try:
        public_key.verify(signature, signed, scheme, digest)
    except InvalidSignature:
        return False
    return True


class SigningKey(NamedTuple):
    """The key Entra signs tokens with; made new at every start, it never leaves the process."""

    private_key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def generate(cls) -> SigningKey:
        private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "practice tenant token signing")])
        today = datetime.fromtimestamp(int(machine_time()), UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=365))
            .sign(private_key, hashes.SHA256())
        )
        return cls(private_key, certificate)

    @property
    def kid(self) -> str:
        """base64url of the certificate's SHA-1, as in every key Entra publishes; `x5t` is the same."""
        return encode_base64url(thumbprints(self.certificate)[0])

    def published(self, issuer: str) -> dict[str, Any]:
        """This key as an entry of the JWKS, members in Entra's order; there is no `alg` among them."""
        numbers = self.private_key.public_key().public_numbers()
        der = self.certificate.public_bytes(Encoding.DER)
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": encode_base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
            "e": encode_base64url(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")),
            "x5c": [_standard_base64(der)],
            "issuer": issuer,
        }

    def sign(self, claims: dict[str, Any], *, with_nonce: bool = True, with_x5t: bool = True) -> str:
        """Sign claims: compact JWS, RS256. Graph's tokens have a nonce in the header, v2.0-format ones no x5t."""
        header = {"typ": "JWT", "nonce": encode_base64url(secrets.token_bytes(32)), "alg": "RS256", "x5t": self.kid}
        for name, wanted in (("nonce", with_nonce), ("x5t", with_x5t)):
            if not wanted:
                del header[name]
        header["kid"] = self.kid
        payload = encode_base64url(compact(claims))
        signed = f"{encode_base64url(compact(with_hashed_nonce(header)))}.{payload}".encode()
        signature = self.private_key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return f"{encode_base64url(compact(header))}.{payload}.{encode_base64url(signature)}"


def with_hashed_nonce(header: dict[str, Any]) -> dict[str, Any]:
    if "nonce" not in header:
        return header
    return header | {"nonce": encode_base64url(hashlib.sha256(header["nonce"].encode()).digest())}


def _standard_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
