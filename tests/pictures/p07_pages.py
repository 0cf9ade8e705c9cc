"""Chapter 07: the same pages, one after another and side by side.

It must say: a page's link is in the page before it, so one chain cannot be hurried; questions that do not overlap and
leave nobody out can be asked at once; at the end three numbers have to agree.
"""

from ink import GRAPH, MARGIN, WIDTH, YOURS, Sheet

ALTERNATIVE = (
    "Two ways to read the same ten pages over time. Above, each page waits for the one before, because the link to it "
    "is in there. Below, four partitions by the first letter are read side by side, the rest included, and are done in "
    "less than half the time. Then the rows, the different ids and Graph's count are compared."
)

PAGE, GAP = 62, 6  # pixels: one page, and the space before the next
START = 176
PARTITIONS = (("a to f", 3), ("g to m", 2), ("n to z", 3), ("all the rest", 2))


def draw() -> Sheet:
    sheet = Sheet(484, "The same ten pages, in two orders")
    sheet.text(MARGIN, 76, "One after another: the link to each page is in the page before it", size=14, bold=True)
    sheet.text(MARGIN, 114, "everybody")
    for at in range(10):
        page(sheet, at, 96, f"page {at + 1}")

    sheet.text(MARGIN, 176, "Side by side: questions that do not overlap and leave nobody out", size=14, bold=True)
    for row, (name, pages) in enumerate(PARTITIONS):
        y = 196 + 44 * row
        sheet.text(MARGIN, y + 18, name)
        for at in range(pages):
            page(sheet, at, y, f"page {at + 1}")
    done = START + 3 * (PAGE + GAP)
    sheet.line((done + 4, 196), (done + 4, 388), dashed=True)
    sheet.text(done + 16, 214, "everything is here", bold=True)
    sheet.text(done + 16, 238, "in the time of three pages instead of ten", size=12)
    sheet.text(done + 16, 346, "“All the rest” is everybody whose name\nbegins with none of these letters.", size=12)

    sheet.line((START, 388), (WIDTH - MARGIN - 10, 388))
    sheet.arrow((WIDTH - MARGIN - 12, 388), (WIDTH - MARGIN, 388), word="time")
    sheet.text(MARGIN, 388, "time")
    sheet.box(
        MARGIN,
        416,
        WIDTH - 2 * MARGIN,
        40,
        YOURS,
        "Then three numbers agree: rows, different ids, and Graph's own $count",
        size=13,
    )
    return sheet


def page(sheet: Sheet, at: int, y: float, words: str) -> None:
    """One answer on the line of time."""
    made = sheet.band(START + at * (PAGE + GAP), y, PAGE, 36, GRAPH)
    sheet.text(*made.middle, words, size=12, align="center", behind=GRAPH.fill)
