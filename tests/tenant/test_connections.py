"""The socket in hostile hands: bodies that are too long, slow or unwanted, many connections, old and odd HTTP."""

import asyncio
import json
import socket
import ssl
import time
from contextlib import ExitStack, contextmanager

import psutil
import pytest
from practice import PATIENCE, Practice, running
from practice_tenant import state
from practice_tenant.emulator import Outcome
from practice_tenant.messages import FORM, Answer
from practice_tenant.server import MOST_CONNECTIONS, Server

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def tenant():
    with running("--users", "10") as tenant:
        yield tenant


@contextmanager
def connection(tenant):
    context = ssl.create_default_context(cafile=tenant.facts["ca_certificate"])
    with (
        socket.create_connection(("127.0.0.1", tenant.port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        yield client


def until_closed(client) -> bytes:
    """Everything the server sends until it closes the connection; a test that waits in vain fails with a timeout."""
    received = b""
    while chunk := client.recv(65_536):
        received += chunk
    return received


def head(tenant, line, *headers, host=None) -> bytes:
    return "\r\n".join([line, f"Host: {host or f'127.0.0.1:{tenant.port}'}", *headers, "", ""]).encode()


def is_served(tenant):
    return tenant.session.get(f"{tenant.facts['authority']}/discovery/v2.0/keys", timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /v1.0/users HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /v1.0/users HTTP/1.1\r\nHost: practice.example\r\n\r\n", b"421"),
        (b"POST /v1.0/users HTTP/1.1\r\nHost: practice.example\r\nContent-Length: 5\r\n\r\nhello", b"421"),
    ],
    ids=["no host", "another host", "another host and a body"],
)
def test_a_refused_client_that_would_stay_is_not_left_waiting(tenant, data, status):
    with connection(tenant) as client:
        client.sendall(data)
        answer = until_closed(client)
    assert answer.split(b" ")[1] == status
    assert b"\r\nConnection: close\r\n" in answer


def test_bodies_under_another_name_cost_no_memory(tenant):
    process = psutil.Process(tenant.facts["pid"])
    before = process.memory_info().rss
    with ExitStack() as stack:
        for _ in range(15):
            client = stack.enter_context(connection(tenant))
            length = f"Content-Length: {30 * MEGABYTE}"
            client.sendall(head(tenant, "POST /v1.0/users HTTP/1.1", length, host="practice.example"))
            client.sendall(b"x" * (6 * MEGABYTE))
            assert client.recv(12) == b"HTTP/1.1 421"
        assert process.memory_info().rss - before < 25 * MEGABYTE
    assert is_served(tenant)


def test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_long(tenant):
    with connection(tenant) as client:
        client.sendall(head(tenant, "POST /v1.0/users HTTP/1.1", "Transfer-Encoding: chunked"))
        for _ in range(5):
            client.sendall(b"100000\r\n" + b"x" * MEGABYTE + b"\r\n")
        assert client.recv(12) == b"HTTP/1.1 413"
        client.sendall(b"0\r\n\r\n")
        assert until_closed(client)


def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(tenant):
    with connection(tenant) as client:
        headers = ("Content-Length: 2", "Expect: 100-continue", "Connection: close")
        client.sendall(head(tenant, "POST /v1.0/users HTTP/1.1", *headers))
        go_on = client.recv(65_536)
        client.sendall(b"{}")
        answer = until_closed(client)
    assert go_on.startswith(b"HTTP/1.1 100")
    assert b"HTTP/1.1 401" in answer


@pytest.mark.parametrize("length", [2, 100 * MEGABYTE])
def test_a_client_that_asks_and_is_refused_is_not_told_to_go_on(tenant, length):
    host = "practice.example" if length == 2 else None
    headers = (f"Content-Length: {length}", "Expect: 100-continue")
    with connection(tenant) as client:
        client.sendall(head(tenant, "POST /v1.0/users HTTP/1.1", *headers, host=host))
        answer = until_closed(client)
    assert answer.startswith((b"HTTP/1.1 421", b"HTTP/1.1 413"))
    assert b"100 (Continue)" not in answer


def test_requests_sent_at_once_are_answered_in_turn(tenant):
    paths = ["/common/discovery/v2.0/keys", "/v1.0/users", "/nothing"]
    with connection(tenant) as client:
        client.sendall(b"".join(head(tenant, f"HEAD {path} HTTP/1.1") for path in paths[:-1]))
        client.sendall(head(tenant, f"HEAD {paths[-1]} HTTP/1.1", "Connection: close"))
        answers = until_closed(client)
    statuses = [line.split(b" ")[1] for line in answers.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert statuses == [b"200", b"401", b"404"]


def test_a_client_of_http_1_0_is_answered_and_let_go(tenant):
    with connection(tenant) as client:
        client.sendall(head(tenant, "GET /common/discovery/v2.0/keys HTTP/1.0"))
        assert b'{"keys":[' in until_closed(client)


def test_a_client_that_goes_away_in_the_middle_of_its_body_harms_nobody(tenant):
    for _ in range(20):
        with connection(tenant) as client:
            client.sendall(head(tenant, "POST /v1.0/users HTTP/1.1", "Content-Length: 1000000") + b"x" * 1_000)
    assert is_served(tenant)


def test_more_connections_than_it_takes_are_closed_and_the_next_one_served_when_some_have_gone(tenant):
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", tenant.port), timeout=PATIENCE))
            for _ in range(MOST_CONNECTIONS + 20)
        ]
        assert clients[-1].recv(1) == b""  # closed at once
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            assert is_served(tenant)
            break
        except OSError:  # the server has not seen yet that they are gone
            assert time.monotonic() < deadline
            tenant.session.close()


@pytest.mark.parametrize("fails", [False, True])
def test_work_ahead_begins_when_the_answer_is_out_and_harms_nobody(fails, caplog):
    done = []

    def work():
        done.append(len(done))
        if fails:
            raise RuntimeError("what a person sent")

    async def two_requests():
        server = Server(lambda request: Outcome(Answer(body=b"x" * MEGABYTE, afterwards=work)), None, 0)
        server.listen()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for number in range(2):
            writer.write(f"GET /{number} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(MEGABYTE)
            await until(lambda number=number: len(done) == number + 1)
        writer.close()
        server.close()

    async def until(condition):
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0)

    asyncio.run(two_requests())
    assert done == [0, 1]
    assert ("work ahead failed: RuntimeError" in caplog.text) is fails
    assert "what a person sent" not in caplog.text


def test_the_request_log_keeps_within_its_bytes(monkeypatch):
    monkeypatch.setattr(state, "LOG_BYTES", 20_000)
    practice = Practice(users=3)
    form = "&".join(f"{name}={'é' * 5_000}" for name in ("client_id", "grant_type", "scope")).encode()
    for number in range(100):
        practice.send("POST", f"/{'é' * 3_000}?{number}&{'é' * 3_000}", {"content-type": FORM}, form)
        practice.send("é" * 5_000, f"/v1.0/{'ü' * 3_000}?{'x' * 3_000}", {})
    kept = list(practice.state.log)
    assert 3 < len(kept) == len(practice.state.log) < 20
    assert sum(len(json.dumps(entry, ensure_ascii=False).encode()) for entry in kept) < 22_000
    assert kept[-1]["path"].startswith("/v1.0/ü")
