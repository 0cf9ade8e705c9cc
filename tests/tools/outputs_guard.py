"""Keeps data of real people out of the repository: recognises outputs that do not come from the practice tenant.

    python tests/tools/outputs_guard.py             look at the notebooks, end with status 1 when one holds such data
    python tests/tools/outputs_guard.py --staged    the same for what git is about to commit
    python tests/tools/outputs_guard.py --install   let git ask before every commit
    python tests/tools/outputs_guard.py --restore   put the practice outputs back; what was written in cells stays

What counts as not the practice tenant's: the line with which a chapter says that it uses your own tenant, mail
addresses outside .example, GUIDs that neither the practice tenant nor the notebook's own cells have, and names and
telephone numbers in columns and fields of user objects that are none of its people's.
"""

import argparse
import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
OWN_TENANT = "Tenant   your own"  # what workbook/bench.py prints
MAIL = re.compile(r"[\w.+'’#-]+@((?:[\w-]+\.)+[\w-]+)")
ANNOTATIONS = ("odata.", "microsoft.graph", "removed")  # "value@odata.count" is no address
GUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
PERSONAL = ("displayName", "givenName", "surname", "mobilePhone", "businessPhones")
FIELD = re.compile(rf"""["']({"|".join(PERSONAL)})["']: (?:\[?)(["'])(.*?)(?<!\\)\2""")
NOTHING = {"", "None", "NaN", "nan", "NaT", "&lt;NA&gt;", "<NA>", "[]", "…", "..."}


def foreign(notebook: dict[str, Any]) -> list[str]:
    """What a notebook's outputs hold that is not the practice tenant's, in words that do not repeat it.

    Args:
        notebook: a notebook as parsed JSON, format 4.
    """
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    sources = " ".join(_text(cell["source"]) for cell in cells).lower()
    found = []
    for cell in cells:
        for text in _texts(cell):
            found += [f"cell {cell.get('id', '?')}: {what}" for what in _foreign_in(text, sources)]
    return list(dict.fromkeys(found))


def _foreign_in(text: str, sources: str) -> Iterator[str]:
    if OWN_TENANT in text:
        yield "it was run on your own tenant"
    domains = {domain.lower().rstrip(".") for domain in MAIL.findall(text)}
    if any(not domain.endswith(".example") and not domain.startswith(ANNOTATIONS) for domain in domains):
        yield "a mail address or sign-in name"
    if any(guid.lower() not in _practice_text() and guid.lower() not in sources for guid in GUID.findall(text)):
        yield "an id that the practice tenant does not have"
    for name, value in [*_columns(text), *((found[0], found[2]) for found in FIELD.findall(text))]:
        if not _is_practice_value(value):
            yield f"a value of {name} that is nobody's in the practice tenant"


def _texts(cell: dict[str, Any]) -> Iterator[str]:
    for output in cell.get("outputs", []):
        yield _text(output.get("text", ""))
        yield "\n".join([output.get("evalue", ""), *output.get("traceback", [])])
        yield from (_text(data) for mime, data in output.get("data", {}).items() if not mime.startswith("image/"))


def _text(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)


def _columns(text: str) -> Iterator[tuple[str, str]]:
    """Column and value of each personal cell of the HTML tables in a text."""
    for table in re.findall(r"<table.*?</table>", text, re.DOTALL):
        names: list[str] = []
        for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL):
            values = [
                html.unescape(value).strip() for value in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
            ]
            if not names:
                names = values
            elif len(values) == len(names):
                yield from ((name, value) for name, value in zip(names, values, strict=True) if name in PERSONAL)


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


# --- what to look at ----------------------------------------------------------------------------------------------


def in_folder() -> Iterator[tuple[str, str]]:
    """Name and text of each notebook."""
    for path in sorted(NOTEBOOKS.rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def staged() -> Iterator[tuple[str, str]]:
    """Name and text of each notebook in git's index that differs from the last commit."""
    for name in _git("diff", "--cached", "--name-only", "--diff-filter=d", "-z").split("\0"):
        if name.endswith(".ipynb"):
            yield name, _git("show", f":{name}")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {arguments[0]} failed: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout.decode("utf-8")


def report(notebooks: Iterator[tuple[str, str]]) -> int:
    """Prints what was found; 1 when anything was, else 0."""
    found = []
    for name, text in notebooks:
        try:
            found += [f"{name}, {what}" for what in foreign(json.loads(text))]
        except (ValueError, KeyError, TypeError):
            found.append(f"{name}, it cannot be read as a notebook")
    if not found:
        return 0
    print("These outputs are not the practice tenant's:", *found, sep="\n  ", file=sys.stderr)
    print(
        "Put the practice outputs back with python tests/tools/outputs_guard.py --restore, "
        "and git add the notebooks again.",
        file=sys.stderr,
    )
    return 1


# --- what to do about it ------------------------------------------------------------------------------------------


def restore() -> int:
    """Gives every notebook the outputs of the last commit, cell by cell; a cell that was changed or is new has none."""
    for name, text in in_folder():
        committed = _git("ls-tree", "--name-only", "HEAD", "--", name).strip()
        before = json.loads(_git("show", f"HEAD:./{name}")) if committed else {"cells": []}
        notebook = json.loads(text)
        if not _put_back(notebook, before):
            continue
        indent = re.search(r'\n( +)"', text)
        fresh = json.dumps(notebook, ensure_ascii=False, indent=len(indent[1]) if indent else 1)
        (ROOT / name).write_text(fresh + "\n", encoding="utf-8", newline="\n")
        print(f"{name}: outputs put back")
    return 0


def _put_back(notebook: dict[str, Any], before: dict[str, Any]) -> bool:
    """Changes the outputs of `notebook`; whether there was anything to change."""
    stored = {cell.get("id"): cell for cell in before["cells"] if cell["cell_type"] == "code"}
    changed = False
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        old = stored.get(cell.get("id"), {})
        same = bool(old) and _text(old["source"]) == _text(cell["source"])
        wanted = (old["outputs"], old["execution_count"]) if same else ([], None)
        if (cell["outputs"], cell["execution_count"]) != wanted:
            cell["outputs"], cell["execution_count"] = wanted
            changed = True
    return changed


def install() -> int:
    """Lets git run .githooks/pre-commit before every commit in this clone."""
    _git("config", "core.hooksPath", ".githooks")
    print("git now looks for personal data in notebooks before every commit.")
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
