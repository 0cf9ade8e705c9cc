"""Starts practice tenants quickly, by a process that has imported them already.

A run of plain `pytest` starts a hundred practice tenants, and each of them would spend a quarter of a second on the
same imports and on a key to sign tokens with. Here one process does that once and forks, as often as
`forks/sitecustomize.py` asks. A fork then runs what `python -m practice_tenant` runs. The tests in
tenant/test_process.py and all that .ci/run starts beside `pytest`, the bake and the browser among it, do without: there
every process begins from nothing.

    python tests/support/tenant_forks.py ADDRESS    until standard input ends
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

PROGRAM = "practice_tenant"
SITE = Path(__file__).parent / "forks"
LONGEST_ADDRESS = 100  # characters; Linux allows 107
PATIENCE = 10  # seconds


def with_forks(scratch: Path, environment: dict[str, str]) -> tuple[dict[str, str], Callable[[], None]]:
    """An environment in which practice tenants are forked, and what ends the process that does it."""
    address = str(scratch / "forks")
    if len(address) > LONGEST_ADDRESS:
        return environment, lambda: None
    command = [sys.executable, __file__, address]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    forks = subprocess.Popen(command, env=environment, start_new_session=True, **pipes)
    forks.stdout.readline()  # now it listens

    def end() -> None:
        forks.stdin.close()
        forks.stdout.close()
        forks.wait(PATIENCE)

    path = os.pathsep.join([str(SITE), environment["PYTHONPATH"]])
    return environment | {"PRACTICE_TENANT_FORKS": address, "PYTHONPATH": path}, end


def main(address: str) -> int:
    """Forks for everybody who comes, until standard input ends; returns in each fork as well, with its status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        print("listening", flush=True)
        importlib.import_module(f"{PROGRAM}.__main__")
        del sys.modules[f"{PROGRAM}.__main__"]  # a fork runs it as Python does
        share_one_key()
        gc.collect()
        gc.freeze()
        while True:
            ready, _, _ = select.select([door, sys.stdin], [], [])
            if sys.stdin in ready:
                return 0
            line, _ = door.accept()
            if os.fork() == 0:
                door.close()
                return play(line)
            line.close()


def share_one_key() -> None:
    """Lets all forks sign their tokens with the same key, as the practice tenants without a process do in the tests."""
    signing_key = importlib.import_module(f"{PROGRAM}.signing").SigningKey
    key = signing_key.generate()
    signing_key.generate = lambda: key


def play(line: socket.socket) -> int:
    """Be the process that asks on this line: it gets our number, says when to begin, and gets our status in the end."""
    size, streams, _, _ = socket.recv_fds(line, 4, 3)
    order = line.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
    arguments, environment = json.loads(order)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = arguments
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    line.sendall(os.getpid().to_bytes(4, "big"))
    line.recv(1)
    threading.Thread(target=end_with, args=[line], daemon=True).start()
    status = 1
    try:
        runpy.run_module(PROGRAM, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    except BaseException:  # as Python does, which then ends with status 1
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    line.sendall(bytes([status]))
    return status


def end_with(line: socket.socket) -> None:
    """Ends this process when the one that it stands for is killed."""
    if not line.recv(1):
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
