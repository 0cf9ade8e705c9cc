"""Chapter 09: adding a credential without losing another, the order of a rotation, and what is due when."""

import base64
import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Any

import msal  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ..keys import self_signed
from ..marking import call_of, of_type, plain, same
from ..verdicts import GRAPH_SCOPE, Ask, LearnersError, Verdict, exercise, not_yet, right

Credential = dict[str, Any]
Keep = Callable[[list[Credential], Credential], dict[str, Any]]
Due = Callable[[list[Credential], dt.datetime, int], list[str]]
COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"  # Microsoft's own public client, as in the chapter


class _Registration:
    """The app's registration in the tenant of the checks, as the administrator who has signed in sees it."""

    def __init__(self, ask: Ask) -> None:
        self._ask, bench = ask, ask.bench
        tools = msal.PublicClientApplication(
            COMMAND_LINE_TOOLS, authority=bench.authority, http_client=bench.session, instance_discovery=False
        )
        flow = tools.initiate_device_flow(["Application.ReadWrite.All"])
        ask.practice.sign_in(flow["user_code"])
        token = tools.acquire_token_by_device_flow(flow)["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        self._address = f"{bench.graph_endpoint}/applications(appId='{bench.client_id}')"

    def certificates(self) -> list[Credential]:
        answer = self._ask.bench.session.get(self._address, headers=self._headers, params={"$select": "keyCredentials"})
        certificates: list[Credential] = answer.json()["keyCredentials"]
        return certificates

    def patch(self, body: dict[str, Any]) -> str:
        """What Graph answers, as ``204`` or a refusal in one sentence."""
        answer = self._ask.bench.session.patch(self._address, headers=self._headers, json=body)
        return str(answer.status_code) if answer.ok else self._ask.sentence(answer)


@cache
def _new_pair() -> tuple[str, Credential]:
    """A private key as PEM, and its certificate as Graph takes it."""
    key, certificate = self_signed("practice-daemon", days=90)
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
    private_key = key.private_bytes(pem, form, serialization.NoEncryption()).decode()
    return private_key, {"type": "AsymmetricX509Cert", "usage": "Verify", "key": der}


def _token_with(private_key: str, certificate: str, ask: Ask) -> str:
    """What Entra ID answers to a daemon that starts with this pair."""
    result = ask.token([GRAPH_SCOPE], client_credential={"private_key": private_key, "public_certificate": certificate})
    if "error" not in result:
        return "a token"
    return f"AADSTS{result['error_codes'][0]}"


def _as_pem(credential: Credential) -> str:
    certificate = x509.load_der_x509_certificate(base64.b64decode(credential["key"]))
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


# --- 09-keep --------------------------------------------------------------------------------------------------------


@exercise(
    "09-keep",
    given="""
def body_to_add(existing, new):
    credentials = [new]
    return {"keyCredentials": credentials}
""",
)
def keep(body_to_add: Keep, ask: Ask) -> Verdict:
    """body_to_add(existing, new) gives the body of a PATCH that keeps all that are there and adds the new one."""
    first, second, third = ({"keyId": name} for name in ("first", "second", "third"))
    for existing in ([first], [first, second], []):
        if wrong := _not_all(body_to_add, existing, third):
            return wrong
    return _registered_beside_the_old(body_to_add, ask)


def _not_all(learners: Keep, existing: list[Credential], new: Credential) -> Verdict | None:
    body = learners(existing, new)
    call = call_of(learners)
    if wrong := of_type(body, dict, call):
        return wrong
    body = plain(body)
    if list(body) != ["keyCredentials"]:
        return not_yet(f"{call} gives a body with {', '.join(body) or 'nothing'}: Graph's name is keyCredentials.")
    if body["keyCredentials"] is None:
        return not_yet("keyCredentials is None: a list's append() changes the list and gives back nothing.")
    if wrong := of_type(body["keyCredentials"], list, f"keyCredentials of {call}"):
        return wrong
    if any(isinstance(one, list) for one in body["keyCredentials"]):
        return not_yet("a list is inside the list: put each of the existing ones into it, with + or with *.")
    names = [one["keyId"] for one in body["keyCredentials"]]
    expected = [one["keyId"] for one in (*existing, new)]
    if lost := [name for name in expected if name not in names]:
        which = "the new one" if lost == ["third"] else f"{len(lost)} of {len(existing)} existing ones"
        return not_yet(f"{call} leaves out {which}, and a PATCH replaces the whole list.")
    if sorted(names) != sorted(expected):
        return not_yet(f"each credential belongs into the list once, and this has {', '.join(names)}.")
    if not same(sorted(body["keyCredentials"], key=lambda one: one["keyId"]), sorted((*existing, new), key=_key_id)):
        return not_yet("an existing entry has changed: hand each one on as Graph returned it.")
    return None


def _key_id(credential: Credential) -> str:
    return str(credential["keyId"])


def _registered_beside_the_old(learners: Keep, ask: Ask) -> Verdict:
    registration = _Registration(ask)
    private_key, new = _new_pair()
    answer = registration.patch(plain(learners(registration.certificates(), new)))
    seen = {
        "the old key": _token_with(ask.bench.private_key, ask.bench.certificate, ask),
        "the new key": _token_with(private_key, _as_pem(new), ask),
    }
    words = " and ".join(f"a daemon with {name} gets {result}" for name, result in seen.items())
    if set(seen.values()) != {"a token"}:
        return not_yet(f"Graph answers {answer}, and after that {words}.")
    return right(f"Graph answers {answer}, and after that {words}.")


# --- 09-order -------------------------------------------------------------------------------------------------------


@exercise("09-order")
def rotation(order: list[str], ask: Ask) -> Verdict:
    """The steps of a rotation in the one order in which every daemon can sign in at every moment."""
    steps = plain(order)
    if isinstance(steps, str):
        steps = [letter for letter in steps if letter.isalpha()]
    if wrong := of_type(steps, list, "order"):
        return wrong
    steps = [str(step).strip().casefold() for step in steps]
    if sorted(steps) != ["a", "b", "c", "d"]:
        return not_yet("each of the letters a, b, c and d is wanted once.")
    place = {step: steps.index(step) for step in steps}
    if place["a"] < place["b"]:
        return not_yet(
            "the old certificate goes before the new one is there, and in between Entra ID answers "
            f"{_with_none_registered(ask)} to every daemon that starts."
        )
    if min(place["c"], place["d"]) < place["b"]:
        private_key, new = _new_pair()
        reply = _token_with(private_key, _as_pem(new), ask)
        return not_yet(f"a daemon signs with a key that Entra ID has not been told about, and the answer is {reply}.")
    if place["a"] < place["c"]:
        return not_yet(
            "the old certificate goes while daemons still sign with its key, and Entra ID answers "
            f"{_old_key_after_the_removal(ask)} as soon as one of them starts again."
        )
    if place["c"] < place["d"]:
        return not_yet("every daemon has the new key before one of them has tried it: let a single one go first.")
    return right("at every moment each daemon has a key whose certificate is registered.")


def _with_none_registered(ask: Ask) -> str:
    _Registration(ask).patch({"keyCredentials": []})
    return _token_with(ask.bench.private_key, ask.bench.certificate, ask)


def _old_key_after_the_removal(ask: Ask) -> str:
    _Registration(ask).patch({"keyCredentials": [_new_pair()[1]]})
    return _token_with(ask.bench.private_key, ask.bench.certificate, ask)


# --- 09-due ---------------------------------------------------------------------------------------------------------

NOW = dt.datetime(2031, 5, 20, 12, 0, tzinfo=dt.UTC)  # far from today, so that an answer with a clock of its own shows


def _ending(key_id: str, **after: int) -> Credential:
    """A credential that ends so long after NOW, as Graph writes it."""
    end = NOW + dt.timedelta(**after)
    return {"keyId": key_id, "startDateTime": "2030-01-01T00:00:00Z", "endDateTime": f"{end:%Y-%m-%dT%H:%M:%SZ}"}


_SOON = [_ending("in 10 hours", hours=10), _ending("in 10 days", days=10)]
_ENDED = [_ending("a week ago", days=-7), _ending("60 days ago", days=-60)]


@exercise(
    "09-due",
    given="""
def due(credentials, now, days):
    found = []
    for credential in credentials:
        end = dt.datetime.fromisoformat(credential["endDateTime"])
        if end <= ...:
            found.append(credential["keyId"])
    return found
""",
)
def warning(due: Due, ask: Ask) -> Verdict:
    """due(credentials, now, days) gives the key ids of those that end within so many days, or have ended already."""
    cases = [
        ([*_SOON, *_ENDED, _ending("in a year", days=365)], 30, "10 days are within 30, a year is not"),
        ([_ending("in 20 days", days=20), _ending("in 45 days", days=45)], 60, "days says how many, here 60"),
        ([_ending("in 30 days and 6 hours", days=30, hours=6)], 30, "six hours after the 30 days are too late"),
        ([_ending("10 days ago", days=-10), _ending("a year ago", days=-365)], 30, "an expired one is most urgent"),
        ([_ending("an hour ago", hours=-1), _ending("in an hour", hours=1)], 0, "with 0 days only the expired ones"),
        ([], 30, "no credentials, and nothing is due"),
    ]
    for credentials, days, reason in cases:
        expected = [one["keyId"] for one in credentials if _end(one) <= NOW + dt.timedelta(days=days)]
        found = _due(due, credentials, days)
        if isinstance(found, Verdict):
            return found
        if wrong := of_type(found, list, "due(credentials, now, days)"):
            return wrong
        if not same(sorted(map(str, plain(found))), sorted(expected)):
            names = ", ".join(one["keyId"] for one in credentials)
            got = ", ".join(map(str, plain(found))) or "none"
            why = _mistaken(plain(found), credentials, days) or reason
            return not_yet(f"of those that end {names} it finds {got} for {days} days: {why}.")
    return _of_the_tenant(due, ask)


def _mistaken(found: list[str], credentials: list[Credential], days: int) -> str:
    """What the usual mistakes with the limit would find, and which of them found just that."""
    limits = {
        "these have ended already, and the warning is to come before": NOW,
        "the limit is days ahead of now, and not behind it": NOW - dt.timedelta(days=days),
        "the limit is days ahead, and not hours": NOW + dt.timedelta(hours=days),
        "the moment is the argument now, and not what a clock says": dt.datetime.now(dt.UTC) + dt.timedelta(days=days),
    }
    for words, limit in limits.items():
        if same(sorted(found), sorted(one["keyId"] for one in credentials if _end(one) <= limit)):
            return words
    return ""


def _end(credential: Credential) -> dt.datetime:
    return dt.datetime.fromisoformat(credential["endDateTime"])


def _due(learners: Due, credentials: list[Credential], days: int) -> Any:
    try:
        return learners(credentials, NOW, days)
    except LearnersError as error:
        if isinstance(error.__cause__, TypeError):
            words = str(error.__cause__)
            return not_yet(f"Python cannot do this with a moment ({words}): dt.timedelta makes a span of days.")
        raise


def _of_the_tenant(learners: Due, ask: Ask) -> Verdict:
    """What Graph returns of the practice app, on the day before the end of its certificate."""
    [credential] = _Registration(ask).certificates()
    eve = _end(credential) - dt.timedelta(days=1)
    if plain(learners([credential], eve, 7)) != [credential["keyId"]]:
        return not_yet("the practice app's own certificate, a day before its end, is not found.")
    return right("it also finds the practice app's own certificate, a week before its end.")


# --- 09-next --------------------------------------------------------------------------------------------------------

STEPS = ("add", "switch", "remove", "nothing")
NIGHTS = [  # days that the one in use has left, days that the others have left, the right step, why
    (200, [], "nothing", "the only one is good for 200 days"),
    (10, [], "add", "the only one ends in 10 days"),
    (10, [20], "add", "the other one ends later, but also within 30 days"),
    (-3, [], "add", "the only one has ended already"),
    (10, [365], "switch", "the one in use ends in 10 days, and another one is good for a year"),
    (100, [365], "switch", "another one is good for longer, so that there is no need to wait"),
    (365, [100], "remove", "the one in use is the newest, and the other one is needed no more"),
    (365, [-5], "remove", "the other one has ended, and it is still registered"),
    (60, [40], "remove", "the other one ends before the one in use, so that nobody switches to it"),
    (10, [5], "add", "both end within 30 days, and what is removed now may still be in use somewhere"),
    (10, [-20, 365], "switch", "one of the two others is good for a year"),
    (10, [365, -20], "switch", "one of the two others is good for a year, in whatever order they come"),
    (365, [100, -20], "remove", "there are two others, and none of them is newer"),
    (-3, [365], "switch", "the one in use has ended, and another one is good for a year"),
]


@exercise("09-next")
def step(next_step: Callable[[list[Credential], str, dt.datetime], str], ask: Ask) -> Verdict:
    """next_step(credentials, in_use, now) gives "add", "switch", "remove" or "nothing"."""
    for left, others, expected, reason in NIGHTS:
        credentials = [_ending("in use", days=left)]
        credentials += [_ending(f"other {number}", days=days) for number, days in enumerate(others, 1)]
        for listed in (credentials, credentials[::-1]):
            found = plain(next_step(listed, "in use", NOW))
            if wrong := of_type(found, str, "next_step(credentials, in_use, now)"):
                return wrong
            words = f"with {left} days left in use and {others or 'no'} days left in others"
            if found not in STEPS:
                return not_yet(f"{words} it gives {found!r}, expected one of {', '.join(STEPS)}.")
            if found != expected and listed is not credentials:
                return not_yet(f"{words} it gives {found} when the one in use is listed last: find it by its keyId.")
            if found != expected:
                return not_yet(f"{words} it gives {found}, expected {expected}: {reason}.")
    return right("one step a night, and at every moment a valid certificate is registered.")
