"""The people of the data folder, and made ones beyond them."""

from __future__ import annotations

import gc
import hashlib
import json
import uuid
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


def _made_people(people: list[dict[str, Any]], count: int, names: str) -> Iterator[dict[str, Any]]:
    """Employees beyond the file: a colleague's place in the organisation with names from the same country."""
    patterns = [p for p in people if p.get("userType") == "Member" and p.get("givenName") and p.get("surname")]
    countries: dict[str, list[dict[str, Any]]] = {}
    for pattern in patterns:
        countries.setdefault(pattern.get("country", ""), []).append(pattern)
    for number in range(count):
        pattern = patterns[number % len(patterns)]
        compatriots = countries[pattern.get("country", "")]
        # Two strides that share no factor with each other walk through the pairs of names in a mixed order.
        given = compatriots[(number * 31 + 7) % len(compatriots)]
        family = compatriots[(number // len(patterns) * 17 + number) % len(compatriots)]
        yield _made_person(number, pattern, given, family, names)


def _made_person(
    number: int, pattern: dict[str, Any], given: dict[str, Any], family: dict[str, Any], names: str
) -> dict[str, Any]:
    local = names.format(given=_ascii_name(given, 0), family=_ascii_name(family, -1), number=number)
    address = f"{local}@{DOMAIN}"
    person = dict(pattern)
    person.update(
        id=_made_id(number),
        givenName=given["givenName"],
        surname=family["surname"],
        displayName=_display_name(pattern, given["givenName"], family["surname"]),
        userPrincipalName=address,
        mailNickname=local,
    )
    if "mail" in person:
        person["mail"] = address
    if "employeeId" in person:
        person["employeeId"] = f"E{200000 + number}"
    for one_of_a_kind in (
        "proxyAddresses",
        "otherMails",
        "onPremisesImmutableId",
        "onPremisesSamAccountName",
    ):
        person.pop(one_of_a_kind, None)
    return person


def _ascii_name(person: dict[str, Any], part: int) -> str:
    return str(person["userPrincipalName"]).partition("@")[0].split(".")[part]


def _display_name(pattern: dict[str, Any], given: str, family: str) -> str:
    """Given name first or surname first, with or without a space: as the pattern's own display name has it."""
    shown = pattern["displayName"]
    gap = " " if " " in shown else ""
    return f"{family}{gap}{given}" if shown.startswith(pattern["surname"]) else f"{given}{gap}{family}"


def _made_id(number: int) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(f"practice person {number}".encode()).digest()[:16], version=4))
