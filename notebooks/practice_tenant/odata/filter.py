"""$filter on directory collections: from its text to one function of a stored object.

The grammar as it is understood here (keywords in any case, for Graph's own pages write ``NOT`` and ``not``)::

    or         = and { "or" and }
    and        = unary { "and" unary }
    unary      = "not" unary | "(" or ")" | predicate
    predicate  = path ("eq" | "ne" | "ge" | "le" | "gt" | "lt") literal
               | path "in" "(" literal { "," literal } ")"
               | ("startsWith" | "endsWith") "(" path "," text ")" [ "eq" boolean ]
               | path "/any" "(" [ variable ":" or ] ")"
               | path "/$count" ("eq" | "ne") "0"
    path       = name { "/" name }
    literal    = text | guid | date-time with zone | integer | "true" | "false" | "null"
    text       = "'" characters, a quote doubled "'"

Four steps, in this order down the file: `_tokens` cuts the text, `_Parser` builds a tree whose leaves know
their `Property`, `permit` compares every leaf with the tables in `properties`, `compile_filter` turns the
tree into one function of an object, and `compile_sieve` into one of many objects at once. A mistake in writing
is the gateway's to refuse (``BadRequest``), so it comes first; a property that cannot do what is asked is the
directory's (``Request_UnsupportedQuery``).

Sources: graph docs filter-query-parameter.md, aad-advanced-queries.md, known issues of query parameters;
single error texts are from issues of microsoft-graph-docs (docs#n) and microsoft-graph-docs-contrib
(contrib#n).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..formats import instant
from .properties import Collection, Property
from .refusals import invalid_filter, left_over, unsupported
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
    TextFunction,
    is_primitive,
)

MAX_DEPTH = 100  # chosen, not sourced: parentheses, not and any inside one another


# --- tokens -------------------------------------------------------------------------------------------------

# Tried in this order at every position. No alternative passes over its characters more than once before it
# fails, and what fails is refused at once, so the whole is linear.
_TOKEN = re.compile(
    r"""
    (?P<space>   \s+ )
  | (?P<text>    ' (?: [^'] | '' )* ' )
  | (?P<guid>    [0-9a-fA-F]{8} (?: -[0-9a-fA-F]{4} ){3} -[0-9a-fA-F]{12} (?![\w-]) )
  | (?P<instant> [0-9]{4}-[0-9]{2}-[0-9]{2} [Tt] [0-9:.]+ (?: [Zz] | [+-][0-9]{2}:[0-9]{2} )? (?!\w) )
  | (?P<date>    [0-9]{4}-[0-9]{2}-[0-9]{2} (?!\w) )
  | (?P<number>  -? [0-9]+ (?: \.[0-9]+ )? (?!\w) )
  | (?P<name>    [^\W\d] \w* )
  | (?P<count>   \$count \b )
  | (?P<mark>    [(),:/] )
  | (?P<bad>     . )
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    end: int  # characters from the beginning of the filter

    @property
    def word(self) -> str:
        """A keyword in lower case, or nothing."""
        return self.text.lower() if self.kind == "name" else ""


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "bad"
        if kind == "bad":
            raise invalid_filter()
        if kind != "space":
            yield _Token(kind, match[0], match.end())
    yield _Token("end", "", len(text))


# --- the parser ---------------------------------------------------------------------------------------------

_COMPARISONS = ("eq", "ne", "ge", "le", "gt", "lt")
_OTHER_FUNCTIONS = frozenset(
    [
        "length",
        "indexof",
        "substring",
        "tolower",
        "toupper",
        "trim",
        "concat",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "fractionalseconds",
        "date",
        "time",
        "totaloffsetminutes",
        "now",
        "mindatetime",
        "maxdatetime",
        "round",
        "floor",
        "ceiling",
        "cast",
        "isof",
        "matchespattern",
    ]
)


def parse_filter(text: str | None, collection: Collection) -> Node | None:
    """The tree of a $filter, or None when there is none.

    Raises:
        GraphError: 400 ``Invalid filter clause``, also when the filter is empty; with a position when something is left
            over after a whole filter.
    """
    return None if text is None else _Parser(text, collection).parse()


class _Parser:
    """Recursive descent over the tokens; one method for each rule of the grammar."""

    def __init__(self, text: str, collection: Collection) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.token = next(self.tokens)
        self.collection = collection
        self.depth = 0
        self.variable: str | None = None  # the range variable inside any(), and what it stands for
        self.members = ""

    def parse(self) -> Node:
        tree = self._or()
        if self.token.kind != "end":
            raise left_over(self.token.end, self.text)
        return tree

    # the stream of tokens

    def _next(self) -> _Token:
        taken = self.token
        if taken.kind != "end":
            self.token = next(self.tokens)
        return taken

    def _accept(self, mark: str) -> bool:
        if self.token.kind == "mark" and self.token.text == mark:
            self._next()
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._accept(mark):
            raise invalid_filter()

    def _name(self) -> str:
        if self.token.kind != "name":
            raise invalid_filter()
        return self._next().text

    # or, and, not

    def _or(self) -> Node:
        return self._chain("or", self._and, Or)

    def _and(self) -> Node:
        return self._chain("and", self._unary, And)

    def _chain(self, keyword: str, rule: Callable[[], Node], kind: type[And] | type[Or]) -> Node:
        """``a or b or (c or d)`` becomes one node with four children, so a long chain is not a deep tree."""
        children: list[Node] = []
        while True:
            child = rule()
            children.extend(child.children if isinstance(child, kind) else (child,))
            if self.token.word != keyword:
                return children[0] if len(children) == 1 else kind(tuple(children))
            self._next()

    def _unary(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise invalid_filter()
        try:
            if self.token.word == "not":
                return self._not()
            if self._accept("("):
                node = self._or()
                self._expect(")")
                return node
            return self._predicate()
        finally:
            self.depth -= 1

    def _not(self) -> Node:
        """``not`` binds tighter than ``eq``: ``not city eq 'x'`` would negate a city, which is no boolean."""
        self._next()
        grouped = self.token.text == "(" or self.token.word == "not"
        child = self._unary()
        if isinstance(child, Comparison | Membership | CollectionSize) and not grouped:
            raise invalid_filter()
        return Not(child)

    # predicates

    def _predicate(self) -> Node:
        name = self._name()
        if self.token.text == "(" and self.token.kind == "mark":
            return self._function(name)
        path = [name]
        while self._accept("/"):
            if self.token.kind == "count":
                self._next()
                return self._size(path)
            segment = self._name()
            if segment.lower() in ("any", "all") and self._accept("("):
                return self._lambda(path, segment.lower())
            path.append(segment)
        return self._comparison(path)

    def _function(self, name: str) -> Node:
        lower = name.lower()
        if lower == "contains":  # text of contrib#2919
            raise unsupported("Unsupported property filter clause operator 'Contains'.")
        if lower in _OTHER_FUNCTIONS:  # OData has them, the directory does not; text of docs#13735
            raise unsupported("Unsupported Query.")
        if lower not in ("startswith", "endswith"):
            raise invalid_filter()
        self._expect("(")
        head, row = self._resolve(self._path())
        self._expect(",")
        literal = self._literal()
        self._expect(")")
        if literal.kind != "String" or (row and (row.many or (is_primitive(row) and row.kind != "String"))):
            raise invalid_filter()
        node = TextFunction(head, row, "startsWith" if lower == "startswith" else "endsWith", literal.value)
        return self._compared_with_boolean(node)

    def _compared_with_boolean(self, node: Node) -> Node:
        """OData also allows ``startsWith(…) eq true``, and ``eq false`` for the opposite."""
        if self.token.word != "eq":
            return node
        self._next()
        literal = self._literal()
        if literal.kind != "Boolean":
            raise invalid_filter()
        return node if literal.value else Not(node)

    def _comparison(self, path: list[str]) -> Node:
        head, row = self._resolve(path)
        operator = self._next().word
        if operator == "in":
            return Membership(head, row, self._list(row))
        if operator == "has":
            raise unsupported("Unsupported Query.")
        if operator not in _COMPARISONS:
            raise invalid_filter()
        literal = self._literal()
        self._check_type(row, literal)
        return Comparison(head, row, operator, literal, self.variable is not None)

    def _list(self, row: Property | None) -> tuple[Literal, ...]:
        self._expect("(")
        literals: list[Literal] = []
        while not literals or self._accept(","):
            literals.append(self._literal())
            self._check_type(row, literals[-1])
        self._expect(")")
        return tuple(literals)

    def _size(self, path: list[str]) -> Node:
        head, row = self._resolve([*path, "$count"])
        operator = self._next().word
        literal = self._literal()
        if operator not in _COMPARISONS or literal.kind != "Number":
            raise invalid_filter()
        return CollectionSize(head, row, operator, literal.value)

    def _lambda(self, path: list[str], quantifier: str) -> Node:
        if quantifier == "all":  # filter-query-parameter.md: "it isn't supported in Microsoft Graph"
            raise unsupported("Unsupported Query.")
        if self.variable is not None:  # chosen, not sourced: no property here holds a collection of collections
            raise invalid_filter()
        head, row = self._resolve(path)
        if self._accept(")"):
            return CollectionSize(head, self.collection.find("/".join([*path, "$count"])), "ne", "0")
        if row and not row.many:
            raise invalid_filter()
        self.variable, self.members = self._name(), "/".join(path) + "[]"
        self._expect(":")
        body = self._or()
        self._expect(")")
        self.variable = None
        return AnyMember(head, row, body)

    # paths and literals

    def _path(self) -> list[str]:
        path = [self._name()]
        while self._accept("/"):
            path.append(self._name())
        return path

    def _resolve(self, path: list[str]) -> tuple[str, Property | None]:
        """The property a path begins with, as the metadata spells it, and the row of the whole path."""
        if self.variable is None:
            return self.collection.canonical(path[0]) or path[0], self.collection.find("/".join(path))
        if path[0] != self.variable:
            raise invalid_filter()
        head = self.members.partition("/")[0].removesuffix("[]")
        row = self.collection.find("/".join([self.members, *path[1:]]))
        return self.collection.canonical(head) or head, row

    def _literal(self) -> Literal:
        token = self._next()
        match token.kind, token.word:
            case "text", _:
                return Literal("String", token.text[1:-1].replace("''", "'"))
            case "guid", _:
                return Literal("Guid", token.text.lower())
            case "number", _:
                return Literal("Number", token.text)
            case "date", _:
                return Literal("Date", token.text)
            case "instant", _:
                try:
                    return Literal("DateTimeOffset", instant(token.text))
                except (ValueError, OverflowError):  # no zone, no such day, or before year 1 in UTC
                    raise invalid_filter() from None
            case _, "true" | "false":
                return Literal("Boolean", token.word == "true")
            case _, "null":
                return NULL
        raise invalid_filter()

    def _check_type(self, row: Property | None, literal: Literal) -> None:
        """Refuse ``accountEnabled eq 'true'``; unknown and complex properties are refused by `permit`."""
        if row is None or literal.kind == "null":
            return
        if row.many:  # a collection compared as if it were one value
            raise invalid_filter()
        fits = {"DateTimeOffset": ("DateTimeOffset", "Date"), "Int32": ("Number",)}
        if is_primitive(row) and literal.kind not in fits.get(row.kind, (row.kind,)):
            raise invalid_filter()
