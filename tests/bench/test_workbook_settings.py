"""The learner's .env and key files: every way to get them wrong is one sentence that says what to do."""

import base64
import datetime as dt
import errno
import os
import re
import stat
import threading
from pathlib import Path

import graph_daemon
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
from links import link
from workbook import PASSPHRASE, WorkbookProblem, clouds, keys, settings, write_private
from workbook.settings import OPTIONAL, REQUIRED, read_env_file, read_settings, real_tenant, remarks

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


def uncommented(sample):
    return re.sub(r"^#(?=[A-Z_]+=)", "", sample, flags=re.MULTILINE)


def test_env_sample_names_every_setting_and_leaves_it_empty(tmp_path):
    sample = (ROOT / "env.sample").read_text(encoding="utf-8")
    (tmp_path / ".env").write_text(sample, encoding="utf-8")
    assert read_env_file(tmp_path) == dict.fromkeys(REQUIRED, "")  # azure-identity takes an empty secret for a set one
    (tmp_path / ".env").write_text(uncommented(sample), encoding="utf-8")
    assert read_env_file(tmp_path) == dict.fromkeys((*REQUIRED, *OPTIONAL), "")


def test_each_setting_of_env_sample_has_its_comment():
    lines = uncommented((ROOT / "env.sample").read_text(encoding="utf-8")).splitlines()
    for name in (*REQUIRED, *OPTIONAL):
        assert lines[lines.index(f"{name}=") - 1].startswith("# ")


COMPLETE = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_CERTIFICATE_PATH": "both.pem"}


def test_variables_of_the_environment_count_as_they_do_for_the_daemon(tmp_path):
    assert read_settings(tmp_path, COMPLETE | {"AZURE_USERNAME": "x"}) == COMPLETE
    assert remarks(COMPLETE, tmp_path, COMPLETE) == []
    (tmp_path / ".env").write_text("AZURE_CLIENT_ID=other\nAZURE_TENANT_ID=contoso.com\n", encoding="utf-8")
    only_client = {"AZURE_CLIENT_ID": CLIENT}
    assert read_settings(tmp_path, only_client) == {"AZURE_CLIENT_ID": CLIENT, "AZURE_TENANT_ID": "contoso.com"}


def test_a_single_variable_of_a_company_machine_opens_no_tenant(tmp_path):
    variables = {"AZURE_TENANT_ID": TENANT}
    assert read_settings(tmp_path, variables) == {}
    [remark] = remarks({}, tmp_path, variables)
    assert "AZURE_TENANT_ID but not AZURE_CLIENT_ID and AZURE_CLIENT_CERTIFICATE_PATH" in remark


@pytest.mark.parametrize("name", [".env.txt", "env", ".env.sample", "notebooks/.env"])
def test_a_misnamed_or_misplaced_env_file_is_said(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("AZURE_TENANT_ID=contoso.com\n", encoding="utf-8")
    assert read_settings(tmp_path, {}) == {}
    assert [remark.partition(" ")[0] for remark in remarks({}, tmp_path, {})] == [name]
    assert remarks(COMPLETE, tmp_path, {}) == []


def test_an_env_file_that_is_a_folder_or_a_link_to_nothing(tmp_path):
    (tmp_path / ".env").mkdir()
    with pytest.raises(WorkbookProblem, match=r"\.env is a folder"):
        read_env_file(tmp_path)
    (tmp_path / ".env").rmdir()
    link(tmp_path / ".env", tmp_path / "nowhere")
    with pytest.raises(WorkbookProblem, match=r"\.env is a link to a file that is not there"):
        read_env_file(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_an_env_file_that_is_a_pipe_is_read(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / ".env")
    writer = threading.Thread(target=(tmp_path / ".env").write_text, args=["AZURE_CLIENT_ID=x\n"], daemon=True)
    writer.start()
    assert read_env_file(tmp_path) == {"AZURE_CLIENT_ID": "x"}
    writer.join()
    monkeypatch.setattr(settings, "_PIPE_WITHIN", 0.1)
    with pytest.raises(WorkbookProblem, match="nobody writes into it"):
        read_env_file(tmp_path)


def test_a_password_is_read_as_it_stands(tmp_path):
    (tmp_path / ".env").write_text(f"AZURE_CLIENT_CERTIFICATE_PASSWORD='{PASSWORD}'\n", encoding="utf-8-sig")
    assert read_env_file(tmp_path) == {"AZURE_CLIENT_CERTIFICATE_PASSWORD": PASSWORD}


def test_an_env_file_that_is_not_utf8(tmp_path):
    (tmp_path / ".env").write_text(f"AZURE_TENANT_ID={TENANT}\n", encoding="utf-16")
    with pytest.raises(WorkbookProblem, match="UTF-8"):
        read_env_file(tmp_path)


# --- the values ---------------------------------------------------------------------------------------------------


def test_good_settings(good, tmp_path, certificate):
    found = real_tenant(good, tmp_path)
    assert (found.tenant, found.client_id) == (TENANT, CLIENT)
    assert found.authority == f"https://login.microsoftonline.com/{TENANT}"
    assert found.graph_endpoint == "https://graph.microsoft.com/v1.0"
    assert found.pair.certificate.encode() == pem(certificate)
    assert found.client_secret is None


def test_secrets_do_not_show(good, tmp_path):
    found = real_tenant(good | {"AZURE_CLIENT_SECRET": PASSWORD}, tmp_path)
    assert found.client_secret == PASSWORD
    assert PASSWORD not in repr(found)
    assert "PRIVATE KEY" not in repr(found)


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
        ("x" * 5000, "names no file that exists"),
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
    found = real_tenant(good | {"AZURE_AUTHORITY_HOST": value}, tmp_path)
    assert found.authority == f"https://login.microsoftonline.us/{TENANT}"


@pytest.mark.parametrize(
    "value", ["http://graph.microsoft.com/v1.0", "graph.microsoft.com", "https://graph.microsoft.com/v2"]
)
def test_a_graph_endpoint_that_is_none(good, tmp_path, value):
    assert "GRAPH_ENDPOINT" in problem_with(good | {"GRAPH_ENDPOINT": value}, tmp_path)


@pytest.mark.parametrize(
    ("sign_in", "graph"),
    [
        ("login.microsoftonline.us", "graph.microsoft.us"),
        ("https://Login.MicrosoftOnline.US:443/", "graph.microsoft.us"),
        ("login.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn"),
        ("login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
        ("", "graph.microsoft.com"),
        ("login.example.com", "graph.microsoft.com"),
    ],
)
def test_graph_and_scope_follow_the_cloud_that_one_signs_in_to(good, tmp_path, sign_in, graph):
    found = real_tenant(good | {"AZURE_AUTHORITY_HOST": sign_in}, tmp_path)
    assert found.graph_endpoint == f"https://{graph}/v1.0"
    assert found.scope == [f"https://{graph}/.default"]


def test_the_scope_follows_the_endpoint_that_is_named(good, tmp_path):
    dod = {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us", "GRAPH_ENDPOINT": "https://DOD-graph.microsoft.us/v1.0"}
    assert real_tenant(good | dod, tmp_path).scope == ["https://dod-graph.microsoft.us/.default"]
    proxied = {"AZURE_AUTHORITY_HOST": "https://127.0.0.1:8443", "GRAPH_ENDPOINT": "https://127.0.0.1:8443/v1.0"}
    assert real_tenant(good | proxied, tmp_path).scope == ["https://graph.microsoft.com/.default"]


def test_two_clouds_are_refused_together(good, tmp_path):
    sentence = problem_with(good | {"GRAPH_ENDPOINT": "https://graph.microsoft.us/v1.0"} | PUBLIC, tmp_path)
    assert "belong to two clouds, global and US Government" in sentence


PUBLIC = {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com"}


def test_the_daemon_knows_the_same_clouds():
    ours = [(cloud.name, cloud.sign_in, cloud.graph) for cloud in clouds.CLOUDS]
    assert [(cloud.name, cloud.sign_in, cloud.graph) for cloud in graph_daemon.CLOUDS] == ours


def test_a_client_secret_does_without_a_certificate(good, tmp_path):
    del good["AZURE_CLIENT_CERTIFICATE_PATH"]
    found = real_tenant(good | {"AZURE_CLIENT_SECRET": PASSWORD}, tmp_path)
    assert (found.pair, found.client_secret) == (None, PASSWORD)


US = {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}


@pytest.mark.parametrize("tail", ["", "/", "/v1.0", "/v1.0/", "/v1.0/users"])
def test_graph_endpoints_that_are_fine(good, tmp_path, tail):
    found = real_tenant(good | {"GRAPH_ENDPOINT": f"https://graph.microsoft.us{tail}"} | US, tmp_path)
    assert found.graph_endpoint == "https://graph.microsoft.us/v1.0"


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


KINDS = [
    "PEM",
    "PEM with written line ends",
    "base64 of a PFX",
    "base64 of a PEM",
    "base64 in lines",
    "base64url without its end",
]


def contents(key, certificate):
    both = (pem(key) + pem(certificate)).decode()
    container = base64.b64encode(pfx(key, certificate)).decode()
    return {
        "PEM": both,
        "PEM with written line ends": both.replace("\n", "\\n"),
        "base64 of a PFX": container,
        "base64 of a PEM": base64.b64encode(both.encode()).decode(),
        "base64 in lines": "\n".join(container[start : start + 64] for start in range(0, len(container), 64)),
        "base64url without its end": container.replace("+", "-").replace("/", "_").rstrip("="),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_content_in_the_place_of_a_path_is_taken(good, tmp_path, key, certificate, kind):
    values = good | {"AZURE_CLIENT_CERTIFICATE_PATH": contents(key, certificate)[kind]}
    pair = real_tenant(values, tmp_path).pair
    assert pair.certificate.encode() == pem(certificate)
    assert keys.pair_from_file(pair.pfx_path, pair.passphrase).private_key.encode() == pem(key)


def test_content_that_cannot_be_used_is_not_shown(good, tmp_path, other_key):
    expired = certificate_for(other_key, -3 * DAY, -DAY)
    for content in contents(other_key, expired).values():
        sentence = problem_with(good | {"AZURE_CLIENT_CERTIFICATE_PATH": content}, tmp_path)
        assert "expired on" in sentence
        assert content[80:120] not in sentence
        assert len(sentence) < 400


def test_the_right_thing_in_another_envelope_is_named_with_what_opens_it(good, tmp_path, key, certificate):
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    old = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    cases = [
        ((pem(key) + pem(certificate)).decode().replace("\n", "\r\n").encode("utf-16"), "UTF-16"),
        (base64.b64encode(pfx(key, certificate)), "openssl base64 -d -A"),
        (der, "openssl pkey -inform DER"),
        (der + certificate.public_bytes(Encoding.DER), "openssl pkey -inform DER"),
        (old, "openssl pkey -inform DER"),
        (certificate.public_bytes(Encoding.DER), "openssl x509 -inform DER"),
    ]
    for data, words in cases:
        assert words in problem_with(with_file(good, tmp_path, data), tmp_path)


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
    assert pair.certificate_path.read_text(encoding="utf-8") == pair.certificate
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


def test_a_private_file_is_replaced_at_once_when_that_is_wanted(tmp_path):
    path = tmp_path / "cache.bin"
    path.write_text("an older one that anybody may read", encoding="utf-8")
    path.chmod(0o644)
    write_private(str(path), "tokens", replace=True)
    assert path.read_bytes() == b"tokens"
    assert list(tmp_path.iterdir()) == [path]
    if os.name != "nt":
        assert mode(path) == 0o600


def test_a_private_file_that_cannot_be_written_leaves_the_older_one(tmp_path, monkeypatch):
    path = tmp_path / "cache.bin"
    path.write_bytes(b"older")

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keys.os, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"new", replace=True)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"older"]
