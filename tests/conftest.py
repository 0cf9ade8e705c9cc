"""Makes plain `pytest` at the root run everything: the tests, and every notebook cell by cell with strict nbval.

pytest reads tests/conftest.py up front when it starts at the root without a path. One chapter is picked by its name,
`pytest -k 03_build`. Given as a file, a notebook is refused ("not found"), because pytest would read none of this.
"""

import gc
import importlib
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS / folder) for folder in ("support", "chapters", "tools", "pictures", "tenant/live")]

import remembered_keys  # noqa: F401, I001 - first: it must be there before others take the functions that it replaces
import pytest
from chapters import CELL_TIMEOUT, NOTEBOOKS, ROOT, SANITIZE, find_fonts, keys_folder, practice_environment, tags
from nbval.plugin import IPyNbCell

# The longest files go first and the notebooks after them, so that at the end no worker waits for another.
LONGEST = {
    "test_workbook_bench.py",
    "07_read_large_directory.ipynb",
    "11_read_many_tenants.ipynb",
    "test_daemon_reading.py",
    "test_process.py",
}
MOST_WORKERS = 4  # more would start more kernels than they save time

sys.path.insert(0, str(NOTEBOOKS))  # the tests import practice_tenant, workbook and graph_daemon as a notebook does

# What `pytest --live` runs. By their names plain `pytest` passes these files by: without a tenant they say nothing.
LIVE = [TESTS / "chapters" / "live_chapters.py", TESTS / "tenant" / "live" / "parity_rows.py"]


def pytest_addoption(parser):
    words = (
        "ask the tenant in .env, reading only: the chapters' parts that follow .env, and the parity table's real rows"
    )
    parser.addoption("--live", action="store_true", help=words)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks whether it is wanted
def pytest_cmdline_main(config):
    """Plain `pytest` uses the cores. A file stays together: the cells of a notebook share one kernel."""
    option, is_worker = config.option, hasattr(config, "workerinput")
    if option.live and is_plain(config):
        config.args = [str(path) for path in LIVE]
    wanted = is_plain(config) and getattr(option, "numprocesses", 0) is None
    if wanted and not (is_worker or option.usepdb or option.collectonly):
        # Two more than there are cores: a test that waits for a process it started leaves its core to another.
        option.numprocesses, option.dist = min((os.cpu_count() or 1) + 2, MOST_WORKERS), "loadfile"
        option.loadscopereorder = False  # the order is that of pytest_collection_modifyitems below


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Modules and tests stay until the end, so nobody looks for garbage while they come, nor among them later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def is_plain(config) -> bool:
    """Whether pytest was started at the root without a path."""
    return [Path(argument).resolve() for argument in config.args] == [ROOT]


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "error")  # of the tests themselves; a kernel is a process of its own
    config.option.nbval = not config.option.live
    config.option.nbval_current_env = True  # not a kernel spec "python3" that the user may have installed
    config.option.nbval_sanitize_with = str(SANITIZE)
    config.option.nbval_cell_timeout = CELL_TIMEOUT

    # What hypothesis remembers of our sources: no business of the repository, and of use to the next run as well.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir()) / "workbook-hypothesis"))
    scratch = tempfile.TemporaryDirectory(prefix="workbook-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(scratch.cleanup)
    if config.option.live:
        live = importlib.import_module("live")  # with pandas and all: for nobody else
        problem = live.settings_problem()
        if problem:
            raise pytest.UsageError(problem)
        environment = live.live_environment(Path(scratch.name), "questions")
    else:
        environment = practice_environment(Path(scratch.name))
        hands_out_tests = is_plain(config) and not (hasattr(config, "workerinput") or config.option.collectonly)
        if hands_out_tests and sys.platform == "linux":
            environment, end = importlib.import_module("tenant_forks").with_forks(Path(scratch.name), environment)
            config.add_cleanup(end)
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
    config.pluginmanager.register(NotebookRuns(Path(scratch.name)), "notebook-runs")


def pytest_terminal_summary(terminalreporter, config):
    if config.option.live and (text := config.stash.get(importlib.import_module("live").REPORT, None)):
        terminalreporter.section("Ready to paste into an issue")
        terminalreporter.write_line(text)


class NotebookRuns:
    """Prepares what notebooks need; a plugin, because pytest asks no conftest of tests/ about files in notebooks/."""

    def __init__(self, scratch: Path):
        self.scratch = scratch
        self.collected = Counter()

    @pytest.hookimpl(tryfirst=True)  # before -k takes anything away
    def pytest_collection_modifyitems(self, items):
        self.collected = Counter(item.path.stem for item in items if item.path.suffix == ".ipynb")
        items.sort(key=lambda item: (item.path.name not in LONGEST, item.path.suffix != ".ipynb"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        yield
        if isinstance(item, IPyNbCell) and "check" in tags(item.cell):
            importlib.import_module("exercises").try_answers(item)  # reads all chapters: for nobody else

    @pytest.hookimpl(tryfirst=True)  # before nbval starts the kernel, which inherits the environment
    def pytest_runtest_setup(self, item):
        os.environ["WORKBOOK_KEYS"] = str(keys_folder(self.scratch, item.path.stem))
        if isinstance(item, IPyNbCell) and "matplotlib" in item.cell.source:
            find_fonts()


@pytest.fixture(scope="module")
def shared():
    """One practice tenant, a `Practice`, for the tests of a file that change nothing."""
    return importlib.import_module("practice").Practice()  # not for the process that only hands out the tests


@pytest.fixture
def practice():
    """A practice tenant of the test's own, a `Practice`."""
    return importlib.import_module("practice").Practice()


@pytest.fixture(scope="module")
def at_most_ten_thousand_people():
    """The guard makes no more people: no chapter shows anybody of a larger directory, and making one takes a second."""
    with pytest.MonkeyPatch.context() as change:
        change.setattr(importlib.import_module("outputs_guard"), "MADE", (1_000, 10_000))
        yield


@pytest.fixture(scope="module")
def from_nothing():
    """Practice tenants are started as a learner starts them, and not by `tenant_forks.py`."""
    with pytest.MonkeyPatch.context() as change:
        change.delenv("PRACTICE_TENANT_FORKS", raising=False)
        yield


@pytest.fixture(scope="session")
def collected(pytestconfig) -> Counter:
    """How many cells plain `pytest` finds, by notebook. Started with a path, another pytest is asked."""
    if is_plain(pytestconfig):
        return pytestconfig.pluginmanager.get_plugin("notebook-runs").collected
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False).stdout
    return Counter(re.findall(r"^notebooks/(.+)\.ipynb::Cell \d+$", listing, flags=re.MULTILINE))
