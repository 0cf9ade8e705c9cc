"""The repository's prose, cut so that tests can ask simple questions of it."""

import re
from pathlib import Path

from chapters import CHAPTERS, ROOT, known

READMES = [
    ROOT / "README.md",
    ROOT / "data" / "README.md",
    ROOT / "notebooks" / "practice_tenant" / "README.md",
    ROOT / "tests" / "README.md",
    ROOT / "tests" / "instructors" / "README.md",
]
DOCUMENTS = [*READMES, *CHAPTERS]


def markdown(document: Path) -> str:
    """The Markdown text of a document: the whole of an .md file, the Markdown cells of a notebook."""
    if document.suffix == ".md":
        return document.read_text(encoding="utf-8")
    return "\n\n".join(cell.source for cell in known(document).cells if cell.cell_type == "markdown")


def without_blocks(text: str) -> str:
    """The text without its fenced code blocks, pictures in mermaid included."""
    return re.sub(r"^( *)(```|~~~).*?^ *\2 *$", "", text, flags=re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """What a reader reads as sentences: no code, no addresses, no HTML tags."""
    text = re.sub(r"<!--.*?-->", "", without_blocks(text), flags=re.DOTALL)
    text = re.sub(r"``.+?``|`[^`]+`", "", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"</?\w[^>]*>", "", text)


def links(text: str) -> list[str]:
    """The targets of all links and pictures in a Markdown text."""
    text = re.sub(r"``.+?``|`[^`]+`", "code", without_blocks(text))
    return re.findall(r"\]\(<?([^)\s>]+)", text) + re.findall(r'(?:href|src)="([^"]+)"', text)


def named_links(text: str) -> list[tuple[str, str]]:
    """The texts and targets of all links in a Markdown text, pictures left out; code in a text loses nothing."""
    return re.findall(r"(?<!!)\[([^\]]*)\]\(<?([^)\s>]+)>?\)", without_blocks(text))


def headings(text: str) -> list[tuple[int, str]]:
    """The level and the title of every heading of a Markdown text, in order."""
    found = re.findall(r"^(#+) +(.*?) *#*$", without_blocks(text), flags=re.MULTILINE)
    return [(len(marks), title) for marks, title in found]


def anchors(document: Path) -> set[str]:
    """The anchors that the headings of a document make.

    JupyterLab and GitHub's view of notebooks only turn blanks into hyphens; GitHub's view of Markdown files also
    writes lower case and drops punctuation (github-slugger).
    """
    headings = re.findall(r"^#+ +(.+?) *#*$", without_blocks(markdown(document)), flags=re.MULTILINE)
    titles = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "") for heading in headings]
    if document.suffix == ".ipynb":
        return {title.replace(" ", "-") for title in titles}
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
