"""Chapter 06: reading every page, filters with a quotation mark in them, and telling guests from the rest."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pandas as pd
import requests

from ..marking import chosen, of_type, plain
from ..verdicts import GRAPH_SCOPE, Ask, LearnersError, Verdict, exercise, not_yet, right

Page = dict[str, Any]
ReadAll = Callable[[Callable[[str], Page], str], list[Any]]


# --- 06-last --------------------------------------------------------------------------------------------------------


@exercise("06-last")
def last(choice: int, ask: Ask) -> Verdict:
    """The number of the condition under which a page is the last one (Graph docs: paging.md)."""
    return chosen(
        choice,
        3,
        reasons={
            1: "a page may be shorter than the one before it, and another page may follow: Graph promises no size.",
            2: f"the last page usually has users. {_last_page(ask)}",
            4: "a hundred pages of 999 are 99,900 people, and whoever comes after them would be missing silently.",
        },
        otherwise="the four conditions have the numbers 1 to 4, and a number is written without quotation marks.",
    ) or right(_last_page(ask))


def _last_page(ask: Ask) -> str:
    token = ask.token([GRAPH_SCOPE])["access_token"]
    page = ask.graph("/users?$top=999&$select=id", token).json()
    while "@odata.nextLink" in page:
        page = ask.graph(page["@odata.nextLink"].removeprefix(ask.bench.graph_endpoint), token).json()
    return f"The practice tenant's last page has {len(page['value'])} users and no @odata.nextLink."


# --- 06-filter ------------------------------------------------------------------------------------------------------


@exercise(
    "06-filter",
    given="""
def surname_filter(surname):
    text = surname
    return f"surname eq '{text}'"
""",
)
def surname(surname_filter: Callable[[str], str], ask: Ask) -> Verdict:
    """surname_filter(surname) gives a filter in which each quotation mark of the name is written twice (OData)."""
    expected = {
        "Smith": "surname eq 'Smith'",
        "O'Brien": "surname eq 'O''Brien'",
        "D'Angelo-O'Neill": "surname eq 'D''Angelo-O''Neill'",
        "Müller": "surname eq 'Müller'",
        "x' or surname ne 'x": "surname eq 'x'' or surname ne ''x'",
    }
    for name, right_filter in expected.items():
        answer = plain(surname_filter(name))
        if wrong := of_type(answer, str, f"surname_filter({name!r})"):
            return wrong
        if answer != right_filter:
            return not_yet(f"for {name} it gives {answer}, and Graph answers {_graph_on(answer, ask)}")
    answer = _graph_on("surname eq 'O''Brien'", ask)
    return right(f"for O'Brien Graph answers {answer}")


def _graph_on(condition: str, ask: Ask) -> str:
    answer = ask.graph(f"/users?$top=999&$select=id&$filter={quote(condition)}")
    if not answer.ok:
        return ask.sentence(answer)
    found = len(answer.json()["value"])
    return f"{answer.status_code} with {found} {'user' if found == 1 else 'users'} on the first page."


# --- 06-guests ------------------------------------------------------------------------------------------------------

# The rows that tell the usual tests for guests apart: a guest taken over as a member keeps #EXT# in the name, and
# old accounts have no type at all.
_PEOPLE = pd.DataFrame(
    [
        {"displayName": "a guest", "userPrincipalName": "a_fabrikam.example#EXT#@contoso.example", "userType": "Guest"},
        {"displayName": "a member", "userPrincipalName": "b@contoso.example", "userType": "Member"},
        {
            "displayName": "taken over",
            "userPrincipalName": "c_adatum.example#EXT#@contoso.example",
            "userType": "Member",
        },
        {"displayName": "no type", "userPrincipalName": "d@contoso.example", "userType": None},
        {"displayName": "a new-style guest", "userPrincipalName": "e@contoso.example", "userType": "Guest"},
    ]
)
_GUESTS = ["a guest", "a new-style guest"]


@exercise(
    "06-guests",
    given="""
def guests(users):
    is_guest = ...
    return users[is_guest]
""",
)
def guests_today(guests: Callable[[pd.DataFrame], pd.DataFrame], ask: Ask) -> Verdict:
    """guests(users) gives the rows of a table of users that are guests today."""
    people = _PEOPLE.copy()
    found = guests(people)
    if getattr(found, "ndim", 0) == 1 and found.dtype == bool:
        return not_yet("this says of every row whether it is a guest; put it into users[...] to get the rows.")
    if not isinstance(found, pd.DataFrame):
        return not_yet(f"a table of rows is expected, and this is a {type(found).__name__}.")
    missing = [column for column in people.columns if column not in found.columns]
    if missing:
        return not_yet(
            f"the column {missing[0]} is gone: guests(users) gives whole rows, users[condition] has every column."
        )
    names = sorted(found["displayName"])
    if not set(names) <= set(people["displayName"]):
        return not_yet(
            "these people are not in the table it was given: use the argument, not the notebook's own table."
        )
    if "taken over" in names:
        return not_yet("one of them is a member: somebody who came as a guest keeps #EXT# in the name. Use userType.")
    if "no type" in names:
        return not_yet("an account whose userType is missing is among them: compare with 'Guest', not with 'Member'.")
    if names != _GUESTS:
        return not_yet(f"of five people {len(_GUESTS)} are guests, and this gives {names}.")
    if not people.equals(_PEOPLE):
        return not_yet("the table that was handed over has changed: return rows, and leave users as it is.")
    return right("userType says what somebody is today.")


# --- 06-read-all ----------------------------------------------------------------------------------------------------


@exercise("06-read-all")
def all_pages(read_all: ReadAll, ask: Ask) -> Verdict:
    """read_all(get, url) gives the users of all pages, in order."""
    pages: dict[str, Page] = {
        "first": {"value": [{"id": "a"}, {"id": "b"}], "@odata.nextLink": "second"},
        "second": {"value": [], "@odata.nextLink": "third"},
        "third": {"value": [{"id": "c"}], "@odata.nextLink": "fourth"},
        "fourth": {"value": [{"id": "d"}], "@odata.nextLink": "fifth"},
        "fifth": {"value": [{"id": "e"}]},
    }
    asked: list[str] = []

    def get(url: str) -> Page:
        if url not in pages:
            raise ValueError(f"there is no page at {url!r}; the address to ask for is the nextLink, whole")
        if url in asked:
            raise ValueError(f"the page at {url!r} was asked for twice")
        asked.append(url)
        return pages[url]

    rows = _rows(read_all, get)
    if wrong := of_type(rows, list, "read_all(get, url)"):
        return wrong
    rows = plain(rows)
    if any(isinstance(row, list) for row in rows):
        return not_yet("append() puts each page into the list as a list of its own: extend() adds its users.")
    if not all(isinstance(row, dict) for row in rows):
        return not_yet("these are not users: give the dictionaries in page['value'] as they are.")
    if any("value" in row for row in rows):
        return not_yet("these are pages, not users: take what is in page['value'], with extend.")
    ids = [row["id"] for row in rows]
    if ids == ["a", "b"]:
        where = "after the first page" if asked == ["first"] else "at an empty page"
        return not_yet(f"it stops {where}, although there is an @odata.nextLink. Only its absence means the end.")
    if ids == ["a", "b", "c", "d", "e"][: len(ids)] and 2 < len(ids) < 5:
        return not_yet(f"it stops after {len(asked)} pages, and there are 5: the link decides, not a number of pages.")
    if ids != ["a", "b", "c", "d", "e"]:
        return not_yet(
            f"the users are a, b, c, d, e, and this gives {', '.join(ids) or 'nobody'}: keep every page, in order."
        )
    return _on_the_practice_tenant(read_all, ask)


def _rows(read_all: ReadAll, get: Callable[[str], Page]) -> Any:
    try:
        return read_all(get, "first")
    except LearnersError as error:
        if isinstance(error.__cause__, requests.RequestException):
            raise LearnersError("it asks Graph by itself: call get(url), which read_all is given.") from error.__cause__
        raise


def _on_the_practice_tenant(read: ReadAll, ask: Ask) -> Verdict:
    bench = ask.bench
    token = ask.token(["https://graph.microsoft.com/.default"])["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    rows = read(lambda url: bench.session.get(url, headers=headers).json(), f"{bench.graph_endpoint}/users")
    expected = bench.session.get(
        f"{bench.graph_endpoint}/users/$count", headers=headers | {"ConsistencyLevel": "eventual"}
    )
    unique = {row["id"] for row in rows}
    if len(rows) != int(expected.text) or len(unique) != len(rows):
        return not_yet(f"the practice tenant has {expected.text} users, and this gives {len(rows)}.")
    return right(f"all {len(rows)} users of the practice tenant, each once.")
