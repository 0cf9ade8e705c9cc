"""The tree of a $filter or a $search: what its nodes are, and what can be asked about all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from .properties import Property

Predicate = Callable[[Any], bool]


# --- the tree -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """``kind`` is an Edm type, ``Date``, ``Number`` or ``null``; ``value`` is ready to compare with."""

    kind: str
    value: Any = None


NULL = Literal("null")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A comparison. ``head`` names the object's own property, for messages; ``row`` is None when unknown."""

    head: str
    row: Property | None

    @property
    def known_row(self) -> Property:
        """The row of a leaf that `permit` has let through: those without one it has refused."""
        if self.row is None:
            raise TypeError(f"no row for {self.head}")
        return self.row


@dataclass(frozen=True, slots=True)
class Comparison(Leaf):
    operator: str
    literal: Literal
    in_lambda: bool


@dataclass(frozen=True, slots=True)
class Membership(Leaf):
    literals: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class TextFunction(Leaf):
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class CollectionSize(Leaf):
    """``path/$count eq 0``, and ``path/any()``, which asks the same."""

    operator: str
    number: str


@dataclass(frozen=True, slots=True)
class AnyMember(Leaf):
    body: Node


@dataclass(frozen=True, slots=True)
class SearchClause(Leaf):
    """A clause of $search, which nothing negates: `test` says whether a value fits."""

    test: Predicate


@dataclass(frozen=True, slots=True)
class Not:
    child: Node


@dataclass(frozen=True, slots=True)
class And:
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple[Node, ...]


Node = Leaf | Not | And | Or


def leaves(node: Node | None) -> Iterator[Leaf]:
    """Every comparison of a tree, those inside any() too, from left to right."""
    match node:
        case None:
            return
        case Not(child):
            yield from leaves(child)
        case And(children) | Or(children):
            for child in children:
                yield from leaves(child)
        case AnyMember():
            yield node
            yield from leaves(node.body)
        case _:
            yield node


def heads_of(node: Node | None) -> set[str]:
    """The names of the object's own properties that a filter asks about."""
    return {leaf.head for leaf in leaves(node)}


def mentions_count(node: Node | None) -> bool:
    return any(isinstance(leaf, CollectionSize) for leaf in leaves(node))


def is_primitive(row: Property) -> bool:
    """Edm's own types begin with a capital, Graph's complex types do not."""
    return row.kind[0].isupper()
