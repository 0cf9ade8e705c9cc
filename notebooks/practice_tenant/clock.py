"""The tenant's clock: the machine's time, moved by as much as a lesson asks for.

Everything in the practice tenant that needs the time asks here. The machine's clock is bound when this module is
imported, so a test that replaces `time.time` afterwards moves its own time and not the tenant's.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic as seconds_running
from time import time as machine_time

__all__ = ["Clock", "machine_time", "seconds_running"]


@dataclass
class Clock:
    """Unix seconds as the tenant sees them.

    Args:
        shift: seconds the tenant is ahead of the machine; negative when it is behind.
    """

    shift: float = 0.0

    def now(self) -> float:
        """Unix seconds on the tenant's clock."""
        return machine_time() + self.shift
