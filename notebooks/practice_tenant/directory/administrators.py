"""Who may administer applications, and the people of the practice directory who do.

Sources: entra docs permissions-reference.md for the roles' template ids; grant-admin-consent.md and
delegate-app-roles.md for what each may do.
"""

from __future__ import annotations

from typing import NamedTuple

from .well_known import ADMINISTRATOR, Person

# Template ids of directory roles: the same in every tenant, and what stands in a token's `wids`.
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
CLOUD_APPLICATION_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7"
ORDINARY_USER = "b79fbf4d-3ef9-4689-8143-76b194e85509"  # in the `wids` of every member of a tenant

MANAGE_EVERY_APP = frozenset((GLOBAL_ADMINISTRATOR, APPLICATION_ADMINISTRATOR, CLOUD_APPLICATION_ADMINISTRATOR))
CONSENT_TO_EVERYTHING = frozenset((GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR))
CONSENT_EXCEPT_GRAPH_ROLES = frozenset((APPLICATION_ADMINISTRATOR, CLOUD_APPLICATION_ADMINISTRATOR))


class Acting(NamedTuple):
    """Somebody the portal can be used as.

    Args:
        key: how a page's address names them.
        title: their part, as Microsoft calls it.
        person: an account of data/people.jsonl.
        roles: template ids of their directory roles.
        may: one sentence about what they may do.
    """

    key: str
    title: str
    person: Person
    roles: tuple[str, ...]
    may: str

    @property
    def consents(self) -> bool:
        """Whether they may give admin consent to anything at all."""
        return not (CONSENT_TO_EVERYTHING | CONSENT_EXCEPT_GRAPH_ROLES).isdisjoint(self.roles)


EVERYBODY_WHO_ACTS = (
    Acting(
        "administrator",
        "Global Administrator",
        ADMINISTRATOR,
        (GLOBAL_ADMINISTRATOR,),
        "may do everything",
    ),
    Acting(
        "developer",
        "Developer without a role",
        Person("c4805f88-eb33-4439-adf9-30b08041671f", "Lucía Ramírez Ortega", "lucia.ramirez@contoso.example"),
        (),
        "may register apps and change the ones they own, and may not consent",
    ),
    Acting(
        "cloud-application-administrator",
        "Cloud Application Administrator",
        Person(
            "f529a507-579f-4d94-a98d-4ebc64fcaaa5",
            "Kai Uwe Ostermann (Admin)",
            "adm-kai.ostermann@contoso.onmicrosoft.example",
        ),
        (CLOUD_APPLICATION_ADMINISTRATOR,),
        "may manage every app, and consent to everything except Microsoft Graph's application permissions",
    ),
    Acting(
        "privileged-role-administrator",
        "Privileged Role Administrator",
        Person(
            "7dcc4cfb-2831-44c7-9451-4dc9ff7f7eb9",
            "Gareth Prosser (Admin)",
            "adm-gareth.prosser@contoso.onmicrosoft.example",
        ),
        (PRIVILEGED_ROLE_ADMINISTRATOR,),
        "may consent to everything, and change only the apps they own",
    ),
)
