"""Chapter 00: the whole road in one picture.

It must say: the daemon proves who it is to Entra ID and gets a token; it carries the token to Microsoft Graph and gets
users; the two services are asked one after the other, and the private key goes to neither.
"""

from ink import ENTRA, GRAPH, MARGIN, PLAIN, WIDTH, YOURS, Sheet

ALTERNATIVE = (
    "Your daemon signs a statement with its private key and sends it to Entra ID, which answers with an access token. "
    "The daemon takes the token to Microsoft Graph, which answers with users, page by page. "
    "They become a pandas DataFrame."
)


def draw() -> Sheet:
    sheet = Sheet(418, "The whole road: one proof, one token, one table")
    left, middle, right = MARGIN + 95, WIDTH / 2, WIDTH - MARGIN - 95
    for x, hue, name, what in (
        (left, ENTRA, "Entra ID", "who is this?"),
        (middle, YOURS, "Your daemon", "keeps the private key"),
        (right, GRAPH, "Microsoft Graph", "what may it read?"),
    ):
        sheet.box(x - 95, 64, 190, 60, hue, name, what)
        sheet.line((x, 124), (x, 330 if x == middle else 390), dashed=True)
    send(sheet, 1, middle, left, 172, "who I am, signed with my private key", YOURS)
    send(sheet, 2, left, middle, 218, "access token", ENTRA)
    send(sheet, 3, middle, right, 264, "GET /users, with the token", YOURS)
    send(sheet, 4, right, middle, 310, "users, page by page, as JSON", GRAPH)
    sheet.box(middle - 95, 330, 190, 60, PLAIN, "pandas DataFrame", "one row for each user")
    return sheet


def send(sheet: Sheet, number: int, start: float, end: float, y: float, words: str, hue) -> None:
    """A numbered message from one lifeline to another."""
    step = 1 if end > start else -1
    sheet.badge(start + 18 * step, y, number)
    sheet.arrow((start + 30 * step, y), (end - 3 * step, y), hue=hue, word=words)
    sheet.text((start + end) / 2 + 12 * step, y - 13, words, align="center")
