"""graph_daemon.py --check on tenants and settings that are broken in one place: the right line, the cure, no secret."""

import json
import re
import sys

import forge
import graph_daemon
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from daemon_helpers import PASSWORD, scripted
from practice import CERTIFICATE, SECRET, running, write_certificate

UNKNOWN = "0b1d9f3e-5a47-4c62-9d58-e3f6a1b2c4d7"
STEPS = ["settings", "credential", "Entra ID", "clock", "token", "roles", "first page", "$count"]


@pytest.fixture
def check(daemon, monkeypatch):
    """Runs --check with some variables changed: exit code, and the lines by step as (mark, words)."""

    def run(*arguments: str, **changes: str) -> tuple[int, dict[str, tuple[str, str]]]:
        for name, value in changes.items():
            monkeypatch.setenv(name, value)
        code, out, _ = daemon("--check", *arguments)
        assert SECRET not in out
        lines = [re.fullmatch(r"(\S+) (settings|credential|Entra ID|clock|token|roles|first page|\$count) +(.*)", line)
                 for line in out.splitlines()]  # fmt: skip
        assert all(lines), out
        return code, {line[2]: (line[1], line[3]) for line in lines}

    return run


def only_bad(lines, step, words) -> None:
    """One step is bad, and says so; those before are good, those behind are not tried."""
    assert [name for name, (mark, _) in lines.items() if mark == "\u2717"] == [step], lines
    assert words in lines[step][1], lines[step]


def test_a_tenant_that_is_set_up(check, practice):
    code, lines = check()
    assert code == 0
    assert list(lines) == STEPS
    assert {mark for mark, _ in lines.values()} == {"\u2713"}
    assert "more days" in lines["credential"][1]
    assert "User.ReadWrite.All" in lines["roles"][1]
    assert "2,100 users" in lines["$count"][1]


def test_it_writes_nothing_but_standard_output(check, tmp_path, caplog):
    check()
    assert not list(tmp_path.iterdir())
    assert caplog.text == ""


BROKEN_SETTINGS = {
    "no client id": ({"AZURE_CLIENT_ID": ""}, "AZURE_CLIENT_ID is missing"),
    "no tenant": ({"AZURE_TENANT_ID": ""}, "AZURE_TENANT_ID or OIDC_AUTHORITY is missing"),
    "no credential": ({"AZURE_CLIENT_CERTIFICATE_PATH": ""}, "AZURE_CLIENT_CERTIFICATE_PATH or AZURE_CLIENT_SECRET is"),
    "client id is no GUID": ({"AZURE_CLIENT_ID": "my-app"}, "a GUID"),
    "tenant is a name": ({"AZURE_TENANT_ID": "Contoso"}, "GUID, or its domain"),
    "organizations": ({"AZURE_TENANT_ID": "organizations"}, "belongs to one tenant"),
    "http": ({"AZURE_AUTHORITY_HOST": "http://127.0.0.1"}, "https://"),
    "two clouds": (
        {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us", "GRAPH_ENDPOINT": "graph.microsoft.com"},
        "one cloud",
    ),
}


@pytest.mark.parametrize(("changes", "words"), BROKEN_SETTINGS.values(), ids=BROKEN_SETTINGS)
def test_settings(check, changes, words):
    code, lines = check(**changes)
    assert code == graph_daemon.SETTINGS
    only_bad(lines, "settings", words)
    assert {mark for name, (mark, _) in lines.items() if name != "settings"} == {"-"}


BROKEN_FILES = {
    "no file": ("none.pem", {}, "No such file or directory"),
    "the certificate alone": ("server.crt", {}, "no private key"),
    "the key alone": ("key.pem", {}, "without its certificate"),
    "EC": ("elliptic.pem", {}, "RSA keys only"),
    "empty": ("empty.pem", {}, "empty file"),
    "PFX, wrong password": ("server.pfx", {"AZURE_CLIENT_CERTIFICATE_PASSWORD": "wrong"}, "does not open"),
    "PEM, no password": ("locked.pem", {"AZURE_CLIENT_CERTIFICATE_PASSWORD": ""}, "is missing"),
}


@pytest.mark.parametrize(("file", "changes", "words"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_credential(check, keys, file, changes, words):
    """The authority is tried all the same: a tenant that is half set up is looked at as far as it goes."""
    code, lines = check(AZURE_CLIENT_CERTIFICATE_PATH=str(keys / file), **changes)
    assert code == graph_daemon.SETTINGS
    only_bad(lines, "credential", words)
    assert lines["Entra ID"][0] == lines["clock"][0] == "\u2713"
    assert lines["token"][0] == "-"


@pytest.fixture
def key_file(tmp_path_factory):
    """Writes a key and a certificate made for a test."""

    def write(certificate, key=None) -> str:
        path = tmp_path_factory.mktemp("key") / "server.pem"
        pem = (key or forge.private_key()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
        return str(path)

    return write


def test_a_certificate_that_was_not_uploaded(check, key_file):
    code, lines = check(AZURE_CLIENT_CERTIFICATE_PATH=key_file(forge.certificate()))
    assert code == graph_daemon.ENTRA
    only_bad(lines, "token", "The certificate is not registered on the app: upload it")
    assert "AADSTS700027" in lines["token"][1] and "correlation id" in lines["token"][1]


DATED = {(-400, -1): "ended on", (1, 300): "not valid before", (-300, 9): "ends on"}  # days from now: words


@pytest.fixture(scope="module")
def with_dates(tmp_path_factory):
    """A tenant in which certificates with such dates are registered, and the certificates."""
    folder = tmp_path_factory.mktemp("crt")
    dated = {days: forge.certificate(starts_in_days=days[0], ends_in_days=days[1]) for days in DATED}
    options = ["--users", "20"]
    for number, certificate in enumerate(dated.values()):
        options += ["--certificate", str(write_certificate(folder, certificate, f"{number}.crt"))]
    with running(*options) as tenant:
        yield tenant.facts | {"origin": tenant.origin}, dated


@pytest.fixture(params=DATED, ids=str)
def dated(request, with_dates, key_file):
    """Variables for one of these certificates, its last day, and the words."""
    facts, certificates = with_dates
    return {
        "AZURE_CLIENT_CERTIFICATE_PATH": key_file(certificates[request.param]),
        "AZURE_AUTHORITY_HOST": facts["origin"], "AZURE_TENANT_ID": facts["tenant_id"],
        "AZURE_CLIENT_ID": facts["client_id"], "GRAPH_ENDPOINT": facts["graph_endpoint"],
        "REQUESTS_CA_BUNDLE": facts["ca_certificate"],
    }, request.param[1], DATED[request.param]  # fmt: skip


def test_a_certificate_outside_its_time(dated, check):
    changes, ends, words = dated
    code, lines = check(**changes)
    assert lines["credential"][0] == "!"
    assert words in lines["credential"][1]
    assert code == (0 if ends == 9 else graph_daemon.ENTRA)
    if code:
        only_bad(lines, "token", "expired, or is not valid yet")


ENTRA = {
    "another tenant": ({"AZURE_TENANT_ID": UNKNOWN}, "Entra ID", "The tenant does not exist", "AADSTS90002"),
    "another app": ({"AZURE_CLIENT_ID": UNKNOWN}, "token", "The tenant has no such app", "AADSTS700016"),
    "a secret that is wrong": (
        {"AZURE_CLIENT_CERTIFICATE_PATH": "", "AZURE_CLIENT_SECRET": "its~id"},
        "token",
        "the secret's Value",
        "AADSTS7000215",
    ),
}


@pytest.mark.parametrize(("changes", "step", "words", "number"), ENTRA.values(), ids=ENTRA)
def test_what_entra_refuses(check, changes, step, words, number):
    code, lines = check(**changes)
    assert code == graph_daemon.ENTRA
    only_bad(lines, step, words)
    assert number in lines[step][1]


def test_an_app_that_is_disabled(check, practice):
    practice.control("app", {"action": "disable"})
    code, lines = check()
    assert code == graph_daemon.ENTRA
    only_bad(lines, "token", "The app is disabled")


def test_a_clock_that_is_wrong(check, practice):
    practice.control("clock", {"shift_seconds": 3600})
    code, lines = check()
    assert code == graph_daemon.ENTRA
    assert lines["clock"][0] == "!"
    assert re.search(r"This machine is 3\d{3} seconds behind", lines["clock"][1])
    only_bad(lines, "token", "The clock of this machine")


def test_a_secret_is_taken(check):
    code, lines = check(AZURE_CLIENT_CERTIFICATE_PATH="", AZURE_CLIENT_SECRET=SECRET)
    assert code == 0
    assert "a client secret" in lines["credential"][1]


def test_no_consent(check, practice):
    practice.control("roles", {"revoke": "User.ReadWrite.All"})
    code, lines = check()
    assert code == graph_daemon.GRAPH
    assert lines["roles"][0] == lines["first page"][0] == "\u2717"
    assert "User.Read.All" in lines["roles"][1] and "consents" in lines["roles"][1]
    assert "Authorization_RequestDenied" in lines["first page"][1]
    assert lines["$count"][0] == "-"


@pytest.mark.parametrize(
    ("needs", "code"), [("User.ReadWrite.All", 0), ("Group.Read.All", 4), ("AuditLog.Read.All", 4)]
)
def test_roles_that_are_looked_for(check, needs, code):
    found, lines = check("--needs", needs)
    assert found == code
    if code:
        only_bad(lines, "roles", f"{needs} is missing")
        assert lines["first page"][0] == "\u2713", "Graph's answer tells whether the app may read"


def test_roles_that_a_property_needs():
    assert graph_daemon.needed_roles("id, SIGNINACTIVITY") == [graph_daemon.READ_ROLES, ["AuditLog.Read.All"]]


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a.bnVsbA.c", "a.W10.c", "", "a.eyJyb2xlcyI6NX0.c"])
def test_a_token_that_cannot_be_looked_into_is_no_fault(token):
    assert graph_daemon.roles_in(token) is None


def test_a_property_that_does_not_come(capsys):
    graph, _ = scripted({"value": [{"id": "1", "displayName": "A"}]}, b"1")
    given = graph_daemon.read_arguments(["--check", "--select", "id,displayname,nickname"])
    one = graph_daemon.Check(given, sys.stdout)
    one.graph, one.granted = graph, None
    one.step("roles", one.roles)
    one.step("first page", one.first_page)
    assert "! first page   1 users, but no property nickname: is it spelled right?" in capsys.readouterr().out
    assert one.exit_code == 0


def test_a_filter_that_is_wrong(check):
    code, lines = check("--filter", "surname eq \u2018O'Brien\u2019")
    assert code == graph_daemon.GRAPH
    only_bad(lines, "first page", "straight single quotes")


def test_a_tenant_that_does_not_count(check, practice):
    practice.control("faults", {"target": "graph", "status": 400, "skip": 1})
    code, lines = check()
    assert code == 0
    assert lines["$count"][0] == "!"


@pytest.mark.parametrize(
    ("fault", "step", "code"),
    [
        ({"target": "token", "status": 503}, "Entra ID", graph_daemon.BUSY),
        ({"target": "token", "status": 503, "skip": 2}, "token", graph_daemon.BUSY),
        ({"target": "token", "status": 403}, "Entra ID", graph_daemon.ENTRA),
        ({"target": "graph", "status": 500}, "first page", graph_daemon.BUSY),
        ({"target": "graph", "cut": True}, "first page", graph_daemon.BUSY),
        ({"target": "graph", "status": 404}, "first page", graph_daemon.GRAPH),
    ],
    ids=str,
)
def test_services_that_fail(check, practice, fault, step, code):
    practice.control("faults", {"count": 1000} | fault)
    found, lines = check()
    assert found == code
    only_bad(lines, step, "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}, "set REQUESTS_CA_BUNDLE"),
        ({"REQUESTS_CA_BUNDLE": "no-such-file.pem"}, "must name a file"),
        ({"HTTPS_PROXY": "socks5h://127.0.0.1:1", "NO_PROXY": "", "no_proxy": ""}, "PySocks"),
        ({"HTTPS_PROXY": "http://u:s3cret#1@127.0.0.1:1", "NO_PROXY": "", "no_proxy": ""}, "HTTPS_PROXY"),
        ({"AZURE_AUTHORITY_HOST": "https://127.0.0.1:1"}, "no connection can be made"),
    ],
    ids=str,
)
def test_the_network(check, changes, words):
    _, lines = check(**changes)
    only_bad(lines, "Entra ID", words)
    assert "s3cret" not in json.dumps(lines)


def test_parameters_json(check, practice, tmp_path, keys):
    thumbprint = CERTIFICATE.fingerprint(hashes.SHA1()).hex()  # noqa: S303
    parameters = {
        "authority": practice.facts["authority"],
        "client_id": practice.facts["client_id"],
        "thumbprint": thumbprint,
        "private_key_file": str(keys / "key.pem"),
        "endpoint": f"{practice.facts['graph_endpoint']}/users",
    }
    (tmp_path / "p.json").write_text(json.dumps(parameters), encoding="utf-8")
    code, lines = check("p.json")
    assert code == 0
    assert "thumbprint" in lines["credential"][1]
    (tmp_path / "p.json").write_text("{", encoding="utf-8")
    code, lines = check("p.json")
    assert code == graph_daemon.SETTINGS
    only_bad(lines, "settings", "p.json is not like the sample's parameters.json")


def test_a_screen_without_check_marks(capsys):
    class Ascii:
        encoding = "ascii"

        def __init__(self):
            self.text = ""

        def write(self, text):
            self.text += text

    screen = Ascii()
    one = graph_daemon.Check(graph_daemon.read_arguments(["--check"]), screen)

    def refused():
        raise graph_daemon.Failure(3, "y\nz")

    one.step("settings", lambda: ("good", "x"))
    one.step("token", refused)
    assert screen.text == "ok settings     x\nNO token        y z\n"
    assert one.exit_code == 3


def test_the_password_is_nowhere(check):
    _, lines = check()
    assert PASSWORD not in json.dumps(lines)
