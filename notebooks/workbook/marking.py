"""The words in which checkers are written: try a call, compare what it means, say the reason for this very mistake.

Each function gives a Verdict when something is wrong and None when all is well, so that a checker is a chain:

    @exercise("04-roles")
    def roles(missing_roles, ask):
        return (
            gives(missing_roles, {"idtyp": "app"}, ["Mail.Read"], expected=["Mail.Read"], reason="…", mistakes={…})
            or raises(missing_roles, None, ["Mail.Read"], error=TypeError, reason="…")
            or right("…")
        )
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

from .showing import show
from .verdicts import LearnersError, Verdict, Watched, not_yet

_KINDS: dict[type, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text (str)",
    bytes: "bytes",
    list: "a list",
    set: "a set",
    dict: "a dictionary",
}


def plain(value: Any) -> Any:
    """A value in Python's own types, as far as it means the same.

    numpy's numbers and booleans become Python's, kinds of str become str, and tuples, arrays, Series, Index, views of
    dictionaries and iterators become lists. A DataFrame and everything else stays what it is.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool | bytes | bytearray) or value is None:
        return bytes(value) if isinstance(value, bytearray) else value
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, set | frozenset):
        return {plain(entry) for entry in value}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Sequence | Iterator | Set) or type(value).__name__ in ("dict_values", "deque"):
        return [plain(entry) for entry in value]
    return value


def same(found: Any, expected: Any) -> bool:
    """Whether two values mean the same, in whatever types they come; True and 1 do not, 2 and 2.0 do."""
    found, expected = plain(found), plain(expected)
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(found, dict) and isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[name], expected[name]) for name in expected)
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    return bool(found == expected) if type(found).__name__ != "DataFrame" else False


def gives(
    function: Callable[..., Any],
    *arguments: Any,
    expected: Any,
    reason: str = "",
    mistakes: Mapping[str, Callable[..., Any]] | None = None,
) -> Verdict | None:
    """Calls the learner's function and compares what it gives back with what is expected.

    Args:
        function: the learner's function, as the checker got it.
        arguments: what it is called with.
        expected: the right result; its type is what is wanted, and types that mean the same are taken.
        reason: why that is right, shown when no named mistake explains the answer.
        mistakes: hint → a function that makes this very mistake; the first that gives the learner's result explains it.
            One that raises for these arguments explains nothing.
    """
    found = function(*arguments)
    call = call_of(function)
    if same(found, expected):
        return None
    for hint, mistaken in (mistakes or {}).items():
        if _makes(mistaken, arguments, found):
            return not_yet(f"{call} gives {show(found)}, expected {show(expected)}: {hint}")
    wrong = of_type(found, type(plain(expected)), call)
    if wrong and not (_is_number(found) and _is_number(expected)):  # of two numbers the values say more than the types
        return wrong
    because = f": {reason}" if reason else "."
    return not_yet(f"{call} gives {show(found)}, expected {show(expected)}{because}")


def raises(
    function: Callable[..., Any],
    *arguments: Any,
    error: type[Exception] = ValueError,
    reason: str = "",
) -> Verdict | None:
    """Calls the learner's function, which must raise `error` (or a kind of it) for these arguments."""
    because = f": {reason}" if reason else "."
    try:
        found = function(*arguments)
    except LearnersError as problem:
        cause = problem.__cause__
        if isinstance(cause, error):
            return None
        if not isinstance(cause, BaseException):  # None came back, or it did not end
            return not_yet(f"{problem} Expected: it raises {error.__name__}{because}")
        return not_yet(f"{call_of(function)} raises {type(cause).__name__}, expected {error.__name__}{because}")
    return not_yet(f"{call_of(function)} gives {show(found)}, expected: it raises {error.__name__}{because}")


def of_type(found: Any, wanted: type, what: str = "this") -> Verdict | None:
    """Whether a result is of a wanted kind, or of one that means the same.

    Args:
        found: what the learner's function gave, or the learner's value.
        wanted: bool, int, float, str, bytes, list, set or dict; float takes whole numbers as well.
        what: what was found, for the hint: a call, or "this".
    """
    kind = type(plain(found))
    if kind is wanted or (wanted is float and kind is int):
        return None
    return not_yet(f"{what} gives {_a(found)}, expected {_KINDS.get(wanted, wanted.__name__)}.")


def chosen(
    answer: Any,
    expected: Any,
    *,
    reasons: Mapping[Any, str],
    otherwise: str,
) -> Verdict | None:
    """Compares a chosen or predicted value with the right one. Texts may differ in capitals and outer spaces.

    Args:
        answer: the learner's value.
        expected: the right value: a text, a number, True or False, a list or a dictionary.
        reasons: wrong value → why it is wrong. Each value somebody may well choose has its own reason.
        otherwise: what to say about any other value, such as the values to choose from.
    """
    answer = answer.function if isinstance(answer, Watched) else answer
    if _alike(answer, expected):
        return None
    for wrong, reason in reasons.items():
        if _alike(answer, wrong):
            return not_yet(reason)
    return not_yet(f"this is {show(answer)}: {otherwise}")


def call_of(function: Callable[..., Any]) -> str:
    """The newest call of the learner's function in words."""
    return function.call if isinstance(function, Watched) else f"{getattr(function, '__name__', 'it')}()"


def _alike(answer: Any, expected: Any) -> bool:
    answer, expected = plain(answer), plain(expected)
    if isinstance(answer, str) and isinstance(expected, str):
        return answer.strip().casefold() == expected.strip().casefold()
    if isinstance(answer, list) and isinstance(expected, list | tuple):
        return len(answer) == len(expected) and all(map(_alike, answer, expected))
    return same(answer, expected)


def _is_number(value: Any) -> bool:
    return isinstance(plain(value), int | float) and not isinstance(plain(value), bool)


def _makes(mistaken: Callable[..., Any], arguments: tuple[Any, ...], found: Any) -> bool:
    try:
        return same(mistaken(*arguments), found)
    except Exception:  # a mistake that does not even work on these arguments is not the learner's
        return False


def _a(found: Any) -> str:
    name = type(found).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
