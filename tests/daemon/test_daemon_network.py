"""What stands between the daemon and Microsoft: proxies, authorities, portals, and answers of every kind."""

import email.utils
import gzip
import http.server
import json
import logging
import ssl
import threading
import time

import graph_daemon
import pytest
import requests
import trustme
import urllib3
from daemon_helpers import FILLED_IN, Waits, ids_of, scripted, settings
from graph_daemon import Failure, Graph

GUID = "4e8f1a6b-93d7-4c25-b0fa-6d1e72c4a895"
OIDC = {
    "token_endpoint": "https://login.microsoftonline.com/x/oauth2/v2.0/token",
    "authorization_endpoint": "https://login.microsoftonline.com/x/oauth2/v2.0/authorize",
    "issuer": "https://login.microsoftonline.com/x/v2.0",
}


# --- Retry-After


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("7", 7), ("0", 0), ("2.128", 2.128), ("-5", 1), ("nan", 1), ("inf", 1), ("soon", 1), ("", 1), ("\u0667", 1),
     ("Thu, 01 Jan 1970 00:00:00 GMT", 1), ("Thu, 99 Foo 2026", 1)],
)  # fmt: skip
def test_retry_after(asked, waited):
    assert graph_daemon.seconds_to_wait(asked, 1) == waited


def test_retry_after_as_a_date():
    assert 28 < graph_daemon.seconds_to_wait(email.utils.formatdate(time.time() + 30, usegmt=True), 1) < 31


@pytest.mark.parametrize("asked", ["301", "1e9", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_hours_are_the_schedulers_to_wait(asked):
    graph, adapter = scripted((429, {}, {"Retry-After": asked}))
    with pytest.raises(Failure, match="HTTP 429") as caught:
        graph.count()
    assert caught.value.exit_code == graph_daemon.BUSY
    if asked != "1e9":  # no number by RFC 9110
        assert len(adapter.asked) == 1


# --- answers


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 509, 511, 520, 599])
def test_answers_that_may_pass_are_asked_for_again(status):
    graph, _ = scripted((status, {}, {}), (status, b"<html>", {}), b"17")
    assert graph.count() == 17
    assert graph.session.stopping.seconds == [1, 2]


@pytest.mark.parametrize("status", [204, 206, 301, 401, 402, 403, 405, 409, 410, 411, 451, 501])
@pytest.mark.parametrize(
    "body", [b"", b"<html>no</html>", b'{"error": 5}', b'{"error": {"code": 5}}', b"null", b"[" * 9999]
)
def test_other_answers_end_the_run_with_one_sentence(status, body):
    graph, adapter = scripted((status, body, {}))
    with pytest.raises(Failure, match=f"HTTP {status}") as caught:
        ids_of(graph.read_users())
    assert caught.value.exit_code == graph_daemon.GRAPH
    assert len(adapter.asked) <= 2


def test_graphs_refusal_has_what_support_asks_for():
    body = {"error": {"code": "C", "message": "M\nN", "innerError": {"request-id": "R", "date": "D"}}}
    graph, _ = scripted((403, body, {}))
    with pytest.raises(Failure, match=r"permission is missing.*HTTP 403 C: M N \(request-id R, D\)"):
        graph.count()


@pytest.mark.parametrize("body", ["null", "[]", '"5"', "5.5", "{}", "true"])
def test_a_count_that_is_none_is_no_count(body):
    graph, _ = scripted({"value": [{"id": "1"}]}, body.encode())
    assert ids_of(graph.read_users()) == ["1"]


# --- Entra ID


def entra(*answers, **changes) -> Graph:
    graph, adapter = scripted(
        *answers, client_id=GUID, authority="https://login.microsoftonline.com/contoso.example", **changes
    )
    del graph.token
    graph.adapter = adapter
    return graph


GOOD_TOKEN = {"token_type": "Bearer", "expires_in": 3599, "access_token": "secret-token"}


def test_a_good_token():
    assert entra(OIDC, GOOD_TOKEN).token() == "secret-token"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 511])
@pytest.mark.parametrize("start", [[], [OIDC]], ids=["discovery", "token"])
def test_entra_that_is_busy(start, status):
    graph = entra(*start, (status, b"Too Many Requests", {}))
    with pytest.raises(Failure, match=f"Entra ID: HTTP {status}") as caught:
        graph.token()
    assert caught.value.exit_code == graph_daemon.BUSY
    assert entra(*start, (status, b"x", {}), *([] if start else [OIDC]), GOOD_TOKEN).token() == "secret-token"


@pytest.mark.parametrize("start", [[], [OIDC]], ids=["discovery", "token"])
@pytest.mark.parametrize(
    "answer",
    [(403, b"<html>blocked</html>", {}), (302, b"", {"Location": "https://portal.example"}), (404, b"", {}),
     (200, b"<html>Sign in to this Wi-Fi</html>", {}), (200, b"null", {}), (200, b"[]", {}), (400, b"null", {}),
     (501, b"", {}), (200, b'"s3cret"', {}), (400, b'{"no": "error"}', {})],
    ids=str,
)  # fmt: skip
def test_a_page_that_is_not_entras(start, answer):
    graph = entra(*start, answer)
    with pytest.raises(Failure) as caught:
        graph.token()
    assert caught.value.exit_code in (graph_daemon.ENTRA, graph_daemon.BUSY)
    assert "key" not in caught.value.sentence.lower()
    assert len(caught.value.sentence) < 400
    assert len(graph.adapter.asked) <= 7


@pytest.mark.parametrize(
    "result",
    [{}, {"access_token": None}, {"access_token": 5}, {"access_token": ["x"]}, {"access_token": "s3c\nret"},
     {"access_token": "s3cr\u00e9t"}, GOOD_TOKEN | {"expires_in": "soon"}, GOOD_TOKEN | {"expires_in": None},
     GOOD_TOKEN | {"expires_in": []}],
    ids=str,
)  # fmt: skip
def test_a_token_that_is_none(result):
    with pytest.raises(Failure) as caught:
        entra(OIDC, result).token()
    assert caught.value.exit_code == graph_daemon.ENTRA
    assert "s3c" not in caught.value.sentence


@pytest.mark.parametrize(
    "document", [{}, OIDC | {"token_endpoint": 5}, OIDC | {"token_endpoint": "http://x/y"}, OIDC | {"issuer": None}]
)
def test_an_authority_without_addresses(document):
    with pytest.raises(Failure) as caught:
        entra(document, GOOD_TOKEN).token()
    assert caught.value.exit_code == graph_daemon.ENTRA


def test_what_entra_sends_back_of_a_secret_is_not_shown():
    refusal = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret s~ecret value."}
    with pytest.raises(Failure, match="must be the secret's Value") as caught:
        entra(OIDC, (401, refusal, {}), secret="s~ecret").token()
    assert "s~ecret" not in caught.value.sentence


@pytest.mark.parametrize("numbers", [*graph_daemon.CURES], ids=str)
def test_every_refusal_begins_with_plain_words(numbers):
    for number in numbers:
        said = graph_daemon.refusal_of_entra({
            "error": "invalid_client", "correlation_id": "c0ffee",
            "error_description": f"AADSTS{number}: Text.\r\nTrace ID: t\r\nCorrelation ID: c0ffee"})  # fmt: skip
        assert said.startswith(graph_daemon.CURES[numbers])
        assert f"AADSTS{number}: Text." in said and "correlation id c0ffee" in said and "\n" not in said


# --- the connection


class Raises(requests.adapters.HTTPAdapter):
    def __init__(self, error):
        super().__init__()
        self.error, self.times = error, 0

    def send(self, request, **options):
        self.times += 1
        raise self.error


def raising(error) -> tuple[Graph, Raises]:
    graph, _ = scripted()
    adapter = Raises(error)
    graph.session.http.mount("https://", adapter)
    return graph, adapter


def wrapped(reason) -> requests.ConnectionError:
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "https://s3cret", reason))


def untrusted(code, text="self-signed certificate in certificate chain") -> requests.exceptions.SSLError:
    said = f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {text} (_ssl.c:1032) s3cret"
    error = ssl.SSLCertVerificationError(1, said)
    error.verify_code, error.verify_message = code, text
    return requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(None, "u", urllib3.exceptions.SSLError(error)))


HOPELESS = {
    "SOCKS": (requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support."), "PySocks"),
    "proxy address": (requests.exceptions.InvalidProxyURL("s3cret"), "HTTPS_PROXY"),
    "invalid address": (requests.exceptions.InvalidURL("Failed to parse: s3cret"), "HTTPS_PROXY"),
    "urllib3's words": (urllib3.exceptions.LocationParseError("s3cret"), "HTTPS_PROXY"),
    "a label too long": (UnicodeError("label s3cret too long"), "HTTPS_PROXY"),
    "a port": (ValueError("Port could not be cast to integer value as 's3cret'"), "HTTPS_PROXY"),
    "407": (wrapped(urllib3.exceptions.ProxyError("x", OSError("Tunnel connection failed: 407 s3cret"))), "HTTP 407"),
    "403": (wrapped(urllib3.exceptions.ProxyError("x", OSError("Tunnel connection failed: 403 s3cret"))), "HTTP 403"),
    "no bundle": (OSError("Could not find a suitable TLS CA certificate bundle, invalid path: s3cret"), "CA_BUNDLE"),
    "no certificate in the bundle": (
        requests.exceptions.SSLError("[X509: NO_CERTIFICATE_OR_CRL_FOUND] s3cret"),
        "CA_BUNDLE",
    ),
    "no TLS": (wrapped(urllib3.exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER] s3cret")), "No TLS"),
    "unknown issuer": (untrusted(20), "REQUESTS_CA_BUNDLE"),
    "self-signed": (untrusted(19), "REQUESTS_CA_BUNDLE"),
    "host name": (untrusted(62), "another host name"),
    "expired": (untrusted(10), "clock"),
    "not critical": (untrusted(89, "Basic Constraints of CA cert not marked critical"), "Basic Constraints"),
}


@pytest.mark.parametrize(("error", "words"), HOPELESS.values(), ids=HOPELESS)
def test_what_waiting_does_not_cure_is_named_at_once(monkeypatch, error, words):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:s3cret@proxy.example")
    graph, adapter = raising(error)
    with pytest.raises(Failure, match=words) as caught:
        graph.count()
    assert caught.value.exit_code == graph_daemon.SETTINGS
    assert adapter.times == 1
    assert "s3cret" not in caught.value.sentence
    assert caught.value.__suppress_context__


def test_an_authority_that_is_known_is_not_asked_for_again():
    graph, _ = raising(untrusted(89, "Basic Constraints of CA cert not marked critical"))
    with pytest.raises(Failure) as caught:
        graph.count()
    assert "REQUESTS_CA_BUNDLE" not in caught.value.sentence
    graph, _ = raising(untrusted(20))
    with pytest.raises(Failure, match="set REQUESTS_CA_BUNDLE to a file that holds it"):
        graph.count()


PASSING = {
    "DNS": (wrapped(urllib3.exceptions.NameResolutionError("s3cret", None, OSError("x"))), "DNS"),
    "refused": (
        wrapped(urllib3.exceptions.NewConnectionError(None, ConnectionRefusedError(111, "s3cret"))),
        "no connection can be made",
    ),
    "reset": (requests.ConnectionError(ConnectionResetError(104, "s3cret")), "broke"),
    "connect timeout": (requests.ConnectTimeout("s3cret"), "no connection in time"),
    "read timeout": (requests.ReadTimeout("s3cret"), "did not come in time"),
    "proxy is away": (requests.exceptions.ProxyError("s3cret"), "proxy gives no connection"),
    "proxy is ill": (wrapped(urllib3.exceptions.ProxyError("x", OSError("Tunnel connection failed: 503 x"))), "proxy"),
    "chunks": (requests.exceptions.ChunkedEncodingError("s3cret"), "broke"),
    "gzip": (requests.exceptions.ContentDecodingError("s3cret"), "broken"),
}


@pytest.mark.parametrize(("error", "words"), PASSING.values(), ids=PASSING)
def test_what_may_pass_is_tried_again_and_told_once(caplog, error, words):
    graph, adapter = raising(error)
    with caplog.at_level(logging.WARNING, "graph_daemon"), pytest.raises(Failure, match=words) as caught:
        graph.count()
    assert caught.value.exit_code == graph_daemon.BUSY
    assert adapter.times == len(graph_daemon.PAUSES)
    assert len(caplog.records) == 1, "one line for one cause"
    assert "HTTPS_PROXY" in caught.value.sentence
    assert "s3cret" not in caught.value.sentence + caplog.text


# --- a server of one's own


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def serve(authority, tmp_path):
    """Starts a Graph on loopback that answers as it is told."""
    servers = []

    def start(answer) -> Graph:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                answer(self)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()  # seconds until it sees its end
        servers.append(server)
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        graph = Graph(FILLED_IN | {"endpoint": f"https://127.0.0.1:{server.server_port}/v1.0/users"})
        graph.trust_env, graph.verify, graph.session.stopping = False, str(tmp_path / "ca.pem"), Waits()
        graph.token = lambda refused="": "secret-token"
        return graph

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


PAGE = json.dumps({"value": [{"id": str(number)} for number in range(999)]}).encode()


def send(handler, body, **headers):
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def in_chunks(body) -> bytes:
    return b"".join(
        b"%x\r\n%s\r\n" % (len(body[at : at + 500]), body[at : at + 500]) for at in range(0, len(body), 500)
    )


WHOLE = {
    "plain": (PAGE, {"Content_Length": str(len(PAGE))}),
    "until the end": (PAGE, {}),
    "gzip": (gzip.compress(PAGE), {"Content_Encoding": "gzip"}),
    "chunks": (in_chunks(PAGE) + b"0\r\n\r\n", {"Transfer_Encoding": "chunked"}),
    "gzip in chunks": (in_chunks(gzip.compress(PAGE)) + b"0\r\n\r\n",
                       {"Transfer_Encoding": "chunked", "Content_Encoding": "gzip"}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "headers"), WHOLE.values(), ids=WHOLE)
def test_bodies_as_http_has_them(serve, body, headers):
    graph = serve(lambda handler: send(handler, body, **headers))
    page = graph.read(graph.users, graph_daemon.whole_page)
    assert page == PAGE


CUT = {
    "short": (PAGE[:3000], {"Content_Length": str(len(PAGE))}),
    "until the end": (PAGE[:3000], {}),
    "gzip": (gzip.compress(PAGE)[:400], {"Content_Encoding": "gzip"}),
    "gzip, damaged": (b"\x1f\x8b" + b"x" * 500, {"Content_Encoding": "gzip"}),
    "chunks": (in_chunks(PAGE)[:3000], {"Transfer_Encoding": "chunked"}),
    "no chunks": (PAGE, {"Transfer_Encoding": "chunked"}),
}


@pytest.mark.parametrize(("body", "headers"), CUT.values(), ids=CUT)
def test_bodies_that_are_cut_are_never_taken_for_whole(serve, body, headers):
    graph = serve(lambda handler: send(handler, body, **headers))
    with pytest.raises(Failure) as caught:
        ids_of(graph.read_users())
    assert caught.value.exit_code == graph_daemon.BUSY


def test_an_answer_that_never_ends_is_cut_off(serve, monkeypatch):
    def drip(handler):
        send(handler, b"{")
        try:
            while True:
                handler.wfile.write(b" ")
                time.sleep(0.01)
        except OSError:
            pass

    monkeypatch.setattr(graph_daemon, "LONGEST_ANSWER", 0.2)
    graph = serve(drip)
    started = time.monotonic()
    with pytest.raises(Failure, match="did not come in time"):
        graph.count()
    assert time.monotonic() - started < 10


def test_an_answer_that_is_larger_than_any_is_cut_off(serve, monkeypatch):
    monkeypatch.setattr(graph_daemon, "LARGEST_ANSWER", 10_000)
    graph = serve(lambda handler: send(handler, gzip.compress(b"5" + b" " * 10**6), Content_Encoding="gzip"))
    with pytest.raises(Failure, match="did not come in time") as caught:
        graph.count()
    assert caught.value.exit_code == graph_daemon.BUSY


def test_the_token_endpoint_of_the_real_process_with_faults(practice, keys):
    practice.control("faults", {"target": "token", "status": 502, "count": 2, "skip": 1})
    graph = Graph(settings(practice))
    graph.trust_env, graph.verify, graph.session.stopping = False, practice.facts["ca_certificate"], Waits()
    assert graph.token()
    assert graph.session.stopping.seconds == [1, 2]
