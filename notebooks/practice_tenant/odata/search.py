"""$search on directory collections: from its text to a tree like that of a $filter.

The grammar::

    or         = and { "OR" and }
    and        = clause { [ "AND" ] clause }
    clause     = '"' property ":" text '"' | "(" or ")"

Source: graph docs search-query-parameter.md. It gives no error but one, so the other refusals are chosen, not
sourced.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from ..errors import GraphError
from .compare import fold
from .filter import MAX_DEPTH
from .properties import Collection, Property
from .refusals import bad_query, unsupported, unsupported_clause
from .tree import And, Node, Or, Predicate, SearchClause

_TOKEN = re.compile(
    r"""
    \s+
  | (?P<clause> " (?: [^"\\] | \\. )* " )
  | (?P<word>   [^\W\d] \w* )
  | (?P<mark>   [()] )
  | (?P<bad>    . )
    """,
    re.VERBOSE | re.DOTALL,
)
_TOKENISED = ("displayName", "description")


def parse_search(text: str, collection: Collection) -> Node:
    """The tree of a $search; its leaves are `Tested`.

    Raises:
        GraphError: 400.
    """
    return _SearchParser(text, collection).parse()


class _SearchParser:
    """Recursive descent."""

    def __init__(self, text: str, collection: Collection) -> None:
        self.text = text
        self.collection = collection
        self.tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup]
        self.position = 0
        self.depth = 0

    def parse(self) -> Node:
        tree = self._or()
        if self.position < len(self.tokens):
            raise self._syntax_error()
        return tree

    def _peek(self) -> tuple[str, str]:
        if self.position == len(self.tokens):
            return "end", ""
        match = self.tokens[self.position]
        return match.lastgroup or "", match[0]

    def _syntax_error(self) -> GraphError:
        """The first character that nothing begins with (a recorded text), or where reading stopped."""
        bad = next((match for match in self.tokens if match.lastgroup == "bad"), None)
        if bad:
            return bad_query(
                f"Syntax error: character '{bad[0]}' is not valid at position {bad.start()} in '{self.text}'."
            )
        at = self.tokens[self.position].start() if self.position < len(self.tokens) else len(self.text)
        return bad_query(f"Syntax error at position {at} in '{self.text}'.")

    def _or(self) -> Node:
        nodes = [self._and()]
        while self._peek() == ("word", "OR"):
            self.position += 1
            nodes.append(self._and())
        return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

    def _and(self) -> Node:
        """Two clauses with nothing between them mean AND too (OData)."""
        nodes = [self._clause()]
        while self._peek() == ("word", "AND") or self._peek()[0] == "clause" or self._peek()[1] == "(":
            if self._peek()[0] == "word":
                self.position += 1
            nodes.append(self._clause())
        return nodes[0] if len(nodes) == 1 else And(tuple(nodes))

    def _clause(self) -> Node:
        kind, text = self._peek()
        if kind == "clause":
            self.position += 1
            return self._property_clause(re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL))
        if text != "(" or self.depth == MAX_DEPTH:
            raise self._syntax_error()
        self.position += 1
        self.depth += 1
        tree = self._or()
        if self._peek()[1] != ")":
            raise self._syntax_error()
        self.position += 1
        self.depth -= 1
        return tree

    def _property_clause(self, clause: str) -> Node:
        name, colon, wanted = clause.partition(":")
        if not colon or not wanted.strip():
            raise unsupported(f"The search clause '{clause}' must have the form \"property:text\".")
        name = self.collection.canonical(name.strip()) or name.strip()
        row = self.collection.find(name)
        if row is None or row.kind != "String" or row.single_only:
            raise unsupported_clause(name, self.collection)
        return SearchClause(name, row, _search_test(row, wanted.strip()))


def _search_test(row: Property, wanted: str) -> Predicate:
    """displayName, description: each token of the text begins one of the value. Others: startsWith."""
    if row.path[-1] in _TOKENISED:
        parts = _search_tokens(wanted)
        if parts:
            return lambda value: value is not None and _begin_tokens(parts, value)
    text = fold(wanted)
    if row.many:
        return lambda values: any(fold(value).startswith(text) for value in values or ())
    return lambda value: value is not None and fold(value).startswith(text)


def _begin_tokens(parts: tuple[str, ...], value: str) -> bool:
    tokens = _value_tokens(value)
    return all(any(token.startswith(part) for token in tokens) for part in parts)


class _Shapes(dict[int, str]):
    """For `str.translate`: U for a capital, l for other letters, d for digits, m for marks, else a space or a dot."""

    def __missing__(self, codepoint: int) -> str:
        character = chr(codepoint)
        category = unicodedata.category(character)
        other = " " if character.isspace() else "."
        shape = "U" if category in ("Lu", "Lt") else {"L": "l", "N": "d", "M": "m"}.get(category[0], other)
        return self.setdefault(codepoint, shape)


_SHAPES = _Shapes()
# Capitals and the small letters after them, small letters, digits; a mark belongs to what stands before it,
# or a word of Hindi would fall apart.
_SHAPE_OF_TOKEN = re.compile(r"(?:Um*)+(?:lm*)*|(?:lm*)+|(?:dm*)+")
_SHAPE_OF_RUN = re.compile("[Ulmd.]+")  # words with nothing but symbols between them


def _search_tokens(text: str) -> tuple[str, ...]:
    """``contosoAdmin1`` → contoso, admin, 1: cut at spaces, symbols, digits and before capitals."""
    composed = unicodedata.normalize("NFC", text)
    shapes = composed.translate(_SHAPES)
    return tuple(fold(composed[match.start() : match.end()]) for match in _SHAPE_OF_TOKEN.finditer(shapes))


@lru_cache(maxsize=8_192)
def _value_tokens(text: str) -> tuple[str, ...]:
    """The tokens of a stored value: words that only symbols separate count joined, too (hello.world → helloworld)."""
    composed = unicodedata.normalize("NFC", text)
    shapes = composed.translate(_SHAPES)
    runs = (match.span() for match in _SHAPE_OF_RUN.finditer(shapes) if "." in match[0].strip("."))
    joined = ("".join(composed[at] for at in range(*run) if shapes[at] != ".") for run in runs)
    return (*_search_tokens(text), *map(fold, joined))
