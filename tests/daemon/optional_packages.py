"""graph_daemon.py with the packages it can do without; no part of plain `pytest`, which needs no network to prepare.

.ci/run does this:

    pip install --no-deps --target FOLDER -r tests/requirements-optional.txt
    PYTHONPATH=FOLDER pytest tests/optional_packages.py
"""

import datetime
import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import dask.dataframe as dd
import graph_daemon
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chapters import NOTEBOOKS
from daemon_helpers import assert_whole


def table_of(daemon, *arguments) -> pa.Table:
    code, _, log = daemon("-o", "users.parquet", *arguments)
    assert code == 0, log
    return pq.read_table("users.parquet")


# --- Parquet


def test_parquet_holds_everybody_with_the_right_types(daemon, everyone):
    table = table_of(daemon)
    assert_whole(table["id"].to_pylist(), everyone)
    assert table.column_names == graph_daemon.SELECT.split(",")
    kinds = {name: str(table.schema.field(name).type) for name in table.column_names}
    assert kinds.pop("accountEnabled") == "bool"
    assert kinds.pop("createdDateTime") == "timestamp[us, tz=UTC]"
    assert set(kinds.values()) == {"string"}
    if os.name == "posix":
        assert Path("users.parquet").stat().st_mode & 0o777 == 0o600


def test_parquet_says_what_json_says(daemon):
    names = "displayName,accountEnabled,createdDateTime,businessPhones,mail"
    rows = {row["id"]: row for row in table_of(daemon, "--select", f"id,{names}").to_pylist()}
    users = json.loads(daemon("--select", names)[1])["value"]
    assert len(users) == len(rows)
    for user in users:
        row = rows[user["id"]]
        assert row["businessPhones"] == json.dumps(user["businessPhones"]), "a list is kept as JSON"
        created = user["createdDateTime"]
        assert row["createdDateTime"] == (created and datetime.datetime.fromisoformat(created))
        for name in ("displayName", "accountEnabled", "mail"):
            assert row[name] == user[name]


def test_parquet_in_several_groups(daemon, everyone, monkeypatch):
    """Rows are written in groups as they come; a column that is null in all of them has a type all the same."""
    monkeypatch.setattr(graph_daemon, "islice", lambda rows, _: islice(rows, 500))
    table = table_of(daemon, "--select", "id,mail,employeeLeaveDateTime,department")
    assert_whole(table["id"].to_pylist(), everyone)
    assert pq.ParquetFile("users.parquet").num_row_groups > 1


def test_parquet_of_changes_and_of_nobody(daemon, everyone):
    first = table_of(daemon, "--since", "delta.json")
    assert_whole(first["id"].to_pylist(), everyone)
    assert first.column_names[-1] == "@resync"
    none = table_of(daemon, "--since", "delta.json")
    assert none.num_rows == 0
    assert none.schema == first.schema


def test_an_older_parquet_file_stays_when_a_run_fails(daemon, practice):
    before = table_of(daemon)
    practice.control("faults", {"target": "graph", "status": 503, "skip": 2, "count": 1000})
    assert daemon("-o", "users.parquet")[0] == graph_daemon.BUSY
    assert pq.read_table("users.parquet") == before
    assert [one.name for one in Path().iterdir()] == ["users.parquet"]


def test_a_dataframe_is_as_good_beside_pyarrow(practice, daemon, everyone):
    graph = graph_daemon.Graph(graph_daemon.read_settings())
    frame = graph.load_users()
    assert_whole(list(frame["id"]), everyone)
    assert isinstance(frame["createdDateTime"].dtype, pd.DatetimeTZDtype)


# --- the token cache


@pytest.fixture
def run(daemon, tmp_path):
    """The daemon as a scheduler starts it: another process each time."""

    def once() -> list[str]:
        command = [sys.executable, NOTEBOOKS / "graph_daemon.py", "--token-cache", "tokens.bin", "-o", "users.jsonl"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return [json.loads(line)["id"] for line in Path("users.jsonl").read_text(encoding="utf-8").splitlines()]

    return once


def token_requests(practice) -> int:
    return sum(one["path"].endswith("/token") for one in practice.control("requests")["requests"])


def test_the_next_run_uses_the_kept_token(practice, run, everyone):
    assert_whole(run(), everyone)
    assert token_requests(practice) == 1
    assert_whole(run(), everyone)
    assert token_requests(practice) == 1, "the second run asked for a token of its own"
    if os.name == "posix":
        assert Path("tokens.bin").stat().st_mode & 0o777 == 0o600


def test_a_kept_token_that_graph_refuses_is_replaced(practice, run, everyone):
    practice.control("token-lifetime", {"seconds": 400})
    run()
    practice.control("clock", {"shift_seconds": 450})
    assert_whole(run(), everyone)


def test_a_damaged_token_cache_is_one_sentence(daemon, tmp_path):
    Path("tokens.bin").write_text("{", encoding="utf-8")
    code, _, log = daemon("--token-cache", "tokens.bin", "-o", "users.jsonl")
    assert (code, len(log.splitlines())) == (graph_daemon.SETTINGS, 1)
    assert "cache" in log
    assert not Path("users.jsonl").exists()


# --- files of many tenants, as chapter 11 says


def test_dask_reads_the_files_of_many_tenants_when_it_is_told_the_types(tmp_path):
    rows = {"adatum": [True, False], "fabrikam": [True, None]}
    for tenant, switched_on in rows.items():
        lines = [json.dumps({"id": f"{tenant}{n}", "accountEnabled": on}) for n, on in enumerate(switched_on)]
        (tmp_path / f"{tenant}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    pattern = str(tmp_path / "*.jsonl")
    with pytest.raises(ValueError, match="Metadata mismatch"):
        dd.read_json(pattern, lines=True).compute()
    users = dd.read_json(pattern, lines=True, dtype={"id": "string", "accountEnabled": "boolean"})
    assert users["accountEnabled"].value_counts(dropna=False).compute().to_dict() == {True: 2, False: 1, pd.NA: 1}
