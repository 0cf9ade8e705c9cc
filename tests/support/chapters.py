"""Where the chapters are, and the one way in which the tests and the bake run them."""

import importlib
import os
import subprocess
from functools import cache
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager
from traitlets import default

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
CHAPTERS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
REMEMBERED_KEYS = Path(__file__).with_name("remembered_keys.py")
SANITIZE = ROOT / "tests" / "sanitize.cfg"
CELL_TIMEOUT = 60  # seconds: far more than any cell needs, far less than anybody waits


def read(path: Path) -> NotebookNode:
    """Reads a notebook in the version of the format in which it is stored."""
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


@cache
def known(path: Path) -> NotebookNode:
    """A chapter as it is stored, parsed and validated once in a process: for those who change nothing in it."""
    return read(path)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells, in the order in which they run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell: an empty list when it has none."""
    return cell.metadata.get("tags", [])


def practice_environment(scratch: Path) -> dict[str, str]:
    """The environment in which every kernel and every test runs, made from this process's own.

    The learner's settings must not change what a test does, and a test must not touch the learner's keys and files.
    `scratch` is a folder for what the run leaves behind; it need not exist yet.
    """
    # PYTHONDONTWRITEBYTECODE is set in many containers. It would have each of some two hundred processes compile our
    # modules again, a fifth of a second each time.
    left_out = {"GRAPH_ENDPOINT", "PYTHONDONTWRITEBYTECODE"}
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AZURE_") and name not in left_out
    }
    inherited = environment.get("PYTHONPATH")
    temporary = scratch / "tmp"  # a kernel that is killed cannot tidy up; so its temporary files go with the run
    temporary.mkdir(parents=True, exist_ok=True)
    start_up = scratch / "ipython" / "profile_default" / "startup"
    start_up.mkdir(parents=True, exist_ok=True)
    # `runpy` keeps the file's names to itself: a chapter that forgot an import must not find it here.
    (start_up / "remembered_keys.py").write_text(f"__import__('runpy').run_path({str(REMEMBERED_KEYS)!r})\n", "utf-8")
    return environment | {
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)),
        "WORKBOOK_TENANT": "practice",
        "WORKBOOK_KEYS": str(keys_folder(scratch, "shared")),
        "WORKBOOK_OUTPUT": str(scratch / "output"),
        "IPYTHONDIR": str(scratch / "ipython"),  # not the user's start-up files, no common history
        "DASK_DISTRIBUTED__WORKER__PRELOAD": repr([str(REMEMBERED_KEYS)]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(NOTEBOOKS), inherited])),
    }


@cache  # pytest asks before each test
def keys_folder(scratch: Path, name: str) -> Path:
    """Makes the folder in which the run called `name` keeps its keys and certificates.

    Each notebook gets one of its own, because a chapter must read the same without its neighbours' files.
    """
    folder = scratch / "keys" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def find_fonts() -> None:
    """Has matplotlib look for the machine's fonts, if nobody has yet: a cell would warn that it does."""
    importlib.import_module("matplotlib.font_manager")  # with numpy and all: for those who start a kernel


class KernelHere(AsyncKernelManager):
    """Starts the kernel that nbval starts: this interpreter's, whatever kernel specs the user has installed."""

    @default("kernel_spec_manager")
    def _specs_of_nbval(self):
        return NbvalKernelspecManager()


def run(notebook: NotebookNode, environment: dict[str, str], timeout: int = CELL_TIMEOUT) -> None:
    """Runs all code cells in one new kernel, started in notebooks/, and stores their outputs in `notebook`.

    Raises nbclient.exceptions.CellExecutionError at the first error in a cell not tagged `raises-exception`,
    CellTimeoutError when a cell takes longer than `timeout` seconds, DeadKernelError when the kernel ends by itself.
    """
    find_fonts()
    client = NotebookClient(
        notebook,
        kernel_name=CURRENT_ENV_KERNEL_NAME,
        kernel_manager_class=KernelHere,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        timeout=timeout,
        record_timing=False,
        shutdown_kernel="immediate",  # as nbval does; the polite way waits two seconds a notebook
    )
    client.execute(env=environment, stderr=subprocess.DEVNULL)
