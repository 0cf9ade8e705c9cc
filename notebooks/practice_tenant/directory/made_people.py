"""The people of the data folder, and made ones beyond them."""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .well_known import ADMINISTRATOR, DOMAIN

SIGN_IN_NAMES = {  # how the sign-in names of made people begin
    "mixed": "{given}.{family}.{number}",
    "numbers": "{number:07}",
    "prefix": "e{number:07}",
}
PEOPLE_FILE = Path(__file__).resolve().parents[3] / "data" / "people.jsonl"


def load_people(
    count: int | None = None, file: Path = PEOPLE_FILE, sign_in_names: str = "mixed"
) -> list[dict[str, Any]]:
    """The people of the data folder, and made ones beyond them, the same at every start.

    Args:
        count: how many users, at least one; None for just those in the file. A shorter list ends with the practice
            administrator, because somebody must be able to sign in.
        sign_in_names: a key of `SIGN_IN_NAMES`: names, employee numbers, or numbers behind a letter that all share.

    Raises:
        ValueError: the file is missing or damaged; the text says what to do.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        people = [json.loads(line) for line in lines if line.strip()]
        if not all(person["id"] and person["userPrincipalName"] for person in people):
            raise ValueError("somebody has no id or no name")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"The people cannot be read from {file}: restore it with 'git checkout data'.") from error
    if count is None:
        return people
    if count <= len(people):
        return _shortened(people, count)
    gc.disable()  # none of the many small objects made here is garbage; looking for some takes half the time
    try:
        return people + list(_made_people(people, count - len(people), SIGN_IN_NAMES[sign_in_names]))
    finally:
        gc.enable()


def _shortened(people: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The first people of the list. When the administrator is not among them, the last one gives way."""
    first = people[:count]
    if any(person["id"] == ADMINISTRATOR.id for person in first):
        return first
    return first[:-1] + [person for person in people if person["id"] == ADMINISTRATOR.id]


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


def _made_people(people: list[dict[str, Any]], count: int, names: str) -> Iterator[dict[str, Any]]:
    """Employees beyond the file: a colleague's place in the organisation with names from the same country."""
    members = [p for p in people if p.get("userType") == "Member" and p.get("givenName") and p.get("surname")]
    patterns = [_Pattern(member) for member in members]
    countries: dict[str, list[_Pattern]] = {}
    for pattern in patterns:
        countries.setdefault(pattern.shared.get("country", ""), []).append(pattern)
    for number in range(count):
        pattern = patterns[number % len(patterns)]
        compatriots = countries[pattern.shared.get("country", "")]
        # Two strides that share no factor with each other walk through the pairs of names in a mixed order.
        given = compatriots[(number * 31 + 7) % len(compatriots)]
        family = compatriots[(number // len(patterns) * 17 + number) % len(compatriots)]
        yield _made_person(number, pattern, given, family, names)


def _made_person(number: int, pattern: _Pattern, given: _Pattern, family: _Pattern, names: str) -> dict[str, Any]:
    local = names.format(given=given.first, family=family.last, number=number)
    address = f"{local}@{DOMAIN}"
    person = pattern.shared.copy()
    person["id"] = _made_id(number)
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


def _made_id(number: int) -> str:
    """The same random-looking GUID for the same number: a digest, with version 4 and its variant (RFC 9562, 5.4)."""
    digest = hashlib.sha256(f"practice person {number}".encode()).hexdigest()
    variant = "89ab"[int(digest[16], base=16) % 4]
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
