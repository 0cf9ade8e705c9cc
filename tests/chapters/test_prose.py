"""Keeps the chapters in their common shape, the prose in its voice, and every link alive."""

import re
from urllib.parse import unquote

import pytest
from chapters import CHAPTERS, code_cells, read
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
    first = read(chapter).cells[0]
    title, *rest = first.source.split("\n\n")
    assert re.fullmatch(rf"# {chapter.stem[:2]} · \S.+", title)
    assert any(paragraph.rstrip().endswith(".") for paragraph in rest)


@each_chapter
def test_it_links_its_neighbours_and_the_contents(chapter):
    at = CHAPTERS.index(chapter)
    neighbours = CHAPTERS[max(at - 1, 0) : at] + CHAPTERS[at + 1 : at + 2]
    expected = {neighbour.name for neighbour in neighbours} | ({CHAPTERS[0].name} if at else set())
    assert expected <= set(links(read(chapter).cells[0].source))


@each_chapter
def test_it_says_what_you_do_learn_and_need_and_how_long_it_takes(chapter):
    opening = "\n".join(cell.source for cell in read(chapter).cells[:3])
    for words in ["You will do", "You will learn", "You need"]:
        assert words in opening
    assert re.search(r"\d+ minutes", opening)


@each_chapter
def test_it_has_one_picture_which_a_sentence_repeats(chapter):
    after = [
        cell.source.rpartition("```")[2].strip()
        for cell in read(chapter).cells
        if cell.cell_type == "markdown" and "```mermaid" in cell.source
    ]
    assert len(after) == 1
    assert after[0].endswith(".")


@each_chapter
def test_its_first_code_cell_opens_the_bench(chapter):
    assert re.search(r"^(from workbook|import workbook)\b", code_cells(read(chapter))[0].source, re.MULTILINE)


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
    assert 3 <= ending.count("<details>") <= 5


@each_lesson
def test_it_is_neither_thin_nor_long(chapter):
    assert 30 <= len(read(chapter).cells) <= 60
    assert 900 <= len(prose(markdown(chapter)).split()) <= 1800


def test_the_first_chapter_is_short():
    assert len(read(CHAPTERS[0]).cells) <= 60
    assert len(prose(markdown(CHAPTERS[0])).split()) <= 1800


@each_chapter
def test_it_explains_more_than_it_runs(chapter):
    notebook = read(chapter)
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
        texts = [cell.source for cell in read(document).cells if cell.cell_type == "markdown"]
    for text in texts:
        tags = re.findall(r"</?(?:details|summary)\b", without_blocks(text))
        assert "".join(tags) == "<details<summary</summary</details" * (len(tags) // 4)


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
