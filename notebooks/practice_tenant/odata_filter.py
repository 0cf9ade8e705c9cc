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
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

from .errors import GraphError
from .odata_compare import fold, initial, instant, stored_instant
from .odata_sieve import Sieve, sieve_all, sieve_some, sieve_values
from .properties import ADVANCED, DEFAULT, DEFAULT_ONLY, NEVER, Collection, Property, read

Predicate = Callable[[Any], bool]

MAX_OR = 15  # "Too many child clauses … Max allowed: 15."
MAX_IN = 15  # known issues: `in` by default
MAX_EQ = 120  # known issues: characters of a value compared with eq, by default
MAX_DELTA_IDS = 50  # user-delta.md
MAX_DEPTH = 100  # chosen, not sourced: parentheses, not and any inside one another


# --- refusals -----------------------------------------------------------------------------------------------


def bad_request(message: str) -> GraphError:
    """The gateway cannot read it."""
    return GraphError(400, "BadRequest", message)


def unsupported(message: str) -> GraphError:
    """The directory can read it, and will not do it."""
    return GraphError(400, "Request_UnsupportedQuery", message)


def unsupported_clause(head: str, collection: Collection) -> GraphError:
    """The property never allows it, or only in advanced queries, or does not exist.

    That an unknown name gets this too is chosen, not sourced: ``user`` is an open type, so the gateway lets
    it pass.
    """
    return unsupported(
        f"Unsupported or invalid query filter clause specified for property '{head}' of resource "
        f"'{collection.resource}'."
    )


def _invalid_filter() -> GraphError:
    """Bad syntax and bad literals alike; newer gateways say more, but for /users only this is recorded."""
    return bad_request("Invalid filter clause")


def _needs_advanced(operator: str) -> GraphError:
    return unsupported(
        f"Operator '{operator}' is not supported because the required parameters might be missing. "
        "Try adding $count=true query parameter and ConsistencyLevel:eventual header. "
        "Refer to https://aka.ms/graph-docs/advanced-queries for more information"
    )


def _too_many_clauses(number: int, limit: int) -> GraphError:
    return unsupported(
        "Too many child clauses specified in search filter expression containing 'OR' operators: "
        f"{number}. Max allowed: {limit}."
    )


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


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    @property
    def word(self) -> str:
        """A keyword in lower case, or nothing."""
        return self.text.lower() if self.kind == "name" else ""


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "bad"
        if kind == "bad":
            raise _invalid_filter()
        if kind != "space":
            yield _Token(kind, match[0])
    yield _Token("end", "")


# --- the tree -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Literal:
    """``kind`` is an Edm type, ``Date``, ``Number`` or ``null``; ``value`` is ready to compare with."""

    kind: str
    value: Any = None


_NULL = _Literal("null")


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A comparison. ``head`` names the object's own property, for messages; ``row`` is None when unknown."""

    head: str
    row: Property | None


@dataclass(frozen=True, slots=True)
class _Compare(_Leaf):
    operator: str
    literal: _Literal
    in_lambda: bool


@dataclass(frozen=True, slots=True)
class _In(_Leaf):
    literals: tuple[_Literal, ...]


@dataclass(frozen=True, slots=True)
class _Function(_Leaf):
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class _Size(_Leaf):
    """``path/$count eq 0``, and ``path/any()``, which asks the same."""

    operator: str
    number: str


@dataclass(frozen=True, slots=True)
class _Any(_Leaf):
    body: Node


@dataclass(frozen=True, slots=True)
class Tested(_Leaf):
    """A clause of $search, which nothing negates: `test` says whether a value fits."""

    test: Predicate


@dataclass(frozen=True, slots=True)
class _Not:
    child: Node


@dataclass(frozen=True, slots=True)
class And:
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple[Node, ...]


Node = _Leaf | _Not | And | Or


def _leaves(node: Node | None) -> Iterator[_Leaf]:
    """Every comparison of a tree, those inside any() too, from left to right."""
    match node:
        case None:
            return
        case _Not(child):
            yield from _leaves(child)
        case And(children) | Or(children):
            for child in children:
                yield from _leaves(child)
        case _Any():
            yield node
            yield from _leaves(node.body)
        case _:
            yield node


def heads_of(node: Node | None) -> set[str]:
    """The names of the object's own properties that a filter asks about."""
    return {leaf.head for leaf in _leaves(node)}


def mentions_count(node: Node | None) -> bool:
    return any(isinstance(leaf, _Size) for leaf in _leaves(node))


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
        GraphError: 400 ``Invalid filter clause``, also when the filter is empty.
    """
    return None if text is None else _Parser(text, collection).parse()


class _Parser:
    """Recursive descent over the tokens; one method for each rule of the grammar."""

    def __init__(self, text: str, collection: Collection) -> None:
        self.tokens = _tokens(text)
        self.token = next(self.tokens)
        self.collection = collection
        self.depth = 0
        self.variable: str | None = None  # the range variable inside any(), and what it stands for
        self.members = ""

    def parse(self) -> Node:
        tree = self._or()
        if self.token.kind != "end":
            raise _invalid_filter()
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
            raise _invalid_filter()

    def _name(self) -> str:
        if self.token.kind != "name":
            raise _invalid_filter()
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
            raise _invalid_filter()
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
        if isinstance(child, _Compare | _In | _Size) and not grouped:
            raise _invalid_filter()
        return _Not(child)

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
            raise _invalid_filter()
        self._expect("(")
        head, row = self._resolve(self._path())
        self._expect(",")
        literal = self._literal()
        self._expect(")")
        if literal.kind != "String" or (row and (row.many or (_is_primitive(row) and row.kind != "String"))):
            raise _invalid_filter()
        node = _Function(head, row, "startsWith" if lower == "startswith" else "endsWith", literal.value)
        return self._compared_with_boolean(node)

    def _compared_with_boolean(self, node: Node) -> Node:
        """OData also allows ``startsWith(…) eq true``, and ``eq false`` for the opposite."""
        if self.token.word != "eq":
            return node
        self._next()
        literal = self._literal()
        if literal.kind != "Boolean":
            raise _invalid_filter()
        return node if literal.value else _Not(node)

    def _comparison(self, path: list[str]) -> Node:
        head, row = self._resolve(path)
        operator = self._next().word
        if operator == "in":
            return _In(head, row, self._list(row))
        if operator == "has":
            raise unsupported("Unsupported Query.")
        if operator not in _COMPARISONS:
            raise _invalid_filter()
        literal = self._literal()
        self._check_type(row, literal)
        return _Compare(head, row, operator, literal, self.variable is not None)

    def _list(self, row: Property | None) -> tuple[_Literal, ...]:
        self._expect("(")
        literals = []
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
            raise _invalid_filter()
        return _Size(head, row, operator, literal.value)

    def _lambda(self, path: list[str], quantifier: str) -> Node:
        if quantifier == "all":  # filter-query-parameter.md: "it isn't supported in Microsoft Graph"
            raise unsupported("Unsupported Query.")
        if self.variable is not None:  # chosen, not sourced: no property here holds a collection of collections
            raise _invalid_filter()
        head, row = self._resolve(path)
        if self._accept(")"):
            return _Size(head, self.collection.find("/".join([*path, "$count"])), "ne", "0")
        if row and not row.many:
            raise _invalid_filter()
        self.variable, self.members = self._name(), "/".join(path) + "[]"
        self._expect(":")
        body = self._or()
        self._expect(")")
        self.variable = None
        return _Any(head, row, body)

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
            raise _invalid_filter()
        head = self.members.partition("/")[0].removesuffix("[]")
        row = self.collection.find("/".join([self.members, *path[1:]]))
        return self.collection.canonical(head) or head, row

    def _literal(self) -> _Literal:
        token = self._next()
        match token.kind, token.word:
            case "text", _:
                return _Literal("String", token.text[1:-1].replace("''", "'"))
            case "guid", _:
                return _Literal("Guid", token.text.lower())
            case "number", _:
                return _Literal("Number", token.text)
            case "date", _:
                return _Literal("Date", token.text)
            case "instant", _:
                try:
                    return _Literal("DateTimeOffset", instant(token.text))
                except (ValueError, OverflowError):  # no zone, no such day, or before year 1 in UTC
                    raise _invalid_filter() from None
            case _, "true" | "false":
                return _Literal("Boolean", token.word == "true")
            case _, "null":
                return _NULL
        raise _invalid_filter()

    def _check_type(self, row: Property | None, literal: _Literal) -> None:
        """Refuse ``accountEnabled eq 'true'``; unknown and complex properties are refused by `permit`."""
        if row is None or literal.kind == "null":
            return
        if row.many:  # a collection compared as if it were one value
            raise _invalid_filter()
        fits = {"DateTimeOffset": ("DateTimeOffset", "Date"), "Int32": ("Number",)}
        if _is_primitive(row) and literal.kind not in fits.get(row.kind, (row.kind,)):
            raise _invalid_filter()


def _is_primitive(row: Property) -> bool:
    """Edm's own types begin with a capital, Graph's complex types do not."""
    return row.kind[0].isupper()


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
        if not (isinstance(part, _Compare) and part.head == "id" and part.operator == "eq"):
            raise unsupported_clause(next(_leaves(part)).head, collection)
    if len(parts) > MAX_DELTA_IDS:
        raise _too_many_clauses(len(parts), MAX_DELTA_IDS)


@dataclass(frozen=True)
class _Permission:
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
            case _Not(child):
                if not self.advanced:
                    raise _needs_advanced("not")
                self.walk(child)
            case _Any():
                self._any(node)
            case _Function():
                self._function(node)
            case _Compare():
                self._compare(node)
            case _In():
                self._limit_clauses(len(node.literals), MAX_IN)
                for literal in node.literals:
                    self._compare(_Compare(node.head, node.row, "eq", literal, in_lambda=False))
            case _Size():
                self._size(node)

    def _require(self, letter: str, node: _Leaf) -> None:
        if not allowed(letter, advanced=self.advanced):
            raise unsupported_clause(node.head, self.collection)

    def _limit_clauses(self, number: int, limit: int) -> None:
        """Fifteen by default; else the URL's length is the limit (documented for `in`, chosen for OR).

        The text is recorded for OR; `in` gets the same (chosen), for that is what it becomes.
        """
        if number > limit and not self.advanced:
            raise _too_many_clauses(number, limit)

    def _compare(self, node: _Compare) -> None:
        if node.operator == "ne" and not self.advanced:
            raise unsupported("Filter operator 'NotEqualsMatch' is not supported.")
        self._require(_letter(node), node)
        if node.literal.kind == "Date":  # text of contrib#1961, recorded in an advanced query; by default chosen
            raise unsupported("The type of the value doesn't match the property whose type is DateTime")
        if node.literal.kind == "String" and len(node.literal.value) > MAX_EQ and not self.advanced:
            raise unsupported_clause(node.head, self.collection)  # the limit is documented, the text is chosen

    def _function(self, node: _Function) -> None:
        if node.name == "endsWith" and not self.advanced:
            raise _needs_advanced("endsWith")
        row = node.row or Property(())
        self._require(row.ends if node.name == "endsWith" else row.starts, node)

    def _size(self, node: _Size) -> None:
        compared_with_zero = node.operator in ("eq", "ne") and not node.number.strip("0")
        self._require(node.row.eq if node.row and compared_with_zero else NEVER, node)

    def _any(self, node: _Any) -> None:
        if node.row is None:
            raise unsupported_clause(node.head, self.collection)
        self.walk(node.body)
        asked = {leaf.row.path for leaf in _leaves(node.body) if leaf.row}
        if ("issuerAssignedId",) in asked and ("issuer",) not in asked:  # user-list.md: "you must supply both"
            raise unsupported_clause(node.head, self.collection)


def _letter(node: _Compare) -> str:
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
        case _Not(child):
            return compile_filter(child, not wanted)
        case And(children) | Or(children):
            tests = [compile_filter(child, wanted) for child in children]
            return all_of(tests) if isinstance(node, And) is wanted else some_of(tests)
    return on_path(*leaf_test(node, wanted))


def compile_sieve(node: Node, wanted: bool = True) -> Sieve:
    """The same for many objects at once: a `Sieve` lets those through of which ``node`` is certainly ``wanted``."""
    match node:
        case _Not(child):
            return compile_sieve(child, not wanted)
        case And(children) | Or(children):
            sieves = [compile_sieve(child, wanted) for child in children]
            return sieve_all(sieves) if isinstance(node, And) is wanted else sieve_some(sieves)
    return sieve_values(*leaf_test(node, wanted))


def leaf_test(node: Node, wanted: bool) -> tuple[tuple[str, ...], Predicate]:
    """Where a leaf's value is stored, and whether for such a value the leaf is certainly ``wanted``."""
    match node:
        case _Any():
            test = _any_test(compile_filter(node.body), wanted)
        case _Function():
            test = _function_test(node, wanted)
        case _Compare():
            test = _compare_test(node, wanted)
        case _In():
            test = _in_test(node.row, node.literals, wanted)
        case _Size():
            empty_wanted = (node.operator == "eq") is wanted
            test = (lambda value: not value) if empty_wanted else bool
        case Tested():
            test = node.test
        case _:
            raise TypeError(node)
    return node.row.path, test


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


def _function_test(node: _Function, wanted: bool) -> Predicate:
    """The only place where null comes from: a null value answers neither question."""
    prepare = _preparation(node.row)
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


def _prepared(row: Property, literal: _Literal) -> Any:
    """A literal ready to be compared with; the parser has done all but what depends on the property."""
    return fold(literal.value) if _preparation(row) is fold else literal.value


def _compare_test(node: _Compare, wanted: bool) -> Predicate:
    if node.operator in ("eq", "ne"):
        return _in_test(node.row, (node.literal,), wanted is (node.operator == "eq"))
    prepare, literal = _preparation(node.row), node.literal.value
    if node.operator == "ge":
        return lambda value: (value is not None and prepare(value) >= literal) is wanted
    return lambda value: (value is not None and prepare(value) <= literal) is wanted


def _in_test(row: Property, literals: tuple[_Literal, ...], wanted: bool) -> Predicate:
    """``in``, and ``eq`` as the shortest of its lists."""
    prepare = _preparation(row)
    null_too = _NULL in literals
    values = frozenset(_prepared(row, literal) for literal in literals if literal is not _NULL)
    if prepare is not fold:
        return lambda value: (null_too if value is None else prepare(value) in values) is wanted
    initials = frozenset(initial(value[:1]) for value in values)
    return lambda value: (
        (null_too if value is None else initial(value[:1]) in initials and fold(value) in values) is wanted
    )
