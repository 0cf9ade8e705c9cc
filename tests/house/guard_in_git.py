"""The guard as git and a learner use it: commits, pushes and merges in repositories of their own. Part of .ci/run."""

import copy
import json
import os
import shutil
import subprocess
import sys

import outputs_guard
import pytest
from chapters import ROOT
from test_outputs_guard import BENCH, PEOPLE, attached, notebook, own


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A repository with the guard, its hook and one notebook, for `clone` to copy."""
    folder = tmp_path_factory.mktemp("installed")
    for name in ("data", "notebooks/practice_tenant", "tests/tools", ".githooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (folder / ".gitignore").write_text(".venv/\n__pycache__/\n", encoding="utf-8")
    write(folder, notebook("practice"))
    with pytest.MonkeyPatch.context() as patch:
        leave_no_git_variable(patch)
        git(folder, "init", "--quiet", "--template=")
        commit(folder, "first")
        assert guard(folder, "--install").returncode == 0
        git(folder, "repack", "-a", "-d", "--quiet")  # one file to copy, not a hundred
    return folder


@pytest.fixture
def clone(installed, tmp_path, monkeypatch):
    """That repository for one test alone; guard(...) runs the guard, git(...) runs git in it."""
    leave_no_git_variable(monkeypatch)
    return shutil.copytree(installed, tmp_path, symlinks=True, dirs_exist_ok=True)


def leave_no_git_variable(patch):
    """A hook that runs these tests has variables which would lead git to another repository."""
    for name in [variable for variable in os.environ if variable.startswith("GIT_")]:
        patch.delenv(name)


def write(folder, content):
    path = folder / "notebooks" / "01_keys.ipynb"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path.read_bytes()


def git(folder, *arguments):
    who = ["-c", "user.name=test", "-c", "user.email=test@contoso.example"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=False)


def commit(folder, message):
    git(folder, "add", "--all")
    return git(folder, "commit", "--quiet", "--all", "-m", message)


def guard(folder, *arguments):
    command = [sys.executable, "tests/tools/outputs_guard.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.skipif(os.name == "nt", reason="the fixture links .venv as it is on Linux and macOS")
def test_a_commit_of_a_real_tenants_outputs_is_refused(clone):
    before = git(clone, "rev-parse", "HEAD").stdout
    write(clone, notebook("Tenant   your own, contoso.com", "adele.vance@contoso.com"))
    refused = commit(clone, "by accident")
    assert refused.returncode != 0
    assert refused.stderr.splitlines()[0] == "notebooks/01_keys.ipynb holds outputs of your own tenant (cell a)."
    assert len(refused.stderr.splitlines()) == 2
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
    assert (clone / "notebooks" / "01_keys.ipynb").read_bytes() == stored

    changed = notebook("adele.vance@contoso.com", source="my own code")
    changed["cells"].append(copy.deepcopy(changed["cells"][0]) | {"id": "b"})
    write(clone, changed)
    assert guard(clone, "--restore").stdout == "notebooks/01_keys.ipynb: outputs put back\n"
    cells = json.loads((clone / "notebooks" / "01_keys.ipynb").read_text(encoding="utf-8"))["cells"]
    assert [(cell["source"], cell["outputs"], cell["execution_count"]) for cell in cells] == [
        ("my own code", [], None),
        ("my own code", [], None),
    ]


LINUX = pytest.mark.skipif(os.name == "nt", reason="the fixture links .venv as it is on Linux and macOS")


@LINUX
@pytest.mark.parametrize("name", ["my copy.ipynb", "data/06 Kopie.IPYNB", "notebooks/deep/ärger.ipynb"])
def test_a_copy_is_found_wherever_it_lies_and_loses_its_outputs(clone, name):
    path = clone / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(notebook("adele.vance@contoso.com", source="mine")), encoding="utf-8")
    refused = commit(clone, "a copy")
    assert refused.stderr.startswith(f"{name} holds a mail address or sign-in name (cell a).")
    assert guard(clone, "--restore").stdout == f"{name}: outputs taken away, because no commit has others\n"
    assert commit(clone, "without outputs").returncode == 0
    [cell] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert (cell["source"], cell["outputs"]) == ("mine", [])


@LINUX
def test_a_commit_of_a_table_beside_the_notebooks_is_refused(clone):
    (clone / "notebooks" / "users.csv").write_text("mail\nadele.vance@contoso.com\n", encoding="utf-8")
    refused = commit(clone, "a table")
    assert refused.stderr.splitlines() == [
        "notebooks/users.csv holds a mail address or sign-in name.",
        "Keep such files in notebooks/output, which git ignores, and take them out of the commit with git rm --cached. "
        "A file that belongs here is put back with git restore --staged --worktree, once you have "
        "copied what is yours.",
    ]
    assert refused.returncode == guard(clone).returncode == 1
    assert git(clone, "rm", "--quiet", "--cached", "notebooks/users.csv").returncode == 0
    assert git(clone, "commit", "--allow-empty", "-m", "nothing").returncode == 0


@LINUX
@pytest.mark.parametrize(
    "made",
    [
        ["commit", "--quiet", "-m", "x"],
        ["commit", "--quiet", "--amend", "-m", "x"],
        ["commit", "--quiet", "-m", "x", "notebooks/01_keys.ipynb"],
        ["commit", "--quiet", "-a", "-m", "x"],
    ],
    ids=" ".join,
)
def test_every_way_to_commit_is_refused(clone, made):
    write(clone, notebook("adele.vance@contoso.com"))
    if "-a" not in made:
        git(clone, "add", "--all")
    assert git(clone, *made).stderr.startswith("notebooks/01_keys.ipynb holds a mail address")


@LINUX
@pytest.mark.parametrize("name", ["notebooks/01_keys.ipynb", "users.csv"])
def test_what_an_earlier_commit_has_brought_past_the_hook_is_refused_when_it_is_amended(clone, name):
    (clone / name).write_text(json.dumps(notebook("adele.vance@contoso.com")), encoding="utf-8")
    git(clone, "add", "--all")
    assert git(clone, "commit", "--quiet", "--no-verify", "-m", "by accident").returncode == 0
    assert git(clone, "commit", "--quiet", "--amend", "-m", "a better message").stderr.startswith(f"{name} holds")
    assert guard(clone).returncode == 1


@LINUX
def test_a_renamed_and_ignored_notebook_is_refused(clone):
    write(clone, notebook("adele.vance@contoso.com"))
    (clone / "notebooks" / "output").mkdir()
    git(clone, "mv", "notebooks/01_keys.ipynb", "notebooks/output/mine.ipynb")
    (clone / ".gitignore").write_text(".venv/\n__pycache__/\nnotebooks/output/\n", encoding="utf-8")
    git(clone, "add", "--force", "notebooks/output/mine.ipynb")
    assert git(clone, "commit", "-m", "x").stderr.startswith("notebooks/output/mine.ipynb holds a mail address")


@LINUX
def test_a_pasted_picture_stays_where_it_is_and_is_told_with_its_own_cure(clone):
    write(clone, attached("image.png", **{"image/png": "iVBORw0KGgo="}))
    assert commit(clone, "a picture").stderr.splitlines() == [
        "notebooks/01_keys.ipynb holds a picture that nobody can look into (cell m).",
        "Delete pasted pictures from their cells, and git add the notebooks again.",
    ]
    guard(clone, "--restore")
    assert b"iVBORw0KGgo=" in (clone / "notebooks" / "01_keys.ipynb").read_bytes()


@LINUX
def test_restoring_leaves_a_notebook_of_ones_own_alone_when_it_is_good(clone):
    path = clone / "mine.ipynb"
    path.write_text(json.dumps(own(BENCH, "1")), encoding="utf-8")
    before = path.read_bytes()
    assert guard(clone, "--restore").stdout == ""
    assert path.read_bytes() == before
    assert commit(clone, "mine").returncode == 0
    path.write_text(json.dumps(own("1")), encoding="utf-8")
    assert "do not say which tenant they come from (cell 0)" in commit(clone, "mine").stderr


@LINUX
def test_a_notebook_to_try_things_out_is_left_alone_until_git_knows_it(clone):
    path = clone / "notebooks" / "Untitled.ipynb"
    path.write_text(json.dumps(own("2")), encoding="utf-8")
    before = path.read_bytes()
    assert guard(clone).returncode == 0
    assert guard(clone, "--restore").stdout == ""
    assert path.read_bytes() == before
    git(clone, "add", "--all")
    assert guard(clone).returncode == guard(clone, "--staged").returncode == 1
    assert "outputs taken away" in guard(clone, "--restore").stdout
    path.write_text(json.dumps(own("adele.vance@contoso.com")), encoding="utf-8")
    git(clone, "rm", "--quiet", "--cached", "--force", "notebooks/Untitled.ipynb")
    assert guard(clone).returncode == 1


@LINUX
@pytest.mark.parametrize("content", [b'{"cells": [', b"\xff\xfe\x00", b'{"cells": [1]}'])
def test_what_is_no_notebook_is_refused_without_a_traceback(clone, content):
    (clone / "notebooks" / "broken.ipynb").write_bytes(content)
    refused = commit(clone, "broken")
    assert refused.stderr.startswith("notebooks/broken.ipynb holds what cannot be read as a notebook.")
    assert guard(clone, "--restore").stderr.startswith("notebooks/broken.ipynb: it cannot be read as a notebook")
    assert (clone / "notebooks" / "broken.ipynb").read_bytes() == content


@LINUX
def test_restoring_reaches_behind_a_commit_that_holds_a_real_tenants_outputs(clone):
    stored = write(clone, notebook("practice"))
    write(clone, notebook("adele.vance@contoso.com"))
    assert git(clone, "commit", "--all", "--no-verify", "-m", "by accident").returncode == 0
    guard(clone, "--restore")
    assert (clone / "notebooks" / "01_keys.ipynb").read_bytes() == stored


@LINUX
def test_restoring_puts_the_metadata_back_that_an_editor_has_changed(clone):
    stored = write(clone, notebook("practice"))
    changed = notebook("adele.vance@contoso.com")
    changed["metadata"] = {"language_info": {"version": "3.14.0"}, "who": "adele.vance@contoso.com"}
    changed["cells"][0]["metadata"] = {"execution": {"iopub.execute_input": "2026-11-27T09:00:00Z"}}
    write(clone, changed)
    guard(clone, "--restore")
    assert (clone / "notebooks" / "01_keys.ipynb").read_bytes() == stored


def test_without_a_commit_nothing_is_taken_away(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(outputs_guard, "ROOT", tmp_path)
    monkeypatch.setattr(outputs_guard, "NOTEBOOKS", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    path = tmp_path / "01_keys.ipynb"
    path.write_text(json.dumps(notebook("practice")), encoding="utf-8")
    before = path.read_bytes()
    assert outputs_guard.restore() == 1
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    assert outputs_guard.restore() == 1
    assert "There is no commit to take the practice outputs from" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_hook_of_ones_own_is_not_switched_off(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs_guard, "ROOT", tmp_path)
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".git" / "hooks").mkdir(exist_ok=True)
    (tmp_path / ".git" / "hooks" / "pre-commit").write_text("#!/bin/sh\n", encoding="utf-8")
    assert outputs_guard.install() == 1
    assert git(tmp_path, "config", "core.hooksPath").stdout == ""
    git(tmp_path, "config", "core.hooksPath", ".husky")
    assert outputs_guard.install() == 1
    assert git(tmp_path, "config", "core.hooksPath").stdout == ".husky\n"


@LINUX
@pytest.mark.parametrize("name", outputs_guard.HOOKS)
def test_a_hook_that_lost_its_permission_gets_it_back(clone, name):
    hook = clone / ".githooks" / name
    hook.chmod(0o644)
    assert guard(clone, "--install").returncode == 0
    assert os.access(hook, os.X_OK)


@LINUX
def test_a_merge_of_what_came_past_the_hook_is_refused(clone):
    git(clone, "checkout", "--quiet", "-b", "side")
    (clone / "users.csv").write_text(PEOPLE, encoding="utf-8")
    git(clone, "add", "--all")
    assert git(clone, "commit", "--quiet", "--no-verify", "-m", "by accident").returncode == 0
    git(clone, "checkout", "--quiet", "-")
    (clone / "notes.txt").write_text("x", encoding="utf-8")
    assert commit(clone, "something else").returncode == 0
    merged = git(clone, "merge", "--no-edit", "side")
    assert merged.returncode != 0
    assert merged.stderr.startswith("users.csv holds rows that the practice tenant does not have")


@LINUX
def test_a_push_of_what_a_later_commit_took_away_is_refused_until_it_is_one_commit(clone, tmp_path_factory):
    remote = tmp_path_factory.mktemp("remote")
    git(remote, "init", "--quiet", "--bare")
    git(clone, "remote", "add", "origin", str(remote))
    pushed = git(clone, "push", "--quiet", "--set-upstream", "origin", "HEAD")
    assert pushed.returncode == 0, pushed.stderr

    stored = write(clone, notebook("practice", "more"))
    write(clone, notebook("adele.vance@contoso.com"))
    git(clone, "commit", "--quiet", "--all", "--no-verify", "-m", "by accident")
    (clone / "notebooks" / "01_keys.ipynb").write_bytes(stored)
    assert commit(clone, "taken away").returncode == 0
    refused = git(clone, "push")
    assert refused.returncode != 0
    assert refused.stderr.splitlines()[0] == "notebooks/01_keys.ipynb holds a mail address or sign-in name (cell a)."
    assert "git reset --soft @{upstream}" in refused.stderr
    assert "adele" not in refused.stderr

    git(clone, "reset", "--quiet", "--soft", "@{upstream}")
    assert commit(clone, "one commit").returncode == 0
    assert git(clone, "push", "--quiet").returncode == 0
    git(clone, "branch", "old")
    assert git(clone, "push", "--quiet", "origin", "old").returncode == 0
    assert git(clone, "push", "--quiet", "origin", "--delete", "old").returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file's name is text")
def test_a_name_that_is_no_text_hides_nothing(clone):
    name = os.fsdecode("M\xfcller.csv".encode("latin-1"))
    (clone / name).write_text(PEOPLE, encoding="utf-8")
    assert "ller.csv holds" in commit(clone, "a table").stderr
    (clone / name).unlink()
    name = os.fsdecode("M\xfcller.ipynb".encode("latin-1"))
    (clone / name).write_text(json.dumps(own("adele.vance@contoso.com")), encoding="utf-8")
    assert "outputs taken away" in guard(clone, "--restore").stdout


@pytest.mark.parametrize("name", outputs_guard.HOOKS)
def test_the_hooks_may_be_run(name):
    listed = git(ROOT, "ls-files", "--stage", f".githooks/{name}").stdout
    assert not listed or listed.startswith("100755 ")
