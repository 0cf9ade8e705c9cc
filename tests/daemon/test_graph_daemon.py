"""graph_daemon.py against the practice tenant's real process: nothing lost, nothing doubled, whatever fails."""

import csv
import io
import json
import logging
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import forge
import graph_daemon
import pytest
import requests
from chapters import NOTEBOOKS
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from graph_daemon import Failure, Graph
from practice import CERTIFICATE, PATIENCE, SECRET, running, write_certificate

PASSWORD = "open~sesame"
USERS = 2_100  # three pages
EVIL = "evil.example"
FILLED_IN = {"client_id": "x", "authority": "https://login.microsoftonline.com/x", "secret": "x"}
SHA1 = CERTIFICATE.fingerprint(hashes.SHA1())  # noqa: S303 - the classic sample's thumbprint


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    """One key pair in every form: server.pfx, server.pem with both parts, and the two apart, some encrypted."""
    folder, key = tmp_path_factory.mktemp("keys"), forge.private_key()
    locked, crt = BestAvailableEncryption(PASSWORD.encode()), CERTIFICATE.public_bytes(Encoding.PEM)
    pem = {lock: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock) for lock in (NoEncryption(), locked)}
    plain, closed = pem.values()
    elliptic = forge.elliptic_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {
        "server.pfx": pkcs12.serialize_key_and_certificates(b"server", key, CERTIFICATE, None, locked),
        "open.pfx": pkcs12.serialize_key_and_certificates(b"server", key, CERTIFICATE, None, NoEncryption()),
        "server.pem": plain + crt,
        "locked.pem": crt + closed,
        "key.pem": plain,
        "server.crt": crt,
        "elliptic.pem": elliptic + crt,
        "empty.pem": b"",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def tenant(keys):
    certificate = ("--certificate", str(write_certificate(keys)), "--secret", SECRET)
    with running(*certificate, "--users", str(USERS), "--role", "User.ReadWrite.All") as process:
        yield process


@pytest.fixture
def practice(tenant):
    tenant.control("reset")
    return tenant


@pytest.fixture(scope="module")
def everyone(tenant) -> set[str]:
    """The ids of all users, read in the plainest way."""
    ids, path = [], "/users?$select=id&$top=999"
    while path:
        page = tenant.get(path).json()
        ids += [user["id"] for user in page["value"]]
        path = page.get("@odata.nextLink", "").removeprefix(tenant.facts["graph_endpoint"])
    assert len(ids) == len(set(ids)) == USERS
    return set(ids)


def settings(practice, keys, **changes):
    given = {
        "client_id": practice.facts["client_id"],
        "authority": practice.facts["authority"],
        "endpoint": f"{practice.facts['graph_endpoint']}/users",
        "secret": SECRET,  # quicker than opening a PFX; every kind of credential has a test of its own
    }
    return given | changes


class Waits(threading.Event):
    """Takes down how long the daemon would wait, and does not wait."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def wait(self, timeout=None):
        self.seconds.append(timeout)
        return False


@pytest.fixture
def graph(practice, keys) -> Graph:
    return connected(Graph(settings(practice, keys)), practice)


def connected(graph, practice) -> Graph:
    graph.trust_env = False
    graph.verify = practice.facts["ca_certificate"]
    graph.stopping = Waits()
    return graph


def count(graph) -> int:
    return int(graph.read(graph.url("/$count")))


def ids_of(users) -> list[str]:
    return [user["id"] for user in users]


def assert_whole(found: list[str], everyone: set[str]) -> None:
    assert len(found) == len(set(found)), "somebody comes twice"
    assert set(found) == everyone, "somebody is missing, or nobody's id came"


@pytest.fixture(params=["plain", "partitions"])
def how(request, monkeypatch) -> dict:
    """Both ways to read; partitions without asking whether they pay."""
    monkeypatch.setattr(graph_daemon, "WORTH_IT", 0)
    return {"workers": 1 if request.param == "plain" else 6, "select": "id"}


# --- nothing lost, nothing doubled ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 7},
        {"status": 503, "retry_after": 0},
        {"status": 504},
        {"cut": True},
        {"corrupt": True},
        {"delay_ms": 30},
    ],
    ids=str,
)
def test_faults_of_graph(practice, graph, everyone, how, fault):
    practice.control("faults", {"target": "graph", "count": 3, "skip": 1} | fault)
    assert_whole(ids_of(graph.read_users(**how)), everyone)
    waits = graph.stopping.seconds
    if "retry_after" in fault:
        assert waits == [fault["retry_after"]] * 3, "Retry-After is what is waited for"
    elif "delay_ms" not in fault:
        assert len(waits) == 3
        assert all(seconds >= 1 for seconds in waits), "without Retry-After never at once"


PASSING = [{"status": 429}, {"status": 503, "retry_after": 2}, {"status": 504}, {"cut": True}, {"corrupt": True}]
PASSING_OF_GRAPH = [*PASSING, {"expired_page_token": True}, {"delay_ms": 20}]


@pytest.mark.parametrize("seed", range(16))
def test_faults_of_all_kinds_in_one_run(practice, graph, everyone, how, seed):
    """Some faults at once, anywhere: whoever comes through has everybody, and gives up only when it has tried."""
    chance = random.Random(seed)
    for _ in range(chance.randint(2, 6)):
        target, faults = chance.choice([("graph", PASSING_OF_GRAPH)] * 4 + [("token", PASSING)])
        where = {"target": target, "skip": chance.randint(0, 6), "count": chance.randint(1, 3)}
        practice.control("faults", where | chance.choice(faults))
    select = chance.choice(["id", "id,proxyAddresses", ""])  # a page may also end with a list or with all properties
    try:
        found = ids_of(graph.read_users(**how | {"select": select}))
    except Failure as failure:
        assert failure.args[0] == graph_daemon.BUSY
        assert len(graph.stopping.seconds) >= 5
    else:
        assert_whole(found, everyone)


@pytest.mark.parametrize("skip", [0, 1])
def test_an_expired_page_token_starts_the_chain_again(practice, graph, everyone, how, skip):
    practice.control("faults", {"target": "graph", "expired_page_token": True, "count": 2, "skip": skip})
    assert_whole(ids_of(graph.read_users(**how)), everyone)


def test_page_tokens_that_always_expire_end_in_a_failure(practice, graph):
    practice.control("faults", {"target": "graph", "expired_page_token": True, "count": 1000})
    with pytest.raises(Failure, match="Directory_ExpiredPageToken") as caught:
        ids_of(graph.read_users(workers=1))
    assert caught.value.args[0] == graph_daemon.GRAPH


@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 503, "retry_after": 3}, {"cut": True}, {"corrupt": True}], ids=str
)
def test_faults_of_entra(practice, graph, everyone, fault):
    practice.control("faults", {"target": "token", "count": 2, "skip": 1} | fault)
    assert_whole(ids_of(graph.read_users()), everyone)
    assert len(graph.stopping.seconds) == 2
    if fault.get("status") == 429:
        assert graph.stopping.seconds == [60, 60], "Entra asks for a minute"


def test_a_token_that_expires_in_the_middle_is_renewed(practice, graph, everyone, how):
    practice.control("token-lifetime", {"seconds": 400})  # MSAL keeps a token until five minutes before its end
    users = graph.read_users(**how)
    found = ids_of([next(users)])
    practice.control("clock", {"shift_seconds": 450})  # within the ten minutes that MSAL's assertion lives
    assert_whole(found + ids_of(users), everyone)
    seen = practice.control("requests")["requests"]
    assert 401 in {one["status"] for one in seen}, "the old token was used once more"
    assert sum(one["path"].endswith("/token") for one in seen) == 2, "one new token, however many workers"


def test_users_who_come_while_it_reads_are_no_reason_to_lose_others(practice, graph, everyone, monkeypatch):
    monkeypatch.setattr(graph_daemon, "WORTH_IT", 0)
    users = graph.read_users(select="id", workers=2)
    found = ids_of([next(users)])
    new = create_user(practice, "0new")
    found += ids_of(users)
    assert len(found) == len(set(found))
    assert everyone <= set(found) <= everyone | {new}


def test_throttling_is_obeyed(keys, everyone):
    with running("--users", "40", "--throttle") as small:
        graph = connected(Graph(settings(small, keys)), small)
        readings = [ids_of(graph.read_users(workers=1)) for _ in range(5)]
    assert all(len(set(ids)) == len(ids) == 40 for ids in readings)


# --- partitions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["userPrincipalName", "displayName", "mail", "givenName"])
def test_partitions_are_complete_and_disjoint(graph, everyone, by):
    chains = [
        {user["id"] for page in graph.read_pages([(first, first)]) for user in page["value"]}
        for first in graph.partitions("id", by)
    ]
    assert set.union(*chains) == everyone
    assert sum(map(len, chains)) == len(everyone), "two partitions share somebody"
    if by == "mail":
        assert chains[1], "nobody without mail, so nothing is shown about null"


def test_no_letter_and_no_digit_is_left_to_the_rest(practice, graph, everyone):
    """Employee numbers as sign-in names are common, and the rest is one long chain."""
    rest, *others = graph.partitions("userPrincipalName")
    names = [user["userPrincipalName"] for page in graph.read_pages([(rest, rest)]) for user in page["value"]]
    assert not [name for name in names if name[0].isascii() and name[0].isalnum()]
    assert len(others) == 36


def test_partitions_keep_within_graphs_limits(graph):
    """15 OR clauses by default, a URL of 2,048 characters in advanced queries (graph docs: known-issues)."""
    names = ",".join(["onPremisesUserPrincipalName"] * 1 + graph_daemon.SELECT.split(","))
    for first in graph.partitions(names, "userPrincipalName"):
        assert first.count("+or+") < 15
        assert len(first) < 2_048


def test_when_partitions_do_not_add_up_it_reads_plainly(graph, everyone, monkeypatch, caplog):
    all_partitions = graph.partitions
    monkeypatch.setattr(graph_daemon, "WORTH_IT", 0)
    monkeypatch.setattr(graph, "partitions", lambda *given: all_partitions(*given)[2:])
    assert_whole(ids_of(graph.read_users(select="id")), everyone)
    assert "reading page after page" in caplog.text


def test_where_graph_does_not_count_it_reads_plainly(practice, graph, everyone, monkeypatch):
    monkeypatch.setattr(graph_daemon, "WORTH_IT", 0)
    practice.control("faults", {"target": "graph", "status": 400})  # the first thing asked for is $count
    assert_whole(ids_of(graph.read_users(select="id")), everyone)
    paths = [(one["path"], one["query"]) for one in practice.control("requests")["requests"] if "/users" in one["path"]]
    assert paths[0][0].endswith("/$count")
    assert not any("filter" in query for _, query in paths)


def test_a_quick_directory_is_not_partitioned(practice, graph):
    ids_of(graph.read_users())
    assert not any("filter" in one["query"] for one in practice.control("requests")["requests"])


def test_load_users_gives_the_right_types(graph, everyone):
    users = graph.load_users()
    assert_whole(list(users["id"]), everyone)
    assert list(users.columns) == graph_daemon.SELECT.split(",")
    assert str(users["createdDateTime"].dtype).endswith("UTC]")
    assert set(users["accountEnabled"]) == {True, False}
    some = graph.load_users("displayName,createdDateTime", where="startsWith(displayName,'A')")
    assert 0 < len(some) < USERS
    assert list(some.columns) == ["displayName", "createdDateTime"]


def test_the_next_page_is_asked_for_while_the_last_one_is_parsed(everyone, practice, graph):
    pages = graph.read_pages([(first := graph.url(select="id", top=500), first)])
    next(pages)  # and nobody asks for the second
    until = time.monotonic() + PATIENCE
    while len([one for one in practice.control("requests")["requests"] if one["path"].endswith("/users")]) < 2:
        assert time.monotonic() < until, "the second page was not asked for"
        time.sleep(0.01)
    pages.close()


def test_progress_is_for_a_terminal_only(graph, everyone, monkeypatch, capsys):
    ids_of(graph.read_users(select="id", workers=1))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    ids_of(graph.read_users(select="id", workers=1))
    assert capsys.readouterr().err == "\r999 users\r1,998 users\r2,100 users\n"


# --- giving up --------------------------------------------------------------------------------------------------


def test_it_gives_up_in_the_end(practice, graph):
    practice.control("faults", {"target": "graph", "status": 503, "count": 1000})
    with pytest.raises(Failure, match="HTTP 503") as caught:
        ids_of(graph.read_users(workers=1))
    assert caught.value.args[0] == graph_daemon.BUSY
    assert graph.stopping.seconds == [1, 2, 4, 8, 16]


def test_a_refused_question_is_asked_once(practice, graph):
    """A link that Graph no longer knows begins again; a first page that it refuses would be refused again."""
    with pytest.raises(Failure, match="Invalid filter clause") as caught:
        ids_of(graph.read_users(where="foo bar"))
    assert caught.value.args[::2] == (graph_daemon.GRAPH, 400)
    assert sum(one["path"].endswith("/users") for one in practice.control("requests")["requests"]) == 1


def test_it_does_not_wait_for_hours(practice, graph):
    practice.control("faults", {"target": "graph", "status": 429, "retry_after": 3600})
    with pytest.raises(Failure, match="Retry-After 3600") as caught:
        ids_of(graph.read_users(workers=1))
    assert caught.value.args[0] == graph_daemon.BUSY
    assert not graph.stopping.seconds


def test_one_failure_wakes_the_workers_that_wait(practice, keys, monkeypatch):
    monkeypatch.setattr(graph_daemon, "WORTH_IT", 0)
    graph = connected(Graph(settings(practice, keys)), practice)
    graph.stopping = threading.Event()  # a real one
    practice.control("faults", {"target": "graph", "status": 429, "retry_after": 200, "skip": 1, "count": 3})
    practice.control("faults", {"target": "graph", "status": 403})
    started = time.monotonic()
    with pytest.raises(Failure):
        ids_of(graph.read_users(workers=6))
    assert time.monotonic() - started < 60


# --- where the token goes ---------------------------------------------------------------------------------------


class Scripted(requests.adapters.HTTPAdapter):
    """Answers every request with the same answer and takes down what was asked."""

    def __init__(self, status, body, **headers):
        super().__init__()
        self.status, self.body, self.headers, self.asked = status, json.dumps(body).encode(), headers, []

    def send(self, request, **options):
        self.asked.append(request)
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = self.status, request.url, request
        answer.headers.update(self.headers)
        answer.raw = io.BytesIO(self.body)
        return answer


def scripted(adapter) -> Graph:
    graph = Graph(FILLED_IN)
    graph.mount("https://", adapter)
    graph.mount("http://", adapter)
    graph.token = lambda refused=None: "secret-token"
    return graph


@pytest.mark.parametrize(
    "link",
    [
        f"https://{EVIL}/v1.0/users?$skiptoken=1",
        f"https://graph.microsoft.com.{EVIL}/v1.0/users",
        f"https://graph.microsoft.com@{EVIL}/v1.0/users",
        f"https://{EVIL}\\@graph.microsoft.com/v1.0/users",
        f"//{EVIL}/v1.0/users",
        "http://graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com:8443/v1.0/users",
        "https://graph.microsoft.us/v1.0/users",
        "",
    ],
)
def test_a_foreign_next_link_is_refused_and_gets_no_token(link):
    adapter = Scripted(200, {"value": [], "@odata.nextLink": link})
    with pytest.raises(Failure, match="leads away") as caught:
        ids_of(scripted(adapter).read_users(workers=1))
    assert caught.value.args[0] == graph_daemon.GRAPH
    assert len(adapter.asked) == 1
    assert adapter.asked[0].url.startswith("https://graph.microsoft.com/v1.0/users?")


def test_a_next_link_that_leads_to_itself_ends_the_run():
    adapter = Scripted(200, {"value": [], "@odata.nextLink": "https://graph.microsoft.com/v1.0/users?$skiptoken=1"})
    with pytest.raises(Failure, match="never end") as caught:
        ids_of(scripted(adapter).read_users(workers=1))
    assert caught.value.args[0] == graph_daemon.BUSY
    assert len(adapter.asked) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    adapter = Scripted(status, {}, Location=f"https://{EVIL}/")
    with pytest.raises(Failure, match=f"HTTP {status}"):
        ids_of(scripted(adapter).read_users(workers=1))
    assert len(adapter.asked) == 1


def test_a_netrc_does_not_replace_the_token(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine graph.microsoft.com login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    adapter = Scripted(200, {"value": []})
    ids_of(scripted(adapter).read_users(workers=1))
    assert adapter.asked[0].headers["Authorization"] == "Bearer secret-token"


# --- credentials and settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"private_key_file": "server.pfx", "passphrase": PASSWORD},
        {"private_key_file": "open.pfx", "passphrase": ""},
        {"private_key_file": "server.pem", "passphrase": PASSWORD},  # a password that is not needed does no harm
        {"private_key_file": "locked.pem", "passphrase": PASSWORD},
        {"private_key_file": "key.pem", "thumbprint": SHA1.hex(":").upper()},
        {"secret": SECRET},
    ],
    ids=lambda changes: changes.get("private_key_file", "secret"),  # a thumbprint differs from process to process
)
def test_every_kind_of_credential(practice, keys, changes):
    graph = connected(Graph(settings(practice, keys, folder=keys, **changes)), practice)
    assert count(graph) == USERS


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("server.crt", "Could not parse"),  # what is uploaded, without the key
        ("key.pem", "thumbprint"),  # the key without its certificate, and no thumbprint
        ("elliptic.pem", "Invalid Key type"),
        ("empty.pem", "Could not deserialize"),
        ("server.pfx", "Invalid password"),
        ("locked.pem", "Password was not given"),
        ("none.pem", "No such file"),
    ],
)
def test_a_key_that_does_not_fit_is_one_clear_sentence(daemon, keys, monkeypatch, file, words):
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(keys / file))
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "")
    code, out, log = daemon()
    assert (code, out, len(log.splitlines())) == (graph_daemon.SETTINGS, "", 1)
    assert words in log


def test_an_oidc_authority(practice, keys):
    oidc = {"authority": None, "oidc_authority": f"{practice.facts['authority']}/v2.0"}
    assert count(connected(Graph(settings(practice, keys, **oidc)), practice)) == USERS


@pytest.mark.parametrize(
    ("login", "resource"),
    [
        ("login.microsoftonline.com", "https://graph.microsoft.com"),
        ("login.microsoftonline.us", "https://graph.microsoft.us"),
        ("login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
        ("contoso.ciamlogin.com", "https://graph.microsoft.com"),
        ("login.contoso.us", "https://graph.microsoft.com"),
    ],
)
def test_every_cloud_has_its_graph(monkeypatch, tmp_path, login, resource):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZURE_CLIENT_ID", "x")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "x")
    monkeypatch.setenv("AZURE_TENANT_ID", "contoso.onmicrosoft.com")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", f"https://{login}/")
    graph = Graph(graph_daemon.read_settings())
    assert graph.settings["authority"] == f"https://{login}/contoso.onmicrosoft.com"
    assert graph.users == f"{resource}/v1.0/users"
    assert graph.scope == [f"{resource}/.default"]


def test_a_custom_domain_takes_the_place_of_host_and_tenant(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZURE_TENANT_ID", "contoso.onmicrosoft.com")
    monkeypatch.setenv("OIDC_AUTHORITY", "https://login.contoso.example/tenant/v2.0")
    found = graph_daemon.read_settings()
    assert (found["authority"], found["oidc_authority"]) == (None, "https://login.contoso.example/tenant/v2.0")


def test_env_file_fills_in_what_the_environment_does_not_say(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("AZURE_CLIENT_ID=from-file\nAZURE_TENANT_ID=t\nAZURE_CLIENT_SECRET=a${HOME}b\n")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setenv("AZURE_TENANT_ID", "from-environment")
    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, "remembered so that it is put back")
        monkeypatch.delenv(name)
    found = graph_daemon.read_settings()
    assert (found["client_id"], found["secret"]) == ("from-file", "a${HOME}b")
    assert found["authority"] == "https://login.microsoftonline.com/from-environment"
    assert found["folder"] == tmp_path
    assert found["endpoint"] == "https://graph.microsoft.com/v1.0/users"


def test_a_token_never_goes_over_plain_http():
    with pytest.raises(Failure, match="https"):
        Graph(FILLED_IN | {"endpoint": "http://graph.microsoft.com/v1.0/users"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "client_id is missing"),
        ({"client_id": "x", "secret": "x"}, "authority or oidc_authority is missing"),
        ({"client_id": "x", "authority": "https://x/y"}, "private_key_file or secret is missing"),
        (FILLED_IN | {"endpoint": "https://graph.microsoft.com/v1.0/me"}, "must be like"),
    ],
)
def test_what_is_not_filled_in_is_one_clear_sentence(given, words):
    with pytest.raises(Failure, match=words) as caught:
        Graph(given)
    assert caught.value.args[0] == graph_daemon.SETTINGS


# --- the program ------------------------------------------------------------------------------------------------


@pytest.fixture
def daemon(practice, keys, tmp_path, monkeypatch, capsys, caplog):
    """Runs main() in tmp_path on environment variables: exit code, standard output, log."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", practice.facts["ca_certificate"])
    monkeypatch.setenv("AZURE_TENANT_ID", practice.facts["tenant_id"])
    monkeypatch.setenv("AZURE_CLIENT_ID", practice.facts["client_id"])
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", practice.origin)
    monkeypatch.setenv("GRAPH_ENDPOINT", practice.facts["graph_endpoint"])
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(keys / "server.pem"))
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", PASSWORD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(threading.Event, "wait", fast(threading.Event.wait))

    def run(*arguments: str) -> tuple[int, str, str]:
        caplog.clear()
        code = graph_daemon.main(arguments)
        said = capsys.readouterr()
        everything = said.out + said.err + caplog.text
        assert PASSWORD not in everything
        assert "eyJ" not in everything, "a token was printed"
        assert "PRIVATE KEY" not in everything
        return code, said.out, caplog.text

    caplog.set_level(logging.INFO, "graph_daemon")
    return run


def fast(wait):
    """Threads start with Event.wait() and no time; a wait for seconds becomes one for milliseconds."""
    return lambda event, timeout=None: wait(event, timeout and timeout / 1000)


def test_users_as_json_on_the_screen(daemon, everyone):
    code, out, log = daemon()
    assert (code, log) == (0, "")
    assert_whole([user["id"] for user in json.loads(out)["value"]], everyone)


def test_parameters_file_of_the_classic_sample(daemon, practice, keys, everyone, tmp_path):
    """The sample's own file, its comments included (ms-identity-python-daemon, 2-Call-MsGraph-WithCertificate)."""
    Path("server.pem").write_bytes((keys / "key.pem").read_bytes())
    Path("parameters.json").write_text(
        f"""{{
  "authority": "{practice.facts["authority"]}",
  "client_id": "{practice.facts["client_id"]}",
  "scope": [ "https://graph.microsoft.com/.default" ],
  // For more information about scopes for an app, refer:
  // https://docs.microsoft.com/azure/active-directory/develop/scenario-daemon-app-registration

  "thumbprint": "{SHA1.hex().upper()}",
  "private_key_file": "server.pem",
  "endpoint": "{practice.facts["graph_endpoint"]}/users"
}}"""
    )
    code, out, _ = daemon("parameters.json")
    users = json.loads(out)["value"]
    assert code == 0
    assert_whole([user["id"] for user in users], everyone)
    assert len(users[0]) == 11, "the default properties, as in the sample"
    assert out.splitlines()[2].startswith("  "), "indented, as in the sample"


def test_output_files(daemon, everyone):
    assert daemon("-o", "users.jsonl")[0] == daemon("-o", "users.csv")[0] == daemon("-o", "users.json")[0] == 0
    lines = Path("users.jsonl").read_text().splitlines()
    assert_whole([json.loads(line)["id"] for line in lines], everyone)
    with Path("users.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert_whole([row["id"] for row in rows], everyone)
    assert list(rows[0]) == graph_daemon.SELECT.split(",")
    assert_whole([user["id"] for user in json.loads(Path("users.json").read_text())["value"]], everyone)
    if os.name == "posix":
        assert Path("users.csv").stat().st_mode & 0o777 == 0o600, "people's data are for this user alone"


def test_options_that_need_a_package_say_so(daemon, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "msal_extensions", None)
    code, _, log = daemon("-o", "users.parquet")
    assert code == graph_daemon.SETTINGS and "pyarrow" in log and "install it with pip" in log
    code, _, log = daemon("--token-cache", "tokens.bin")
    assert code == graph_daemon.SETTINGS and "msal_extensions" in log and "install it with pip" in log
    assert not list(Path().iterdir())


def test_exit_codes_and_one_line(daemon, practice, keys, monkeypatch):
    def ends(code, words, *arguments):
        found, out, log = daemon(*arguments)
        assert (found, out) == (code, ""), log
        last = [line for line in log.splitlines() if "(attempt" not in line or "No good answer" in line]
        assert len(last) == 1 and words in last[0], log

    ends(graph_daemon.GRAPH, "Invalid filter clause", "--filter", "foo bar")
    ends(graph_daemon.SETTINGS, "none.json", "none.json")
    ends(graph_daemon.SETTINGS, "no/such/folder", "-o", "no/such/folder/users.csv")
    practice.control("faults", {"target": "graph", "status": 503, "count": 100})
    ends(graph_daemon.BUSY, "HTTP 503")
    practice.control("reset")
    practice.control("roles", {"revoke": "User.ReadWrite.All"})
    ends(graph_daemon.GRAPH, "Insufficient privileges")
    practice.control("app", {"action": "disable"})
    ends(graph_daemon.ENTRA, "AADSTS7000112")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(keys / "server.pfx"))
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "wrong")
    ends(graph_daemon.SETTINGS, "Invalid password")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", "no.pfx")
    ends(graph_daemon.SETTINGS, "no.pfx")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(keys / "server.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    ends(graph_daemon.SETTINGS, "REQUESTS_CA_BUNDLE")
    monkeypatch.setenv("AZURE_CLIENT_ID", "")
    ends(graph_daemon.SETTINGS, "client_id is missing")
    for code in (0, graph_daemon.SETTINGS, graph_daemon.ENTRA, graph_daemon.GRAPH, graph_daemon.BUSY):
        assert f" {code} " in graph_daemon.__doc__


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 503}, graph_daemon.BUSY),
        ({"status": 429, "retry_after": 3600}, graph_daemon.BUSY),
        ({"cut": True}, graph_daemon.BUSY),
        ({"corrupt": True}, graph_daemon.BUSY),
        ({"expired_page_token": True, "skip": 1}, graph_daemon.GRAPH),
        ({"status": 401}, graph_daemon.GRAPH),
        ({"status": 403}, graph_daemon.GRAPH),
        ({"status": 404}, graph_daemon.GRAPH),
        ({"status": 500}, graph_daemon.GRAPH),
    ],
    ids=str,
)
def test_an_older_file_stays_when_a_run_fails(daemon, practice, fault, code, kind):
    """Faults that do not pass end the run in the middle: $count and the first page were good."""
    Path(f"users.{kind}").write_text("yesterday")
    practice.control("faults", {"target": "graph", "skip": 2, "count": 1000} | fault)
    assert daemon("-o", f"users.{kind}")[0] == code
    assert [(one.name, one.read_text()) for one in Path().iterdir()] == [(f"users.{kind}", "yesterday")]


def test_what_is_saved_is_on_the_disk_before_it_has_its_name(daemon, monkeypatch):
    order = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: order.append("sync") or sync(number))
    monkeypatch.setattr(Path, "replace", lambda part, path: order.append("replace") or replace(part, path))
    assert daemon("-o", "users.csv")[0] == 0
    assert order == ["sync", "replace"]


def test_a_fault_of_the_program_is_no_setting_that_is_wrong(daemon, monkeypatch):
    """An exception that nobody foresaw keeps its traceback; Python then ends with 1."""
    monkeypatch.setattr(graph_daemon, "write", lambda *given: {}["nobody foresaw this"])
    with pytest.raises(KeyError):
        daemon("-o", "users.csv")
    assert not list(Path().iterdir())


def test_an_older_file_stays_when_the_process_is_killed(daemon, practice, everyone, tmp_path):
    Path("users.jsonl").write_text("yesterday")
    practice.control("faults", {"target": "graph", "delay_ms": 20_000, "skip": 3})
    command = [sys.executable, str(NOTEBOOKS / "graph_daemon.py"), "-o", "users.jsonl"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while not (Path("users.jsonl.part").exists() and Path("users.jsonl.part").stat().st_size):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
    finally:
        process.kill()
        process.communicate()
    assert Path("users.jsonl").read_text() == "yesterday"
    practice.control("reset")
    assert daemon("-o", "users.jsonl")[0] == 0
    assert_whole([json.loads(line)["id"] for line in Path("users.jsonl").read_text().splitlines()], everyone)
    assert [one.name for one in Path().iterdir()] == ["users.jsonl"]


# --- changes ----------------------------------------------------------------------------------------------------


def create_user(practice, name: str) -> str:
    domain = practice.get("/users?$top=1").json()["value"][0]["userPrincipalName"].partition("@")[2]
    answer = write(practice, "POST", "/users", {
        "accountEnabled": True, "displayName": name, "mailNickname": name, "userPrincipalName": f"{name}@{domain}",
        "passwordProfile": {"password": "Xy7!aaaabbbb", "forceChangePasswordNextSignIn": True}})  # fmt: skip
    return answer.json()["id"]


def write(practice, method: str, path: str, body=None) -> requests.Response:
    headers = {"Authorization": f"Bearer {practice.token()}"}
    answer = practice.session.request(method, practice.facts["graph_endpoint"] + path, json=body, headers=headers)
    assert answer.ok, answer.text
    return answer


def changes_of(daemon, *arguments) -> list[dict]:
    code, _, log = daemon("--since", "delta.json", "-o", "changes.jsonl", *arguments)
    assert code == 0, log
    return [json.loads(line) for line in Path("changes.jsonl").read_text().splitlines()]


def test_since_brings_everyone_once_and_then_only_changes(daemon, practice, everyone):
    assert_whole([user["id"] for user in changes_of(daemon)], everyone)
    assert changes_of(daemon) == []
    leaver, mover = sorted(everyone)[:2]
    joiner = create_user(practice, "0joiner")
    write(practice, "DELETE", f"/users/{leaver}")
    write(practice, "PATCH", f"/users/{mover}", {"department": "Moved"})
    changes = {user["id"]: user for user in changes_of(daemon)}
    assert set(changes) == {leaver, mover, joiner}
    assert changes[leaver]["@removed"] == {"reason": "changed"}
    assert changes[mover]["department"] == "Moved"
    assert changes_of(daemon) == []


def test_since_loses_nothing_when_a_run_fails(daemon, practice, everyone):
    changes_of(daemon)
    mover = min(everyone)
    write(practice, "PATCH", f"/users/{mover}", {"department": "Moved"})
    assert daemon("--since", "delta.json", "-o", "no/such/folder.jsonl")[0] == graph_daemon.SETTINGS
    assert [user["id"] for user in changes_of(daemon)] == [mover]


@pytest.mark.parametrize("fault", [{"status": 410}, {"cut": True}, {"corrupt": True}, {"expired_page_token": True}])
def test_since_under_faults(daemon, practice, everyone, fault):
    changes_of(daemon)
    practice.control("faults", {"target": "graph"} | fault)
    changes = changes_of(daemon)
    if fault.get("status") == 410:  # Graph has forgotten where we were: everyone again
        assert_whole([user["id"] for user in changes], everyone)
    else:
        assert changes == []
    assert changes_of(daemon) == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"name,mail\n", b"\xff\xfe", b'{"client_id": "x"}', b'{"a": 1, "b": 2}'], ids=repr
)
def test_since_never_replaces_a_file_that_is_something_else(daemon, content):
    """The wrong name on the command line must not cost a file, parameters.json for one."""
    Path("precious.json").write_bytes(content)
    code, _, log = daemon("--since", "precious.json", "-o", "changes.jsonl")
    assert (code, len(log.splitlines())) == (graph_daemon.SETTINGS, 1)
    assert "precious.json holds no delta link" in log
    assert [(one.name, one.read_bytes()) for one in Path().iterdir()] == [("precious.json", content)]


def test_since_with_other_properties_starts_again(daemon, everyone):
    changes_of(daemon)
    assert_whole([user["id"] for user in changes_of(daemon, "--select", "id,department")], everyone)


def test_since_does_not_follow_a_foreign_delta_link(daemon, practice):
    changes_of(daemon)
    kept = json.loads(Path("delta.json").read_text())
    Path("delta.json").write_text(json.dumps(dict.fromkeys(kept, f"https://{EVIL}/v1.0/users/delta")))
    code, _, log = daemon("--since", "delta.json", "-o", "changes.jsonl")
    assert code == graph_daemon.GRAPH
    assert "leads away" in log


# --- the file ---------------------------------------------------------------------------------------------------


def test_it_imports_nothing_of_ours(tmp_path):
    (tmp_path / "graph_daemon.py").write_bytes((NOTEBOOKS / "graph_daemon.py").read_bytes())
    said = subprocess.check_output([sys.executable, "graph_daemon.py", "--help"], cwd=tmp_path, text=True)
    assert graph_daemon.__doc__.strip() in said


def test_a_damaged_settings_or_delta_file_is_a_sentence_that_names_it(tmp_path, caplog):
    damaged = tmp_path / "damaged.json"
    damaged.write_text("{")
    assert graph_daemon.main([str(damaged)]) == graph_daemon.SETTINGS
    assert "damaged.json is not like the sample's parameters.json" in caplog.text
    graph = Graph(FILLED_IN)
    with pytest.raises(Failure, match=r"damaged\.json holds no delta link: name another file"):
        graph.read_changes("", damaged)
