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
