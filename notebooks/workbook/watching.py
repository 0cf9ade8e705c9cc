"""Runs what the learner wrote under supervision: within a time limit, with its printing kept, and each call named."""

from __future__ import annotations

import ast
import copy
import ctypes
import dis
import io
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from types import CodeType, FunctionType, GeneratorType
from typing import Any
from unittest.mock import patch

from .showing import show

DEADLINE = 5.0  # seconds for one call: a right answer needs milliseconds, and nobody waits longer with patience
_AGAIN = 0.2  # seconds after which a loop that swallowed the first interruption is interrupted again
_SENSELESS = 1.0  # seconds for which a thread is interrupted before it is left behind


class NotStarted(Exception):
    """The answer, or what it returns, is still as it was given."""


class LearnersError(Exception):
    """The learner's function raised (``__cause__`` is what) or gave back None; the text is for the learner.

    A checker that knows a better hint may catch it; otherwise `check` shows the text.
    """


class OutOfTime(BaseException):
    """The learner's code did not end in time. Not an Exception, so that its own ``except Exception`` lets it pass."""


class Watched:
    """The learner's function, called like the function itself.

    Each call has at most `DEADLINE` seconds. Lists, dictionaries and sets are handed over as copies, so that an answer
    that changes its arguments cannot disturb the check. A generator is read to its end, within the time limit, and
    counts as the list of what it yields.

    Attributes:
        printed: what the function has printed so far.
        logged: what it has logged, or written to standard error, so far.
        call: the newest call in words, such as ``missing_roles({'idtyp': 'app'}, ['Mail.Read'])``.
    """

    def __init__(self, function: Callable[..., Any], untouched: bool = False) -> None:
        self.function = function
        self.__name__ = str(getattr(function, "__name__", "your function"))
        self._untouched = untouched
        self._out, self._log = _Keeper(), _Keeper()
        self.call = f"{self.__name__}()"

    @property
    def printed(self) -> str:
        return self._out.getvalue()

    @property
    def logged(self) -> str:
        return self._log.getvalue()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.call = call_in_words(self.__name__, arguments, named)
        if self._untouched:
            raise NotStarted
        try:
            result = self._supervised(arguments, named)
        except OutOfTime:
            raise LearnersError(
                f"{self.call} has not ended after {DEADLINE:g} seconds: look for a loop that has no end."
            ) from None
        except (Exception, SystemExit) as error:
            raise LearnersError(f"{self.call} raises {in_words(error)}.") from error
        if result is ...:
            raise NotStarted
        if result is None:
            raise LearnersError(f"{self.call} gives back None: does it end in return?{self._about_sort()}")
        return result

    def _about_sort(self) -> str:
        sorts = "sort" in getattr(getattr(self.function, "__code__", None), "co_names", ())
        return " A list's sort() gives back None, and sorted() gives the sorted list." if sorts else ""

    def _supervised(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        arguments = tuple(_own_copy(argument) for argument in arguments)
        named = {name: _own_copy(argument) for name, argument in named.items()}

        def run() -> Any:
            result = self.function(*arguments, **named)
            return list(result) if isinstance(result, GeneratorType) else result

        with (
            redirect_stdout(self._out),
            redirect_stderr(self._log),
            patch("builtins.input", _no_input),
            patch.object(logging.root, "handlers", [logging.StreamHandler(self._log)]),
        ):
            return within(DEADLINE, run)


def in_words(error: BaseException) -> str:
    """An exception as ``KeyError: 'roles'``, shortened."""
    text = " ".join(str(error).split())
    shortened = text if len(text) <= 200 else f"{text[:200]}…"
    return f"{type(error).__name__}: {shortened}".strip(": .")


def call_in_words(name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
    """A call as one would type it, long values shortened."""
    words = [show(argument) for argument in arguments] + [f"{key}={show(value)}" for key, value in named.items()]
    return f"{name}({', '.join(words)})"


class _Keeper(io.StringIO):
    """Keeps the beginning of a text: an endless loop with a print in it must not fill the memory."""

    _LIMIT = 20_000

    def write(self, text: str) -> int:
        if self.tell() < self._LIMIT:
            super().write(text)
        return len(text)


def _own_copy(argument: Any) -> Any:
    return copy.deepcopy(argument) if type(argument) in (list, dict, set) else argument


def _no_input(prompt: object = "") -> str:
    raise RuntimeError("input() would wait for somebody at the keyboard: use the arguments instead")


# --- the time limit -----------------------------------------------------------------------------------------------


def within(seconds: float, call: Callable[[], Any]) -> Any:
    """What `call` returns or raises.

    Raises:
        OutOfTime: it did not end within `seconds`. Python code, ``time.sleep`` and waiting for a network are
            interrupted; a computation inside one C function is not.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if sys.platform != "win32" and in_main_thread:
        return _interrupted_by_an_alarm(seconds, call)
    return _interrupted_from_beside(seconds, call)


if sys.platform != "win32":  # mypy reads this condition, and knows what Windows lacks

    def _interrupted_by_an_alarm(seconds: float, call: Callable[[], Any]) -> Any:
        """For the main thread on Linux and macOS, where a kernel runs its cells."""
        running = True

        def ring(number: int, frame: object) -> None:
            if running:
                raise OutOfTime

        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
        try:
            return call()
        finally:
            running = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before or signal.SIG_DFL)


def _interrupted_from_beside(seconds: float, call: Callable[[], Any]) -> Any:
    """For Windows, which has no alarm, and for other threads: the call gets a thread, and this one waits for it."""
    result: list[Any] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            result.append(call())
        except BaseException as error:
            failure.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        _wait(worker, seconds)
    finally:
        _interrupt(worker)
    if failure:
        raise failure[0]
    if not result:  # it sleeps in C code, where no exception arrives; a daemon thread ends with the kernel
        raise OutOfTime
    return result[0]


def _wait(worker: threading.Thread, seconds: float) -> None:
    end = time.monotonic() + seconds
    while worker.is_alive() and time.monotonic() < end:
        worker.join(0.05)  # in small steps, because on Windows a KeyboardInterrupt waits for the end of a join


def _interrupt(worker: threading.Thread) -> None:
    end = time.monotonic() + _SENSELESS
    while worker.is_alive() and time.monotonic() < end:
        identity = ctypes.c_ulong(worker.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(OutOfTime))
        worker.join(_AGAIN)


# --- is it still what was given? ------------------------------------------------------------------------------------


def is_empty(function: Callable[..., Any]) -> bool:
    """Whether the body of a function is still ``...``, or ``pass``, with or without a docstring."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    steps = [step for step in dis.get_instructions(code) if step.opname not in ("RESUME", "NOP")]
    names = [step.opname for step in steps]
    return names in (["RETURN_CONST"], ["LOAD_CONST", "RETURN_VALUE"]) and steps[0].argval is None


def is_as_given(answer: Any, name: str, given: str) -> bool:
    """Whether an answer is the code that the exercise gave, compared by what it does and not by how it is spaced.

    Args:
        answer: a function or a value.
        name: the name that `given` defines.
        given: source with functions, and assignments of plain values.
    """
    if not isinstance(answer, FunctionType):
        values = _given_values(given)
        return name in values and bool(answer == values[name])
    codes = {name: answer.__code__}
    codes |= {
        other: function.__code__
        for other, function in answer.__globals__.items()
        if other != name and isinstance(function, FunctionType)
    }
    given_codes = _given_codes(given)
    functions_same = all(other in codes and _same_code(codes[other], code) for other, code in given_codes.items())
    values_same = all(answer.__globals__.get(other) == value for other, value in _given_values(given).items())
    return functions_same and values_same


def has_gap(answer: Any) -> bool:
    """Whether a ``...`` is left in a function's code, or in a list, tuple, dictionary or set."""
    if isinstance(answer, dict):
        return any(has_gap(part) for part in answer.values())
    if isinstance(answer, list | tuple | set):
        return any(has_gap(part) for part in answer)
    code = answer if isinstance(answer, CodeType) else getattr(answer, "__code__", None)
    if isinstance(code, CodeType):
        inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        return ... in code.co_consts or any(has_gap(part) for part in inner)
    return answer is ...


def _given_codes(source: str) -> dict[str, CodeType]:
    module = compile(source, "given", "exec", dont_inherit=True)
    return {code.co_name: code for code in module.co_consts if isinstance(code, CodeType)}


def _given_values(source: str) -> dict[str, Any]:
    values = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                values[statement.targets[0].id] = ast.literal_eval(statement.value)
            except ValueError:  # no plain value: not compared
                continue
    return values


def _same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two pieces of code do the same, wherever they were written. Constants are compared with their types."""
    if (one.co_code, one.co_names, len(one.co_consts)) != (other.co_code, other.co_names, len(other.co_consts)):
        return False
    return all(_same_constant(a, b) for a, b in zip(one.co_consts, other.co_consts, strict=True))


def _same_constant(one: Any, other: Any) -> bool:
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return _same_code(one, other)
    return type(one) is type(other) and bool(one == other)
