"""Whatever stands in a query string, the answer is a Query or a refusal that the client can read.

hypothesis invents the requests. How long it looks is said in tests/support/hunt.py.
"""

import time
import unicodedata
from urllib.parse import quote

from hunt import HUNT, LETTERS
from hypothesis import given
from hypothesis import strategies as st
from practice_tenant.errors import GraphError
from practice_tenant.odata.compare import fold, initial
from practice_tenant.odata.links import next_link
from practice_tenant.odata.properties import APPLICATIONS, ORGANIZATION, SERVICE_PRINCIPALS, USERS
from practice_tenant.odata.query import parse_query

COLLECTIONS = st.sampled_from([USERS, APPLICATIONS, SERVICE_PRINCIPALS, ORGANIZATION])
PERSON = {
    "id": "1",
    "displayName": "Zoë İpek",
    "city": "Köln",
    "accountEnabled": True,
    "createdDateTime": "2024-01-01T00:00:00Z",
    "otherMails": ["a@b.c"],
    "assignedLicenses": [{"skuId": "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"}],
    "mail": None,
}


def answers(query, collection=USERS, **how):
    """Parse, and use what was parsed; None when it was refused as a client's mistake should be."""
    try:
        parsed = parse_query(query, collection, eventual=how.pop("eventual", True), **how)
    except GraphError as refused:
        assert 400 <= refused.status < 500 or refused.code == "NotImplemented"
        assert refused.message
        return None
    if parsed.where:
        assert parsed.where(PERSON) in (True, False)
        assert parsed.where({}) in (True, False)
    assert next_link("https://h/v1.0/users", parsed, "t").isascii()
    return parsed


# --- noise ---------------------------------------------------------------------------------------------------------

PIECES = (
    *"(),:/'\"$%&=+-.;*\\ \t\n\0",
    "eq", "ne", "in", "and", "or", "not", "null", "true", "false", "any", "all", "has", "startsWith", "endsWith",
    "contains", "$count", "x", "city", "displayName", "otherMails", "assignedLicenses", "skuId", "createdDateTime",
    "accountEnabled", "AND", "OR", "manager", "$levels", "$select", "id", "2024-01-01T00:00:00Z", "2024-01-01",
    "12", "-1", "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46", "'a'", "''", "é", "\ud800", "x" * 130,
)  # fmt: skip

noise = st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join) | st.text(LETTERS, max_size=60)
OPTIONS = (
    "filter", "search", "select", "orderby", "top", "expand", "count", "skiptoken", "format", "skip", "deltatoken", "x",
)  # fmt: skip
options = st.sampled_from(OPTIONS)


@HUNT
@given(st.text(LETTERS, max_size=200), COLLECTIONS, st.booleans())
def test_any_text_is_answered(query, collection, eventual):
    answers(query, collection, eventual=eventual)


@HUNT
@given(options, noise, COLLECTIONS, st.booleans(), st.booleans())
def test_any_value_of_any_option_is_answered(name, value, collection, eventual, single):
    answers(f"${name}={quote(value, errors='replace')}&$count=true", collection, eventual=eventual, single=single)


@HUNT
@given(st.lists(st.tuples(options, noise), max_size=5))
def test_any_combination_is_answered(pairs):
    answers("&".join(f"${name}={value}" for name, value in pairs))


# --- filters made from the grammar ---------------------------------------------------------------------------------

# Each leaf with what it says of PERSON: True, False or None for null.
LEAVES = {
    "city eq 'KÖLN'": True,
    "city ne 'köln'": False,
    "city in ('x',null)": False,
    "mail eq null": True,
    "startsWith(displayName,'ZOË i')": True,
    "startsWith(mail,'a')": None,
    "endsWith(mail,'a')": None,
    "endsWith(userPrincipalName,'a')": None,
    "accountEnabled eq true": True,
    "createdDateTime le 2023-12-31T23:00:00-01:00": True,
    "createdDateTime ge 2024-01-01T00:00:00.0000001Z": False,
    "otherMails/any(x:startsWith(x,'A@'))": True,
    "otherMails/any(x:not(x eq 'a@b.c'))": False,
    "assignedLicenses/any(l:l/skuId eq cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46)": True,
    "proxyAddresses/$count ne 0": False,
}


def negation(child):
    said, value = child
    return f"not({said})", None if value is None else not value


def conjunction(children):
    values = [value for _, value in children]
    value = False if False in values else None if None in values else True
    return " and ".join(f"({said})" for said, _ in children), value


def disjunction(children):
    values = [value for _, value in children]
    value = True if True in values else None if None in values else False
    return " OR ".join(f"({said})" for said, _ in children), value


filters = st.recursive(
    st.sampled_from(sorted(LEAVES.items(), key=str)),
    lambda inner: (
        inner.map(negation)
        | st.lists(inner, min_size=1, max_size=4).map(conjunction)
        | st.lists(inner, min_size=1, max_size=4).map(disjunction)
    ),
    max_leaves=12,
)


@HUNT
@given(filters)
def test_a_filter_made_from_the_grammar_says_what_three_valued_logic_says(made):
    said, value = made
    query = answers(f"$filter={quote(said)}&$count=true")
    if query is None:  # only ever for its length
        assert len(quote(said)) > 1_900
    else:
        assert bool(query.where(PERSON)) is (value is True)


@HUNT
@given(filters, st.integers(0, 200), st.sampled_from(PIECES))
def test_a_filter_with_something_wrong_in_the_middle_is_answered(made, position, piece):
    said = made[0]
    answers(f"$filter={quote(said[:position] + piece + said[position:], errors='replace')}&$count=true")


# --- comparing -----------------------------------------------------------------------------------------------------

words = st.text(LETTERS, max_size=8)


@HUNT
@given(words)
def test_how_a_text_is_composed_makes_no_difference(word):
    composed, apart = unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word)
    assert fold(composed) == fold(apart)
    assert initial(composed[:1]) == initial(apart[:1])


@HUNT
@given(words, st.integers(0, 8))
def test_the_quick_look_at_initials_never_loses_a_match(word, length):
    start = fold(word)[:length]
    if start:
        assert initial(word[:1]) == initial(start[:1])


# --- size ----------------------------------------------------------------------------------------------------------


def test_hostile_sizes_are_refused_quickly():
    started = time.perf_counter()
    for value in (
        "(" * 1_000_000,
        "not " * 250_000,
        "'" * 1_000_000,
        "'" * 999_999,
        "a/" * 500_000,
        "1" * 1_000_000,
        "city eq 'x' and " * 60_000,
        "otherMails/any(x:" * 50_000,
        "city in (" + "'x'," * 250_000,
        " " * 1_000_000,
    ):
        for size in (len(value), 16_000, 2_000):
            assert answers(f"$filter={value[:size]}", eventual=False) is None
            assert answers(f"$search={value[:size]}") is None
    assert time.perf_counter() - started < 5
