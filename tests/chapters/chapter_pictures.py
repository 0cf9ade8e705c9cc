"""Keeps the chapters' pictures readable and put into words. Part of .ci/run, which compares them with their sources."""

import base64
import copy
import itertools
import json
import re

import bake_notebooks
import bake_pictures
import ink
import nbformat
import pytest
from bake_pictures import REFERENCE, SOURCES, sheet
from chapters import CHAPTERS, known, read

# What three kinds of colour vision make of linear light (Machado, Oliveira and Fernandes 2009, severity 1.0).
COLOUR_VISION = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}

each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
each_picture = pytest.mark.parametrize("name", SOURCES)


def markdown_cells(chapter):
    return [cell.source for cell in known(chapter).cells if cell.cell_type == "markdown"]


# The chapters


@each_chapter
def test_it_has_one_picture_and_a_sentence_beside_it(chapter):
    pictures = [source for source in markdown_cells(chapter) if REFERENCE.search(source) or "```mermaid" in source]
    assert len(pictures) == 1
    beside = REFERENCE.sub("", pictures[0]).rpartition("```")[2].strip()
    assert len(beside.split()) >= 6
    assert beside.endswith(".")


@each_chapter
def test_its_picture_is_an_attachment_with_an_alternative_text(chapter):
    assert "```mermaid" not in "".join(markdown_cells(chapter))  # not every viewer draws it
    ((alternative, _),) = REFERENCE.findall("\n\n".join(markdown_cells(chapter)))
    assert len(alternative.split()) >= 8


# The pictures


@each_picture
def test_nothing_overlaps_and_nothing_is_cut_off(name):
    assert sheet(name).faults() == []


@each_picture
def test_its_words_are_large_and_dark_enough(name):
    faint = [word for word in sheet(name).words if ink.contrast(word.colour, word.behind) < 4.5]  # WCAG 2.2, 1.4.3
    small = [word for word in sheet(name).words if word.size < ink.SMALLEST]
    assert faint + small == []


@each_picture
def test_what_is_behind_its_words_is_what_the_contrast_is_computed_with(name):
    for word in sheet(name).words:
        around = [area for area in sheet(name).areas if area.hue and area.holds(word.area)]
        behind = {around[-1].hue.fill} if around else {ink.PAPER}
        assert word.behind in behind | {ink.INK}, word  # INK is the disc behind a number


@each_picture
def test_a_colour_is_never_the_only_sign(name):
    drawn = sheet(name)
    texts = " ".join(word.text for word in drawn.words)
    mute = [area for area in drawn.areas if area.hue and not any(area.holds(word.area) for word in drawn.words)]
    mute += [stroke for stroke in drawn.strokes if stroke.hue is not ink.PLAIN and not stroke.word]
    assert mute == []
    assert [stroke for stroke in drawn.strokes if stroke.word not in texts] == []


@each_picture
def test_its_source_says_what_the_picture_says(name):
    module = bake_pictures.source(name)
    assert module.__doc__.startswith(f"Chapter {name[:2]}: ")
    assert "It must say: " in module.__doc__.replace("\n", " ")
    assert len(module.ALTERNATIVE.split()) >= 8


@each_picture
def test_it_holds_only_pixels(name):
    png = base64.b64decode(bake_pictures.drawn(name))
    assert bake_notebooks.bare_png(png) == png


# The palette


@pytest.mark.parametrize("hue", ink.HUES, ids=lambda hue: hue.meaning)
def test_borders_are_seen_on_the_card_and_words_on_every_filling(hue):
    assert ink.contrast(hue.line, ink.PAPER) >= 3  # WCAG 2.2, 1.4.11
    assert ink.contrast(ink.INK, hue.fill) >= 4.5
    assert ink.contrast(ink.QUIET, hue.fill) >= 4.5


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_colours_stay_apart_for_every_kind_of_colour_vision(vision):
    for one, other in itertools.combinations(ink.HUES, 2):
        difference = zip(seen(one.line, vision), seen(other.line, vision), strict=True)
        assert sum((a - b) ** 2 for a, b in difference) ** 0.5 > 0.15, (one.meaning, other.meaning)


def seen(colour, vision):
    """A colour as somebody with this kind of colour vision sees it: red, green and blue from 0 to 1, as displayed."""
    light = [ink.linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5)]
    mixed = [sum(weight * channel for weight, channel in zip(row, light, strict=True)) for row in COLOUR_VISION[vision]]
    return [min(max(channel, 0), 1) ** (1 / 2.2) for channel in mixed]


# The eye that looks at the layout


def faults_of(*draw):
    page = ink.Sheet(300, "A title")
    for step in draw:
        step(page)
    return " ".join(page.faults())


def test_a_careful_eye_sees_each_kind_of_fault():
    assert faults_of(lambda page: page.box(40, 80, 200, 60, ink.YOURS, "fits")) == ""
    assert "overlaps" in faults_of(lambda page: page.text(40, 100, "one"), lambda page: page.text(45, 104, "two"))
    assert "edge of the card" in faults_of(lambda page: page.text(860, 100, "too far to the right"))
    assert "edge of a box" in faults_of(lambda page: page.box(40, 80, 60, 40, ink.YOURS, "much too long"))
    assert "line runs" in faults_of(
        lambda page: page.text(100, 100, "in the way"),
        lambda page: page.arrow((40, 100), (300, 100), word="in the way"),
    )


# The bake


PICTURE = "05_time.png"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Makes a course of one chapter, 05, with a picture cell of the given source; returns its file."""

    def make(source, attachments=None):
        cell = nbformat.v4.new_markdown_cell(source, id="picture")
        if attachments:
            cell.attachments = attachments
        text = nbformat.v4.new_markdown_cell("Ça reste tel quel.", id="text")
        notebook = nbformat.v4.new_notebook(cells=[text, cell, nbformat.v4.new_code_cell("1 + 1", id="sum")])
        file = tmp_path / "05_acquire_token.ipynb"
        file.write_text(nbformat.writes(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
        monkeypatch.setattr(bake_pictures, "CHAPTERS", [file])
        return file

    return make


def test_the_bake_adds_the_picture_and_leaves_every_other_byte(course):
    file = course(f"![a line of time](attachment:{PICTURE})\n\nThe cache answers.")
    before = file.read_text(encoding="utf-8")
    assert bake_pictures.main([]) == 0
    after = file.read_text(encoding="utf-8")
    notebook = json.loads(after)
    png = notebook["cells"][1].pop("attachments")[PICTURE]["image/png"]
    assert png == bake_pictures.drawn(PICTURE)
    assert json.dumps(notebook, indent=1, ensure_ascii=False) + "\n" == before
    assert (
        nbformat.writes(nbformat.read(file, 4), indent=1, ensure_ascii=False) + "\n" == after
    )  # one form for both bakes


def test_a_second_bake_changes_nothing_and_a_check_writes_nothing(course):
    file = course(f"![a line of time](attachment:{PICTURE})")
    before = file.read_bytes()
    assert bake_pictures.main(["--check"]) == 1
    assert file.read_bytes() == before
    bake_pictures.main([])
    baked = file.read_bytes()
    assert bake_pictures.main(["--check"]) == 0
    assert bake_pictures.main([]) == 0
    assert file.read_bytes() == baked != before


@pytest.mark.parametrize("stale", ["04_token.png", None], ids=["another picture", "no longer referred to"])
def test_a_stale_attachment_is_replaced(course, stale):
    old = {PICTURE: {"image/png": bake_pictures.drawn(stale)}} if stale else {"old.png": {"image/png": "eA=="}}
    file = course(f"![a line of time](attachment:{PICTURE})", old)
    assert bake_pictures.main(["--check"]) == 1
    assert bake_pictures.main([]) == 0
    assert list(read(file).cells[1].attachments) == [PICTURE]
    assert read(file).cells[1].attachments[PICTURE]["image/png"] == bake_pictures.drawn(PICTURE)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (f"![](attachment:{PICTURE})", "has no alternative text"),
        (f"![time](attachment:{PICTURE}) ![a](attachment:05_nothing.png)", "05_nothing.png has no source"),
        (f'![time](attachment:{PICTURE}) <img src="attachment:{PICTURE}">', "is not written as"),
        ("No picture at all.", f"no cell refers to {PICTURE}"),
    ],
)
@pytest.mark.parametrize("arguments", [[], ["--check"]], ids=["bake", "check"])
def test_what_no_bake_can_put_right_is_said(course, capsys, source, complaint, arguments):
    course(source)
    bake_pictures.main([])
    capsys.readouterr()
    assert bake_pictures.main(arguments) == 1
    assert re.search(rf"^05_acquire_token: .*{re.escape(complaint)}", capsys.readouterr().out, re.MULTILINE)


def test_the_bake_of_the_outputs_keeps_the_attachments(course):
    file = course(f"![a line of time](attachment:{PICTURE})")
    bake_pictures.main([])
    stored, fresh = read(file), read(file)
    bake_notebooks.tidy(fresh, stored)
    assert fresh.cells[1] == stored.cells[1]
    assert fresh.cells[1].attachments[PICTURE]["image/png"] == bake_pictures.drawn(PICTURE)


def test_the_bake_of_the_outputs_keeps_what_a_chart_is_called_in_words(course):
    stored = read(course(f"![a line of time](attachment:{PICTURE})"))
    stored.cells[2].metadata = nbformat.from_dict({"alt": "a bar for each year", "trusted": True})
    fresh = copy.deepcopy(stored)
    bake_notebooks.tidy(fresh, stored)
    assert fresh.cells[2].metadata == {"alt": "a bar for each year"}
