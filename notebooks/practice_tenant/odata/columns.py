"""A filter over a whole directory at once: column by column, and in a column each different value once.

A hundred thousand people have three thousand display names and fifteen departments between them, so most of a filter's
work would be asking the same question again. Objects are known here by their places, which are small numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from .compare import value_key

Names = tuple[str, ...]


class Column(NamedTuple):
    """The values at one path.

    Args:
        values: place -> value.
        distinct: the different values; None when nearly all are different.
        shared: the values are collections, of which one object often serves many places: it is told by identity.
    """

    values: list[Any]
    distinct: Collection[Any] | None
    shared: bool = False

    @classmethod
    def of(cls, values: list[Any]) -> Column:
        """A column of these values."""
        distinct: Collection[Any]
        try:
            distinct, shared = frozenset(values), False
        except TypeError:  # collections cannot be hashed
            distinct, shared = tuple({id(value): value for value in values}.values()), True
        return cls(values, distinct if 2 * len(distinct) < len(values) else None, shared)


Columns = Callable[[Names], Column]
# Of some places those that pass, in the order they came.
Sieve = Callable[[Sequence[int], Columns], Sequence[int]]


def sieve_values(path: Names, test: Callable[[Any], bool]) -> Sieve:
    """Lets through what has a value at `path` that passes the test."""

    def sift(places: Sequence[int], columns: Columns) -> Sequence[int]:
        column = columns(path)
        values = column.values
        if column.distinct is None:
            return [place for place in places if test(values[place])]
        passing = [value for value in column.distinct if test(value)]
        if not passing or len(passing) == len(column.distinct):
            return places if passing else []
        if column.shared:
            passing_ids = {id(value) for value in passing}
            return [place for place in places if id(values[place]) in passing_ids]
        passing_values = frozenset(passing)
        return [place for place in places if values[place] in passing_values]

    return sift


def sieve_all(sieves: Iterable[Sieve]) -> Sieve:
    """One sieve below the other."""
    sieves = tuple(sieves)

    def sift(places: Sequence[int], columns: Columns) -> Sequence[int]:
        for sieve in sieves:
            places = sieve(places, columns)
        return places

    return sift


def sieve_some(sieves: Iterable[Sieve]) -> Sieve:
    """Each sieve gets what none before it has let through."""
    sieves = tuple(sieves)

    def sift(places: Sequence[int], columns: Columns) -> list[int]:
        found: set[int] = set()
        left = places
        for sieve in sieves:
            passed = sieve(left, columns)
            if passed:
                found.update(passed)
                left = [place for place in left if place not in found]
        return [place for place in places if place in found]

    return sift


def in_order(places: Sequence[int], order_by: tuple[tuple[str, bool], ...], columns: Columns) -> Sequence[int]:
    """The places in the order of $orderby; those that compare equal keep the order they came in."""
    if not places:
        return places
    for name, descending in reversed(order_by):
        column, key = columns((name,)), value_key(name)
        if column.distinct is None:
            ranks: list[Any] = list(map(key, column.values))
        else:
            rank_of = _ranks(column.distinct, key)
            ranks = [rank_of[value] for value in column.values]
        places = sorted(places, key=ranks.__getitem__, reverse=descending)
    return places


def _ranks(values: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, int]:
    """Each value's place among the others; values with equal keys share one."""
    groups = groupby(sorted(values, key=key), key)
    return {value: number for number, (_, equal) in enumerate(groups) for value in equal}
