"""What a person uploads as the certificate: a look at the file before anything of it is sent or stored.

The sentence about the ending is Microsoft's; those about a private key, a PFX, an empty or a damaged file are chosen,
not sourced.
"""

from __future__ import annotations

import base64
import hashlib
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from ..directory.certificates import load_certificate
from ..graph.key_credentials import decode_certificate
from .click import Problem
from .form import Upload

ENDINGS = (".cer", ".pem", ".crt")
TYPES = "Upload a certificate (public key) with one of the following file types: .cer, .pem, .crt"
BURNT = (
    "Nothing of it was stored. But a private key that has left its place is burnt, wherever it was sent by mistake: "
    "make a new pair, and upload the certificate only. It is the file that begins with -----BEGIN CERTIFICATE-----."
)

# How a DER file goes on after its outermost SEQUENCE: with the version of a PFX (RFC 7292), with that of a private key
# (RFC 8017, RFC 5958), or with the algorithm of an encrypted one (PKCS #5).
_AFTER_SEQUENCE = re.compile(rb"\x30(?:\x82..|\x83...|\x81.|[\x00-\x7f])(.{16})", re.DOTALL)
_PFX = b"\x02\x01\x03"
_PRIVATE_KEY = (b"\x02\x01\x00", b"\x02\x01\x01")
_ENCRYPTED_KEY = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"


class CertificateFile(NamedTuple):
    """A certificate that can be sent to Graph.

    Args:
        key: base64 of what the file holds in DER; what is no certificate is refused by Graph, not here.
        thumbprint: SHA-1, 40 hex digits in capitals, as the portal and `openssl x509 -fingerprint` show it.
        ended: the day it ended, for one whose time is over; else None.
    """

    key: str
    thumbprint: str
    ended: str | None


def read_certificate(upload: Upload | None, now: float) -> CertificateFile:
    """Look at an uploaded file.

    Args:
        now: Unix seconds.

    Raises:
        Problem: no file, another ending than `ENDINGS`, a private key or a PFX, whatever it is called.
    """
    if upload is None or not upload.name:
        raise Problem(400, "No file was selected.", "Choose the certificate's file, then press Add.")
    if _holds_private_key(upload.data):
        raise Problem(400, "This file holds a private key.", BURNT)
    if not upload.name.lower().endswith(ENDINGS):
        raise Problem(400, TYPES)
    if not upload.data.strip():
        raise Problem(400, "The file is empty.", "Choose the certificate's file, then press Add.")
    der = _der_of(upload.data)
    return CertificateFile(
        key=base64.b64encode(der).decode("ascii"),
        thumbprint=hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(),
        ended=_day_it_ended(der, now),
    )


def _holds_private_key(data: bytes) -> bool:
    """Whether a file holds a private key in any of the ways people have one: PEM, DER or PFX."""
    as_text = data.replace(b"\x00", b"")  # PowerShell's > writes UTF-16
    if b"PRIVATE KEY-----" in as_text:
        return True
    with suppress(ValueError):
        data = decode_certificate(as_text.decode("ascii"))  # base64 without the lines around it
    start = _AFTER_SEQUENCE.match(data)
    if not start:
        return False
    inside = re.sub(rb"\A\x30(?:\x82..|\x81.|[\x00-\x7f])", b"", start[1], flags=re.DOTALL)
    return start[1].startswith((_PFX, *_PRIVATE_KEY)) or inside.startswith(_ENCRYPTED_KEY)


def _der_of(data: bytes) -> bytes:
    """The first certificate of a PEM file; the bytes themselves for anything else."""
    as_text = data.replace(b"\x00", b"") if data.startswith((b"\xff\xfe", b"\xfe\xff")) else data
    if b"-----BEGIN CERTIFICATE-----" not in as_text:
        return data
    inside = as_text.partition(b"-----BEGIN CERTIFICATE-----")[2].partition(b"-----END")[0]
    try:
        return base64.b64decode(b"".join(inside.split()), validate=True)
    except ValueError:
        raise Problem(
            400,
            "The certificate in this file is damaged: what stands between its lines BEGIN and END is not base64.",
            "Make the file again, or copy it as a file instead of as text.",
        ) from None


def _day_it_ended(der: bytes, now: float) -> str | None:
    try:
        end = load_certificate(der).not_valid_after_utc
    except ValueError:
        return None
    return f"{end:%Y-%m-%d}" if end <= datetime.fromtimestamp(now, UTC) else None
