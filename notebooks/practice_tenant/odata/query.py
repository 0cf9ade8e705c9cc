"""The query options of Microsoft Graph's directory collections: from a query string to plain Python values.

`parse_query` reads a raw query string and answers with a `Query`, or raises `GraphError` with the code and text that
Microsoft Graph was seen to answer. Nothing in this package knows a socket or a store: ``query.where`` takes a stored
object (a dict with Graph's property names; what is null or empty may be absent) and says whether it matches.

Sources: graph docs query-parameters.md, paging.md, user-list.md, user-list-manager.md, aad-advanced-queries.md, known
issues of query parameters; single error texts are from issues of microsoft-graph-docs-contrib (contrib#n).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from ..errors import GraphError
from .columns import Sieve
from .compare import Stored
from .filter import parse_filter
from .matching import compile_filter, compile_sieve
from .permits import allowed, permit, permit_delta
from .properties import NOT_EXPANDABLE, Collection
from .refusals import bad_query, raw_count_without_header, unsupported
from .search import parse_search
from .tree import And, Node, heads_of, mentions_count

PAGE_SIZE = 100
MAX_PAGE_SIZE = 999
MAX_PAGE_SIZE_SIGN_IN = 500  # with signInActivity pages end here, whatever $top says (user-list.md)
MAX_ADVANCED_URL = 2_048  # known issues: what limits `in` and `eq` in advanced queries
MAX_QUERY = 16_384  # chosen, not sourced: no gateway takes an endless line

_OPTIONS = frozenset(
    [
        "$select",
        "$filter",
        "$search",
        "$orderby",
        "$top",
        "$skip",
        "$count",
        "$expand",
        "$format",
        "$skiptoken",
    ]
)

# --- the result ---------------------------------------------------------------------------------------------


class Expand(NamedTuple):
    """``$expand=manager``.

    Args:
        select: properties of each manager in the order asked for, or None for the default set.
        levels: how many managers up, or None for ``max``; 1 without $levels.
    """

    select: tuple[str, ...] | None = None
    levels: int | None = 1


@dataclass(frozen=True)
class Query:
    """A request's query options, understood.

    Args:
        select: property names in the metadata's spelling, in the order asked for; None for the default set.
        condition: filter and search as one tree; None when everything matches.
        order_by: (property, descending) pairs, the first the most important.
        top: $top, or None.
        count: ``@odata.count`` is asked for and allowed.
        skiptoken, deltatoken: opaque text, or None.
        expand_manager: None when no manager is asked for.
        advanced: an advanced query, so ``ConsistencyLevel: eventual`` with a $count.
        options: the original options, decoded, as (name, value) pairs.
        sign_in: signInActivity is selected or filtered by.
    """

    select: tuple[str, ...] | None = None
    condition: Node | None = None
    order_by: tuple[tuple[str, bool], ...] = ()
    top: int | None = None
    count: bool = False
    skiptoken: str | None = None
    deltatoken: str | None = None
    expand_manager: Expand | None = None
    advanced: bool = False
    options: tuple[tuple[str, str], ...] = ()
    sign_in: bool = False

    @cached_property
    def where(self) -> Callable[[Stored], bool] | None:
        """The condition as a function of a stored object; None when everything matches."""
        return None if self.condition is None else compile_filter(self.condition)

    @cached_property
    def sieve(self) -> Sieve | None:
        """The condition for many objects at once."""
        return None if self.condition is None else compile_sieve(self.condition)

    @property
    def page_size(self) -> int:
        """How many objects a page holds: $top or 100, and at most 500 when signInActivity is asked for."""
        size = self.top or PAGE_SIZE
        return min(size, MAX_PAGE_SIZE_SIGN_IN) if self.sign_in else size

    @property
    def deciding(self) -> list[tuple[str, str]]:
        """The options that decide which objects come in which order; a page token holds for nothing else."""
        named = ((name.lower(), value) for name, value in self.options)
        return sorted(pair for pair in named if pair[0] in ("$filter", "$orderby", "$search"))

    @property
    def returned(self) -> tuple[str, ...] | None:
        """The keys of the answer: ``select``, and with signInActivity id too (user-list.md, example 11)."""
        if self.select and "signInActivity" in self.select and "id" not in self.select:
            return (*self.select, "id")
        return self.select


# --- the query string ---------------------------------------------------------------------------------------

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _decode(text: str) -> str:
    """Percent-decoding with + as space; 400 when an escape is broken or the bytes are not UTF-8."""
    if _BAD_ESCAPE.search(text):
        raise bad_query("The request URI holds a percent sign that two hexadecimal digits do not follow.")
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeError:  # also a lone surrogate, which cannot even be encoded
        raise bad_query("The request URI is not UTF-8.") from None


def _pairs(query: str) -> tuple[tuple[str, str], ...]:
    """Cut the raw query at its ampersands and decode each name and value."""
    if len(query) > MAX_QUERY:
        raise bad_query(f"The query string is longer than {MAX_QUERY} characters.")
    parts = (part.partition("=") for part in query.split("&") if part)
    return tuple((_decode(name).strip(), _decode(value)) for name, _, value in parts)


def _system_options(pairs: Iterable[tuple[str, str]], known: frozenset[str]) -> dict[str, str]:
    """The options that begin with a dollar sign, names in lower case.

    The prefix is optional on beta, "on v1.0 only for some APIs: always send it". Chosen, not sourced: for the
    directory's collections it is required, so ``filter=…`` is a parameter like any other, and those are
    ignored.
    """
    options: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        # An empty name is what a shell leaves of "$filter" inside double quotes: text of contrib#1321. The
        # same text for an unknown option is chosen, not sourced.
        if not key or (key.startswith("$") and key not in known):
            raise GraphError(400, "Request_BadRequest", f"Unrecognized query argument specified: '{name}'.")
        if key in options:  # chosen, not sourced: the sentence of Microsoft's own OData library
            raise bad_query(
                f"Query option '{key}' was specified more than once, but it must be specified at most once."
            )
        if key.startswith("$"):
            options[key] = value
    return options


def parse_query(
    query: str,
    collection: Collection,
    *,
    eventual: bool,
    count_segment: bool = False,
    single: bool = False,
    delta: bool = False,
) -> Query:
    """Read a query string.

    Args:
        query: what stands behind the question mark, still percent-encoded.
        collection: whose table to apply, e.g. `USERS`.
        eventual: the request has the header ``ConsistencyLevel: eventual`` (in any case).
        count_segment: the path ends in ``/$count``.
        single: the path names one object.
        delta: the path ends in ``/delta``: $deltatoken is allowed, $filter may only list ids.

    Raises:
        GraphError: 400 for everything Graph does not accept, 501 for a property a list cannot return.
    """
    pairs = _pairs(query)
    options = _system_options(pairs, _OPTIONS | {"$deltatoken"} if delta else _OPTIONS)
    eventual = eventual and collection.advanced
    if count_segment and collection.advanced and not eventual:
        raise raw_count_without_header()
    _refuse_misplaced(options, eventual=eventual, count_segment=count_segment, single=single, delta=delta)

    counted = _count(options.get("$count"))
    if counted and not eventual and "$skiptoken" in options and options.keys() & {"$filter", "$orderby"}:
        raise unsupported("Unsupported Query.")  # a later page of an advanced query (msgraph-sdk-dotnet#884)
    select = _select(options.get("$select"), collection, single=single)
    # With delta it "has always been ignored" (microsoft-graph-docs#6194).
    expand = None if delta else _expand(options.get("$expand"), collection)
    tree = parse_filter(options["$filter"], collection) if "$filter" in options else None
    advanced = eventual and (counted or count_segment or mentions_count(tree))
    order_by = _order_by(options.get("$orderby"), collection, eventual=eventual, advanced=advanced)
    if order_by and tree and not advanced:  # comes before what the filter itself may lack (contrib#3145)
        raise unsupported("Sorting not supported for current query.")
    if advanced and tree:
        _refuse_long_url(query)
    if tree and delta:
        permit_delta(tree, collection)
    elif tree:
        permit(tree, collection, advanced=advanced)

    search = parse_search(options["$search"], collection) if "$search" in options else None
    wanted = And((tree, search)) if tree and search else tree or search
    return Query(
        select=select,
        condition=wanted,
        order_by=order_by,
        top=_top(options.get("$top")),
        count=counted and eventual and not count_segment,
        skiptoken=options.get("$skiptoken"),
        deltatoken=options.get("$deltatoken"),
        expand_manager=expand,
        advanced=advanced,
        options=pairs,
        sign_in="signInActivity" in {*(select or ()), *heads_of(tree), *((expand and expand.select) or ())},
    )


def _refuse_misplaced(
    options: Mapping[str, str], *, eventual: bool, count_segment: bool, single: bool, delta: bool
) -> None:
    """Options that this path, or this header, does not allow."""
    if count_segment and not eventual:
        raise GraphError(400, "Request_BadRequest", "$count is not currently supported.")
    if "$skip" in options:  # recorded for users; chosen, not sourced, for the other collections
        raise GraphError(400, "Request_BadRequest", "'$skip' is not supported by the service.")
    if "$search" in options and not eventual:
        raise unsupported(
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'"
        )
    # That delta refuses these is documented, its text is chosen; for a single object both are chosen, not sourced.
    elsewhere = {"$filter", "$search", "$orderby", "$top", "$skiptoken"} if single else set()
    elsewhere |= {"$top", "$orderby", "$search"} if delta else set()
    for name in options:
        if name in elsewhere:
            raise GraphError(400, "Request_BadRequest", f"'{name}' is not supported by the service.")
    wanted = options.get("$format", "json").partition(";")[0].strip().lower()
    if wanted not in ("json", "application/json"):
        raise bad_query("The value of $format must be 'json'.")  # chosen, not sourced


def _refuse_long_url(query: str) -> None:
    """Advanced queries end at 2,048 characters. The page token is the service's own and does not count."""
    token = ("$skiptoken=", "%24skiptoken=")
    own = "&".join(part for part in query.split("&") if not part.lower().startswith(token))
    if len(own) > MAX_ADVANCED_URL:  # the limit is documented; code and text are chosen, not sourced
        raise unsupported(f"The query of an advanced request is longer than {MAX_ADVANCED_URL} characters.")


# --- $count, $top, $select, $orderby, $expand ---------------------------------------------------------------


def _count(value: str | None) -> bool:
    if value is None:
        return False
    if value.strip().lower() not in ("true", "false"):
        raise bad_query(f"Invalid value '{value}' for $count query option found. Use 'true' or 'false'.")
    return value.strip().lower() == "true"


def _top(value: str | None) -> int | None:
    """1 to 999. What is no number gets the OData library's own text (chosen), the rest the recorded one."""
    if value is None:
        return None
    text = value.strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise bad_query(
            f"Invalid value '{value}' for $top query option found. "
            "The $top query option requires a non-negative integer value."
        )
    if not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise unsupported(
            f"Invalid page size specified: '{int(text)}'. Must be between 1 and {MAX_PAGE_SIZE} inclusive."
        )
    return int(text)


def _select(value: str | None, collection: Collection, *, single: bool) -> tuple[str, ...] | None:
    """Canonical names in the order asked for, each once.

    A name that Graph does not know stays as it was written: ``@odata.context`` repeats it, and no object has it
    (recorded: entra-emulator captures, graph-error-bad-select.json; for lists msgraph-sdk-dotnet#1181). ``*`` means the
    default set (msgraph-sdk-dotnet-core#456: accepted, nothing more comes back), and so does an empty value.
    """
    names = [name.strip() for name in (value or "").split(",")]
    if names == [""] or "*" in names:
        return None
    chosen: dict[str, None] = {}
    for name in names:
        if not name.isidentifier():
            raise bad_query(
                f"Parsing OData Select and Expand failed: Term '{value}' is not valid in a $select or $expand"
                " expression."
            )
        known = collection.canonical(name)
        if known is None and collection.relationship(name):
            continue  # chosen, not sourced: that selects a link, which minimal metadata leaves out
        if known is None:
            chosen[name] = None
            continue
        row = collection.find(known)
        if row and row.single_only and not single:
            raise GraphError(501, "NotImplemented", "This operation target is not yet supported.")
        chosen[known] = None
    return tuple(chosen)


def _order_by(
    value: str | None, collection: Collection, *, eventual: bool, advanced: bool
) -> tuple[tuple[str, bool], ...]:
    """(property, descending) pairs. Texts: contrib#1354 without the header, contrib#1338 with it."""
    if value is None or not value.strip():
        return ()
    keys: dict[str, bool] = {}
    for item in value.split(","):
        match = re.fullmatch(r"\s*([\w/]+)(?:\s+(asc|desc))?\s*", item, re.IGNORECASE)
        if not match:
            raise bad_query("Invalid orderby clause")  # chosen, not sourced: in the manner of the filter's
        name, direction = match[1], (match[2] or "asc").lower()
        known = collection.canonical(name) or name
        row = collection.find(known)
        if row is None or not allowed(row.sort, advanced=advanced):
            if eventual:
                raise unsupported("An unsupported property was specified.")
            raise unsupported(f"Unsupported sort property '{known}' for '{collection.resource}'.")
        keys.setdefault(known, direction == "desc")
    return tuple(keys.items())


def _expand(value: str | None, collection: Collection) -> Expand | None:
    """``manager``, ``manager($levels=2)``, ``manager($levels=max;$select=id,displayName)``.

    Nested $select counts only together with $levels (user-list-manager.md); that it is silently left out
    otherwise is chosen, not sourced. One relationship for each request (query-parameters.md).
    """
    if value is None or not value.strip():
        return None
    match = re.fullmatch(r"\s*([^\W\d]\w*)\s*(?:\(([^()]*)\))?\s*", value)
    if not match:
        raise bad_query(
            f"Parsing OData Select and Expand failed: Term '{value}' is not valid in a $select or $expand expression."
        )
    name = match[1]
    if name.lower() not in collection.expandable:
        raise _not_expandable(name, collection)
    nested = _nested_options(match[2] or "")
    if "$levels" not in nested:
        return Expand()
    return Expand(_select(nested.get("$select"), collection, single=True), _levels(nested["$levels"]))


def _not_expandable(name: str, collection: Collection) -> GraphError:
    """Never expandable (recorded for photo), or not played here (our own words), or no such relationship."""
    if name.lower() in NOT_EXPANDABLE:
        name = name[0].upper() + name[1:]
        message = f"Expand is not allowed for property '{name}' according to the entity schema."
        return GraphError(400, "ExpandNotSupported", message)
    if known := collection.relationship(name):
        return GraphError(400, "ExpandNotSupported", f"The practice tenant cannot expand '{known}'.")
    return bad_query(f"Could not find a property named '{name}' on type 'microsoft.graph.{collection.entity}'.")


def _nested_options(text: str) -> dict[str, str]:
    nested = {}
    for part in filter(str.strip, text.split(";")):
        name, _, value = part.partition("=")
        name = name.strip().lower()
        if name not in ("$select", "$levels"):  # chosen, not sourced
            raise unsupported(f"The option '{name}' is not supported inside $expand; use $levels and $select.")
        nested[name] = value.strip()
    return nested


def _levels(text: str) -> int | None:
    if text.lower() == "max":
        return None
    if re.fullmatch(r"[0-9]{1,4}", text) and 1 <= int(text) <= 1_000:
        return int(text)
    raise bad_query(f"$levels must be a number from 1 to 1000 or 'max', not '{text}'.")  # chosen, not sourced
