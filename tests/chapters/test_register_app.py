"""Chapter 02 as its readers use it: somebody has clicked some of the steps, or .env names a tenant of their own.

On such a tenant it asks first, creates only then, and can undo all of it. The second tenant lags behind as a real one
does: a new app, its service principal and its consent are not known everywhere at once.
"""

import contextlib
import re
from pathlib import Path

import pytest
import requests
from chapters import NOTEBOOKS, code_cells, known, tags
from lent_tenants import Lender
from second_tenant import SecondTenant
from workbook import PASSPHRASE, WorkbookProblem, bench, keys, settings
from workbook.practice import PracticeTenant

CHAPTER = NOTEBOOKS / "02_register_app.ipynb"
CELLS = {cell.id: cell.source for cell in code_cells(known(CHAPTER)) if not {*tags(cell)} & {"check", "exercise"}}
STORED = {
    cell.id: "".join(output.text for output in cell.outputs if output.output_type == "stream")
    for cell in code_cells(known(CHAPTER))
}
OWN = [name for name in CELLS if name.startswith("own-")]


class Learner:
    """Somebody who runs the cells and answers at the keyboard. `screen` is what they saw."""

    def __init__(self, names: dict, tenant: PracticeTenant | SecondTenant) -> None:
        self.names, self.tenant = names, tenant
        self.screen, self.questions = "", []

    def run(self, *answers: str) -> None:
        """Runs the section "In your own tenant", typing these answers, one a question."""
        waiting = list(answers)

        def ask(question: str) -> str:
            self.questions.append(question)
            return waiting.pop(0)

        self.names |= {"input": ask, "print": self.see}
        for name in OWN:
            exec(CELLS[name], self.names)  # noqa: S102 - the cells of a chapter of ours
        assert waiting == []

    def see(self, *words: object) -> None:
        line = " ".join(map(str, words))
        self.screen += line + "\n"
        code = re.search(r"enter the code (\w+) to authenticate", line)
        if code:
            self.tenant.sign_in(code.group(1))

    def apps(self) -> list[dict]:
        return self.names["graph"]("GET", "/applications").json()["value"]


@pytest.fixture(scope="module")
def names() -> dict:
    """What the chapter has defined when it comes to its last section."""
    found: dict = {"__name__": "chapter_02"}
    for name, source in CELLS.items():
        if name in OWN or name == "no-id":
            continue
        exec(source, found)  # noqa: S102 - the cells of a chapter of ours
    return found


@pytest.fixture(scope="module")
def started():
    """One process for all tests of this file; each finds it as it was at the start."""
    one = PracticeTenant([])
    yield one
    one.close()


on_either_tenant = pytest.mark.parametrize("tenant", [PracticeTenant, SecondTenant], indirect=True)


@pytest.fixture
def tenant(request, started, monkeypatch, tmp_path):
    """A tenant that .env names before there is an app in it."""
    one = started
    one.reset()
    if getattr(request, "param", PracticeTenant) is SecondTenant:
        one = SecondTenant(size=100)
        request.addfinalizer(one.close)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", one.ca_certificate)
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    monkeypatch.delenv("WORKBOOK_TENANT")
    values = {
        "AZURE_TENANT_ID": one.tenant_id,
        "AZURE_CLIENT_ID": "",
        "AZURE_CLIENT_CERTIFICATE_PATH": keys.practice_pair().pfx_path.as_posix(),
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": PASSPHRASE,
        "AZURE_AUTHORITY_HOST": one.authority.removesuffix(f"/{one.tenant_id}"),
        "GRAPH_ENDPOINT": one.graph_endpoint,
    }
    lines = [f"{name}='{value}'\n" for name, value in values.items()]
    Path(tmp_path, ".env").write_text("".join(lines), encoding="utf-8")
    monkeypatch.setattr(bench, "read_settings", lambda: settings.read_settings(tmp_path))
    return one


@pytest.fixture
def learner(names, tenant):
    return Learner(names, tenant)


def test_without_a_tenant_of_ones_own_it_stays_with_the_portal_and_asks_nothing(names):
    before = names["bench"]
    learner = Learner(names, before.practice)
    learner.run()
    assert (names["bench"], learner.questions) == (before, [])
    assert requests.get(before.practice.portal_url, timeout=30).status_code == 200


def test_it_says_that_the_app_is_what_is_missing(learner, capsys):
    learner.run("no")
    said = capsys.readouterr().out
    assert f"Tenant   your own, {learner.tenant.tenant_id}" in said
    assert "Missing  an app registration; this chapter asks before it makes one" in said


@pytest.mark.parametrize("answer", ["", "y", "undo"])
def test_without_a_yes_nothing_is_created(learner, answer):
    learner.run(answer)
    assert learner.apps() == []
    assert learner.tenant.tenant_id in learner.questions[0]


def test_with_a_yes_the_app_works_and_stays(learner):
    learner.run("yes", "")
    [app] = learner.apps()
    assert f"AZURE_CLIENT_ID={app['appId']}\n" in learner.screen
    result = learner.names["daemon"](app["appId"]).acquire_token_for_client(learner.names["bench"].scope)
    assert learner.names["read_users"](result["access_token"]).status_code == 200


@pytest.mark.parametrize("answers", [("no",), ("yes", ""), ("yes", "undo")])
def test_a_cell_of_the_practice_part_run_afterwards_changes_nothing_in_a_real_tenant(learner, answers):
    learner.run(*answers)
    before = learner.apps()
    for name in ("catch-up-register", "post-application", "undo"):
        with contextlib.suppress(WorkbookProblem):
            exec(CELLS[name], learner.names)  # noqa: S102 - a cell of a chapter of ours
    assert learner.apps() == before


def test_run_again_it_finds_the_app_and_neither_asks_nor_creates(learner):
    learner.run("yes", "")
    learner.questions.clear()
    learner.run()
    assert learner.questions == []
    assert len(learner.apps()) == 1


@on_either_tenant
def test_undo_takes_everything_back(learner):
    learner.run("yes", "undo")
    assert learner.apps() == []
    principals = learner.names["graph"]("GET", "/servicePrincipals?$filter=displayName eq 'people-report'").json()
    assert principals["value"] == []


def test_an_account_that_may_not_consent_gets_the_letter(learner, monkeypatch):
    sign_in = learner.names["sign_in"]
    monkeypatch.setitem(learner.names, "sign_in", lambda scopes: sign_in(scopes[:1]))
    learner.run("yes", "undo")
    assert "consent: 403" in learner.screen
    assert "Subject: please consent" in learner.screen
    assert learner.apps() == []


# --- the steps by hand ------------------------------------------------------------------------------------------------


class Portal:
    """Somebody who clicks through the four steps: the forms of the portal's pages, sent as a browser sends them."""

    def __init__(self, names: dict) -> None:
        self.names = names
        self.session = requests.Session()
        self.session.trust_env = False  # a proxy of the system would get between

    def submit(self, page: str, **form) -> None:
        answer = self.session.post(self.names["bench"].practice.portal_url + page, timeout=30, **form)
        answer.raise_for_status()

    def register(self) -> None:
        self.submit("new", data={"name": "people-report", "audience": "AzureADMyOrg"})

    def upload(self) -> None:
        file = self.names["upload"]
        files = {"certificate": (file.name, file.read_bytes(), "application/x-x509-ca-cert")}
        self.submit(f"upload?id={self.names['app']['id']}", files=files, data={"description": ""})

    def list_permission(self) -> None:
        page = f"add-permission?id={self.names['app']['id']}&api={self.names['MICROSOFT_GRAPH']}&kind=application"
        self.submit(page, data={"permission": self.names["role"]["id"]})

    def consent(self) -> None:
        self.submit(f"consent?id={self.names['app']['id']}")


STEPS = {
    "catch-up-register": Portal.register,
    "catch-up-upload": Portal.upload,
    "catch-up-list": Portal.list_permission,
    "catch-up-consent": Portal.consent,
}


@pytest.fixture(scope="module")
def lender():
    one = Lender()
    yield one
    one.end()


@pytest.mark.parametrize("clicked", [0, 1, 2, 3, 4])
def test_whoever_clicked_reads_the_same_and_loses_nothing(clicked, lender, monkeypatch, capsys):
    monkeypatch.setattr(bench, "PracticeTenant", lender)
    names: dict = {"__name__": "chapter_02"}
    portal, said, written = Portal(names), {}, {}
    for name, source in CELLS.items():
        if name == "no-id":
            continue
        if name == "post-application":
            break
        if name in list(STEPS)[:clicked]:
            STEPS[name](portal)
        before = len(names["bench"].wire) if "bench" in names else 0
        capsys.readouterr()
        exec(source, names)  # noqa: S102 - the cells of a chapter of ours
        said[name] = capsys.readouterr().out
        written[name] = {one.method for one in list(names["bench"].wire)[before:]} - {"GET"}
    assert {name: said[name] for name in [*STEPS, "try"]} == {name: STORED[name] for name in [*STEPS, "try"]}
    assert [name for name in STEPS if written[name]] == list(STEPS)[clicked:]
