"""Proves that stub, check, hints and printed solution of every exercise belong together.

What the checks say to them is asked in the notebooks' own kernels: see `exercises.try_answers`.
"""

import ast
import re
from collections import Counter

import pytest
from chapters import CHAPTERS, code_cells, read, tags
from exercises import (
    EXERCISES,
    SOLUTION,
    STUB,
    SYMBOLS,
    Verdict,
    complaints,
    exercises_of,
    function_in,
    mistakes_of,
    python_blocks,
    text_under,
)

each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)


@each_chapter
def test_a_chapter_has_two_to_four_exercises(chapter):
    assert len(exercises_of(chapter)) in ([0] if chapter.stem.startswith("00") else [2, 3, 4])


@each_chapter
def test_every_exercise_cell_belongs_to_an_exercise_of_this_chapter(chapter):
    found = Counter(tag for cell in read(chapter).cells for tag in tags(cell))
    exercises = exercises_of(chapter)
    assert found["exercise"] == found["check"] == found["solution"] == len(exercises)
    assert set(mistakes_of(chapter)) <= {exercise.name for exercise in exercises}
    for exercise in exercises:
        assert re.fullmatch(rf"ex-{chapter.stem[:2]}-[a-z0-9-]+", exercise.stub.id)


@each_exercise
def test_the_four_cells_keep_the_contract(exercise):
    function = function_in(exercise.stub.source)
    assert exercise.text.cell_type == exercise.solution.cell_type == "markdown"
    assert exercise.check.source == f'check("{exercise.name}", {function.name})'
    assert exercise.check.metadata.editable is False
    assert exercise.check.metadata.deletable is False
    assert tags(exercise.check) == ["check"]
    assert tags(exercise.solution) == ["solution"]


@each_exercise
def test_the_four_cells_stand_in_order(exercise):
    order = [cell.id for cell in read(exercise.chapter).cells]
    cells = [exercise.text, exercise.stub, exercise.check, exercise.solution]
    places = [order.index(cell.id) for cell in cells]
    assert places == sorted(places)


@each_exercise
def test_the_stub_is_one_function_with_an_ellipsis_for_a_body(exercise):
    statements = ast.parse(exercise.stub.source).body
    assert [type(statement) for statement in statements] == [ast.FunctionDef]
    body = [
        node
        for node in statements[0].body
        if not (isinstance(node.value, ast.Constant) and node.value.value is not ...)
    ]
    assert [ast.unparse(node) for node in body] == ["..."]


@each_exercise
def test_the_solution_is_one_folded_block_that_defines_the_same_function(exercise):
    assert len(python_blocks(exercise.solution.source)) == 1
    [folded] = re.findall(r"<details>(.*?)</details>", exercise.solution.source, flags=re.DOTALL)
    assert exercise.solution_code in folded
    stub, solution = function_in(exercise.stub.source), function_in(exercise.solution_code)
    assert (solution.name, ast.dump(solution.args)) == (stub.name, ast.dump(stub.args))


@each_exercise
def test_nothing_else_uses_the_answer(exercise):
    name = function_in(exercise.stub.source).name
    own = {exercise.stub.id, exercise.check.id}
    others = [cell.id for cell in code_cells(read(exercise.chapter)) if re.search(rf"\b{name}\b", cell.source)]
    assert set(others) == own


@each_exercise
def test_the_stored_verdict_is_not_started(exercise):
    assert text_under(exercise.check).startswith(SYMBOLS["not started"])


@each_exercise
def test_at_least_three_mistakes_are_named(exercise):
    assert len(exercise.mistakes) >= 3


def test_a_wrong_verdict_is_told(exercise=EXERCISES[0]):
    """What the answers get in a kernel is checked by `exercises.complaints`, right after each check cell."""
    good = {answer: Verdict("not yet", f"{answer}: {words}", "❌") for answer, (_, words) in exercise.mistakes.items()}
    good |= {STUB: Verdict("not started", "", "⬜"), SOLUTION: Verdict("right", "", "✅")}
    assert complaints(exercise, good) == []
    first, second, *_ = exercise.mistakes
    assert complaints(exercise, good | {STUB: Verdict("right", "", "✅")}) != []
    assert complaints(exercise, good | {SOLUTION: Verdict("not yet", "", "❌")}) != []
    assert complaints(exercise, good | {first: Verdict("right", "", "✅")}) != []
    assert complaints(exercise, good | {first: Verdict("not yet", "something else", "❌")}) != []
    assert complaints(exercise, good | {first: good[second]}) != []
