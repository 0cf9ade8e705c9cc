"""Runs what follows .env on the tenant in .env, and compares it with the stored outputs by structure, not by people.

A cell follows .env when the last `open_bench` above it does, so the chapters themselves say which cells these are.
Structure is what a program and its reader rely on: that a cell ends without an error, the labels it prints and what
kind of value stands beside each, the columns of its tables, the codes of refusals. Numbers, names and texts of the
organisation are no part of it, and neither is a differing order.
"""

import ast
import html
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from chapters import CHAPTERS, code_cells, keys_folder, known, practice_environment, run
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from workbook import WorkbookProblem
from workbook.settings import read_settings, real_tenant

NO_CREDENTIALS = (
    "There is no tenant to ask: copy env.sample to .env, fill in a tenant, an app and its certificate, and run "
    "pytest --live again."
)
NO_CERTIFICATE = (
    ".env names a client secret and no certificate, and pytest --live asks with a certificate: fill in "
    "AZURE_CLIENT_CERTIFICATE_PATH."
)
OWN_TENANT = "Tenant   your own"  # what workbook/bench.py prints first
ASKS_A_PERSON = "sign_in("  # a cell that waits until somebody has signed in
PATIENCE = 1800  # seconds for a cell: a hundred thousand people come in a thousand pages
REPORT = pytest.StashKey[str]()
# Lines for somebody at the keyboard of a real tenant, and one that a tenant with few people has no reason to show.
NOT_COMPARED = ("Wait     ", "To sign in, use a web browser", "@odata.nextLink ")


def settings_problem() -> str | None:
    """Why nothing can be asked: no settings, or what is wrong with them. None when there is a tenant to ask."""
    try:
        values = read_settings()
        if not any(values.values()):
            return NO_CREDENTIALS
        if real_tenant(values).pair is None:
            return NO_CERTIFICATE
    except WorkbookProblem as problem:
        return f"{problem} (pytest --live asks the tenant in .env.)"
    return None


def live_environment(scratch: Path, chapter: str) -> dict[str, str]:
    """The environment for a kernel that may follow .env: the learner's settings, but not the learner's keys or files.

    Args:
        scratch: a folder for what the run leaves behind.
        chapter: the chapter's name; it gets a folder for keys of its own.
    """
    kept = {name: value for name, value in os.environ.items() if name.startswith("AZURE_") or name == "GRAPH_ENDPOINT"}
    environment = practice_environment(scratch) | kept | {"WORKBOOK_KEYS": str(keys_folder(scratch, f"live-{chapter}"))}
    del environment["WORKBOOK_TENANT"]
    return environment


# --- which cells ------------------------------------------------------------------------------------------------------


def following(notebook: NotebookNode) -> list[str]:
    """Ids of the code cells that follow .env, in order."""
    found, follows = [], False
    for cell in code_cells(notebook):
        for call in re.findall(r"\bopen_bench\((.*)\)", cell.source):
            follows = "practice_only=True" not in call
        if follows:
            found.append(cell.id)
    return found


def following_chapters() -> list[Path]:
    """The chapters of which at least a part follows .env."""
    return [chapter for chapter in CHAPTERS if following(known(chapter))]


def up_to_a_person(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the cell that asks somebody to sign in to a real tenant, and without all after it."""
    follow = set(following(notebook))
    for number, cell in enumerate(notebook.cells):
        if cell.id in follow and ASKS_A_PERSON in cell.source:
            notebook.cells = notebook.cells[:number]
            break
    return notebook


def with_answers(notebook: NotebookNode, *answers: str) -> NotebookNode:
    """The notebook with somebody at the keyboard, who gives these answers to the questions of its own-tenant part."""
    follow = following(notebook)
    typed = nbformat.v4.new_code_cell(
        f"answers = {list(answers)!r}\n\n\ndef input(question):\n    return answers.pop(0)"
    )
    first = next(number for number, cell in enumerate(notebook.cells) if cell.id == follow[0])
    notebook.cells.insert(first, typed)
    return notebook


# --- what is compared -------------------------------------------------------------------------------------------------


def run_and_compare(notebook: NotebookNode, stored: NotebookNode, environment: dict[str, str]) -> list[str]:
    """Runs `notebook` and says where it differs from `stored`, one line a difference, without any value.

    Args:
        notebook: what is run; its outputs are replaced.
        stored: the same chapter with its practice outputs. Cells that `notebook` lacks are not compared.
        environment: of the kernel.
    """
    stopped = []
    try:
        run(notebook, environment, PATIENCE)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        stopped = [f"the run stopped: {type(error).__name__}"]
    return differences(notebook, stored) + stopped


def differences(fresh: NotebookNode, stored: NotebookNode) -> list[str]:
    """Where the outputs of the cells that follow .env differ in structure, and where other cells differ at all."""
    follow, before = set(following(stored)), {cell.id: cell for cell in code_cells(stored)}
    found = []
    for cell in code_cells(fresh):
        if cell.id not in before:
            continue
        if opens_the_bench(cell) and cell.id in follow:
            if OWN_TENANT not in texts(cell):
                found.append(f"{cell.id}: the bench did not open the tenant of .env")
        elif cell.id in follow:
            found += [f"{cell.id}: {line}" for line in compared(structure(cell), structure(before[cell.id]))]
        elif OWN_TENANT in texts(cell):
            found.append(f"{cell.id}: the bench opened the tenant of .env in a part for the practice tenant")
        elif set(errors(cell)) != set(errors(before[cell.id])):
            found.append(f"{cell.id}: errors {sorted(errors(cell))}")
    return found


def opens_the_bench(cell: NotebookNode) -> bool:
    return bool(re.search(r"\bopen_bench\(", cell.source))


def compared(came: set[str], expected: set[str]) -> Iterator[str]:
    yield from (f"lacks {one!r}" for one in sorted(expected - came))
    yield from (f"has {one!r}, and the practice tenant has not" for one in sorted(came - expected))


def structure(cell: NotebookNode) -> set[str]:
    """The structure of a cell's outputs as lines without values. A picture is left out: it shows what there is."""
    found = {f"error {name}" for name in errors(cell)}
    for line in texts(cell).splitlines():
        if line.strip() and not line.startswith(NOT_COMPARED):
            found.add(line_structure(line))
    for output in cell.outputs:
        data = output.get("data", {})
        for table in re.findall(r"<thead>.*?</thead>", data.get("text/html", ""), flags=re.DOTALL):
            names = [html.unescape(name).strip() for name in re.findall(r"<th\b[^>]*>(.*?)</th>", table, re.DOTALL)]
            found.add(f"table {', '.join(names)}")
        if "text/plain" in data and "text/html" not in data and "image/png" not in data:
            found.add("value")
    return found


def texts(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def errors(cell: NotebookNode) -> list[str]:
    return [output.ename for output in cell.outputs if output.output_type == "error"]


def line_structure(line: str) -> str:
    """One printed line without its values: a member of JSON by its name, a label with a kind of value, or words."""
    line = line.strip()
    member = re.match(r'"([\w@.]+)":', line)
    if member:
        return f"member {member[1]}"
    if line.rstrip(",") in {"{", "}", "[", "]", "],", "},"} or re.fullmatch(r'"[^"]*",?', line):
        return "JSON"
    setting = re.match(r"[A-Z_]+=", line)
    if setting:
        return setting[0]
    label, colon, value = line.partition(":")
    if colon and len(label) <= 60:
        return f"{without_numbers(label)}: {kind_of(value.strip())}"
    return without_numbers(line)


def without_numbers(text: str) -> str:
    """A number becomes N, but the status of a refusal, with a code after it, is kept; blanks become one."""
    return " ".join(re.sub(r"\b(?![45]\d\d\b [A-Z])\d[\d,.]*", "N", text).split())


def kind_of(value: str) -> str:
    if re.fullmatch(r"[\d,.]+( .*)?", value):
        return "a number"
    try:
        return {bool: "yes or no", list: "a list", dict: "a dictionary"}.get(type(ast.literal_eval(value)), "a text")
    except (ValueError, SyntaxError):
        return "a text"
