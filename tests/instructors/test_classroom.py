"""What an instructor does with a class: the copy without solutions, and the answers that come back.

Installing without a network and running such a copy takes a minute, so in_a_room.py does it in .ci/run.
"""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter

import classroom
import outputs_guard
import pytest
from chapters import CHAPTERS, ROOT, code_cells, known, read, tags
from exercises import EXERCISES, WRITE
from workbook import own_data

pytestmark = pytest.mark.usefixtures("at_most_ten_thousand_people")
TAKES_ALL = sys.getfilesystemencoding() == "utf-8"  # whether a folder may have any name: not so in the locale C
JOSE = "José" if TAKES_ALL else "Jose"
EXERCISE = next(exercise for exercise in EXERCISES if exercise.kind == WRITE)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The copy for learners."""
    folder = tmp_path_factory.mktemp("class") / ("Übung für Ada" if TAKES_ALL else "for Ada")
    assert classroom.main(["hand-out", str(folder)]) == 0
    return folder


@pytest.fixture
def room(copy, tmp_path):
    """Makes a class with the copies of the given learners, in which every chapter is as it was handed out."""

    def make(*learners):
        for learner in learners:
            notebooks = tmp_path / learner / "workbook" / "notebooks"
            notebooks.mkdir(parents=True)
            for chapter in CHAPTERS:
                shutil.copy(copy / "notebooks" / chapter.name, notebooks)
        return tmp_path

    return make


def change(room, learner, exercise, **changes):
    """Let a learner's answer (`source`, `run`) and its check (`check`, `said`, `checked`) be as if they had worked."""
    path = room / learner / "workbook" / "notebooks" / exercise.chapter.name
    notebook = json.loads(path.read_text(encoding="utf-8"))
    by_id = {cell["id"]: cell for cell in notebook["cells"]}
    stub, check = by_id[exercise.stub.id], by_id[exercise.check.id]
    stub |= {"source": changes.get("source", stub["source"]), "execution_count": changes.get("run", 40)}
    check |= {"source": changes.get("check", check["source"]), "execution_count": changes.get("checked", 41)}
    if "said" in changes:
        said = {"output_type": "execute_result", "metadata": {}, "execution_count": check["execution_count"]}
        check["outputs"] = [said | {"data": {"text/plain": changes["said"]}}] if changes["said"] else []
    path.write_text(json.dumps(notebook), encoding="utf-8")


# Setting back


def test_the_pages_command_sets_a_copy_back_and_leaves_the_settings(tmp_path, monkeypatch):
    for name in [variable for variable in os.environ if variable.startswith("GIT_")]:
        monkeypatch.delenv(name)
    page = (ROOT / "tests" / "instructors" / "README.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^git restore .+$", page, flags=re.MULTILINE)

    def run(line):
        subprocess.run(shlex.split(line), cwd=tmp_path, check=True, capture_output=True)

    files = {".gitignore": ".env\nkeys/\n", "notebooks/01_keys.ipynb": "as it was", "README.md": "x"}
    made = {
        ".env": "A=1",
        "notebooks/01_keys.ipynb": "changed",
        "notebooks/keys/server.key": "secret",
        "notebooks/Untitled.ipynb": "{}",
    }
    write_files(tmp_path, files)
    for line in ("git init -q", "git add -A", "git -c user.name=x -c user.email=x@contoso.example commit -qm x"):
        run(line)
    write_files(tmp_path, made)
    run("git add notebooks/01_keys.ipynb")
    for line in command.split(" && "):
        run(line)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {name for name in left if not name.startswith(".git/")} == {*files, ".env"}
    assert (tmp_path / "notebooks" / "01_keys.ipynb").read_text(encoding="utf-8") == "as it was"


def write_files(folder, texts):
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


# Handing out


def test_the_copy_holds_all_cells_but_the_solutions(copy):
    for chapter in CHAPTERS:
        expected = [cell for cell in known(chapter).cells if "solution" not in tags(cell)]
        assert read(copy / "notebooks" / chapter.name).cells == expected, chapter.name


def test_no_file_of_the_copy_holds_a_printed_solution(copy):
    texts = {path.name: bare_lines(text_of(path)) for path in copy.rglob("*") if path.is_file()}
    solutions = {exercise.name: bare_lines(exercise.solution_code) for exercise in EXERCISES}
    several_lines = {name: code for name, code in solutions.items() if "\n" in code}
    assert len(several_lines) > len(EXERCISES) / 2
    assert [(name, file) for name, code in several_lines.items() for file, text in texts.items() if code in text] == []


def text_of(path):
    """What a reader sees in a file: of a notebook, its cells."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in read(path).cells)


def bare_lines(text):
    """The lines without what indents them, so that an answer is found in whatever block it stands."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def test_the_copy_leaves_the_tests_behind_and_can_be_installed(copy):
    in_tests = {path.relative_to(copy).as_posix() for path in (copy / "tests").rglob("*") if path.is_file()}
    assert in_tests == {"tests/constraints.txt", "tests/tools/outputs_guard.py"}
    assert "-c tests/constraints.txt" in (copy / "requirements.txt").read_text(encoding="utf-8")
    assert not [path for path in copy.rglob("*") if path.name in {"__pycache__", "keys", "output", ".env", ".git"}]


def test_git_ignores_keys_and_settings_in_a_copy_and_its_guard_is_there(copy):
    assert {path.name for path in (copy / ".githooks").iterdir()} == set(outputs_guard.HOOKS)
    ignored = (copy / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".env", "notebooks/keys/", "*.pfx"} <= set(ignored)


def test_its_page_says_how_to_start_and_links_nowhere(copy):
    page = (copy / "README.md").read_text(encoding="utf-8")
    assert ".venv/bin/jupyter lab --LabApp.default_url" in page
    assert r".venv\Scripts\jupyter lab" in page
    assert "](" not in page


def test_a_folder_that_exists_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine").write_text("keep", encoding="utf-8")
    assert classroom.main(["hand-out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.endswith("name a new folder, so that nothing in it is lost.\n")
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "keep"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


COUNTED = b"""{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
{"cell_type": "code", "id": "a", "source": "", "metadata": {}, "execution_count": 1,
 "outputs": [{"output_type": "stream", "name": "stdout", "text": "17"}]}]}"""


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notebooks/users.csv", b"displayName\nAdele Vance\n", "values of displayName"),
        ("notebooks/server.pfx", b"x", "a secret"),
        ("env.sample", b"AZURE_CLIENT_SECRET=x8Q~secret\n", "a secret"),
        ("notebooks/06_mine.ipynb", None, "outputs of your own tenant"),
        ("notebooks/Untitled.ipynb", COUNTED, "outputs that do not say which tenant they come from"),
    ],
)
def test_nothing_of_somebodys_own_tenant_is_handed_out(tmp_path, monkeypatch, capsys, name, content, words):
    root, folder = tmp_path / "workbook", tmp_path / "class"
    for one in classroom.FOR_LEARNERS:
        (root / one).parent.mkdir(parents=True, exist_ok=True)
        if (classroom.ROOT / one).is_dir():
            (root / one).mkdir()
        else:
            shutil.copy(classroom.ROOT / one, root / one)
    shutil.copy(classroom.ROOT / "README.md", root)
    monkeypatch.setattr(classroom, "ROOT", root)
    monkeypatch.setattr(outputs_guard, "scratch", lambda: frozenset([name]))
    if content is None:
        notebook = json.loads(EXERCISE.chapter.read_text(encoding="utf-8"))
        notebook["cells"][-1]["metadata"] = {"note": own_data.MARK}
        content = json.dumps(notebook).encode()
    (root / name).write_bytes(content)
    assert classroom.main(["hand-out", str(folder)]) == 1
    said = capsys.readouterr().err
    assert f"{name} holds {words}" in said
    assert "Nothing was handed out" in said
    assert not folder.exists()


def test_the_copy_does_not_go_into_the_workbook(capsys):
    assert classroom.main(["hand-out", str(classroom.ROOT / "notebooks" / "class")]) == 1
    assert "outside of it" in capsys.readouterr().err
    assert not (classroom.ROOT / "notebooks" / "class").exists()


# Reading


def test_the_verdicts_of_a_class_are_read(room, capsys):
    folder = room("Ada", "Grace", JOSE)
    change(folder, "Ada", EXERCISE, said="✅ right: the slash is gone.")
    change(folder, "Grace", EXERCISE, said="❌ not yet: f(1) gives 2, expected 3.")
    assert classroom.main(["read", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert f"  1  Ada\n  2  Grace\n  3  {JOSE}\n" in printed
    assert re.search(rf"^{EXERCISE.name} +✅ ❌ ⬜  1 of 3$", printed, flags=re.MULTILINE)
    assert len([line for line in printed.splitlines() if line.endswith(" of 3")]) == len(EXERCISES)


@pytest.mark.parametrize(
    ("changes", "verdict", "remark"),
    [
        ({"said": "✅ right: yes."}, "right", "yes."),
        ({"said": "✅ right"}, "right", ""),
        ({"said": "❌ not yet: look at the slash."}, "not yet", "look at the slash."),
        ({"said": "⬜ not started: replace the ..."}, "not started", "replace the ..."),
        ({"said": ""}, "not run", "the check has no output"),
        ({"said": "✅ right", "run": 42}, "doubtful", "the answer was run again after its check"),
        ({"said": "✅ right", "check": "print('✅ right')"}, "doubtful", "the check cell was changed"),
        ({"said": "42"}, "doubtful", "the output is no verdict"),
    ],
)
def test_a_verdict_is_believed_only_where_it_can_be(room, changes, verdict, remark):
    folder = room("Ada")
    change(folder, "Ada", EXERCISE, **changes)
    [answer] = [answer for answer in classroom.class_of(folder) if answer.exercise == EXERCISE.name]
    assert (answer.verdict, answer.remark) == (verdict, remark)


def test_what_everybody_wrote_is_shown_together(room, capsys):
    folder = room("Ada", "Grace")
    change(folder, "Ada", EXERCISE, source="def f(x):\n    return 'Ada'", said="✅ right")
    change(folder, "Grace", EXERCISE, source="def f(x):\n    return 'Grace'", said="❌ not yet: no.")
    assert classroom.main(["read", str(folder), "--answers", EXERCISE.name]) == 0
    printed = capsys.readouterr().out
    assert "✅ Ada: right\n\n    def f(x):\n        return 'Ada'\n" in printed
    assert "❌ Grace: no.\n\n    def f(x):\n        return 'Grace'\n" in printed


def test_nothing_that_a_learner_wrote_is_run(room, tmp_path):
    folder, proof = room("Mallory"), tmp_path / "it ran"
    harm = f"open({str(proof)!r}, 'w').close()"
    change(folder, "Mallory", EXERCISE, source=harm, said="✅ right")
    (folder / "Mallory" / "workbook" / "notebooks" / "workbook.py").write_text(harm, encoding="utf-8")
    (folder / "Mallory" / "sitecustomize.py").write_text(harm, encoding="utf-8")
    assert classroom.main(["read", str(folder)]) == 0
    assert not proof.exists()


def test_the_verdicts_go_to_a_file_that_a_spreadsheet_does_not_compute(room, tmp_path):
    folder, file = room("=cmd", "Ada"), tmp_path / "class.csv"
    assert classroom.main(["read", str(folder), "--csv", str(file)]) == 0
    with file.open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.DictReader(source))
    assert len(rows) == 2 * len(EXERCISES)
    assert {row["learner"] for row in rows} == {"'=cmd", "Ada"}


def test_a_folder_whose_name_no_encoding_can_write_is_shown_all_the_same(tmp_path, monkeypatch, capfd):
    answer = classroom.Answer("Jos\udce9", "04-scope", "right", "", "...")
    monkeypatch.setattr(classroom, "class_of", lambda folder: [answer])
    assert classroom.main(["read", "class", "--csv", str(tmp_path / "class.csv")]) == 0
    assert "Jos\\udce9" in capfd.readouterr().out
    assert "Jos\\udce9" in (tmp_path / "class.csv").read_text(encoding="utf-8-sig")


def test_old_copies_are_not_read_and_a_broken_one_is_named(room, capsys):
    folder = room("Ada")
    notebooks = folder / "Ada" / "workbook" / "notebooks"
    (notebooks / ".ipynb_checkpoints").mkdir()
    shutil.copy(notebooks / EXERCISE.chapter.name, notebooks / ".ipynb_checkpoints" / EXERCISE.chapter.name)
    broken = next(chapter for chapter in CHAPTERS[1:] if chapter != EXERCISE.chapter)
    (notebooks / broken.name).write_text('{"cells": ', encoding="utf-8")
    answers = classroom.class_of(folder)
    assert len(answers) == sum(exercise.chapter != broken for exercise in EXERCISES)
    assert f"{broken.name} was left out" in capsys.readouterr().err


def test_a_notebook_outside_of_a_learners_folder_is_named(room, capsys):
    folder = room("Ada")
    shutil.copy(EXERCISE.chapter, folder / "loose.ipynb")
    assert len(classroom.class_of(folder)) == len(EXERCISES)
    assert capsys.readouterr().err == f"{folder / 'loose.ipynb'} was left out, since it lies in no learner's folder.\n"


def test_a_chapter_is_found_under_another_name_and_counts_once(room):
    folder = room("Ada")
    notebooks = folder / "Ada" / "workbook" / "notebooks"
    (notebooks / EXERCISE.chapter.name).rename(notebooks / "Copy of a chapter.ipynb")
    shutil.copy(notebooks / "Copy of a chapter.ipynb", notebooks / f"{EXERCISE.chapter.stem} (1).ipynb")
    assert Counter(answer.exercise for answer in classroom.class_of(folder)) == {one.name: 1 for one in EXERCISES}


def test_two_answers_of_one_learner_that_differ_are_doubtful(room):
    folder = room("Ada")
    notebooks = folder / "Ada" / "workbook" / "notebooks"
    shutil.copy(notebooks / EXERCISE.chapter.name, notebooks / f"{EXERCISE.chapter.stem} (1).ipynb")
    change(folder, "Ada", EXERCISE, source="the second try", said="✅ right")
    [answer] = [answer for answer in classroom.class_of(folder) if answer.exercise == EXERCISE.name]
    assert (answer.verdict, answer.remark) == ("doubtful", "2 notebooks have it, and they differ")
    assert answer.source.count("the second try") == 1
    assert EXERCISE.stub.source.strip() in answer.source


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["read", "nowhere"], "name the one that holds a folder for each learner"),
        (["read", "."], "give each learner's copy a folder there"),
        (["read", "class", "--answers", "99-none"], "choose one of 01-"),
        (["read", "class", "--csv", "nowhere/class.csv"], "name another file"),
    ],
)
def test_bad_input_gets_a_sentence_that_says_what_to_do(room, tmp_path, monkeypatch, capsys, arguments, advice):
    monkeypatch.chdir(tmp_path)
    if arguments[1] == "class":
        room("class/Ada")
    assert classroom.main(arguments) == 1
    said = capsys.readouterr().err
    assert advice in said
    assert said.count("\n") == 1


def test_every_check_cell_is_as_the_reader_expects_it():
    checks = [cell.source for c in CHAPTERS for cell in code_cells(known(c)) if "check" in tags(cell)]
    assert checks == [f'check("{exercise.name}")' for exercise in EXERCISES]
    assert classroom.SIGNS.items() >= {"right": "✅", "not yet": "❌", "not started": "⬜"}.items()
