"""Chapter 07: how long to wait for Graph, and whether everybody has arrived."""

from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

from ..marking import call_of, of_type, plain
from ..verdicts import GRAPH_SCOPE, Ask, LearnersError, Verdict, exercise, not_yet, right

Users = list[dict[str, Any]]
Complete = Callable[[list[Users], int], Users]
Wait = Callable[[int, Mapping[str, str], int], float | None]

# --- 07-which -------------------------------------------------------------------------------------------------------

WORTH = {
    429: "Graph asks to wait, and after that",
    500: "a failure inside Graph may be over, so that",
    503: "the service was busy, and after that",
}
NOT_WORTH = {
    400: ("/users?$top=1000", "a wrong request stays wrong"),
    401: ("/users?$top=1", "a bad token stays bad, and with a new one it would be another request"),
    403: ("/users?$top=1", "the permission is missing in a minute as well"),
    404: ("/users/nobody@contoso.example", "an object that is not there does not come"),
}


@exercise("07-which")
def which(worth_another: list[int], ask: Ask) -> Verdict:
    """Those of seven statuses after which the very same request may succeed a little later, in any order."""
    statuses = plain(worth_another)
    statuses = sorted(statuses) if isinstance(statuses, set) else statuses
    if wrong := of_type(statuses, list, "worth_another"):
        return wrong
    if any(isinstance(status, str) for status in statuses):
        return not_yet("a status is a number, and it is written without quotation marks.")
    for status, (path, reason) in NOT_WORTH.items():
        if status in statuses:
            return not_yet(
                f"asked three times, the practice tenant answers {_asked_again(status, path, ask)}: {reason}."
            )
    for status, reason in WORTH.items():
        if status not in statuses:
            seen = _asked_after_a_failure(status, ask)
            return not_yet(
                f"{status} is missing: {reason} the same request succeeds. The practice tenant answers {seen}."
            )
    if others := [status for status in statuses if status not in WORTH]:
        return not_yet(f"{others[0]} is none of the seven statuses.")
    return right("after these three, waiting changes something.")


def _asked_again(status: int, path: str, ask: Ask) -> list[int]:
    token = "a.bad.token" if status == 401 else ask.token([GRAPH_SCOPE])["access_token"]
    if status == 403:
        ask.practice.revoke("User.Read.All")
        token = ask.token([GRAPH_SCOPE])["access_token"]
    return [ask.graph(path, token).status_code for _ in range(3)]


def _asked_after_a_failure(status: int, ask: Ask) -> list[int]:
    token = ask.token([GRAPH_SCOPE])["access_token"]
    ask.practice.fail("graph", status=status)
    return [ask.graph("/users?$top=1", token).status_code for _ in range(2)]


# --- 07-wait --------------------------------------------------------------------------------------------------------


@exercise("07-wait")
def wait(seconds_to_wait: Wait, ask: Ask) -> Verdict:
    """seconds_to_wait(status, headers, attempt) gives the seconds until the next attempt, None for no attempt."""
    verdict = _as_told(seconds_to_wait, ask) or _without_being_told(seconds_to_wait, ask) or _no_more(seconds_to_wait)
    return verdict or right("as long as Graph says, longer each time when it does not, and not for ever.")


def _seconds(learners: Wait, status: int, headers: Mapping[str, str], attempt: int) -> float | None:
    """The learner's answer; None is a good one here, although `check` takes it for a forgotten return elsewhere."""
    try:
        seconds: float | None = plain(learners(status, CaseInsensitiveDict(headers), attempt))
        return seconds
    except LearnersError as error:
        if error.__cause__ is None:
            return None
        raise


def _as_told(learners: Wait, ask: Ask) -> Verdict | None:
    """The practice tenant throttles, and its own headers are handed on."""
    token = ask.token([GRAPH_SCOPE])["access_token"]
    for asked, attempt in ((7, 3), (30, 0)):
        ask.practice.fail("graph", status=429, retry_after=asked)
        answer = ask.graph("/users?$top=1", token)
        given = _seconds(learners, answer.status_code, answer.headers, attempt)
        if isinstance(given, str):
            return not_yet(f"this is the text {given!r}, and time.sleep wants a number: a header is always text.")
        if given != asked:
            facts = f"the practice tenant answers 429 with Retry-After {asked}, and this waits {_words(given)}"
            early = given is not None and given < asked
            return not_yet(f"{facts}: {'too early is counted again' if early else 'what Graph asks for decides'}.")
    return _older_example(learners)


def _older_example(learners: Wait) -> Verdict | None:
    """Graph docs throttling.md showed ``Retry-After: 2.128`` in 2020."""
    try:
        given = _seconds(learners, 429, {"Retry-After": "2.128"}, 0)
    except LearnersError as error:
        if isinstance(error.__cause__, ValueError):
            return not_yet("Retry-After was 2.128 in an example of Microsoft's own: int() does not take that text.")
        raise
    return None if given == 2.128 else not_yet(f"Retry-After is 2.128, and this waits {_words(given)}.")


AGAIN = {
    503: "a busy service recovers",
    504: "a gateway that waited in vain may have better luck",
    500: "most failures inside Graph pass",
    502: "a gateway's bad answer passes as well",
    408: "the request came in too slowly, and the next one may not",
    429: "too many requests now are not too many in a while, even when no header says how long",
    507: "every status from 500 on but 501 is worth another attempt",
    509: "every status from 500 on but 501 is worth another attempt, and Graph documents 509 for bandwidth",
}


def _without_being_told(learners: Wait, ask: Ask) -> Verdict | None:
    ask.practice.fail("graph", status=503)
    answer = ask.graph("/users?$top=1")
    try:
        given = [_seconds(learners, status, answer.headers, attempt) for status in AGAIN for attempt in range(5)]
    except LearnersError as error:
        if isinstance(error.__cause__, KeyError | TypeError):
            return not_yet("the practice tenant answers 503 without Retry-After, and your function needs the header.")
        raise
    for status, first in zip(AGAIN, given[::5], strict=True):
        if first is None:
            return not_yet(f"for {status} it does not wait at all, expected 1: {AGAIN[status]}.")
    if None in given:
        return not_yet("attempts 0 to 4 without Retry-After: all five are followed by another one.")
    if given != [1, 2, 4, 8, 16] * len(AGAIN):
        pauses = ", ".join(f"{pause:g}" for pause in given[:5])
        return not_yet(f"without Retry-After the pauses are 1, 2, 4, 8, 16 seconds; these are {pauses}.")
    return None


_NOT_AGAIN = {
    200: "that is an answer and no failure.",
    400: "the same request gets the same answer in a minute.",
    401: "it needs a new token, not patience.",
    403: "without consent the answer is the same in a minute.",
    404: "what is not there is not there in a minute either.",
    431: "headers that are too large stay too large. Of the statuses below 500 only 408 and 429 pass.",
    501: "what Graph does not implement today it does not implement in a minute.",
}


def _no_more(learners: Wait) -> Verdict | None:
    for status, reason in _NOT_AGAIN.items():
        given = _seconds(learners, status, {}, 0)
        if given is not None:
            return not_yet(f"for {status} it waits {_words(given)}, expected None: {reason}")
    if _seconds(learners, 503, {}, 5) is not None:
        return not_yet("attempt 5 is the last one, and this goes on forever when Graph does not recover.")
    if _seconds(learners, 429, {"Retry-After": "7"}, 5) is not None:
        return not_yet("attempt 5 is the last one, even when the header asks for another.")
    return None


def _words(seconds: float | None) -> str:
    return "not at all" if seconds is None else f"{seconds:g} s" if isinstance(seconds, int | float) else repr(seconds)


# --- 07-complete ----------------------------------------------------------------------------------------------------


@exercise(
    "07-complete",
    given="""
def complete(parts, count):
    people = ...
    if len(people) != count:
        raise ValueError(f"Graph counts {count} users, and {len(people)} arrived.")
    return list(people.values())
""",
)
def everybody(complete: Callable[[list[Users], int], Users], ask: Ask) -> Verdict:
    """complete(parts, count) gives each user once, or raises ValueError when somebody is missing."""
    a, b, c, d = ({"id": name, "displayName": name.upper()} for name in "abcd")
    verdict = (
        _each_once(complete, [[a, b], [], [c]], "abc")
        or _each_once(complete, [[a, b], [b, c], [d, a]], "abcd")
        or _refuses(complete, [[a, b], [c]], 4, "one of four users is missing")
        or _refuses(complete, [[a, b], [b, c]], 4, "of four rows for four users one is there twice and one is missing")
        or _refuses(complete, [], 1, "no partition, and one user")
        or _refuses(complete, [[a, b], [c]], 2, "three users arrived where Graph counts two")
    )
    return verdict or _on_the_practice_tenant(complete, ask)


def _each_once(learners: Complete, parts: list[Users], names: str) -> Verdict | None:
    rows = sum(len(part) for part in parts)
    try:
        people = learners(parts, len(names))
    except LearnersError as error:
        if isinstance(error.__cause__, ValueError) and rows > len(names):
            return not_yet(f"{rows} rows are {len(names)} users, nobody is missing, and it raises: compare the ids.")
        raise
    if wrong := of_type(people, list, call_of(learners)):
        return wrong
    people = plain(people)
    if not all(isinstance(person, dict) for person in people):
        return not_yet("these are not users: return the whole dictionaries, not only their ids.")
    ids = sorted(person["id"] for person in people)
    if len(ids) > len(set(ids)):
        return not_yet("partitions may overlap, and somebody is in the list twice: each id once.")
    if ids != list(names):
        return not_yet(f"the users are {', '.join(names)}, and this gives {', '.join(ids) or 'nobody'}.")
    return None


def _refuses(learners: Complete, parts: list[Users], count: int, what: str) -> Verdict | None:
    try:
        people = learners(parts, count)
    except LearnersError as error:
        if isinstance(error.__cause__, ValueError):
            return None
        if error.__cause__ is None:
            return not_yet(f"{what}, and it returns None: raise ValueError, so that nobody takes it for an answer.")
        return not_yet(f"{what}, and it raises {type(error.__cause__).__name__}, expected ValueError.")
    length = len(people) if isinstance(people, list) else "something"
    return not_yet(f"{what}, and it returns {length} without a word: raise ValueError.")


def _on_the_practice_tenant(learners: Complete, ask: Ask) -> Verdict:
    """Three partitions of real users that overlap, and the same without one of them."""
    token = ask.token([GRAPH_SCOPE])["access_token"]
    filters = ("userType eq 'Member'", "userType eq 'Guest'", "accountEnabled eq true", "accountEnabled eq false")
    parts = [ask.graph(f"/users?$top=999&$select=id&$filter={text}", token).json()["value"] for text in filters]
    everybody = {user["id"] for part in parts for user in part}
    verdict = _refuses(learners, parts[:2], len(everybody), "two old accounts are neither Member nor Guest")
    if verdict:
        return verdict
    people = plain(learners(parts, len(everybody)))
    if {person["id"] for person in people} != everybody:
        return not_yet(f"the practice tenant has {len(everybody)} users, and this gives {len(people)}.")
    return right(f"{sum(map(len, parts))} rows of the practice tenant are {len(people)} users, and two lost ones show.")


# --- 07-layer -------------------------------------------------------------------------------------------------------

OLD_LINK = {
    400: "Graph refuses the old link of a chain with 400, and only a new chain helps",
    410: "410 says that a link or a token for changes is gone, and only a new chain helps",
}
PASSED_ON = {
    403: "a missing permission is missing in the new chain as well, and the layer would start over forever",
    401: "a new chain with the same token is refused like the old one",
    404: "what is not there is not there for a new chain",
    429: "waiting helps there, and starting over costs all pages that were read",
    503: "waiting helps there, and starting over costs all pages that were read already",
    409: "a conflict is not a link that has grown old",
    402: "only 400 and 410 say that a link has grown old",
    200: "that is an answer and no failure",
}


@exercise(
    "07-layer",
    given="""
def starts_over(failure):
    return True
""",
)
def layer(starts_over: Callable[[requests.HTTPError], bool], ask: Ask) -> Verdict:
    """starts_over(failure) is True for a requests.HTTPError whose status is 400 or 410."""
    real = _refused_link(ask)
    answers = {status: starts_over(_failure(status)) for status in (*OLD_LINK, *PASSED_ON)}
    answers[400] = starts_over(real)
    for status, answer in answers.items():
        if wrong := of_type(answer, bool, f"starts_over(a failure with {status})"):
            return wrong
    for status, reason in OLD_LINK.items():
        if not plain(answers[status]):
            return not_yet(f"for {status} it gives False: {reason}.")
    for status, reason in PASSED_ON.items():
        if plain(answers[status]):
            return not_yet(f"for {status} it gives True: {reason}.")
    return right("the practice tenant refused an old link just now, and this starts over.")


def _failure(status: int) -> requests.HTTPError:
    answer = requests.Response()
    answer.status_code = status
    return requests.HTTPError(f"{status} for an invented address", response=answer)


def _refused_link(ask: Ask) -> requests.HTTPError:
    """The failure of a real second page whose link has grown old."""
    token = ask.token([GRAPH_SCOPE])["access_token"]
    link = ask.graph("/users?$top=5&$select=id", token).json()["@odata.nextLink"]
    ask.practice.fail("graph", expired_page_token=True)
    answer = ask.graph(link.removeprefix(ask.bench.graph_endpoint), token)
    return requests.HTTPError(str(answer.status_code), response=answer)
