"""Chapter 01: four files, what is in each, and where each goes.

It must say: a format is an envelope, and the same key or certificate may lie in several; everything that holds the
private key stays with the daemon; server.crt is the file to upload.
"""

from ink import CARE, ENTRA, MARGIN, PLAIN, YOURS, Hue, Sheet

ALTERNATIVE = (
    "Four files as envelopes. server.pem holds the private key and server.pfx the private key with the certificate: "
    "both are secret and stay with your daemon. server.crt holds the certificate alone and is the one file to upload "
    "to Entra ID. server.cer holds the same certificate as DER bytes."
)

SIDE = 192  # pixels: the width of an envelope
STEP = 217  # from one envelope to the next


def draw() -> Sheet:
    sheet = Sheet(452, "Three kinds of envelope, and which file goes where")
    envelope(sheet, 0, "server.pem", "PEM, base64 text", CARE, ["private key"])
    envelope(sheet, 1, "server.pfx", "PFX, one encrypted file", CARE, ["private key", "certificate"])
    envelope(sheet, 2, "server.crt", "PEM, base64 text", ENTRA, ["certificate"])
    envelope(sheet, 3, "server.cer", "DER, plain bytes", ENTRA, ["certificate"])
    for column, words in enumerate(["stays here", "stays here", "you upload it", "where DER\nis wanted"]):
        centre = MARGIN + STEP * column + SIDE / 2 - 0.5
        hue = YOURS if column < 2 else (ENTRA if column == 2 else PLAIN)
        sheet.arrow((centre, 279), (centre, 349), hue=hue, word=words, dashed=column == 3)
        sheet.text(centre + 12, 312, words, size=12)
    sheet.box(MARGIN, 352, STEP + SIDE, 68, YOURS, "Your daemon", "secret: the private key is in both files")
    sheet.box(MARGIN + 2 * STEP, 352, SIDE, 68, ENTRA, "Entra ID", "to check your signature")
    sheet.box(MARGIN + 3 * STEP, 352, SIDE, 68, PLAIN, "Other tools", "the same certificate")
    return sheet


def envelope(sheet: Sheet, column: int, name: str, kind: str, hue: Hue, letters: list[str]) -> None:
    """An envelope with the letters that lie in it looking out at its top."""
    x = MARGIN + STEP * column
    for at, letter in enumerate(letters):
        secret = letter == "private key"
        y = 142 - 36 * (len(letters) - at)
        sheet.box(x + 18, y, SIDE - 36, 28, CARE if secret else ENTRA, letter, size=13)
    sheet.envelope(x, 148, SIDE, 130, hue, name, kind)
