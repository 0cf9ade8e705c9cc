"""Processes that a test starts and sees end."""

import os
import time
from pathlib import Path

import psutil

DEADLINE = 20  # seconds, far more than anything takes that is waited for


def is_gone(pid):
    """Whether a process has ended, be it that nobody has asked for its exit status yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE} s: {what}"
        time.sleep(0.02)


def temporary_files_in(folder: Path) -> dict[str, str]:
    """Our environment for a process that may be killed: its temporary files go where pytest cleans up."""
    return os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
