"""Keeps the chapters and the pages readable for everybody: with a screen reader, by keyboard, without colours.

What only a browser can tell, such as the contrast on the screen, is asked by tests/tools/viewers_run.py with axe-core.
The numbers in the comments are success criteria of WCAG 2.2.
"""

import functools
import itertools
import re

import pytest
from chapters import CHAPTERS, code_cells, known
from documents import DOCUMENTS, headings, markdown, named_links, without_blocks

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda document: f"{document.parent.name}/{document.name}"
)
text_of = functools.cache(markdown)
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)

# Links that are good only for somebody who sees the words around them. A screen reader lists them alone (2.4.9).
VAGUE = {
    "here",
    "this",
    "there",
    "link",
    "this link",
    "click here",
    "more",
    "read more",
    "page",
    "this page",
    "yes",
    "no",
}

# A link out of the repository says what is behind it: a title or a proper name, code, a host, or a kind of document.
NAMED = re.compile(
    r"[A-Z]|`|\w\.\w|\b(?:page|documentation|issue|source|sample|report|list|log|advice|standard|practices|"
    r"example|project|center)\b"
)


def faults_of_headings(levels_and_titles: list[tuple[int, str]]) -> list[str]:
    """What is wrong with the headings of a document, in reading order (1.3.1, 2.4.6)."""
    faults = [f"an empty heading of level {level}" for level, title in levels_and_titles if not title.strip()]
    levels = [level for level, _ in levels_and_titles]
    if levels[:1] != [1] or levels.count(1) != 1:
        faults.append(f"the title is not the first and only heading of level 1: {levels}")
    steps = itertools.pairwise(levels_and_titles)
    faults += [f"{title!r} skips a level" for (before, _), (level, title) in steps if level > before + 1]
    return faults


def faults_of_links(named: list[tuple[str, str]]) -> list[str]:
    """What is wrong with the texts of a document's links, given as (text, target)."""
    faults = []
    for text, target in named:
        words = text.strip("*_ ←→").lower()
        if words in VAGUE or not re.search(r"\w", words):
            faults.append(f"{text!r} does not say where it leads")
        elif target.startswith("http") and not NAMED.search(text):
            faults.append(f"{text!r} does not say what is behind it")
        elif (chapter := re.search(r"(\d\d)_\w+\.ipynb$", target)) and chapter[1] not in text and words != "contents":
            faults.append(f"{text!r} does not name its chapter")
    targets: dict[str, set[str]] = {}
    for text, target in named:
        targets.setdefault(text, set()).add(target.partition("#")[0])
    faults += [f"{text!r} leads to {len(places)} places" for text, places in targets.items() if len(places) > 1]
    return faults


def faults_of_tables(text: str) -> list[str]:
    """The tables whose columns have no name (1.3.1): a screen reader says the name with every value."""
    rows = re.findall(r"^(\|.*\|)\n\|[ :|-]+\|$", without_blocks(text), flags=re.MULTILINE)
    return [row for row in rows if not all(cell.strip() for cell in row.strip("|").split("|"))]


@each_document
def test_headings_are_in_order(document):
    assert faults_of_headings(headings(text_of(document))) == []


@each_document
def test_a_link_says_where_it_leads(document):
    assert faults_of_links(named_links(text_of(document))) == []


@each_document
def test_every_column_of_a_table_has_a_name(document):
    assert faults_of_tables(text_of(document)) == []


@each_document
def test_every_picture_has_an_alternative_text(document):
    text = without_blocks(text_of(document))
    assert re.findall(r"!\[\W*\]\(", text) == []
    assert [tag for tag in re.findall(r"<img\b[^>]*>", text) if not re.search(r'\balt="[^"]+"', tag)] == []


@each_chapter
def test_every_chart_has_an_alternative_text(chapter):
    drawn = [cell for cell in code_cells(known(chapter)) if any("image/png" in o.get("data", {}) for o in cell.outputs)]
    assert [cell.id for cell in drawn if len(cell.metadata.get("alt", "").split()) < 8] == []


@each_document
def test_colours_and_sizes_are_left_to_the_viewer(document):
    """A colour or a size of ours would be right on light or on dark alone (1.4.3), and GitHub would cut it out."""
    assert re.findall(r"<[^>]*\bstyle=|<style|<font|\bbgcolor=", without_blocks(text_of(document))) == []


@each_document
def test_what_can_be_unfolded_says_what_is_in_it(document):
    summaries = re.findall(r"<summary>(.*?)</summary>", without_blocks(text_of(document)), flags=re.DOTALL)
    assert [summary for summary in summaries if len(re.sub(r"<[^>]+>", "", summary).split()) < 2] == []


# The tests above see what they should


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        ([(1, "a"), (2, "b"), (3, "c"), (2, "d")], ""),
        ([(1, "a"), (3, "b")], "'b' skips a level"),
        ([(2, "a"), (1, "b")], "first and only"),
        ([(1, "a"), (1, "b")], "first and only"),
        ([(1, "a"), (2, " ")], "an empty heading of level 2"),
        ([], "first and only"),
    ],
)
def test_headings_out_of_order_are_seen(found, complaint):
    assert complaint in " ".join(faults_of_headings(found))
    assert bool(complaint) == bool(faults_of_headings(found))


@pytest.mark.parametrize(
    ("text", "target", "complaint"),
    [
        ("chapter 04", "04_request_default_scope.ipynb", ""),
        ("the scope", "04_request_default_scope.ipynb", "does not name its chapter"),
        ("here", "#Glossary", "does not say where it leads"),
        ("→", "#Glossary", "does not say where it leads"),
        ("Microsoft's page on delta", "https://learn.microsoft.com/graph/api/user-delta", ""),
        ("Paging, on learn.microsoft.com", "https://learn.microsoft.com/graph/paging", ""),
        ("may change", "https://learn.microsoft.com/graph/errors", "does not say what is behind it"),
        ("Yes", "https://learn.microsoft.com/graph/errors", "does not say where it leads"),
    ],
)
def test_a_link_text_without_a_meaning_is_seen(text, target, complaint):
    assert complaint in " ".join(faults_of_links([(text, target)]))
    assert bool(complaint) == bool(faults_of_links([(text, target)]))


def test_one_text_for_two_places_is_seen():
    assert faults_of_links([("the table", "a.md"), ("the table", "b.md")]) == ["'the table' leads to 2 places"]
    assert faults_of_links([("the table", "a.md#one"), ("the table", "a.md#two")]) == []


def test_a_column_without_a_name_is_seen():
    assert faults_of_tables("| | b |\n|---|--:|\n| 1 | 2 |") == ["| | b |"]
    assert faults_of_tables("| a | b |\n|---|---|\n| | 2 |") == []
