"""Keeps data of real people out of the repository: recognises what does not come from the practice tenant.

    python tests/tools/outputs_guard.py             look at the files here, end with status 1 when one holds such data
    python tests/tools/outputs_guard.py --staged    the same for what git is about to commit
    python tests/tools/outputs_guard.py --pushed    the same for the commits that git is about to push
    python tests/tools/outputs_guard.py --install   let git ask before every commit, merge and push
    python tests/tools/outputs_guard.py --restore   put the practice outputs back; what was written in cells stays

In notebooks it looks at outputs, metadata and attachments, wherever a notebook lies and whatever it is called. What
counts as not the practice tenant's: the mark that every output of your own tenant carries
(notebooks/workbook/own_data.py), mail addresses outside .example, GUIDs that the practice tenant does not have, and
names, telephone numbers and the like, in tables and fields of user objects, that are none of its people's. What stands
in the notebook's own code may stand in its outputs. A notebook that is no chapter carries no mark when it reads a
tenant in a way of its own, so once git knows it, its outputs must follow an `open_bench` that has opened the practice
tenant.

Of other files it looks at all but code, by what is in them and not by their names: tables and pages with the same data,
settings and keys, and what nobody can look into. Nothing counts as harmless because an earlier commit has it already:
that commit may have been made without this guard, and `git commit --amend` makes it once more.
"""

import argparse
import csv
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
# What workbook/bench.py prints, and what workbook/own_data.py leaves beside every output after that.
OWN_TENANT = ("Tenant   your own", "<!-- outputs of your own tenant -->")
MAIL = re.compile(r"[\w.+'’#-]+@((?:[\w-]+\.)+[^\W\d_][\w-]+)")
ANNOTATIONS = ("odata.", "microsoft.graph", "removed")  # "value@odata.count" is no address
GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
LETTER = re.compile(rf"Directory \(tenant\) ID: ({GUID.pattern})\s+Application \(client\) ID: {GUID.pattern}", re.I)
PERSONAL = (
    "displayName", "givenName", "surname", "mailNickname", "mobilePhone", "businessPhones", "faxNumber", "employeeId",
    "streetAddress", "onPremisesSamAccountName", "onPremisesDistinguishedName",
)  # fmt: skip
_NAMES = "|".join(PERSONAL)
FIELD = re.compile(rf"""["']({_NAMES})["']:\s*\[?\s*(["'])(.*?)(?<!\\)\2""")
SERIES = re.compile(rf"^Name: ({_NAMES}),", re.MULTILINE)
NOTHING = {"", "None", "NaN", "nan", "NaT", "&lt;NA&gt;", "<NA>", "[]", "…", "...", "null"}

# Where an address or a name may stand, because the project's own pages, code and tests are written there by hand.
OURS = ("tests/", "notebooks/practice_tenant/", "notebooks/workbook/")
PAGES = {".md", ".txt", ".json", ".cfg"}
CODE = {".py", ".js", ".cjs", ".css", ".sh", ".ps1", ".toml"}
TABLES = {".csv", ".tsv"}
DELIMITERS = ";\t|,"  # Excel writes the first where a comma belongs to the numbers; clipboards have the second
SECRET = {".pem", ".pfx", ".p12", ".p8", ".key"}
KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\w+/=\s\\]{64}")
# As .env has them, and as the parameters.json of Microsoft's sample does.
SETTING = re.compile(
    r"""^\s*(?:export )?AZURE_CLIENT_(?:SECRET|CERTIFICATE_PASSWORD) *= *["']?[^\s"'#]""", re.MULTILINE
)
PARAMETER = re.compile(r"""["'](?:client_?)?secret["']\s*:\s*["'][^"'\s]{8}""", re.IGNORECASE)
NUMBER = re.compile(r"[\d\s.,:+%/TZ-]*")  # and a point in time

CHAPTER = re.compile(r"notebooks/\d\d_\w+\.ipynb")
BAKED_PICTURE = re.compile(r"\d\d_\w+\.png")  # what tests/tools/bake_pictures.py attaches
PRACTICE_BENCH = re.compile(r"^Tenant   (?:the|\d+) practice tenants?\b", re.MULTILINE)
UNKNOWN_ORIGIN = "outputs that do not say which tenant they come from"
PASTED = "a picture that nobody can look into"
UNREADABLE = "what nobody can look into"

MADE = (1_000, 10_000, 100_000)  # people; the chapters show some of the first, and all of them take a second to make

NOT_A_NOTEBOOK = (ValueError, KeyError, TypeError, AttributeError)

HOOKS = ("pre-commit", "pre-merge-commit", "pre-push")
PUSH_CURE = (
    "The commits to push hold it, even if a later one takes it away: put the files right, make one new commit of all "
    "with git reset --soft @{upstream} and git commit, and push again."
)

File = tuple[str, bytes]  # name below the root, content


# --- notebooks ----------------------------------------------------------------------------------------------------


def foreign(notebook: dict[str, Any]) -> list[str]:
    """What a notebook's outputs and metadata hold that is not the practice tenant's, in words that do not repeat it.

    Args:
        notebook: a notebook as parsed JSON, format 4.
    """
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    sources = " ".join(_text(cell["source"]) for cell in cells).lower()
    found = [f"metadata: {what}" for what in _foreign_in(_text(notebook.get("metadata", {})), sources)]
    for cell in notebook["cells"]:
        for text in (*_texts(cell), _text(cell.get("metadata", {}))):
            found += [f"cell {cell.get('id', '?')}: {what}" for what in _foreign_in(text, sources)]
        found += [f"cell {cell.get('id', '?')}: {what}" for what in _foreign_attachments(cell)]
    return list(dict.fromkeys(found))


def _foreign_attachments(cell: dict[str, Any]) -> Iterator[str]:
    for name, kinds in cell.get("attachments", {}).items():
        for kind, data in kinds.items():
            if kind.startswith("text/"):
                yield from _foreign_in(_text(data))
            elif not BAKED_PICTURE.fullmatch(name):
                yield PASTED


def of_unknown_origin(notebook: dict[str, Any]) -> list[str]:
    """The cells of a notebook that is no chapter whose outputs follow no practice bench, in the words of `foreign`.

    Args:
        notebook: a notebook as parsed JSON, format 4.
    """
    found = []
    for cell in notebook["cells"]:
        texts = list(_texts(cell))
        if any(PRACTICE_BENCH.search(text) for text in texts):
            break
        if any(output["output_type"] != "error" for output in cell.get("outputs", [])):
            found.append(f"cell {cell.get('id', '?')}: {UNKNOWN_ORIGIN}")
    return found


def _foreign_in(text: str, sources: str = "") -> Iterator[str]:
    if any(mark in text for mark in OWN_TENANT):
        yield "it was run on your own tenant"
    if KEY_BLOCK.search(text):
        yield "a private key"
    addresses = [found for found in MAIL.finditer(text) if found[0].lower() not in sources]
    domains = {found[1].lower().rstrip(".") for found in addresses}
    if any(not domain.endswith(".example") and not domain.startswith(ANNOTATIONS) for domain in domains):
        yield "a mail address or sign-in name"
    if any(guid.lower() not in _practice_text() + sources for guid in GUID.findall(_without_letter(text))):
        yield "an id that the practice tenant does not have"
    fields = ((found[0], found[2]) for found in FIELD.findall(text))
    for name, value in [*_html_columns(text), *_text_columns(text), *fields]:
        if not (_is_practice_value(name, value) or value.lower() in sources):
            yield f"a value of {name} that is nobody's in the practice tenant"


def _without_letter(text: str) -> str:
    """The text without the client id in chapter 02's letter, which is new in every run, if it is about our tenant."""
    return LETTER.sub(lambda found: "" if found[1].lower() in _practice_text() else found[0], text)


def _texts(cell: dict[str, Any]) -> Iterator[str]:
    for output in cell.get("outputs", []):
        yield _text(output.get("text", ""))
        yield "\n".join([output.get("evalue", ""), *output.get("traceback", [])])
        yield _text(output.get("metadata", {}))
        for mime, data in output.get("data", {}).items():
            if not mime.startswith("image/") or mime.startswith("image/svg"):
                yield _text(data)


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _html_columns(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each personal cell of the HTML tables in a text: by column, by index, or by row."""
    for table in re.findall(r"<table.*?</table>", text, re.DOTALL):
        names: list[str] = []
        for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL):
            cells = re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row, re.DOTALL)
            values = [html.unescape(re.sub(r"<[^>]+>", "", value)).strip() for value in cells]
            if not names:
                names = values
            elif set(values[1:]) <= {""} and values[:1]:  # the row below the head names the index
                names[0] = values[0]
            else:
                if values[0] in PERSONAL:
                    yield from ((values[0], value) for value in values[1:])
                yield from ((name, value) for name, value in zip(names, values, strict=False) if name in PERSONAL)


def _text_columns(text: str) -> Iterator[tuple[str, str]]:
    """The same for tables and series as pandas prints them: a column ends where its name ends."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        for name in re.finditer(rf"(?<=\s)({_NAMES})(?=\s{{2,}}\w|\s*$)", line):
            for row in lines[number + 1 :]:
                if not re.match(r"\d+\s", row):
                    break
                yield name[1], re.split(r"\s{2,}", row[: name.end()])[-1]
    for name in SERIES.findall(text):
        yield from ((name, row[1]) for line in lines if (row := re.match(r"\d+\s{2,}(.*)", line)))


def _is_practice_value(name: str, value: str) -> bool:
    value = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), value)  # as json.dumps writes letters
    value = value.strip("[]'\" ").rstrip("…").removesuffix("...")
    if value in NOTHING or not re.search(r"[^\W_]", value):
        return True
    if value in _practice_text():
        return True
    return name in PERSONAL and any(value in _made(name, count) for count in MADE)


@cache
def _practice_text() -> str:
    """All that the practice tenant knows: its people and its programs, with ids in lower case as well."""
    files = [ROOT / "data" / "people.jsonl", *sorted((NOTEBOOKS / "practice_tenant").rglob("*.py"))]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return text + text.lower()


@cache
def _made(name: str, count: int) -> str:
    """One property of all people of a large practice directory: not everybody is in data/people.jsonl."""
    return "\n".join(str(person.get(name)) for person in _made_people(count))


@cache
def _made_people(count: int) -> list[dict[str, Any]]:
    sys.path.insert(0, str(NOTEBOOKS))
    from practice_tenant.directory.made_people import load_people  # noqa: PLC0415 - most commits need nobody of them

    return load_people(count)


# --- other files --------------------------------------------------------------------------------------------------


def foreign_file(name: str, content: bytes) -> list[str]:
    """What a file holds that does not belong here, in words that do not repeat it; nothing for code and pages of ours.

    Args:
        name: its path below the repository's root, with slashes.
        content: its bytes.
    """
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    if path.name.startswith(".env") or suffix in SECRET:
        return ["a secret"]
    if suffix in CODE or (name.startswith(OURS) and suffix in PAGES):
        return []
    text = _decoded(content)
    if text is None:
        return [UNREADABLE]
    found = list(_foreign_in(text))
    if SETTING.search(text) or PARAMETER.search(text):
        found.append("a secret")
    for column, value in _delimited(text, is_table=suffix in TABLES):
        if not _is_practice_value(column, value):
            whose = f"a value of {column} that is nobody's in the practice tenant"
            found.append(whose if column in PERSONAL else "rows that the practice tenant does not have")
    return list(dict.fromkeys(found))


def _decoded(content: bytes) -> str | None:
    """A file's text, also as Excel and PowerShell write it; None when it is no text."""
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _delimited(text: str, is_table: bool) -> Iterator[tuple[str, str]]:
    """Name and value of each cell of a table: all of a table file, the personal ones where the text may be prose."""
    lines = text.splitlines()
    if lines and re.fullmatch("sep=.", lines[0]):  # a line for Excel
        del lines[0]
    delimiter = max(DELIMITERS, key=lines[0].count) if lines else ","
    rows = csv.reader(lines, delimiter=delimiter)
    try:
        names = [name.strip() for name in next(rows, [])]
        for row in rows if is_table or set(names) & set(PERSONAL) else []:
            for name, value in zip_longest(names, row, fillvalue=""):
                is_plain = "@" in value or NUMBER.fullmatch(value) or GUID.fullmatch(value)  # looked at as text already
                if name in PERSONAL or (is_table and not is_plain):
                    yield name, value
    except csv.Error:  # no table at all
        return


# --- what to look at ----------------------------------------------------------------------------------------------


def in_folder() -> Iterator[File]:
    """The files here that git knows or would take; without git, the notebooks."""
    if _tried("rev-parse", "--git-dir") is not None:
        names = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    else:
        names = [path.relative_to(ROOT).as_posix() for path in sorted(NOTEBOOKS.rglob("*.ipynb"))]
    for name in dict.fromkeys(names):
        path = ROOT / name
        if name and path.is_file() and ".ipynb_checkpoints" not in path.parts and _concerns(name):
            yield name, path.read_bytes()


@cache
def scratch() -> frozenset[str]:
    """Names of the files here that git would take and nobody has given it yet: a learner may try things out in them."""
    listed = _tried("ls-files", "-z", "--others", "--exclude-standard") or b""
    return frozenset(os.fsdecode(listed).split("\0"))


def staged() -> Iterator[File]:
    """The files in git's index: what the next commit will hold, whether this or an earlier one has brought it."""
    for name in _git("ls-files", "-z", "--cached").split("\0"):
        if name and _concerns(name):
            yield name, _tried("cat-file", "blob", f":{name}") or b""


def pushed(lines: Iterable[str]) -> Iterator[File]:
    """What the commits bring that no remote has yet: people's data leave with them even if a later one takes them away.

    Args:
        lines: what git tells a pre-push hook (githooks(5)): local name, local id, remote name and remote id of each
            branch.
    """
    for line in lines:
        commit = line.split()[1]
        if not commit.strip("0"):  # a branch that is deleted
            continue
        for one in _git("rev-list", commit, "--not", "--remotes").split():
            changed = ("diff-tree", "-r", "--root", "--no-commit-id", "--name-only", "--no-renames", "--diff-filter=d")
            for name in _git(*changed, "-z", one).split("\0"):
                if name and _concerns(name):
                    yield name, _tried("cat-file", "blob", f"{one}:{name}") or b""


def _concerns(name: str) -> bool:
    """Whether a file must be read: code is passed by before git is asked for it."""
    return PurePosixPath(name).suffix.lower() not in CODE


def is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {arguments[0]} failed: {done.stderr.decode('utf-8', 'replace').strip()}")
    return os.fsdecode(done.stdout)  # a name goes back to git as it came, whatever its bytes are


def _tried(*arguments: str) -> bytes | None:
    """What git prints, None when it fails or is not there."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    except OSError:
        return None
    return None if done.returncode else done.stdout


def report(files: Iterable[File], cure: str | None = None, *, is_for_others: bool = False) -> int:
    """Prints a sentence for each file that holds what it must not, and what to do; 1 when there is one, else 0.

    Args:
        files: what to look at.
        cure: what to do, where it is another thing than usual.
        is_for_others: whether all of it is given away, notebooks included that git does not know yet.
    """
    notebooks, pictures, others = [], [], []
    for name, content in files:
        found = _found_in(name, content, is_for_others)
        if found:
            is_pasted = all(one.endswith(PASTED) for one in found)
            kept = others if not is_notebook(name) else pictures if is_pasted else notebooks
            kept.append(f"{name} holds {_in_words(found)}.")
    cures = (
        (notebooks, "Put the practice outputs back with python tests/tools/outputs_guard.py --restore, and git add the "
                    "notebooks again."),
        (pictures, "Delete pasted pictures from their cells, and git add the notebooks again."),
        (others, "Keep such files in notebooks/output, which git ignores, and take them out of the commit with "
                 "git rm --cached. A file that belongs here is put back with git restore --staged --worktree, once "
                 "you have copied what is yours."),
    )  # fmt: skip
    if cure:
        cures = ((list(dict.fromkeys([*notebooks, *pictures, *others])), cure),)
    for sentences, advice in cures:
        if sentences:
            print(*sentences, advice, sep="\n", file=sys.stderr)
    return 1 if notebooks or pictures or others else 0


def _found_in(name: str, content: bytes, is_for_others: bool = False) -> list[str]:
    if not is_notebook(name):
        return foreign_file(name, content)
    try:
        notebook = json.loads(content)
        needs_an_origin = not CHAPTER.fullmatch(name) and (is_for_others or name not in scratch())
        return foreign(notebook) or (of_unknown_origin(notebook) if needs_an_origin else [])
    except NOT_A_NOTEBOOK:
        return ["what cannot be read as a notebook"]


def _in_words(found: list[str]) -> str:
    """What there is, each kind once, and where. The mark of one's own tenant says all that the other kinds would."""
    pairs = [(place, kind) for place, _, kind in (one.rpartition(": ") for one in found)]
    kinds = list(dict.fromkeys(kind for _, kind in pairs))
    properties = [named[1] for kind in kinds if (named := re.match(r"a value of (\w+) that", kind))]
    kinds = [kind for kind in kinds if not kind.startswith("a value of ")]
    if properties:
        kinds.append(f"values of {', '.join(properties)} that are nobody's in the practice tenant")
    if any("own tenant" in kind for kind in kinds):
        kinds = ["outputs of your own tenant"]
    cells = list(dict.fromkeys(place.removeprefix("cell ") for place, _ in pairs if place.startswith("cell ")))
    where = []
    if cells:
        more = f" and {len(cells) - 3} more" if len(cells) > 3 else ""
        where.append(f"cell{'s' if len(cells) > 1 else ''} {', '.join(cells[:3])}{more}")
    if any(place == "metadata" for place, _ in pairs):
        where.append("metadata")
    return ", ".join(kinds) + (f" ({', '.join(where)})" if where else "")


# --- what to do about it ------------------------------------------------------------------------------------------


def restore() -> int:
    """Gives every notebook the outputs and the metadata of the newest commit in which they are the practice tenant's.

    A cell that was changed or is new has no outputs afterwards; its text and its place stay. A notebook that no commit
    has is left alone when nothing is wrong with it.
    """
    if _tried("rev-parse", "HEAD") is None:
        print(
            "There is no commit to take the practice outputs from: in JupyterLab choose Edit, Clear Outputs of All "
            "Cells.",
            file=sys.stderr,
        )
        return 1
    for name, content in in_folder():
        if not is_notebook(name):
            continue
        try:
            notebook = json.loads(content)
            before = _practice_version(name)
            changed = bool(before["cells"] or _found_in(name, content)) and _put_back(notebook, before)
        except NOT_A_NOTEBOOK:
            print(f"{name}: it cannot be read as a notebook and stays as it is", file=sys.stderr)
            continue
        if changed:
            indent = re.search(rb'\n( +)"', content)
            fresh = json.dumps(notebook, ensure_ascii=False, indent=len(indent[1]) if indent else 1)
            (ROOT / name).write_text(fresh + "\n", encoding="utf-8", newline="\n")
            print(f"{name}: outputs {'put back' if before['cells'] else 'taken away, because no commit has others'}")
    return 0


def _practice_version(name: str) -> dict[str, Any]:
    """The notebook as last committed with the practice tenant's outputs; one without cells when it never was."""
    commits = (_tried("log", "--format=%H", "--", name) or b"").decode().split()
    for commit in commits:
        version = _tried("cat-file", "blob", f"{commit}:{name}")
        try:
            notebook: dict[str, Any] = json.loads(version or b"")
            if not _found_in(name, version or b""):
                return notebook
        except NOT_A_NOTEBOOK:
            continue
    return {"cells": []}


def _put_back(notebook: dict[str, Any], before: dict[str, Any]) -> bool:
    """Changes outputs and metadata of `notebook`; whether there was anything to change."""
    stored = {cell.get("id"): cell for cell in before["cells"]}
    was = json.dumps(notebook)
    if "metadata" in before:
        notebook["metadata"] = before["metadata"]
    elif list(_foreign_in(_text(notebook.get("metadata", {})))):
        notebook["metadata"] = {}
    for cell in notebook["cells"]:
        old = stored.get(cell.get("id"), {})
        same = bool(old) and _text(old["source"]) == _text(cell["source"])
        for name in ("execution", "ExecuteTime"):  # when a cell ran, as JupyterLab and its extensions note it
            cell.get("metadata", {}).pop(name, None)
        if same or list(_foreign_in(_text(cell.get("metadata", {})))):
            cell["metadata"] = old.get("metadata", {})
        if cell["cell_type"] == "code":
            wanted = (old["outputs"], old["execution_count"]) if same else ([], None)
            cell["outputs"], cell["execution_count"] = wanted
    return json.dumps(notebook) != was


def install() -> int:
    """Lets git run the hooks in .githooks in this clone, unless a hook of one's own would stop running."""
    chosen = (_tried("config", "core.hooksPath") or b"").decode().strip()
    own = Path(_git("rev-parse", "--git-path", "hooks").strip())
    if chosen != ".githooks" and (chosen or any((ROOT / own / name).is_file() for name in HOOKS)):
        print(
            f"git runs hooks of yours already, from {chosen or own.as_posix()}: call those in .githooks from yours, "
            "because git knows one place for hooks only.",
            file=sys.stderr,
        )
        return 1
    for name in HOOKS:
        hook = ROOT / ".githooks" / name
        hook.chmod(hook.stat().st_mode | 0o111)  # a downloaded archive may have lost it, and git passes the hook by
    _git("config", "core.hooksPath", ".githooks")
    print("git now looks for personal data in notebooks and other files before every commit, merge and push.")
    return 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--staged", action="store_true", help="look at what git is about to commit")
    action.add_argument("--pushed", action="store_true", help="look at the commits that git is about to push")
    action.add_argument("--install", action="store_true", help="let git ask before every commit, merge and push")
    action.add_argument("--restore", action="store_true", help="put the practice outputs back")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # any file's name
    if options.install:
        return install()
    if options.restore:
        return restore()
    if options.pushed:
        return report(pushed(sys.stdin), PUSH_CURE)
    return report(staged() if options.staged else in_folder())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
