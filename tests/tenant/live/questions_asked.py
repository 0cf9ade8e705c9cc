"""The questions of `pytest --live`, put to the second tenant before they are put to Microsoft. Part of .ci/run."""

import pytest
import second_tenant.entra
import second_tenant.graph
from asking import Side
from comparing import difference, report, row_of
from cryptography import x509
from questions import QUESTIONS, Question
from second_tenant import SecondTenant
from second_tenant.answers import Answer
from workbook import PASSPHRASE, bench, open_bench
from workbook.keys import practice_pair

# Where the second tenant differs on purpose: other habits, and a token whose signature anybody can check.
HABITS = {
    "v1.0-format claims of an app-only Graph token",
    "The nonce in the header",
    "The device code endpoint",
    "The default eleven properties",
    "`$top` 1 to 999",
    "`@odata.nextLink`: absolute",
    "The text when something follows after a whole filter",  # it counts positions in its own way
}


@pytest.fixture(scope="module")
def tenant():
    certificate = x509.load_pem_x509_certificate(practice_pair().certificate.encode())
    with SecondTenant(certificate, size=600, latency=0, throttle_after=None) as one:
        yield one


@pytest.fixture(scope="module")
def sides(tenant):
    """The practice tenant and the second one, as .env would name it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("WORKBOOK_TENANT")
        settings = tenant.network() | tenant.settings(practice_pair().pfx_path.as_posix(), PASSPHRASE)
        for name, value in settings.items():
            patch.setenv(name, value)
        practice = bench.practice_bench()
        yield Side(practice), Side(open_bench())
        practice.practice.close()


def test_the_second_tenant_differs_where_it_was_made_to_and_the_report_names_nobody(sides, tenant):
    found = [difference(question, *sides) for question in QUESTIONS]
    differences = [one for one in found if one]
    assert {one.row for one in differences} == {row_of(beginning) for beginning in HABITS}
    text = report(differences)
    assert f"{len(QUESTIONS)} rows of the parity table were asked" in text
    assert not_named(text, tenant)


def not_named(text: str, tenant: SecondTenant) -> bool:
    directory = tenant.directory
    names = {directory.tenant_id, directory.name, tenant.client_id, *directory.domains}
    for user in directory.users:
        names |= {user["id"], user["surname"], user["givenName"], user["userPrincipalName"]}
    return not [name for name in names if name in text]


def test_a_service_that_has_changed_is_reported_in_words_for_an_issue(sides, tenant, monkeypatch):
    somebody = tenant.directory.users[4]

    def gone(name):
        said = f"{somebody['mail']} of {tenant.tenant_id} in {tenant.directory.domains[0]} is not {name}."
        return second_tenant.graph.Problem(410, "Request_Gone", said)

    monkeypatch.setattr(second_tenant.graph, "not_there", gone)
    question = next(one for one in QUESTIONS if one.row.startswith("404 "))
    differs = difference(question, *sides)
    assert differs.lines == [
        '- "status": 404,',
        '- "code": "Request_ResourceNotFound",',
        """- "says": "Resource '‹id›' does not exist or one of its queried reference-property objects are not """
        'present."',
        '+ "status": 410,',
        '+ "code": "Request_Gone",',
        '+ "says": "‹address› of ‹tenant› in ‹domain› is not ‹id›."',
    ]
    assert not_named(report([differs]), tenant)


def test_an_answer_of_another_kind_is_a_difference_and_no_crash(sides, monkeypatch):
    monkeypatch.setattr(second_tenant.graph, "ORDER", ())
    question = next(one for one in QUESTIONS if one.row.startswith("The default eleven"))
    assert '+"the answer is of another kind (KeyError)"' in difference(question, *sides).lines


def test_a_question_that_nobody_can_answer_is_a_difference(sides):
    assert difference(Question("Opaque claims", lambda side: side.nothing), *sides)


def test_a_token_that_cannot_be_decoded_is_a_difference_and_never_shown(sides, monkeypatch):
    practice, other = sides
    monkeypatch.setitem(other.__dict__, "granted", other.granted | {"access_token": "opaque-and-secret"})
    question = next(one for one in QUESTIONS if one.row.startswith("v1.0-format claims"))
    differs = difference(question, practice, other)
    assert '+"the answer is of another kind (DecodeError)"' in differs.lines
    assert "opaque-and-secret" not in report([differs])


def test_every_question_notices_a_service_that_answers_nothing_of_the_kind(sides, monkeypatch):
    practice, other = sides
    assert other.granted and other.somebody and other.claims()

    def other_words(_self, _asked):
        return Answer(418, {"value": [{}], "keys": [], "responses": [{"id": "1", "status": 418}]})

    monkeypatch.setattr(second_tenant.entra.Entra, "_dispatch", other_words)
    monkeypatch.setattr(second_tenant.graph.Graph, "_dispatch", other_words)
    from_the_token = ("v1.0-format claims", "The answer: four keys in order", "`appidacr` 1 for a secret")  # kept
    deaf = {question.row for question in QUESTIONS if difference(question, practice, other) is None}
    assert {row for row in deaf if not row.startswith(from_the_token)} == set()
