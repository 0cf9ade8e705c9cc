"""Chapter 05: when MSAL asks Entra ID for a token, and what a daemon does with the answer."""

import base64
import json
import time
from collections.abc import Callable
from unittest.mock import patch

import msal  # type: ignore[import-untyped]

from ..marking import call_of, of_type, plain
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


# --- 05-count-requests ----------------------------------------------------------------------------------------------


@exercise("05-count-requests")
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
