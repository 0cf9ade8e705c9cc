"""Chapter 08: the decision tree of a daemon's failures.

It must say: ask first who speaks. An exception comes from your own machine or the way to Entra ID, a dict with `error`
comes from Entra ID, a status other than 200 comes from Microsoft Graph. Each speaker then has a short list of causes.
"""

from ink import ENTRA, GRAPH, MARGIN, PLAIN, WIDTH, YOURS, Hue, Sheet

ALTERNATIVE = (
    "A decision tree that begins with the question who speaks. A Python exception comes from your machine or the way "
    "to Entra ID, a dict with error comes from Entra ID, and a status other than 200 comes from Microsoft Graph. Each "
    "branch ends in a few signs and what to look at for each."
)

BRANCHES = (
    (
        YOURS,
        "a Python exception",
        "your machine,\nor the way to Entra ID",
        (
            ("ValueError: password", "key file and its passphrase"),
            ("ValueError: authority", "tenant id and sign-in host"),
            ("ConnectionError, SSLError", "network, proxy, trusted roots"),
            ("JSONDecodeError", "throttled with 429: wait"),
            ("MsalServiceError", "Entra ID has a fault: wait"),
        ),
    ),
    (
        ENTRA,
        "a dict with error",
        "Entra ID has looked,\nand refuses",
        (
            ("unauthorized_client", "the app: its id, switched off?"),
            ("invalid_client", "the proof: certificate, secret"),
            (" with 700024", "your clock"),
            (" with 7000229", "no service principal yet"),
            ("invalid_scope", "what was asked for"),
        ),
    ),
    (
        GRAPH,
        "a status, not 200",
        "the token is there,\nMicrosoft Graph refuses",
        (
            ("400", "the query: read the message"),
            ("401", "expired, or for another API"),
            ("403", "roles in the token, consent"),
            ("429, 503, 504", "wait as Retry-After says"),
        ),
    ),
)

HEAD, LEAF, BREAK = 64, 38, 22  # pixels: above the first leaf, from one to the next, and more between branches


def draw() -> Sheet:
    sheet = Sheet(662, "First question: who speaks?")
    centre = HEAD + LEAF * 7.5 - 4 + BREAK  # of the branch in the middle
    root = sheet.box(MARGIN, centre - 44, 126, 88, PLAIN, "Who speaks?", "look at what\nyou hold")
    y = HEAD
    for hue, sign, speaker, leaves in BRANCHES:
        height = len(leaves) * LEAF - 8
        middle = y + height / 2
        sheet.arrow((root.right, root.middle[1]), (180, root.middle[1]), (180, middle), (213, middle), word=sign)
        branch = sheet.box(216, middle - 44, 206, 88, hue, sign, speaker)
        sheet.line((branch.right, middle), (446, middle))
        sheet.line((446, y + 15), (446, y + height - 15))
        for at, (mark, look) in enumerate(leaves):
            leaf(sheet, y + LEAF * at, hue, mark, look)
        y += height + 8 + BREAK
    return sheet


def leaf(sheet: Sheet, y: float, hue: Hue, mark: str, look: str) -> None:
    """What you see, and what to look at."""
    sheet.line((446, y + 15), (462, y + 15))
    sheet.area(462, y, WIDTH - MARGIN - 462, 30, hue)
    sheet.text(474, y + 15, mark, size=12, bold=True, mono=True, behind=hue.fill)
    sheet.text(668, y + 15, look, size=12, behind=hue.fill)
