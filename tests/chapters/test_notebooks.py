"""Keeps the stored notebooks in the state in which strict nbval compares every cell, and nothing private in them."""

import json
import re
import statistics
from collections import Counter

import nbformat
import pytest
from chapters import CHAPTERS, SANITIZE, code_cells, known, tags
from nbval.plugin import get_sanitize_patterns

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)

# Every cell that nbval does not compare: (chapter, cell id) → why it cannot be.
NOT_COMPARED: dict[tuple[str, str], str] = {}

MIME_TYPES = {"text/plain", "text/html", "text/markdown", "image/png"}

PRIVATE = {
    "a JSON web token": re.compile(r"\beyJ[\w-]{8,}"),
    "a bearer token": re.compile(r"Bearer [\w.~+/-]{20,}"),
    "a private key": re.compile(r"PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{40,}"),
    "a path of one machine": re.compile(r"/home/|/Users/|/root/|/tmp/|/var/folders/|\b[A-Z]:\\"),
    # 8786 and 8787 are Dask's own, the same for everybody: the reader of chapter 11 types them. 0 is any free one.
    "a port": re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\]):(?!878[67]\b|0\b)\d+"),
}


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """All stored outputs of a notebook."""
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """All that can be read in a notebook: the sources, and the outputs but for their pictures."""
    shown = []
    for output in outputs(notebook):
        shown += [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
        shown += [str(data) for mime, data in output.get("data", {}).items() if mime != "image/png"]
    return [cell.source for cell in notebook.cells] + shown


@each_chapter
def test_plain_pytest_collects_every_code_cell(chapter, collected):
    assert collected[chapter.stem] == len(code_cells(known(chapter)))


@each_chapter
@pytest.mark.filterwarnings("error")
def test_the_notebook_is_valid_and_its_cell_ids_are_unique(chapter):
    notebook = json.loads(chapter.read_text(encoding="utf-8"))  # nbformat.read would repair the ids
    nbformat.validate(notebook)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    ids = Counter(cell["id"] for cell in notebook["cells"])
    assert [name for name, times in ids.items() if times > 1] == []


@each_chapter
def test_the_notebook_is_stored_run_from_top_to_bottom(chapter):
    cells = code_cells(known(chapter))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@each_chapter
def test_nbval_compares_every_cell_but_the_named_ones(chapter):
    marks = re.compile(r"nbval[-_](skip|ignore[-_]output)|PYTEST_VALIDATE_IGNORE_OUTPUT", re.IGNORECASE)
    found = {
        cell.id for cell in code_cells(known(chapter)) if any(marks.search(text) for text in [cell.source, *tags(cell)])
    }
    assert found == {cell_id for name, cell_id in NOT_COMPARED if name == chapter.stem}


def test_few_cells_are_not_compared():
    assert len(NOT_COMPARED) <= 4


@each_chapter
def test_cells_fail_exactly_where_they_are_tagged(chapter):
    cells = code_cells(known(chapter))
    failed = [cell.id for cell in cells if any(output.output_type == "error" for output in cell.outputs)]
    assert failed == [cell.id for cell in cells if "raises-exception" in tags(cell)]


@each_chapter
def test_a_failure_shows_no_path_because_xmode_is_minimal(chapter):
    minimal = False
    for cell in code_cells(known(chapter)):
        minimal = minimal or "%xmode Minimal" in cell.source.splitlines()
        assert minimal or "raises-exception" not in tags(cell), cell.id


@each_chapter
def test_no_cell_hides_its_value_behind_a_semicolon(chapter):
    hiding = [cell.id for cell in code_cells(known(chapter)) if cell.source.rstrip().endswith(";")]
    assert hiding == []  # nbval shows the value all the same: write `_ = …`


@each_chapter
def test_no_cell_rewrites_what_it_has_shown(chapter):
    rewriting = re.compile(r"clear_output|tqdm|display_id|update_display")
    assert [cell.id for cell in code_cells(known(chapter)) if rewriting.search(cell.source)] == []


@each_chapter
@pytest.mark.parametrize("what", PRIVATE)
def test_nothing_private_is_stored(chapter, what):
    found = [PRIVATE[what].search(text) for text in texts(known(chapter))]
    assert [match.group()[:20] for match in found if match] == []


@pytest.mark.parametrize(
    ("what", "sample"),
    [
        ("a JSON web token", "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9"),
        ("a bearer token", "Authorization: Bearer abcdefghijklmnopqrstuvwxyz"),
        ("a private key", "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj" * 2),
        ("a path of one machine", "/home/you/notebooks"),
        ("a path of one machine", r"C:\Users\you"),
        ("a port", "https://127.0.0.1:43210/v1.0"),
        ("a port", "tcp://127.0.0.1:87865"),
    ],
)
def test_the_patterns_for_private_things_find_them(what, sample):
    assert PRIVATE[what].search(sample)


@each_chapter
def test_outputs_are_text_pandas_tables_markdown_or_png(chapter):
    for output in outputs(known(chapter)):
        data = output.get("data", {})
        assert set(data) <= MIME_TYPES
        assert "text/html" not in data or 'class="dataframe' in data["text/html"]


@each_chapter
def test_the_notebook_is_small(chapter):
    assert chapter.stat().st_size < 150_000


@each_chapter
def test_code_cells_are_short(chapter):
    lines = {
        cell.id: sum(1 for line in cell.source.splitlines() if line.strip()) for cell in code_cells(known(chapter))
    }
    assert {cell_id: count for cell_id, count in lines.items() if count > 15} == {}
    assert statistics.median(lines.values()) <= 6


def test_every_sanitize_rule_is_ascii_and_matches_the_sample_above_it():
    text = SANITIZE.read_text(encoding="ascii")
    rules = get_sanitize_patterns(text)
    samples = re.findall(r"^# sample: (.+)\nregex: (.+)\nreplace: .*$", text, flags=re.MULTILINE)
    assert [pattern for _, pattern in samples] == [pattern for pattern, _ in rules]
    assert len(rules) == text.count("regex:") <= 8
    for sample, pattern in samples:
        assert re.search(pattern, sample), pattern
