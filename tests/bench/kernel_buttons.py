"""What JupyterLab's buttons do to the practice tenant of a notebook. Part of .ci/run.

Plain `pytest` passes it by: it starts a kernel twice, and a cell that runs has to be seen running.
"""

import contextlib

from chapters import NOTEBOOKS
from jupyter_client.manager import KernelManager
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager
from processes import DEADLINE, is_gone, temporary_files_in, wait_until


def test_a_kernels_stop_problem_and_restart(tmp_path):
    """What JupyterLab's buttons do: the tenant survives Stop and is gone after Restart. A problem has no traceback."""
    manager = KernelManager(kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager())
    manager.start_kernel(cwd=str(NOTEBOOKS), env=temporary_files_in(tmp_path))
    cells = manager.client()
    cells.start_channels()
    try:
        cells.wait_for_ready(timeout=DEADLINE)
        first = int(printed(cells, "from workbook import open_bench; bench = open_bench(); print(bench.practice.pid)"))
        interrupt_a_running_cell(manager, cells)
        assert printed(cells, "print(len(bench.practice.requests()) >= 0)") == "True"
        assert not is_gone(first)
        a_problem_is_one_sentence(cells)
        manager.restart_kernel(now=True)
        wait_until(lambda: is_gone(first), "the restarted kernel leaves no tenant behind")
        cells.wait_for_ready(timeout=DEADLINE)
        second = int(printed(cells, "from workbook import open_bench; print(open_bench().practice.pid)"))
    finally:
        cells.stop_channels()
        manager.shutdown_kernel(now=False)
    wait_until(lambda: is_gone(second), "the kernel that is shut down leaves no tenant behind")


def a_problem_is_one_sentence(cells):
    errors = []
    cells.execute_interactive(
        "bench.practice.fail('everything')",
        timeout=DEADLINE,
        output_hook=lambda message: message["msg_type"] == "error" and errors.append(message["content"]),
    )
    assert [error["ename"] for error in errors] == ["WorkbookProblem"]
    assert errors[0]["traceback"] == [errors[0]["evalue"]]


def printed(cells, code):
    """The last line that a cell prints."""
    lines = []
    cells.execute_interactive(
        code,
        timeout=DEADLINE,
        output_hook=lambda message: lines.append(
            message["content"].get("text") or message["content"].get("evalue", "")
        ),
    )
    return "".join(lines).strip().splitlines()[-1]


def interrupt_a_running_cell(manager, cells):
    """Presses Stop while a cell runs, once the cell has said so."""
    said = []

    def hook(message):
        said.append(message["content"].get("text") or message["content"].get("ename", ""))
        if "running" in said[-1]:
            manager.interrupt_kernel()

    with contextlib.suppress(TimeoutError):
        cells.execute_interactive(
            "import time\nprint('running', flush=True)\ntime.sleep(60)", timeout=DEADLINE, output_hook=hook
        )
    assert "KeyboardInterrupt" in said
