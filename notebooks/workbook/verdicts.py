"""Checks answers to the exercises: finds the answer and its checker, and turns whatever happens into a verdict.

Four kinds of exercise, told apart by the cell that the learner starts from:

    choose or predict     flow = ...                              a value; a list or dictionary may have several ...
    repair one line       def scope(uri): return uri + ".default"     runs as it is given, and does the wrong thing
    fill in a gap         def scope(uri): return [f"{uri}" ...]       code with ... in some places
    write a function      def scope(uri): ...                     nothing but the signature

A checker is registered in checks/chapter_NN.py; marking.py has the words to write it in. For "repair" and "fill in"
it is told the code as given, which is how the check knows that nothing has been changed yet.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import msal  # type: ignore[import-untyped]
import requests

from .bench import Bench, practice_bench
from .cells import CellRuns, shell_here
from .exchange import Exchange
from .practice import PracticeTenant
from .problems import WorkbookProblem
from .showing import without_secrets
from .watching import LearnersError, NotStarted, Watched, has_gap, in_words, is_as_given, is_empty

__all__ = ["GRAPH_SCOPE", "Ask", "LearnersError", "Verdict", "Watched", "check", "exercise", "find", "not_yet", "right"]

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
_SYMBOLS = {"not started": "⬜", "not yet": "❌", "right": "✅"}
_PRINTED = 120  # characters of what an answer printed that are shown again
_NO_ANSWER = object()

_runs = CellRuns()
_runs.follow(shell_here())


@dataclass(frozen=True)
class Verdict:
    """What a check says: `state` is "not started", "not yet" or "right"; `hint` is a sentence or empty.

    `printed` is what the answer printed while it was tried.
    """

    state: str
    hint: str = ""
    printed: str = ""

    def __repr__(self) -> str:
        verdict = f"{_SYMBOLS[self.state]} {self.state}{': ' if self.hint else ''}{self.hint}"
        return f"{verdict}\n   Your code printed: {_in_short(self.printed)}" if self.printed.strip() else verdict


def right(remark: str = "") -> Verdict:
    """The answer is right; the remark may say why it matters."""
    return Verdict("right", remark)


def not_yet(hint: str) -> Verdict:
    """The answer is not right yet; the hint says what is wrong with this very answer."""
    return Verdict("not yet", hint)


Checker = Callable[[Any, "Ask"], Verdict]


@dataclass(frozen=True)
class Exercise:
    """A registered exercise: its checker, the name that the learner's cell defines, and the code it starts from."""

    checker: Checker
    answer: str
    given: str | None


_exercises: dict[str, Exercise] = {}


def exercise(exercise_id: str, given: str | None = None) -> Callable[[Checker], Checker]:
    """Registers a checker: ``@exercise("04-scope")`` above ``def scope(graph_scope, ask): ...``.

    The checker's first parameter has the name that the learner's cell defines. It is the learner's value, or a
    function (`Watched`) that is called plainly. A checker returns `right` or `not_yet`, and need not care for an answer
    that is as it was given, returns None, raises or does not end: `check` sees to these.

    Args:
        exercise_id: chapter and name, e.g. ``"04-scope"``.
        given: the source of the learner's cell as the notebook has it, for "repair" and "fill in".
    """

    def register(checker: Checker) -> Checker:
        answer = next(iter(inspect.signature(checker).parameters))
        _exercises[exercise_id] = Exercise(checker, answer, given)
        return checker

    return register


def check(exercise_id: str, answer: Any = _NO_ANSWER) -> Verdict:
    """Checks an answer and never raises, so that Run All goes through.

    Args:
        exercise_id: chapter and name, e.g. ``"04-scope"``.
        answer: what the learner wrote, a function or a value. Without it the check takes the name that the exercise
            asks for out of the notebook, and says so when the cell above has not run or has failed.
    """
    watched = None
    names = sys._getframe(1).f_globals
    try:
        known = find(exercise_id)
        if answer is _NO_ANSWER:
            answer = _answer_above(known, names)
        watched = _watched(answer, known)
        verdict = known.checker(watched, _fresh_ask())
    except NotStarted:
        verdict = Verdict("not started", _how_to_start(known))
    except (LearnersError, WorkbookProblem) as problem:
        verdict = not_yet(str(problem))
    except KeyboardInterrupt:
        call = watched.call if isinstance(watched, Watched) else "the check"
        verdict = not_yet(f"{call} was stopped before it ended.")
    except _CellAbove as above:
        verdict = above.verdict
    except (Exception, SystemExit) as error:  # a checker that stumbles over an answer no one thought of
        verdict = not_yet(_cannot_work_with(watched, error))
    printed = watched.printed if isinstance(watched, Watched) else ""
    return replace(verdict, printed=printed)


class _CellAbove(Exception):
    """The cell with the answer did not run, or failed; `verdict` says so."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.hint)
        self.verdict = verdict


def _answer_above(known: Exercise, names: Mapping[str, Any]) -> Any:
    run = _runs.newest_that_defines(known.answer)
    if run and isinstance(run.error, SyntaxError):
        where = f" in line {run.error.lineno}" if run.error.lineno else ""
        words = f"{type(run.error).__name__}{where}: {run.error.msg}"
        raise _CellAbove(not_yet(f"Python cannot read the cell above ({words}). Correct it and run both cells again."))
    if run and run.error:
        words = without_secrets(in_words(run.error))
        raise _CellAbove(not_yet(f"the cell above ended with {words}. Correct it and run both cells again."))
    if known.answer not in names:
        hint = f"run the cell above first, the one that defines {known.answer}, and then this one."
        raise _CellAbove(Verdict("not started", hint))
    return names[known.answer]


def _watched(answer: Any, known: Exercise) -> Any:
    untouched = known.given is not None and is_as_given(answer, known.answer, known.given)
    if callable(answer):
        if known.given is not None and not untouched and has_gap(answer):
            raise LearnersError(f"there is still a ... in {known.answer}: replace each of them.")
        return Watched(answer, untouched=untouched or is_empty(answer))
    if untouched or answer is ...:
        raise NotStarted
    if isinstance(answer, dict | list | tuple) and has_gap(answer):
        entries = list(answer.values()) if isinstance(answer, dict) else answer
        if all(has_gap(entry) for entry in entries):
            raise NotStarted
        raise LearnersError(f"there is still a ... in {known.answer}: replace each of them.")
    return answer


def _how_to_start(known: Exercise) -> str:
    if known.given is None:
        return "replace the ... with your answer, then run both cells again."
    if "..." in known.given:
        return "replace each ... in the cell above, then run both cells again."
    return "the code is still as it was given. Change it, then run both cells again."


def _cannot_work_with(watched: Any, error: BaseException) -> str:
    if isinstance(watched, Watched):
        return f"the check cannot work with what {watched.call} gives ({in_words(error)})."
    return f"the check cannot work with this answer ({in_words(error)})."


def _in_short(printed: str) -> str:
    text = " ".join(without_secrets(printed).split())
    return text if len(text) <= _PRINTED else f"{text[:_PRINTED]}… ({len(text):,} characters)"


# --- finding the checker --------------------------------------------------------------------------------------------


def find(exercise_id: str) -> Exercise:
    """The exercise of this name.

    Raises:
        WorkbookProblem: there is none; it names one that is spelled alike.
    """
    chapter = re.match(r"\d\d(?=-)", str(exercise_id))
    module = f"{__package__}.checks.chapter_{chapter.group() if chapter else ''}"
    if chapter and importlib.util.find_spec(module):
        importlib.import_module(module)
    if exercise_id in _exercises:
        return _exercises[exercise_id]
    meant = get_close_matches(str(exercise_id), _exercises, n=1)
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
            atexit.register(self.practice.close)
        return self._bench

    @property
    def practice(self) -> PracticeTenant:
        """The tenant of that bench, to make it fail, to shift its clock, and to read what it saw."""
        if self.bench.practice is None:
            raise RuntimeError("the checks' own bench has no practice tenant")
        return self.bench.practice

    @property
    def last(self) -> Exchange:
        """The newest exchange of that bench's session."""
        newest = self.bench.wire.last
        if newest is None:
            raise RuntimeError("nothing was sent yet")
        return newest

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
        app = msal.ConfidentialClientApplication(**(arguments | changes))
        result: dict[str, Any] = app.acquire_token_for_client(scopes)
        return result

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
            _ask.practice.reset()
            _ask.bench.wire.clear()
        except WorkbookProblem:
            _ask.practice.close()
            _ask._bench = None
    return _ask
