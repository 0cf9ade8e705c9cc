"""Keeps the repository in its shape: what stands where, what is pinned, and that all places run the same commands."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from chapters import CHAPTERS, ROOT
from documents import links, markdown

TOP_LEVEL = {"README.md", "requirements.txt", "env.sample", "data", "notebooks", "tests"}
DOT_FILES = {
    ".binder",
    ".ci",
    ".devcontainer",
    ".gitattributes",
    ".githooks",
    ".github",
    ".gitignore",
    ".mypy.ini",
    ".ruff.toml",
}


def tracked() -> list[Path]:
    """The files that git stores; in a copy without git, all but what tools leave behind."""
    if (ROOT / ".git").exists():
        listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        return [ROOT / name for name in listing.decode().split("\0") if name]
    left_behind = {".venv", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints"}
    files = [path for path in ROOT.rglob("*") if path.is_file()]
    return [path for path in files if not left_behind & set(path.relative_to(ROOT).parts)]


def text_of(name: str) -> str:
    """The text of a file, by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_chapters_on_the_map_exist_and_the_map_names_all():
    linked = {Path(link).name for link in links(text_of("README.md")) if link.endswith(".ipynb")}
    assert len(linked) >= 6
    assert linked == {chapter.name for chapter in CHAPTERS}


def test_both_maps_and_every_chapter_name_the_same_minutes():
    """The map in README.md, the map at the end of chapter 00, and what each chapter says that you need."""
    row = re.compile(r"^\| \[?(\d\d · [^|\]]+?)(?:\]\([^)]*\))? \| .+ \| (\d+) \|$", flags=re.MULTILINE)
    in_readme = dict(row.findall(text_of("README.md")))
    assert dict(row.findall(markdown(CHAPTERS[0]))) == in_readme
    assert len(in_readme) == len(CHAPTERS)
    for chapter, (title, minutes) in zip(CHAPTERS, in_readme.items(), strict=True):
        assert title in markdown(chapter).splitlines()[0]
        assert f"about {minutes} minutes" in markdown(chapter), title


def test_the_top_level_holds_what_the_design_names():
    found = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert found >= TOP_LEVEL
    assert found <= TOP_LEVEL | DOT_FILES


def test_no_secret_and_no_learners_file_is_tracked():
    private = re.compile(r"(^|/)(\.env.*|keys/.*|output/.*|.*\.(pfx|p12|p8|pem|key|crt|cer))$")
    assert [path for path in tracked() if private.search(path.relative_to(ROOT).as_posix())] == []


def test_certificates_are_always_verified():
    unverified = re.compile(r"verify\s*=\s*False")
    readable = [path for path in tracked() if path.suffix != ".png" and path != Path(__file__).resolve()]
    assert [path for path in readable if unverified.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "tests/requirements-ci.txt",
        "tests/requirements-optional.txt",
        "tests/requirements-proxy.txt",
    ],
)
def test_every_dependency_has_a_reason(name):
    lines = [line for line in text_of(name).splitlines() if re.match(r"[a-z]", line)]
    assert lines
    assert [line for line in lines if not re.search(r"\S +# \S+", line)] == []


def test_every_dependency_is_pinned():
    names = re.findall(r"^([a-z][\w.-]*)", text_of("requirements.txt"), flags=re.MULTILINE)
    pins = set(re.findall(r"^([a-z][\w.-]*)==", text_of("tests/constraints.txt"), flags=re.MULTILINE))
    assert "-c tests/constraints.txt" in text_of("requirements.txt").splitlines()
    assert names
    assert [name for name in names if name not in pins] == []


def test_every_setting_has_a_comment():
    blocks = text_of("env.sample").strip().split("\n\n")
    settings = [block.splitlines() for block in blocks if re.search(r"^[A-Z_]+=", block, flags=re.MULTILINE)]
    assert settings
    for *comment, setting in settings:
        assert re.fullmatch(r"[A-Z_]+=.*", setting)
        assert comment, setting
        assert all(line.startswith("# ") for line in comment), setting


def test_readme_and_workflows_run_the_same_commands():
    workflow = text_of(".github/workflows/test.yml")
    commands = re.findall(r"^ +run: (py.+pytest)$", workflow, flags=re.MULTILINE)
    assert len(commands) == 2  # one for Linux and macOS, one for Windows; .ci/run takes its own from the README
    assert [command for command in commands if command not in text_of("README.md").splitlines()] == []


def test_containers_install_and_start_what_the_readme_does():
    [command] = re.findall(r"^python3 -m venv .+ lab .+$", text_of("README.md"), flags=re.MULTILINE)
    made, installed, started = command.split(" && ")
    container = json.loads(text_of(".devcontainer/devcontainer.json"))
    assert container["postCreateCommand"] == f"{made} && {installed}"
    assert container["postAttachCommand"] == {"jupyterlab": f"{started} --no-browser"}
    binder = re.findall(r"^-r (.+)$", text_of(".binder/requirements.txt"), flags=re.MULTILINE)
    assert (ROOT / ".binder" / binder[0]).resolve() == ROOT / "requirements.txt"
    assert all((ROOT / ".binder" / name).is_file() for name in binder)


def test_containers_have_a_python_that_is_tested():
    [tested] = re.findall(r"python: \[(.+)\]", text_of(".github/workflows/test.yml"))
    versions = re.findall(r"[\d.]+", tested)
    assert json.loads(text_of(".devcontainer/devcontainer.json"))["image"].rpartition(":")[2] in versions
    assert text_of(".binder/runtime.txt").strip().removeprefix("python-") in versions
