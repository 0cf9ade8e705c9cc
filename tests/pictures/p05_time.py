"""Chapter 05: one hour of a token, and where each answer comes from.

It must say: while a token has more than five minutes left, MSAL answers from its cache; in the last five minutes it
asks Entra ID for a new one; the daemon's line of code is the same each time.
"""

from ink import ENTRA, MARGIN, YOURS, Sheet

ALTERNATIVE = (
    "A line of time in minutes. The daemon asks MSAL for a token six times. The first answer comes from Entra ID, the "
    "next three come from the cache. In the last five minutes of the first token's hour MSAL asks Entra ID again, and "
    "a second token begins, which answers the sixth time."
)

ZERO, MINUTE = 150, 5.9  # pixels: where minute 0 is, and the length of a minute


def at(minute: float) -> float:
    """Where a minute is on the line of time."""
    return ZERO + MINUTE * minute


def draw() -> Sheet:
    sheet = Sheet(362, "One line of code, two places the token comes from")
    sheet.text(MARGIN, 82, "first token", bold=True)
    token(sheet, 64, 0, 60)
    sheet.text(MARGIN, 152, "second token", bold=True)
    token(sheet, 134, 57, 117)
    sheet.arrow((at(0), 206), (at(0), 105), hue=ENTRA, word="a new token")
    sheet.text(at(0) + 12, 190, "a new token", size=12)
    sheet.arrow((at(57), 206), (at(57), 175), hue=ENTRA, word="a new token")
    sheet.text(at(57) + 12, 190, "a new token", size=12)

    sheet.text(MARGIN, 216, "your daemon\nasks MSAL", bold=True)
    sheet.line((at(0), 216), (at(120), 216))
    for minute in (0, 20, 40, 50, 57, 80):
        new = minute in (0, 57)
        sheet.dot(at(minute), 216, ENTRA if new else YOURS, hollow=not new)
    for minute in range(0, 121, 20):
        sheet.text(at(minute), 248, str(minute), size=12, align="center")
    sheet.text(MARGIN, 248, "minutes", size=12)

    for x, hue, hollow, words in (
        (MARGIN + 10, ENTRA, False, "Entra ID is asked: one request"),
        (330, YOURS, True, "MSAL's cache answers: no request"),
    ):
        sheet.dot(x, 296, hue, hollow=hollow)
        sheet.text(x + 18, 296, words)
    sheet.band(632, 286, 28, 20, ENTRA, hatched=True)
    sheet.text(670, 296, "last five minutes")
    sheet.text(
        MARGIN, 332, "In its last five minutes MSAL treats a token as expired. Graph would still take it.", size=12
    )
    return sheet


def token(sheet: Sheet, y: float, begin: float, end: float) -> None:
    """A token's life as a bar, with the last five minutes hatched."""
    sheet.band(at(begin), y, MINUTE * (end - 5 - begin), 36, ENTRA)
    sheet.text(at(begin) + 14, y + 18, "good, and answered from the cache", size=12, behind=ENTRA.fill)
    sheet.band(at(end - 5), y, MINUTE * 5, 36, ENTRA, hatched=True)
