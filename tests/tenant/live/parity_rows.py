"""`pytest --live` asks the tenant in .env whether the parity table's rows marked real are true there.

It reads only, and it compares with the practice tenant's answers to the same questions. A row that differs fails, and a
text for an issue follows at the end, without ids and names.
"""

import contextlib
import io
from collections.abc import Iterator

import live
import pytest
from asking import Side
from comparing import Difference, difference, report, row_of
from questions import QUESTIONS
from workbook import bench, open_bench


@pytest.fixture(scope="module")
def sides(pytestconfig) -> Iterator[tuple[Side, Side]]:
    """The practice tenant and the one in .env."""
    if not pytestconfig.option.live:
        pytest.exit(f"These questions are for a tenant of your own. {live.NO_CREDENTIALS}", returncode=4)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        real = open_bench()
    if "Missing  nothing" not in said.getvalue():
        pytest.exit(said.getvalue(), returncode=4)
    practice = bench.practice_bench()
    yield Side(practice), Side(real)
    practice.practice.close()


@pytest.fixture(scope="module")
def found(pytestconfig) -> Iterator[list[Difference]]:
    differences: list[Difference] = []
    yield differences
    pytestconfig.stash[live.REPORT] = report(differences)


@pytest.mark.parametrize("question", QUESTIONS, ids=[row_of(question.row)[:60] for question in QUESTIONS])
def test_a_row_that_is_marked_real_is_true(question, sides, found):
    differs = difference(question, *sides)
    if differs:
        found.append(differs)
        pytest.fail("\n".join(["- practice tenant, + the tenant in .env", *differs.lines]), pytrace=False)
