"""The command line: ``python -m practice_tenant``.

When the tenant is ready, one line of JSON goes to standard output and nothing else ever does; the log goes to
standard error. SIGTERM and Ctrl-C end it with status 0.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .control import PREFIX
from .emulator import Emulator, portal_refusal
from .graph.call import VERSION
from .options import Options, options_parser, read_settings
from .portal.door import is_loopback
from .portal.sign_in import PUBLIC_PAGE
from .server import Server, on_stop_signals
from .signing import SigningKey
from .state import State
from .tls import LOOPBACK, LoopbackTls

_Made = TypeVar("_Made")


def main(arguments: list[str] | None = None) -> int:
    """Run the practice tenant.

    Args:
        arguments: the command line without the program's name; None takes the real one.

    Returns:
        int: 0 after SIGTERM, Ctrl-C or the end of standard input. A mistake on the command line, an unreadable
        certificate or a port in use end with status 2 and one line on standard error.
    """
    parser = options_parser()
    options = parser.parse_args(arguments)
    on_stop_signals(lambda *_: sys.exit(0), ignore_interrupt=options.until_stdin_closes)  # while it is starting
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("tornado").setLevel(logging.ERROR)  # a client's broken handshake is the client's to report
    make_signing_key = _in_the_background(SigningKey.generate)
    try:
        settings = read_settings(options)
        state = State(settings, options.throttle, make_signing_key=make_signing_key)
        emulator = Emulator(state, options.latency_ms)
    except ValueError as error:
        parser.error(str(error))
    tls = LoopbackTls()
    try:
        gc.freeze()  # nobody leaves the directory unless asked: looking through it for garbage would halt every answer
        server = _listen(parser, emulator, tls, options.port)
        portal = (
            _portal(emulator, options.portal_behind_proxy) if options.portal or options.portal_behind_proxy else None
        )

        def announce() -> None:
            if portal:
                portal.listen()
            print(json.dumps(_facts(server, portal, emulator, tls)), flush=True)

        asyncio.run(server.serve(announce, until_stdin_closes=options.until_stdin_closes))
    finally:
        tls.remove()
        if settings.registrations:
            settings.registrations.withdraw()
    return 0


def _in_the_background(make: Callable[[], _Made]) -> Callable[[], _Made]:
    """Begin to make something now; what is returned waits for it and gives it."""
    worker = ThreadPoolExecutor(max_workers=1)
    made = worker.submit(make)
    worker.shutdown(wait=False)
    return made.result


def _listen(parser: Options, emulator: Emulator, tls: LoopbackTls, port: int) -> Server:
    try:
        return Server(emulator.answer, tls.context, port)
    except OSError:
        parser.error(f"port {port} on {LOOPBACK} cannot be had: choose another, or leave --port out.")


def _portal(emulator: Emulator, behind_proxy: bool) -> Server:
    """The portal's server: plain HTTP, because no browser trusts the certificate of this run.

    Nothing of it leaves the machine: it listens on loopback alone.
    """

    def takes_host(host: str) -> bool:
        return behind_proxy or is_loopback(host)

    portal = Server(emulator.answer_portal, None, 0, takes_host=takes_host, refuse=portal_refusal)
    emulator.state.serve_sign_in_at(f"{portal.origin}/{PUBLIC_PAGE}")
    return portal


def _facts(server: Server, portal: Server | None, emulator: Emulator, tls: LoopbackTls) -> dict[str, object]:
    tenant = emulator.state.tenant
    return {
        "tenant_id": tenant.id,
        "authority": f"{server.origin}/{tenant.id}",
        "graph_endpoint": f"{server.origin}/{VERSION}",
        "ca_certificate": str(tls.ca_certificate),
        "client_id": tenant.client_id,
        "control_url": f"{server.origin}{PREFIX}",
        "control_key": emulator.state.control_key,
        "portal_url": f"{portal.origin}/{emulator.state.portal_key}/" if portal else None,
        "pid": os.getpid(),
    }


if __name__ == "__main__":
    # tornado loads the system's certificate authorities when the first client comes. The practice tenant calls nobody.
    os.environ["SSL_CERT_FILE"] = os.devnull
    sys.exit(main())
