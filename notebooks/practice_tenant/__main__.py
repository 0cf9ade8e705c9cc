"""The command line: ``python -m practice_tenant``.

When the tenant is ready, one line of JSON goes to standard output and nothing else ever does; the log goes to
standard error. SIGTERM and Ctrl-C end it with status 0.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import os
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .control import PREFIX
from .directory import GRAPH_APP_ROLES, Settings
from .emulator import Emulator
from .graph import VERSION
from .server import Server, on_stop_signals
from .tls import LOOPBACK, LoopbackTls

MOST_USERS = 5_000_000


class Arguments(argparse.ArgumentParser):
    """Says what is wrong in one line, with status 2."""

    def error(self, message: str) -> None:
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the practice tenant.

    Args:
        arguments: the command line without the program's name; None takes the real one.

    Returns:
        int: 0 after SIGTERM, Ctrl-C or the end of standard input. A mistake on the command line, an unreadable
        certificate or a port in use end with status 2 and one line on standard error.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    on_stop_signals(lambda *_: sys.exit(0), ignore_interrupt=options.until_stdin_closes)  # while it is starting
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("tornado").setLevel(logging.ERROR)  # a client's broken handshake is the client's to report
    try:
        settings = Settings(
            users=options.users,
            certificates=tuple(_read_certificate(path) for path in options.certificate),
            secret=options.secret,
            roles=_roles(options.role),
        )
        emulator = Emulator(settings, options.latency_ms, options.throttle)
    except ValueError as error:
        parser.error(str(error))
    tls = LoopbackTls()
    try:
        gc.freeze()  # nobody leaves the directory unless asked: looking through it for garbage would halt every answer
        server = _listen(parser, emulator, tls, options.port)
        asyncio.run(
            server.serve(
                lambda: print(json.dumps(_facts(server, emulator, tls)), flush=True),
                until_stdin_closes=options.until_stdin_closes,
            )
        )
    finally:
        tls.remove()
    return 0


def _listen(parser: Arguments, emulator: Emulator, tls: LoopbackTls, port: int) -> Server:
    try:
        return Server(emulator, tls.context, port)
    except OSError:
        parser.error(f"port {port} on {LOOPBACK} cannot be had: choose another, or leave --port out.")


def _parser() -> Arguments:
    parser = Arguments(prog="practice_tenant", description="Entra ID and a slice of Microsoft Graph on loopback.")
    add = parser.add_argument
    add(
        "--port",
        type=_whole(0, 65535),
        default=0,
        help=f"TCP port on {LOOPBACK}; 0 picks a free one (default)",
    )
    add(
        "--users",
        type=_whole(0, MOST_USERS),
        metavar="N",
        help="size of the directory (default: the people in data/)",
    )
    add(
        "--certificate",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="register one daemon app with this certificate (PEM or DER); may be repeated",
    )
    add("--secret", metavar="TEXT", help="give that app this client secret too")
    add(
        "--role",
        action="append",
        metavar="NAME",
        help="application role granted to that app; may be repeated; 'none' grants nothing (default: User.Read.All)",
    )
    add("--latency-ms", type=_whole(0, 60_000), default=0, metavar="N", help="added to every answer of Graph")
    add("--throttle", action="store_true", help="enforce Graph's resource-unit limits")
    add("--until-stdin-closes", action="store_true", help="ignore SIGINT and end when standard input ends")
    return parser  # fmt: skip


def _whole(least: int, most: int):
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most} is needed, not '{text}'")
        return int(text)

    return number


def _read_certificate(path: Path) -> bytes:
    """The DER bytes of a PEM or DER certificate file.

    Raises:
        ValueError: one sentence that says what to do.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"certificate '{path}' cannot be read ({error.strerror}): check the path.") from None
    try:
        load = x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
        return load(data).public_bytes(Encoding.DER)
    except ValueError:
        raise ValueError(
            f"'{path}' holds no certificate: give the .crt or .cer, not the private key and not the .pfx."
        ) from None


def _roles(names: list[str] | None) -> tuple[str, ...]:
    if names is None:
        return ("User.Read.All",)
    if names == ["none"]:
        return ()
    for name in names:
        if name not in GRAPH_APP_ROLES:
            known = ", ".join(GRAPH_APP_ROLES)
            raise ValueError(f"role '{name}' is not known here: choose among {known}, or 'none' alone.")
    return tuple(dict.fromkeys(names))


def _facts(server: Server, emulator: Emulator, tls: LoopbackTls) -> dict[str, object]:
    return {
        "tenant_id": emulator.tenant.id,
        "authority": f"{server.origin}/{emulator.tenant.id}",
        "graph_endpoint": f"{server.origin}/{VERSION}",
        "ca_certificate": str(tls.ca_certificate),
        "client_id": emulator.tenant.client_id,
        "control_url": f"{server.origin}{PREFIX}",
        "control_key": emulator.control_key,
        "pid": os.getpid(),
    }


if __name__ == "__main__":
    sys.exit(main())
