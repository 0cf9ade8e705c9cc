"""The thin adapter between tornado and the emulator: HTTPS on 127.0.0.1, and nothing that knows Entra or Graph.

Whether a request is let in is decided from its headers, before its body is read: who asks under a foreign name, or
with more than Graph takes, costs no memory.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import sys
import threading
import traceback
from asyncio import Future
from collections.abc import Callable
from contextlib import suppress
from http.client import responses
from typing import Any

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError
from tornado.netutil import bind_sockets

from .emulator import LARGEST_BODY, LARGEST_HEADERS, Outcome, plain_refusal
from .messages import Answer, Request, host_in
from .tls import LOOPBACK

READ_BODY, READ_HEADERS = 32 * 1024 * 1024, 2 * 1024 * 1024  # bytes; so much is taken off the wire, to refuse politely
IDLE_SECONDS, BODY_SECONDS = 120, 30
MOST_CONNECTIONS = 256  # at a time; one more is closed at once

log = logging.getLogger("practice_tenant")


class Server(HTTPServerConnectionDelegate):
    """Something that answers requests, behind a socket.

    Args:
        answer: answers one request, see `Emulator.answer`.
        context: the server's TLS certificate; None speaks plain HTTP.
        port: TCP port on 127.0.0.1, 0 for a free one.
        takes_host: whether a request under this Host is let in; None takes the server's own names only.
        refuse: makes of a status and a sentence the refusal of a request that is not let in.

    Raises:
        OSError: the port is in use.
    """

    def __init__(
        self,
        answer: Callable[[Request], Outcome],
        context: ssl.SSLContext | None,
        port: int,
        *,
        takes_host: Callable[[str], bool] | None = None,
        refuse: Callable[[int, str], Answer] = plain_refusal,
    ) -> None:
        self._answer = answer
        self._takes_host = takes_host or self._is_own_name
        self.refuse = refuse
        self._sockets = bind_sockets(port, LOOPBACK)
        self.port = self._sockets[0].getsockname()[1]
        self.scheme = "http" if context is None else "https"
        self._names = {f"{name}:{self.port}" for name in (LOOPBACK, "localhost")}
        self._http = _CappedServer(
            self,
            ssl_options=context,
            max_body_size=READ_BODY,
            max_header_size=READ_HEADERS,
            max_buffer_size=READ_BODY + READ_HEADERS,
            idle_connection_timeout=IDLE_SECONDS,
            body_timeout=BODY_SECONDS,
        )

    @property
    def origin(self) -> str:
        """``https://127.0.0.1:PORT``."""
        return f"{self.scheme}://{LOOPBACK}:{self.port}"

    def listen(self) -> None:
        """Take connections from now on."""
        self._http.add_sockets(self._sockets)

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
        self.listen()
        ready()
        await stop.wait()
        self.close()

    def close(self) -> None:
        """Take no more connections."""
        self._http.stop()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        if not isinstance(request_conn, HTTP1Connection):
            raise TypeError("tornado's HTTPServer speaks HTTP/1 only")
        return _Exchange(self, request_conn)

    def refusal(self, start: RequestStartLine, headers: HTTPHeaders) -> Answer | None:
        """Why a request is not let in, as far as its head tells; None when it is."""
        if len(headers.get_list("Host")) != 1:  # RFC 9112, 3.2: none, or more than one
            return self.refuse(400, "Name the host once.")
        if not self._takes_host(_host(start, headers)):
            # A web page may bend a name of its own to 127.0.0.1 (DNS rebinding); its Host header gives it away.
            return self.refuse(421, "This server answers to 127.0.0.1 only.")
        if sum(len(name) + len(value) for name, value in headers.get_all()) > LARGEST_HEADERS:
            return self.refuse(431, f"The headers are longer than {LARGEST_HEADERS} bytes.")
        announced = headers.get("Content-Length", "0")
        if announced.isdigit() and int(announced) > LARGEST_BODY:
            return self.too_large()
        return None

    def too_large(self) -> Answer:
        """The refusal of a body that is longer than Graph takes."""
        return self.refuse(413, f"The body is longer than {LARGEST_BODY} bytes.")

    def _is_own_name(self, host: str) -> bool:
        return host in self._names

    def outcome(self, start: RequestStartLine, headers: HTTPHeaders, body: bytes) -> Outcome:
        """The answer to a request that was let in."""
        request = Request(
            method=start.method,
            target=start.path,
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
            origin=f"{self.scheme}://{_host(start, headers)}",
        )
        try:
            return self._answer(request)
        except Exception as error:
            # A fault of the practice tenant itself. What it says may quote what was sent, so only its kind is told.
            log.error("%s could not be answered: %s", start.method, _where(error))
            return Outcome(self.refuse(500, "The practice tenant failed: see its log."))


class _CappedServer(HTTPServer):
    """An HTTP server that takes no more than `MOST_CONNECTIONS` at a time."""

    def initialize(self, *arguments: Any, **options: Any) -> None:
        self._streams: set[IOStream] = set()
        super().initialize(*arguments, **options)

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        if len(self._streams) >= MOST_CONNECTIONS:
            self._streams = {one for one in self._streams if not one.closed()}
        if len(self._streams) >= MOST_CONNECTIONS:
            stream.close()
            return
        self._streams.add(stream)
        super().handle_stream(stream, address)


class _Exchange(HTTPMessageDelegate):
    """One request as it comes in, and its answer."""

    def __init__(self, server: Server, connection: HTTP1Connection) -> None:
        self._server = server
        self._connection = connection
        self._body = bytearray()
        self._refused = False

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        self._start, self._headers = start_line, headers
        refusal = self._server.refusal(start_line, headers)
        if refusal:
            self._refuse(refusal)

    def data_received(self, chunk: bytes) -> None:
        if self._refused:
            return
        self._body += chunk
        if len(self._body) > LARGEST_BODY:  # a chunked body does not say in advance how long it is
            self._body.clear()
            self._refuse(self._server.too_large())

    def finish(self) -> None:
        if self._refused:
            asyncio.ensure_future(self._hang_up())  # noqa: RUF006 - the connection keeps the request alive
            return
        asyncio.ensure_future(self._respond())  # noqa: RUF006 - the connection keeps the request alive

    def on_connection_close(self) -> None:
        self._body.clear()

    def _refuse(self, refusal: Answer) -> None:
        """Answer at once; what still comes is read and dropped, so that the client gets to see the answer."""
        self._refused = True
        refusal.headers["Connection"] = "close"
        self._refusal_sent = _write_head(self._connection, self._start.method, refusal)
        if "Expect" in self._headers:  # the client waits to be asked for its body, and is not asked
            self._connection.finish()

    async def _hang_up(self) -> None:
        """Close the connection, as the refusal has announced, once it is sent."""
        with suppress(StreamClosedError):
            await self._refusal_sent
        self._connection.detach().close()

    async def _respond(self) -> None:
        outcome = self._server.outcome(self._start, self._headers, bytes(self._body))
        if outcome.delay_ms:
            await asyncio.sleep(outcome.delay_ms / 1000)
        try:
            if outcome.cut:
                self._send_half(outcome.answer)
                return
            sent = _write_head(self._connection, self._start.method, outcome.answer)
            self._connection.finish()
        except StreamClosedError:
            log.info("the client went away before the answer")
        except Exception as error:  # rather a closed connection than a client that waits
            log.error("an answer could not be sent: %s", _where(error))
            self._connection.detach().close()
        else:
            if outcome.answer.afterwards:
                await _work_ahead(sent, outcome.answer.afterwards)

    def _send_half(self, answer: Answer) -> None:
        stream = self._connection.detach()
        start, headers = _head(answer)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.get_all())
        half = f"HTTP/1.1 {answer.status} {start.reason}\r\n{lines}\r\n".encode("latin-1")
        half += answer.body[: len(answer.body) // 2]

        def close(sent: Future[None]) -> None:
            sent.exception()  # a client that has gone away needs no word
            stream.close()

        stream.write(half).add_done_callback(close)


def on_stop_signals(handler: Callable[..., None], *, ignore_interrupt: bool) -> None:
    """Call `handler` on SIGTERM and, unless they are to be ignored, on Ctrl-C and Windows' Ctrl-Break."""
    signal.signal(signal.SIGTERM, handler)
    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN if ignore_interrupt else handler)


def _host(start: RequestStartLine, headers: HTTPHeaders) -> str:
    """The host and port a request names, in this order: RFC 9112, 3.2.2."""
    return (host_in(start.path) or headers.get("Host", "")).lower()


def _head(answer: Answer) -> tuple[ResponseStartLine, HTTPHeaders]:
    headers = HTTPHeaders(answer.headers)
    if answer.status != 204:
        headers["Content-Length"] = str(len(answer.body))
    return ResponseStartLine("HTTP/1.1", answer.status, responses.get(answer.status, "Unknown")), headers


def _write_head(connection: HTTPConnection, method: str, answer: Answer) -> Future[None]:
    start, headers = _head(answer)
    return connection.write_headers(start, headers, b"" if method == "HEAD" else answer.body)


async def _work_ahead(sent: Future[None], work: Callable[[], object]) -> None:
    """Use the time until the next request for what it will probably need."""
    try:
        await sent
        work()
    except StreamClosedError:
        log.info("the client went away with the answer")
    except Exception as error:  # the answer is out; nobody waits for this
        log.error("work ahead failed: %s", _where(error))


def _where(error: Exception) -> str:
    """An exception's kind and the places it passed through; never its message, which may quote what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return "\n  ".join([type(error).__name__, *places])


def _wait_for_end_of_input(end: Callable[[], None]) -> None:
    try:
        while sys.stdin.buffer.read(4096):
            pass
    except (OSError, ValueError, AttributeError):  # a closed or missing standard input has ended as well
        pass
    end()
