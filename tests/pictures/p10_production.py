"""Chapter 10: the daemon among its neighbours, and what its exit code tells the scheduler.

It must say: the scheduler starts the daemon and reads one number; settings and key come from outside the program; the
old file stays whole until the new one is complete; only exit code 5 is worth another run.
"""

from ink import CARE, ENTRA, GRAPH, MARGIN, PLAIN, YOURS, Sheet

ALTERNATIVE = (
    "A scheduler starts graph_daemon.py, which takes its settings and the private key from outside, a token from "
    "Entra ID and users from Microsoft Graph, and replaces users.csv when the new file is complete. It ends with an "
    "exit code that says what helps: 0 is done, 5 is worth another run later, and 1 to 4 need a person."
)

CODES = (
    (0, "done", "the file is complete", ENTRA),
    (1, "a fault of the program", "a person reads the traceback", CARE),
    (2, "a setting, the key or a file", "a person corrects it", CARE),
    (3, "Entra ID gives no token", "a person looks at the app", CARE),
    (4, "Microsoft Graph refuses", "a person looks at consent", CARE),
    (5, "no good answer in time", "run it again later", YOURS),
)


def draw() -> Sheet:
    sheet = Sheet(568, "A night in production: one program, one number")
    sheet.box(MARGIN, 64, 190, 74, PLAIN, "Scheduler", "cron, systemd, a container")
    sheet.box(MARGIN, 184, 190, 74, CARE, "Settings and key", "secret, kept outside")
    sheet.box(330, 64, 200, 194, YOURS, "graph_daemon.py", "nobody is at the keyboard", mono=True)
    sheet.box(682, 64, 190, 54, ENTRA, "Entra ID")
    sheet.box(682, 134, 190, 54, GRAPH, "Microsoft Graph")
    sheet.box(682, 204, 190, 54, YOURS, "users.csv", "replaced when complete", mono=True)

    for y, word, hue in ((92, "starts", PLAIN), (230, "are read", CARE)):
        sheet.arrow((221, y), (327, y), hue=hue, word=word)
        sheet.text(274, y - 12, word, size=12, align="center")
    sheet.arrow((327, 122), (221, 122), hue=YOURS, word="exit code")
    sheet.text(274, 137, "exit code", size=12, align="center")
    for y, word, hue in ((91, "asks for a token", ENTRA), (161, "asks for users", GRAPH), (231, "writes", YOURS)):
        sheet.arrow((533, y), (679, y), hue=hue, word=word)
        sheet.text(606, y - 12, word, size=12, align="center")

    sheet.text(MARGIN, 298, "The exit code, and what helps", size=14, bold=True)
    for at, (code, meaning, helps, hue) in enumerate(CODES):
        y = 320 + 38 * at
        sheet.box(MARGIN, y, 44, 30, hue, str(code), size=14)
        sheet.text(92, y + 15, meaning)
        sheet.arrow((330, y + 15), (376, y + 15), hue=hue, word=helps)
        sheet.text(392, y + 15, helps)
    sheet.area(682, 320, 190, 220, PLAIN)
    sheet.text(698, 344, "Watch as well", size=14, bold=True, behind=PLAIN.fill)
    sheet.text(
        698,
        400,
        "A scheduler that is off\nsends no exit code:\nlook at the age of\nusers.csv.",
        size=12,
        behind=PLAIN.fill,
    )
    sheet.text(
        698, 488, "A certificate that ends\nsoon: each run warns\non standard error.", size=12, behind=PLAIN.fill
    )
    return sheet
