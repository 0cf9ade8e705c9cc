"""Where the token goes: to Graph's own origin and nowhere else; and links that would never end."""

import graph_daemon
import pytest
from daemon_helpers import EVIL, ids_of, scripted
from graph_daemon import Failure

USERS_URL = "https://graph.microsoft.com/v1.0/users"


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
        "https://graph.microsoft.com/v1.0/users\\u0000",
        "https://graph.microsoft.com/v1.0/\u00fcsers",
    ],
)
def test_a_foreign_next_link_is_refused_and_gets_no_token(link):
    graph, adapter = scripted({"value": [], "@odata.nextLink": link})
    with pytest.raises(Failure, match="leads away") as caught:
        ids_of(graph.read_users(workers=1))
    assert caught.value.exit_code == graph_daemon.GRAPH
    assert len(adapter.asked) == 1
    assert adapter.asked[0].url.startswith("https://graph.microsoft.com/v1.0/users?")


def test_a_next_link_that_leads_to_itself_ends_the_run():
    graph, adapter = scripted({"value": [], "@odata.nextLink": f"{USERS_URL}?$skiptoken=1"})
    with pytest.raises(Failure, match="never end") as caught:
        ids_of(graph.read_users(workers=1))
    assert caught.value.exit_code == graph_daemon.BUSY
    assert len(adapter.asked) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    graph, adapter = scripted((status, {}, {"Location": f"https://{EVIL}/"}))
    with pytest.raises(Failure, match=f"HTTP {status}"):
        ids_of(graph.read_users(workers=1))
    assert len(adapter.asked) == 1


def test_a_netrc_does_not_replace_the_token(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine graph.microsoft.com login a password b\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    graph, adapter = scripted({"value": []})
    ids_of(graph.read_users(workers=1))
    assert adapter.asked[0].headers["Authorization"] == "Bearer secret-token"


def page(*ids, link=None, **more) -> dict:
    return {"value": [{"id": one} for one in ids], **({"@odata.nextLink": link} if link else {}), **more}


@pytest.mark.parametrize("spelled", ["https://GRAPH.microsoft.com", "https://graph.microsoft.com:443"])
def test_hosts_of_links_are_compared_as_hosts(spelled):
    graph, _ = scripted(page("1", link=f"{spelled}/v1.0/users?$skiptoken=1"), page("2"))
    assert ids_of(graph.read_users(workers=1)) == ["1", "2"]


def test_links_that_lead_round_in_a_circle_end_the_run():
    links = [f"{USERS_URL}?$skiptoken={number}" for number in (1, 2, 1)]
    graph, adapter = scripted(*(page(str(number), link=link) for number, link in enumerate(links)))
    with pytest.raises(Failure, match="never end") as caught:
        ids_of(graph.read_users(workers=1))
    assert caught.value.exit_code == graph_daemon.BUSY
    assert len(adapter.asked) == 3


class Endless:
    """Pages whose links are always new and lead nowhere."""

    def __init__(self, *ids):
        self.ids, self.number = ids, 0

    def __len__(self):
        return 10**9

    def __getitem__(self, _):
        self.number += 1
        return 200, page(*self.ids, link=f"{USERS_URL}?$skiptoken={self.number}"), {}


@pytest.mark.parametrize("ids", [(), ("1", "2")], ids=["empty pages", "the same users"])
def test_pages_that_never_end_end_the_run(monkeypatch, ids):
    monkeypatch.setattr(graph_daemon, "MOST_IDLE_PAGES", 50)
    graph, adapter = scripted()
    adapter.answers = Endless(*ids)
    with pytest.raises(Failure, match="51 pages in a row bring nobody new") as caught:
        ids_of(graph.read_users(workers=1))
    assert caught.value.exit_code == graph_daemon.BUSY
    assert len(adapter.asked) <= 53


def test_thirty_empty_pages_are_no_reason_to_stop():
    empty = [page(link=f"{USERS_URL}?$skiptoken={number}") for number in range(30)]
    graph, _ = scripted(*empty, page("1"))
    assert ids_of(graph.read_users(workers=1)) == ["1"]


WRONG_PAGES = {
    "null": "null",
    "a list": [],
    "a number": 5,
    "no value": {},
    "an error under 200": {"error": {"code": "UnknownError", "message": ""}},
    "value is null": {"value": None},
    "value is an object": {"value": {}},
    "a user is null": {"value": [None]},
    "a user is a list": {"value": [["id"]]},
    "no id": {"value": [{"displayName": "A"}]},
    "id is null": {"value": [{"id": None}]},
    "id is a number": {"value": [{"id": 5}]},
    "id is empty": {"value": [{"id": ""}]},
    "link is a number": {"value": [], "@odata.nextLink": 5},
    "link is a list": {"value": [], "@odata.nextLink": ["x"]},
    "html": b"<html>Please sign in to this network</html>",
    "empty": b"",
    "cut": b'{"value":[{"id":"1"},{"id":"2',
    "cut behind a brace": b'{"value":[{"id":"1","displayName":"Team A }',
    "cut behind brackets": b'{"value":[{"id":"1","displayName":"]}',
    "not UTF-8": b'{"value":[{"id":"1","displayName":"\xff"}]}',
    "deeper than any": b'{"value":[{"id":"1","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
    "two values": b'{"value":[{"id":"1"}],"value":5}',
}


@pytest.mark.parametrize("body", WRONG_PAGES.values(), ids=WRONG_PAGES)
def test_a_page_that_is_not_graphs_ends_with_one_sentence(body):
    graph, adapter = scripted(body if isinstance(body, bytes) else (200, body, {}))
    if body == "null":
        graph, adapter = scripted(b"null")
    with pytest.raises(Failure, match="broken") as caught:
        ids_of(graph.read_users(workers=1))
    assert caught.value.exit_code == graph_daemon.BUSY
    assert 1 <= len(adapter.asked) <= len(graph_daemon.PAUSES)


def test_a_broken_page_that_comes_right_is_read():
    graph, _ = scripted(b'{"value":[{"id":"1","displayName":"Team A }', page("1", "2"))
    assert ids_of(graph.read_users(workers=1)) == ["1", "2"]


def test_brackets_in_names_are_no_broken_page():
    graph, _ = scripted({"value": [{"id": "1", "displayName": "{[]"}]})
    assert ids_of(graph.read_users(workers=1)) == ["1"]
