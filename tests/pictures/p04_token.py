"""Chapter 04: three tokens for the same API, and what Graph does with each.

It must say: a daemon asks for a resource, `/.default`; the token carries in `roles` what an administrator has granted,
and no `roles` at all when nothing was; a delegated permission comes with a person, in `scp`, and is no use to a daemon.
"""

from ink import CARE, ENTRA, GRAPH, MARGIN, PLAIN, QUIET, WIDTH, YOURS, Sheet

ALTERNATIVE = (
    "Three tokens side by side. With an application permission granted, the token has the claim roles and Graph "
    "answers 200. With nothing granted there is no roles claim and Graph answers 403. With a delegated permission, "
    "which takes a person who signs in, the claim is scp and the person's own rights are the limit."
)

ROWS = (
    (
        "Application permission, granted",
        ("Your daemon", "asks for …/.default", YOURS),
        ('"idtyp": "app"\n"roles": ["User.Read.All"]', "what an administrator granted"),
        ("200: every user", "the role is there", GRAPH),
    ),
    (
        "Application permission, not granted",
        ("Your daemon", "asks for …/.default", YOURS),
        ('"idtyp": "app"', "no claim roles, not even an empty one"),
        ("403: refused", "no role, no users", CARE),
    ),
    (
        "Delegated permission, for comparison",
        ("A person signs in", "no daemon can do that", PLAIN),
        ('"idtyp": "user"\n"scp": "User.Read.All"', "what the app may do for this person"),
        ("200: some or all", "as far as the person may", GRAPH),
    ),
)


def draw() -> Sheet:
    sheet = Sheet(526, "The same API, three tokens")
    for x, words in ((MARGIN, "Who asks"), (306, "What is in the token"), (672, "What Microsoft Graph answers")):
        sheet.text(x, 70, words, size=13, colour=QUIET)
    for row, (name, (who, asks, hue), (claims, meaning), (answer, why, answer_hue)) in enumerate(ROWS):
        y = 90 + 144 * row
        sheet.text(MARGIN, y + 12, name, size=14, bold=True)
        sheet.box(MARGIN, y + 30, 200, 88, hue, who, asks)
        sheet.arrow((MARGIN + 203, y + 74), (303, y + 74), hue=hue, word=asks)
        sheet.area(306, y + 30, 288, 88, ENTRA)
        sheet.text(322, y + 60, claims, size=13, mono=True, behind=ENTRA.fill)
        sheet.text(322, y + 100, meaning, size=12, behind=ENTRA.fill)
        sheet.arrow((597, y + 74), (669, y + 74), hue=ENTRA, word="token")
        sheet.text(633, y + 60, "token", size=12, align="center")
        sheet.box(672, y + 30, WIDTH - MARGIN - 672, 88, answer_hue, answer, why)
    return sheet
