"""Chapter 03: what is in a client assertion, and what Entra ID asks of each part.

It must say: the assertion has a header, claims and a signature; MSAL writes and signs it on your machine, where nothing
is checked; Entra ID asks five questions, each with its own answer when it fails.
"""

from ink import CARE, ENTRA, MARGIN, WIDTH, YOURS, Sheet

ALTERNATIVE = (
    "A client assertion has three parts. The header names the certificate, the claims say for whom it is, who signs "
    "and until when, and the signature comes from the private key. Entra ID puts one question to each, and each has an "
    "error number of its own when the answer is no."
)

PARTS = (
    ("header", "names the certificate", (("x5t#S256", "Is this certificate registered?", "700027, key not found"),)),
    (
        "claims",
        "for whom, by whom, until when",
        (
            ("aud", "Is it meant for this address?", "700023"),
            ("iss, sub", "Are both the client id?", "700021"),
            ("exp", "Is it in time? It lasts ten minutes.", "700024"),
        ),
    ),
    ("signature", "by the private key", (("PS256", "Does the certificate fit it?", "700027, use of the key failed"),)),
)


def draw() -> Sheet:
    sheet = Sheet(480, "A client assertion, and who checks what")
    sheet.box(MARGIN, 60, 318, 58, YOURS, "MSAL writes and signs it", "on your machine; the key stays here")
    sheet.box(402, 60, 248, 58, ENTRA, "Entra ID checks it", "question by question")
    sheet.box(WIDTH - MARGIN - 210, 60, 210, 58, CARE, "If the answer is no", "the number after AADSTS")
    sheet.arrow((MARGIN + 321, 89), (399, 89), hue=YOURS, word="MSAL writes and signs it")
    y = 136
    for name, what, fields in PARTS:
        height = 46 + 38 * len(fields) - 12
        sheet.area(MARGIN, y, 318, height, YOURS)
        sheet.text(MARGIN + 16, y + 20, name, size=14, bold=True, behind=YOURS.fill)
        sheet.text(MARGIN + 302, y + 20, what, size=12, align="right", behind=YOURS.fill)
        for at, (field, question, number) in enumerate(fields):
            row = y + 52 + 36 * at
            sheet.text(MARGIN + 16, row, field, mono=True, size=13, behind=YOURS.fill)
            sheet.arrow((MARGIN + 321, row), (399, row), hue=ENTRA, word=question)
            sheet.text(412, row, question, size=13)
            sheet.box(WIDTH - MARGIN - 210, row - 15, 210, 30, CARE, number, size=11)
        y += height + 12
    return sheet
