"""graph_daemon.py --since: what changed, once, and nothing lost when a run fails."""

import csv
import json
from pathlib import Path

import graph_daemon
import pytest
from daemon_changes import create_user, write
from daemon_helpers import EVIL, assert_whole, scripted
from graph_daemon import Failure


def changes_of(daemon, *arguments) -> list[dict]:
    code, _, log = daemon("--since", "delta.json", "-o", "changes.jsonl", *arguments)
    assert code == 0, log
    return [json.loads(line) for line in Path("changes.jsonl").read_text(encoding="utf-8").splitlines()]


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
    kept = json.loads(Path("delta.json").read_text(encoding="utf-8"))
    Path("delta.json").write_text(json.dumps(dict.fromkeys(kept, f"https://{EVIL}/v1.0/users/delta")), encoding="utf-8")
    code, _, log = daemon("--since", "delta.json", "-o", "changes.jsonl")
    assert code == graph_daemon.GRAPH
    assert "leads away" in log


# --- what a delta says


def test_a_first_run_and_a_resync_are_marked(daemon, practice, everyone):
    assert all(user["@resync"] for user in changes_of(daemon)), "everybody: who is not among them is gone"
    assert changes_of(daemon) == []
    practice.control("faults", {"target": "graph", "status": 410})
    code, _, log = daemon("--since", "delta.json", "-o", "changes.jsonl")
    lines = Path("changes.jsonl").read_text(encoding="utf-8").splitlines()
    assert (code, len(lines)) == (0, len(everyone))
    assert all(json.loads(line)["@resync"] is True for line in lines)
    assert "too old: everybody comes again, marked @resync" in log


def test_changes_as_csv_name_everybody_and_their_managers(daemon, practice, everyone):
    def rows(*arguments):
        code, _, log = daemon("--since", "d.json", "-o", "c.csv", *arguments)
        assert code == 0, log
        with Path("c.csv").open(encoding="utf-8", newline="") as file:
            return {row["id"]: row for row in csv.DictReader(file)}

    first = rows("--select", "displayName,manager")
    assert set(first) == everyone
    assert list(next(iter(first.values()))) == ["id", "displayName", "manager@delta", "@removed", "@resync"]
    leaver, mover, boss = sorted(everyone)[:3]
    write(practice, "DELETE", f"/users/{leaver}")
    reference = {"@odata.id": f"{practice.facts['graph_endpoint']}/users/{boss}"}
    write(practice, "PUT", f"/users/{mover}/manager/$ref", reference)
    second = rows("--select", "displayName,manager")
    assert second[leaver]["@removed"] == '{"reason": "changed"}'
    assert boss in second[mover]["manager@delta"]
    assert {row["@resync"] for row in second.values()} == {""}


ROUND = "https://graph.microsoft.com/v1.0/users/delta"


def delta(*pages):
    links = [{"@odata.nextLink": f"{ROUND}?$skiptoken={number}"} for number in range(len(pages) - 1)]
    links.append({"@odata.deltaLink": f"{ROUND}?$deltatoken=x"})
    return scripted(*({"value": page} | link for page, link in zip(pages, links, strict=True)))[0]


def test_a_user_who_comes_twice_is_merged(tmp_path):
    graph = delta(
        [{"id": "1", "displayName": "Ana", "jobTitle": "Head", "manager@delta": [{"id": "m", "@removed": {}}]}],
        [{"id": "1", "jobTitle": "Chief", "manager@delta": [{"id": "n"}]}, {"id": "2", "displayName": "B"}],
        [{"id": "2", "@removed": {"reason": "changed"}}, {"id": "3", "@removed": {"reason": "changed"}}],
        [{"id": "3", "displayName": "C"}],
    )
    changes, links = graph.read_changes("displayName,jobTitle,manager", tmp_path / "new.json")
    assert changes == [
        {"id": "1", "displayName": "Ana", "jobTitle": "Chief",
         "manager@delta": [{"id": "m", "@removed": {}}, {"id": "n"}], "@resync": True},
        {"id": "2", "@removed": {"reason": "changed"}, "@resync": True},
        {"id": "3", "displayName": "C", "@resync": True},
    ]  # fmt: skip
    assert list(links.values()) == [f"{ROUND}?$deltatoken=x"]


@pytest.mark.parametrize("link", [None, 5, "", f"https://{EVIL}/v1.0/users/delta", "http://graph.microsoft.com/v1.0/x"])
def test_a_round_without_a_link_to_the_next_is_no_round(tmp_path, link):
    graph, _ = scripted({"value": [], "@odata.deltaLink": link})
    with pytest.raises(Failure, match="no delta link") as caught:
        graph.read_changes("", tmp_path / "new.json")
    assert caught.value.exit_code == graph_daemon.BUSY


def test_a_tenant_without_delta_says_so(tmp_path):
    graph, _ = scripted((400, {"error": {"code": "C", "message": "M"}}, {}))
    with pytest.raises(Failure, match="External ID and Azure AD B2C tenants have no delta"):
        graph.read_changes("", tmp_path / "new.json")
