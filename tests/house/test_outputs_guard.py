"""Outputs of a real tenant cannot be committed by accident, and the practice outputs come back with one command."""

import copy
import json
import os
import shutil
import subprocess
import sys

import outputs_guard
import pytest
from chapters import CHAPTERS, ROOT


def notebook(*texts, source="1", html=False):
    """A notebook of one cell with these outputs."""
    outputs = [
        {"output_type": "display_data", "data": {"text/html" if html else "text/plain": [text]}, "metadata": {}}
        for text in texts
    ]
    cell = {"cell_type": "code", "id": "a", "source": source, "outputs": outputs, "execution_count": 1, "metadata": {}}
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def table(column, value):
    head = f"<thead><tr style='x'><th></th><th>{column}</th></tr></thead>"
    return f"<table class='dataframe'>{head}<tbody><tr><th>0</th><td>{value}</td></tr></tbody></table>"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_the_stored_outputs_are_the_practice_tenants(chapter):
    assert outputs_guard.foreign(json.loads(chapter.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (notebook("Tenant   your own, contoso.com\nReady"), "your own tenant"),
        (notebook("adele.vance@contoso.com"), "a mail address"),
        (notebook("guest_gmail.com#EXT#@contoso.onmicrosoft.com"), "a mail address"),
        (notebook("tenant 5d3f9a1e-0b7c-4e2d-9a6f-1c8e7b2d4f60"), "an id"),
        (notebook(table("displayName", "Adele Vance"), html=True), "a value of displayName"),
        (notebook(table("mobilePhone", "+1 206 111 2233"), html=True), "a value of mobilePhone"),
        (notebook("[{'displayName': 'Adele Vance', 'id': '7'}]"), "a value of displayName"),
        (notebook('{"surname": "O\\\\u0027Vance"}'), "a value of surname"),
        (notebook("{'businessPhones': ['+1 206 111 2233']}"), "a value of businessPhones"),
    ],
)
def test_data_of_a_real_tenant_is_recognised_and_not_repeated(one, words):
    [found] = outputs_guard.foreign(one)
    assert found.startswith("cell a: ")
    assert words in found
    assert not any(part in found for part in ("Adele", "adele", "206", "5d3f9a1e"))


@pytest.mark.parametrize(
    "one",
    [
        notebook("lucia.ramirez@contoso.example", "lucia.ramirez_fabrikam.example#EXT#@contoso.onmicrosoft.example"),
        notebook("'@odata.nextLink', 'value@odata.count', '@microsoft.graph.tips', 'manager@odata.bind'"),
        notebook(table("displayName", "Lucía Ramírez Ortega"), table("displayName", "NaN"), html=True),
        notebook("{'displayName': 'Luc\\u00eda Ram\\u00edrez Ortega', 'mobilePhone': None}"),
        notebook("c4805f88-eb33-4439-adf9-30b08041671f", "C4805F88-EB33-4439-ADF9-30B08041671F"),
        notebook("id 5d3f9a1e-0b7c-4e2d-9a6f-1c8e7b2d4f60", source="'5d3f9a1e-0b7c-4e2d-9a6f-1c8e7b2d4f60'"),
    ],
)
def test_what_the_practice_tenant_says_passes(one):
    assert outputs_guard.foreign(one) == []


# --- as git and a learner use it -------------------------------------------------------------------------------------


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A repository with the guard, its hook and one notebook; run(...) runs the guard, git(...) runs git in it."""
    for name in [variable for variable in os.environ if variable.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name in ("data", "notebooks/practice_tenant", "tests/tools", ".githooks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / ".gitignore").write_text(".venv/\n__pycache__/\n")
    write(tmp_path, notebook("practice"))
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "first")
    assert guard(tmp_path, "--install").returncode == 0
    return tmp_path


def write(folder, content):
    path = folder / "notebooks" / "01.ipynb"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path.read_bytes()


def git(folder, *arguments):
    who = ["-c", "user.name=test", "-c", "user.email=test@contoso.example"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def commit(folder, message):
    git(folder, "add", "--all")
    return git(folder, "commit", "--quiet", "--all", "-m", message)


def guard(folder, *arguments):
    command = [sys.executable, "tests/tools/outputs_guard.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.name == "nt", reason="the fixture links .venv as it is on Linux and macOS")
def test_a_commit_of_a_real_tenants_outputs_is_refused(clone):
    before = git(clone, "rev-parse", "HEAD").stdout
    write(clone, notebook("Tenant   your own, contoso.com", "adele.vance@contoso.com"))
    refused = commit(clone, "by accident")
    assert refused.returncode != 0
    assert "notebooks/01.ipynb, cell a: a mail address" in refused.stderr
    assert "outputs_guard.py --restore" in refused.stderr
    assert "adele" not in refused.stderr
    assert git(clone, "rev-parse", "HEAD").stdout == before
    assert guard(clone).returncode == 1

    assert guard(clone, "--restore").returncode == 0
    assert git(clone, "diff", "--stat", "HEAD").stdout == ""
    assert git(clone, "commit", "-m", "what is staged").returncode != 0
    assert guard(clone).returncode == 0
    write(clone, notebook("practice", "more"))
    assert commit(clone, "practice outputs").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="the fixture links .venv as it is on Linux and macOS")
def test_restoring_keeps_what_was_written_in_cells(clone):
    stored = write(clone, notebook("practice"))
    write(clone, notebook("adele.vance@contoso.com"))
    guard(clone, "--restore")
    assert (clone / "notebooks" / "01.ipynb").read_bytes() == stored

    changed = notebook("adele.vance@contoso.com", source="my own code")
    changed["cells"].append(copy.deepcopy(changed["cells"][0]) | {"id": "b"})
    write(clone, changed)
    assert guard(clone, "--restore").stdout == "notebooks/01.ipynb: outputs put back\n"
    cells = json.loads((clone / "notebooks" / "01.ipynb").read_text())["cells"]
    assert [(cell["source"], cell["outputs"], cell["execution_count"]) for cell in cells] == [
        ("my own code", [], None),
        ("my own code", [], None),
    ]
