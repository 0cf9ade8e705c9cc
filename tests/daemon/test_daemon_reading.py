"""Graph.read_users: nothing lost, nothing doubled, whatever fails."""

import json
import random
import sys
import threading
import time
from collections import deque

import graph_daemon
import pytest
from daemon_changes import create_user
from daemon_helpers import USERS, assert_whole, connected, ids_of, scripted, settings
from graph_daemon import Failure, Graph, Part
from practice import PATIENCE, SECRET, running


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
    waits = graph.session.stopping.seconds
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
        assert failure.exit_code == graph_daemon.BUSY
        assert len(graph.session.stopping.seconds) >= 5
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
    assert caught.value.exit_code == graph_daemon.GRAPH


@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 503, "retry_after": 3}, {"cut": True}, {"corrupt": True}], ids=str
)
def test_faults_of_entra(practice, graph, everyone, fault):
    practice.control("faults", {"target": "token", "count": 2, "skip": 1} | fault)
    assert_whole(ids_of(graph.read_users()), everyone)
    assert len(graph.session.stopping.seconds) == 2
    if fault.get("status") == 429:
        assert graph.session.stopping.seconds == [60, 60], "Entra asks for a minute"


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
        graph = connected(Graph(settings(small)), small)
        readings = [ids_of(graph.read_users(workers=1)) for _ in range(5)]
    assert all(len(set(ids)) == len(ids) == 40 for ids in readings)


def test_load_users_gives_the_right_types(graph, everyone):
    users = graph.load_users()
    assert_whole(list(users["id"]), everyone)
    assert list(users.columns) == graph_daemon.SELECT.split(",")
    assert str(users["createdDateTime"].dtype).endswith("UTC]")
    assert set(users["accountEnabled"]) == {True, False, None}  # of a few nobody knows
    some = graph.load_users("displayName,createdDateTime", where="startsWith(displayName,'A')")
    assert 0 < len(some) < USERS
    assert list(some.columns) == ["displayName", "createdDateTime"]


def test_the_next_page_is_asked_for_while_the_last_one_is_parsed(everyone, practice, graph):
    pages = graph.read_pages(deque([graph.read_chain(graph.url(select="id", top=500))]), set())
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


# --- parts ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["mixed", "prefix", "numbers"])
def named(request):
    """A tenant for each way in which sign-in names may be alike."""
    with running("--secret", SECRET, "--users", str(USERS), "--sign-in-names", request.param) as tenant:
        yield tenant


@pytest.fixture
def in_parts(named, monkeypatch) -> Graph:
    """Reads a directory of many small pages in parts, whatever the sign-in names are like."""
    monkeypatch.setattr(graph_daemon, "WORTH_IT", 0)
    monkeypatch.setattr(graph_daemon, "PAGE_SIZE", 50)
    return connected(Graph(settings(named)), named)


@pytest.mark.parametrize("select", ["id", graph_daemon.UPN])
def test_parts_are_small_however_names_begin_and_hold_everybody_once(in_parts, select, caplog):
    leaves = {Part()}
    split = in_parts.split

    def recorded(part, body):
        smaller = split(part, body)
        if smaller:
            leaves.discard(part)
            leaves.update(smaller)
        return smaller

    in_parts.split = recorded
    found = ids_of(in_parts.read_users(select=select))
    assert len(found) == len(set(found)) == USERS
    assert caplog.text == "", "the parts held everybody at once"
    urls = [in_parts.url(select="id", filter=part.filter, top=1, count="true") for part in leaves]
    sizes = [json.loads(in_parts.read(url))["@odata.count"] for url in urls]
    assert sum(sizes) == USERS, "together everybody, and nobody twice"
    assert max(sizes) <= USERS * graph_daemon.LARGEST_PART * 1.2
    assert all(len(url) < 2_048 for url in urls), "Graph takes no longer URL"


def test_a_rest_that_is_split_again_still_leaves_out_what_it_left_out_before(practice, graph):
    def page_and_size(part):
        body = graph.read(graph.url(select=graph_daemon.UPN, filter=part.filter, top=999, count="true"))
        return body, json.loads(body)["@odata.count"]

    before = Part(without=("a", "b", "c"), level=1)
    body, size = page_and_size(before)
    smaller = graph.split(before, body)
    assert len(smaller) > 1
    assert sum(page_and_size(part)[1] for part in smaller) == size


@pytest.mark.parametrize(
    ("first", "last", "between"),
    [("e0001@x", "e0009@x", list("123456789")), ("a@x", "d@x", list("abcd")), ("a1@x", "ab@x", []), ("a@x", "a@x", []),
     ("", "b", []), ("0000", "0199", [f"{ten}{one}" for ten in "01" for one in "0123456789"])],
)  # fmt: skip
def test_names_between_two_others(first, last, between):
    shared = first[:4] if first.startswith("e000") else first[:1] if first.startswith("00") else ""
    assert graph_daemon.names_between(first, last) == [shared + one for one in between]


def test_a_graph_that_refuses_to_tell_names_apart_is_read_page_after_page(practice, graph, everyone, monkeypatch):
    monkeypatch.setattr(graph_daemon, "WORTH_IT", 0)

    def refuse(part, names):
        raise Failure(graph_daemon.GRAPH, "no", 400)

    graph.beginnings = refuse
    assert_whole(ids_of(graph.read_users(select="id")), everyone)


def test_parts_that_lose_somebody_are_noticed(practice, graph, everyone, monkeypatch, caplog):
    monkeypatch.setattr(graph_daemon, "WORTH_IT", 0)
    graph.split = lambda part, body: [Part("a", (), 1), Part("b", (), 1)] if not part.level else []
    assert_whole(ids_of(graph.read_users(select="id")), everyone)
    assert "reading page after page" in caplog.text


# --- counting and filters ---------------------------------------------------------------------------------------

REFUSED = {"error": {"code": "Request_UnsupportedQuery", "message": "No counting here."}}
WRONG = {"error": {"code": "Request_BadRequest", "message": "Invalid filter clause: x"}}


def test_a_tenant_that_does_not_count_is_asked_a_second_time_without():
    graph, adapter = scripted((400, REFUSED, {}), {"value": [{"id": "1"}]}, (400, REFUSED, {}))
    assert ids_of(graph.read_users(select="id")) == ["1"]
    assert ["$count=true" in request.url for request in adapter.asked[:2]] == [True, False]


def test_a_count_that_has_changed_meanwhile_is_asked_for_again(caplog):
    graph, _ = scripted({"@odata.count": 1, "value": [{"id": "1"}, {"id": "2"}]}, b"2")
    assert ids_of(graph.read_users(select="id")) == ["1", "2"]
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("where", "hint"),
    [("surname eq \u2018Bo\u2019", "straight single quotes"), ('surname eq "Bo"', "straight single quotes"),
     ("surname eq 'O'Brien'", "is doubled"), ("createdDateTime ge '2026-01-31T00:00:00Z'", "without quotes"),
     ("createdDateTime ge 2026-01-31", "a time and a zone"), ("createdDateTime ge 31.1.2026", "a time and a zone"),
     ("city = 'Bonn'", "operators are words"), ("accountEnabled eq 'true'", "true, false and null")],
)  # fmt: skip
def test_a_filter_as_people_write_it_is_answered_with_the_right_spelling(where, hint):
    graph, adapter = scripted((400, WRONG, {}))
    with pytest.raises(Failure, match=f"Invalid filter clause.*Write it so: .*{hint}") as caught:
        ids_of(graph.read_users(where=where))
    assert (caught.value.exit_code, len(adapter.asked)) == (graph_daemon.GRAPH, 1)


@pytest.mark.parametrize(
    "where",
    ["city eq 'a=b'", "surname eq 'O''Brien'", "createdDateTime ge 2026-01-31T00:00:00Z", "city eq 'true \u201cx'"],
)
def test_a_filter_that_is_spelled_well_gets_no_hint(where):
    assert graph_daemon.filter_hint(where) == ""


# --- giving up --------------------------------------------------------------------------------------------------


def test_it_gives_up_in_the_end(practice, graph):
    practice.control("faults", {"target": "graph", "status": 503, "count": 1000})
    with pytest.raises(Failure, match="HTTP 503") as caught:
        ids_of(graph.read_users(workers=1))
    assert caught.value.exit_code == graph_daemon.BUSY
    assert graph.session.stopping.seconds == [1, 2, 4, 8, 16]


def test_a_refused_question_is_asked_once(practice, graph):
    """A link that Graph no longer knows begins again; a first page that it refuses would be refused again."""
    with pytest.raises(Failure, match="Invalid filter clause") as caught:
        ids_of(graph.read_users(where="foo bar"))
    assert (caught.value.exit_code, caught.value.status) == (graph_daemon.GRAPH, 400)
    assert sum(one["path"].endswith("/users") for one in practice.control("requests")["requests"]) == 1


def test_it_does_not_wait_for_hours(practice, graph):
    practice.control("faults", {"target": "graph", "status": 429, "retry_after": 3600})
    with pytest.raises(Failure, match="Retry-After 3600") as caught:
        ids_of(graph.read_users(workers=1))
    assert caught.value.exit_code == graph_daemon.BUSY
    assert not graph.session.stopping.seconds


def test_one_failure_wakes_the_workers_that_wait(practice, keys, monkeypatch):
    monkeypatch.setattr(graph_daemon, "WORTH_IT", 0)
    graph = connected(Graph(settings(practice)), practice)
    graph.split = lambda part, body: [Part(letter, (), 1) for letter in "abcdef"]
    graph.session.stopping = threading.Event()  # a real one
    practice.control("faults", {"target": "graph", "status": 429, "retry_after": 200, "skip": 1, "count": 3})
    practice.control("faults", {"target": "graph", "status": 403})
    started = time.monotonic()
    with pytest.raises(Failure):
        ids_of(graph.read_users(workers=6))
    assert time.monotonic() - started < 60
