"""Which organisation the practice tenant is: Contoso, or one that a name makes, the same every time."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from .well_known import (
    APP_OBJECT_ID,
    CLIENT_ID,
    DOMAIN,
    INITIAL_DOMAIN,
    SERVICE_PRINCIPAL_ID,
    TENANT_CREATED,
    TENANT_ID,
    TENANT_NAME,
    Person,
)

CONTOSO_LABEL = "contoso"
LONGEST_LABEL = 40  # characters; a label of the domain name system may have 63 (RFC 1035, 2.3.4)
_LABEL = re.compile(rf"(?=.{{1,{LONGEST_LABEL}}}\Z)[a-z]([a-z0-9-]*[a-z0-9])?")
_YOUNGEST = 200_000_000  # seconds, a little more than six years: how much later than Contoso a tenant may be made


class Organisation(NamedTuple):
    """An organisation whose directory the practice tenant plays.

    Args:
        label: its name in small letters, as its domains begin.
        id: the tenant's id.
        name: its display name.
        domain, initial_domain: its two verified domains, the default one first.
        client_id, app_object_id, service_principal_id: ids of the app that the command line registers.
        created: Unix seconds.
        shift: how far the names of its people are moved among those of their country.
    """

    label: str
    id: str
    name: str
    domain: str
    initial_domain: str
    client_id: str
    app_object_id: str
    service_principal_id: str
    created: int
    shift: int

    def id_of(self, known: str) -> str:
        """The id in this tenant of what has the id `known` in Contoso's: a person, a service principal of Microsoft."""
        return known if self is CONTOSO else made_guid(f"{self.label} {known}")

    def person(self, known: Person) -> Person:
        """The account in this tenant of somebody who can sign in to Contoso's."""
        if self is CONTOSO:
            return known
        return Person(self.id_of(known.id), known.name, self.renamed(known.user_principal_name))

    def renamed(self, text: str) -> str:
        """A text about Contoso as a text about this organisation; a partner of this name becomes Contoso."""
        if self is CONTOSO:
            return text
        other = {CONTOSO_LABEL: self.label, self.label: CONTOSO_LABEL}

        def swapped(found: re.Match[str]) -> str:
            name = other[found[0].lower()]
            return _title(name) if found[0][0].isupper() else name

        return re.sub("|".join(map(re.escape, other)), swapped, text, flags=re.IGNORECASE)


CONTOSO = Organisation(
    CONTOSO_LABEL,
    TENANT_ID,
    TENANT_NAME,
    DOMAIN,
    INITIAL_DOMAIN,
    CLIENT_ID,
    APP_OBJECT_ID,
    SERVICE_PRINCIPAL_ID,
    TENANT_CREATED,
    0,
)


def organisation(name: str) -> Organisation:
    """The organisation of this name, the same every time.

    Args:
        name: letters, digits and hyphens as in a domain; capitals do not count. ``contoso`` is `CONTOSO`.

    Raises:
        ValueError: the name cannot begin a domain; one sentence that says what to do.
    """
    label = name.lower()
    if not _LABEL.fullmatch(label):
        raise ValueError(
            f"tenant '{name[:LONGEST_LABEL]}' cannot be a domain's name: take a letter first, then letters, digits and "
            f"hyphens, {LONGEST_LABEL} at most."
        )
    if label == CONTOSO_LABEL:
        return CONTOSO
    number = int(_digest(f"organisation {label}")[:12], base=16)
    return Organisation(
        label,
        made_guid(f"{label} tenant"),
        f"{_title(label)} Practice",
        f"{label}.example",
        f"{label}.onmicrosoft.example",
        made_guid(f"{label} client id"),
        made_guid(f"{label} application"),
        made_guid(f"{label} service principal"),
        TENANT_CREATED + number % _YOUNGEST,
        number,
    )


def made_guid(text: str) -> str:
    """The same random-looking GUID for the same text: a digest, with version 4 and its variant (RFC 9562, 5.4)."""
    digest = _digest(text)
    variant = "89ab"[int(digest[16], base=16) % 4]
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _title(label: str) -> str:
    return " ".join(part.capitalize() for part in label.split("-"))
