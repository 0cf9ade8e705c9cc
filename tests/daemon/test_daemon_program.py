"""graph_daemon.py as a scheduler starts it: output, files, exit codes."""

import csv
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import graph_daemon
import pytest
from chapters import NOTEBOOKS
from cryptography.hazmat.primitives import hashes
from daemon_helpers import assert_whole, scripted
from practice import CERTIFICATE

SHA1 = CERTIFICATE.fingerprint(hashes.SHA1())  # noqa: S303 - the classic sample's thumbprint


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
}}""",
        encoding="utf-8",
    )
    code, out, _ = daemon("parameters.json")
    users = json.loads(out)["value"]
    assert code == 0
    assert_whole([user["id"] for user in users], everyone)
    assert len(users[0]) == 11, "the default properties, as in the sample"
    assert out.splitlines()[2].startswith("  "), "indented, as in the sample"


def test_output_files(daemon, everyone):
    assert daemon("-o", "users.jsonl")[0] == daemon("-o", "users.csv")[0] == daemon("-o", "users.json")[0] == 0
    lines = Path("users.jsonl").read_text(encoding="utf-8").splitlines()
    assert_whole([json.loads(line)["id"] for line in lines], everyone)
    with Path("users.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert_whole([row["id"] for row in rows], everyone)
    assert list(rows[0]) == graph_daemon.SELECT.split(",")
    assert_whole([user["id"] for user in json.loads(Path("users.json").read_text(encoding="utf-8"))["value"]], everyone)
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
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)  # a machine behind a proxy may have it

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
    ends(graph_daemon.SETTINGS, "does not open it")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", "no.pfx")
    ends(graph_daemon.SETTINGS, "AZURE_CLIENT_CERTIFICATE_PATH cannot be read: No such file")
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(keys / "server.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    ends(graph_daemon.SETTINGS, "REQUESTS_CA_BUNDLE")
    monkeypatch.setenv("AZURE_CLIENT_ID", "")
    ends(graph_daemon.SETTINGS, "AZURE_CLIENT_ID is missing")
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
        ({"status": 500}, graph_daemon.BUSY),
        ({"status": 502}, graph_daemon.BUSY),
        ({"status": 501}, graph_daemon.GRAPH),
    ],
    ids=str,
)
def test_an_older_file_stays_when_a_run_fails(daemon, practice, fault, code, kind):
    """Faults that do not pass end the run in the middle: $count and the first page were good."""
    Path(f"users.{kind}").write_text("yesterday", encoding="utf-8")
    practice.control("faults", {"target": "graph", "skip": 2, "count": 1000} | fault)
    assert daemon("-o", f"users.{kind}", "--select", "id,displayName")[0] == code  # a short page fails like a long one
    assert [(one.name, one.read_text(encoding="utf-8")) for one in Path().iterdir()] == [(f"users.{kind}", "yesterday")]


def test_what_is_saved_is_on_the_disk_before_it_has_its_name(daemon, monkeypatch):
    order = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: order.append("sync") or sync(number))
    monkeypatch.setattr(Path, "replace", lambda part, path: order.append("replace") or replace(part, path))
    assert daemon("-o", "users.csv")[0] == 0
    assert order == ["sync", "replace"]


def test_a_fault_of_the_program_is_no_setting_that_is_wrong(daemon, monkeypatch):
    """An exception that nobody foresaw keeps its traceback; Python then ends with 1."""
    monkeypatch.setattr(graph_daemon, "write_users", lambda *given: {}["nobody foresaw this"])
    with pytest.raises(KeyError):
        daemon("-o", "users.csv")
    assert not list(Path().iterdir())


def test_an_older_file_stays_when_the_process_is_killed(daemon, practice, everyone, tmp_path):
    Path("users.jsonl").write_text("yesterday", encoding="utf-8")
    practice.control("faults", {"target": "graph", "delay_ms": 20_000, "skip": 3})
    command = [sys.executable, str(NOTEBOOKS / "graph_daemon.py"), "-o", "users.jsonl"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while not [part for part in Path().glob("users.jsonl.*.part") if part.stat().st_size]:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
    finally:
        process.kill()
        process.communicate()
    assert Path("users.jsonl").read_text(encoding="utf-8") == "yesterday"
    practice.control("reset")
    assert daemon("-o", "users.jsonl")[0] == 0
    assert_whole(
        [json.loads(line)["id"] for line in Path("users.jsonl").read_text(encoding="utf-8").splitlines()], everyone
    )
    [part] = Path().glob("*.part")
    os.utime(part, (0, 0))  # a day later
    assert daemon("-o", "users.jsonl")[0] == 0
    assert [one.name for one in Path().iterdir()] == ["users.jsonl"], "what was left holds people's data"


# --- the file ---------------------------------------------------------------------------------------------------


def test_it_imports_nothing_of_ours(tmp_path):
    (tmp_path / "graph_daemon.py").write_bytes((NOTEBOOKS / "graph_daemon.py").read_bytes())
    said = subprocess.check_output([sys.executable, "graph_daemon.py", "--help"], cwd=tmp_path, encoding="utf-8")
    assert graph_daemon.__doc__.strip() in said


def test_the_map_at_its_top_names_the_parts_in_their_order():
    source = (NOTEBOOKS / "graph_daemon.py").read_text(encoding="utf-8")
    parts = re.findall(r"^# --- (.+?) -+$", source, re.MULTILINE)
    assert re.findall(r"^#   (\S.*?)  +\S", source, re.MULTILINE) == parts


def test_a_damaged_settings_or_delta_file_is_a_sentence_that_names_it(tmp_path, caplog):
    damaged = tmp_path / "damaged.json"
    damaged.write_text("{", encoding="utf-8")
    assert graph_daemon.main([str(damaged)]) == graph_daemon.SETTINGS
    assert "damaged.json is not like the sample's parameters.json" in caplog.text
    graph, _ = scripted()
    with pytest.raises(graph_daemon.Failure, match=r"damaged\.json holds no delta link: name another file"):
        graph.read_changes("", damaged)
