"""Chapter 09: two orders of a rotation, drawn over time.

It must say: PATCH replaces the whole collection of certificates, so the new one alone throws the old one out; the
running process hides this until its token ends; in the right order both are registered while the daemon changes over.
"""

from ink import CARE, ENTRA, MARGIN, WIDTH, YOURS, Hue, Sheet

ALTERNATIVE = (
    "Two rotations over time. In the wrong order the new certificate replaces the old one at once, while the daemon "
    "still signs with the old key. Its token hides this for up to an hour, and then come requests that fail with "
    "700027. In the right order both certificates are registered until the daemon signs with the new key."
)

START, END = 190, WIDTH - MARGIN


def draw() -> Sheet:
    sheet = Sheet(586, "Replacing a certificate: the order decides")
    sheet.text(MARGIN, 76, "The wrong order", size=14, bold=True)
    names(sheet, 94, "Entra ID knows", "daemon signs with", "tokens")
    bar(sheet, 94, START, 360, ENTRA, "old certificate")
    bar(sheet, 94, 360, END, ENTRA, "new certificate alone: the list was replaced")
    bar(sheet, 136, START, 740, YOURS, "old key")
    bar(sheet, 136, 740, END, YOURS, "new key")
    bar(sheet, 178, START, 360, ENTRA, "good")
    bar(sheet, 178, 360, 540, ENTRA, "the last one, still good")
    bar(sheet, 178, 540, 740, CARE, "refused: 700027")
    bar(sheet, 178, 740, END, ENTRA, "a new token")

    sheet.text(360, 232, "the daemon does not notice for up to an hour", size=12)

    sheet.text(MARGIN, 268, "The right order", size=14, bold=True)
    names(sheet, 286, "Entra ID knows", "", "daemon signs with", "tokens")
    bar(sheet, 286, START, 700, ENTRA, "old certificate")
    bar(sheet, 328, 360, END, ENTRA, "new certificate, added beside the old one")
    bar(sheet, 370, START, 530, YOURS, "old key")
    bar(sheet, 370, 530, END, YOURS, "new key")
    bar(sheet, 412, START, END, ENTRA, "good all the while, not one request refused")
    for x, number in ((360, 1), (530, 2), (700, 3)):
        sheet.badge(x, 472, number)
        sheet.line((x, 448), (x, 460))
    for x, words in (
        (360, "upload the new one\nbeside the old one"),
        (530, "start the daemon\nwith the new key"),
        (700, "take the old\none away"),
    ):
        sheet.text(x, 510, words, size=12, align="center")
    sheet.line((START, 552), (END, 552))
    sheet.arrow((END - 2, 552), (END, 552), word="time")
    sheet.text(MARGIN, 552, "time", bold=True)
    return sheet


def names(sheet: Sheet, y: float, *rows: str) -> None:
    """What each row shows, at its left."""
    for at, words in enumerate(rows):
        if words:
            sheet.text(MARGIN, y + 42 * at + 17, words)


def bar(sheet: Sheet, y: float, begin: float, end: float, hue: Hue, words: str) -> None:
    """A stretch of time in which something holds."""
    made = sheet.band(begin, y, end - begin, 34, hue)
    sheet.text(*made.middle, words, size=12, align="center", behind=hue.fill)
