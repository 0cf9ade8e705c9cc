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

from .control import PREFIX
from .emulator import Emulator
from .graph.call import VERSION
from .options import Options, options_parser, read_settings
from .server import Server, on_stop_signals
from .state import State
from .tls import LOOPBACK, LoopbackTls


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
    try:
        emulator = Emulator(State(read_settings(options), options.throttle), options.latency_ms)
    except ValueError as error:
        parser.error(str(error))
    tls = LoopbackTls()
    try:
        gc.freeze()  # nobody leaves the directory unless asked: looking through it for garbage would halt every answer
        server = _listen(parser, emulator, tls, options.port)

        def announce() -> None:
            print(json.dumps(_facts(server, emulator, tls)), flush=True)

        asyncio.run(server.serve(announce, until_stdin_closes=options.until_stdin_closes))
    finally:
        tls.remove()
    return 0


def _listen(parser: Options, emulator: Emulator, tls: LoopbackTls, port: int) -> Server:
    try:
        return Server(emulator.answer, tls.context, port)
    except OSError:
        parser.error(f"port {port} on {LOOPBACK} cannot be had: choose another, or leave --port out.")


def _facts(server: Server, emulator: Emulator, tls: LoopbackTls) -> dict[str, object]:
    tenant = emulator.state.tenant
    return {
        "tenant_id": tenant.id,
        "authority": f"{server.origin}/{tenant.id}",
        "graph_endpoint": f"{server.origin}/{VERSION}",
        "ca_certificate": str(tls.ca_certificate),
        "client_id": tenant.client_id,
        "control_url": f"{server.origin}{PREFIX}",
        "control_key": emulator.state.control_key,
        "pid": os.getpid(),
    }


if __name__ == "__main__":
    sys.exit(main())
