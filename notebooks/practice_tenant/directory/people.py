"""The people of the practice directory, in a fixed order, and what happened to them since the start."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import methodcaller
from typing import Any, NamedTuple

from ..odata.columns import Column, Names, in_order
from ..odata.properties import read
from ..odata.query import Query

User = dict[str, Any]

MOST_COLUMNS, MOST_SEARCHES = 12, 64  # kept for the next request; each costs less than a megabyte
MOST_SELECTED = 60_000  # users kept in JSON with selected properties, twice; a few hundred bytes each


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
        self._prepared: dict[str, bytes] = {}  # by the user's id
        self._selected: dict[Names, dict[str, bytes]] = {}  # the same for each selection of properties
        self._selected_before: dict[Names, dict[str, bytes]] = {}  # what was kept until there was no more room
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
        """The user at a place.

        Raises:
            LookupError: nobody is there any more.
        """
        user = self._places[place]
        if user is None:
            raise LookupError(place)
        return user

    def search(self, query: Query) -> array[int]:
        """The places of all users that a query lets through, in the order of $orderby or else of their places.

        What the last few searches found is kept until somebody changes, so the second page costs no second search.
        """
        asked = tuple(query.deciding)
        found = self._searches.get(asked)
        if found is None:
            places: Sequence[int] = [number for number, user in enumerate(self._places) if user is not None]
            if query.sieve is not None:
                places = query.sieve(places, self._column)
            found = array("I", in_order(places, query.order_by, self._column))
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

    def prepared(
        self, users: list[User], names: Names | None, render: Callable[[list[User], Names | None], list[bytes]]
    ) -> list[bytes]:
        """What `render` makes of users and the selected properties.

        It is made once and kept until the user changes: for the default properties of everybody, and for others as
        long as there is room. Where there is none, what was kept before the last `MOST_SELECTED` goes.
        """
        kept, before = self._kept(names)
        ids = [user["id"] for user in users]
        new = [user for user, user_id in zip(users, ids, strict=True) if user_id not in kept and user_id not in before]
        for user, text in zip(new, render(new, names), strict=True):
            kept[user["id"]] = text
        return [kept.get(user_id) or before[user_id] for user_id in ids]

    def prepare(
        self,
        users: list[User],
        names: Names | None,
        render: Callable[[list[User], Names | None], list[bytes]],
        revision: int,
    ) -> None:
        """Prepare the users of a page before somebody asks for it.

        Args:
            revision: the number of changes when the users were looked up. If there has been one since, nothing is
                prepared, because these may be the users as they were.
        """
        if revision == self.revision:
            self.prepared(users, names, render)

    def _kept(self, names: Names | None) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Where users with these properties are kept, new ones first and then those from before."""
        if names is None:
            return self._prepared, {}
        if sum(1 + len(texts) for texts in self._selected.values()) > MOST_SELECTED:
            self._selected_before, self._selected = self._selected, {}
        return self._selected.setdefault(names, {}), self._selected_before.get(names, {})

    def add(self, user: dict[str, Any]) -> None:
        """Add a user at the end and remember it for delta queries."""
        self._append(user)
        self._remember(user["id"], None)

    def replace(self, user: dict[str, Any]) -> None:
        """Put a changed user in the place of the one with the same id."""
        place = self._place_of[user["id"]]
        former = self.at(place)
        del self._id_of_upn[former["userPrincipalName"].casefold()]
        self._places[place] = user
        self._id_of_upn[user["userPrincipalName"].casefold()] = user["id"]
        names = frozenset(name for name in {*former, *user} if former.get(name) != user.get(name))
        if names:
            self._remember(user["id"], names, former.get("manager") if "manager" in names else None)

    def remove(self, user_id: str) -> dict[str, Any]:
        """Take a user out; the place stays empty."""
        place = self._place_of.pop(user_id)
        user = self.at(place)
        self._places[place] = None
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
        for kept in (self._prepared, *self._selected.values(), *self._selected_before.values()):
            kept.pop(user_id, None)
        self._columns.clear()
        self._searches.clear()
        self.changes.append(Change(user_id, names, self.latest.get(user_id, 0), former_manager))
        self.latest[user_id] = self.revision


def identities(user: dict[str, Any]) -> list[dict[str, str]]:
    """How a user signs in: as set, else by userPrincipalName (user-get.md, example 3; user-list.md, example 8)."""
    if "identities" in user:
        set_ones: list[dict[str, str]] = user["identities"]
        return set_ones
    name = user["userPrincipalName"]
    return [{"signInType": "userPrincipalName", "issuer": name.rpartition("@")[2], "issuerAssignedId": name}]


def _keep(store: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Put a value into a small store; the oldest makes room."""
    if len(store) >= most:
        del store[next(iter(store))]
    store[key] = value
