"""Two addresses on this machine, over HTTPS: one for Entra ID, one for Graph."""

import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import trustme
from cryptography import x509

from .answers import Answer, Asked
from .directory import Directory
from .entra import Entra
from .graph import Graph

SECRET = "Hm7~second.tenant.secret"


class SecondTenant:
    """A running tenant. Ends with `close()` or with the ``with`` block.

    Args:
        certificate: of the daemon that is registered; without one there is no daemon yet.
        roles: application roles that were consented to.
        size: how many users.
        page: the most users on a page; it is not what anybody asks for.
        latency: seconds that each answer of Graph takes.
        signs_in: an administrator agrees to every device code; otherwise `sign_in` says when.
        throttle_after: the answer of Graph after so many good ones is a 429, once; None for never.

    Attributes:
        tenant_id, client_id: of the tenant and of the daemon.
        authority: ``https://localhost:PORT/TENANT``.
        graph_endpoint: ``https://127.0.0.1:OTHER_PORT/v1.0``.
        ca_certificate: path of the certificate authority's PEM file.
        seen: method and path of each request, oldest first.
    """

    def __init__(
        self,
        certificate: x509.Certificate | None = None,
        *,
        roles: tuple[str, ...] = ("User.Read.All",),
        size: int = 5000,
        page: int = 240,
        latency: float = 0.02,
        throttle_after: int | None = 6,
        signs_in: bool = False,
    ):
        self.directory = Directory(size)
        self.tenant_id = self.directory.tenant_id
        self.client_id: str | None = None
        if certificate:
            self.client_id = self.directory.register("nattlig rapport", certificate, SECRET, roles).app_id
        self.entra = Entra(self.directory, signs_in)
        self.graph = Graph(self.directory, self.entra, page, first_page=page // 3)
        self.latency, self._throttle_after = latency, throttle_after
        self.seen: list[tuple[str, str]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="second-tenant-", ignore_cleanup_errors=True)
        self.ca_certificate = str(Path(self._folder.name, "ca.pem"))
        authority = trustme.CA(organization_name="Havn Logistikk", organization_unit_name="a company's own authority")
        authority.cert_pem.write_to_path(self.ca_certificate)
        self._servers = [self._serve(authority, self.entra.answer), self._serve(authority, self._graph_answer)]
        sign_in, graph = (server.server_address[1] for server in self._servers)
        self.authority = f"https://localhost:{sign_in}/{self.directory.tenant_id}"
        self.graph_endpoint = f"https://127.0.0.1:{graph}/v1.0"

    def settings(self, certificate_path: str, password: str = "") -> dict[str, str]:
        """What a learner writes into .env, and the environment that a network with an authority of its own takes.

        Args:
            certificate_path: of the daemon's key and certificate, PFX or PEM.
            password: of that file.
        """
        return {
            "AZURE_TENANT_ID": self.directory.tenant_id,
            "AZURE_CLIENT_ID": self.client_id or "",
            "AZURE_CLIENT_CERTIFICATE_PATH": certificate_path,
            "AZURE_CLIENT_CERTIFICATE_PASSWORD": password,
            "AZURE_AUTHORITY_HOST": self.authority.rpartition("/")[0],
            "GRAPH_ENDPOINT": self.graph_endpoint,
        }

    def network(self) -> dict[str, str]:
        """Environment variables with which requests trusts this tenant and reaches it past a proxy."""
        return {"REQUESTS_CA_BUNDLE": self.ca_certificate, "NO_PROXY": "localhost,127.0.0.1"}

    def sign_in(self, user_code: str) -> None:
        """An administrator signs in with the code that a program has shown."""
        self.entra.sign_in(user_code)

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._folder.cleanup()

    def __enter__(self) -> "SecondTenant":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _graph_answer(self, asked: Asked) -> Answer:
        time.sleep(self.latency)
        if self._throttle_after is not None:
            self._throttle_after -= 1
            if self._throttle_after < 0:
                self._throttle_after, self.graph.busy = None, 1
        return self.graph.answer(asked)

    def _serve(self, authority: trustme.CA, answer: Callable[[Asked], Answer]) -> ThreadingHTTPServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        tenant = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body leave together
            disable_nagle_algorithm = True

            def handle_one(self) -> None:
                parts = urlsplit(self.path)
                tenant.seen.append((self.command, parts.path))
                asked = Asked(
                    self.command,
                    [unquote(part) for part in parts.path.split("/") if part],
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(int(self.headers.get("Content-Length", 0))),
                    f"https://{self.headers['Host']}",
                )
                reply = answer(asked)
                body = reply.encoded()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if body:
                    self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_one

            def log_message(self, *_: Any) -> None:
                """Says nothing: `seen` remembers."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        # The handshake happens in the thread of the connection, so that a slow client stops nobody else.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server
