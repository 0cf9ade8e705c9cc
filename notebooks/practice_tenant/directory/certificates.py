"""Certificates as the directory keeps them: thumbprints, and the ``keyCredential`` that holds one.

Sources: graph docs resources/keycredential.md; recorded answers for how names and dates are written.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ..formats import graph_time

LONGEST_KEY_NAME = 90  # characters; longer names are taken and cut (graph docs: resources/keycredential.md)


def key_credential(der: bytes, *, name: str | None = None, key_id: str | None = None) -> dict[str, Any]:
    """A certificate as a ``keyCredential`` (graph docs: resources/keycredential.md).

    The dates are the certificate's own; ``customKeyIdentifier`` is its SHA-1 thumbprint in upper-case hex.

    Raises:
        ValueError: the bytes are not a certificate.
    """
    certificate = load_certificate(der)
    return {
        "customKeyIdentifier": thumbprints(certificate)[0].hex().upper(),
        "displayName": (name or _windows_name(certificate.subject))[:LONGEST_KEY_NAME],
        "endDateTime": graph_time(certificate.not_valid_after_utc.timestamp()),
        "key": base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii"),
        "keyId": key_id or str(uuid.uuid4()),
        "startDateTime": graph_time(certificate.not_valid_before_utc.timestamp()),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def _windows_name(name: x509.Name) -> str:
    """A certificate's subject as Windows writes it: ``O=Internet Widgits Pty Ltd, S=Some-State, C=AU`` (recorded)."""
    return ", ".join(part.rfc4514_string({NameOID.STATE_OR_PROVINCE_NAME: "S"}) for part in reversed(name.rdns))


@lru_cache(maxsize=1024)
def load_certificate(der: bytes) -> x509.Certificate:
    """Parse a DER certificate, once for each.

    Raises:
        ValueError: the bytes are not a certificate.
    """
    try:
        return x509.load_der_x509_certificate(der)
    except x509.InvalidVersion as error:
        raise ValueError("not a certificate") from error


class RegisteredKey(NamedTuple):
    """One certificate registered on an application, as a ``keyCredential`` of Graph describes it.

    Args:
        certificate: the X.509 certificate.
        key_id: the credential's ``keyId`` (a GUID).
        start, end: Unix seconds between which Entra takes the credential.
    """

    certificate: x509.Certificate
    key_id: str
    start: float
    end: float

    @property
    def sha1(self) -> bytes:
        """20 bytes over the DER certificate: the portal's "Thumbprint", the header's ``x5t``."""
        return thumbprints(self.certificate)[0]

    @property
    def sha256(self) -> bytes:
        """32 bytes over the DER certificate: the header's ``x5t#S256``."""
        return thumbprints(self.certificate)[1]


@lru_cache(maxsize=1024)
def thumbprints(certificate: x509.Certificate) -> tuple[bytes, bytes]:
    """SHA-1 and SHA-256 over the certificate's DER bytes."""
    der = certificate.public_bytes(Encoding.DER)
    return hashlib.sha1(der, usedforsecurity=False).digest(), hashlib.sha256(der).digest()
