"""The private key and its certificate in every form and envelope; whatever is wrong, not a line of them is shown."""

import base64
import datetime
import re

import forge
import graph_daemon
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from cryptography.utils import CryptographyDeprecationWarning
from daemon_helpers import FILLED_IN, PASSWORD
from graph_daemon import Failure
from practice import CERTIFICATE

KEY = forge.private_key()
LOCK = BestAvailableEncryption(PASSWORD.encode())


def pem(key=KEY, lock=None, form=PrivateFormat.PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, lock or NoEncryption()).decode()


def crt(certificate=CERTIFICATE) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def pfx(lock=None, certificate=CERTIFICATE, more=None) -> bytes:
    return pkcs12.serialize_key_and_certificates(b"x", KEY, certificate, more, lock or NoEncryption())


OTHER = forge.certificate(forge.private_key("other"))
OLD = forge.certificate(KEY, starts_in_days=-300, ends_in_days=5)
BOTH = pem() + crt()
SHA1 = CERTIFICATE.fingerprint(hashes.SHA1())  # noqa: S303 - the classic sample's thumbprint


def credential(content=None, **settings):
    """What MSAL would get, from content or from settings alone."""
    given = FILLED_IN | {"secret": None, "private_key_file": content} | settings
    graph = graph_daemon.Graph(given)
    return graph_daemon.credential(graph.settings, graph.key_pair)


def der_of(text: str) -> bytes:
    return x509.load_pem_x509_certificate(text.encode()).public_bytes(Encoding.DER)


GOOD = {
    "key and certificate": BOTH,
    "the other way round": crt() + pem(),
    "CA certificates first": crt(OTHER) + crt() + pem(),
    "the certificate last of three": pem() + crt(OTHER) + crt(OTHER) + crt(),
    "two certificates for the key": pem() + crt(OLD) + crt(),
    "CRLF": BOTH.replace("\n", "\r\n"),
    "escaped line ends": BOTH.replace("\n", "\\n"),
    "escaped CRLF": BOTH.replace("\n", "\\r\\n"),
    "blanks for line ends": BOTH.replace("\n", " "),
    "one line": BOTH.replace("\n", ""),
    "PKCS #1": pem(form=PrivateFormat.TraditionalOpenSSL) + crt(),
    "locked": pem(lock=LOCK) + crt(),
    "locked in OpenSSL's old form": pem(lock=LOCK, form=PrivateFormat.TraditionalOpenSSL) + crt(),
    "bag attributes": f"Bag Attributes\n  friendlyName: x\n{pem()}Bag Attributes\n{crt()}",
    "another key too": pem(forge.private_key("another")) + pem() + crt(),
    "an EC key too": pem(forge.elliptic_key()) + BOTH,
    "a certificate that is damaged too": BOTH + "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "base64 of PEM": base64.b64encode(BOTH.encode()).decode(),
    "base64 of a PFX": base64.b64encode(pfx()).decode(),
    "base64url of a PFX": base64.urlsafe_b64encode(pfx()).decode().rstrip("="),
    "base64 in lines": base64.encodebytes(pfx(LOCK)).decode(),
    "quotes around": f'"{BOTH}"',
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_content_is_taken_where_a_path_is_expected(content):
    made = credential(content, passphrase=PASSWORD)
    assert der_of(made["public_certificate"]) == CERTIFICATE.public_bytes(Encoding.DER)
    assert made["private_key"] == pem()
    assert "thumbprint" not in made


FILES = {
    **{name: content.encode() for name, content in GOOD.items() if name not in ("quotes around",)},
    "PEM in UTF-16": BOTH.encode("utf-16"),
    "PEM with a byte order mark": BOTH.encode("utf-8-sig"),
    "base64 in UTF-16": base64.b64encode(pfx()).decode().encode("utf-16"),
    "a PFX": pfx(),
    "a locked PFX": pfx(LOCK),
    "a PFX with a chain": pfx(LOCK, CERTIFICATE, [OTHER]),
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_files_in_every_envelope(tmp_path, data):
    if b"-----BEGIN" in data:
        data = data.replace(b"\\n", b"\n").replace(b"\\r", b"")  # in a file lines end as usual
    (tmp_path / "key").write_bytes(data)
    made = credential("key", folder=tmp_path, passphrase=PASSWORD)
    assert der_of(made["public_certificate"]) == CERTIFICATE.public_bytes(Encoding.DER)


DSA = dsa.generate_private_key(1024)  # noqa: S505 - it is to be refused, and longer ones take longer
PRIME239 = """-----BEGIN EC PRIVATE KEY-----
MHECAQEEHhCUawlmj6IjTI1SVUXhd7m/qd9TBRa6vhhHXsYSmaAKBggqhkjOPQMB
BKFAAz4ABEnCiKu+yYoBpOStPlkJKuPu9LztJY3hctB3YWGq8DQke7DFCKsSTaSz
Suz4MtgoioPc4rM8w2qy/LJNRw==
-----END EC PRIVATE KEY-----
"""
BAD = {
    "the certificate alone": (crt(), "no private key"),
    "a public key": (
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "no private",
    ),
    "the key alone": (pem(), "without its certificate"),
    "another's certificate": (pem() + crt(OTHER), "belongs to none of the certificates"),
    "an EC key": (pem(forge.elliptic_key()) + crt(), "RSA keys only"),
    "an EC key on an odd curve": (pem(ec.generate_private_key(ec.BrainpoolP256R1())) + crt(), "RSA keys only"),
    "an EC key on a curve nobody knows": (PRIME239 + crt(), "cipher or kind|RSA keys only"),
    "Ed25519": (pem(ed25519.Ed25519PrivateKey.generate()) + crt(), "RSA keys only"),
    "DSA": (pem(DSA) + crt(), "RSA keys only"),
    "1024 bits": (
        pem(forge.private_key("short", 1024)) + crt(forge.certificate(forge.private_key("short", 1024))),
        "1024",
    ),
    "locked, no password": (pem(lock=LOCK) + crt(), "passphrase is missing"),
    "a locked PFX, no password": (base64.b64encode(pfx(LOCK)).decode(), "passphrase does not open it"),
    "OpenSSH": (
        KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode() + crt(),
        "another form",
    ),
    "cut": (BOTH[:400] + BOTH[600:], "damaged|none of"),
    "half a base64": (base64.b64encode(pfx()).decode()[:700], "file"),
    "half of PEM": (BOTH[:500], "no private key"),
    "only its lines": ("".join(pem().splitlines()[1:-1])[:-9], "file|path"),
    "a CSR": ("-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----", "no private key"),
    "a NUL": ("ke\0y.pem", "neither a path"),
    "a long name": ("k" * 5000, "cannot be read"),
    "a folder": (".", "cannot be read"),
}


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_one_sentence_without_a_line_of_it(tmp_path, content, words):
    with pytest.raises(Failure, match=words) as caught:
        credential(content, folder=tmp_path)
    assert caught.value.exit_code == graph_daemon.SETTINGS
    assert "private_key_file" in caught.value.sentence
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, "a traceback would show it"
    for line in content.splitlines():
        if len(line) > 20:
            assert line[:20] not in caught.value.sentence


def test_a_key_in_der_is_told_from_a_wrong_path(tmp_path):
    (tmp_path / "key").write_bytes(KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(Failure, match=r"DER .*openssl converts it"):
        credential("key", folder=tmp_path)


@pytest.mark.parametrize("file", ["locked.pem", "locked.pfx", "old.pem"])
def test_a_wrong_password_is_said_and_not_shown(tmp_path, file):
    old = pem(lock=LOCK, form=PrivateFormat.TraditionalOpenSSL)
    data = {"locked.pem": (pem(lock=LOCK) + crt()).encode(), "locked.pfx": pfx(LOCK), "old.pem": (old + crt()).encode()}
    (tmp_path / file).write_bytes(data[file])
    with pytest.raises(Failure, match="passphrase does not open it") as caught:
        credential(file, folder=tmp_path, passphrase="wr0ng-password")
    assert "wr0ng" not in caught.value.sentence


@pytest.mark.parametrize("lock", [None, BestAvailableEncryption(b"p")], ids=["no password", "a password"])
def test_a_password_that_is_not_needed_does_no_harm(tmp_path, lock):
    (tmp_path / "x.pfx").write_bytes(pfx(lock))
    assert credential("x.pfx", folder=tmp_path, passphrase="p")["public_certificate"]


def test_a_key_locked_with_a_cipher_of_its_own_is_no_wrong_password():
    text = pem(lock=LOCK, form=PrivateFormat.TraditionalOpenSSL)
    text = re.sub(r"DEK-Info: .*", "DEK-Info: CAMELLIA-256-CBC,0102030405060708090A0B0C0D0E0F10", text)
    with pytest.raises(Failure, match="cipher") as caught:
        credential(text + crt(), passphrase=PASSWORD)
    assert "does not open" not in caught.value.sentence


DECORATED = {
    "plain": SHA1.hex(),
    "capitals": SHA1.hex().upper(),
    "colons": SHA1.hex(":"),
    "blanks": SHA1.hex(" "),
    "U+200E": "\u200e" + SHA1.hex(" "),
    "U+200E at the end": SHA1.hex() + "\u200e",
    "no-break spaces": SHA1.hex(" ").replace(" ", "\u00a0"),
    "a line end": SHA1.hex() + "\r\n",
    "of openssl": "SHA1 Fingerprint=" + SHA1.hex(":").upper(),
    "of openssl 3": "sha1 Fingerprint=" + SHA1.hex(":").upper(),
    "base64": base64.b64encode(SHA1).decode(),
    "base64url": base64.urlsafe_b64encode(SHA1).decode().rstrip("="),
}


@pytest.mark.parametrize("text", DECORATED.values(), ids=DECORATED)
def test_thumbprints_as_people_paste_them(text):
    assert credential(pem(), thumbprint=text)["thumbprint"].lower() == SHA1.hex()


@pytest.mark.parametrize(
    ("text", "words"),
    [("a1" * 32, "SHA-256"), (base64.b64encode(b"s3cret" * 5 + b"aa").decode(), "SHA-256"), ("s3cret", "40 hex digits"),
     ("a1" * 19, "40 hex digits"), ("a1" * 19 + "a", "40 hex digits"), ("zz" * 20, "40 hex digits")],
)  # fmt: skip
def test_a_thumbprint_that_is_none_is_named_alone(text, words):
    with pytest.raises(Failure, match=words) as caught:
        credential(pem(), thumbprint=text)
    assert caught.value.sentence.startswith("thumbprint")
    assert text not in caught.value.sentence


def test_a_certificate_is_taken_rather_than_a_thumbprint_or_a_secret():
    made = credential(BOTH, thumbprint="nonsense", secret="s")
    assert set(made) == {"private_key", "public_certificate"}


def test_a_negative_serial_number_is_no_warning_every_night(recwarn, daemon, monkeypatch, tenant):
    monkeypatch.setattr(graph_daemon.x509, "load_pem_x509_certificate", warn_and(x509.load_pem_x509_certificate))
    assert daemon("--select", "id")[0] == 0
    assert not [one for one in recwarn if issubclass(one.category, CryptographyDeprecationWarning)]


def warn_and(load):
    def loaded(data):
        import warnings  # noqa: PLC0415

        warnings.warn("Parsed a negative serial number", CryptographyDeprecationWarning, stacklevel=2)
        return load(data)

    return loaded


@pytest.mark.parametrize(("days", "words"), [(29, "ends on"), (-1, "ended on"), (31, None), (365, None)])
def test_the_end_of_a_certificate_is_announced_30_days_before(days, words):
    certificate = forge.certificate(KEY, starts_in_days=-400, ends_in_days=days)
    warning = graph_daemon.expiry_warning(certificate)
    if words:
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        assert f"{words} {end:%Y-%m-%d}" in warning
    else:
        assert warning == ""


def test_a_run_warns_once(daemon, tmp_path, monkeypatch):
    (tmp_path / "soon.pem").write_text(pem() + crt(OLD), encoding="utf-8")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", "soon.pem")
    code, _, log = daemon("-o", "users.jsonl")
    assert log.count("The certificate ends on") == 1
    assert code == graph_daemon.ENTRA  # it is not the one that is registered


def test_an_older_msal_is_named(monkeypatch):
    graph = graph_daemon.Graph(FILLED_IN)
    monkeypatch.setattr(graph_daemon.msal, "__version__", "1.31.1")
    with pytest.raises(Failure, match=r"version of msal is 1\.31\.1; 1\.35") as caught:
        graph.token()
    assert caught.value.exit_code == graph_daemon.SETTINGS
