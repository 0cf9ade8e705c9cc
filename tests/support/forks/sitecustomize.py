"""Python runs this file at its start where this folder is on PYTHONPATH, as in all that plain `pytest` starts.

What is started as `python -m practice_tenant` from the notebooks' folder hands its work to a fork, which
`tenant_forks.py` makes: it stands for the fork towards whoever started it, passes signals on, and ends when the fork
does. Everything else goes on as if this file were not there.
"""

import os
import sys

ROOT = __file__.removesuffix("/tests/support/forks/sitecustomize.py")


def hand_over(address: str) -> None:
    """Lets a fork be this process, with its arguments, environment and standard streams."""
    import json  # noqa: PLC0415 - whoever is not handed over needs none of these
    import signal  # noqa: PLC0415
    import socket  # noqa: PLC0415
    import time  # noqa: PLC0415

    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        order = json.dumps([sys.orig_argv[3:], dict(os.environ)]).encode()
        socket.send_fds(line, [len(order).to_bytes(4, "big")], [0, 1, 2])
        line.sendall(order)
        fork = int.from_bytes(line.recv(4), "big")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: os.kill(fork, number))
        line.sendall(b"!")  # from now on a signal reaches the fork: it may begin
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):  # or a pipe would not end when the fork does
            os.dup2(nothing, stream)
        status = line.recv(1)
        while is_there(fork):  # whoever waits for this process believes that nothing is left
            time.sleep(0.001)
    os._exit(status[0] if status else 1)


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if (
    "PRACTICE_TENANT_FORKS" in os.environ
    and sys.orig_argv[1:3] == ["-m", "practice_tenant"]
    and os.getcwd() == os.path.realpath(f"{ROOT}/notebooks")  # noqa: PTH109 - pathlib takes long to import
):
    hand_over(os.environ["PRACTICE_TENANT_FORKS"])
