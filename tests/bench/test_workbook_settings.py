"""The learner's .env and key files: every way to get them wrong is one sentence that says what to do."""

import datetime as dt
import errno
import os
import stat
from pathlib import Path

import pytest
from chapters import ROOT
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from dotenv import dotenv_values
from workbook import PASSPHRASE, WorkbookProblem, keys
from workbook.settings import OPTIONAL, REQUIRED, read_env_file, real_tenant

TENANT, CLIENT = "1b4e28ba-2fa1-41d2-883f-0016d3cca427", "6fa459ea-ee8a-4ca4-894e-db77e160355e"
PASSWORD = "pass${word}#1"
DAY = dt.timedelta(days=1)


def certificate_for(key, start=-DAY, end=DAY):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now + start).not_valid_after(now + end)
    return builder.sign(key, hashes.SHA256())


def pem(part, password=None):
    if isinstance(part, x509.Certificate):
        return part.public_bytes(Encoding.PEM)
    lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return part.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def pfx(key, certificate, password=None):
    lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"test", key, certificate, None, lock)


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def other_key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def certificate(key):
    return certificate_for(key)


@pytest.fixture
def good(tmp_path, key, certificate):
    """The values of a filled-in .env whose certificate file exists."""
    (tmp_path / "both.pem").write_bytes(pem(key) + pem(certificate))
    return {
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_ID": CLIENT,
        "AZURE_CLIENT_CERTIFICATE_PATH": "both.pem",
    }


def problem_with(values, root):
    with pytest.raises(WorkbookProblem) as caught:
        real_tenant(values, root)
    sentence = str(caught.value)
    assert caught.value._render_traceback_() == [sentence]
    assert "\n" not in sentence
    assert PASSWORD not in sentence
    return sentence


# --- the file -----------------------------------------------------------------------------------------------------


def test_no_env_file_means_no_settings(tmp_path):
    assert read_env_file(tmp_path) == {}


def test_env_sample_names_every_setting_and_leaves_it_empty(tmp_path):
    (tmp_path / ".env").write_bytes((ROOT / "env.sample").read_bytes())
    assert read_env_file(tmp_path) == dict.fromkeys((*REQUIRED, *OPTIONAL), "")


def test_each_setting_of_env_sample_has_its_comment():
    lines = (ROOT / "env.sample").read_text(encoding="utf-8").splitlines()
    for name in dotenv_values(ROOT / "env.sample"):
        assert lines[lines.index(f"{name}=") - 1].startswith("# ")


def test_the_environment_does_not_count(tmp_path, monkeypatch):
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    (tmp_path / ".env").write_text("AZURE_CLIENT_ID=\n", encoding="utf-8")
    assert read_env_file(tmp_path) == {"AZURE_CLIENT_ID": ""}


def test_a_password_is_read_as_it_stands(tmp_path):
    (tmp_path / ".env").write_text(f"AZURE_CLIENT_CERTIFICATE_PASSWORD='{PASSWORD}'\n", encoding="utf-8-sig")
    assert read_env_file(tmp_path) == {"AZURE_CLIENT_CERTIFICATE_PASSWORD": PASSWORD}


def test_an_env_file_that_is_not_utf8(tmp_path):
    (tmp_path / ".env").write_text(f"AZURE_TENANT_ID={TENANT}\n", encoding="utf-16")
    with pytest.raises(WorkbookProblem, match="UTF-8"):
        read_env_file(tmp_path)


# --- the values ---------------------------------------------------------------------------------------------------


def test_good_settings(good, tmp_path, certificate):
    settings = real_tenant(good, tmp_path)
    assert (settings.tenant, settings.client_id) == (TENANT, CLIENT)
    assert settings.authority == f"https://login.microsoftonline.com/{TENANT}"
    assert settings.graph_endpoint == "https://graph.microsoft.com/v1.0"
    assert settings.pair.certificate.encode() == pem(certificate)
    assert settings.client_secret is None


def test_secrets_do_not_show(good, tmp_path):
    settings = real_tenant(good | {"AZURE_CLIENT_SECRET": PASSWORD}, tmp_path)
    assert settings.client_secret == PASSWORD
    assert PASSWORD not in repr(settings)
    assert "PRIVATE KEY" not in repr(settings)


@pytest.mark.parametrize("missing", [REQUIRED[:1], REQUIRED[1:2], REQUIRED[2:], REQUIRED[:2]])
def test_partly_filled_in_names_what_is_missing(good, tmp_path, missing):
    sentence = problem_with(good | dict.fromkeys(missing, ""), tmp_path)
    assert [name for name in REQUIRED if name in sentence] == list(missing)


def test_a_misspelt_name_is_pointed_out(good, tmp_path):
    good["AZURE_TENANTID"] = good.pop("AZURE_TENANT_ID")
    assert "Did you mean AZURE_TENANT_ID where it says AZURE_TENANTID?" in problem_with(good, tmp_path)


@pytest.mark.parametrize(
    "tenant", [TENANT[:-1], "contoso", "<your tenant>", "https://contoso.com", "0" * 8 + TENANT[8:] + "0"]
)
def test_a_tenant_that_is_neither_guid_nor_domain(good, tmp_path, tenant):
    sentence = problem_with(good | {"AZURE_TENANT_ID": tenant}, tmp_path)
    assert sentence.startswith("AZURE_TENANT_ID in .env is neither a GUID nor a domain")


def test_common_is_no_tenant(good, tmp_path):
    assert "names no tenant" in problem_with(good | {"AZURE_TENANT_ID": "common"}, tmp_path)


@pytest.mark.parametrize("tenant", ["contoso.onmicrosoft.com", "contoso.co.uk", TENANT.upper()])
def test_tenants_that_are_fine(good, tmp_path, tenant):
    assert real_tenant(good | {"AZURE_TENANT_ID": tenant}, tmp_path).authority.endswith(f"/{tenant}")


@pytest.mark.parametrize(
    "client", ["00000000-0000-0000-0000-000000000000", "keys/server.pem", PASSWORD, f"{{{CLIENT}}}"]
)
def test_a_client_id_that_is_none(good, tmp_path, client):
    sentence = problem_with(good | {"AZURE_CLIENT_ID": client}, tmp_path)
    assert "AZURE_CLIENT_ID" in sentence
    assert client not in sentence


def test_the_tenant_id_pasted_as_client_id(good, tmp_path):
    assert "is the tenant's id" in problem_with(good | {"AZURE_CLIENT_ID": TENANT.upper()}, tmp_path)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("nowhere.pem", "names no file that exists"),
        (".", "names no file that exists"),
        ("C:\temp\new.pem", "write slashes"),
        ("-----BEGIN PRIVATE KEY-----", "write the path"),
    ],
)
def test_a_certificate_path_that_is_wrong(good, tmp_path, value, words):
    sentence = problem_with(good | {"AZURE_CLIENT_CERTIFICATE_PATH": value}, tmp_path)
    assert sentence.startswith("AZURE_CLIENT_CERTIFICATE_PATH")
    assert words in sentence


@pytest.mark.parametrize("value", ["http://login.microsoftonline.com", f"https://login.microsoftonline.com/{TENANT}"])
def test_an_authority_host_that_is_none(good, tmp_path, value):
    assert "AZURE_AUTHORITY_HOST" in problem_with(good | {"AZURE_AUTHORITY_HOST": value}, tmp_path)


@pytest.mark.parametrize("value", ["login.microsoftonline.us", "https://login.microsoftonline.us/"])
def test_authority_hosts_that_are_fine(good, tmp_path, value):
    settings = real_tenant(good | {"AZURE_AUTHORITY_HOST": value}, tmp_path)
    assert settings.authority == f"https://login.microsoftonline.us/{TENANT}"


@pytest.mark.parametrize(
    "value", ["http://graph.microsoft.com/v1.0", "graph.microsoft.com", "https://graph.microsoft.com/v2"]
)
def test_a_graph_endpoint_that_is_none(good, tmp_path, value):
    assert "GRAPH_ENDPOINT" in problem_with(good | {"GRAPH_ENDPOINT": value}, tmp_path)


@pytest.mark.parametrize("tail", ["", "/", "/v1.0", "/v1.0/", "/v1.0/users"])
def test_graph_endpoints_that_are_fine(good, tmp_path, tail):
    settings = real_tenant(good | {"GRAPH_ENDPOINT": f"https://graph.microsoft.us{tail}"}, tmp_path)
    assert settings.graph_endpoint == "https://graph.microsoft.us/v1.0"


# --- the certificate's file ---------------------------------------------------------------------------------------


def with_file(good, folder, data, password=""):
    (folder / "file").write_bytes(data)
    return good | {"AZURE_CLIENT_CERTIFICATE_PATH": "file", "AZURE_CLIENT_CERTIFICATE_PASSWORD": password}


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_files_that_are_fine(good, tmp_path, key, certificate, password):
    locked = pem(key, password)
    files = [
        ("pem", locked + pem(certificate)),
        ("pem", pem(certificate) + locked),
        ("pfx", pfx(key, certificate, password)),
    ]
    for form, data in files:
        pair = real_tenant(with_file(good, tmp_path, data, password), tmp_path).pair
        assert pair.private_key.encode() == pem(key)
        assert (pair.pfx_path is None) == (form == "pem")
        assert pair.passphrase == (password or None)


def test_a_key_that_does_not_belong_to_the_certificate(good, tmp_path, other_key, certificate):
    for data in (pem(other_key) + pem(certificate), pem(certificate) + pem(other_key)):
        assert "does not belong to the certificate" in problem_with(with_file(good, tmp_path, data), tmp_path)


def test_files_that_lack_something_or_are_locked(good, tmp_path, key, certificate):
    cases = [
        (pem(certificate), "", "no private key"),
        (pem(key), "", "no certificate"),
        (pem(key, PASSWORD) + pem(certificate), "", "needs its password"),
        (pem(key, PASSWORD) + pem(certificate), "wrong", "does not open the private key"),
        (pem(key) + pem(certificate), PASSWORD, "leave its password empty"),
        (pem(key)[:600] + b"\n-----END PRIVATE KEY-----\n" + pem(certificate), "", "damaged"),
        (pfx(key, certificate, PASSWORD), "wrong", "nor a PFX that this password opens"),
        (pfx(key, certificate, PASSWORD), "", "nor a PFX that this password opens"),
        (certificate.public_bytes(Encoding.DER), "", "nor a PFX that this password opens"),
        (
            pkcs12.serialize_key_and_certificates(None, None, certificate, None, NoEncryption()),
            "",
            "lacks the private key",
        ),
        (b"", "", "neither PEM nor a PFX"),
    ]
    for data, password, words in cases:
        assert words in problem_with(with_file(good, tmp_path, data, password), tmp_path)


def test_keys_that_entra_refuses(good, tmp_path, key):
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is to be refused
    elliptic = ec.generate_private_key(ec.SECP256R1())
    cases = [
        (small, certificate_for(small), "1024 bits"),
        (elliptic, certificate_for(elliptic), "RSA only"),
        (key, certificate_for(key, -3 * DAY, -DAY), "expired on"),
        (key, certificate_for(key, DAY, 2 * DAY), "check this machine's clock"),
    ]
    for one, certificate, words in cases:
        assert words in problem_with(with_file(good, tmp_path, pem(one) + pem(certificate)), tmp_path)


def test_a_file_that_may_not_be_read(good, tmp_path, monkeypatch):
    def refuse(path):  # instead of a file's mode, which root and Windows do not care about
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "cannot be read" in problem_with(good, tmp_path)


# --- the practice pair: the learner's or a fresh one ----------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_KEYS", str(tmp_path))
    return tmp_path


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_without_files_a_fresh_pair_is_made_once_and_elsewhere(folder):
    pair = keys.practice_pair()
    assert keys.practice_pair() is pair
    assert list(folder.iterdir()) == []
    again = keys.pair_from_file(pair.pfx_path, PASSPHRASE)
    assert (again.private_key, again.certificate) == (pair.private_key, pair.certificate)
    assert pair.certificate_path.read_text() == pair.certificate
    if os.name != "nt":  # Windows keeps no such modes
        assert (mode(pair.private_key_path), mode(pair.pfx_path)) == (0o600, 0o600)


def test_the_learners_three_files_are_used_where_they_are(folder, key, certificate):
    (folder / "server.pem").write_bytes(pem(key))
    (folder / "server.crt").write_bytes(pem(certificate))
    (folder / "server.pfx").write_bytes(pfx(key, certificate, PASSPHRASE))
    pair = keys.practice_pair()
    assert pair.certificate.encode() == pem(certificate)
    assert {pair.private_key_path.parent, pair.certificate_path.parent, pair.pfx_path.parent} == {folder}


@pytest.mark.parametrize("lock", [None, PASSPHRASE])
@pytest.mark.parametrize("pfx_password", [None, "the learner's own"])
def test_what_the_workbook_cannot_open_is_written_anew_elsewhere(folder, key, certificate, lock, pfx_password):
    (folder / "server.pem").write_bytes(pem(key, lock))
    (folder / "server.crt").write_bytes(pem(certificate))
    if pfx_password:
        (folder / "server.pfx").write_bytes(pfx(key, certificate, pfx_password))
    pair = keys.practice_pair()
    assert pair.certificate.encode() == pem(certificate)
    assert pair.pfx_path.parent != folder
    assert pair.private_key_path.read_bytes() == pem(key)


def test_a_learners_pair_that_does_not_fit_is_refused_and_left_alone(folder, other_key, certificate):
    (folder / "server.pem").write_bytes(pem(other_key))
    (folder / "server.crt").write_bytes(pem(certificate))
    with pytest.raises(WorkbookProblem, match=r"does not belong to the certificate.*make them again in chapter 01"):
        keys.practice_pair()
    assert (folder / "server.pem").read_bytes() == pem(other_key)


def test_half_a_pair_does_not_count(folder, key):
    (folder / "server.pem").write_bytes(pem(key))
    assert keys.practice_pair().private_key.encode() != pem(key)


def test_a_private_key_is_never_overwritten(tmp_path):
    keys.write_private(tmp_path / "server.pem", b"first")
    with pytest.raises(FileExistsError):
        keys.write_private(tmp_path / "server.pem", b"second")
    assert (tmp_path / "server.pem").read_bytes() == b"first"
