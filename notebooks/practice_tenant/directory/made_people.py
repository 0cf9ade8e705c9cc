"""The people of the data folder, and made ones beyond them."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .administrators import EVERYBODY_WHO_ACTS
from .organisation import CONTOSO, Organisation, made_guid
from .well_known import ADMINISTRATOR

SIGN_IN_NAMES = {  # how the sign-in names of made people begin
    "mixed": "{given}.{family}.{number}",
    "numbers": "{number:07}",
    "prefix": "e{number:07}",
}
PEOPLE_FILE = Path(__file__).resolve().parents[3] / "data" / "people.jsonl"


def load_people(
    count: int | None = None,
    file: Path = PEOPLE_FILE,
    sign_in_names: str = "mixed",
    organisation: Organisation = CONTOSO,
) -> list[dict[str, Any]]:
    """The people of the data folder, and made ones beyond them, the same at every start.

    Args:
        count: how many users, at least one; None for just those in the file. A shorter list ends with the practice
            administrator, because somebody must be able to sign in.
        sign_in_names: a key of `SIGN_IN_NAMES`: names, employee numbers, or numbers behind a letter that all share.
        organisation: whose people; those in the file are Contoso's.

    Raises:
        ValueError: the file is missing or damaged; the text says what to do.
    """
    try:
        lines = organisation.renamed(file.read_text(encoding="utf-8")).splitlines()
        people = [json.loads(line) for line in lines if line.strip()]
        if not all(person["id"] and person["userPrincipalName"] for person in people):
            raise ValueError("somebody has no id or no name")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"The people cannot be read from {file}: restore it with 'git checkout data'.") from error
    if organisation is not CONTOSO:
        people = _people_elsewhere(people, organisation)
    if count is None:
        return people
    if count <= len(people):
        return _shortened(people, count, organisation.id_of(ADMINISTRATOR.id))
    gc.disable()  # none of the many small objects made here is garbage; looking for some takes half the time
    try:
        return people + list(_made_people(people, count - len(people), SIGN_IN_NAMES[sign_in_names], organisation))
    finally:
        gc.enable()


def _shortened(people: list[dict[str, Any]], count: int, administrator_id: str) -> list[dict[str, Any]]:
    """The first people of the list. When the administrator is not among them, the last one gives way."""
    first = people[:count]
    if any(person["id"] == administrator_id for person in first):
        return first
    return first[:-1] + [person for person in people if person["id"] == administrator_id]


def _people_elsewhere(people: list[dict[str, Any]], organisation: Organisation) -> list[dict[str, Any]]:
    """The people of another organisation: the places of Contoso's chart, taken by others, in an order of its own.

    Who is no named member keeps name and address but for the organisation's own: guests (the same consultant is a guest
    of many organisations), rooms, accounts of services. So do those whom the portal can be used as.

    Args:
        people: Contoso's, already renamed.
    """
    patterns = {person["id"]: _Pattern(person) for person in people if _is_named_member(person)}
    countries = _by_country(list(patterns.values()))
    kept = {one.person.id for one in EVERYBODY_WHO_ACTS}
    moved = []
    for number, person in enumerate(people):
        pattern = patterns.get(person["id"])
        if pattern and person["id"] not in kept:
            given, family = _names_elsewhere(pattern, countries, organisation)
            other = _made_person(number, pattern, given, family, SIGN_IN_NAMES["mixed"], organisation)
        else:
            other = person.copy()
        other["id"] = organisation.id_of(person["id"])
        if "manager" in person:
            other["manager"] = organisation.id_of(person["manager"])
        moved.append(other)
    return sorted(moved, key=lambda person: str(person["id"]))  # ids are digests: as good as shuffled


class _Pattern:
    """A person of the file as those made after them need it; worked out once, used hundreds of times.

    Args:
        person: the person in the file.

    Attributes:
        shared: what is not theirs alone.
        given, surname: their names.
        first, last: the names in their sign-in name.
        named: their display name, with gaps for the two names: given name or surname first, with or without a space.
    """

    def __init__(self, person: dict[str, Any]) -> None:
        self.shared = {name: value for name, value in person.items() if name not in _ONE_OF_A_KIND}
        self.given, self.surname = person["givenName"], person["surname"]
        names = str(person["userPrincipalName"]).partition("@")[0].split(".")
        self.first, self.last = names[0], names[-1]
        shown = person["displayName"]
        gap = " " if " " in shown else ""
        self.named = f"{{1}}{gap}{{0}}" if shown.startswith(self.surname) else f"{{0}}{gap}{{1}}"


_ONE_OF_A_KIND = frozenset({"proxyAddresses", "otherMails", "onPremisesImmutableId", "onPremisesSamAccountName"})


def _made_people(
    people: list[dict[str, Any]], count: int, names: str, organisation: Organisation
) -> Iterator[dict[str, Any]]:
    """Employees beyond the file: a colleague's place in the organisation with names from the same country."""
    patterns = [_Pattern(person) for person in people if _is_named_member(person)]
    countries = _by_country(patterns)
    for number in range(count):
        pattern = patterns[number % len(patterns)]
        given, family = _names_for(number, pattern, countries, len(patterns), organisation)
        person = _made_person(number, pattern, given, family, names, organisation)
        person["id"] = organisation.id_of(made_guid(f"practice person {number}"))
        yield person


def _is_named_member(person: dict[str, Any]) -> bool:
    return bool(person.get("userType") == "Member" and person.get("givenName") and person.get("surname"))


def _by_country(patterns: list[_Pattern]) -> dict[str, list[_Pattern]]:
    countries: dict[str, list[_Pattern]] = {}
    for pattern in patterns:
        countries.setdefault(pattern.shared.get("country", ""), []).append(pattern)
    return countries


def _names_elsewhere(
    pattern: _Pattern, countries: dict[str, list[_Pattern]], organisation: Organisation
) -> tuple[_Pattern, _Pattern]:
    """Two people of the same country, each pair once: all are moved by one step, and surnames by another one."""
    compatriots = countries[pattern.shared.get("country", "")]
    place, count = compatriots.index(pattern) + organisation.shift, len(compatriots)
    apart = 1 + organisation.shift // count % max(count - 1, 1)
    return compatriots[place % count], compatriots[(place + apart) % count]


def _names_for(
    number: int, pattern: _Pattern, countries: dict[str, list[_Pattern]], count: int, organisation: Organisation
) -> tuple[_Pattern, _Pattern]:
    """Two people of the same country, the first for the given name and the second for the surname."""
    compatriots = countries[pattern.shared.get("country", "")]
    # Two strides that share no factor with each other walk through the pairs of names in a mixed order.
    given = compatriots[(number * 31 + 7 + organisation.shift) % len(compatriots)]
    family = compatriots[(number // count * 17 + number) % len(compatriots)]
    return given, family


def _made_person(
    number: int, pattern: _Pattern, given: _Pattern, family: _Pattern, names: str, organisation: Organisation
) -> dict[str, Any]:
    """A person without an id of their own."""
    local = names.format(given=given.first, family=family.last, number=number)
    address = f"{local}@{organisation.domain}"
    person = pattern.shared.copy()
    person["givenName"] = given.given
    person["surname"] = family.surname
    person["displayName"] = pattern.named.format(given.given, family.surname)
    person["userPrincipalName"] = address
    person["mailNickname"] = local
    if "mail" in person:
        person["mail"] = address
    if "employeeId" in person:
        person["employeeId"] = f"E{200000 + number}"
    return person
