"""Chapter 02: the objects behind one registration, and the five GUIDs people mix up.

It must say: the application and its service principal share the client id and have object ids of their own; consent is
an app role assignment to the service principal; each of the five GUIDs has one place where it belongs.
"""

from ink import ENTRA, GRAPH, MARGIN, QUIET, WIDTH, YOURS, Sheet

ALTERNATIVE = (
    "In your tenant, the application and its service principal share the client id, and each has an object id of its "
    "own. An app role assignment joins the service principal to Microsoft Graph's service principal and one role. "
    "Tenant id and client id go into the daemon's settings; the other three ids are for calls about the registration."
)


USES = (
    ("tenant id", "your daemon's settings", "AZURE_TENANT_ID"),
    ("client id", "your daemon's settings", "AZURE_CLIENT_ID"),
    ("object id, application", "Graph calls about the registration", "/applications/{id}"),
    ("id of one certificate", "taking away this certificate, and no other", ""),
    ("object id, service principal", "consent, as principalId", "/servicePrincipals/{id}"),
)


def draw() -> Sheet:
    sheet = Sheet(622, "One registration, three objects, five ids")
    sheet.frame(MARGIN, 58, WIDTH - 2 * MARGIN, 352)
    sheet.badge(MARGIN + 26, 82, 1)
    sheet.text(MARGIN + 44, 82, "Your tenant: the tenant id", bold=True)

    record(sheet, 48, 102, 244, ENTRA, "Application", "the registration")
    for y, number, words in (
        (181, 2, "appId, the client id"),
        (209, 3, "id, its object id"),
        (237, 4, "keyId of a certificate"),
    ):
        numbered(sheet, 68, y, number, words, ENTRA.fill)

    record(sheet, 346, 102, 244, ENTRA, "Service principal", "the app as it acts in this tenant")
    numbered(sheet, 366, 181, 2, "appId, the same client id", ENTRA.fill)
    numbered(sheet, 366, 209, 5, "id, an object id of its own", ENTRA.fill)

    record(sheet, 644, 102, 208, GRAPH, "Microsoft Graph", "its service principal here")
    sheet.text(664, 181, "id, its object id", behind=GRAPH.fill)
    sheet.text(664, 209, "appRoles, each with an id", size=12, behind=GRAPH.fill)
    sheet.text(664, 237, "User.Read.All", mono=True, size=12, behind=GRAPH.fill)

    sheet.arrow((292, 181), (346, 181), hue=ENTRA, word="same", head=False)
    sheet.text(317, 166, "same", size=11, align="center")
    sheet.arrow((420, 260), (420, 301), hue=ENTRA, word="its id")
    sheet.text(432, 283, "its object id", size=12)
    sheet.arrow((690, 260), (690, 301), hue=GRAPH, word="its id")
    sheet.text(702, 283, "its id", size=12)
    sheet.arrow((784, 260), (784, 301), hue=GRAPH, word="role's id")
    sheet.text(796, 283, "role's id", size=12)

    sheet.area(346, 304, 506, 90, ENTRA)
    sheet.text(366, 325, "App role assignment: this is consent", size=14, bold=True, behind=ENTRA.fill)
    for x, title, words in (
        (366, "principalId", "who: number 5"),
        (650, "resourceId", "which API"),
        (750, "appRoleId", "which role"),
    ):
        sheet.text(x, 352, title, mono=True, size=12, bold=True, behind=ENTRA.fill)
        sheet.text(x, 374, words, size=12, behind=ENTRA.fill)
    sheet.text(
        48,
        350,
        "The application is kept in its home tenant.\nA service principal is in each tenant that\nuses the app.",
        size=12,
        colour=QUIET,
    )

    sheet.text(MARGIN, 440, "Which id goes where", size=14, bold=True)
    for row, (name, place, mono) in enumerate(USES):
        y = 471 + 28 * row
        sheet.badge(MARGIN + 11, y, row + 1)
        sheet.text(MARGIN + 32, y, name)
        sheet.arrow((296, y), (352, y), hue=YOURS if row < 2 else ENTRA, word=place)
        end = sheet.text(366, y, place).right
        if mono:
            sheet.text(end + 8, y, mono, size=12, mono=True)
    return sheet


def record(sheet: Sheet, x: float, y: float, width: float, hue, title: str, what: str) -> None:
    """An object of the directory: a box with its name and what it is; its ids are set into it."""
    sheet.area(x, y, width, 158, hue)
    sheet.text(x + 20, y + 22, title, size=15, bold=True, behind=hue.fill)
    sheet.text(x + 20, y + 45, what, size=12, behind=hue.fill)


def numbered(sheet: Sheet, x: float, y: float, number: int, words: str, behind: str) -> None:
    """An id: its number in a disc, and what it is called."""
    sheet.badge(x + 10, y, number)
    sheet.text(x + 30, y, words, behind=behind)
