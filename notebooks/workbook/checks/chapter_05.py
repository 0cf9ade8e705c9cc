"""Chapter 05: when MSAL asks Entra ID for a token, and what a daemon does with the answer."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import msal  # type: ignore[import-untyped]

from ..marking import call_of, chosen, of_type, plain
from ..showing import without_secrets
from ..verdicts import GRAPH_SCOPE, Ask, LearnersError, Verdict, Watched, exercise, not_yet, right

OTHER_RESOURCE = "https://management.azure.com"
MARGIN = 300  # seconds; MSAL counts a token with less left as expired (msal/application.py)


def _new_app(ask: Ask) -> msal.ConfidentialClientApplication:
    bench = ask.bench
    return msal.ConfidentialClientApplication(
        bench.client_id,
        authority=bench.authority,
        client_credential={"private_key": bench.private_key, "public_certificate": bench.certificate},
        http_client=bench.session,
        instance_discovery=False,
    )


def _token_requests(ask: Ask) -> int:
    return sum(seen["path"].endswith("/token") for seen in ask.practice.requests())


# --- 05-silent ------------------------------------------------------------------------------------------------------


@exercise(
    "05-silent",
    given="""
def token_result(app, scopes):
    return app.acquire_token_silent(scopes, account=None)
""",
)
def silent(
    token_result: Callable[[msal.ConfidentialClientApplication, list[str]], dict[str, Any]], ask: Ask
) -> Verdict:
    """token_result(app, scopes) gives MSAL's answer, from the app object's cache when there is a token in it."""
    app = _new_app(ask)
    results = []
    for scopes in ([GRAPH_SCOPE], [GRAPH_SCOPE], [f"{OTHER_RESOURCE}/.default"]):
        try:
            results.append(token_result(app, scopes))
        except LearnersError as error:
            if "gives back None" in str(error):
                return not_yet(
                    "it gives back None: acquire_token_silent looks for a person's account, and there is none."
                )
            raise
        if isinstance(plain(results[-1]), str):
            return not_yet("it returns the token's text: here MSAL's whole answer is wanted, which is a dictionary.")
        if wrong := of_type(results[-1], dict, "token_result(app, scopes)"):
            return wrong
    sources = [result.get("token_source") for result in results]
    seen = _token_requests(ask)
    if not list(app.token_cache.search(app.token_cache.CredentialType.ACCESS_TOKEN)):
        return not_yet("the app object that it was given has no token afterwards: ask app, and nothing else.")
    if _audience(results[2].get("access_token", "")) != OTHER_RESOURCE:
        return not_yet(f"asked for {OTHER_RESOURCE}, it gives a token for another resource: hand on scopes.")
    if sources[1] != "cache":
        return not_yet(f"two calls in a row, and the tenant saw {seen - 1} token requests: leave the cache as it is.")
    return right(f"the first answer came from {sources[0]}, and the second from the {sources[1]}.")


# --- 05-sources -----------------------------------------------------------------------------------------------------

FROM_ENTRA, FROM_CACHE = "identity_provider", "cache"


@exercise("05-sources")
def where_from(sources: list[str], ask: Ask) -> Verdict:
    """Where MSAL's answers come from at the start, after 40 minutes and after 57, with tokens that live an hour."""
    if wrong := of_type(sources, list, "sources"):
        return wrong
    if len(plain(sources)) != 3:
        return not_yet(f"there are three moments, and these are {len(plain(sources))} answers.")
    expected = _sources_of_msal(ask, [0, 40 * 60, 57 * 60], 3600)
    return chosen(
        sources,
        expected,
        reasons={
            (FROM_ENTRA, FROM_CACHE, FROM_CACHE): "after 57 minutes the token has three minutes left, and with less "
            "than five MSAL asks for a new one.",
            (FROM_ENTRA,) * 3: "after 40 minutes the token has 20 minutes left, and MSAL gives it out again.",
            (FROM_ENTRA, FROM_ENTRA, FROM_CACHE): "after 40 minutes the first token is still good for 20 minutes.",
            (FROM_CACHE,) * 3: "when the daemon starts its cache is empty.",
            (FROM_CACHE, FROM_CACHE, FROM_ENTRA): "an app object that was just made has nothing in its cache.",
        },
        otherwise=f"each of the three is '{FROM_ENTRA}' or '{FROM_CACHE}', and the first is not from the cache.",
    ) or right("MSAL went through the same moments, and its answers came from there.")


def _sources_of_msal(ask: Ask, starts: list[int], lifetime: int) -> list[str]:
    """The field token_source of the real MSAL's answers at these moments."""
    ask.practice.token_lifetime(lifetime + 1)  # Entra announces one second less
    app, begin, shifted, sources = _new_app(ask), int(time.time()), 0, []
    for start in starts:
        ask.practice.shift_clock(start - shifted)
        shifted = start
        with patch("time.time", return_value=float(begin + start)):
            sources.append(app.acquire_token_for_client([GRAPH_SCOPE])["token_source"])
    return sources


# --- 05-count-requests ----------------------------------------------------------------------------------------------


@exercise(
    "05-count-requests",
    given="""
def count_requests(starts, lifetime):
    requests, ends = 0, 0
    for now in starts:
        if ends - now < ...:
            requests += 1
            ends = ...
    return requests
""",
)
def count(count_requests: Callable[[list[int], int], int], ask: Ask) -> Verdict:
    """count_requests(starts, lifetime) gives the number of token requests that one app object causes."""
    for starts, lifetime in (
        ([0, 600, 5000, 9000], 3599),
        ([0, 3596], 3599),  # 3 seconds left
        ([0, 3400], 3599),  # 199 seconds left
        ([0, 3298, 3300, 3400], 3599),  # 301 and 299 seconds left
        ([3000, 3400, 6200], 3599),  # on a grid of whole lifetimes 3000 and 3400 would lie apart
        ([0, 60, 120], 240),
    ):
        answer = plain(count_requests(list(starts), lifetime))
        if wrong := of_type(answer, int, call_of(count_requests)):
            return wrong
        seen = _seen.get((*starts, lifetime)) or _requests_of_msal(ask, starts, lifetime)
        _seen[*starts, lifetime] = seen  # MSAL's part does not depend on the answer: once in a kernel is enough
        if answer != seen:
            return not_yet(_why_not(starts, lifetime, answer, seen))
    if count_requests([], 3599) != 0:
        return not_yet("a daemon that never asks MSAL causes 0 requests: try an empty list.")
    return right("MSAL went through the same moments, and its tenant counted the same.")


_seen: dict[tuple[int, ...], int] = {}


def _requests_of_msal(ask: Ask, starts: list[int], lifetime: int) -> int:
    """What the tenant sees of the real MSAL at these moments: its clock is set by hand, the tenant's goes along."""
    practice = ask.practice
    practice.reset()
    practice.token_lifetime(lifetime + 1)  # Entra announces one second less
    app, begin, shifted = _new_app(ask), int(time.time()), 0
    for start in starts:
        practice.shift_clock(start - shifted)
        shifted = start
        with patch("time.time", return_value=float(begin + start)):
            app.acquire_token_for_client([GRAPH_SCOPE])
    return _token_requests(ask)


def _why_not(starts: list[int], lifetime: int, answer: int, seen: int) -> str:
    """The reason for this very number, found by making the likely mistakes."""
    requests = "1 token request" if seen == 1 else f"{seen} token requests"
    facts = f"for starts={starts} and lifetime={lifetime} the tenant saw {requests}, not {answer}"
    if answer == len(starts):
        return f"{facts}: one app object does not ask Entra ID every time, it looks into its cache first."
    if lifetime < MARGIN:
        return f"{facts}: a token with less than five minutes to live is never used a second time."
    if answer == _count_with_margin(starts, lifetime, 5):
        return f"{facts}: lifetime is in seconds, so five minutes are 300, not 5."
    if answer == _count_on_a_clock(starts, lifetime):
        return f"{facts}: a new token ends lifetime seconds after now, and not at the moment lifetime."
    if answer == _count_with_margin(starts, lifetime, 0):
        return f"{facts}: the last five minutes of a token count as expired."
    if answer == 1:
        return f"{facts}: one token does not last forever, and the next one ends as well."
    if answer == len({start // (lifetime - MARGIN) for start in starts}):
        return f"{facts}: a new token lives from the moment it was asked for, not on a fixed grid."
    return f"{facts}: walk through starts and remember when the newest token ends."


def _count_with_margin(starts: list[int], lifetime: int, margin: int) -> int:
    requests, ends = 0, float("-inf")
    for now in starts:
        if ends - now <= margin:
            requests, ends = requests + 1, now + lifetime
    return requests


def _count_on_a_clock(starts: list[int], lifetime: int) -> int:
    requests, ends = 0, 0
    for now in starts:
        if ends - now < MARGIN:
            requests, ends = requests + 1, lifetime
    return requests


# --- 05-get-token ---------------------------------------------------------------------------------------------------


@exercise("05-get-token")
def token(get_token: Watched, ask: Ask) -> Verdict:
    """get_token(app, scopes) gives the token's text, or raises RuntimeError with error and correlation id."""
    verdict = _good_answer(get_token, ask) or _second_call(get_token, ask) or _refusals(get_token, ask)
    if verdict:
        return verdict
    if get_token.printed:
        return not_yet("it prints something: what a daemon prints ends up in a log, and a token must not.")
    if get_token.logged != without_secrets(get_token.logged):
        return not_yet("it logs a token or a key: whoever reads the log could be your daemon.")
    return right("the caller has a token, or a sentence that is fit for a log.")


def _good_answer(learners: Watched, ask: Ask) -> Verdict | None:
    """The token's text, for the resource that was asked for."""
    for resource in ("https://graph.microsoft.com", OTHER_RESOURCE):
        try:
            token = learners(_new_app(ask), [f"{resource}/.default"])
        except LearnersError as error:
            if isinstance(error.__cause__, TypeError) and "NoneType" in str(error.__cause__):
                return not_yet("acquire_token_silent gives None to a daemon: take acquire_token_for_client.")
            raise
        if isinstance(token, dict):
            return not_yet('it returns the whole dict: the token\'s text is result["access_token"].')
        if wrong := of_type(token, str, "get_token(app, scopes)"):
            return wrong
        if wrong := _decorated(plain(token), ask):
            return wrong
        if _audience(token) != resource:
            return not_yet(f"asked for a token for {resource}, it returns something else: hand on scopes.")
    return None


def _decorated(token: str, ask: Ask) -> Verdict | None:
    """A token with something around it, which no API takes."""
    bare = token.strip().removeprefix("Bearer ").strip()
    if token == bare:
        return None
    if token.strip() != token:
        return not_yet("there is a space or a line end around the token's text, and a header cannot hold it.")
    status = ask.graph("/users?$top=1", token).status_code
    return not_yet(f"it adds Bearer, which belongs to the header: sent as a token, Graph answers {status}.")


def _audience(token: str) -> str | None:
    """The aud of an access token, None when it is none. The check may look: it stands on the tenant's side."""
    try:
        payload = token.split(".")[1]
        audience = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get("aud")
        return str(audience)
    except (ValueError, IndexError, AttributeError):
        return None


def _second_call(learners: Watched, ask: Ask) -> Verdict | None:
    app = _new_app(ask)
    before = _token_requests(ask)
    learners(app, [GRAPH_SCOPE])
    learners(app, [GRAPH_SCOPE])
    seen = _token_requests(ask) - before
    if seen == 1:
        return None
    if not list(app.token_cache.search(app.token_cache.CredentialType.ACCESS_TOKEN)):
        return not_yet("the app object that it was given has no token afterwards: use app, and make no new one inside.")
    return not_yet(f"two calls with one app object, and the tenant saw {seen} token requests: leave the cache alone.")


def _refusals(learners: Watched, ask: Ask) -> Verdict | None:
    """Two refusals with different words, so that a fixed message does not pass."""
    verdict = _refusal(learners, ask, ["User.Read.All"])
    if verdict:
        return verdict
    ask.practice.app("remove")
    return _refusal(learners, ask, [GRAPH_SCOPE])


def _refusal(learners: Watched, ask: Ask, scopes: list[str]) -> Verdict | None:
    app = _new_app(ask)
    try:
        answer = learners(app, scopes)
    except LearnersError as error:
        raised, text = error.__cause__, str(error.__cause__)
    else:
        return not_yet(f"Entra ID refused, and it returns a {type(answer).__name__}: raise RuntimeError instead.")
    refusal = ask.last.answered
    if raised is None:
        return not_yet("Entra ID refused, and it returns None: the caller would go on without a token.")
    if isinstance(raised, KeyError):
        return not_yet(f"Entra ID refused, and KeyError: {text} is all the caller learns: look before you take.")
    if not isinstance(raised, RuntimeError):
        return not_yet(f"Entra ID refused, and it raises {type(raised).__name__}: RuntimeError is wanted.")
    return _message(text, refusal)


def _message(text: str, refusal: dict[str, str]) -> Verdict | None:
    if "PRIVATE KEY" in text or "CERTIFICATE" in text:
        return not_yet("the message holds the credential: whoever reads the log could be your daemon.")
    if refusal["error"] not in text:
        return not_yet(f"the message does not hold the value of error, here {refusal['error']}.")
    if refusal["correlation_id"] not in text:
        return not_yet("the message does not hold the value of correlation_id, by which Microsoft finds the call.")
    return None
