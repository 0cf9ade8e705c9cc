"""Keeps the chapters in their common shape, the prose in its voice, and every link alive."""

import re
import statistics
from urllib.parse import unquote

import pytest
from chapters import CHAPTERS, code_cells, known
from documents import DOCUMENTS, anchors, links, markdown, prose, without_blocks

LESSONS = [chapter for chapter in CHAPTERS if not chapter.stem.startswith("00")]

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
each_lesson = pytest.mark.parametrize("chapter", LESSONS, ids=lambda chapter: chapter.stem)
each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda document: f"{document.parent.name}/{document.name}"
)


# The shape of a chapter


@each_chapter
def test_it_opens_with_its_number_a_title_and_a_promise(chapter):
    first = known(chapter).cells[0]
    title, *rest = first.source.split("\n\n")
    assert re.fullmatch(rf"# {chapter.stem[:2]} · \S.+", title)
    assert any(paragraph.rstrip().endswith(".") for paragraph in rest)


@each_chapter
def test_it_links_its_neighbours_and_the_contents(chapter):
    at = CHAPTERS.index(chapter)
    neighbours = CHAPTERS[max(at - 1, 0) : at] + CHAPTERS[at + 1 : at + 2]
    expected = {neighbour.name for neighbour in neighbours} | ({CHAPTERS[0].name} if at else set())
    assert expected <= set(links(known(chapter).cells[0].source))


@each_chapter
def test_it_says_what_you_do_learn_and_need_and_how_long_it_takes(chapter):
    opening = "\n".join(cell.source for cell in known(chapter).cells[:3])
    for words in ["You will do", "You will learn", "You need"]:
        assert words in opening
    assert re.search(r"\d+ minutes", opening)


@each_chapter
def test_its_first_code_cell_opens_the_bench(chapter):
    assert re.search(r"^(from workbook|import workbook)\b", code_cells(known(chapter))[0].source, re.MULTILINE)


@each_lesson
def test_it_has_its_last_three_sections_in_order(chapter):
    headings = re.findall(r"^#+ +(.+)$", without_blocks(markdown(chapter)), flags=re.MULTILINE)
    sections = ("When it breaks", "In your own tenant", "In practice")
    found = [title for heading in headings for title in sections if heading.startswith(title)]
    assert found == list(sections)


@each_lesson
def test_it_ends_with_a_recap_table_and_recall_questions(chapter):
    ending = re.split(r"^#+ In practice\b.*$", markdown(chapter), flags=re.MULTILINE)[-1]
    assert re.search(r"^\|[ :-]+\|[ :-]+\|", ending, flags=re.MULTILINE)
    assert 3 <= ending.count("<details>") <= 6


@each_chapter
def test_it_explains_more_than_it_runs(chapter):
    notebook = known(chapter)
    code = len(code_cells(notebook))
    assert (len(notebook.cells) - code) / code >= 1.1


# The voice


@each_document
@pytest.mark.parametrize("banned", [r"!", r"\bsimply\b", r"\[!\w+\]"], ids=["shouting", "simply", "callout"])
def test_the_voice_is_calm(document, banned):
    found = re.findall(rf".*{banned}.*", prose(markdown(document)), flags=re.IGNORECASE)
    assert found == []


@each_document
def test_everything_that_is_folded_has_an_end_and_a_title(document):
    texts = [markdown(document)]
    if document.suffix == ".ipynb":
        texts = [cell.source for cell in known(document).cells if cell.cell_type == "markdown"]
    for text in texts:
        tags = re.findall(r"</?(?:details|summary)\b", without_blocks(text))
        assert "".join(tags) == "<details<summary</summary</details" * (len(tags) // 4)


# Whole sentences for a tired reader. What is measured is the prose of a chapter, without code, tables and lists.

DROPPED = re.compile(
    r"\b(?:stands? (?:there|in|for|on|beside|above|below)|mend(?:s|ed|ing)?|also (?:when|if)|for ever|near by|"
    r"the way on|begins? again)\b|, too\b",
    re.IGNORECASE,
)


@each_chapter
def test_a_sentence_has_room_to_say_something(chapter):
    lengths = [len(sentence.split()) for sentence in sentences(chapter)]
    assert statistics.median(lengths) >= 11
    short = [sentence for sentence in sentences(chapter) if len(sentence.split()) <= 6]
    assert len(short) <= len(lengths) / 5, short


@each_chapter
def test_few_sentences_are_held_together_by_colons(chapter):
    found = paragraphs(chapter)
    colons = sum(len(re.findall(r"[:;](?=\s|$)", paragraph)) for paragraph in found)
    assert colons <= len(found)


@each_chapter
def test_it_does_without_the_habits_that_readers_stumbled_over(chapter):
    assert [match.group() for text in texts_of(chapter) for match in DROPPED.finditer(text)] == []


@each_chapter
def test_an_output_of_more_than_two_values_says_what_they_are(chapter):
    bare = re.compile(r"\A\((?:[^,()]+, ){2,}[^,()]*\)\Z")
    shown = [
        output.get("data", {}).get("text/plain", "") for cell in code_cells(known(chapter)) for output in cell.outputs
    ]
    assert [text for text in shown if bare.match(text)] == []


def test_every_word_of_the_glossary_is_explained_where_it_says():
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| .+ \| (\d\d) \|$", markdown(CHAPTERS[0]), flags=re.MULTILINE)
    assert len(rows) >= 15
    by_number = {chapter.stem[:2]: chapter for chapter in CHAPTERS}
    for word, number in rows:
        if number in by_number:
            bold = re.findall(r"\*\*([^*]+)\*\*", markdown(by_number[number]))
            assert word.lower() in [found.lower() for found in bold], (word, number)


def texts_of(chapter):
    """The prose of each markdown cell: no code blocks, no HTML."""
    cells = [cell.source for cell in known(chapter).cells if cell.cell_type == "markdown"]
    return [re.sub(r"```.*?```|<[^>]+>", " ", text, flags=re.DOTALL) for text in cells]


def paragraphs(chapter):
    """The paragraphs that are neither headings, tables nor lists; code in a line counts as one word."""
    found = [paragraph for text in texts_of(chapter) for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]
    running = [paragraph for paragraph in found if not re.match(r"\s*(#|\||- |\* |\d+\.|>?\s*\|)", paragraph)]
    return [re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "code", paragraph)) for paragraph in running]


def sentences(chapter):
    split = [sentence for paragraph in paragraphs(chapter) for sentence in re.split(r"(?<=[.!?])\s+", paragraph)]
    return [sentence for sentence in split if sentence.strip()]


# The links


@each_document
def test_every_relative_link_leads_somewhere(document):
    broken = []
    for link in links(markdown(document)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        alive = target.exists()
        if alive and anchor and target.suffix in {".md", ".ipynb"}:
            alive = anchor in anchors(target)
        if not alive:
            broken.append(link)
    assert broken == []
