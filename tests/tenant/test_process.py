"""The practice tenant from outside: how it starts, ends, misbehaves on request, and keeps strangers out.

Every wait is for an event, with a deadline far beyond what it takes.
"""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import forge
import psutil
import pytest
import requests
from chapters import NOTEBOOKS
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from practice import CERTIFICATE, PATIENCE, SECRET, Practice, read_facts, running, start, write_certificate
from practice_tenant import __main__ as command_line
from practice_tenant.options import options_parser, read_settings

pytestmark = pytest.mark.usefixtures("from_nothing")
WINDOWS = os.name == "nt"
# Windows has no SIGTERM to send: there, only the console's own signals reach a process as signals.
NEW_GROUP = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if WINDOWS else {}
SIGNALS = [signal.CTRL_BREAK_EVENT] if WINDOWS else [signal.SIGTERM, signal.SIGINT]
INTERRUPT = signal.CTRL_BREAK_EVENT if WINDOWS else signal.SIGINT


@pytest.fixture(scope="module")
def tenant():
    """One process for the tests that leave it as it was."""
    with running("--users", "300") as tenant:
        yield tenant


@pytest.fixture
def fresh(tenant):
    """The same process, set back before and after."""
    tenant.control("reset")
    yield tenant
    tenant.control("reset")


# --- start ------------------------------------------------------------------------------------------------------


def test_it_prints_one_line_of_json_and_nothing_else_ever(tmp_path):
    with running("--certificate", str(write_certificate(tmp_path)), "--port", "0", **NEW_GROUP) as tenant:
        facts = tenant.facts
        assert list(facts) == [
            "tenant_id", "authority", "graph_endpoint", "ca_certificate", "client_id", "control_url", "control_key",
            "portal_url", "pid"]  # fmt: skip
        assert facts["authority"] == f"https://127.0.0.1:{tenant.port}/{facts['tenant_id']}"
        assert facts["graph_endpoint"] == f"https://127.0.0.1:{tenant.port}/v1.0"
        assert facts["control_url"] == f"https://127.0.0.1:{tenant.port}/control"
        assert facts["pid"] == tenant.process.pid or WINDOWS  # there, a venv's python.exe starts another
        assert Path(facts["ca_certificate"]).read_text(encoding="utf-8").startswith("-----BEGIN CERTIFICATE-----")
        tenant.session.get(facts["authority"] + "/v2.0/.well-known/openid-configuration", timeout=PATIENCE)
        tenant.process.send_signal(SIGNALS[0])
        assert tenant.process.stdout.read() == b""


@pytest.fixture(scope="module")
def without_input():
    """A process without a credential whose input has ended before it starts: its facts and its status."""
    process, stderr = start("--until-stdin-closes", stdin=subprocess.DEVNULL)
    with process, stderr:
        return read_facts(process), process.wait(PATIENCE)


def test_the_client_id_is_null_without_a_credential(without_input):
    facts, _ = without_input
    assert facts["client_id"] is None


def test_only_its_own_user_may_read_the_certificate_file(tenant):
    path = Path(tenant.facts["ca_certificate"])
    if not WINDOWS:  # there, the temporary folder belongs to the user by itself
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_the_options_are_obeyed(tmp_path):
    certificate = str(write_certificate(tmp_path))
    options = "--users 7 --role User.Read.All --role Group.Read.All --latency-ms 150 --throttle"
    with running("--certificate", certificate, "--secret", SECRET, *options.split()) as tenant:
        assert forge.decoded(tenant.token())[1]["roles"] == ["Group.Read.All", "User.Read.All"]
        began = time.monotonic()
        assert tenant.get("/users/$count", ConsistencyLevel="eventual").text == "7"
        assert time.monotonic() - began >= 0.15


def test_role_none_grants_nothing():
    given = read_settings(options_parser().parse_args(["--role", "none"]))
    assert Practice(roles=given.roles).get("/v1.0/users").status == 403


def test_without_the_option_there_is_no_portal(tenant):
    assert tenant.facts["portal_url"] is None
    url = f"{tenant.facts['authority']}/oauth2/v2.0/devicecode"
    fields = {"client_id": "14d82eec-204b-4c2f-b7e8-296a70dab67e", "scope": "User.Read"}  # Graph Command Line Tools
    codes = tenant.session.post(url, fields, timeout=PATIENCE).json()
    assert codes["verification_uri"] == f"{tenant.origin}/common/oauth2/deviceauth"


# --- mistakes on the command line -------------------------------------------------------------------------------

MISTAKES = {  # name: arguments (made in a folder), words of the one line
    "unknown option": (lambda folder: ["--nonsense"], "--nonsense"),
    "no such certificate": (lambda folder: ["--certificate", str(folder / "none.crt")], "check the path"),
    "a folder as certificate": (lambda folder: ["--certificate", str(folder)], "check the path"),
    "a private key as certificate": (lambda folder: ["--certificate", private_key(folder)], "not the private key"),
    "an empty file as certificate": (lambda folder: ["--certificate", empty(folder)], "holds no certificate"),
    "unknown role": (lambda folder: ["--role", "User.Read"], "role 'User.Read' is not known here"),
    "role none beside another": (lambda folder: ["--role", "none", "--role", "User.Read.All"], "'none' alone"),
    "port too large": (lambda folder: ["--port", "65536"], "a whole number from 0 to 65535 is needed"),
    "port no number": (lambda folder: ["--port", "http"], "a whole number"),
    "users negative": (lambda folder: ["--users", "-1"], "--users"),
    "latency no number": (lambda folder: ["--latency-ms", "1.5"], "a whole number"),
}


def private_key(folder):
    path = folder / "server.pem"
    path.write_bytes(forge.private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


def empty(folder):
    path = folder / "empty.crt"
    path.touch()
    return str(path)


def assert_one_line(stderr, words):
    assert stderr.count("\n") == 1, stderr
    assert stderr.startswith("practice_tenant: ")
    assert words in stderr


@pytest.mark.parametrize("name", MISTAKES)
@pytest.mark.usefixtures("own_signals")
def test_a_mistake_is_told_in_one_line_with_status_2(capsys, tmp_path, name):
    arguments, words = MISTAKES[name]
    with pytest.raises(SystemExit) as ended:
        command_line.main(arguments(tmp_path))
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert_one_line(shown.err, words)


def test_a_port_in_use_is_told_in_one_line_with_status_2(tenant):
    process, stderr = start("--port", str(tenant.port))
    with process, stderr:
        assert process.wait(PATIENCE) == 2
        assert process.stdout.read() == b""
        stderr.seek(0)
        assert_one_line(stderr.read().decode().replace("\r\n", "\n"), f"port {tenant.port} on 127.0.0.1")


# --- end --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", SIGNALS, ids=lambda sent: sent.name)
def test_it_ends_within_a_second_and_leaves_no_file(sent):
    with running(**NEW_GROUP) as tenant:
        folder = Path(tenant.facts["ca_certificate"]).parent
        assert tenant.get("/users?$top=1").status_code == 200  # a connection that is kept alive must not hold it up
        tenant.control("faults", {"target": "graph", "delay_ms": 60_000})
        with unanswered(tenant):
            tenant.process.send_signal(sent)
            assert tenant.process.wait(1) == 0
        assert not folder.exists()
        assert tenant.log() == ""


@contextmanager
def unanswered(tenant):
    """A request whose answer does not come for a minute."""
    with connection(tenant) as client:
        client.sendall(f"GET /v1.0/users HTTP/1.1\r\nHost: 127.0.0.1:{tenant.port}\r\n\r\n".encode())
        seen = 0
        deadline = time.monotonic() + PATIENCE
        while seen < 3 and time.monotonic() < deadline:  # the token, the first page, and this one
            seen = len(tenant.control("requests")["requests"])
        yield


@pytest.mark.usefixtures("own_signals")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=lambda sent: sent.name)
def test_a_signal_while_it_starts_ends_it_with_status_0_and_leaves_no_file(monkeypatch, tmp_path, sent):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def ask_to_end(*_):
        assert [path.name for folder in tmp_path.iterdir() for path in folder.iterdir()] == ["ca.pem"]
        signal.raise_signal(sent)

    monkeypatch.setattr(command_line, "Server", ask_to_end)
    with pytest.raises(SystemExit) as ended:
        command_line.main([])
    assert ended.value.code == 0
    assert list(tmp_path.iterdir()) == []


def test_a_child_of_a_notebook_survives_stop_and_ends_with_its_input():
    with running("--until-stdin-closes", stdin=subprocess.PIPE, **NEW_GROUP) as tenant:
        folder = Path(tenant.facts["ca_certificate"]).parent
        tenant.process.send_signal(INTERRUPT)
        assert tenant.get("/users?$top=1").status_code == 200
        tenant.process.stdin.close()
        assert tenant.process.wait(PATIENCE) == 0
        assert not folder.exists()


def test_a_child_ends_when_its_parent_is_killed():
    parent_code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'practice_tenant', '--until-stdin-closes'],"
        " stdin=subprocess.PIPE)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", parent_code], cwd=NOTEBOOKS, stdout=subprocess.PIPE)
    with parent:
        facts = read_facts(parent)
        guard = threading.Timer(PATIENCE, psutil.Process(facts["pid"]).kill)
        guard.start()
        parent.kill()
        assert parent.stdout.read() == b""  # the child inherited this pipe: it ends with the last of the two
        guard.cancel()
    assert not Path(facts["ca_certificate"]).exists()  # killed by the guard, it could not have removed it


def test_an_input_that_has_ended_before_the_start_ends_it_at_once(without_input):
    facts, status = without_input
    assert facts["pid"]
    assert status == 0


# --- who may talk to it -----------------------------------------------------------------------------------------


def test_it_listens_on_loopback_alone(tenant):
    listening = [one for one in psutil.Process(tenant.facts["pid"]).net_connections("inet") if one.status == "LISTEN"]
    assert [(one.laddr.ip, one.laddr.port) for one in listening] == [("127.0.0.1", tenant.port)]


@pytest.mark.parametrize("host", ["practice.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.example:{port}", ""])
def test_another_host_than_its_own_is_refused(tenant, host):
    headers = {"Host": host.format(port=tenant.port), "X-Practice-Key": tenant.facts["control_key"]}
    for url in (tenant.facts["authority"], tenant.facts["control_url"] + "/requests"):
        answer = tenant.session.get(url, headers=headers, timeout=PATIENCE)
        assert answer.status_code == 421
        assert tenant.facts["control_key"] not in answer.text


def test_the_name_localhost_is_its_own(tenant):
    url = tenant.facts["graph_endpoint"].replace("127.0.0.1", "localhost") + "/users?$top=1&$select=id"
    answer = tenant.session.get(url, headers={"Authorization": f"Bearer {tenant.token()}"}, timeout=PATIENCE)
    assert answer.json()["@odata.nextLink"].startswith(f"https://localhost:{tenant.port}/v1.0/users?")


@pytest.mark.parametrize("key", [None, "", "guess", "ключ".encode()])
@pytest.mark.parametrize("name", ["requests", "faults", "clock", "roles", "app", "token-lifetime", "reset", "nothing"])
def test_control_without_the_key_is_401_and_nothing_is_done(fresh, key, name):
    fresh.control("token-lifetime", {"seconds": 77})
    body = {"target": "graph", "status": 500, "shift_seconds": 99, "revoke": "User.Read.All", "action": "remove",
            "seconds": 5, "user_code": "A"}  # fmt: skip
    headers = {} if key is None else {"X-Practice-Key": key}
    method = "GET" if name == "requests" else "POST"
    answer = fresh.session.request(
        method, f"{fresh.facts['control_url']}/{name}", json=body, headers=headers, timeout=PATIENCE
    )
    assert answer.status_code == 401
    assert list(answer.json()) == ["error"]
    assert fresh.get("/users?$top=1").status_code == 200
    claims = forge.decoded(fresh.token())[1]
    assert claims["exp"] - claims["nbf"] == 377
    assert claims["roles"] == ["User.Read.All"]


# --- control ----------------------------------------------------------------------------------------------------


def refused(tenant, name, body, method="POST"):
    headers = {"X-Practice-Key": tenant.facts["control_key"]}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{tenant.facts['control_url']}/{name}"
    answer = tenant.session.request(method, url, data=data, headers=headers, timeout=PATIENCE)
    assert answer.json()["error"].endswith(".")
    return answer.status_code


@pytest.mark.parametrize(
    ("name", "body"),
    [("faults", {}), ("faults", {"target": "mail"}), ("faults", {"target": "graph", "status": 200}),
     ("faults", {"target": "graph", "count": 0}), ("faults", {"target": "graph", "cut": "yes"}),
     ("faults", {"target": "graph", "delay_ms": -1}), ("clock", {}), ("clock", {"shift_seconds": True}),
     ("clock", {"shift_seconds": 1e12}), ("clock", b'{"shift_seconds": NaN}'), ("roles", {}),
     ("roles", {"grant": "User.Read"}), ("roles", {"grant": ["User.Read.All"]}), ("app", {"action": "explode"}),
     ("token-lifetime", {}), ("token-lifetime", {"seconds": 0}), ("token-lifetime", {"seconds": "60"}),
     ("reset", []), ("reset", b"{"), ("reset", b"\xff"), ("reset", b"[" * 100_000)],
)  # fmt: skip
def test_a_control_call_that_does_not_fit_is_400_with_a_sentence(fresh, name, body):
    assert refused(fresh, name, body) == 400
    assert fresh.get("/users?$top=1").status_code == 200


def test_a_control_call_that_does_not_exist_is_404_and_a_wrong_method_405(tenant):
    assert refused(tenant, "nothing", {}) == 404
    assert refused(tenant, "requests", {}, "POST") == 405
    assert refused(tenant, "reset", {}, "GET") == 405


def test_requests_tells_what_the_tenant_saw_without_a_secret(fresh):
    token = fresh.token()
    fresh.session.get(fresh.facts["graph_endpoint"] + "/users?$top=2", headers={"Authorization": f"Bearer {token}"},
                      timeout=PATIENCE)  # fmt: skip
    asked, read = fresh.control("requests")["requests"]
    assert asked.pop("time") <= read.pop("time")
    assert asked == {
        "party": "entra", "method": "POST", "path": f"/{fresh.facts['tenant_id']}/oauth2/v2.0/token", "query": "",
        "status": 200, "credential": "client_secret",
        "form": {"client_id": fresh.facts["client_id"], "grant_type": "client_credentials",
                 "scope": "https://graph.microsoft.com/.default"},
    }  # fmt: skip
    assert read == {"party": "graph", "method": "GET", "path": "/v1.0/users", "query": "$top=2", "status": 200}
    shown = json.dumps(fresh.control("requests"))
    assert SECRET not in shown
    assert token.split(".")[2] not in shown


def test_clock_shifts_the_tenants_time(fresh):
    token = fresh.token()
    assert fresh.control("clock", {"shift_seconds": 7200}) == {"shift_seconds": 7200}
    headers = {"Authorization": f"Bearer {token}"}
    answer = fresh.session.get(fresh.facts["graph_endpoint"] + "/users", headers=headers, timeout=PATIENCE)
    assert answer.json()["error"]["message"] == "Lifetime validation failed, the token is expired."
    assert fresh.get("/users?$top=1").status_code == 200


def test_roles_grants_and_revokes(fresh):
    assert fresh.control("roles", {"revoke": "User.Read.All"}) == {"roles": []}
    assert fresh.get("/users").status_code == 403
    answer = fresh.control("roles", {"grant": "Directory.Read.All", "revoke": "User.Read.All"})
    assert answer == {"roles": ["Directory.Read.All"]}
    assert fresh.get("/users?$top=1").status_code == 200


def test_app_disables_enables_and_removes(fresh):
    token_url = f"{fresh.facts['authority']}/oauth2/v2.0/token"
    fields = {"client_id": fresh.facts["client_id"], "client_secret": SECRET, "grant_type": "client_credentials",
              "scope": "https://graph.microsoft.com/.default"}  # fmt: skip
    seen = []
    for action in ("disable", "enable", "remove"):
        fresh.control("app", {"action": action})
        seen.append(fresh.session.post(token_url, fields, timeout=PATIENCE).json().get("error_codes"))
    assert seen == [[7000112], None, [700016]]
    assert refused(fresh, "app", {"action": "enable"}) == 409


def test_reset_brings_everything_back_and_keeps_old_tokens_good(fresh):
    token = fresh.token()
    fresh.control("clock", {"shift_seconds": 60})
    fresh.control("app", {"action": "remove"})
    fresh.control("faults", {"target": "graph", "status": 500})
    assert fresh.control("reset") == {}
    assert fresh.control("requests") == {"requests": []}
    headers = {"Authorization": f"Bearer {token}"}
    url = fresh.facts["graph_endpoint"] + "/users?$top=1"
    assert fresh.session.get(url, headers=headers, timeout=PATIENCE).status_code == 200


# --- faults -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_graph_fails_as_often_as_it_was_told_with_retry_after(fresh, status):
    fresh.control("faults", {"target": "graph", "status": status, "retry_after": 3, "count": 2, "skip": 1})
    answers = [fresh.get("/users?$top=1") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, status, status, 200]
    assert answers[1].headers["Retry-After"] == "3"
    assert "Retry-After" not in answers[0].headers
    body = answers[1].json()["error"]
    assert body["code"] == ("TooManyRequests" if status == 429 else "UnknownError")
    assert (body["innerError"]["code"] == "429") if status == 429 else body["innerError"]["request-id"]


@pytest.mark.parametrize(("status", "retry_after"), [(429, "60"), (503, None)])
def test_the_token_endpoint_fails_in_plain_text(fresh, status, retry_after):
    fresh.control("faults", {"target": "token", "status": status})
    url = f"{fresh.facts['authority']}/oauth2/v2.0/token"
    answer = fresh.session.post(url, {}, timeout=PATIENCE)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, retry_after)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (answer.text == "Too Many Requests") is (status == 429)
    assert fresh.session.post(url, {}, timeout=PATIENCE).status_code == 400


def test_a_cut_connection_breaks_off_in_the_middle_of_the_body(fresh):
    fresh.control("faults", {"target": "graph", "cut": True})
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        fresh.get("/users?$top=999")
    assert fresh.get("/users?$top=999").status_code == 200


def test_a_corrupt_page_arrives_whole_but_is_no_json(fresh):
    fresh.control("faults", {"target": "graph", "corrupt": True})
    answer = fresh.get("/users")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert fresh.get("/users").json()["value"]


def test_a_slow_answer_comes_late_and_is_good(fresh):
    fresh.control("faults", {"target": "graph", "delay_ms": 200})
    began = time.monotonic()
    assert fresh.get("/users?$top=1").status_code == 200
    assert time.monotonic() - began >= 0.2


def test_an_expired_page_token_waits_for_a_request_that_has_one(fresh):
    fresh.control("faults", {"target": "graph", "expired_page_token": True})
    page = fresh.get("/users?$top=5").json()
    link = page["@odata.nextLink"].removeprefix(fresh.facts["graph_endpoint"])
    answer = fresh.get(link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Directory_ExpiredPageToken")
    assert fresh.get(link).status_code == 200


def test_faults_stand_in_line(fresh):
    fresh.control("faults", {"target": "graph", "status": 503})
    assert fresh.control("faults", {"target": "graph", "status": 504}) == {"waiting": 2}
    assert [fresh.get("/users?$top=1").status_code for _ in range(3)] == [503, 504, 200]


# --- what no client would send ----------------------------------------------------------------------------------


@contextmanager
def connection(tenant):
    """A TLS connection to write bytes to."""
    context = ssl.create_default_context(cafile=tenant.facts["ca_certificate"])
    with (
        socket.create_connection(("127.0.0.1", tenant.port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        yield client


def first_line(tenant, data):
    """What the server says to these bytes: the status line, empty when it hangs up without a word."""
    received = b""
    with connection(tenant) as client:
        try:
            client.sendall(data)
            while chunk := client.recv(65_536):
                received += chunk
        except OSError:  # it hung up while we were still sending
            pass
    return received.partition(b"\r\n")[0].decode()


def request(line="GET /v1.0/users HTTP/1.1", *headers, body=b""):
    return lambda port: (
        "\r\n".join([line, f"Host: 127.0.0.1:{port}", "Connection: close", *headers, "", ""]).encode("latin-1") + body
    )


HOSTILE = {
    "a long line": (request(f"GET /v1.0/users?{'x' * 70_000} HTTP/1.1"), "414"),
    "a very long line": (request(f"GET /{'x' * 1_000_000} HTTP/1.1"), "414"),
    "a long header": (request("GET /v1.0/users HTTP/1.1", f"Authorization: Bearer {'x' * 100_000}"), "431"),
    "ten thousand headers": (request("GET /v1.0/users HTTP/1.1", *[f"X-{i}: 1" for i in range(10_000)]), "431"),
    "a header without end": (request("GET /v1.0/users HTTP/1.1", f"X: {'x' * 3_000_000}"), ""),
    "a body of five megabytes": (
        request("POST /v1.0/users HTTP/1.1", "Content-Length: 5000000", body=b"x" * 5_000_000), "413"),
    "a body of a gigabyte, announced": (request("POST /v1.0/users HTTP/1.1", f"Content-Length: {2**30}"), "413"),
    "a negative length": (request("POST /v1.0/users HTTP/1.1", "Content-Length: -1"), "400"),
    "two lengths": (request("POST /x HTTP/1.1", "Content-Length: 1", "Content-Length: 2", body=b"ab"), "400"),
    "a length and chunks": (
        request("POST /x HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), "400"),
    "a bad chunk": (request("POST /x HTTP/1.1", "Transfer-Encoding: chunked", body=b"zz\r\n\r\n"), "400"),
    "two hosts": (request("GET /v1.0/users HTTP/1.1", "Host: practice.example"), "400"),
    "no host": (lambda port: b"GET /v1.0/users HTTP/1.1\r\n\r\n", "400"),
    "garbage": (lambda port: b"\x00\x01\x02\xff\r\n\r\n", "400"),
    "a zero byte in the path": (request("GET /v1.0/us\0ers HTTP/1.1"), "400"),
    "a line break in a header": (request("GET /v1.0/users HTTP/1.1", "client-request-id: a\rb"), "400"),
    "bytes that are not UTF-8": (request("GET /v1.0/us\xe4rs HTTP/1.1"), "401"),
    "the whole address of another server": (request("GET https://practice.example/v1.0/users HTTP/1.1"), "421"),
    "an address no parser takes": (request("GET https://[/v1.0/users HTTP/1.1"), "421"),
    "CONNECT": (request("CONNECT practice.example:443 HTTP/1.1"), "404"),
    "OPTIONS *": (request("OPTIONS * HTTP/1.1"), "404"),
    "a method nobody knows": (request("BREW /v1.0/users HTTP/1.1"), "401"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_no_client_would_send_is_refused_and_the_next_request_answered(tenant, name):
    data, status = HOSTILE[name]
    line = first_line(tenant, data(tenant.port))
    assert line.split(" ")[1:2] == ([status] if status else [])
    assert tenant.get("/users?$top=1").status_code == 200


def test_plain_http_on_the_https_port_is_dropped(tenant):
    with socket.create_connection(("127.0.0.1", tenant.port), timeout=PATIENCE) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with suppress(ConnectionResetError):
            assert not client.recv(100).startswith(b"HTTP")
    assert tenant.get("/users?$top=1").status_code == 200


def test_head_has_the_headers_of_get_and_no_body(tenant):
    url = tenant.facts["authority"] + "/v2.0/.well-known/openid-configuration"
    answer = tenant.session.head(url, timeout=PATIENCE)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 100


def test_nothing_was_written_to_the_log(tenant):
    """Comes last on purpose: after all of the above, standard error holds no secret and no traceback."""
    log = tenant.log()
    assert "Traceback" not in log
    assert SECRET not in log
    assert "eyJ" not in log
    assert CERTIFICATE.subject.rfc4514_string() not in log
