"""Settings and the credential: what is taken, what is refused, and that no value is ever shown."""

import graph_daemon
import pytest
from cryptography.hazmat.primitives import hashes
from daemon_helpers import FILLED_IN, PASSWORD, USERS, connected, settings
from graph_daemon import Failure, Graph
from practice import CERTIFICATE, SECRET

SHA1 = CERTIFICATE.fingerprint(hashes.SHA1())  # noqa: S303 - the classic sample's thumbprint


@pytest.mark.parametrize(
    "changes",
    [
        {"private_key_file": "server.pfx", "passphrase": PASSWORD},
        {"private_key_file": "open.pfx", "passphrase": ""},
        {"private_key_file": "server.pem", "passphrase": PASSWORD},  # a password that is not needed does no harm
        {"private_key_file": "locked.pem", "passphrase": PASSWORD},
        {"private_key_file": "key.pem", "thumbprint": SHA1.hex(":").upper()},
        {"secret": SECRET},
    ],
    ids=lambda changes: changes.get("private_key_file", "secret"),  # a thumbprint differs from process to process
)
def test_every_kind_of_credential(practice, keys, changes):
    graph = connected(Graph(settings(practice, folder=keys, **changes)), practice)
    assert graph.count() == USERS


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("server.crt", "holds a certificate but no private key"),  # what is uploaded, without the key
        ("key.pem", "a key without its certificate"),  # the key without its certificate, and no thumbprint
        ("elliptic.pem", "RSA keys only"),
        ("empty.pem", "empty file"),
        ("server.pfx", "Invalid password"),
        ("locked.pem", "Password was not given"),
        ("none.pem", "No such file"),
    ],
)
def test_a_key_that_does_not_fit_is_one_clear_sentence(daemon, keys, monkeypatch, file, words):
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(keys / file))
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "")
    code, out, log = daemon()
    assert (code, out, len(log.splitlines())) == (graph_daemon.SETTINGS, "", 1)
    assert words in log


def test_an_oidc_authority(practice, keys):
    oidc = {"authority": None, "oidc_authority": f"{practice.facts['authority']}/v2.0"}
    assert connected(Graph(settings(practice, **oidc)), practice).count() == USERS


@pytest.mark.parametrize(
    ("login", "resource"),
    [
        ("login.microsoftonline.com", "https://graph.microsoft.com"),
        ("login.microsoftonline.us", "https://graph.microsoft.us"),
        ("login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
        ("contoso.ciamlogin.com", "https://graph.microsoft.com"),
        ("login.contoso.us", "https://graph.microsoft.com"),
    ],
)
def test_every_cloud_has_its_graph(monkeypatch, tmp_path, login, resource):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZURE_CLIENT_ID", "x")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "x")
    monkeypatch.setenv("AZURE_TENANT_ID", "contoso.onmicrosoft.com")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"https://{login}/")
    graph = Graph(graph_daemon.read_settings())
    assert graph.settings["authority"] == f"https://{login}/contoso.onmicrosoft.com"
    assert graph.users == f"{resource}/v1.0/users"
    assert graph.scope == [f"{resource}/.default"]


def test_a_custom_domain_takes_the_place_of_host_and_tenant(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZURE_TENANT_ID", "contoso.onmicrosoft.com")
    monkeypatch.setenv("OIDC_AUTHORITY", "https://login.contoso.example/tenant/v2.0")
    found = graph_daemon.read_settings()
    assert (found["authority"], found["oidc_authority"]) == (None, "https://login.contoso.example/tenant/v2.0")


def test_env_file_fills_in_what_the_environment_does_not_say(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("AZURE_CLIENT_ID=from-file\nAZURE_TENANT_ID=t\nAZURE_CLIENT_SECRET=a${HOME}b\n")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setenv("AZURE_TENANT_ID", "from-environment")
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, "remembered so that it is put back")
        monkeypatch.delenv(name)
    found = graph_daemon.read_settings()
    assert (found["client_id"], found["secret"]) == ("from-file", "a${HOME}b")
    assert found["authority"] == "https://login.microsoftonline.com/from-environment"
    assert found["folder"] == tmp_path
    assert found["endpoint"] == "https://graph.microsoft.com/v1.0/users"


def test_a_token_never_goes_over_plain_http():
    with pytest.raises(Failure, match="https"):
        Graph(FILLED_IN | {"endpoint": "http://graph.microsoft.com/v1.0/users"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "client_id is missing"),
        ({"client_id": "x", "secret": "x"}, "authority or oidc_authority is missing"),
        ({"client_id": "x", "authority": "https://x/y"}, "private_key_file or secret is missing"),
        (FILLED_IN | {"endpoint": "https://graph.microsoft.com/v1.0/me"}, "must be like"),
    ],
)
def test_what_is_not_filled_in_is_one_clear_sentence(given, words):
    with pytest.raises(Failure, match=words) as caught:
        Graph(given)
    assert caught.value.exit_code == graph_daemon.SETTINGS


