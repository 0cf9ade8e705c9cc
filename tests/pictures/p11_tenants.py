"""Chapter 11: one app in several tenants.

It must say: the application is registered once, in its home tenant; each tenant has a service principal and a consent
of its own; the daemon asks each tenant's own address and gets a token that is good for this tenant alone.
"""

from ink import CARE, ENTRA, MARGIN, YOURS, Sheet

ALTERNATIVE = (
    "One application, registered in its home tenant, and three tenants that use it. Each has a service principal of "
    "its own. The daemon asks the address of each tenant and gets a token for this tenant alone. In the third nobody "
    "has consented, so there is no service principal and no token."
)


TENANTS = (
    ("Home tenant", "a service principal,\nan administrator agreed", "token 1", "good in this tenant only", ENTRA),
    (
        "Tenant of customer A",
        "a service principal,\nits administrator agreed",
        "token 2",
        "good in this tenant only",
        ENTRA,
    ),
    ("Tenant of customer B", "no service principal,\nnobody has agreed yet", "no token", "until somebody agrees", CARE),
)


def draw() -> Sheet:
    sheet = Sheet(440, "One app, several tenants, one token for each")
    daemon = sheet.box(MARGIN, 180, 190, 88, YOURS, "Your daemon", "one client id,\none private key")
    sheet.box(MARGIN, 316, 190, 88, ENTRA, "Application", "registered once,\nin the home tenant")
    sheet.arrow((123, 268), (123, 316), hue=ENTRA, word="same client id", head=False)
    sheet.text(135, 293, "same client id", size=12)
    for row, (tenant, what, token, use, hue) in enumerate(TENANTS):
        y = 64 + 116 * row
        middle = y + 44
        sheet.arrow(
            (221, daemon.middle[1]),
            (248, daemon.middle[1]),
            (248, middle),
            (379, middle),
            hue=YOURS,
            word="at its own address",
        )
        sheet.text(314, middle - 13, "at its own address", size=12, align="center")
        sheet.box(382, y, 236, 88, hue, tenant, what)
        sheet.arrow((621, middle), (675, middle), hue=hue, word=token)
        sheet.box(678, y, 194, 88, hue, token, use)
    return sheet
