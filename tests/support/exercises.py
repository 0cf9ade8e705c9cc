"""The exercises of the chapters: where their cells are, and what their checks say to every known answer.

nbval's own run of a notebook serves its exercises, too: right after each check, stub, named mistakes and solution are
tried in the same kernel.
"""

import ast
import importlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from chapters import CELL_TIMEOUT, CHAPTERS, code_cells, read, tags
from nbval.plugin import IPyNbCell

STUB, SOLUTION = "the stub", "the printed solution"
SYMBOLS = {"not started": "⬜", "not yet": "❌", "right": "✅"}


@dataclass(frozen=True)
class Verdict:
    """What a check said: `state`, `hint`, and the text that the learner sees."""

    state: str
    hint: str
    text: str


@dataclass(frozen=True)
class Exercise:
    """One exercise: its chapter's file, its name as in `check("04-scope", …)`, and its four cells where they exist."""

    chapter: Path
    name: str
    text: nbformat.NotebookNode | None
    stub: nbformat.NotebookNode
    check: nbformat.NotebookNode | None
    solution: nbformat.NotebookNode | None

    @property
    def function(self) -> str:
        """The name of the function that the learner writes."""
        return function_in(self.stub.source).name

    @property
    def solution_code(self) -> str:
        """The Python block that the solution cell prints."""
        return python_blocks(self.solution.source)[0]

    @property
    def mistakes(self) -> dict[str, tuple[str, str]]:
        """What the mistake is → (source of the wrong function, words its hint must contain)."""
        return mistakes_of(self.chapter).get(self.name, {})

    @property
    def answers(self) -> dict[str, str]:
        """Every known answer: what it is → its source."""
        wrong = {mistake: source for mistake, (source, _) in self.mistakes.items()}
        return {STUB: self.stub.source, **wrong, SOLUTION: self.solution_code}


def function_in(source: str) -> ast.FunctionDef:
    """The last function that a piece of source defines at its top level."""
    return [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)][-1]


def python_blocks(markdown: str) -> list[str]:
    """The contents of the ```python blocks in a markdown text."""
    return re.findall(r"^```python\n(.*?)^```", markdown, flags=re.MULTILINE | re.DOTALL)


def mistakes_of(chapter: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """MISTAKES of tests/mistakes/chapter_NN.py, empty when there is no such file."""
    module = f"mistakes.chapter_{chapter.stem[:2]}"
    try:
        return importlib.import_module(module).MISTAKES
    except ModuleNotFoundError as error:
        if error.name not in (module, "mistakes"):
            raise
        return {}


def exercises_of(chapter: Path) -> list[Exercise]:
    """The exercises of a chapter: every code cell tagged `exercise`, with the cells that share its id."""
    notebook = read(chapter)
    by_id = {cell.get("id"): cell for cell in notebook.cells}
    return [
        Exercise(
            chapter,
            name=cell.id.removeprefix("ex-"),
            text=by_id.get(f"{cell.id}-text"),
            stub=cell,
            check=by_id.get(f"{cell.id}-check"),
            solution=by_id.get(f"{cell.id}-solution"),
        )
        for cell in code_cells(notebook)
        if "exercise" in tags(cell)
    ]


EXERCISES = [exercise for chapter in CHAPTERS for exercise in exercises_of(chapter)]


# --- trying the answers out ---------------------------------------------------------------------------------------


def try_answers(check_cell: IPyNbCell) -> None:
    """Try every known answer to an exercise in the notebook's own kernel, right after nbval has run its check.

    An answer may so use whatever the chapter has defined; each is tried in a copy of the notebook's names. At the end
    the printed solution stays defined, so that the rest of the notebook runs, and is compared, with it in place.

    Args:
        check_cell: the cell tagged `check`, as nbval has it.

    Raises:
        AssertionError: names each answer that does not get the verdict or the hint it should.
    """
    [exercise] = [one for one in exercises_of(check_cell.path) if one.check and one.check.id == check_cell.cell.id]
    verdicts = {
        answer: Verdict(*json.loads(printed_by(check_cell, trial(exercise, source)).splitlines()[-1]))
        for answer, source in exercise.answers.items()
    }
    printed_by(check_cell, exercise.solution_code)
    if wrong := complaints(exercise, verdicts):
        raise AssertionError(f"{exercise.name}: " + "; ".join(wrong))


def trial(exercise: Exercise, source: str) -> str:
    """Code that gives one answer, asks the check and prints the verdict as JSON on its last line."""
    return "\n".join(
        [
            "__names = dict(globals())",
            f"exec({source!r}, __names)",
            f"__verdict = check({exercise.name!r}, __names[{exercise.function!r}])",
            "print()",
            "print(__import__('json').dumps([__verdict.state, __verdict.hint, repr(__verdict)]))",
        ]
    )


def complaints(exercise: Exercise, verdicts: dict[str, Verdict]) -> list[str]:
    """What is wrong with the verdicts: stub, solution, each mistake, and hints that two mistakes share."""
    states = {STUB: "not started", SOLUTION: "right"}
    wrong = [
        f"{answer}: {verdict.text}"
        for answer, verdict in verdicts.items()
        if verdict.state != states.get(answer, "not yet") or not verdict.text.startswith(SYMBOLS[verdict.state])
    ]
    for mistake, (_, words) in exercise.mistakes.items():
        hint = verdicts[mistake].hint
        shared = [other for other in exercise.mistakes if other != mistake and verdicts[other].hint == hint]
        wrong += [f"{mistake}: its hint has no {words!r}: {hint}"] if words not in hint else []
        wrong += [f"{mistake}: its hint is also that of {other}" for other in shared]
    return wrong


def printed_by(cell: IPyNbCell, source: str) -> str:
    """Runs code in a notebook's kernel and gives back what it printed.

    Raises:
        AssertionError: the code raised.
    """
    kernel = cell.parent.kernel
    number = kernel.execute_cell_input(source, allow_stdin=False)
    kernel.await_reply(number, timeout=CELL_TIMEOUT)
    printed = []
    while True:
        message = kernel.get_message("iopub", timeout=CELL_TIMEOUT)
        if message["parent_header"].get("msg_id") != number:
            continue
        content = message["content"]
        if message["msg_type"] == "error":
            raise AssertionError(f"{content['ename']}: {content['evalue']}")
        if message["msg_type"] == "stream" and content["name"] == "stdout":
            printed.append(content["text"])
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            return "".join(printed)


def text_under(cell: nbformat.NotebookNode) -> str:
    """What a cell printed and showed, as plain text."""
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)
