"""check() turns whatever an answer does into a verdict, and never raises."""

import signal
import threading
from enum import StrEnum
from types import MappingProxyType

import numpy
import pandas
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
from workbook import check, verdicts, watching
from workbook.marking import chosen, gives, raises, same
from workbook.showing import show
from workbook.verdicts import LearnersError, Verdict, exercise, not_yet, right


@pytest.fixture
def double():
    """An exercise that exists for one test only."""

    @exercise("99-double")
    def checker(double, ask):
        if double(2) != 4:
            return not_yet("twice two is four.")
        return right()

    yield "99-double"
    del verdicts._exercises["99-double"]


def returns(value):
    return lambda number: value


def raising(error):
    def double(number):
        raise error

    return double


def test_the_three_states_and_their_looks(double):
    assert repr(check(double, lambda number: number * 2)) == "✅ right"
    assert repr(check(double, returns(5))) == "❌ not yet: twice two is four."
    assert repr(check(double, ...)).startswith("⬜ not started: ")


def stub(number): ...


def stub_with_text(number):
    """What to do."""
    ...


@pytest.mark.parametrize("answer", [..., returns(...), stub, stub_with_text])
def test_an_ellipsis_is_not_started(double, answer):
    assert check(double, answer).state == "not started"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (returns(None), "return"),
        (raising(NameError("name 'x' is not defined")), "raises NameError: name 'x' is not defined."),
        (raising(ValueError()), "raises ValueError."),
        (raising(SystemExit(1)), "raises SystemExit"),
        (lambda: 4, "takes 0 positional arguments"),
        (4, "'int' object is not callable"),
        (None, "'NoneType' object is not callable"),
    ],
)
def test_whatever_goes_wrong_is_not_yet(double, answer, words):
    verdict = check(double, answer)
    assert verdict.state == "not yet"
    assert words in verdict.hint


def test_endless_recursion_is_not_yet(double):
    def answer(number):
        return answer(number)

    assert "RecursionError" in check(double, answer).hint


def test_a_checker_may_know_a_better_hint():
    @exercise("99-better")
    def checker(answer, ask):
        try:
            return right(answer())
        except LearnersError as error:
            return not_yet(f"better: {type(error.__cause__).__name__}")

    try:
        assert check("99-better", lambda: {}["roles"]).hint == "better: KeyError"
    finally:
        del verdicts._exercises["99-better"]


@pytest.mark.parametrize("name", ["04-scop", "98-nothing", "", "scope", "../04-scope", 4, None])
def test_an_unknown_exercise_is_a_sentence(name):
    verdict = check(name, 1)
    assert verdict.state == "not yet"
    assert f"there is no exercise called '{name}'" in verdict.hint


def test_a_misspelt_exercise_is_pointed_out():
    assert check("04-scop", 1).hint.endswith("Did you mean '04-scope'?")


# --- the four kinds, and the cell above -------------------------------------------------------------------------------


@pytest.fixture
def register():
    """Registers exercises for one test only: register(checker, given) gives the exercise's name."""
    names = []

    def one(checker, given=None):
        names.append(f"99-{len(names)}")
        exercise(names[-1], given)(checker)
        return names[-1]

    yield one
    for name in names:
        del verdicts._exercises[name]


def defined(source, name):
    names = {}
    exec(source, names)  # noqa: S102 - as a notebook's cell does
    return names[name]


GIVEN = {
    "repair": "LIMIT = 3\ndef halve(number):\n    return number / LIMIT",
    "fill in": "def halve(number):\n    return number / ...",
}


def halves(halve, ask):
    return gives(halve, 4, expected=2) or right()


@pytest.mark.parametrize("kind", GIVEN)
def test_code_as_it_was_given_is_not_started(register, kind):
    name = register(halves, GIVEN[kind])
    as_given = GIVEN[kind].replace("    return", "\n    # a remark changes nothing\n    return")
    assert check(name, defined(as_given, "halve")).state == "not started"
    assert check(name, defined("def halve(number):\n    return number / 2", "halve")) == Verdict("right")
    verdict = check(name, defined("def halve(number):\n    return number / 4", "halve"))
    assert verdict.hint == "halve(4) gives 1.0, expected 2."


def test_a_repair_above_the_function_counts(register):
    name = register(halves, GIVEN["repair"])
    assert check(name, defined(GIVEN["repair"].replace("LIMIT = 3", "LIMIT = 2"), "halve")).state == "right"


def test_a_gap_that_is_left_is_told(register):
    name = register(halves, "def halve(number):\n    number = ...\n    return number / ...")
    verdict = check(name, defined("def halve(number):\n    number = number\n    return number / ...", "halve"))
    assert verdict == Verdict("not yet", "there is still a ... in halve: replace each of them.")


def test_a_chosen_value(register):
    def flow(flow, ask):
        reasons = {"device code": "there somebody signs in."}
        return chosen(flow, "client credentials", reasons=reasons, otherwise="choose one of the two.") or right()

    name = register(flow)
    assert check(name, ...).state == "not started"
    assert check(name, " Client credentials ") == Verdict("right")
    assert check(name, "device code") == Verdict("not yet", "there somebody signs in.")
    assert check(name, 7) == Verdict("not yet", "this is 7: choose one of the two.")


def test_values_that_are_chosen_together(register):
    def answers(answers, ask):
        return chosen(answers, {"a": 1, "b": 2}, reasons={}, otherwise="look again.") or right()

    name = register(answers)
    assert check(name, {"a": ..., "b": ...}).state == "not started"
    assert "still a ..." in check(name, {"a": 1, "b": ...}).hint
    assert check(name, {"b": 2, "a": 1}).state == "right"


def test_a_wrong_value_that_was_given_is_not_started(register):
    name = register(lambda scope, ask: right() if scope == "right" else not_yet("no."), 'scope = "wrong"')
    assert [check(name, text).state for text in ("wrong", "other", "right")] == ["not started", "not yet", "right"]


@pytest.fixture(scope="module")
def shell():
    """A kernel's IPython without the kernel, which the checks follow."""
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    verdicts._runs.follow(shell)
    shell.run_cell("from workbook import check")
    return shell


def verdict_in(shell, name):
    return shell.run_cell(f"check({name!r})").result


def test_the_check_takes_the_answer_of_the_cell_above(register, shell, capsys):
    name = register(halves)
    verdict = verdict_in(shell, name)
    assert (verdict.state, "run the cell above first" in verdict.hint) == ("not started", True)
    shell.run_cell("def halve(number): return number / 2")
    assert verdict_in(shell, name) == Verdict("right")
    shell.run_cell("def halve(number) return number / 2")
    assert "Python cannot read the cell above (SyntaxError in line 1" in verdict_in(shell, name).hint
    shell.run_cell("nothing_of_this_name\ndef halve(number): return number / 2")
    assert "the cell above ended with NameError: name 'nothing_of_this_name'" in verdict_in(shell, name).hint
    shell.run_cell("def halve(number):\n  return number / 2\nsomewhere_else = 'no'")
    assert verdict_in(shell, name) == Verdict("right")


# --- time, printing, input --------------------------------------------------------------------------------------------

ENDLESS = {
    "a loop": "def double(number):\n    while True:\n        number += 0",
    "a loop that swallows exceptions": (
        "def double(number):\n    while number:\n        try:\n            number += 0\n        except Exception:\n"
        "            pass"
    ),
    "a loop that swallows everything once": (
        "def double(number):\n    for _ in range(2):\n        try:\n            while True:\n"
        "                number += 0\n        except:\n            pass\n    while True:\n        number += 0"
    ),
    "an endless generator": "def double(number):\n    while True:\n        yield number",
    "a long sleep": "import time\ndef double(number):\n    time.sleep(100)",
}


@pytest.mark.parametrize("where", ["main thread", "another thread"])
@pytest.mark.parametrize("kind", ENDLESS)
def test_what_does_not_end_is_ended(double, monkeypatch, kind, where):
    monkeypatch.setattr(watching, "DEADLINE", 0.1)
    verdict = []
    answer = defined(ENDLESS[kind], "double")
    if where == "main thread":
        verdict.append(check(double, answer))
    else:  # as in a subshell of a kernel; Windows takes this way as well, because it has no alarm
        thread = threading.Thread(target=lambda: verdict.append(check(double, answer)))
        thread.start()
        thread.join(20)
    assert verdict[0].hint == "double(2) has not ended after 0.1 seconds: look for a loop that has no end."


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="Windows has no alarm")
def test_the_alarm_is_put_back(double):
    before = signal.getsignal(signal.SIGALRM)
    check(double, returns(4))
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_an_interruption_by_hand_is_a_verdict(double):
    assert check(double, raising(KeyboardInterrupt())).hint == "double(2) was stopped before it ended."


def test_what_an_answer_prints_is_kept_short(double, capsys):
    def answer(number):
        for line in range(5000):
            print("line", line)
        return number * 2

    lines = repr(check(double, answer)).splitlines()
    assert [len(lines), lines[0]] == [2, "✅ right"]
    assert lines[1].startswith("   Your code printed: line 0 line 1 ")
    assert len(lines[1]) < 200
    assert capsys.readouterr() == ("", "")


def test_a_printed_token_is_not_shown(double):
    def answer(number):
        print("eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJ4In0.c2ln", "-----BEGIN PRIVATE KEY-----\nMIIE", sep=" ")
        return 4

    assert repr(check(double, answer)) == ("✅ right\n   Your code printed: <token> <PEM text: PRIVATE KEY>")


def test_nobody_is_asked_for_input(double):
    assert "use the arguments instead" in check(double, lambda number: input()).hint


def test_arguments_are_copies(register):
    def checker(total, ask):
        numbers = [1, 2, 3]
        return gives(total, numbers, expected=6) or gives(total, numbers, expected=6) or right()

    assert check(register(checker), lambda numbers: sum(numbers.pop() for _ in range(len(numbers)))).state == "right"


# --- the words of the checkers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((1, 2), [1, 2]),
        (numpy.array([1, 2]), [1, 2]),
        (pandas.Index(["a"]), ["a"]),
        (pandas.Series([1.0]), [1]),
        ({"a": 1}.values(), [1]),
        (iter([1]), [1]),
        (numpy.bool_(True), True),
        (numpy.int64(3), 3),
        (StrEnum("Step", ["ok"]).ok, "ok"),
        (frozenset("ab"), {"a", "b"}),
        (MappingProxyType({"a": (1,)}), {"a": [1]}),
    ],
)
def test_other_types_that_mean_the_same(found, expected):
    assert same(found, expected)


@pytest.mark.parametrize(
    ("found", "expected"),
    [(1, True), (True, 1), ([1], 1), ("12", [1, 2]), ({1, 2}, [1, 2]), ("1", 1), ([True], [1]), (b"a", "a")],
)
def test_types_that_do_not_mean_the_same(found, expected):
    assert not same(found, expected)


def test_gives_names_call_result_expectation_and_reason(register):
    mistakes = {"that is the sum.": lambda a, b: a + b, "never.": lambda a: a}
    name = register(
        lambda times, ask: gives(times, 2, 3, expected=6, reason="twice three.", mistakes=mistakes) or right()
    )
    assert check(name, lambda a, b: a + b).hint == "<lambda>(2, 3) gives 5, expected 6: that is the sum."
    assert check(name, lambda a, b: 7).hint == "<lambda>(2, 3) gives 7, expected 6: twice three."
    assert check(name, lambda a, b: "6").hint == "<lambda>(2, 3) gives a str, expected a whole number."


def test_raises_names_what_came_instead(register):
    name = register(lambda root, ask: raises(root, -1, error=ValueError, reason="it has none.") or right())
    assert check(name, raises_error(ValueError())).state == "right"
    assert (
        check(name, raises_error(KeyError("x"))).hint == "root(-1) raises KeyError, expected ValueError: it has none."
    )
    assert check(name, returns(1)).hint == "<lambda>(-1) gives 1, expected: it raises ValueError: it has none."
    assert "gives back None" in check(name, lambda number: print()).hint


def raises_error(error):
    def root(number):
        raise error

    return root


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"idtyp": "app"}, "{'idtyp': 'app'}"),
        (("a",), "('a',)"),
        (list(range(99)), "[0, 1, 2, 3, 4, 5, 6, 7, … 91 more]"),
        (b"x" * 99, "<99 bytes>"),
        (pandas.DataFrame({"a": [1, 2]}), "<DataFrame, 2 rows>"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n", "'<PEM text: PRIVATE KEY>\\n'"),
        (object(), "<object>"),
    ],
)
def test_values_are_shown_short_and_without_secrets(value, words):
    assert show(value) == words


# --- what a checker may ask -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tenant():
    """The practice tenant of the checks, ended after this file."""
    yield verdicts._ask
    verdicts._ask.bench.practice.close()
    verdicts._ask._bench = None


def good_scope(resource_uri):
    return [f"{resource_uri}/.default"]


def test_a_checker_shows_entras_own_answer_without_ids(tenant):
    hints = {check("04-scope", lambda resource_uri: ["User.Read.All"]).hint for _ in range(2)}
    assert len(hints) == 1
    hint = hints.pop()
    assert "AADSTS1002012" in hint
    assert "Trace" not in hint


def test_a_refusal_of_graph_as_a_sentence(tenant):
    sentence = tenant.sentence(tenant.graph("/users", token="no-token"))
    assert sentence.startswith("401 InvalidAuthenticationToken, ")


def test_a_good_token_is_the_default(tenant):
    assert len(tenant.graph("/users?$top=2").json()["value"]) == 2


def test_the_tenant_is_as_new_for_each_check(tenant):
    seen = []

    @exercise("99-state")
    def checker(answer, ask):
        seen.append(ask.graph("/users?$top=1").status_code)
        ask.bench.practice.revoke("User.Read.All")
        return right()

    try:
        assert [check("99-state", 1), check("99-state", 1)] == [Verdict("right")] * 2
    finally:
        del verdicts._exercises["99-state"]
    assert seen == [200, 200]


def test_a_tenant_that_died_is_replaced(tenant):
    old = tenant.bench.practice
    old.close()
    assert check("04-scope", lambda resource_uri: ["User.Read.All"]).state == "not yet"
    assert tenant.bench.practice is not old


def test_a_tenant_is_not_started_for_nothing(tenant):
    tenant.bench.practice.close()
    tenant._bench = None
    assert check("04-scope", good_scope).state == "right"
    assert tenant._bench is None
