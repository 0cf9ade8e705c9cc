"""Checks answers to the exercises: finds the checker, runs it, and turns whatever happens into a verdict."""

from __future__ import annotations

import atexit
import dis
import importlib
import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from typing import Any

import msal
import requests

from .bench import Bench, practice_bench
from .problems import WorkbookProblem

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
_SYMBOLS = {"not started": "⬜", "not yet": "❌", "right": "✅"}


@dataclass(frozen=True)
class Verdict:
    """What a check says: `state` is "not started", "not yet" or "right"; `hint` is a sentence or empty."""

    state: str
    hint: str = ""

    def __repr__(self) -> str:
        return f"{_SYMBOLS[self.state]} {self.state}{': ' if self.hint else ''}{self.hint}"


def right(remark: str = "") -> Verdict:
    """The answer is right; the remark may say why it matters."""
    return Verdict("right", remark)


def not_yet(hint: str) -> Verdict:
    """The answer is not right yet; the hint says what is wrong with this very answer."""
    return Verdict("not yet", hint)


Checker = Callable[[Any, "Ask"], Verdict]
_checkers: dict[str, Checker] = {}


def exercise(exercise_id: str) -> Callable[[Checker], Checker]:
    """Registers a checker: ``@exercise("04-scope")`` above ``def scope(graph_scope, ask): ...``.

    A checker calls the learner's function plainly and returns `right` or `not_yet`. It need not care for an answer
    that is still ``...``, returns None or raises: `check` sees to these.
    """

    def register(checker: Checker) -> Checker:
        _checkers[exercise_id] = checker
        return checker

    return register


def check(exercise_id: str, answer: Any) -> Verdict:
    """Checks an answer and never raises, so that Run All goes through.

    Args:
        exercise_id: chapter and name, e.g. ``"04-scope"``.
        answer: what the learner wrote, a function or a value; ``...`` stands for not started.
    """
    try:
        checker = _find(exercise_id)
        return checker(_watched(answer), _fresh_ask())
    except _NotStarted:
        return Verdict("not started", "put your code where the ... stands, then run both cells again.")
    except (LearnersError, WorkbookProblem) as problem:
        return not_yet(str(problem))
    except (Exception, SystemExit) as error:  # a checker that stumbles over an answer no one thought of
        return not_yet(f"the check cannot work with this answer ({_in_words(error)}).")


# --- the learner's function, watched --------------------------------------------------------------------------------


class _NotStarted(Exception):
    """The answer, or what it returns, is still ``...``."""


class LearnersError(Exception):
    """The learner's function raised (``__cause__`` is what) or gave back None; the text is for the learner.

    A checker that knows a better hint may catch it; otherwise `check` shows the text.
    """


def _watched(answer: Any) -> Any:
    if answer is ...:
        raise _NotStarted
    if not callable(answer):
        return answer

    name = getattr(answer, "__name__", "your function")

    @wraps(answer)
    def call(*args: Any, **named: Any) -> Any:
        try:
            result = answer(*args, **named)
        except (Exception, SystemExit) as error:
            raise LearnersError(f"{name}() raises {_in_words(error)}.") from error
        if result is ...:
            raise _NotStarted
        if result is None and _is_stub(answer):
            raise _NotStarted
        if result is None:
            raise LearnersError(f"{name}() gives back None: does it end in return?")
        return result

    return call


def _is_stub(function: Callable) -> bool:
    """Whether the body is still ``...``: Python compiles that to a bare return, as it does ``pass``."""
    code = getattr(function, "__code__", None)
    nothing = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
    return code is not None and {step.opname for step in dis.get_instructions(code)} <= nothing


def _in_words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip(": .")


# --- finding the checker --------------------------------------------------------------------------------------------


def _find(exercise_id: str) -> Checker:
    chapter = re.match(r"\d\d(?=-)", str(exercise_id))
    module = f"{__package__}.checks.chapter_{chapter.group() if chapter else ''}"
    if chapter and importlib.util.find_spec(module):
        importlib.import_module(module)
    if exercise_id in _checkers:
        return _checkers[exercise_id]
    meant = get_close_matches(str(exercise_id), _checkers, n=1)
    hint = f" Did you mean '{meant[0]}'?" if meant else ""
    raise WorkbookProblem(f"there is no exercise called '{exercise_id}'.{hint}")


# --- what a checker may ask -----------------------------------------------------------------------------------------


class Ask:
    """Real answers from a practice tenant of the checks' own, so that nothing a notebook did changes a verdict.

    It starts when a checker first asks, serves the rest of the kernel's life, and is reset before each check.
    """

    def __init__(self) -> None:
        self._bench: Bench | None = None
        self._token: str | None = None

    @property
    def bench(self) -> Bench:
        """A bench as `open_bench` gives it, with the default people and consent to User.Read.All."""
        if self._bench is None:
            self._bench = practice_bench()
            atexit.register(self._bench.practice.close)
        return self._bench

    def token(self, scopes: list[str], **changes: Any) -> dict[str, Any]:
        """MSAL's answer to acquire_token_for_client. A new app object each time: MSAL remembers a 400 for a minute.

        Args:
            scopes: what is asked for.
            changes: arguments of msal.ConfidentialClientApplication to replace, e.g. ``client_credential=...``.
        """
        bench = self.bench
        arguments = {
            "client_id": bench.client_id,
            "authority": bench.authority,
            "client_credential": {"private_key": bench.private_key, "public_certificate": bench.certificate},
            "http_client": bench.session,
            "instance_discovery": False,
        }
        return msal.ConfidentialClientApplication(**(arguments | changes)).acquire_token_for_client(scopes)

    def graph(self, path: str, token: str | None = None) -> requests.Response:
        """Graph's answer to ``GET /v1.0{path}``.

        Args:
            path: begins with a slash, query included, e.g. ``"/users?$top=1"``.
            token: an access token; None takes a good one.
        """
        token = token or self.token([GRAPH_SCOPE])["access_token"]
        return self.bench.session.get(self.bench.graph_endpoint + path, headers={"Authorization": f"Bearer {token}"})

    @staticmethod
    def sentence(answer: Mapping[str, Any] | requests.Response) -> str:
        """A refusal as one stable sentence: error and text without the ids and times that differ on each run.

        Args:
            answer: an error result of MSAL, or a response of Graph that is not 2xx.
        """
        if isinstance(answer, requests.Response):
            error = answer.json()["error"]
            return f"{answer.status_code} {error['code']}, {error['message']}"
        text = re.split(r"\s+Trace ID:", answer["error_description"])[0]
        return f"{answer['error']}, {text}"


_ask = Ask()


def _fresh_ask() -> Ask:
    """The kernel's one Ask, with its tenant as new; a tenant that has died is replaced."""
    if _ask._bench is not None:
        try:
            _ask.bench.practice.reset()
            _ask.bench.wire.clear()
        except WorkbookProblem:
            _ask.bench.practice.close()
            _ask._bench = None
    return _ask
