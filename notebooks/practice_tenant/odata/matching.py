"""From a tree to one function: whether an object, or which of many, a filter lets through."""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller
from typing import Any

from ..formats import stored_instant
from .columns import Sieve, sieve_all, sieve_some, sieve_values
from .compare import fold, initial
from .properties import Property, read
from .tree import (
    NULL,
    And,
    AnyMember,
    CollectionSize,
    Comparison,
    Literal,
    Membership,
    Node,
    Not,
    Or,
    Predicate,
    SearchClause,
    TextFunction,
)

# --- from the tree to one function --------------------------------------------------------------------------
#
# An expression is true, false or null, and only true lets an object through. Null can only come from a
# function of a null value; `eq`, `ne`, `in`, `ge` and `le` of null are plain true or false (OData 4.0 part 2,
# 5.1.1.1). So instead of computing with three values, `compile_filter` answers one of two questions about a
# node: is it certainly true? is it certainly false? `not` swaps the question, `and` and `or` swap places with
# it, and null answers no to both.


def compile_filter(node: Node, wanted: bool = True) -> Predicate:
    """A function that says of a stored object whether ``node`` is certainly ``wanted``."""
    match node:
        case Not(child):
            return compile_filter(child, not wanted)
        case And(children) | Or(children):
            tests = [compile_filter(child, wanted) for child in children]
            return all_of(tests) if isinstance(node, And) is wanted else some_of(tests)
    return on_path(*leaf_test(node, wanted))


def compile_sieve(node: Node, wanted: bool = True) -> Sieve:
    """The same for many objects at once: a `Sieve` lets those through of which ``node`` is certainly ``wanted``."""
    match node:
        case Not(child):
            return compile_sieve(child, not wanted)
        case And(children) | Or(children):
            sieves = [compile_sieve(child, wanted) for child in children]
            return sieve_all(sieves) if isinstance(node, And) is wanted else sieve_some(sieves)
    return sieve_values(*leaf_test(node, wanted))


def leaf_test(node: Node, wanted: bool) -> tuple[tuple[str, ...], Predicate]:
    """Where a leaf's value is stored, and whether for such a value the leaf is certainly ``wanted``."""
    match node:
        case AnyMember():
            test = _any_test(compile_filter(node.body), wanted)
        case TextFunction():
            test = _function_test(node, wanted)
        case Comparison():
            test = _compare_test(node, wanted)
        case Membership():
            test = _in_test(node.known_row, node.literals, wanted)
        case CollectionSize():
            empty_wanted = (node.operator == "eq") is wanted
            test = (lambda value: not value) if empty_wanted else bool
        case SearchClause():
            test = node.test
        case _:
            raise TypeError(node)
    return node.known_row.path, test


def all_of(tests: list[Predicate]) -> Predicate:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda stored: first(stored) and second(stored)
    return lambda stored: all(test(stored) for test in tests)


def some_of(tests: list[Predicate]) -> Predicate:
    if len(tests) == 2:
        first, second = tests
        return lambda stored: first(stored) or second(stored)
    return lambda stored: any(test(stored) for test in tests)


def on_path(path: tuple[str, ...], test: Predicate) -> Predicate:
    """Apply a test of a value to the value at a path; an empty path is the member of a collection itself."""
    if not path:
        return test
    if len(path) == 1:
        get = methodcaller("get", path[0])  # no frame of Python's own: this runs once for each object
        return lambda stored: test(get(stored))
    return lambda stored: test(read(stored, path))


def _any_test(test: Predicate, wanted: bool) -> Predicate:
    """any() is never null: nothing has no members, and a member that answers null does not count."""

    def any_member(values: Any) -> bool:
        for value in values or ():
            if test(value):
                return wanted
        return not wanted

    return any_member


def _function_test(node: TextFunction, wanted: bool) -> Predicate:
    """The only place where null comes from: a null value answers neither question."""
    prepare = _preparation(node.known_row)
    text = prepare(node.text)
    if node.name == "endsWith":
        return lambda value: value is not None and prepare(value).endswith(text) is wanted
    if prepare is not fold or not text:
        return lambda value: value is not None and prepare(value).startswith(text) is wanted
    first = initial(text[:1])
    return lambda value: value is not None and (initial(value[:1]) == first and fold(value).startswith(text)) is wanted


def _preparation(row: Property) -> Callable[[Any], Any]:
    """What to do with a stored value before it is compared with a literal."""
    if row.kind == "String" and not row.cased:
        return fold
    return {"DateTimeOffset": stored_instant, "Guid": str.lower}.get(row.kind, _as_it_is)


def _as_it_is(value: Any) -> Any:
    return value


def _prepared(row: Property, literal: Literal) -> Any:
    """A literal ready to be compared with; the parser has done all but what depends on the property."""
    return fold(literal.value) if _preparation(row) is fold else literal.value


def _compare_test(node: Comparison, wanted: bool) -> Predicate:
    if node.operator in ("eq", "ne"):
        return _in_test(node.known_row, (node.literal,), wanted is (node.operator == "eq"))
    prepare, literal = _preparation(node.known_row), node.literal.value
    if node.operator == "ge":
        return lambda value: (value is not None and prepare(value) >= literal) is wanted
    return lambda value: (value is not None and prepare(value) <= literal) is wanted


def _in_test(row: Property, literals: tuple[Literal, ...], wanted: bool) -> Predicate:
    """``in``, and ``eq`` as the shortest of its lists."""
    prepare = _preparation(row)
    null_too = NULL in literals
    values = frozenset(_prepared(row, literal) for literal in literals if literal is not NULL)
    if prepare is not fold:
        return lambda value: (null_too if value is None else prepare(value) in values) is wanted
    initials = frozenset(initial(value[:1]) for value in values)
    return lambda value: (
        (null_too if value is None else initial(value[:1]) in initials and fold(value) in values) is wanted
    )
