"""Proves that stub, check, hints and printed solution of every exercise belong together.

What the checks say to them is asked in the notebooks' own kernels: see `exercises.try_answers`.
"""

import re
from collections import Counter
from pathlib import Path

import pytest
from chapters import CHAPTERS, NOTEBOOKS, code_cells, known, tags
from exercises import (
    CHOOSE,
    EXERCISES,
    FILL,
    REPAIR,
    SOLUTION,
    STUB,
    SYMBOLS,
    WRITE,
    Verdict,
    answers_of,
    complaints,
    exercises_of,
    kind_of,
    python_blocks,
    signature_in,
    text_under,
)
from workbook.verdicts import find

each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)


@each_chapter
def test_a_chapter_has_three_or_four_exercises(chapter):
    exercises = exercises_of(chapter)
    if chapter.stem.startswith("00"):
        assert exercises == []
        return
    assert 3 <= len(exercises) <= 4
    assert {exercise.kind for exercise in exercises} > {WRITE}  # a ladder begins with something easier than writing


@each_chapter
def test_every_exercise_cell_belongs_to_an_exercise_of_this_chapter(chapter):
    found = Counter(tag for cell in known(chapter).cells for tag in tags(cell))
    exercises = exercises_of(chapter)
    assert found["exercise"] == found["check"] == found["solution"] == len(exercises)
    names = {exercise.name for exercise in exercises}
    assert set(answers_of(chapter, "MISTAKES")) == set(answers_of(chapter, "RIGHT")) == names
    for exercise in exercises:
        assert re.fullmatch(rf"ex-{chapter.stem[:2]}-[a-z0-9-]+", exercise.stub.id)


def test_no_check_and_no_answer_is_left_of_an_exercise_that_is_gone():
    folders = [NOTEBOOKS / "workbook" / "checks", Path(__file__).parent / "mistakes"]
    modules = [path for folder in folders for path in folder.glob("chapter_[0-9][0-9].py")]
    assert {path.stem[-2:] for path in modules} <= {chapter.stem[:2] for chapter in CHAPTERS}
    text = "\n".join(path.read_text(encoding="utf-8") for path in folders[0].glob("chapter_*.py"))
    registered = re.findall(r"^@exercise\(\s*\"([^\"]+)\"", text, flags=re.MULTILINE)
    assert sorted(registered) == sorted(exercise.name for exercise in EXERCISES)


@each_exercise
def test_the_four_cells_keep_the_contract(exercise):
    assert exercise.text.cell_type == exercise.solution.cell_type == "markdown"
    assert exercise.check.source == f'check("{exercise.name}")'
    assert find(exercise.name).answer == exercise.answer
    assert exercise.check.metadata.editable is False
    assert exercise.check.metadata.deletable is False
    assert tags(exercise.check) == ["check"]
    assert tags(exercise.solution) == ["solution"]


@each_exercise
def test_the_four_cells_stand_in_order(exercise):
    order = [cell.id for cell in known(exercise.chapter).cells]
    cells = [exercise.text, exercise.stub, exercise.check, exercise.solution]
    places = [order.index(cell.id) for cell in cells]
    assert places == sorted(places)


@each_exercise
def test_the_check_knows_the_code_that_it_starts_from(exercise):
    given = find(exercise.name).given
    if exercise.kind in (REPAIR, FILL):
        assert given.strip() == exercise.stub.source.strip()
    else:
        assert given is None


@pytest.mark.parametrize(
    ("stub", "kind"),
    [
        ("status = ...", CHOOSE),
        ("status: int = ...", CHOOSE),
        ("answers = {'a': ..., 'b': ...}", CHOOSE),
        ("def scope(uri):\n    ...", WRITE),
        ("def scope(uri):\n    'A list.'\n    ...", WRITE),
        ("def scope(uri):\n    return [...]", FILL),
        ("def scope(uri):\n    if uri:\n        ...\n    return []", FILL),
        ("LIMIT = ...\ndef scope(uri):\n    return [uri]", FILL),
        ("def scope(uri):\n    return uri", REPAIR),
        ("scope = 'User.Read.All'", REPAIR),
    ],
)
def test_the_kind_of_an_exercise_shows_in_its_stub(stub, kind):
    assert kind_of(stub) == kind


@each_exercise
def test_the_solution_is_one_folded_block_that_defines_the_same_name(exercise):
    assert len(python_blocks(exercise.solution.source)) == 1
    [folded] = re.findall(r"<details>(.*?)</details>", exercise.solution.source, flags=re.DOTALL)
    assert exercise.solution_code in folded
    stub, solution = exercise.stub.source, exercise.solution_code
    assert signature_in(solution, exercise.answer) == signature_in(stub, exercise.answer)


@each_exercise
def test_nothing_else_uses_the_answer(exercise):
    word = re.compile(rf"\b{exercise.answer}\b")
    others = [cell for cell in code_cells(known(exercise.chapter)) if not {"exercise", "check"} & set(tags(cell))]
    assert [cell.id for cell in others if word.search(cell.source)] == []


@each_exercise
def test_the_stored_verdict_is_not_started(exercise):
    assert text_under(exercise.check).startswith(SYMBOLS["not started"])


@each_exercise
def test_at_least_four_mistakes_and_three_unusual_right_answers_are_named(exercise):
    assert len(exercise.mistakes) >= 4
    assert len(exercise.right_answers) >= 3
    assert not exercise.right_answers.keys() & exercise.mistakes.keys()


def test_a_wrong_verdict_is_told(exercise=EXERCISES[0]):
    """What the answers get in a kernel is checked by `exercises.complaints`, right after each check cell."""
    good = {answer: Verdict("not yet", f"{answer}: {words}", "❌") for answer, (_, words) in exercise.mistakes.items()}
    good |= {answer: Verdict("right", "", "✅") for answer in exercise.right_answers}
    good |= {STUB: Verdict("not started", "", "⬜"), SOLUTION: Verdict("right", "", "✅")}
    assert complaints(exercise, good) == []
    first, second, *_ = exercise.mistakes
    assert complaints(exercise, good | {STUB: Verdict("right", "", "✅")}) != []
    assert complaints(exercise, good | {SOLUTION: Verdict("not yet", "", "❌")}) != []
    assert complaints(exercise, good | {first: Verdict("right", "", "✅")}) != []
    assert complaints(exercise, good | {first: Verdict("not yet", "something else", "❌")}) != []
    assert complaints(exercise, good | {first: good[second]}) != []
