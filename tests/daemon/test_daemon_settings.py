"""Settings and the credential: what is taken, what is refused, and that no value is ever shown."""

import os
import sys
import threading

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
        ("server.pfx", "AZURE_CLIENT_CERTIFICATE_PASSWORD does not open it"),
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
    (tmp_path / ".env").write_text(
        "AZURE_CLIENT_ID=from-file\nAZURE_TENANT_ID=t\nAZURE_CLIENT_SECRET=a${HOME}b\n", encoding="utf-8"
    )
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


# --- addresses and clouds


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Reads settings from an environment of nothing but what is given."""
    monkeypatch.chdir(tmp_path)
    for name in (*graph_daemon.ENVIRONMENT.values(), "AZURE_AUTHORITY_HOST"):
        monkeypatch.delenv(name, raising=False)

    def read(**given):
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        return Graph(graph_daemon.read_settings())

    return lambda **given: read(**{"AZURE_TENANT_ID": "contoso.example", "AZURE_CLIENT_ID": "x",
                                   "AZURE_CLIENT_SECRET": "s~ecret"} | given)  # fmt: skip


SPELLINGS = [
    "login.microsoftonline.us", "https://Login.MicrosoftOnline.US", "https://login.microsoftonline.us:443/",
    "https://login.microsoftonline.us//", "https://login.microsoftonline.us/contoso.example",
    "https://login.usgovcloudapi.net", "HTTPS://westus2.login.microsoftonline.us",
]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
def test_hosts_are_compared_as_hosts(environment, host):
    graph = environment(AZURE_AUTHORITY_HOST=host)
    assert graph.users == "https://graph.microsoft.us/v1.0/users"
    assert graph.scope == ["https://graph.microsoft.us/.default"]


@pytest.mark.parametrize(
    ("given", "graph_host"),
    [
        ({"AZURE_AUTHORITY_HOST": "login.chinacloudapi.cn"}, "microsoftgraph.chinacloudapi.cn"),
        ({"AZURE_AUTHORITY_HOST": "login.sovcloud-identity.fr"}, "graph.svc.sovcloud.fr"),
        ({"AZURE_AUTHORITY_HOST": "login.sovcloud-identity.de"}, "graph.svc.sovcloud.de"),
        ({"AZURE_AUTHORITY_HOST": "login.sovcloud-identity.sg"}, "graph.svc.sovcloud.sg"),
        ({"AZURE_AUTHORITY_HOST": "login.microsoftonline.us", "GRAPH_ENDPOINT": "dod-graph.microsoft.us"},
         "dod-graph.microsoft.us"),
        ({"GRAPH_ENDPOINT": "https://graph.microsoft.com/"}, "graph.microsoft.com"),
    ],
)  # fmt: skip
def test_every_cloud_of_the_table(environment, given, graph_host):
    graph = environment(**given)
    assert graph.users == f"https://{graph_host}/v1.0/users"
    assert graph.scope == [f"https://{graph_host}/.default"]


@pytest.mark.parametrize(
    "given",
    [
        {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us", "GRAPH_ENDPOINT": "https://graph.microsoft.com/v1.0"},
        {"GRAPH_ENDPOINT": "https://dod-graph.microsoft.us/v1.0"},
        {"AZURE_AUTHORITY_HOST": "contoso.ciamlogin.com", "GRAPH_ENDPOINT": "https://graph.microsoft.us/v1.0"},
        {"AZURE_AUTHORITY_HOST": "login.chinacloudapi.cn", "GRAPH_ENDPOINT": "https://graph.svc.sovcloud.fr/v1.0"},
    ],
    ids=str,
)
def test_a_pair_of_two_clouds_is_refused(environment, given):
    with pytest.raises(Failure, match="of one cloud"):
        environment(**given)


def test_scope_and_endpoint_name_the_same_host():
    two = {"endpoint": "https://dod-graph.microsoft.us/v1.0/users", "scope": ["https://graph.microsoft.us/.default"]}
    with pytest.raises(Failure, match="endpoint must name the same host of Microsoft Graph as scope"):
        Graph(FILLED_IN | {"authority": "https://login.microsoftonline.us/x"} | two)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in ("AZURE_AUTHORITY_HOST", "GRAPH_ENDPOINT")
        for value in ("http://s3cret.example", "ftp://s3cret.example", "https://user:s3cret@host", "https://s3 cret",
                      "https://h/?s3cret", "https:/s3cret", "https://s3cret:99999999", "https://s3cret\\x/")
    ] + [("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/s3cret"), ("AZURE_TENANT_ID", "https://s3cret/x"),
         ("GRAPH_ENDPOINT", "https://h/v1.0/s3cret"), ("OIDC_AUTHORITY", "http://s3cret/")],
)  # fmt: skip
def test_an_address_that_is_none_is_named_and_not_shown(environment, name, value):
    with pytest.raises(Failure, match=name) as caught:
        environment(**{name: value})
    assert caught.value.exit_code == graph_daemon.SETTINGS
    assert "s3cret" not in caught.value.sentence


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/t", "/t"), ("/t/", "/t"), ("/t/v2.0", "/t"), ("/t/v2.0/", "/t"), ("/t/oauth2/v2.0/token", "/t")],
)
def test_an_authority_copied_from_elsewhere(path, kept):
    graph = Graph(FILLED_IN | {"authority": f"https://Login.microsoftonline.com{path}"})
    assert graph.settings["authority"] == f"https://login.microsoftonline.com{kept}"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_id": "my-app"}, "client_id must be"),
        ({"authority": "https://login.microsoftonline.com/organizations"}, "a daemon belongs to one tenant"),
        ({"authority": "https://login.microsoftonline.com/Common"}, "a daemon belongs to one tenant"),
        ({"authority": "https://login.microsoftonline.com"}, "authority must name the tenant"),
        ({"authority": "https://login.microsoftonline.com/not_a_tenant"}, "authority must name the tenant"),
    ],
)
def test_ids_are_looked_at_before_anything_is_sent(changes, words):
    graph = Graph(FILLED_IN | {"client_id": "4e8f1a6b-93d7-4c25-b0fa-6d1e72c4a895"} | changes)
    graph.session.ask = None
    with pytest.raises(Failure, match=words) as caught:
        graph.token()
    assert caught.value.exit_code == graph_daemon.SETTINGS


# --- parameters.json


SAMPLES = {
    "of 2019, a comma missing": """{
  "authority": "https://login.microsoftonline.com/contoso.example",
  "client_id": "x",
  "scope": [ "https://graph.microsoft.com/.default" ],
  // For more information about scopes for an app, refer:
  // https://docs.microsoft.com/azure/active-directory/develop/scenario-daemon-app-registration

  "secret": "a//b, } c"
  // For information about generating client secret, refer:

  "endpoint": "https://graph.microsoft.com/v1.0/users"
}""",
    "a comma too many": """{"authority": "https://login.microsoftonline.com/contoso.example", "client_id": "x",
        "scope": ["https://graph.microsoft.com/.default",], "secret": "a//b, } c",}""",
    "both authorities": """{"authority": "https://login.microsoftonline.com/contoso.example",
        "oidc_authority": "https://login.microsoftonline.com/Enter_the_Tenant_Name_Here/v2.0", /* one of
        the two */ "client_id": "x", "scope": "https://graph.microsoft.com/.default", "secret": "a//b, } c"}""",
    "line ends in values": """{"authority": "https://login.microsoftonline.com/contoso.example\\n",
        "client_id": " x\\r\\n",
        "secret": "a//b, } c\\n", "thumbprint": null}""",
}


@pytest.mark.parametrize("text", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_files_of_the_classic_sample(tmp_path, text, encoding):
    file = tmp_path / "parameters.json"
    file.write_text(text.replace("\n", "\r\n"), encoding)
    graph = Graph(graph_daemon.read_settings(file))
    assert graph.settings["authority"] == "https://login.microsoftonline.com/contoso.example"
    assert (graph.settings["client_id"], graph.settings["secret"]) == ("x", "a//b, } c")
    assert graph.scope == ["https://graph.microsoft.com/.default"]


@pytest.mark.parametrize("value", [5, 5.5, True, ["s3cret"], {"s3cret": 1}], ids=str)
@pytest.mark.parametrize("name", [*graph_daemon.TEXTS, "scope"])
def test_every_setting_has_its_type(name, value):
    with pytest.raises(Failure, match=name) as caught:
        Graph(FILLED_IN | {name: [value] if name == "scope" else value})
    assert "s3cret" not in caught.value.sentence


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1"), (b"[]", "one object"), (b"null", "one object"), (b'"s3cret"', "one object"),
        (b"s3cret: 1", "line 1"), ("{}".encode("utf-16"), "UTF-16"), (b'{"a": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "one object"), (b"-----BEGIN PRIVATE KEY-----\ns3cret", "line 1"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_parameters_json_is_one_sentence(tmp_path, content, words):
    file = tmp_path / "p.json"
    file.write_bytes(content)
    with pytest.raises(Failure, match=words) as caught:
        graph_daemon.read_settings(file)
    assert "p.json" in caught.value.sentence
    assert "s3cret" not in caught.value.sentence


@pytest.mark.parametrize(
    "value", ["your_client_id", "Enter_the_Application_Id_Here", "<client id>", "0" * 8 + "-0000" * 3 + "-" + "0" * 12]
)
def test_a_placeholder_is_not_filled_in(value):
    with pytest.raises(Failure, match=r"client_id is missing .*\(a placeholder counts as missing\)"):
        Graph(FILLED_IN | {"client_id": value})


# --- .env


def test_an_env_file_in_another_encoding_is_one_sentence(environment, tmp_path):
    for data, words in (("A=1\r\n".encode("utf-16"), "UTF-16"), ("P=sch\xf6n\n".encode("latin-1"), "UTF-8")):
        (tmp_path / ".env").write_bytes(data)
        with pytest.raises(Failure, match=words):
            environment()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_an_env_file_that_is_no_file(environment, tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.mkdir()
    with pytest.raises(Failure, match="is a folder, or"):
        environment()
    file.rmdir()
    file.symlink_to("/run/not-mounted")
    with pytest.raises(Failure, match="link to a file that is not there"):
        environment()
    file.unlink()
    os.mkfifo(file)
    writer = threading.Thread(
        target=lambda: file.write_text("AZURE_AUTHORITY_HOST=login.microsoftonline.us\n", encoding="utf-8")
    )
    writer.start()
    assert environment().scope == ["https://graph.microsoft.us/.default"]
    writer.join()
    monkeypatch.setattr(graph_daemon, "TIMEOUT", (0.2, 1))
    with pytest.raises(Failure, match="nobody writes into it"):
        environment()


def test_a_name_that_is_nearly_right_is_missing_in_the_files_that_were_read(environment, tmp_path):
    (tmp_path / ".env").write_text("AZURE_CLIENTID=s3cret\nAZURE_CLIENT_ID=\n", encoding="utf-8")
    with pytest.raises(Failure, match=r"AZURE_CLIENT_ID is missing in the environment and in .*\.env") as caught:
        environment(AZURE_CLIENT_ID="")
    assert "s3cret" not in caught.value.sentence


def test_a_file_that_notepad_named_env_txt_is_told(environment, tmp_path):
    (tmp_path / ".env.txt").write_text("AZURE_CLIENT_ID=s3cret\n", encoding="utf-8")
    with pytest.raises(Failure, match=r"\.env\.txt is not its name"):
        environment(AZURE_CLIENT_ID="")


def test_env_without_python_dotenv_says_so(environment, tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("A=1\n", encoding="utf-8")
    monkeypatch.setitem(sys.modules, "dotenv", None)
    with pytest.raises(Failure, match="python-dotenv"):
        environment()


def test_what_requests_reads_may_stand_in_env(environment, tmp_path, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    (tmp_path / ".env").write_text("REQUESTS_CA_BUNDLE=company.pem\n", encoding="utf-8")
    environment()
    assert os.environ["REQUESTS_CA_BUNDLE"] == "company.pem"
