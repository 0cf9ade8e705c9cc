"""Marks what a kernel shows after it has opened a tenant of one's own, so that no such output is committed by accident.

A name or an address can be recognised, and a chart or a count by department cannot. So from then on every cell leaves a
mark beside its outputs, a comment in HTML that nobody sees. tests/tools/outputs_guard.py looks for it.
"""

from __future__ import annotations

from typing import Any

from IPython.display import publish_display_data

MARK = "<!-- outputs of your own tenant -->"


class Marks:
    """Whether this kernel has opened a tenant of one's own. It stays so until it is restarted: variables keep data."""

    def __init__(self) -> None:
        self.are_set = False

    def set(self, shell: Any) -> None:
        """Marks the outputs of the cell that is running and of all that follow; without a shell (None) there are none.

        Args:
            shell: the IPython shell of this process.
        """
        if not self.are_set and shell is not None:
            shell.events.register("post_run_cell", self._leave)
        self.are_set = True

    def _leave(self, _result: Any) -> None:
        publish_display_data({"text/html": MARK, "text/plain": ""})  # type: ignore[no-untyped-call]
