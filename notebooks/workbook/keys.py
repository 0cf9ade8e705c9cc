"""A private key and its certificate: found where the learner put them, or made for this kernel only."""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from .problems import WorkbookProblem

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "practice-passphrase"  # noqa: S105 - opens the practice PFX only; known to every learner


class Hidden(str):
    """A secret that shows nothing when a cell displays it, and that cannot be pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'‹hidden›'"

    def __copy__(self) -> Hidden:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Hidden:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        # A function of a notebook takes the globals that it uses along to another process, a whole bench for example.
        raise TypeError("a secret of the bench does not travel: let the other process read it from its file")


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
        opened, locked = _open_learners_key(key_path.read_bytes())
        its_certificate = _load_certificate(certificate_path.read_bytes(), "server.crt")
        key, certificate = _must_belong_together(opened, its_certificate)
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
    key, certificate = _load_both(data, password)
    paths = (path, path, None) if b"-----BEGIN" in data else (None, None, path)
    return _pair(key, certificate, paths, password)


def pair_from_content(data: bytes, password: str | None) -> KeyPair:
    """The same from the bytes themselves. MSAL reads files, so that the pair is written to a private, temporary folder.

    Raises:
        WorkbookProblem: as `pair_from_file`.
    """
    key, certificate = _load_both(data, password)
    return _write_pair(key, certificate, _scratch("content"))


def write_private(path: str | Path, data: bytes | str, *, replace: bool = False) -> None:
    """Writes a file that only its owner may read, from its first byte on.

    On Windows, which has no such modes, the folder decides who may read.

    Args:
        path: the file; its folder must exist.
        data: bytes, or text that is written as UTF-8.
        replace: put it in the place of an existing file, all at once; otherwise an existing file is an error.

    Raises:
        FileExistsError: the file exists, and `replace` is False. It is as it was.
        OSError: it cannot be written. An existing file is as it was.
    """
    path = Path(path)
    content = data.encode("utf-8") if isinstance(data, str) else data
    target = path.with_name(f".{path.name}.{secrets.token_hex(8)}") if replace else path
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(target, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        if replace:
            os.replace(target, path)
    except OSError:
        target.unlink(missing_ok=True)  # half a file is no file, and it is ours
        raise


# --- reading ------------------------------------------------------------------------------------------------------


def _load_both(data: bytes, password: str | None) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    secret = password.encode() if password else None
    if b"-----BEGIN" in data:
        return _must_belong_together(_load_key(data, secret), _load_certificate(data, "The file"))
    _must_be_bare(data)
    return _must_belong_together(*_load_pfx(data, secret))


def _must_be_bare(data: bytes) -> None:
    """Names an envelope in which the right thing lies, and what opens it."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise WorkbookProblem(
            "The file is text in UTF-16, as PowerShell's > writes it: save it as UTF-8, for example with "
            "Get-Content FILE | Set-Content -Encoding ascii server.pem."
        )
    if re.fullmatch(rb"[A-Za-z0-9+/\s]{200,}=*\s*", data):
        raise WorkbookProblem(
            "The file is base64 text, as Key Vault hands out a PFX: undo it with "
            "openssl base64 -d -A -in FILE -out server.pfx (or download it with --encoding base64)."
        )
    if _inside_der(data).startswith(b"\x02\x01\x00"):  # INTEGER 0: the version of PKCS #8 and PKCS #1 keys
        raise WorkbookProblem(
            "The file is a private key in DER: convert it with openssl pkey -inform DER -in FILE -out server.pem, and "
            "put its certificate into the same file."
        )
    with suppress(ValueError):
        x509.load_der_x509_certificate(data)
        raise WorkbookProblem(
            "The file is a certificate in DER, without its private key: the file must hold both (convert it with "
            "openssl x509 -inform DER -in FILE -out server.crt)."
        )


def _inside_der(data: bytes) -> bytes:
    """What is inside the outermost SEQUENCE; nothing when there is none (X.690, 8.1.3)."""
    if len(data) < 2 or data[0] != 0x30:
        return b""
    length_bytes = data[1] - 0x80 if data[1] > 0x80 else 0
    return data[2 + length_bytes :]


def _load_key(data: bytes, password: bytes | None) -> PrivateKeyTypes:
    if not re.search(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----", data):
        raise WorkbookProblem("The file holds no private key: it must hold the key and its certificate.")
    try:
        return serialization.load_pem_private_key(data, password)
    except TypeError:  # cryptography: a password without encryption, or the other way round
        if password:
            raise WorkbookProblem("The private key is not encrypted: leave its password empty.") from None
        raise WorkbookProblem("The private key is encrypted: it needs its password.") from None
    except UnsupportedAlgorithm:
        raise WorkbookProblem(
            "The private key uses a curve or a cipher that cannot be read here: Entra ID takes RSA keys only; for RSA "
            "lock it anew with openssl pkey -in FILE -aes256 -out server.pem."
        ) from None
    except ValueError:
        if password and _OLD_CIPHER.search(data):
            raise WorkbookProblem(
                "The private key is locked with an old cipher, or the password does not open it: lock it anew with "
                "openssl pkey -in FILE -aes256 -out server.pem."
            ) from None
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


_OLD_CIPHER = re.compile(rb"DEK-Info: (?!AES)")


def _load_pfx(data: bytes, password: bytes | None) -> tuple[PrivateKeyTypes, x509.Certificate]:
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates(data, password)
    except ValueError:
        raise WorkbookProblem(
            "The file is neither PEM nor a PFX that this password opens: check the path, then the password."
        ) from None
    if key is None or certificate is None:
        raise WorkbookProblem("The PFX lacks the private key or its certificate: export both.")
    return key, certificate


def _open_learners_key(data: bytes) -> tuple[PrivateKeyTypes, bool]:
    """The key in server.pem, and whether the workbook's passphrase was needed to read it."""
    try:
        return _load_key(data, None), False
    except WorkbookProblem:
        if b"ENCRYPTED" not in data:
            raise
    return _load_key(data, PASSPHRASE.encode()), True


def _opens(pfx_path: Path, key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    """Whether the learner's PFX opens with the workbook's passphrase and holds this very pair."""
    if not pfx_path.is_file():
        return False
    try:
        pfx_key, pfx_certificate = _load_pfx(pfx_path.read_bytes(), PASSPHRASE.encode())
    except WorkbookProblem:
        return False
    return pfx_certificate == certificate and pfx_key.public_key() == key.public_key()


def _must_belong_together(
    key: PrivateKeyTypes, certificate: x509.Certificate
) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
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
    return key, certificate


# --- making -------------------------------------------------------------------------------------------------------


@cache
def _fresh_pair() -> KeyPair:
    """One pair for each kernel, valid for a year."""
    return _made_pair("fresh", began_days_ago=1)


@cache
def expired_pair() -> KeyPair:
    """One more pair for each kernel, whose certificate was valid for a year and ended a month ago."""
    return _made_pair("expired", began_days_ago=396)


def _made_pair(purpose: str, began_days_ago: int) -> KeyPair:
    """A new pair in a folder of its own, for 366 days."""
    return _write_pair(*self_signed("practice-daemon", began_days_ago=began_days_ago, days=366), _scratch(purpose))


def self_signed(common_name: str, *, began_days_ago: int = 1, days: int) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """A new RSA key of 2048 bits and its certificate, signed with itself and SHA-256.

    Args:
        common_name: whom the certificate is for.
        began_days_ago: since how many days it is valid.
        days: for how many days it is valid from then on.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(days=began_days_ago)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return key, certificate


@cache
def _scratch_root() -> tempfile.TemporaryDirectory[str]:
    """Removed when the kernel ends; kept in the cache so that it lives until then."""
    return tempfile.TemporaryDirectory(prefix="workbook-keys-", ignore_cleanup_errors=True)


def _scratch(purpose: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=_scratch_root().name))


def _write_pair(key: rsa.RSAPrivateKey, certificate: x509.Certificate, folder: Path) -> KeyPair:
    """Writes server.pem, server.crt and server.pfx into an empty folder."""
    key_path, certificate_path, pfx_path = (folder / f"server.{kind}" for kind in ("pem", "crt", "pfx"))
    write_private(key_path, _pem(key))
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    lock = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    write_private(pfx_path, pkcs12.serialize_key_and_certificates(b"practice-daemon", key, certificate, None, lock))
    return _pair(key, certificate, (key_path, certificate_path, pfx_path), PASSPHRASE)


def _pair(
    key: rsa.RSAPrivateKey, certificate: x509.Certificate, paths: Sequence[Path | None], passphrase: str | None
) -> KeyPair:
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


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
