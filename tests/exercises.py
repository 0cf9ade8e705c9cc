"""The exercises of the chapters: where their cells are, and what their checks say to every known answer.

One run of a notebook serves all its exercises. It has the solutions put in; right after each check it also tries the
stub and every named mistake in the same kernel, so that an answer may use whatever the chapter has defined.
"""

import importlib
import json
import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat
from chapters import CHAPTERS, code_cells, keys_folder, read, run, tags

STUB, SOLUTION = "the stub", "the printed solution"


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


@dataclass(frozen=True)
class Run:
    """One run of a chapter with the solutions put in."""

    verdicts: dict[tuple[str, str], Verdict]  # (exercise's name, answer) → what the check said to it
    displayed: dict[str, str]  # exercise's name → the text under the check cell itself


def try_answers(chapter: Path, environment: dict[str, str]) -> Run:
    """Runs a chapter from top to bottom with the solutions put in, and tries every known answer on the way.

    Raises what `chapters.run` raises.
    """
    exercises = [exercise for exercise in exercises_of(chapter) if exercise.check and exercise.solution]
    notebook = notebook_with_answers(chapter, exercises)
    run(notebook, environment)
    cells = {cell.id: cell for cell in notebook.cells}
    return Run(
        verdicts={
            tuple(cell.metadata.trial): Verdict(*json.loads(text_under(cell).splitlines()[-1]))
            for cell in notebook.cells
            if "trial" in cell.metadata
        },
        displayed={exercise.name: text_under(cells[exercise.check.id]) for exercise in exercises},
    )


def notebook_with_answers(chapter: Path, exercises: list[Exercise]) -> nbformat.NotebookNode:
    """A copy of the chapter with the solutions put in, and a trial of each known answer after its check.

    The solution is tried last, so that the rest of the notebook goes on with it.
    """
    notebook = read(chapter)
    by_stub = {exercise.stub.id: exercise for exercise in exercises}
    by_check = {exercise.check.id: exercise for exercise in exercises}
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.id in by_stub:
            cell.source = by_stub[cell.id].solution_code
        elif cell.id in by_check:
            exercise = by_check[cell.id]
            cells += [trial(exercise, answer, source) for answer, source in exercise.answers.items()]
    notebook.cells = cells
    return notebook


def trial(exercise: Exercise, answer: str, source: str) -> nbformat.NotebookNode:
    """A cell that gives one answer, asks the check and prints the verdict as JSON on its last line."""
    lines = [
        source,
        "import json as __json",
        f"__verdict = {exercise.check.source}",
        "print()",
        "print(__json.dumps([__verdict.state, __verdict.hint, repr(__verdict)]))",
    ]
    return nbformat.v4.new_code_cell("\n".join(lines), metadata={"trial": [exercise.name, answer]})


def text_under(cell: nbformat.NotebookNode) -> str:
    """What a cell printed and showed, as plain text."""
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


class Runs:
    """Runs chapters with their solutions, one after the other, on a thread of its own.

    Nothing runs before the first result is asked for: of several pytest workers only one has these tests.
    """

    def __init__(self, environment: dict[str, str], scratch: Path):
        self.wanted: list[Path] = []  # chapters, in the order in which they are to run
        self._environment, self._scratch = environment, scratch
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._runs: dict[Path, Future[Run]] = {}

    def of(self, chapter: Path) -> Run:
        """The run of a chapter, waited for. Raises what the run raised, each time it is asked for."""
        for one in [] if self._runs else self.wanted:
            keys = str(keys_folder(self._scratch, f"{one.stem}-solved"))
            self._runs[one] = self._pool.submit(try_answers, one, self._environment | {"WORKBOOK_KEYS": keys})
        return self._runs[chapter].result()

    def stop(self) -> None:
        """Gives up the runs that have not begun and waits for the one that has."""
        self._pool.shutdown(cancel_futures=True)
