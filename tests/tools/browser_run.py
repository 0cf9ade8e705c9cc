"""Opens every chapter in JupyterLab in a real browser and runs it, as a learner does.

    python tests/tools/browser_run.py [--chromium FILE] [--dark] [--screenshots FOLDER] [name ...]

It works on a copy, because JupyterLab saves by itself, and asks the notebook's model rather than the page: every code
cell has run in order, errors stand only where a cell is tagged `raises-exception`, every picture is drawn.
Needs what tests/requirements-ci.txt names, and Chromium.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("support", "chapters")]

import requests
from chapters import CHAPTERS, ROOT, code_cells, practice_environment, read, tags
from playwright.sync_api import Browser, Page, sync_playwright

START_SECONDS = 60  # JupyterLab's first start on a busy machine
RUN_SECONDS = 180  # one chapter, all cells
TOKEN = "browser-run"
QUIET_POLLS = 4  # so many polls in a row must find the kernel idle
CHROMIUM_FLAGS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",  # the run must not depend on the world outside
    "--disable-component-update",
    "--disable-sync",
]

SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # else cells outside the window are not drawn
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},  # no question, no network
}

OPEN = """async () => {
    await jupyterapp.restored;
    const panel = jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    jupyterapp.shell.collapseLeft();
    await jupyterapp.commands.execute('notebook:clear-all-cell-outputs');
}"""

STATE = """() => {
    const panel = jupyterapp.shell.currentWidget;
    const cells = Array.from(panel.content.model.cells).filter(cell => cell.type === 'code');
    const mermaid = Array.from(panel.node.querySelectorAll('.jp-RenderedMermaid img'));
    const attached = Array.from(panel.node.querySelectorAll('.jp-MarkdownOutput img[src^="data:image/png"]'));
    return {
        kernel: panel.sessionContext.session?.kernel?.status,
        connection: panel.sessionContext.session?.kernel?.connectionStatus,
        running: cells.filter(cell => cell.executionState === 'running').length,
        counts: cells.map(cell => cell.executionCount),
        failed: cells.filter(cell => cell.outputs.toJSON().some(output => output.output_type === 'error'))
                     .map(cell => cell.id),
        drawn: [...mermaid, ...attached].filter(picture => picture.naturalWidth > 0).length,
        warnings: panel.node.querySelectorAll('.jp-mod-warning').length,
        height: panel.content.node.querySelector('.jp-WindowedPanel-viewport').scrollHeight,
    };
}"""

SCROLL_TO_TOP = """async () => {
    const notebook = jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = 0;
    await notebook.scrollToItem(0);
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def chosen_chapters(parser: argparse.ArgumentParser, arguments: list[str]) -> tuple[argparse.Namespace, list[Path]]:
    """The options of a command line, and the chapters that it names; all of them when it names none.

    A name that no chapter has, and a browser that is not there, end the program with one line.
    """
    parser.add_argument("names", nargs="*", metavar="name", help="part of a chapter's file name, for example 04")
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="the browser's program file")
    options = parser.parse_args(arguments)
    if not options.chromium:
        parser.error("Chromium is not installed: install it, or name its program file with --chromium")
    chosen = [c for c in CHAPTERS if not options.names or any(name in c.stem for name in options.names)]
    if not chosen:
        parser.error("no chapter has such a name")
    return options, chosen


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dark", action="store_true", help="with JupyterLab's dark theme")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="where a picture of each chapter goes")
    options, chosen = chosen_chapters(parser, arguments)
    with jupyterlab(options.dark) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=CHROMIUM_FLAGS)
        problems = [problem for c in chosen for problem in visit(browser, address, c, options.screenshots)]
        browser.close()
    return 1 if problems else 0


@contextlib.contextmanager
def jupyterlab(dark: bool = False) -> Iterator[str]:
    """Runs JupyterLab as the README starts it, on a copy of the repository, and gives the address of its notebooks.

    `{}` in the address stands for a chapter's file name.
    """
    with tempfile.TemporaryDirectory(prefix="workbook-browser-", ignore_cleanup_errors=True) as folder:
        scratch, port = Path(folder), free_port()
        copy = scratch / "workbook"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "keys", "output"))
        with (scratch / "jupyterlab.log").open("w+", encoding="utf-8") as log:
            lab = subprocess.Popen(
                command(port), cwd=copy, env=environment(scratch, dark), stdout=log, stderr=subprocess.STDOUT
            )
            try:
                wait_for(lab, f"http://127.0.0.1:{port}/api/status?token={TOKEN}", log)
                yield f"http://127.0.0.1:{port}/lab/tree/notebooks/{{}}?reset&token={TOKEN}"
            finally:
                lab.terminate()
                lab.wait(timeout=30)


def command(port: int) -> list[str]:
    """The README's command with what a run without a person at the screen needs."""
    lab = [sys.executable, "-m", "jupyterlab", "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb"]
    lab += ["--expose-app-in-browser", "--no-browser", f"--IdentityProvider.token={TOKEN}"]
    lab += [f"--port={port}", "--ServerApp.port_retries=0"]
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*lab, "--allow-root"] if is_root else lab


def environment(scratch: Path, dark: bool) -> dict[str, str]:
    """The practice environment, with JupyterLab's own settings in place of the user's."""
    theme = {"apputils-extension/themes": {"theme": "JupyterLab Dark" if dark else "JupyterLab Light"}}
    for name, settings in (SETTINGS | theme).items():
        file = scratch / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")
    learners = practice_environment(scratch)
    del learners["PYTHONPATH"]  # a learner has none
    return learners | {
        "JUPYTERLAB_SETTINGS_DIR": str(scratch / "settings"),
        "JUPYTER_CONFIG_DIR": str(scratch / "config"),
        "JUPYTER_DATA_DIR": str(scratch / "data"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
    }


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(lab: subprocess.Popen, url: str, log) -> None:
    """Returns when the server answers; ends the program with the server's log when it does not."""
    deadline = time.monotonic() + START_SECONDS
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between this machine and itself
        while lab.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(requests.ConnectionError):
                if session.get(url, timeout=5).ok:
                    return
            time.sleep(0.2)
    log.seek(0)
    sys.exit(f"JupyterLab did not start:\n{log.read()}")


def visit(browser: Browser, address: str, chapter: Path, screenshots: Path | None) -> list[str]:
    """Opens and runs one chapter, prints one line about it, and gives what is wrong with it."""
    began = time.monotonic()
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(address.format(chapter.name))
    page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.sessionContext", timeout=START_SECONDS * 1000)
    page.evaluate(OPEN)
    wait_until(page, lambda state: state["kernel"] == "idle" and state["connection"] == "connected", START_SECONDS)
    page.evaluate("() => void jupyterapp.commands.execute('notebook:run-all-cells')")
    expected = pictures_in(chapter)
    state = wait_until(page, lambda state: has_run(state) and state["drawn"] >= expected, RUN_SECONDS)
    problems = problems_of(chapter, state, expected)
    if screenshots:
        photograph(page, state["height"], screenshots / f"{chapter.stem}.png")
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.close()
    print(f"{chapter.stem}: {'; '.join(problems) or 'good'} ({time.monotonic() - began:.0f} s)", flush=True)
    return problems


def has_run(state: dict) -> bool:
    """Whether nothing runs any more and the last cell has run, or a cell stopped the run."""
    return state["kernel"] == "idle" and state["running"] == 0 and (state["counts"][-1] or state["failed"])


def wait_until(page: Page, good, seconds: float) -> dict:
    """Polls until `good(state)` holds several times in a row, or the time is over; gives the last state."""
    deadline, in_a_row = time.monotonic() + seconds, 0
    while True:
        state = page.evaluate(STATE)
        in_a_row = in_a_row + 1 if good(state) else 0
        if in_a_row == QUIET_POLLS or time.monotonic() > deadline:
            return state
        page.wait_for_timeout(250)


def pictures_in(chapter: Path) -> int:
    """How many pictures a chapter shows: attachments, and mermaid in its text and in its outputs."""
    notebook = read(chapter)
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    attached = sum(text.count("](attachment:") for text in texts)
    texts += [
        output.get("data", {}).get("text/markdown", "") for cell in code_cells(notebook) for output in cell.outputs
    ]
    return attached + sum(text.count("```mermaid") for text in texts)


def problems_of(chapter: Path, state: dict, pictures: int) -> list[str]:
    """What is wrong with a chapter that has run, one short sentence each."""
    cells = code_cells(read(chapter))
    problems = []
    if state["counts"] != list(range(1, len(cells) + 1)):
        problems.append(f"its cells ran as {json.dumps(state['counts'])}")
    if state["failed"] != [cell.id for cell in cells if "raises-exception" in tags(cell)]:
        problems.append(f"the cells that failed are {', '.join(state['failed']) or 'none'}")
    if state["drawn"] != pictures:
        problems.append(f"{state['drawn']} of {pictures} pictures are drawn")
    if state["warnings"]:
        problems.append(f"{state['warnings']} mermaid pictures could not be drawn")
    return problems


def photograph(page: Page, height: int, file: Path) -> None:
    """Stores a picture of the whole chapter, however long it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": 1280, "height": min(height + 200, 16_000)})  # Chromium draws no higher
    page.evaluate(SCROLL_TO_TOP)
    page.screenshot(path=file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
