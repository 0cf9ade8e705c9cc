"""Helps whoever teaches with the workbook; tests/instructors/README.md tells the whole story.

    python tests/tools/classroom.py hand-out FOLDER                    a copy for learners, without the solutions
    python tests/tools/classroom.py read FOLDER [--csv FILE]           who has solved which exercise
    python tests/tools/classroom.py read FOLDER --answers 04-scope     what everybody wrote in one exercise

`read` runs nothing that a learner wrote. It reads the verdicts that are stored under the check cells, and says where
they cannot be relied on: the check was not run, was changed, or was run before the answer was last run.
"""

import argparse
import csv
import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import outputs_guard

ROOT = Path(__file__).resolve().parents[2]

# What learners get, by path from the root. The tests stay behind: they hold every right answer.
FOR_LEARNERS = (
    ".gitattributes",
    ".githooks",
    ".gitignore",
    "data",
    "env.sample",
    "notebooks",
    "requirements.txt",
    "tests/constraints.txt",
    "tests/tools/outputs_guard.py",
)
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", ".virtual_documents", "keys", "output", ".*")

CHAPTER = "[0-9][0-9]_*.ipynb"
ANY_NOTEBOOK = "*.ipynb"  # a browser, a mail program or a learner may have given a chapter another name
NO_COPIES = {".ipynb_checkpoints", ".venv", "site-packages"}  # folders that hold no answers, or old ones

SOLVED, NOT_YET, NOT_STARTED, NOT_RUN, DOUBTFUL = "right", "not yet", "not started", "not run", "doubtful"
SIGNS = {SOLVED: "✅", NOT_YET: "❌", NOT_STARTED: "⬜", NOT_RUN: "–", DOUBTFUL: "?"}


class ClassroomProblem(Exception):
    """Something that the person at the keyboard can put right; the text is one sentence that says how."""


@dataclass(frozen=True)
class Answer:
    """One learner's answer to one exercise, as it is stored in a notebook.

    Args:
        learner: the name of the folder that the notebook lies in.
        exercise: for example "04-scope".
        verdict: one of SOLVED, NOT_YET, NOT_STARTED, NOT_RUN and DOUBTFUL.
        remark: what the check said, or why its verdict is doubtful.
        source: what the learner wrote.
    """

    learner: str
    exercise: str
    verdict: str
    remark: str
    source: str


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    hand_out = commands.add_parser("hand-out", help="make a copy for learners, without the solutions")
    hand_out.add_argument("folder", type=Path, help="where the copy goes; it must not exist yet")
    read = commands.add_parser("read", help="read the answers of a class")
    read.add_argument("folder", type=Path, help="a folder with one folder for each learner")
    read.add_argument("--csv", type=Path, metavar="FILE", help="write the verdicts to this file as well")
    read.add_argument("--answers", metavar="EXERCISE", help="show what everybody wrote in this exercise")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # any name, any console
    try:
        if options.command == "hand-out":
            make_hand_out(options.folder)
            print(f"The copy for learners is in {options.folder}. It holds no solutions.")
        else:
            show(class_of(options.folder), options.answers, options.csv)
    except ClassroomProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


# --- handing out ------------------------------------------------------------------------------------------------------


def make_hand_out(folder: Path) -> None:
    """Write a copy of the workbook that holds what a learner needs and no solution.

    Raises:
        ClassroomProblem: the folder exists already, or lies in the workbook itself, or what would be handed out holds
            data that is not the practice tenant's.
    """
    if folder.exists():
        raise ClassroomProblem(f"{folder} exists already: name a new folder, so that nothing in it is lost.")
    if folder.resolve().is_relative_to(ROOT):
        raise ClassroomProblem(f"{folder} lies in the workbook itself: name a folder outside of it.")
    for name in FOR_LEARNERS:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=LEFT_BEHIND)
        else:
            shutil.copyfile(source, target)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    copied = [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in files]
    if outputs_guard.report(copied, is_for_others=True):
        shutil.rmtree(folder)
        raise ClassroomProblem("Nothing was handed out, because the copy would hold what is not the practice tenant's.")
    for chapter in sorted((folder / "notebooks").glob(CHAPTER)):
        notebook = json.loads(chapter.read_text(encoding="utf-8"))
        notebook["cells"] = [cell for cell in notebook["cells"] if "solution" not in _tags(cell)]
        text = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
        chapter.write_text(text, encoding="utf-8", newline="\n")
    readme = learners_readme((ROOT / "README.md").read_text(encoding="utf-8"))
    (folder / "README.md").write_text(readme, encoding="utf-8", newline="\n")


def learners_readme(readme: str) -> str:
    """The page that a learner reads first: the title and the commands of the workbook's own page, and what to do."""
    title = re.findall(r"^# .+$", readme, flags=re.MULTILINE)[0]
    [unix] = re.findall(r"^python3 -m venv .+ lab .+$", readme, flags=re.MULTILINE)
    [windows] = re.findall(r"^py -3 -m venv .+ lab .+$", readme, flags=re.MULTILINE)
    return f"""{title}

This is a copy for a class, without the solutions. You need Python 3.11 or newer. In this folder, on Linux or macOS:

```sh
{unix}
```

On Windows, in PowerShell:

```powershell
{windows}
```

If you were given a folder of packages called `wheels`, put it into this folder and write
`--no-index --find-links wheels` after `install`. Then no network is needed.

The first chapter opens in JupyterLab. Run its cells from top to bottom with Shift + Enter. Under each exercise is a
cell that checks your answer as often as you like. Save the notebook when you have run it, because whoever teaches
reads the verdicts that are stored in it.
"""


# --- reading ----------------------------------------------------------------------------------------------------------


def class_of(folder: Path) -> list[Answer]:
    """The answers of a class: every exercise of every chapter that is in a learner's folder.

    Raises:
        ClassroomProblem: there is no such folder, or no learner's folder in it.
    """
    if not folder.is_dir():
        raise ClassroomProblem(f"{folder} is no folder: name the one that holds a folder for each learner.")
    for path in sorted(folder.glob(ANY_NOTEBOOK)):
        print(f"{path} was left out, since it lies in no learner's folder.", file=sys.stderr)
    learners = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    answers = [answer for learner in learners for answer in only_once(list(answers_in(learner)))]
    if not answers:
        raise ClassroomProblem(
            f"no chapter was found in a folder of {folder}: give each learner's copy a folder there."
        )
    return answers


def only_once(answers: list[Answer]) -> Iterator[Answer]:
    """A learner's answers without those that came twice; where two differ, it is in doubt which of them counts."""
    for exercise in dict.fromkeys(answer.exercise for answer in answers):
        found = list(dict.fromkeys(answer for answer in answers if answer.exercise == exercise))
        if len(found) == 1:
            yield found[0]
            continue
        sources = "\n\n".join(dict.fromkeys(answer.source for answer in found))
        yield Answer(found[0].learner, exercise, DOUBTFUL, f"{len(found)} notebooks have it, and they differ", sources)


def answers_in(learner: Path) -> Iterator[Answer]:
    """The answers in one learner's folder; a chapter that cannot be read is told on standard error and left out."""
    for path in sorted(learner.rglob(ANY_NOTEBOOK)):
        if NO_COPIES & set(path.relative_to(learner).parts):
            continue
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            found = [
                _answer(learner.name, cell, cells)
                for cell in cells
                if cell.get("id", "").startswith("ex-") and _is_stub(cell)
            ]
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            print(f"{path} was left out, since it is no notebook ({type(error).__name__}).", file=sys.stderr)
            continue
        yield from found


def _is_stub(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "code" and "exercise" in _tags(cell)


def _answer(learner: str, stub: dict[str, Any], cells: list[dict[str, Any]]) -> Answer:
    exercise = stub["id"].removeprefix("ex-")
    checks = [cell for cell in cells if cell.get("id") == f"{stub['id']}-check"]
    verdict, remark = _verdict(exercise, stub, checks[0]) if checks else (DOUBTFUL, "the check cell is gone")
    return Answer(learner, exercise, verdict, remark, _text(stub["source"]).strip())


def _verdict(exercise: str, stub: dict[str, Any], check: dict[str, Any]) -> tuple[str, str]:
    """What the stored output of a check says, or why it says nothing."""
    if _text(check["source"]).strip() != f'check("{exercise}")':
        return DOUBTFUL, "the check cell was changed"
    said = "".join(_text(output.get("data", {}).get("text/plain", "")) for output in check["outputs"]).strip()
    if not said:
        return NOT_RUN, "the check has no output"
    if (check["execution_count"] or 0) < (stub["execution_count"] or 0):
        return DOUBTFUL, "the answer was run again after its check"
    for verdict in (SOLVED, NOT_YET, NOT_STARTED):
        if said.startswith(f"{SIGNS[verdict]} {verdict}"):
            return verdict, said.removeprefix(f"{SIGNS[verdict]} {verdict}").removeprefix(": ")
    return DOUBTFUL, "the output is no verdict"


def show(answers: list[Answer], exercise: str | None, file: Path | None) -> None:
    """Print a table of the verdicts, or what everybody wrote in one exercise; write the verdicts to a file if asked.

    Raises:
        ClassroomProblem: nobody's copy has this exercise, or the file cannot be written.
    """
    if exercise:
        chosen = [answer for answer in answers if answer.exercise == exercise]
        if not chosen:
            known = ", ".join(dict.fromkeys(answer.exercise for answer in answers))
            raise ClassroomProblem(f"nobody's copy has an exercise {exercise}: choose one of {known}.")
        for answer in chosen:
            print(f"{SIGNS[answer.verdict]} {answer.learner}: {answer.remark or answer.verdict}\n")
            print("\n".join(f"    {line}".rstrip() for line in answer.source.splitlines()), end="\n\n")
    else:
        print(table(answers))
    if file:
        try:
            with file.open(
                "w", encoding="utf-8-sig", errors="backslashreplace", newline=""
            ) as target:  # a mark for Excel
                rows = csv.writer(target)
                rows.writerow(["learner", "exercise", "verdict", "remark"])
                rows.writerows([for_excel(a.learner), a.exercise, a.verdict, for_excel(a.remark)] for a in answers)
        except OSError as error:
            raise ClassroomProblem(f"{file} cannot be written ({error.strerror}): name another file.") from None


def for_excel(text: str) -> str:
    """A text that a spreadsheet shows and does not compute, because a learner chooses names and provokes remarks."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def table(answers: list[Answer]) -> str:
    """The verdicts as text: for each exercise one line, with a sign for each learner and how many have solved it."""
    learners = sorted({answer.learner for answer in answers})
    verdicts = {(answer.exercise, answer.learner): answer for answer in answers}
    exercises = sorted({answer.exercise for answer in answers})
    width = max(len(exercise) for exercise in exercises)
    lines = [f"{number:>3}  {learner}" for number, learner in enumerate(learners, start=1)]
    lines += ["", f"{'':{width}}  {' '.join(f'{number:>2}' for number in range(1, len(learners) + 1))}  solved"]
    doubts = []
    for exercise in exercises:
        row = [verdicts.get((exercise, learner)) for learner in learners]
        signs = [SIGNS[answer.verdict if answer else NOT_RUN] for answer in row]
        solved = sum(answer is not None and answer.verdict == SOLVED for answer in row)
        padded = " ".join(
            sign if sign in "✅❌⬜" else f" {sign}" for sign in signs
        )  # those three are two columns wide
        lines.append(f"{exercise:{width}}  {padded}  {solved} of {len(learners)}")
        doubts += [f"?  {a.learner}, {exercise}: {a.remark}" for a in row if a and a.verdict == DOUBTFUL]
    signs = "✅ right   ❌ not yet   ⬜ not started   – not run   ? cannot be relied on"
    return "\n".join([*lines, "", signs, *doubts])


def _tags(cell: dict[str, Any]) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])


def _text(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
