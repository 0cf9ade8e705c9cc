"""Keeps the practice tenant's README honest: every claim names a test that exists, every choice is owned up to."""

import re
from functools import cache
from pathlib import Path

import pytest
from chapters import NOTEBOOKS, ROOT
from practice_tenant import control
from practice_tenant.faults import Fault
from practice_tenant.options import options_parser

PACKAGE = NOTEBOOKS / "practice_tenant"
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
WITNESS = re.compile(r"(test_\w+\.py)::(test_\w+)(?:\[([^\]]+)\])?")
# How a module marks a place where nobody knows what Microsoft does.
OWNS_UP = re.compile(r"chosen, not sourced|\(chosen\b|\b(?:is|are|one is) chosen\b|\bChosen\b|: chosen\b|chosen\)")


def rows(header: str) -> list[list[str]]:
    """The rows of every table that begins with this header."""
    tables = re.findall(rf"^{re.escape(header)}\n\|[-|: ]+\|\n((?:\|.*\n?)*)", README, flags=re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for table in tables for line in table.splitlines()]


PARITY = rows("| behaviour | played | source | witness |")
RULES = rows("| rule | witness |")
CHOICES = [row for row in PARITY if row[1].startswith("chosen")]
WITNESSED = [(row[0], row[-1]) for row in (*PARITY, *RULES) if row[1] != "absent"]


def test_the_table_is_read_whole():
    assert len(PARITY) > 100
    assert len(RULES) > 5
    assert all(len(row) == 4 for row in PARITY)
    assert len({row[0] for row in PARITY}) == len(PARITY)


def test_every_behaviour_is_real_with_a_source_or_chosen_with_the_choice_or_absent():
    assert [row for row in PARITY if not is_owned_up_to(*row)] == []


def is_owned_up_to(_behaviour: str, played: str, source: str, witness: str) -> bool:
    if played == "real":
        return source != ""
    if played == "absent":
        return witness == ""
    return bool(re.fullmatch(r"chosen: .+ \((`[\w/]+\.py`(, )?)+\)", played))


@pytest.mark.parametrize(
    "row",
    [
        ("it asks", "real", "", "test_a.py::test_b"),
        ("it asks", "absent", "", "test_a.py::test_b"),
        ("it asks", "chosen", "", "test_a.py::test_b"),
        ("it asks", "chosen: it answers", "", "test_a.py::test_b"),
        ("it asks", "Real", "a page", "test_a.py::test_b"),
    ],
)
def test_a_row_that_does_not_own_up_is_told(row):
    assert not is_owned_up_to(*row)


@cache
def text_of(file: str) -> str:
    """The text of a file with tests, which has its name alone."""
    [path] = (ROOT / "tests").rglob(file)
    return path.read_text(encoding="utf-8")


def exists(witness: str) -> bool:
    named = WITNESS.fullmatch(witness)
    if not named:
        return False
    file, function, case = named.groups()
    text = text_of(file)
    return f"\ndef {function}(" in text and (case is None or f'"{case}"' in text)


def test_every_witness_exists():
    assert {behaviour: witness for behaviour, witness in WITNESSED if not exists(witness)} == {}
    assert not exists("test_parity.py::test_nobody_wrote")
    assert not exists("a test")


def marked(path: Path) -> bool:
    return bool(OWNS_UP.search(path.read_text(encoding="utf-8")))


def test_every_module_that_chose_is_named_by_a_row_and_the_other_way_round():
    named = {name for row in CHOICES for name in re.findall(r"`([\w/]+\.py)`", row[1])}
    assert named == {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if marked(path)}


def test_the_options_are_those_of_the_command_line():
    parser = options_parser()
    options = {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}
    assert {re.match(r"`(--[\w-]+)", row[0])[1] for row in rows("| option | meaning | default |")} == options


def test_the_calls_are_those_of_the_control_interface():
    table = {row[0].strip("`/"): row[1] for row in rows("| call | body | what it does |")}
    assert table.keys() == control.CALLS.keys()
    assert {name for name, body in table.items() if "GET" in body} == {
        name for name, call in control.CALLS.items() if call.method == "GET"
    }
    fault_options = set(re.findall(r"`(\w+)`", table["faults"])) - {"token", "graph"}
    assert fault_options == set(Fault.__dataclass_fields__)
