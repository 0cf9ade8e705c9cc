"""Runs the chapters and stores their outputs, so that nbval has something to compare with.

    python tests/tools/bake_notebooks.py [--check] [name ...]

A name picks the chapters whose file name contains it; without one all are baked. `--check` writes nothing and ends
with status 1 when something would change. Baking twice gives the same bytes: a cell keeps its stored outputs when the
new ones differ only in what tests/sanitize.cfg allows to differ, or in how a processor
rounds the pixels of a picture.
"""

import argparse
import base64
import copy
import io
import re
import struct
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("support", "chapters")]

import nbformat
from chapters import CHAPTERS, SANITIZE, code_cells, keys_folder, practice_environment, read, run, tags
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbval.plugin import coalesce_streams, get_sanitize_patterns
from PIL import Image, ImageChops

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("alt", "deletable", "editable", "tags")  # alt is what nbconvert says in the place of a chart
PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # the PNG chunks that draw; the others date and sign
SANITIZERS = get_sanitize_patterns(SANITIZE.read_text(encoding="ascii"))
PIXEL_TOLERANCE = 8  # of 255
DRAWN_FROM_TIMES = "drawn-from-times"  # a tag: the pixels of this cell are never the same twice
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help="part of a chapter's file name, for example 04")
    parser.add_argument("--check", action="store_true", help="write nothing, end with 1 if something would change")
    options = parser.parse_args(arguments)
    for name in options.names:
        if not any(name in chapter.stem for chapter in CHAPTERS):
            parser.error(f"no chapter's file name contains {name!r}")
    chosen = [c for c in CHAPTERS if not options.names or any(name in c.stem for name in options.names)]
    with tempfile.TemporaryDirectory(prefix="workbook-bake-", ignore_cleanup_errors=True) as scratch:
        good = [bake(chapter, Path(scratch), options.check) for chapter in chosen]
    return 0 if all(good) else 1


def bake(chapter: Path, scratch: Path, check: bool) -> bool:
    """Runs one chapter, writes it if it changed (unless `check`) and prints one line that says so.

    Returns whether all is well: no cell failed, and with `check` nothing would change.
    """
    stored, fresh = read(chapter), read(chapter)
    try:
        run(fresh, practice_environment(scratch) | {"WORKBOOK_KEYS": str(keys_folder(scratch, chapter.stem))})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        print(f"{chapter.stem}: not baked. {explain(fresh, error)}")
        return False
    tidy(fresh, stored)
    text = nbformat.writes(fresh, indent=1, ensure_ascii=False).rstrip("\n") + "\n"
    if text.encode() == chapter.read_bytes():
        print(f"{chapter.stem}: unchanged")
        return True
    print(f"{chapter.stem}: {'would change' if check else 'baked'}, {what_changed(stored, fresh)}")
    if not check:
        write(chapter, text)
    return not check


def explain(notebook: NotebookNode, error: Exception) -> str:
    """The cell that stopped the run, with its source and its error, as plain text."""
    for cell in code_cells(notebook):
        if any(output.output_type == "error" for output in cell.outputs) and "raises-exception" not in tags(cell):
            return f"Cell {cell.id} failed.\n\n{ANSI.sub('', str(error.traceback))}"
    return str(error)


def tidy(fresh: NotebookNode, stored: NotebookNode) -> None:
    """Brings a notebook that has run into the one form in which chapters are stored."""
    fresh.metadata = nbformat.from_dict(METADATA)
    number = 0
    for cell, before in zip(fresh.cells, stored.cells, strict=True):
        cell.metadata = NotebookNode({key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata})
        if cell.cell_type != "code":
            continue
        number += 1
        old, new = tidy_outputs(before.outputs), tidy_outputs(cell.outputs)
        cell.outputs = old if same(old, new, drawn_from_times=DRAWN_FROM_TIMES in tags(cell)) else new
        for counted in [cell, *(output for output in cell.outputs if output.output_type == "execute_result")]:
            counted.execution_count = number


def tidy_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """A copy of the outputs with the streams merged as nbval merges them, and pictures that only hold pixels.

    Markdown is stored sanitized: a link in it may lead to a server of this run, whose address nobody else can use.
    """
    outputs = coalesce_streams(copy.deepcopy(outputs))
    for output in outputs:
        if text := output.get("data", {}).get("text/markdown"):
            output.data["text/markdown"] = comparable(text)
        if png := output.get("data", {}).get("image/png"):
            output.data["image/png"] = base64.b64encode(bare_png(base64.b64decode(png))).decode()
    return outputs


def bare_png(png: bytes) -> bytes:
    """The PNG with only the chunks that draw (W3C PNG specification, section 5.3: length, type, data, CRC)."""
    kept, at = png[:8], 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        end = at + 12 + length
        kept += png[at:end] if kind in PIXELS else b""
        at = end
    return kept


def same(old: list[NotebookNode], new: list[NotebookNode], *, drawn_from_times: bool = False) -> bool:
    """Whether two lists of outputs differ in nothing but what may differ between two runs or two machines.

    A picture that is drawn from moments, such as a line of time from the tenant's log, differs in every run.
    """
    if comparable(old) != comparable(new):
        return False
    if drawn_from_times and len(pictures(old)) == len(pictures(new)):
        return True
    return all(same_picture(*pngs) for pngs in zip(pictures(old), pictures(new), strict=True))


def comparable(value):
    """Outputs, or a part of them, as nbval compares them: sanitized, without pixels and execution numbers."""
    if isinstance(value, str):
        for pattern, replacement in SANITIZERS:
            value = re.sub(pattern, replacement, value)
    elif isinstance(value, list):
        value = [comparable(part) for part in value]
    elif isinstance(value, dict):
        value = {name: comparable(part) for name, part in value.items() if name != "execution_count"}
        value |= {"image/png": "pixels"} if "image/png" in value else {}
    return value


def pictures(outputs: list[NotebookNode]) -> list[str]:
    """The PNG pictures among the outputs, in base64."""
    return [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]


def same_picture(old: str, new: str) -> bool:
    """Whether no pixel differs by more than rounding does between processors; a changed letter differs by far more."""
    old, new = (Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA") for png in (old, new))
    if old.size != new.size:
        return False
    return max(high for _, high in ImageChops.difference(old, new).getextrema()) <= PIXEL_TOLERANCE


def what_changed(stored: NotebookNode, fresh: NotebookNode) -> str:
    """The ids of the first cells that differ between two forms of a notebook, or what else does."""
    pairs = zip(stored.cells, fresh.cells, strict=True)
    ids = [after.id for before, after in pairs if before != after]
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return f"cells {', '.join(ids[:5])}{more}" if ids else "only its metadata or its layout"


def write(path: Path, text: str) -> None:
    """Replaces a file in one step: a bake that is interrupted leaves the old notebook whole."""
    new = path.with_suffix(".baking")
    new.write_text(text, encoding="utf-8", newline="\n")
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
