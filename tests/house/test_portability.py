"""Keeps out what works here and fails on another system: text that is read or written in the machine's own encoding.

On Windows that is not UTF-8, before Python 3.15. ruff's rule PLW1514 sees it only where it can tell that a name is a
path; here the name of the method is enough.
"""

import ast
import re

import pytest
from test_repository import ROOT, tracked

PYTHON = [path for path in tracked() if path.suffix == ".py"]
PLACE_OF_ENCODING = {"read_text": 0, "write_text": 1}  # among the arguments that have no name
STARTS_A_PROCESS = {"run", "Popen", "check_output"}
OPENS = {"open", "fdopen", "TemporaryFile", "NamedTemporaryFile"}

# To parse a file takes far longer than to look for these words in it; few files have any.
WORTH_A_LOOK = re.compile(rf"\b(?:{'|'.join([*PLACE_OF_ENCODING, *OPENS])})\(|\b(?:text|universal_newlines)\s*=")


def without_encoding(source: str) -> list[int]:
    """The lines of a Python source on which text is read or written without `encoding=`."""
    if not WORTH_A_LOOK.search(source):
        return []
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return sorted(call.lineno for call in found if is_for_text(call) and not named(call, "encoding"))


def is_for_text(call: ast.Call) -> bool:
    method = getattr(call.func, "attr", None) or getattr(call.func, "id", "")
    if method in PLACE_OF_ENCODING:
        return len(call.args) == PLACE_OF_ENCODING[method]
    if method in STARTS_A_PROCESS:
        return named(call, "text") or named(call, "universal_newlines")
    if method not in OPENS or ast.unparse(call.func) in ("os.open", "Image.open"):
        return False
    # Paths have the mode first, functions have it second; without one a file is opened for text, a temporary one not.
    modes = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] + call.args
    written = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    mode = next((mode for mode in written if set(mode) <= set("rwxabt+")), "w+b" if "Temporary" in method else "r")
    return "b" not in mode


def named(call: ast.Call, argument: str) -> bool:
    return any(keyword.arg == argument for keyword in call.keywords)


def test_text_has_an_encoding():
    places = {path.relative_to(ROOT).as_posix(): without_encoding(path.read_text(encoding="utf-8")) for path in PYTHON}
    assert {name: lines for name, lines in places.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "path.read_text()",
        "(folder / 'a').read_text(errors='replace')",
        "path.write_text(text)",
        "path.open()",
        "path.open('w', newline='')",
        "open(name, 'a')",
        "os.fdopen(number, mode='w')",
        "NamedTemporaryFile('w')",
        "subprocess.run(command, text=True)",
        "Popen(command, universal_newlines=True)",
    ],
)
def test_what_has_none_is_told(source):
    assert without_encoding(f"import os\nx = {source}\n") == [2]


@pytest.mark.parametrize(
    "source",
    [
        "path.read_text('utf-8')",
        "path.write_text(text, encoding='utf-8')",
        "path.open('rb')",
        "path.open(encoding='utf-8')",
        "os.open(path, os.O_RDONLY)",
        "os.fdopen(number, 'wb')",
        "TemporaryFile()",
        "subprocess.run(command, capture_output=True)",
        "subprocess.run(command, encoding='utf-8')",
        "app.run(command)",
    ],
)
def test_what_has_one_or_is_no_text_passes(source):
    assert without_encoding(source) == []
