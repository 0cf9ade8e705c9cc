"""What `pytest --live` and tests/tools/second_tenant_run.py do with the chapters; chapter_elsewhere.py runs one so."""

import copy

import live
import pytest
from chapters import CHAPTERS, code_cells, known
from nbformat.v4 import new_code_cell, new_notebook, new_output

[LOAD_USERS] = [chapter for chapter in CHAPTERS if chapter.stem.startswith("06")]
[REGISTER] = [chapter for chapter in CHAPTERS if chapter.stem.startswith("02")]


def test_the_chapters_say_which_cells_follow_env():
    assert {"00_start_here", "02_register_app", "06_load_users"} <= {one.stem for one in live.following_chapters()}
    assert len(live.following(known(LOAD_USERS))) == len(code_cells(known(LOAD_USERS)))
    assert live.following(known(REGISTER))[0] == "own-bench"


def test_nobody_is_asked_to_sign_in():
    kept = live.up_to_a_person(copy.deepcopy(known(REGISTER)))
    assert code_cells(kept)[-1].id == "own-bench"


# --- structure --------------------------------------------------------------------------------------------------------


def notebook(*cells):
    return new_notebook(cells=[new_code_cell(source, id=name, outputs=outputs) for name, source, outputs in cells])


def printed(text):
    return [new_output("stream", name="stdout", text=text)]


BENCH = ("bench", "bench = open_bench()", printed("Tenant   your own, x\nReady\n"))
TABLE = "<table><thead><tr><th></th><th>{}</th></tr></thead><tbody><tr><th>0</th><td>{}</td></tr></tbody></table>"


def frame(column, value):
    return [new_output("execute_result", data={"text/html": TABLE.format(column, value), "text/plain": value})]


@pytest.mark.parametrize(
    ("practice", "there"),
    [
        (printed("254 users in 3 requests\n"), printed("Wait     Graph is busy\n5,000 users in 21 requests\n")),
        (printed('{\n "id": "1",\n "mail": null\n}\n'), printed('{\n "mail": "a@b.test",\n "id": "2"\n}\n')),
        (printed("roles: ['a', 'b']\n"), printed("roles: []\n")),
        (frame("displayName", "Lucía"), frame("displayName", "Åshild")),
        (printed("AZURE_CLIENT_ID=‹client id›\n"), printed("AZURE_CLIENT_ID=5d3f9a1e-0b7c-4e2d-9a6f-1c8e7b2d4f60\n")),
    ],
)
def test_other_people_and_numbers_are_no_difference(practice, there):
    stored, fresh = notebook(BENCH, ("a", "x", practice)), notebook(BENCH, ("a", "x", there))
    assert live.differences(fresh, stored) == []


ERROR = [new_output("error", ename="KeyError", evalue="'Åshild'", traceback=[])]


@pytest.mark.parametrize(
    ("practice", "there", "words"),
    [
        (printed("users: 3\n"), printed("people: 3\n"), "lacks 'users: a number'"),
        (printed("users: 3\n"), printed("users: None\n"), "has 'users: a text'"),
        (printed("users: 3\n"), ERROR, "has 'error KeyError'"),
        (printed("400 BadRequest: no\n"), printed("403 BadRequest: no\n"), "lacks '400 BadRequest: a text'"),
        (frame("displayName", "x"), frame("mail", "x"), "lacks 'table , displayName'"),
        (printed('"id": 1\n'), printed('"key": 1\n'), "lacks 'member id'"),
    ],
)
def test_another_structure_is_told_without_a_value(practice, there, words):
    stored, fresh = notebook(BENCH, ("a", "x", practice)), notebook(BENCH, ("a", "x", there))
    found = live.differences(fresh, stored)
    assert any(line.startswith("a: ") and words in line for line in found)
    assert "Åshild" not in " ".join(found)


def test_the_wrong_tenant_is_told():
    stored = notebook(BENCH, ("again", "bench = open_bench(practice_only=True)", []))
    practice = ("bench", BENCH[1], printed("Tenant   the practice tenant\n"))
    own = ("again", "bench = open_bench(practice_only=True)", BENCH[2])
    assert live.differences(notebook(practice, own), stored) == [
        "bench: the bench did not open the tenant of .env",
        "again: the bench opened the tenant of .env in a part for the practice tenant",
    ]
