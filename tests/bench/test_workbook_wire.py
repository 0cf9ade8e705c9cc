"""The recorder keeps everything that shows how a daemon talks, and nothing that would let another one in."""

import base64
import json
import traceback

import msal
import pytest
import requests
from workbook.bench import PRACTICE_SECRET, PracticeOptions, practice_bench
from workbook.drawing import COLUMNS, SequenceDiagram
from workbook.exchange import CUT, Exchange, Places, without_secrets
from workbook.problems import ConnectionProblem
from workbook.wire import RecordingSession

SCOPE = ["https://graph.microsoft.com/.default"]
REAL = Places(
    "https://login.microsoftonline.com/contoso.com",
    "https://graph.microsoft.com/v1.0",
    ("contoso.com",),
    show_hosts=True,
)


@pytest.fixture(scope="module")
def bench():
    bench = practice_bench(PracticeOptions(secret=True))
    yield bench
    bench.practice.close()


@pytest.fixture(autouse=True)
def as_new(bench):
    bench.practice.reset()
    bench.wire.clear()


def app(bench, credential=None):
    return msal.ConfidentialClientApplication(
        bench.client_id,
        authority=bench.authority,
        client_credential=credential or {"private_key": bench.private_key, "public_certificate": bench.certificate},
        http_client=bench.session,
        instance_discovery=bench.instance_discovery,
    )


def get(bench, path, token):
    return bench.session.get(bench.graph_endpoint + path, headers={"Authorization": f"Bearer {token}"})


def everything_kept(wire):
    return repr([vars(exchange) for exchange in wire]) + wire.table(*COLUMNS).to_string() + repr(wire.sequence())


def test_a_daemons_whole_conversation(bench):
    token = app(bench).acquire_token_for_client(SCOPE)["access_token"]
    get(bench, "/users?$top=2&$select=id", token)
    table = bench.wire.table(*COLUMNS)
    assert table["#"].tolist() == [1, 2, 3]
    assert table["method"].tolist() == ["GET", "POST", "GET"]
    assert table["host"].tolist() == ["Entra ID", "Entra ID", "Microsoft Graph"]
    assert table["path"].tolist() == [
        "/{tenant}/v2.0/.well-known/openid-configuration",
        "/{tenant}/oauth2/v2.0/token",
        "/v1.0/users?$top=2&$select=id",
    ]
    assert table["status"].tolist() == [200, 200, 200]
    assert "grant_type=client_credentials" in table["sent"][1]
    assert table["sent"][2] == "Authorization: Bearer ‹cut›"
    assert "access_token ‹cut›" in table["answered"][1]
    assert "value ‹2 items›" in table["answered"][2]
    assert (len(bench.wire.to_entra), len(bench.wire.to_graph)) == (2, 1)
    assert bench.wire.last is bench.wire.to_graph[0]


def test_it_says_the_same_on_another_port_with_another_key(bench):
    def conversation(bench):
        bench.wire.clear()
        token = app(bench).acquire_token_for_client(SCOPE)["access_token"]
        get(
            bench,
            get(bench, "/users?$top=2", token).json()["@odata.nextLink"].removeprefix(bench.graph_endpoint),
            token,
        )
        wire = bench.wire
        return [repr(wire.table()), wire.table()._repr_html_(), repr(wire.sequence()), wire.assertion(stable=True)]

    other = practice_bench()
    try:
        assert conversation(other) == conversation(bench)
    finally:
        other.practice.close()


def test_no_secret_is_kept(bench):
    result = app(bench).acquire_token_for_client(SCOPE)
    app(bench, PRACTICE_SECRET).acquire_token_for_client(SCOPE)
    get(bench, "/users", result["access_token"])
    bench.session.get(f"{bench.graph_endpoint}/users", headers={"Authorization": result["access_token"]})
    bench.session.post(f"{bench.authority}/oauth2/v2.0/token", data=f"client_secret={PRACTICE_SECRET}")
    bench.session.post(f"{bench.authority}/oauth2/v2.0/token", json={"client_secret": PRACTICE_SECRET})
    bench.session.get(f"{bench.authority}/v2.0?access_token={result['access_token']}")
    bench.session.get(f"{bench.graph_endpoint}/users", auth=("app", PRACTICE_SECRET))
    kept = everything_kept(bench.wire)
    assert PRACTICE_SECRET not in kept
    assert base64.b64encode(f"app:{PRACTICE_SECRET}".encode()).decode() not in kept
    header, claims, signature = result["access_token"].split(".")
    assert not [part for part in (header, claims, signature) if part in kept]
    assert "eyJ" not in kept
    assert kept.count(CUT) > 10


@pytest.mark.parametrize(
    "name",
    ["access_token", "refresh_token", "client_secret", "password", "key", "secretText", "passphrase", "Authorization"],
)
def test_secrets_are_cut_by_name_at_any_depth(name):
    assert without_secrets({"a": {"b": {name: "s3cret"}}}) == {"a": {"b": {name: CUT}}}
    assert without_secrets({"a": [{name: "s3cret"}]}) == {"a": "‹1 item›"}


def test_the_assertion_is_kept_without_its_signature(bench):
    sent = []
    bench.session.hooks["response"].append(lambda response, **_: sent.append(response.request.body))
    try:
        app(bench).acquire_token_for_client(SCOPE)
    finally:
        bench.session.hooks["response"].clear()
    assertion = dict(pair.split("=", 1) for pair in sent[-1].split("&"))["client_assertion"]
    shown = bench.wire.assertion()
    assert shown["header"]["alg"] == "PS256"
    assert shown["claims"]["iss"] == bench.client_id
    assert shown["claims"]["aud"] == f"{bench.authority}/oauth2/v2.0/token"
    assert assertion.split(".")[2] not in everything_kept(bench.wire)
    assert bench.wire.assertion(stable=True) == {
        "header": {"alg": "PS256", "typ": "JWT", "x5c": ["‹certificate›"], "x5t#S256": "‹thumbprint›"},
        "claims": {
            "aud": "{authority}/oauth2/v2.0/token",
            "iss": "{client id}",
            "sub": "{client id}",
            "exp": "‹now + 600 s›",
            "iat": "‹now›",
            "jti": "‹random›",
        },
    }


@pytest.mark.parametrize("assertion", ["", "a.b", "a.b.c", "!.!.!", "W10.W10.x", "MQ.MQ.x"])
def test_an_assertion_that_is_none_is_not_decoded(bench, assertion):
    bench.session.post(f"{bench.authority}/oauth2/v2.0/token", data={"client_assertion": assertion})
    assert bench.wire.assertion() is None


def test_refusals_show_their_code(bench):
    app(bench).acquire_token_for_client(["User.Read.All"])
    assert bench.wire.last.error == "invalid_scope: AADSTS1002012"
    get(bench, "/users", "no-token")
    assert (bench.wire.last.status, bench.wire.last.error) == (401, "InvalidAuthenticationToken")
    assert bench.wire.table("answered")["answered"].tolist()[-1] == "InvalidAuthenticationToken"


def test_plain_text_throttling_shows(bench):
    bench.practice.fail("token", status=429, retry_after=7)
    bench.session.post(f"{bench.authority}/oauth2/v2.0/token")
    assert (bench.wire.last.status, bench.wire.last.retry_after) == (429, "7")
    assert bench.wire.table("answered")["answered"][0] == "Too Many Requests"


def test_a_connection_that_breaks_is_kept_and_raised(bench):
    token = app(bench).acquire_token_for_client(SCOPE)["access_token"]
    bench.practice.fail("graph", cut=True)
    with bench.wire.fresh() as step, pytest.raises(requests.RequestException):
        get(bench, "/users", token)
    assert (step.last.status, step.last.failure) == (None, "connection failed")
    assert step.table()["status"].tolist() == ["–"]
    assert "P0--xD: connection failed" in step.sequence().source


def test_a_step_holds_only_its_own(bench):
    client = app(bench)
    with bench.wire.fresh() as first:
        client.acquire_token_for_client(SCOPE)
        with bench.wire.fresh() as cached:
            client.acquire_token_for_client(SCOPE)
    assert (len(first), len(cached), len(bench.wire)) == (1, 0, 2)
    assert first.table("#")["#"].tolist() == [1]
    assert cached.table().empty
    assert cached.last is None


def test_a_large_answer_is_recorded_unread(bench, monkeypatch):
    monkeypatch.setattr("workbook.exchange._LARGE", 100)
    get(bench, "/users", app(bench).acquire_token_for_client(SCOPE)["access_token"])
    assert bench.wire.last.answered == {"body": "‹large, not looked into›"}


# --- how it shows ---------------------------------------------------------------------------------------------------


def exchange(**changes):
    usual = {"method": "GET", "party": "Entra ID", "host": "h", "path": "/", "query": {}, "sent": {}, "status": 200}
    return Exchange(**(usual | changes))


def test_what_mermaid_stumbles_over_is_escaped():
    one = exchange(path="/a;b#c%d<e>", query={"$filter": "x\ny"}, answered={"text": "100% & $5"})
    source = SequenceDiagram([one], REAL).source
    assert "D->>P0: GET /a#59;b#35;c#37;d#lt;e#gt;?#36;filter=x y" in source
    assert "P0-->>D: 200<br/>100#37; #amp; #36;5" in source


def test_the_drawing_is_mermaid_markdown():
    drawing = SequenceDiagram([exchange()], REAL)
    assert drawing._repr_markdown_() == f"```mermaid\n{drawing.source}\n```"
    assert drawing.source.startswith(
        "sequenceDiagram\n    participant D as Your daemon\n    participant P0 as Entra ID\n"
    )


def test_page_tokens_and_long_values_are_cut(bench):
    session = RecordingSession(REAL)
    session.wire.record(exchange(path="/contoso.com/x", query={"$skiptoken": "RFNwd", "q": "a" * 100}))
    assert session.wire.table()["path"][0] == "/{tenant}/x?$skiptoken=…&q=" + "a" * 59 + "…"


def test_the_table_shows_no_index_and_no_formula(bench):
    session = RecordingSession(REAL)
    session.wire.record(exchange(query={"$top": "1", "$select": "id", "x": "<b>"}))
    html = session.wire.table()._repr_html_()
    assert html.count("<th>") == 4
    assert html.count("<td") == html.count('<td style="text-align: left;">') == 4
    assert "mathjax_ignore" in html
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("url", "party"),
    [
        ("https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token", "Entra ID"),
        ("https://login.microsoft.com/common/discovery/instance", "Entra ID"),
        ("https://graph.microsoft.com/v1.0/users", "Microsoft Graph"),
        ("https://graph.microsoft.com/beta/users", "Microsoft Graph"),
        ("https://example.com/v1.0/users", "example.com"),
    ],
)
def test_who_is_who_in_a_real_tenant(url, party):
    assert REAL.party(url) == party


def test_a_real_tenants_table_names_hosts():
    session = RecordingSession(REAL)
    session.wire.record(exchange(host="login.microsoftonline.com"))
    assert session.wire.table("host")["host"].tolist() == ["login.microsoftonline.com"]


# --- a real tenant without a network ----------------------------------------------------------------------------------


class Adapter(requests.adapters.BaseAdapter):
    """A transport that fails in one way."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def send(self, request, **options):
        raise self.error

    def close(self):
        pass


def test_the_table_is_narrow_and_left_aligned(bench):
    session = RecordingSession(REAL)
    session.wire.record(exchange(method="POST", path="/x/oauth2/v2.0/token", sent={"scope": "s", "grant_type": "g"}))
    session.wire.record(
        exchange(path="/v1.0/users", party="Microsoft Graph", answered={"@odata.context": "c", "value": "‹3 items›"})
    )
    session.wire.record(exchange(path="/v1.0/me", status=400, answered={"error": {"code": "BadRequest"}}))
    session.wire.record(exchange(path="/v1.0/me", status=None, failure="no answer in time"))
    assert repr(session.wire.table()).splitlines() == [
        "method  path                  status  note",
        "POST    /x/oauth2/v2.0/token  200     scope=s",
        "GET     /v1.0/users           200     value ‹3 items›",
        "GET     /v1.0/me              400     BadRequest",
        "GET     /v1.0/me              –       no answer in time",
    ]
    assert list(session.wire.table("#", "answered").columns) == ["#", "answered"]
    with pytest.raises(ValueError, match="there is no column 'answer': the columns are #, method"):
        session.wire.table("answer")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (requests.ConnectionError("x"), "cannot be reached"),
        (requests.exceptions.ProxyError("x"), "proxy"),
        (requests.exceptions.SSLError("x"), "REQUESTS_CA_BUNDLE"),
        (requests.ConnectTimeout("x"), "in time"),
        (requests.ReadTimeout("x"), "in time"),
        (OSError("Could not find a suitable TLS CA certificate bundle"), "names no file"),
        (requests.exceptions.SSLError("Hostname mismatch, certificate is not valid for 'x'"), "for another name"),
        (requests.exceptions.SSLError("Basic Constraints of CA cert not marked critical"), "Python 3.12"),
        (requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support."), "requests[socks]"),
    ],
)
def test_no_network_is_one_sentence(error, words):
    session = RecordingSession(REAL, is_real=True)
    session.mount("https://", Adapter(error))
    with pytest.raises(ConnectionProblem) as caught:
        session.get("https://graph.microsoft.com/v1.0/users")
    assert words in str(caught.value)
    assert caught.value._render_traceback_() == [str(caught.value)]
    assert isinstance(caught.value, requests.ConnectionError)
    assert session.wire.last.failure


@pytest.mark.parametrize(
    "proxy", ["http://svc:S3cret#9@127.0.0.1:8080", "http:/127.0.0.1:8080", "http://u:S3cret@[::1"]
)
def test_a_proxy_variable_that_is_no_address(monkeypatch, proxy):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(ConnectionProblem, match="HTTPS_PROXY") as caught:
        RecordingSession(REAL, is_real=True).get("https://graph.microsoft.com/v1.0/users")
    assert "S3cret" not in "".join(traceback.format_exception(caught.value))


def test_a_learners_own_mistake_keeps_its_own_error():
    with pytest.raises(requests.exceptions.InvalidSchema):
        RecordingSession(REAL, is_real=True).get("ftp://graph.microsoft.com/users")


def test_a_redirect_is_recorded_in_order(bench):
    class Redirecting(requests.adapters.BaseAdapter):
        def send(self, request, **options):
            response = requests.Response()
            moved = request.url.endswith("/a")
            response.status_code, response.url, response.request = (302 if moved else 200), request.url, request
            response.headers["Location"] = "https://graph.microsoft.com/v1.0/b"
            response._content = json.dumps({}).encode()
            response.raw = type("Raw", (), {"release_conn": lambda self: None, "_original_response": None})()
            return response

        def close(self):
            pass

    session = RecordingSession(REAL)
    session.mount("https://", Redirecting())
    session.get("https://graph.microsoft.com/v1.0/a")
    assert [(one.path, one.status) for one in session.wire] == [("/v1.0/a", 302), ("/v1.0/b", 200)]


class Busy(requests.adapters.BaseAdapter):
    """Answers with 429 so many times, and then with 200."""

    def __init__(self, times, retry_after):
        super().__init__()
        self.times, self.retry_after = times, retry_after

    def send(self, request, **options):
        response = requests.Response()
        response.status_code, response.url, response.request = (429 if self.times else 200), request.url, request
        if self.times:
            response.headers["Retry-After"] = self.retry_after
        self.times = max(self.times - 1, 0)
        response._content = b"{}"
        response.raw = type("Raw", (), {"release_conn": lambda self: None, "_original_response": None})()
        return response

    def close(self):
        pass


@pytest.mark.parametrize(
    ("is_real", "times", "retry_after", "statuses"),
    [
        (True, 1, "7", [429, 200]),
        (True, 9, "7", [429] * 4),
        (True, 1, "61", [429]),
        (True, 1, "soon", [429]),
        (False, 1, "7", [429]),
    ],
)
def test_a_real_service_that_is_busy_is_asked_again_when_it_says(
    monkeypatch, capsys, is_real, times, retry_after, statuses
):
    slept = []
    monkeypatch.setattr("workbook.wire.time.sleep", slept.append)
    session = RecordingSession(REAL, is_real=is_real)
    session.mount("https://", Busy(times, retry_after))
    answer = session.post("https://graph.microsoft.com/v1.0/applications", json={"displayName": "x"})
    assert [one.status for one in session.wire] == statuses
    assert answer.status_code == statuses[-1]
    assert slept == [7] * (len(statuses) - 1)
    said = "Wait     Microsoft Graph is busy (429): the same request goes out again in 7 s\n"
    assert capsys.readouterr().out == said * len(slept)
