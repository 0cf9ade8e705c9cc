"""A class without a network, from the packages on a stick to the answers that come back.

No part of plain `pytest`: it downloads the packages once, as an instructor does. .ci/run does this:

    pytest tests/instructors/in_a_room.py
"""

import os
import re
import shlex
import subprocess
import sys
import venv
from pathlib import Path

import classroom
import nbformat
import pytest
from chapters import ROOT
from exercises import EXERCISES

CHAPTER = "04_request_default_scope.ipynb"
PAGE = (ROOT / "tests" / "instructors" / "README.md").read_text(encoding="utf-8")
RUN = "import sys, nbclient, nbformat; n = nbformat.read(sys.argv[1], 4); nbclient.NotebookClient(n).execute(); "
RUN += "nbformat.write(n, sys.argv[1])"


def command(begins: str) -> list[str]:
    """The command on the instructor's page that begins so."""
    [line] = re.findall(rf"^{re.escape(begins)}.*$", PAGE, flags=re.MULTILINE)
    return shlex.split(line)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> Path:
    """The packages, downloaded with the command of the instructor's page."""
    folder = tmp_path_factory.mktemp("stick") / "wheels"
    program, *arguments = command(".venv/bin/pip download")
    assert program == ".venv/bin/pip"
    arguments = [str(folder) if argument == "wheels" else argument for argument in arguments]
    subprocess.run([sys.executable, "-m", "pip", *arguments], cwd=ROOT, check=True)
    return folder


def test_a_copy_installs_and_runs_without_a_network_and_its_answers_are_read(wheels, tmp_path, capsys):
    copy = tmp_path / "class" / "Ada"
    assert classroom.main(["hand-out", str(copy)]) == 0
    (copy / "wheels").symlink_to(wheels)

    make, install = " ".join(command("python3 -m venv")).split(" && ")
    assert make == "python3 -m venv .venv"
    venv.create(copy / ".venv", with_pip=True)
    offline = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHONPATH"))}
    nowhere = "http://127.0.0.1:9"  # whatever still asks for the network fails at once
    offline |= {"http_proxy": nowhere, "https_proxy": nowhere, "PIP_CONFIG_FILE": os.devnull}
    subprocess.run(shlex.split(install), cwd=copy, env=offline, check=True)

    solve(copy / "notebooks" / CHAPTER)
    python = str(copy / ".venv" / "bin" / "python")
    subprocess.run([python, "-c", RUN, CHAPTER], cwd=copy / "notebooks", env=offline, check=True)

    assert classroom.main(["read", str(copy.parent)]) == 0
    solved = re.findall(r"^(\d\d-\S+) +✅  1 of 1$", capsys.readouterr().out, flags=re.MULTILINE)
    assert solved == sorted(exercise.name for exercise in EXERCISES if exercise.chapter.name == CHAPTER)


def solve(chapter: Path) -> None:
    """Write the printed solutions into the exercise cells, as a good learner does."""
    notebook = nbformat.read(chapter, as_version=4)
    solutions = {exercise.stub.id: exercise.solution_code for exercise in EXERCISES}
    for cell in notebook.cells:
        cell.source = solutions.get(cell.id, cell.source)
    nbformat.write(notebook, chapter)
