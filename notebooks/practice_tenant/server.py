"""The thin adapter between tornado and the emulator: HTTPS on 127.0.0.1, and nothing that knows Entra or Graph."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import sys
import threading
from collections.abc import Callable
from http.client import responses

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets

from .emulator import Emulator, Outcome
from .messages import Answer, Request, host_in
from .tls import LOOPBACK

LARGEST_BODY = 4 * 1024 * 1024  # bytes; Graph's own limit for a request
LARGEST_HEADERS = 64 * 1024  # bytes; chosen, not sourced
READ_BODY, READ_HEADERS = 32 * 1024 * 1024, 2 * 1024 * 1024  # bytes; this much is read, to be refused politely
IDLE_SECONDS, BODY_SECONDS = 120, 30

log = logging.getLogger("practice_tenant")


class Server:
    """The emulator behind a socket.

    Args:
        emulator: answers the requests.
        context: the server's TLS certificate.
        port: TCP port on 127.0.0.1, 0 for a free one.

    Raises:
        OSError: the port is in use.
    """

    def __init__(self, emulator: Emulator, context: ssl.SSLContext, port: int) -> None:
        self._emulator = emulator
        self._sockets = bind_sockets(port, LOOPBACK)
        self.port = self._sockets[0].getsockname()[1]
        self._names = {f"{name}:{self.port}" for name in (LOOPBACK, "localhost")}
        self._http = HTTPServer(
            self._receive,
            ssl_options=context,
            max_body_size=READ_BODY,
            max_header_size=READ_HEADERS,
            max_buffer_size=READ_BODY + READ_HEADERS,
            idle_connection_timeout=IDLE_SECONDS,
            body_timeout=BODY_SECONDS,
        )

    @property
    def origin(self) -> str:
        return f"https://{LOOPBACK}:{self.port}"

    async def serve(self, ready: Callable[[], None], *, until_stdin_closes: bool) -> None:
        """Serve until SIGTERM or Ctrl-C comes, or standard input ends.

        Args:
            ready: called once, when the first request can be answered.
            until_stdin_closes: ignore SIGINT and watch standard input instead. A notebook's Stop button sends
                SIGINT to every process of the kernel's group; the practice tenant must survive it, and must go when
                the kernel goes, however that ends. A pipe that closes is the one sign that works on every system.
        """
        loop, stop = asyncio.get_running_loop(), asyncio.Event()

        def end(*_: object) -> None:
            loop.call_soon_threadsafe(stop.set)

        on_stop_signals(end, ignore_interrupt=until_stdin_closes)
        if until_stdin_closes:
            threading.Thread(target=_wait_for_end_of_input, args=(end,), daemon=True).start()
        self._http.add_sockets(self._sockets)
        ready()
        await stop.wait()
        self._http.stop()

    def _receive(self, received: HTTPServerRequest) -> None:
        asyncio.ensure_future(self._respond(received))  # noqa: RUF006 - the connection keeps the request alive

    async def _respond(self, received: HTTPServerRequest) -> None:
        outcome = self._outcome(received)
        if outcome.delay_ms:
            await asyncio.sleep(outcome.delay_ms / 1000)
        try:
            _send(received, outcome)
        except StreamClosedError:
            log.info("the client went away before the answer")

    def _outcome(self, received: HTTPServerRequest) -> Outcome:
        host = host_in(received.uri) or received.headers.get("Host", "")  # in this order: RFC 9112, 3.2.2
        if host.lower() not in self._names:
            # A web page may bend a name of its own to 127.0.0.1 (DNS rebinding); its Host header gives it away.
            return _refuse(421, "This server answers to 127.0.0.1 only.")
        if sum(len(name) + len(value) for name, value in received.headers.get_all()) > LARGEST_HEADERS:
            return _refuse(431, f"The headers are longer than {LARGEST_HEADERS} bytes.")
        if len(received.body) > LARGEST_BODY:
            return _refuse(413, f"The body is longer than {LARGEST_BODY} bytes.")
        request = Request(
            method=received.method,
            target=received.uri,
            headers={name.lower(): value for name, value in received.headers.items()},
            body=received.body,
            origin=f"https://{host.lower()}",
        )
        try:
            return self._emulator.answer(request)
        except Exception:
            # A fault of the practice tenant itself. The traceback names code only, never what was sent.
            log.exception("%s could not be answered", received.method)
            return _refuse(500, "The practice tenant failed: see its log.")


def on_stop_signals(handler: Callable[..., None], *, ignore_interrupt: bool) -> None:
    """Call `handler` on SIGTERM and, unless they are to be ignored, on Ctrl-C and Windows' Ctrl-Break."""
    signal.signal(signal.SIGTERM, handler)
    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN if ignore_interrupt else handler)


def _refuse(status: int, sentence: str) -> Outcome:
    return Outcome(Answer(status, {"Content-Type": "text/plain"}, sentence.encode()))


def _send(received: HTTPServerRequest, outcome: Outcome) -> None:
    answer, connection = outcome.answer, received.connection
    headers = HTTPHeaders(answer.headers)
    if answer.status != 204:
        headers["Content-Length"] = str(len(answer.body))
    body = b"" if received.method == "HEAD" else answer.body
    start = ResponseStartLine("HTTP/1.1", answer.status, responses.get(answer.status, "Unknown"))
    if outcome.cut:
        stream = connection.detach()
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.get_all())
        half = f"HTTP/1.1 {answer.status} {start.reason}\r\n{lines}\r\n".encode("latin-1") + body[: len(body) // 2]
        stream.write(half).add_done_callback(lambda done: (done.exception(), stream.close()))
        return
    connection.write_headers(start, headers, body)
    connection.finish()


def _wait_for_end_of_input(end: Callable[[], None]) -> None:
    try:
        while sys.stdin.buffer.read(4096):
            pass
    except (OSError, ValueError, AttributeError):  # a closed or missing standard input has ended, too
        pass
    end()
