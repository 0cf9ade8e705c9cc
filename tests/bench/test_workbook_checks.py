"""check() turns whatever an answer does into a verdict, and never raises."""

import pytest
from workbook import check, verdicts
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
    del verdicts._checkers["99-double"]


def returns(value):
    return lambda number: value


def raises(error):
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
        (raises(NameError("name 'x' is not defined")), "raises NameError: name 'x' is not defined."),
        (raises(ValueError()), "raises ValueError."),
        (raises(SystemExit(1)), "raises SystemExit"),
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
        del verdicts._checkers["99-better"]


@pytest.mark.parametrize("name", ["04-scop", "98-nothing", "", "scope", "../04-scope", 4, None])
def test_an_unknown_exercise_is_a_sentence(name):
    verdict = check(name, 1)
    assert verdict.state == "not yet"
    assert f"there is no exercise called '{name}'" in verdict.hint


def test_a_misspelt_exercise_is_pointed_out():
    assert check("04-scop", 1).hint.endswith("Did you mean '04-scope'?")


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
        del verdicts._checkers["99-state"]
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
