"""Draws the chapters' pictures and puts them into the notebooks, as attachments of the cells that refer to them.

    python tests/tools/bake_pictures.py [--check]

A Markdown cell refers to a picture as `![what it says](attachment:05_time.png)`; tests/pictures/p05_time.py draws it.
Only cells whose attachments change are written again: everything else in a notebook stays byte for byte. A picture
that differs from the stored one only in how a processor rounds the pixels is left alone. `--check` writes nothing and
ends with status 1 when something would change. With and without it, status 1 also says that a picture has no source
or no alternative text, or that a source is drawn for nobody.
"""

import argparse
import base64
import functools
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / folder) for folder in ("support", "chapters", "tools", "pictures")]

from bake_notebooks import same_picture, write
from chapters import CHAPTERS
from ink import Sheet

SOURCES = {f"{path.stem[1:]}.png": path.stem for path in sorted((TESTS / "pictures").glob("p[0-9][0-9]_*.py"))}
REFERENCE = re.compile(r"!\[([^\]]*)\]\(attachment:([^)\s]+)\)")
OLD_PICTURE = "```mermaid"
CELLS = '"cells": ['


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, end with 1 if something would change")
    options = parser.parse_args(arguments)
    good = True
    for chapter in CHAPTERS:
        stored = chapter.read_bytes().decode("utf-8")
        fresh = baked(stored)
        problems = complaints(chapter, stored)
        for problem in problems:
            print(f"{chapter.stem}: {problem}")
        changed = fresh != stored
        if changed:
            print(f"{chapter.stem}: {'would change' if options.check else 'baked'}")
            if not options.check:
                write(chapter, fresh)
        elif not problems:
            print(f"{chapter.stem}: unchanged")
        good = good and not problems and not (changed and options.check)
    return 0 if good else 1


def source(name: str) -> ModuleType:
    """The module that draws the picture `name`, for example 05_time.png. Raises KeyError when there is none."""
    return importlib.import_module(SOURCES[name])


@functools.cache
def sheet(name: str) -> Sheet:
    """The picture `name` with all that is on it."""
    return source(name).draw()


@functools.cache
def drawn(name: str) -> str:
    """The picture `name` as a PNG in base64, as a notebook stores it."""
    return base64.b64encode(sheet(name).png()).decode("ascii")


def baked(text: str) -> str:
    """The text of a notebook with every attachment drawn anew, and those that no cell refers to taken out."""
    parts, done = [], 0
    for begin, end, cell in cells(text):
        attachments = wanted(cell)
        if cell["cell_type"] != "markdown" or attachments == cell.get("attachments", {}):
            continue
        rest = {name: value for name, value in cell.items() if name != "attachments"}
        changed = {"attachments": attachments} | rest if attachments else rest
        indent = text[text.rindex("\n", 0, begin) + 1 : begin]
        rewritten = json.dumps(changed, indent=1, ensure_ascii=False).replace("\n", "\n" + indent)
        parts += [text[done:begin], rewritten]
        done = end
    return "".join([*parts, text[done:]])


def cells(text: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Each cell of a notebook with the places in its text where it begins and ends."""
    decoder = json.JSONDecoder()
    at = text.index(CELLS) + len(CELLS)
    while True:
        at = re.compile(r"[\s,]*").match(text, at).end()
        if text[at] == "]":
            return
        cell, end = decoder.raw_decode(text, at)
        yield at, end, cell
        at = end


def wanted(cell: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The attachments that a cell should have. One without a source stays as it is."""
    stored = cell.get("attachments", {})
    result = {}
    for _, name in REFERENCE.findall("".join(cell["source"])):
        if name in SOURCES and not is_fresh(stored.get(name), name):
            result[name] = {"image/png": drawn(name)}
        elif name in stored:
            result[name] = stored[name]
    return dict(sorted(result.items()))  # the order in which nbformat stores them


def is_fresh(attachment: dict[str, str] | None, name: str) -> bool:
    """Whether a stored attachment is the picture that its source draws, but for rounded pixels."""
    if attachment is None or set(attachment) != {"image/png"}:
        return False
    stored = attachment["image/png"]
    return stored == drawn(name) or same_picture(stored, drawn(name))


def complaints(chapter: Path, text: str) -> list[str]:
    """What no bake can put right in a chapter, each as a sentence that says what to do."""
    sources = ["".join(cell["source"]) for _, _, cell in cells(text) if cell["cell_type"] == "markdown"]
    found, names = [], set()
    for written in sources:
        references = REFERENCE.findall(written)
        if len(references) != written.count("attachment:"):
            found.append("an attachment is not written as ![alternative text](attachment:NAME.png).")
        for alternative, name in references:
            names.add(name)
            if name not in SOURCES:
                found.append(f"{name} has no source; it would be tests/pictures/p{Path(name).stem}.py.")
            elif not alternative.strip():
                found.append(f"{name} has no alternative text, for example: {source(name).ALTERNATIVE}")
    if not any(OLD_PICTURE in written for written in sources):
        own = {name for name in SOURCES if name[:2] == chapter.stem[:2]}
        found += [f"no cell refers to {name}, which is drawn for this chapter." for name in sorted(own - names)]
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
