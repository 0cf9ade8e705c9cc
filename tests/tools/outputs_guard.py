"""Keeps data of real people out of the repository: recognises what does not come from the practice tenant.

    python tests/tools/outputs_guard.py             look at the files here, end with status 1 when one holds such data
    python tests/tools/outputs_guard.py --staged    the same for what git is about to commit
    python tests/tools/outputs_guard.py --install   let git ask before every commit
    python tests/tools/outputs_guard.py --restore   put the practice outputs back; what was written in cells stays

In notebooks it looks at outputs and metadata, wherever a notebook lies and whatever it is called. What counts as not
the practice tenant's: the mark that every output of your own tenant carries (notebooks/workbook/own_data.py), mail
addresses outside .example, GUIDs that the practice tenant does not have, and names, telephone numbers and the like, in
tables and fields of user objects, that are none of its people's. What stands in the notebook's own code may stand in
its outputs. Of other files it looks at those that are new: tables and pages with the same data, and what nobody can
look into.
"""

import argparse
import csv
import html
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
# What workbook/bench.py prints, and what workbook/own_data.py leaves beside every output after that.
OWN_TENANT = ("Tenant   your own", "<!-- outputs of your own tenant -->")
MAIL = re.compile(r"[\w.+'’#-]+@((?:[\w-]+\.)+[\w-]+)")
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

# Files beside notebooks: which are ours, which are read as text, which cannot be read, which are secret by their name.
OURS = ("tests/", "notebooks/practice_tenant/", "notebooks/workbook/")
READABLE = {".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".txt", ".log", ".html", ".htm", ".md", ".xml", ".svg"}
CLOSED = {
    ".parquet", ".feather", ".xlsx", ".xls", ".ods", ".docx", ".pdf", ".pkl", ".pickle", ".npy", ".h5", ".db",
    ".sqlite", ".zip", ".gz", ".png", ".jpg", ".jpeg", ".gif", ".webp",
}  # fmt: skip
SECRET = {".pem", ".pfx", ".p12", ".key"}

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
    return list(dict.fromkeys(found))


def _foreign_in(text: str, sources: str = "") -> Iterator[str]:
    if any(mark in text for mark in OWN_TENANT):
        yield "it was run on your own tenant"
    addresses = [found for found in MAIL.finditer(text) if found[0].lower() not in sources]
    domains = {found[1].lower().rstrip(".") for found in addresses}
    if any(not domain.endswith(".example") and not domain.startswith(ANNOTATIONS) for domain in domains):
        yield "a mail address or sign-in name"
    if any(guid.lower() not in _practice_text() + sources for guid in GUID.findall(_without_letter(text))):
        yield "an id that the practice tenant does not have"
    fields = ((found[0], found[2]) for found in FIELD.findall(text))
    for name, value in [*_html_columns(text), *_text_columns(text), *fields]:
        if not (_is_practice_value(value) or value.lower() in sources):
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


def _is_practice_value(value: str) -> bool:
    value = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), value)  # as json.dumps writes letters
    value = value.strip("[]'\" ").rstrip("…").removesuffix("...")
    if value in NOTHING or not re.search(r"[^\W_]", value):
        return True
    return value in _practice_text() or value in _names_of_made_people()


@cache
def _practice_text() -> str:
    """All that the practice tenant knows: its people and its programs, with ids in lower case as well."""
    files = [ROOT / "data" / "people.jsonl", *sorted((NOTEBOOKS / "practice_tenant").rglob("*.py"))]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return text + text.lower()


@cache
def _names_of_made_people() -> str:
    """The names and numbers of a large practice directory; made only when somebody is not in data/people.jsonl."""
    sys.path.insert(0, str(NOTEBOOKS))
    from practice_tenant.directory.made_people import load_people  # noqa: PLC0415 - it takes a second

    people = load_people(100_000)
    return "\n".join(str(person.get(name)) for person in people for name in PERSONAL)


# --- other files --------------------------------------------------------------------------------------------------


def foreign_file(name: str, content: bytes) -> list[str]:
    """What a new file holds that does not belong here, in words that do not repeat it; nothing for files of ours.

    Args:
        name: its path below the repository's root, with slashes.
        content: its bytes.
    """
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    if name.startswith(OURS):
        return []
    if path.name == ".env" or suffix in SECRET:
        return ["a secret"]
    if suffix in CLOSED:
        return ["what nobody can look into"]
    if suffix not in READABLE:
        return []
    text = content.decode("utf-8-sig", "replace")
    found = list(_foreign_in(text))
    for column, value in _delimited(text, "\t" if suffix == ".tsv" else ","):
        if not _is_practice_value(value):
            found.append(f"a value of {column} that is nobody's in the practice tenant")
    return list(dict.fromkeys(found))


def _delimited(text: str, delimiter: str) -> Iterator[tuple[str, str]]:
    rows = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        names = next(rows, [])
        for row in rows if set(names) & set(PERSONAL) else []:
            yield from ((name, value) for name, value in zip(names, row, strict=False) if name in PERSONAL)
    except csv.Error:  # no table at all
        return


# --- what to look at ----------------------------------------------------------------------------------------------


def in_folder() -> Iterator[File]:
    """The notebooks here that git knows or would take, and the other files that the last commit does not have."""
    has_git = _tried("rev-parse", "--git-dir") is not None
    committed = set((_tried("ls-tree", "-r", "-z", "--name-only", "HEAD") or b"").decode().split("\0"))
    if has_git:
        names = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    else:
        names = [path.relative_to(ROOT).as_posix() for path in sorted(NOTEBOOKS.rglob("*.ipynb"))]
    for name in dict.fromkeys(names):
        path = ROOT / name
        if name and path.is_file() and ".ipynb_checkpoints" not in path.parts and _concerns(name, name in committed):
            yield name, path.read_bytes()


def staged() -> Iterator[File]:
    """The notebooks in git's index that differ from the last commit, and the other files that are new in it."""
    new = set(_git("diff", "--cached", "--name-only", "--no-renames", "--diff-filter=A", "-z").split("\0"))
    for name in _git("diff", "--cached", "--name-only", "--no-renames", "--diff-filter=d", "-z").split("\0"):
        if name and _concerns(name, name not in new):
            yield name, _tried("cat-file", "blob", f":{name}") or b""


def _concerns(name: str, is_committed: bool) -> bool:
    return is_notebook(name) or not is_committed


def is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {arguments[0]} failed: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout.decode("utf-8", "replace")


def _tried(*arguments: str) -> bytes | None:
    """What git prints, None when it fails or is not there."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    except OSError:
        return None
    return None if done.returncode else done.stdout


def report(files: Iterable[File]) -> int:
    """Prints a sentence for each file that holds what it must not, and what to do; 1 when there is one, else 0."""
    notebooks, others = [], []
    for name, content in files:
        kept = notebooks if is_notebook(name) else others
        found = _found_in(name, content)
        if found:
            kept.append(f"{name} holds {_in_words(found)}.")
    cures = (
        (notebooks, "Put the practice outputs back with python tests/tools/outputs_guard.py --restore, and git add the "
                    "notebooks again."),
        (others, "Keep such files in notebooks/output, which git ignores, and take them out of the commit with "
                 "git rm --cached."),
    )  # fmt: skip
    for sentences, cure in cures:
        if sentences:
            print(*sentences, cure, sep="\n", file=sys.stderr)
    return 1 if notebooks or others else 0


def _found_in(name: str, content: bytes) -> list[str]:
    if not is_notebook(name):
        return foreign_file(name, content)
    try:
        return foreign(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError):
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

    A cell that was changed or is new has no outputs afterwards; its text and its place stay.
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
            changed = _put_back(notebook, before)
        except (ValueError, KeyError, TypeError, AttributeError):
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
            if not foreign(notebook):
                return notebook
        except (ValueError, KeyError, TypeError, AttributeError):
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
    """Lets git run .githooks/pre-commit before every commit in this clone, unless another hook would stop running."""
    chosen = (_tried("config", "core.hooksPath") or b"").decode().strip()
    own = Path(_git("rev-parse", "--git-path", "hooks/pre-commit").strip())
    if chosen != ".githooks" and (chosen or (ROOT / own).is_file()):
        print(
            f"git runs hooks of yours already, from {chosen or own.parent.as_posix()}: call .githooks/pre-commit in "
            "your pre-commit hook, because git knows one place for hooks only.",
            file=sys.stderr,
        )
        return 1
    hook = ROOT / ".githooks" / "pre-commit"
    hook.chmod(hook.stat().st_mode | 0o111)  # a downloaded archive may have lost it, and git passes the hook by
    _git("config", "core.hooksPath", ".githooks")
    print("git now looks for personal data in notebooks and new files before every commit.")
    return 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--staged", action="store_true", help="look at what git is about to commit")
    action.add_argument("--install", action="store_true", help="let git ask before every commit")
    action.add_argument("--restore", action="store_true", help="put the practice outputs back")
    options = parser.parse_args(arguments)
    if options.install:
        return install()
    if options.restore:
        return restore()
    return report(staged() if options.staged else in_folder())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
