"""The people of the practice directory, in a fixed order, and what happened to them since the start."""

from __future__ import annotations

import gc
import hashlib
import json
import uuid
from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice
from operator import methodcaller
from pathlib import Path
from typing import Any, NamedTuple

from .odata_sieve import Column, Names, Sieve, in_order
from .properties import read

PEOPLE_FILE = Path(__file__).resolve().parents[2] / "data" / "people.jsonl"
DOMAIN = "contoso.example"
MOST_COLUMNS, MOST_SEARCHES = 12, 64  # kept for the next request; each costs less than a megabyte


class Change(NamedTuple):
    """One entry of the change log that delta queries read.

    Attributes:
        user_id: who changed.
        names: the properties that got another value; None for a user that came, went or came back.
        previous: number of the same user's change before this one, 0 when there was none.
        former_manager: id of the manager before, when ``manager`` is among the names.
    """

    user_id: str
    names: frozenset[str] | None
    previous: int
    former_manager: str | None = None


class People:
    """The users of the directory, in a fixed order that never depends on how they are asked for.

    Every user has a place (a sequence number) that is never given to another, so "the page after place 4,711" costs
    the same however large the directory is, and nobody is skipped or repeated when users come and go in between.

    Args:
        users: the users to begin with, each a dictionary with at least ``id`` and ``userPrincipalName``.

    Attributes:
        changes: the change log, oldest first; change number n is ``changes[n - 1]``.
        latest: id of a user -> number of its latest change.
    """

    def __init__(self, users: list[dict[str, Any]]) -> None:
        self._places: list[dict[str, Any] | None] = []
        self._place_of: dict[str, int] = {}
        self._id_of_upn: dict[str, str] = {}
        self._prepared: dict[str, bytes] = {}
        self._columns: dict[Names, Column] = {}
        self._searches: dict[Any, array[int]] = {}
        self.changes: list[Change] = []
        self.latest: dict[str, int] = {}
        for user in users:
            self._append(user)

    def __len__(self) -> int:
        return len(self._place_of)

    @property
    def revision(self) -> int:
        """How many changes there have been."""
        return len(self.changes)

    def find(self, key: str) -> dict[str, Any] | None:
        """The user with this id or userPrincipalName; both compare without regard to case."""
        place = self._place_of.get(key.lower())
        if place is None:
            place = self._place_of.get(self._id_of_upn.get(key.casefold(), ""))
        return None if place is None else self._places[place]

    def after(self, place: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """All users whose place is beyond `place` (-1: from the start), each with its place."""
        for number, user in enumerate(islice(self._places, place + 1, None), place + 1):
            if user is not None:
                yield number, user

    def at(self, place: int) -> dict[str, Any]:
        """The user at a place that is taken."""
        return self._places[place]

    def search(self, sieve: Sieve | None, order_by: tuple[tuple[str, bool], ...], asked: Hashable) -> array[int]:
        """The places of all users that pass a sieve, in the order of $orderby or else of their places.

        What the last few searches found is kept until somebody changes, so the second page costs no second search.

        Args:
            asked: tells this search from others.
        """
        found = self._searches.get(asked)
        if found is None:
            places: Sequence[int] = [number for number, user in enumerate(self._places) if user is not None]
            if sieve is not None:
                places = sieve(places, self._column)
            found = array("I", in_order(places, order_by, self._column))
            _keep(self._searches, asked, found, MOST_SEARCHES)
        return found

    def _column(self, path: Names) -> Column:
        column = self._columns.get(path)
        if column is None:
            name, *more = path
            get = identities if name == "identities" else methodcaller("get", name)
            values = [None if user is None else get(user) for user in self._places]
            if more:
                values = [read(value, tuple(more)) for value in values]
            column = Column.of(values)
            _keep(self._columns, path, column, MOST_COLUMNS)
        return column

    def prepared(self, user: dict[str, Any], render: Callable[[dict[str, Any]], bytes]) -> bytes:
        """What `render` makes of a user, made once and kept until the user changes."""
        kept = self._prepared.get(user["id"])
        if kept is None:
            kept = self._prepared[user["id"]] = render(user)
        return kept

    def add(self, user: dict[str, Any]) -> None:
        """Add a user at the end and remember it for delta queries."""
        self._append(user)
        self._remember(user["id"], None)

    def replace(self, user: dict[str, Any]) -> None:
        """Put a changed user in the place of the one with the same id."""
        place = self._place_of[user["id"]]
        former = self._places[place]
        del self._id_of_upn[former["userPrincipalName"].casefold()]
        self._places[place] = user
        self._id_of_upn[user["userPrincipalName"].casefold()] = user["id"]
        names = frozenset(name for name in {*former, *user} if former.get(name) != user.get(name))
        if names:
            self._remember(user["id"], names, former.get("manager") if "manager" in names else None)

    def remove(self, user_id: str) -> dict[str, Any]:
        """Take a user out; the place stays empty."""
        place = self._place_of.pop(user_id)
        user, self._places[place] = self._places[place], None
        del self._id_of_upn[user["userPrincipalName"].casefold()]
        self._remember(user_id, None)
        return user

    def forget(self, user_id: str) -> None:
        """Remember that a user taken out earlier is now gone for good."""
        self._remember(user_id, None)

    def changed_since(self, user_id: str, since: int) -> frozenset[str] | None:
        """The properties of a user that changed after change number `since`; None when it came, went or came back."""
        names: set[str] = set()
        for change in self._changes_of(user_id, since):
            if change.names is None:
                return None
            names |= change.names
        return frozenset(names)

    def manager_at(self, user_id: str, since: int) -> str | None:
        """The id of the manager the user had after change number `since`, when that has changed."""
        former = [change for change in self._changes_of(user_id, since) if "manager" in (change.names or ())]
        return former[-1].former_manager if former else None

    def _changes_of(self, user_id: str, since: int) -> Iterator[Change]:
        """The changes of one user after number `since`, newest first."""
        number = self.latest.get(user_id, 0)
        while number > since:
            change = self.changes[number - 1]
            yield change
            number = change.previous

    def _append(self, user: dict[str, Any]) -> None:
        self._place_of[user["id"]] = len(self._places)
        self._places.append(user)
        self._id_of_upn[user["userPrincipalName"].casefold()] = user["id"]

    def _remember(self, user_id: str, names: frozenset[str] | None, former_manager: str | None = None) -> None:
        self._prepared.pop(user_id, None)
        self._columns.clear()
        self._searches.clear()
        self.changes.append(Change(user_id, names, self.latest.get(user_id, 0), former_manager))
        self.latest[user_id] = self.revision


def identities(user: dict[str, Any]) -> list[dict[str, str]]:
    """How a user signs in: as set, else by userPrincipalName (user-get.md, example 3; user-list.md, example 8)."""
    if "identities" in user:
        return user["identities"]
    name = user["userPrincipalName"]
    return [{"signInType": "userPrincipalName", "issuer": name.rpartition("@")[2], "issuerAssignedId": name}]


def _keep(store: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Put a value into a small store; the oldest makes room."""
    if len(store) >= most:
        del store[next(iter(store))]
    store[key] = value


def load_people(count: int | None = None, file: Path = PEOPLE_FILE) -> list[dict[str, Any]]:
    """The people of the data folder, and made ones beyond them, the same at every start.

    Args:
        count: how many users; None for just those in the file, fewer than those cuts the list.

    Raises:
        ValueError: the file is missing or damaged; the text says what to do.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        people = [json.loads(line) for line in lines if line.strip()]
        known = [person["userPrincipalName"] and person["id"] for person in people]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"The people cannot be read from {file}: restore it with 'git checkout data'.") from error
    if count is None or count <= len(known):
        return people[:count]
    gc.disable()  # none of the many small objects made here is garbage; looking for some takes half the time
    try:
        return people + list(_made_people(people, count - len(people)))
    finally:
        gc.enable()


def _made_people(people: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
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
        yield _made_person(number, pattern, given, family)


def _made_person(number: int, pattern: dict, given: dict, family: dict) -> dict[str, Any]:
    local = f"{_ascii_name(given, 0)}.{_ascii_name(family, -1)}.{number}"
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
    return person["userPrincipalName"].partition("@")[0].split(".")[part]


def _display_name(pattern: dict[str, Any], given: str, family: str) -> str:
    """Given name first or surname first, with or without a space: as the pattern's own display name has it."""
    shown = pattern["displayName"]
    gap = " " if " " in shown else ""
    return f"{family}{gap}{given}" if shown.startswith(pattern["surname"]) else f"{given}{gap}{family}"


def _made_id(number: int) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(f"practice person {number}".encode()).digest()[:16], version=4))
