"""The exercises of the chapters: where their cells are, and what their checks say to every known answer.

nbval's own run of a notebook serves its exercises as well: right after each check, the stub, the unusual right answers,
the named mistakes and the solution are tried in the same kernel.

A new exercise needs five things: its four cells in the notebook, a checker in notebooks/workbook/checks/chapter_NN.py,
and its answers in tests/chapters/mistakes/chapter_NN.py, which holds two dictionaries:

    RIGHT = {"04-scope": {"a tuple": "def graph_scope(uri):\n    return (uri + '/.default',)"}}
    MISTAKES = {"04-scope": {"a text": ("def graph_scope(uri):\n    return uri + '/.default'", "this is a str")}}

RIGHT has at least three unusual right answers for each exercise: another style, another library call, another return
type that means the same. MISTAKES has at least four wrong ones, each with words of the hint that it must get; no two
may get the same hint, and a subtle one, that works on the worked example only, is among them. The source of an answer
is what a learner's cell would hold, whatever the kind of exercise:

    choose or predict     "status = 403"
    repair, fill in       the whole cell again, changed
    write a function      "def missing_roles(claims, needed):\n    return ..."
"""

import ast
import importlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from chapters import CELL_TIMEOUT, CHAPTERS, code_cells, known, tags
from nbval.plugin import IPyNbCell
from workbook import watching

STUB, SOLUTION = "the stub", "the printed solution"
CHOOSE, REPAIR, FILL, WRITE = "choose or predict", "repair", "fill in", "write"
ENDLESS = "has not ended"  # what a hint says of an answer that never ends
SHORT = 0.5  # seconds after which the tests are sure of it; a learner's answer has `watching.DEADLINE`
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
    def answer(self) -> str:
        """The name of the function or value that the learner's cell defines and the check looks at."""
        return name_in(self.stub.source)

    @property
    def kind(self) -> str:
        """What the learner does: choose, repair, fill in or write."""
        return kind_of(self.stub.source)

    @property
    def solution_code(self) -> str:
        """The Python block that the solution cell prints."""
        return python_blocks(self.solution.source)[0]

    @property
    def mistakes(self) -> dict[str, tuple[str, str]]:
        """What the mistake is → (source of the wrong function, words its hint must contain)."""
        return answers_of(self.chapter, "MISTAKES").get(self.name, {})

    @property
    def right_answers(self) -> dict[str, str]:
        """What is unusual about a right answer → its source."""
        return answers_of(self.chapter, "RIGHT").get(self.name, {})

    @property
    def answers(self) -> dict[str, str]:
        """Every known answer: what it is → its source."""
        wrong = {mistake: source for mistake, (source, _) in self.mistakes.items()}
        return {STUB: self.stub.source, **self.right_answers, **wrong, SOLUTION: self.solution_code}


def name_in(source: str) -> str:
    """The name that the last function or assignment at the top level of a piece of source defines."""
    return _definitions(source)[-1][0]


def kind_of(stub: str) -> str:
    """The kind of an exercise, told by the cell that the learner starts from."""
    statements = ast.parse(stub).body
    gaps = sum(isinstance(node, ast.Constant) and node.value is ... for node in ast.walk(ast.parse(stub)))
    if gaps == 0:
        return REPAIR
    if len(statements) == 1 and isinstance(statements[0], ast.Assign | ast.AnnAssign):
        return CHOOSE
    if len(statements) == 1 and isinstance(statements[0], ast.FunctionDef) and _is_empty(statements[0]):
        return WRITE
    return FILL


def signature_in(source: str, name: str) -> str | None:
    """The parameters of the function called `name`, as text; None when it is a value."""
    [node] = [node for found, node in _definitions(source) if found == name][-1:]
    return ast.dump(node.args) if isinstance(node, ast.FunctionDef) else None


def _definitions(source: str) -> list[tuple[str, ast.stmt]]:
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found.append((node.name, node))
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.append((node.targets[0].id, node))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append((node.target.id, node))
    return found


def _is_empty(function: ast.FunctionDef) -> bool:
    body = [node for node in function.body if not (isinstance(node, ast.Expr) and _is_text(node.value))]
    return [ast.unparse(node) for node in body] == ["..."]


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def python_blocks(markdown: str) -> list[str]:
    """The contents of the ```python blocks in a markdown text."""
    return re.findall(r"^```python\n(.*?)^```", markdown, flags=re.MULTILINE | re.DOTALL)


def answers_of(chapter: Path, which: str) -> dict[str, dict]:
    """RIGHT or MISTAKES of tests/chapters/mistakes/chapter_NN.py, empty when there is no such file."""
    module = f"mistakes.chapter_{chapter.stem[:2]}"
    try:
        return getattr(importlib.import_module(module), which)
    except ModuleNotFoundError as error:
        if error.name not in (module, "mistakes"):
            raise
        return {}


def exercises_of(chapter: Path) -> list[Exercise]:
    """The exercises of a chapter: every code cell tagged `exercise`, with the cells that share its id."""
    notebook = known(chapter)
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
    the printed solution is put in as a learner would, checked once more, and stays defined, so that the rest of the
    notebook runs, and is compared, with it in place.

    Args:
        check_cell: the cell tagged `check`, as nbval has it.

    Raises:
        AssertionError: names each answer that does not get the verdict or the hint it should.
    """
    [exercise] = [one for one in exercises_of(check_cell.path) if one.check and one.check.id == check_cell.cell.id]
    verdicts = {}
    for answer, source in exercise.answers.items():
        endless = ENDLESS in exercise.mistakes.get(answer, ("", ""))[1]
        said = printed_by(check_cell, trial(exercise, source, SHORT if endless else watching.DEADLINE))
        verdicts[answer] = Verdict(*json.loads(said.splitlines()[-1]))
    wrong = complaints(exercise, verdicts)
    printed_by(check_cell, exercise.solution_code)
    solved = printed_by(check_cell, f"print({exercise.check.source})")
    if not solved.startswith(SYMBOLS["right"]):
        wrong.append(f"the notebook with its solution put in: {solved}")
    if wrong:
        raise AssertionError(f"{exercise.name}: " + "; ".join(wrong))


def trial(exercise: Exercise, source: str, seconds: float) -> str:
    """Code that gives one answer, asks the check and prints the verdict as JSON on its last line.

    Args:
        exercise: which one.
        source: the answer.
        seconds: how long the check waits for each call of the answer.
    """
    return "\n".join(
        [
            "__names = dict(globals())",
            f"exec({source!r}, __names)",
            f"__import__('workbook.watching').watching.DEADLINE = {seconds}",
            f"__verdict = check({exercise.name!r}, __names[{exercise.answer!r}])",
            "print()",
            "print(__import__('json').dumps([__verdict.state, __verdict.hint, repr(__verdict)]))",
        ]
    )


def complaints(exercise: Exercise, verdicts: dict[str, Verdict]) -> list[str]:
    """What is wrong with the verdicts: stub, right answers, each mistake, and hints that two mistakes share."""
    states = {STUB: "not started", SOLUTION: "right", **dict.fromkeys(exercise.right_answers, "right")}
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
