"""Which cells of this kernel have run and how they ended, so that a check can say what happened above it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class CellRun:
    """One run of a cell: its source, and what it ended with, None when it went through."""

    source: str
    error: BaseException | None


class CellRuns:
    """The runs since `follow`, newest last."""

    def __init__(self) -> None:
        self._runs: list[CellRun] = []

    def follow(self, shell: Any) -> None:
        """Notes every cell that this IPython shell runs from now on; without a shell (None) there is none to note."""
        if shell is not None:
            shell.events.register("post_run_cell", self._note)

    def _note(self, result: Any) -> None:
        source = getattr(result.info, "raw_cell", None) or ""
        self._runs.append(CellRun(source, result.error_before_exec or result.error_in_exec))

    def newest_that_defines(self, name: str) -> CellRun | None:
        """The newest run of a cell whose text defines `name`, even when a mistake in it kept Python from doing so."""
        word = re.escape(name)
        defines = re.compile(rf"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+{word}\b|{word}[ \t]*(?::[^=\n]+)?=(?!=))", re.M)
        found = [run for run in self._runs if defines.search(run.source)]
        return found[-1] if found else None


def shell_here() -> Any:
    """The IPython shell of this process, None outside of a notebook."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None
