"""Makes plain `pytest` at the root run everything: the tests, and every notebook cell by cell with strict nbval.

pytest reads tests/conftest.py up front when it starts at the root without a path. One chapter is picked by its name,
`pytest -k 03_build`. Given as a file, a notebook is refused ("not found"), because pytest would read none of this.
"""

import importlib
import os
import sys
import tempfile
from pathlib import Path

import exercises
import pytest
from chapters import CELL_TIMEOUT, NOTEBOOKS, SANITIZE, keys_folder, practice_environment

sys.path.insert(0, str(NOTEBOOKS))  # the tests import practice_tenant, workbook and graph_daemon as a notebook does


def pytest_configure(config):
    config.option.nbval = True
    config.option.nbval_current_env = True  # not a kernel spec "python3" that the user may have installed
    config.option.nbval_sanitize_with = str(SANITIZE)
    config.option.nbval_cell_timeout = CELL_TIMEOUT

    scratch = tempfile.TemporaryDirectory(prefix="workbook-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(scratch.cleanup)
    environment = practice_environment(Path(scratch.name))
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
    config.pluginmanager.register(NotebookRuns(Path(scratch.name), environment), "notebook-runs")


class NotebookRuns:
    """Prepares what notebooks need; a plugin, because pytest asks no conftest of tests/ about files in notebooks/."""

    def __init__(self, scratch: Path, environment: dict[str, str]):
        self.scratch, self.environment = scratch, environment
        self.solved = None

    def pytest_collection_finish(self, session):
        """Starts the runs with solutions early: they use the second core while nbval uses the first."""
        if not session.config.option.collectonly:
            importlib.import_module("matplotlib.font_manager")  # finds the fonts now: a cell would warn that it does
            params = [item.callspec.params for item in session.items if hasattr(item, "callspec")]
            chapters = {param["exercise"].chapter for param in params if "exercise" in param}
            self.solved = exercises.Runs(sorted(chapters), self.environment, self.scratch)

    def pytest_sessionfinish(self):
        if self.solved:
            self.solved.stop()

    @pytest.hookimpl(tryfirst=True)  # before nbval starts the kernel, which inherits the environment
    def pytest_runtest_setup(self, item):
        os.environ["WORKBOOK_KEYS"] = str(keys_folder(self.scratch, item.path.stem))


@pytest.fixture(scope="session")
def solved(pytestconfig) -> exercises.Runs:
    """The runs of the chapters with their solutions put in."""
    return pytestconfig.pluginmanager.get_plugin("notebook-runs").solved
