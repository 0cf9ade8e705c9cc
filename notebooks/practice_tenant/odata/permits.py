"""Whether the directory does what a $filter asks for: the tables' letters, and the limits on a filter's size."""

from __future__ import annotations

from typing import NamedTuple

from .properties import ADVANCED, DEFAULT, DEFAULT_ONLY, NEVER, Collection, Property
from .refusals import id_is_compared_only, needs_advanced, too_many_clauses, unsupported, unsupported_clause
from .tree import (
    And,
    AnyMember,
    CollectionSize,
    Comparison,
    Leaf,
    Membership,
    Node,
    Not,
    Or,
    TextFunction,
    heads_of,
    leaves,
)

MAX_OR = 15  # "Too many child clauses … Max allowed: 15."
MAX_IN = 15  # known issues: `in` by default
MAX_EQ = 120  # known issues: characters of a value compared with eq, by default
MAX_DELTA_IDS = 50  # user-delta.md


# --- what the tables allow ----------------------------------------------------------------------------------


def allowed(letter: str, *, advanced: bool) -> bool:
    """Whether a column's letter allows it in this kind of query."""
    return {DEFAULT: True, ADVANCED: advanced, DEFAULT_ONLY: not advanced, NEVER: False}[letter]


def permit(tree: Node, collection: Collection, *, advanced: bool) -> None:
    """Refuse the first thing in a tree, from left to right, that the directory does not do.

    Args:
        advanced: the request is an advanced query.

    Raises:
        GraphError: 400.
    """
    _Permission(collection, advanced).walk(tree)
    heads = heads_of(tree)
    if "signInActivity" in heads and len(heads) > 1:  # documented not to combine with others; the text is chosen
        raise unsupported_clause("signInActivity", collection)


def permit_delta(tree: Node, collection: Collection) -> None:
    """users/delta: only ``id eq '…' or id eq '…'``, at most 50 (user-delta.md). The texts are chosen."""
    parts = tree.children if isinstance(tree, Or) else (tree,)
    for part in parts:
        if not (isinstance(part, Comparison) and part.head == "id" and part.operator == "eq"):
            raise unsupported_clause(next(leaves(part)).head, collection)
    if len(parts) > MAX_DELTA_IDS:
        raise too_many_clauses(len(parts), MAX_DELTA_IDS)


class _Permission(NamedTuple):
    collection: Collection
    advanced: bool

    def walk(self, node: Node) -> None:
        match node:
            case And(children):
                for child in children:
                    self.walk(child)
            case Or(children):
                self._limit_clauses(len(children), MAX_OR)
                for child in children:
                    self.walk(child)
            case Not(child):
                if not self.advanced:
                    raise needs_advanced("not")
                self.walk(child)
            case AnyMember():
                self._any(node)
            case TextFunction():
                self._function(node)
            case Comparison():
                self._compare(node)
            case Membership():
                self._limit_clauses(len(node.literals), MAX_IN)
                for literal in node.literals:
                    self._compare(Comparison(node.head, node.row, "eq", literal, in_lambda=False))
            case CollectionSize():
                self._size(node)

    def _require(self, letter: str, node: Leaf) -> None:
        if not allowed(letter, advanced=self.advanced):
            if node.head == "id":
                raise id_is_compared_only()
            raise unsupported_clause(node.head, self.collection)

    def _limit_clauses(self, number: int, limit: int) -> None:
        """Fifteen by default; else the URL's length is the limit (documented for `in`, chosen for OR).

        The text is recorded for OR; `in` gets the same (chosen), for that is what it becomes.
        """
        if number > limit and not self.advanced:
            raise too_many_clauses(number, limit)

    def _compare(self, node: Comparison) -> None:
        if node.operator == "ne" and not self.advanced:
            raise unsupported("Filter operator 'NotEqualsMatch' is not supported.")
        self._require(_letter(node), node)
        if node.literal.kind == "Date":  # text of contrib#1961, recorded in an advanced query; by default chosen
            raise unsupported("The type of the value doesn't match the property whose type is DateTime")
        if node.literal.kind == "String" and len(node.literal.value) > MAX_EQ and not self.advanced:
            raise unsupported_clause(node.head, self.collection)  # the limit is documented, the text is chosen

    def _function(self, node: TextFunction) -> None:
        if node.name == "endsWith" and not self.advanced:
            raise needs_advanced("endsWith")
        row = node.row or Property(())
        self._require(row.ends if node.name == "endsWith" else row.starts, node)

    def _size(self, node: CollectionSize) -> None:
        compared_with_zero = node.operator in ("eq", "ne") and not node.number.strip("0")
        self._require(node.row.eq if node.row and compared_with_zero else NEVER, node)

    def _any(self, node: AnyMember) -> None:
        if node.row is None:
            raise unsupported_clause(node.head, self.collection)
        self.walk(node.body)
        asked = {leaf.row.path for leaf in leaves(node.body) if leaf.row}
        if ("issuerAssignedId",) in asked and ("issuer",) not in asked:  # user-list.md: "you must supply both"
            raise unsupported_clause(node.head, self.collection)


def _letter(node: Comparison) -> str:
    """The column that decides. gt and lt are in none: the directory knows ge and le only (docs#12688)."""
    row = node.row or Property(())
    if (
        node.operator == "ne" and node.in_lambda
    ):  # filter-query-parameter.md: "use the not operator, not the ne operator"
        return NEVER
    if node.operator in ("eq", "ne"):
        return row.null if node.literal.kind == "null" else row.eq
    if node.operator in ("ge", "le") and node.literal.kind != "null":
        return row.ranges
    return NEVER
