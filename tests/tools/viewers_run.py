"""Opens every chapter as it looks where nothing runs, and lets axe-core look for what a screen reader trips over.

    python tests/tools/viewers_run.py --axe FILE [--chromium FILE] [--screenshots FOLDER] [name ...]

There are four looks: nbconvert's page with JupyterLab's light and dark theme, its classic page, and a bare page without
scripts and styles whose HTML is cut down to what GitHub lets through. In each of them all pictures must be drawn and no
text may be lost. In the bare page everything that is folded must open with the keyboard alone. axe-core, whose
axe.min.js is named by --axe, must find nothing that the chapters have brought with them.
"""

import argparse
import html
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("support", "chapters", "tools")]

import bleach
from browser_run import CHROMIUM_FLAGS, chosen_chapters
from chapters import code_cells, read
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page, sync_playwright
from portal_run import RULES, axe_source

# What a viewer decides, and no chapter can: rules of axe-core → whose choice it is.
VIEWERS_OWN = {
    "link-in-text-block": "JupyterLab's themes underline a link only under the mouse",
    "target-size": "the theme gives a line its height",
    "empty-table-header": "pandas gives the column of the index no name; tests/chapters looks at our own tables",
}
# Parts of the page that are a viewer's or a library's own: selectors → whose they are.
NOT_OURS = {
    ".jp-InputPrompt, .jp-OutputPrompt": "nbconvert writes In [1] in a pale grey",
    "[class^=ansi]": "the theme colours the name of an exception",
    ".highlight": "Pygments colours code, and one of its colours is pale on grey",
}

# What GitHub lets through, from the allow list of its html-pipeline: elements, and attributes of every element.
ELEMENTS = re.findall(
    r"\w+",
    "a abbr b bdo blockquote br caption cite code dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 "
    "hr i img ins kbd li mark ol p picture pre q rp rt ruby s samp small source span strike strong sub summary sup "
    "table tbody td tfoot th thead time tr tt ul var wbr",
)
ATTRIBUTES = ("alt", "align", "colspan", "href", "id", "lang", "open", "rowspan", "src", "title")


@dataclass(frozen=True)
class Look:
    """One way of showing a notebook.

    Args:
        name: what it is called in messages.
        template: nbconvert's template.
        theme: JupyterLab's theme, for the template that has themes.
        bare: whether the page is cut down to what GitHub lets through.
        rules: what axe-core looks for. A theme changes nothing but colours, and those of the classic page are pale.
    """

    name: str
    template: str
    theme: str = "light"
    bare: bool = False
    rules: tuple[str, ...] = tuple(RULES)

    def page(self, chapter: Path) -> str:
        """The whole HTML page."""
        exporter = HTMLExporter(template_name=self.template, theme=self.theme)
        body, _ = exporter.from_filename(str(chapter))
        return bare_page(body, chapter.stem) if self.bare else body


LOOKS = [
    Look("light", "lab"),
    Look("dark", "lab", "dark", rules=("color-contrast",)),
    Look("classic", "classic", rules=()),
    Look("bare", "basic", bare=True),
]

# GitHub scrolls a wide block of code by itself, and so the bare page only wraps it.
FRAME = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>pre {{ white-space: pre-wrap; }}</style></head><body><main>{body}</main></body></html>"""

STATE = """() => {
    const folded = [...document.querySelectorAll('details')];
    folded.forEach(fold => { fold.open = true; });
    const state = {
        text: document.body.innerText,
        broken: [...document.images].filter(image => image.naturalWidth === 0).map(image => image.alt),
        pictures: document.images.length,
        tooWide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    };
    folded.forEach(fold => { fold.open = false; });
    return state;
}"""


def bare_page(body: str, title: str) -> str:
    """A page with the HTML that GitHub lets through: no scripts, no styles, no classes."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", body, flags=re.DOTALL | re.IGNORECASE)
    protocols = {*bleach.ALLOWED_PROTOCOLS, "data"}
    body = bleach.clean(body, tags=ELEMENTS, attributes={"*": ATTRIBUTES}, protocols=protocols, strip=True)
    return FRAME.format(title=html.escape(title), body=body)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--axe", type=Path, required=True, metavar="FILE", help="axe.min.js of the npm package")
    parser.add_argument("--screenshots", type=Path, metavar="FOLDER", help="where a picture of each look goes")
    options, chosen = chosen_chapters(parser, arguments)
    axe = axe_source(parser, options.axe)
    good = True
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(prefix="workbook-viewers-") as folder:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=CHROMIUM_FLAGS)
        for chapter in chosen:
            began = time.monotonic()
            problems = [
                f"{look.name}: {problem}"
                for look in LOOKS
                for problem in looked_at(browser, chapter, look, axe, Path(folder), options.screenshots)
            ]
            print(chapter.stem, f"({time.monotonic() - began:.0f} s):", "good" if not problems else "", flush=True)
            print(*(f"  {problem}\n" for problem in problems), sep="", end="", flush=True)
            good = good and not problems
        browser.close()
    return 0 if good else 1


def looked_at(
    browser: Browser, chapter: Path, look: Look, axe: str, folder: Path, screenshots: Path | None
) -> Iterator[str]:
    """What is wrong with one look of one chapter, one sentence each."""
    file = folder / f"{chapter.stem}-{look.name}.html"
    file.write_text(look.page(chapter), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.goto(file.as_uri(), wait_until="load")
    state = page.evaluate(STATE)
    yield from faults_of(chapter, state)
    if look.bare:  # no style and no script helps there
        yield from folds_that_stay_shut(page)
    page.evaluate("() => document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    if look.rules:
        yield from violations(page, axe, look.rules)
    if screenshots:
        picture = screenshots / look.name / f"{chapter.stem}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=picture, full_page=True)
    page.close()


def faults_of(chapter: Path, state: dict) -> Iterator[str]:
    """Pictures that are not drawn, text that is lost, and a page wider than its window."""
    expected = pictures_in(chapter)
    if state["pictures"] != expected:
        yield f"{state['pictures']} of {expected} pictures are there"
    yield from (f"a picture is not drawn: {alternative}" for alternative in state["broken"])
    shown = squeezed(state["text"])
    for cell in code_cells(read(chapter)):
        if squeezed(cell.source) not in shown:
            yield f"the code of cell {cell.id} is not shown whole"
        printed = [output.text for output in cell.outputs if output.output_type == "stream"]
        if any(squeezed(text) not in shown for text in printed):
            yield f"the output of cell {cell.id} is not shown whole"
    if state["tooWide"]:
        yield "the page is wider than its window"


def squeezed(text: str) -> str:
    """A text without blanks, as a page may break a line where it likes."""
    return re.sub(r"\s+", "", text)


def pictures_in(chapter: Path) -> int:
    """How many pictures a chapter shows in its text and in its outputs."""
    notebook = read(chapter)
    attached = sum(cell.source.count("](attachment:") for cell in notebook.cells if cell.cell_type == "markdown")
    return attached + sum("image/png" in output.get("data", {}) for c in code_cells(notebook) for output in c.outputs)


def folds_that_stay_shut(page: Page) -> Iterator[str]:
    """What does not unfold when the Tab key has reached it and Enter is pressed."""
    for summary in page.locator("summary").all():
        summary.focus()
        page.keyboard.press("Enter")
        if not summary.evaluate("summary => summary.parentElement.open"):
            yield f"it does not open with the keyboard: {summary.inner_text()}"


def violations(page: Page, axe: str, rules: tuple[str, ...]) -> Iterator[str]:
    """What axe-core finds in the page, but for what is the viewer's own."""
    options = {"runOnly": rules, "rules": {rule: {"enabled": False} for rule in VIEWERS_OWN if rules == tuple(RULES)}}
    context = {"include": [["html"]], "exclude": [[selector] for selector in NOT_OURS]}
    page.evaluate(axe)
    found = page.evaluate("async ([context, options]) => await axe.run(context, options)", [context, options])
    for violation in found["violations"]:
        for node in violation["nodes"]:
            yield f"{violation['id']}: {node['html'][:150]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
