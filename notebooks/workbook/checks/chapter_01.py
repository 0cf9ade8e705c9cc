"""Chapter 01: files that are private from their first moment, pairs that belong together, and what may be uploaded."""

import builtins
import io
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..keys import PASSPHRASE
from ..marking import chosen, of_type, plain
from ..verdicts import GRAPH_SCOPE, Ask, LearnersError, Verdict, exercise, not_yet, right

# --- 01-owner -----------------------------------------------------------------------------------------------------

Save = Callable[[Path, str], None]
OTHERS = 0o077  # the bits of a file's mode that give group and everybody else any right


@exercise(
    "01-owner",
    given="""
def save_passphrase(path, passphrase):
    with path.open("x") as file:
        file.write(passphrase)
    path.chmod(0o600)
""",
)
def owner(save_passphrase: Save, ask: Ask) -> Verdict:
    """save_passphrase(path, passphrase) writes a new file that never belongs to anybody but its owner."""
    with TemporaryDirectory() as folder, _RightsWatched(Path(folder)) as watched:
        path = Path(folder) / "passphrase.txt"
        _call(save_passphrase, path)
        return _saved(path) or _always_private(watched) or _never_into_an_old_file(save_passphrase, watched)


def _call(save: Save, path: Path) -> None:
    try:
        save(path, "an invented passphrase")
    except LearnersError as error:
        if "gives back None" not in str(error):  # nothing to give back is right here
            raise


def _saved(path: Path) -> Verdict | None:
    if not path.exists():
        return not_yet("afterwards there is no file at path: write the passphrase into a new file there.")
    if path.read_text(encoding="utf-8") != "an invented passphrase":
        return not_yet("the file is there, and the passphrase is not what is in it.")
    return None


class _RightsWatched:
    """Notes with which rights files are created in a folder, and when these change.

    The rights are those asked for, less the usual umask: Windows has no others to look at.

    Attributes:
        created: the mode of each new file, in order.
        last: the newest mode of a file.
        was_empty: whether a file was still empty when its rights were changed.
    """

    UMASK = 0o022  # set while watching, because on a machine with a stricter one no mistake would show

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._stack = ExitStack()
        self.created: list[int] = []
        self.last: int | None = None
        self.was_empty = False

    def __enter__(self) -> "_RightsWatched":
        before = os.umask(self.UMASK)
        self._stack.callback(os.umask, before)
        notebook = sys.modules.get("IPython.core.interactiveshell")  # its cells have an open of their own
        for module, name in ((builtins, "open"), (io, "open"), (notebook, "io_open")):
            if hasattr(module, name):
                self._stack.enter_context(patch.object(module, name, self._opening(getattr(module, name))))
        self._stack.enter_context(patch.object(os, "open", self._os_open(os.open)))
        self._stack.enter_context(patch.object(os, "chmod", self._chmod(os.chmod)))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _opening(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def watched(file: Any, *arguments: Any, **named: Any) -> Any:
            has_opener = named.get("opener") or len(arguments) > 6  # the eighth parameter; it calls os.open
            is_new = not has_opener and self._is_new(file)
            opened = original(file, *arguments, **named)
            if is_new:
                self._note(0o666)
            return opened

        return watched

    def _os_open(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def watched(path: Any, flags: int, mode: int = 0o777, **named: Any) -> int:
            is_new = self._is_new(path)
            number: int = original(path, flags, mode, **named)
            if is_new:
                self._note(mode)
            return number

        return watched

    def _chmod(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def watched(path: Any, mode: int, **named: Any) -> None:
            original(path, mode, **named)
            if self._is_here(path):
                self.last = mode
                self.was_empty = Path(path).stat().st_size == 0

        return watched

    def _note(self, mode: int) -> None:
        umask = os.umask(self.UMASK)  # there is no other way to read it than to set it
        os.umask(umask)
        self.last = mode & ~umask
        self.created.append(self.last)

    def _is_new(self, path: Any) -> bool:
        return self._is_here(path) and not Path(os.fsdecode(path)).exists()

    def _is_here(self, path: Any) -> bool:
        return not isinstance(path, int) and self._folder in Path(os.fsdecode(path)).resolve().parents


def _always_private(watched: _RightsWatched) -> Verdict | None:
    begin = watched.created[-1] if watched.created else 0
    if not begin & OTHERS:
        return None
    if watched.last and watched.last & OTHERS:
        return not_yet(f"the file has the mode {begin:04o} for as long as it exists: others have rights in it.")
    if watched.was_empty:
        return not_yet(
            f"the file is created with the mode {begin:04o}, and empty. Whoever opens it in that moment reads all that "
            "is written later, because rights are looked at only when a file is opened."
        )
    return not_yet(
        f"the file is created with the mode {begin:04o}, and it is private only once everything is in it: "
        "give the rights to open, by its parameter opener."
    )


def _never_into_an_old_file(save: Save, watched: _RightsWatched) -> Verdict:
    """What is there already may be open to everybody, and may already be open in somebody's program."""
    old = watched._folder / "older.txt"
    old.write_text("older", encoding="utf-8")
    old.chmod(0o666)
    watched.created.clear()
    try:
        _call(save, old)
    except LearnersError as error:
        if not isinstance(error.__cause__, FileExistsError):
            raise
    if not watched.created and old.read_text(encoding="utf-8") != "older":
        return not_yet(
            'a file that is there already keeps its rights when it is written to again: keep "x", which refuses it.'
        )
    return right("nobody else had the right to read it at any moment.")


# --- 01-files -----------------------------------------------------------------------------------------------------


@exercise("01-files")
def files(choice: str, ask: Ask) -> Verdict:
    """The one of the four files that goes to an administrator, as text."""
    return chosen(
        choice.name if isinstance(choice, PurePath) else choice,
        "server.crt",
        reasons={
            "server.pem": f"server.pem is the private key, and it never leaves the machine.{_loss(ask)}",
            "server.cer": "server.cer is the same certificate, and it is bytes in DER. As text it is in another file.",
            "server.pfx": "server.pfx holds the private key as well, and its passphrase is all that protects it.",
        },
        otherwise="the files are server.pem, server.crt, server.cer and server.pfx, and one name is wanted.",
    ) or right("it gives nothing away, because all that is in it is public.")


# --- 01-pair ------------------------------------------------------------------------------------------------------


@exercise(
    "01-pair",
    given="""
def holds_a_pair(pem_bytes):
    key = serialization.load_pem_private_key(pem_bytes, password=None)
    in_key = key.public_key()
    in_certificate = ...
    return in_key == in_certificate
""",
)
def pair(holds_a_pair: Callable[[bytes], bool], ask: Ask) -> Verdict:
    """holds_a_pair(pem_bytes) is True when the private key and the certificate in a PEM file belong together."""
    key, certificate = ask.bench.private_key, ask.bench.certificate
    stranger = _a_strangers_key()
    belonging = {
        f"{key}\n{certificate}": "for a key with its own certificate it gives False. A key never equals a certificate, "
        "but both have a public key, and these can be compared.",
        f"{certificate}\n{key}": "when the certificate comes before its key it gives False: the order means nothing.",
    }
    for pem, why in belonging.items():
        answer = holds_a_pair(pem.encode())
        if wrong := of_type(answer, bool, "holds_a_pair(a key with its own certificate)"):
            return wrong
        if not plain(answer):
            return not_yet(why)
    answer = holds_a_pair(f"{stranger}\n{certificate}".encode())
    if not plain(answer):
        return right("a daemon that asks this when it starts need not wait for Entra ID's refusal.")
    refusal = ask.token([GRAPH_SCOPE], client_credential={"private_key": stranger, "public_certificate": certificate})
    reply = ask.sentence(refusal).partition(", Thumbprint")[0]
    return not_yet(f"for another key of the same size it gives True, and with these two Entra ID answers {reply}")


@cache
def _a_strangers_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(pem, form, serialization.NoEncryption()).decode()


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
