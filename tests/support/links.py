"""Symbolic links, for the tests that need one."""

from pathlib import Path

import pytest

NO_RIGHT = 1314  # ERROR_PRIVILEGE_NOT_HELD (Microsoft's "System Error Codes"): links are for administrators there


def link(path: Path, target: Path | str) -> None:
    """Makes a link at `path`; skips the test on a Windows that lets this user make none."""
    try:
        path.symlink_to(target)
    except OSError as error:
        if getattr(error, "winerror", None) != NO_RIGHT:
            raise
        pytest.skip("Windows lets administrators make links, and others in its developer mode only")
