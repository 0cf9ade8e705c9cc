"""Puts every question to two tenants and tells where the answers differ, without ids and names."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from functools import cache
from typing import Any

from asking import Side, cut
from chapters import NOTEBOOKS
from questions import NOT_ASKED, QUESTIONS, Question

ANOTHER_KIND = "the answer is of another kind"
README = NOTEBOOKS / "practice_tenant" / "README.md"


@dataclass(frozen=True)
class Difference:
    """`lines` are those of a diff: with ``-`` the practice tenant, with ``+`` the tenant that was asked."""

    row: str
    lines: list[str]


@cache
def rows() -> dict[str, tuple[str, str]]:
    """The heading above each row of the parity table and what the row says is played, by its first column."""
    found, heading = {}, ""
    for line in README.read_text(encoding="utf-8").splitlines():
        heading = line.removeprefix("### ") if line.startswith("### ") else heading
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4:
            found[cells[0]] = (heading, cells[1])
    return found


def row_of(beginning: str) -> str:
    """The whole first column of the row that begins so.

    Raises:
        LookupError: there is no such row, there are several, or it is not marked real.
    """
    found = [row for row, (_, played) in rows().items() if row.startswith(beginning) and played == "real"]
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows that are marked real begin with {beginning!r}")
    return found[0]


@cache
def not_asked() -> dict[str, str]:
    """The rows that are marked real and not asked, with the reason."""
    found = {}
    for reason, beginnings in NOT_ASKED.items():
        for beginning in beginnings:
            heading, is_all, _ = beginning.partition(": all")
            if is_all:
                found |= {
                    row: reason for row, (under, played) in rows().items() if (under, played) == (heading, "real")
                }
            else:
                found[row_of(beginning)] = reason
    return {row: reason for row, reason in found.items() if row not in {row_of(one.row) for one in QUESTIONS}}


def facts(question: Question, side: Side) -> Any:
    """The answer as facts; where it lacks what the question looks for, the kind of error."""
    with contextlib.suppress(Exception):  # the question itself will say what is wrong
        _ = side.somebody  # whose domain is cut out of every answer
    try:
        return question.ask(side)
    except Exception as error:  # whatever it is: pytest would print a traceback, and that may hold a token
        return f"{ANOTHER_KIND} ({type(error).__name__})"


def difference(question: Question, practice: Side, other: Side) -> Difference | None:
    """What the two answer differently; None when they agree. Two answers of another kind do not agree."""
    answers = [as_lines(facts(question, side)) for side in (practice, other)]
    if answers[0] == answers[1] and ANOTHER_KIND not in answers[0][0]:
        return None
    lines = [line for line in unified_diff(*answers, lineterm="", n=0) if not line.startswith(("---", "+++", "@@"))]
    return Difference(row_of(question.row), [cut(line) for line in lines])


def as_lines(answer: Any) -> list[str]:
    return json.dumps(answer, indent=1, ensure_ascii=False).splitlines()


def report(differences: list[Difference]) -> str:
    """A text for an issue: it names rows, and what each side said, and no tenant."""
    count = f"{len(QUESTIONS)} rows of the parity table were asked, {len(not_asked())} were not."
    count += "" if differences else " All of those that were asked agree."
    return "\n".join([count, *(line for one in differences for line in paragraph(one))])


def paragraph(one: Difference) -> Iterator[str]:
    yield from ("", f"**{one.row}**", "", "```diff", *one.lines, "```")
