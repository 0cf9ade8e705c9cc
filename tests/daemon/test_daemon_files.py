"""What graph_daemon.py writes: CSV that all readers and versions of Python agree on, Excel, missing columns, faults."""

import csv
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import graph_daemon
import pytest
from chapters import NOTEBOOKS
from daemon_helpers import scripted
from graph_daemon import Failure, save, write_users
from links import link

ODD = {
    "a lone CR": "1 Main\rSuite 2",
    "CR LF": "1 Main\r\nSuite 2",
    "LF": "1 Main\nSuite 2",
    "a quote": 'the "boss"',
    "a comma": "a,b",
    "blanks": " a ",
    "NUL": "a\0b",
    "other line ends": "a\u2028b\u0085c\x0bd",
    "another script": "\u5c71\u7530 \U0001f600",
    "digits": "000975",
    "nothing": "",
}


def csv_of(users, names, **how) -> str:
    file = io.StringIO(newline="")
    write_users(iter(users), file, ".csv", names, **how)
    return file.getvalue()


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_csv_gives_back_what_went_in(text):
    written = csv_of([{"id": "1", "x": text}, {"id": "2", "x": "y"}], ["id", "x"])
    assert list(csv.reader(io.StringIO(written, newline=""))) == [["id", "x"], ["1", text], ["2", "y"]]
    assert written.startswith("id,x\n"), "lines end with LF"
    if "\r" in text or "\n" in text:
        assert f'"{text}"' in written, "quoted, in whatever version of Python"


def test_lists_and_truth_values_are_json_and_null_is_empty():
    assert csv_of([{"a": None, "b": ["x"], "c": True, "d": 5}], list("abcd")) == 'a,b,c,d\n,"[""x""]",true,5\n'


@pytest.mark.parametrize("text", ["=1+1", "+1 425", "-1", "@x", "\t=1", "\r=1", "\n=1"])
def test_excel_gets_no_formulas(text):
    written = csv_of([{"id": "1", "x": text}], ["id", "x"], for_excel=True)
    assert written.startswith("\ufeffid,x\r\n")
    assert list(csv.reader(io.StringIO(written, newline="")))[1] == ["1", f"'{text}"]
    assert f"'{text}" not in csv_of([{"x": text}], ["x"]), "plain stays plain"


def test_half_a_character_is_written_so_that_it_is_seen(caplog):
    assert csv_of([{"id": "1", "x": "Omar \ud83c"}, {"id": "2", "x": "\U0001f600"}], ["id", "x"]) == (
        "id,x\n1,Omar \\ud83c\n2,\U0001f600\n"
    )
    assert caplog.text.count("half a character") == 1


@pytest.mark.parametrize("kind", [".csv", ".json", ".jsonl"])
def test_a_column_that_did_not_come_is_said(caplog, kind):
    users = [{"id": "1", "displayName": "A"}, {"id": "2", "displayName": "B", "signInActivity": None}]
    file = io.StringIO(newline="")
    write_users(iter(users), file, kind, ["id", "DISPLAYNAME", "signinactivity", "nickname"])
    assert "no property nickname for anybody" in caplog.text
    assert "signInActivity" not in caplog.text
    if kind == ".csv":
        assert file.getvalue() == "id,displayName,signinactivity,nickname\n1,A,,\n2,B,,\n"


def test_what_nobody_has_is_no_missing_column(caplog):
    assert csv_of([], ["id", "x"]) == "id,x\n"
    csv_of([{"id": "1", "x": None}], ["id", "x"])
    csv_of([{"id": "1"}], ["id", "x"], is_delta=True)
    assert caplog.text == ""


def test_a_frame_has_the_columns_as_graph_spells_them(caplog):
    user = {"id": "1", "displayName": "A", "createdDateTime": "2026-01-01T00:00:00Z"}
    graph, adapter = scripted({"value": [user]}, b"1")
    frame = graph.load_users(" ID, displayname,,DisplayName,createddatetime, nickname")
    assert list(frame.columns) == ["id", "displayName", "createdDateTime", "nickname"]
    assert frame.iloc[0, :2].tolist() == ["1", "A"]
    assert str(frame["createdDateTime"].dtype).endswith("UTC]")
    assert "nickname" in caplog.text
    assert "$select=id,displayname,createddatetime,nickname" in adapter.asked[0].url


def test_a_date_that_is_none_is_left_as_it_came(caplog):
    graph, _ = scripted({"value": [{"id": "1", "createdDateTime": "soon"}]}, b"1")
    assert graph.load_users("id,createdDateTime")["createdDateTime"].tolist() == ["soon"]
    assert "no date" in caplog.text


@pytest.mark.parametrize("select", ["*", "id displayName", "id;mail", "id,$x", "'id'"])
def test_a_select_that_is_no_list_of_names_is_refused(select):
    with pytest.raises(Failure, match="names of properties with commas"):
        graph_daemon.names_of(select)


# --- files


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    real = tmp_path / "there" / "users.csv"
    real.write_text("old", encoding="utf-8")
    at = tmp_path / "users.csv"
    link(at, real)
    save(at, lambda file: file.write("new"))
    assert at.is_symlink()
    assert real.read_text(encoding="utf-8") == "new"


def test_links_in_a_circle_end_in_a_sentence_or_a_file(tmp_path):
    """Up to Python 3.12 such a path cannot be resolved; later Pythons put the file in the link's place."""
    circle = tmp_path / "users.csv"
    link(circle, circle)
    try:
        save(circle, lambda file: file.write("new"))
    except Failure as failure:
        assert "links lead in a circle" in failure.sentence
    else:
        assert circle.read_text(encoding="utf-8") == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_ordinary_file_is_left_alone(tmp_path):
    for make in (Path.mkdir, os.mkfifo):
        path = tmp_path / f"{make.__name__}.csv"
        make(path)
        with pytest.raises(Failure, match="no ordinary file"):
            save(path, lambda file: file.write("x"))
        assert path.is_dir() or path.is_fifo()


def test_two_runs_at_once_do_not_mix(tmp_path):
    path = tmp_path / "users.csv"

    def write_slowly(file):
        file.write("first")
        save(path, lambda other: other.write("second"))
        assert path.read_text(encoding="utf-8") == "second"

    save(path, write_slowly)
    assert path.read_text(encoding="utf-8") == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_the_part_of_another_program_is_left_alone(tmp_path):
    other = tmp_path / "users.csv.part"
    other.write_text("mine", encoding="utf-8")
    save(tmp_path / "users.csv", lambda file: file.write("x"))
    assert other.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_is_one_sentence_and_the_old_file_stays(tmp_path, monkeypatch, number):
    path = tmp_path / "users.csv"
    path.write_text("old", encoding="utf-8")

    def full(_):
        raise OSError(number, os.strerror(number), "s3cret")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Failure, match=r"users\.csv cannot be written: ") as caught:
        save(path, lambda file: file.write("new"))
    assert caught.value.exit_code == graph_daemon.SETTINGS
    assert os.strerror(number) in caught.value.sentence and "s3cret" not in caught.value.sentence
    assert [(one.name, one.read_text(encoding="utf-8")) for one in tmp_path.iterdir()] == [("users.csv", "old")]


def test_a_folder_that_is_missing_names_the_output(tmp_path):
    with pytest.raises(Failure, match=r"no/users\.csv cannot be written: its folder does not exist") as caught:
        save(tmp_path / "no" / "users.csv", lambda file: file.write("x"))
    assert ".part" not in caught.value.sentence


def run(daemon_environment, stdout, *arguments):
    command = [sys.executable, str(NOTEBOOKS / "graph_daemon.py"), *arguments]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, encoding="utf-8", check=False)


@pytest.mark.skipif(os.name == "nt", reason="pipes end otherwise")
def test_standard_output_that_cannot_be_written(daemon):
    reader, writer = os.pipe()
    os.close(reader)
    ended = run(daemon, writer)
    os.close(writer)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (graph_daemon.SETTINGS, 1), ended.stderr
    assert "Broken pipe" in ended.stderr
    if Path("/dev/full").exists():
        with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123
            ended = run(daemon, full)
        assert (ended.returncode, len(ended.stderr.splitlines())) == (graph_daemon.SETTINGS, 1), ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [("-o", "users.txt"), ("-o", "users"), ("--excel",), ("--excel", "-o", "u.json"), ("--needs", "x"),
     ("--since", "d", "--filter", "x")],
)  # fmt: skip
def test_a_command_line_that_is_wrong(daemon, arguments):
    with pytest.raises(SystemExit) as ended:
        daemon(*arguments)
    assert ended.value.code == graph_daemon.SETTINGS


def test_excel_and_kinds_in_capitals(daemon):
    assert daemon("-o", "users.CSV", "--excel", "--select", "id,businessPhones,mobilePhone")[0] == 0
    assert Path("users.CSV").read_bytes().startswith(b"\xef\xbb\xbfid,businessPhones,mobilePhone\r\n")
