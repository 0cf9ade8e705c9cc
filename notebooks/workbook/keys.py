"""A private key and its certificate: found where the learner put them, or made for this kernel only."""

from __future__ import annotations

import datetime as dt
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from .problems import WorkbookProblem

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "practice-passphrase"  # noqa: S105 - opens the practice PFX only; known to every learner


class Hidden(str):
    """A secret that shows nothing when a cell displays it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'‹hidden›'"


@dataclass(frozen=True)
class KeyPair:
    """A private key and its certificate as PEM text, and the files that hold them.

    A path is None when no file holds that part alone or at all; `passphrase` opens `pfx_path`.
    """

    private_key: Hidden
    certificate: str
    valid_until: dt.datetime
    private_key_path: Path | None = None
    certificate_path: Path | None = None
    pfx_path: Path | None = None
    passphrase: Hidden | None = None


def keys_folder() -> Path:
    """Where chapter 01 writes server.pem, server.crt and server.pfx: git-ignored, WORKBOOK_KEYS names another."""
    return Path(os.environ.get("WORKBOOK_KEYS") or ROOT / "notebooks" / "keys")


def practice_pair() -> KeyPair:
    """The learner's pair when chapter 01 has made one, else a fresh one in a temporary folder.

    Raises:
        WorkbookProblem: the learner's files are there but cannot be used. They are never overwritten.
    """
    folder = keys_folder()
    key_path, certificate_path = folder / "server.pem", folder / "server.crt"
    if not (key_path.is_file() and certificate_path.is_file()):
        return _fresh_pair()
    try:
        key, locked = _open_learners_key(key_path.read_bytes())
        certificate = _load_certificate(certificate_path.read_bytes(), "server.crt")
        _must_belong_together(key, certificate)
    except WorkbookProblem as problem:
        raise WorkbookProblem(
            f"{problem} Move server.pem and server.crt out of {folder}, or make them again in chapter 01."
        ) from None
    pfx_path = folder / "server.pfx"
    if not locked and _opens(pfx_path, key, certificate):
        return _pair(key, certificate, (key_path, certificate_path, pfx_path), PASSPHRASE)
    return _write_pair(key, certificate, _scratch("learner"))


def pair_from_file(path: Path, password: str | None) -> KeyPair:
    """Reads a key and its certificate from one file, PEM or PFX, the way azure-identity does.

    Args:
        path: a PEM file with both blocks, or a PFX (PKCS #12) file.
        password: opens the PFX or the encrypted PEM key; None or "" when there is none.

    Raises:
        WorkbookProblem: a sentence that begins with what the file lacks; it never quotes the file.
    """
    data = path.read_bytes()
    secret = password.encode() if password else None
    if b"-----BEGIN" in data:
        key = _load_key(data, secret)
        certificate = _load_certificate(data, "The file")
        paths = (path, path, None)
    else:
        key, certificate = _load_pfx(data, secret)
        paths = (None, None, path)
    _must_belong_together(key, certificate)
    return _pair(key, certificate, paths, password)


def write_private(path: Path, data: bytes) -> None:
    """Writes a new file that only its owner may read; an existing one is an error, never overwritten."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)


# --- reading ------------------------------------------------------------------------------------------------------


def _load_key(data: bytes, password: bytes | None):
    if not re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----", data):
        raise WorkbookProblem("The file holds no private key: it must hold the key and its certificate.")
    try:
        return serialization.load_pem_private_key(data, password)
    except TypeError:  # cryptography: a password without encryption, or the other way round
        if password:
            raise WorkbookProblem("The private key is not encrypted: leave its password empty.") from None
        raise WorkbookProblem("The private key is encrypted: it needs its password.") from None
    except ValueError:
        if password:
            raise WorkbookProblem("The password does not open the private key.") from None
        raise WorkbookProblem(
            "The private key cannot be read: it is damaged or not in PEM form, so export it again."
        ) from None


def _load_certificate(data: bytes, name: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError:
        raise WorkbookProblem(f"{name} holds no certificate (-----BEGIN CERTIFICATE-----).") from None


def _load_pfx(data: bytes, password: bytes | None):
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(data, password)
    except ValueError:
        raise WorkbookProblem(
            "The file is neither PEM nor a PFX that this password opens: check the path, then the password."
        ) from None
    if key is None or certificate is None:
        raise WorkbookProblem("The PFX lacks the private key or its certificate: export both.")
    return key, certificate


def _open_learners_key(data: bytes):
    """The key in server.pem, and whether the workbook's passphrase was needed to read it."""
    try:
        return _load_key(data, None), False
    except WorkbookProblem:
        if b"ENCRYPTED" not in data:
            raise
    return _load_key(data, PASSPHRASE.encode()), True


def _opens(pfx_path: Path, key, certificate: x509.Certificate) -> bool:
    """Whether the learner's PFX opens with the workbook's passphrase and holds this very pair."""
    if not pfx_path.is_file():
        return False
    try:
        pfx_key, pfx_certificate = _load_pfx(pfx_path.read_bytes(), PASSPHRASE.encode())
    except WorkbookProblem:
        return False
    return pfx_certificate == certificate and pfx_key.public_key() == key.public_key()


def _must_belong_together(key, certificate: x509.Certificate) -> None:
    """Refuses what Entra would refuse later with AADSTS700027 (entra docs: certificate-credentials.md)."""
    if not isinstance(key, rsa.RSAPrivateKey):
        raise WorkbookProblem("The private key is not an RSA key: Entra ID accepts RSA only.")
    if key.key_size < 2048:
        raise WorkbookProblem(f"The RSA key has {key.key_size} bits: Entra ID wants 2048 or more.")
    if key.public_key() != certificate.public_key():
        raise WorkbookProblem("The private key does not belong to the certificate: take both from one pair.")
    now = dt.datetime.now(dt.UTC)
    if now > certificate.not_valid_after_utc:
        raise WorkbookProblem(f"The certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}: make a new one.")
    if now < certificate.not_valid_before_utc:
        raise WorkbookProblem(
            f"The certificate is valid only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: "
            "check this machine's clock."
        )


# --- making -------------------------------------------------------------------------------------------------------


@cache
def _fresh_pair() -> KeyPair:
    """One pair for each kernel: RSA 2048, self-signed with SHA-256, valid for a year."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "practice-daemon")])
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(yesterday)
        .not_valid_after(yesterday + dt.timedelta(days=366))
        .sign(key, hashes.SHA256())
    )
    return _write_pair(key, certificate, _scratch("fresh"))


@cache
def _scratch_root() -> tempfile.TemporaryDirectory:
    """Removed when the kernel ends; kept in the cache so that it lives until then."""
    return tempfile.TemporaryDirectory(prefix="workbook-keys-", ignore_cleanup_errors=True)


def _scratch(purpose: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=_scratch_root().name))


def _write_pair(key, certificate: x509.Certificate, folder: Path) -> KeyPair:
    """Writes server.pem, server.crt and server.pfx into an empty folder."""
    key_path, certificate_path, pfx_path = (folder / f"server.{kind}" for kind in ("pem", "crt", "pfx"))
    write_private(key_path, _pem(key))
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    lock = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    write_private(pfx_path, pkcs12.serialize_key_and_certificates(b"practice-daemon", key, certificate, None, lock))
    return _pair(key, certificate, (key_path, certificate_path, pfx_path), PASSPHRASE)


def _pair(key, certificate: x509.Certificate, paths: Sequence[Path | None], passphrase: str | None) -> KeyPair:
    key_path, certificate_path, pfx_path = paths
    return KeyPair(
        private_key=Hidden(_pem(key).decode()),
        certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        valid_until=certificate.not_valid_after_utc,
        private_key_path=key_path,
        certificate_path=certificate_path,
        pfx_path=pfx_path,
        passphrase=Hidden(passphrase) if passphrase else None,
    )


def _pem(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
