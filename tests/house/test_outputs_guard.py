"""Outputs of a real tenant cannot be committed by accident, and the practice outputs come back with one command."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys

import outputs_guard
import pytest
from chapters import CHAPTERS, ROOT
from workbook import own_data

TENANT = ROOT / "notebooks" / "practice_tenant"


def notebook(*texts, source="1", html=False):
    """A notebook of one cell with these outputs."""
    outputs = [
        {"output_type": "display_data", "data": {"text/html" if html else "text/plain": [text]}, "metadata": {}}
        for text in texts
    ]
    cell = {"cell_type": "code", "id": "a", "source": source, "outputs": outputs, "execution_count": 1, "metadata": {}}
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def table(column, value):
    head = f"<thead><tr style='x'><th></th><th>{column}</th></tr></thead>"
    return f"<table class='dataframe'>{head}<tbody><tr><th>0</th><td>{value}</td></tr></tbody></table>"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_the_stored_outputs_are_the_practice_tenants(chapter):
    assert outputs_guard.foreign(json.loads(chapter.read_text(encoding="utf-8"))) == []


def test_nothing_here_is_anybodys(capsys):
    assert outputs_guard.report(outputs_guard.in_folder()) == 0, capsys.readouterr().err


def printed(text, source="1"):
    one = notebook(source=source)
    one["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [text]}]
    return one


def with_metadata(metadata, where="notebook"):
    one = notebook("practice")
    (one if where == "notebook" else one["cells"][0])["metadata"] = metadata
    return one


PRACTICE_TENANT = re.search(
    r'TENANT_ID = "(.+)"', (TENANT / "directory" / "well_known.py").read_text(encoding="utf-8")
)[1]
NEW_ID = "5d3f9a1e-0b7c-4e2d-9a6f-1c8e7b2d4f60"
LETTER = "Directory (tenant) ID: {}\nApplication (client) ID: {}\n"
INDEXED = """<table><thead><tr><th></th><th>mail</th></tr><tr><th>surname</th><th></th></tr></thead>
<tbody><tr><th>Vancelot</th><td>None</td></tr></tbody></table>"""
TURNED = "<table><thead><tr><th></th><th>0</th></tr></thead><tr><th>givenName</th><td>Adelheide</td></tr></table>"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (notebook("Tenant   your own, contoso.com\nReady"), "your own tenant"),
        (notebook("adele.vance@contoso.com"), "a mail address"),
        (notebook("guest_gmail.com#EXT#@contoso.onmicrosoft.com"), "a mail address"),
        (notebook("tenant 5d3f9a1e-0b7c-4e2d-9a6f-1c8e7b2d4f60"), "an id"),
        (notebook(table("displayName", "Adele Vance"), html=True), "a value of displayName"),
        (notebook(table("mobilePhone", "+1 206 111 2233"), html=True), "a value of mobilePhone"),
        (notebook("[{'displayName': 'Adele Vance', 'id': '7'}]"), "a value of displayName"),
        (notebook('{"surname": "O\\\\u0027Vance"}'), "a value of surname"),
        (notebook("{'businessPhones': ['+1 206 111 2233']}"), "a value of businessPhones"),
        (notebook('{"displayName":"Adele Vance"}'), "a value of displayName"),
        (notebook(own_data.MARK, html=True), "your own tenant"),
        (notebook(INDEXED, html=True), "a value of surname"),
        (notebook(TURNED, html=True), "a value of givenName"),
        (printed("   displayName  licences\n0  Adele Vance         3\n"), "a value of displayName"),
        (printed("0    Adele Vance\n1    Lucía\nName: displayName, dtype: str\n"), "a value of displayName"),
        (notebook(LETTER.format(NEW_ID, NEW_ID)), "an id"),
        (with_metadata({"who": "adele.vance@contoso.com"}, "cell"), "a mail address"),
    ],
)
def test_data_of_a_real_tenant_is_recognised_and_not_repeated(one, words):
    [found] = outputs_guard.foreign(one)
    assert found.startswith("cell a: ")
    assert words in found
    assert not any(part in found for part in ("Adele", "adele", "206", "5d3f9a1e"))


@pytest.mark.parametrize(
    "one",
    [
        notebook("lucia.ramirez@contoso.example", "lucia.ramirez_fabrikam.example#EXT#@contoso.onmicrosoft.example"),
        notebook("'@odata.nextLink', 'value@odata.count', '@microsoft.graph.tips', 'manager@odata.bind'"),
        notebook(table("displayName", "Lucía Ramírez Ortega"), table("displayName", "NaN"), html=True),
        notebook("{'displayName': 'Luc\\u00eda Ram\\u00edrez Ortega', 'mobilePhone': None}"),
        notebook("c4805f88-eb33-4439-adf9-30b08041671f", "C4805F88-EB33-4439-ADF9-30B08041671F"),
        notebook("id 5d3f9a1e-0b7c-4e2d-9a6f-1c8e7b2d4f60", source="'5d3f9a1e-0b7c-4e2d-9a6f-1c8e7b2d4f60'"),
        notebook(LETTER.format(PRACTICE_TENANT, NEW_ID)),
        notebook("adele.vance@contoso.com", source="print('adele.vance@contoso.com')"),
        notebook(
            table("displayName", "Adele Vance"), html=True, source="pd.DataFrame({'displayName': ['Adele Vance']})"
        ),
        printed("            displayName  licences\n0  Lucía Ramírez Ortega         3\n"),
    ],
)
def test_what_the_practice_tenant_says_passes(one):
    assert outputs_guard.foreign(one) == []


def test_metadata_of_the_notebook_is_looked_at():
    [found] = outputs_guard.foreign(with_metadata({"papermill": {"who": "adele.vance@contoso.com"}}))
    assert found == "metadata: a mail address or sign-in name"


def test_a_drawing_is_read_and_a_picture_is_not():
    one = notebook()
    drawn = {"image/svg+xml": "<svg><text>adele.vance@contoso.com</text></svg>", "image/png": "adele@contoso.com"}
    one["cells"][0]["outputs"] = [{"output_type": "display_data", "data": drawn, "metadata": {}}]
    assert len(outputs_guard.foreign(one)) == 1
    del drawn["image/svg+xml"]
    assert outputs_guard.foreign(one) == []


PEOPLE = "displayName,city\nAdele Vance,Oslo\n"
KEY = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj" * 2
SECRET = "AZURE_CLIENT_SECRET=x8Q~secret"
ENV_SAMPLE = (ROOT / "env.sample").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notebooks/users.csv", 'displayName,city\n"Vance, Adele",Oslo\n', "a value of displayName"),
        ("users.tsv", "city\tsurname\nOslo\tVancelot\n", "a value of surname"),
        ("semicolons.csv", "displayName;city\nAdele Vance;Oslo\n", "a value of displayName"),
        ("for Excel.csv", "sep=;\ndisplayName;city\nAdele Vance;Oslo\n", "a value of displayName"),
        (
            "unicode text of Excel.txt",
            "displayName\tcity\nAdele Vance\tOslo\n".encode("utf-16"),
            "a value of displayName",
        ),
        ("headed otherwise.csv", "Name,Department\nAdele Vance,Sales\n", "rows that the practice tenant does not have"),
        ("counted.csv", "department,count\nNordic Freight,17\n", "rows that the practice tenant does not have"),
        ("headless.csv", "1,2\nAdele Vance,Oslo,Norway\n", "rows that the practice tenant does not have"),
        ("tests/users.csv", PEOPLE, "a value of displayName"),
        ("notebooks/workbook/users.csv", PEOPLE, "a value of displayName"),
        ("users.csv.bak", PEOPLE, "a value of displayName"),
        ("users", PEOPLE, "a value of displayName"),
        ("data/mine.jsonl", '{"displayName":"Adele Vance"}\n', "a value of displayName"),
        ("data/people.jsonl", '{"mail":"adele.vance@contoso.com"}\n', "a mail address"),
        ("data/README.md", "ask adele.vance@contoso.com", "a mail address"),
        ("users.yaml", "- mail: adele.vance@contoso.com", "a mail address"),
        ("notes.md", "ask adele.vance@contoso.com", "a mail address"),
        ("06.html", f"<div>{own_data.MARK}</div>", "your own tenant"),
        ("06.ipynb.bak", f"<div>{own_data.MARK}</div>", "your own tenant"),
        ("notebooks/users.parquet", b"PAR1\x15\x04\x00", "what nobody can look into"),
        ("users.xlsm", b"PK\x03\x04\x14\x00", "what nobody can look into"),
        ("chart.PNG", b"\x89PNG\r\n\x1a\n", "what nobody can look into"),
        ("of an older Excel.csv", "displayName\nJürgen\n".encode("cp1252"), "what nobody can look into"),
        ("notebooks/.env", "A=1", "a secret"),
        (".env.bak", "A=1", "a secret"),
        ("settings.txt", SECRET, "a secret"),
        ("env.sample", ENV_SAMPLE.replace("#AZURE_CLIENT_SECRET=", SECRET), "a secret"),
        ("env.sample", ENV_SAMPLE.replace("TENANT_ID=", "TENANT_ID=5d3f9a1e-0b7c-4e2d-9a6f-1c8e7b2d4f60"), "an id"),
        ("parameters.json", '{"secret": "x8Q~secret"}', "a secret"),
        ("server.pem", "x", "a secret"),
        ("key.txt", KEY, "a private key"),
    ],
)
def test_a_file_with_peoples_data_is_recognised(name, content, words):
    found = outputs_guard.foreign_file(name, content if isinstance(content, bytes) else content.encode())
    assert any(words in one for one in found), found
    assert not any(part in str(found) for part in ("Adele", "adele", "Oslo", "x8Q", "5d3f9a1e"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("practice.csv", "displayName,city\nLucía Ramírez Ortega,Seattle\n"),
        ("practice.csv", "id,created,enabled,licences\n4,2024-06-01T00:00:00Z,True,\n"),
        ("notes.txt", 'he said "yes\nand left'),
        ("notes.md", "Vance, Adele, and others: axe-core@4.14.1"),
        ("env.sample", ENV_SAMPLE),
        ("tests/house/x.py", "adele.vance@contoso.com"),
        ("tests/README.md", "adele.vance@contoso.com"),
        ("notebooks/mine.py", "print(1)"),
        ("empty", ""),
    ],
)
def test_another_file_passes(name, content):
    assert outputs_guard.foreign_file(name, content.encode()) == []


def test_a_private_key_in_an_output_is_recognised():
    assert outputs_guard.foreign(printed(KEY)) == ["cell a: a private key"]


def attached(name, **kinds):
    one = notebook()
    one["cells"].append(
        {"cell_type": "markdown", "id": "m", "source": "", "metadata": {}, "attachments": {name: kinds}}
    )
    return one


@pytest.mark.parametrize("name", ["image.png", "4e6f1c2a-portal.png", "06_table.jpg"])
def test_a_picture_that_somebody_has_pasted_is_recognised(name):
    [found] = outputs_guard.foreign(attached(name, **{"image/png": "iVBORw0KGgo="}))
    assert found == "cell m: a picture that nobody can look into"


def test_an_attachment_of_text_is_read_and_a_baked_picture_passes():
    assert outputs_guard.foreign(attached("06_table.png", **{"image/png": "iVBORw0KGgo="})) == []
    assert outputs_guard.foreign(attached("list.txt", **{"text/plain": "lucia.ramirez@contoso.example"})) == []
    [found] = outputs_guard.foreign(attached("list.txt", **{"text/plain": "adele.vance@contoso.com"}))
    assert found == "cell m: a mail address or sign-in name"


BENCH = "Tenant   the practice tenant, on this machine only\nReady"


def own(*texts):
    """A notebook of one's own, a cell for each output, with the ids 0, 1, …"""
    cells = [printed(text)["cells"][0] | {"id": str(number)} for number, text in enumerate(texts)]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def test_a_notebook_of_ones_own_shows_that_it_runs_on_the_practice_tenant():
    assert outputs_guard.of_unknown_origin(own(BENCH, "Nordic Freight 17")) == []
    assert outputs_guard.of_unknown_origin(own("Tenant   3 practice tenants, on this machine only", "1")) == []
    unknown = "outputs that do not say which tenant they come from"
    assert outputs_guard.of_unknown_origin(own("1", BENCH, "2")) == [f"cell 0: {unknown}"]
    chart = notebook()
    chart["cells"][0]["outputs"] = [{"output_type": "display_data", "data": {"image/png": "x"}, "metadata": {}}]
    assert outputs_guard.of_unknown_origin(chart) == [f"cell a: {unknown}"]
    failed = notebook()
    failed["cells"][0]["outputs"] = [{"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": []}]
    assert outputs_guard.of_unknown_origin(failed) == []


# --- as git and a learner use it -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A repository with the guard, its hook and one notebook, for `clone` to copy."""
    folder = tmp_path_factory.mktemp("installed")
    for name in ("data", "notebooks/practice_tenant", "tests/tools", ".githooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (folder / ".gitignore").write_text(".venv/\n__pycache__/\n", encoding="utf-8")
    write(folder, notebook("practice"))
    with pytest.MonkeyPatch.context() as patch:
        leave_no_git_variable(patch)
        git(folder, "init", "--quiet", "--template=")
        commit(folder, "first")
        assert guard(folder, "--install").returncode == 0
        git(folder, "repack", "-a", "-d", "--quiet")  # one file to copy, not a hundred
    return folder


@pytest.fixture
def clone(installed, tmp_path, monkeypatch):
    """That repository for one test alone; guard(...) runs the guard, git(...) runs git in it."""
    leave_no_git_variable(monkeypatch)
    return shutil.copytree(installed, tmp_path, symlinks=True, dirs_exist_ok=True)


def leave_no_git_variable(patch):
    """A hook that runs these tests has variables which would lead git to another repository."""
    for name in [variable for variable in os.environ if variable.startswith("GIT_")]:
        patch.delenv(name)


def write(folder, content):
    path = folder / "notebooks" / "01_keys.ipynb"
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path.read_bytes()


def git(folder, *arguments):
    who = ["-c", "user.name=test", "-c", "user.email=test@contoso.example"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=False)


def commit(folder, message):
    git(folder, "add", "--all")
    return git(folder, "commit", "--quiet", "--all", "-m", message)


def guard(folder, *arguments):
    command = [sys.executable, "tests/tools/outputs_guard.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.skipif(os.name == "nt", reason="the fixture links .venv as it is on Linux and macOS")
def test_a_commit_of_a_real_tenants_outputs_is_refused(clone):
    before = git(clone, "rev-parse", "HEAD").stdout
    write(clone, notebook("Tenant   your own, contoso.com", "adele.vance@contoso.com"))
    refused = commit(clone, "by accident")
    assert refused.returncode != 0
    assert refused.stderr.splitlines()[0] == "notebooks/01_keys.ipynb holds outputs of your own tenant (cell a)."
    assert len(refused.stderr.splitlines()) == 2
    assert "outputs_guard.py --restore" in refused.stderr
    assert "adele" not in refused.stderr
    assert git(clone, "rev-parse", "HEAD").stdout == before
    assert guard(clone).returncode == 1

    assert guard(clone, "--restore").returncode == 0
    assert git(clone, "diff", "--stat", "HEAD").stdout == ""
    assert git(clone, "commit", "-m", "what is staged").returncode != 0
    assert guard(clone).returncode == 0
    write(clone, notebook("practice", "more"))
    assert commit(clone, "practice outputs").returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="the fixture links .venv as it is on Linux and macOS")
def test_restoring_keeps_what_was_written_in_cells(clone):
    stored = write(clone, notebook("practice"))
    write(clone, notebook("adele.vance@contoso.com"))
    guard(clone, "--restore")
    assert (clone / "notebooks" / "01_keys.ipynb").read_bytes() == stored

    changed = notebook("adele.vance@contoso.com", source="my own code")
    changed["cells"].append(copy.deepcopy(changed["cells"][0]) | {"id": "b"})
    write(clone, changed)
    assert guard(clone, "--restore").stdout == "notebooks/01_keys.ipynb: outputs put back\n"
    cells = json.loads((clone / "notebooks" / "01_keys.ipynb").read_text(encoding="utf-8"))["cells"]
    assert [(cell["source"], cell["outputs"], cell["execution_count"]) for cell in cells] == [
        ("my own code", [], None),
        ("my own code", [], None),
    ]


LINUX = pytest.mark.skipif(os.name == "nt", reason="the fixture links .venv as it is on Linux and macOS")


@LINUX
@pytest.mark.parametrize("name", ["my copy.ipynb", "data/06 Kopie.IPYNB", "notebooks/deep/ärger.ipynb"])
def test_a_copy_is_found_wherever_it_lies_and_loses_its_outputs(clone, name):
    path = clone / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(notebook("adele.vance@contoso.com", source="mine")), encoding="utf-8")
    refused = commit(clone, "a copy")
    assert refused.stderr.startswith(f"{name} holds a mail address or sign-in name (cell a).")
    assert guard(clone, "--restore").stdout == f"{name}: outputs taken away, because no commit has others\n"
    assert commit(clone, "without outputs").returncode == 0
    [cell] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert (cell["source"], cell["outputs"]) == ("mine", [])


@LINUX
def test_a_commit_of_a_table_beside_the_notebooks_is_refused(clone):
    (clone / "notebooks" / "users.csv").write_text("mail\nadele.vance@contoso.com\n", encoding="utf-8")
    refused = commit(clone, "a table")
    assert refused.stderr.splitlines() == [
        "notebooks/users.csv holds a mail address or sign-in name.",
        "Keep such files in notebooks/output, which git ignores, and take them out of the commit with git rm --cached. "
        "A file that belongs here is put back with git restore --staged --worktree, once you have "
        "copied what is yours.",
    ]
    assert refused.returncode == guard(clone).returncode == 1
    assert git(clone, "rm", "--quiet", "--cached", "notebooks/users.csv").returncode == 0
    assert git(clone, "commit", "--allow-empty", "-m", "nothing").returncode == 0


@LINUX
@pytest.mark.parametrize(
    "made",
    [
        ["commit", "--quiet", "-m", "x"],
        ["commit", "--quiet", "--amend", "-m", "x"],
        ["commit", "--quiet", "-m", "x", "notebooks/01_keys.ipynb"],
        ["commit", "--quiet", "-a", "-m", "x"],
    ],
    ids=" ".join,
)
def test_every_way_to_commit_is_refused(clone, made):
    write(clone, notebook("adele.vance@contoso.com"))
    if "-a" not in made:
        git(clone, "add", "--all")
    assert git(clone, *made).stderr.startswith("notebooks/01_keys.ipynb holds a mail address")


@LINUX
@pytest.mark.parametrize("name", ["notebooks/01_keys.ipynb", "users.csv"])
def test_what_an_earlier_commit_has_brought_past_the_hook_is_refused_when_it_is_amended(clone, name):
    (clone / name).write_text(json.dumps(notebook("adele.vance@contoso.com")), encoding="utf-8")
    git(clone, "add", "--all")
    assert git(clone, "commit", "--quiet", "--no-verify", "-m", "by accident").returncode == 0
    assert git(clone, "commit", "--quiet", "--amend", "-m", "a better message").stderr.startswith(f"{name} holds")
    assert guard(clone).returncode == 1


@LINUX
def test_a_renamed_and_ignored_notebook_is_refused(clone):
    write(clone, notebook("adele.vance@contoso.com"))
    (clone / "notebooks" / "output").mkdir()
    git(clone, "mv", "notebooks/01_keys.ipynb", "notebooks/output/mine.ipynb")
    (clone / ".gitignore").write_text(".venv/\n__pycache__/\nnotebooks/output/\n", encoding="utf-8")
    git(clone, "add", "--force", "notebooks/output/mine.ipynb")
    assert git(clone, "commit", "-m", "x").stderr.startswith("notebooks/output/mine.ipynb holds a mail address")


@LINUX
def test_a_pasted_picture_stays_where_it_is_and_is_told_with_its_own_cure(clone):
    write(clone, attached("image.png", **{"image/png": "iVBORw0KGgo="}))
    assert commit(clone, "a picture").stderr.splitlines() == [
        "notebooks/01_keys.ipynb holds a picture that nobody can look into (cell m).",
        "Delete pasted pictures from their cells, and git add the notebooks again.",
    ]
    guard(clone, "--restore")
    assert b"iVBORw0KGgo=" in (clone / "notebooks" / "01_keys.ipynb").read_bytes()


@LINUX
def test_restoring_leaves_a_notebook_of_ones_own_alone_when_it_is_good(clone):
    path = clone / "mine.ipynb"
    path.write_text(json.dumps(own(BENCH, "1")), encoding="utf-8")
    before = path.read_bytes()
    assert guard(clone, "--restore").stdout == ""
    assert path.read_bytes() == before
    assert commit(clone, "mine").returncode == 0
    path.write_text(json.dumps(own("1")), encoding="utf-8")
    assert "do not say which tenant they come from (cell 0)" in commit(clone, "mine").stderr


@LINUX
def test_a_notebook_to_try_things_out_is_left_alone_until_git_knows_it(clone):
    path = clone / "notebooks" / "Untitled.ipynb"
    path.write_text(json.dumps(own("2")), encoding="utf-8")
    before = path.read_bytes()
    assert guard(clone).returncode == 0
    assert guard(clone, "--restore").stdout == ""
    assert path.read_bytes() == before
    git(clone, "add", "--all")
    assert guard(clone).returncode == guard(clone, "--staged").returncode == 1
    assert "outputs taken away" in guard(clone, "--restore").stdout
    path.write_text(json.dumps(own("adele.vance@contoso.com")), encoding="utf-8")
    git(clone, "rm", "--quiet", "--cached", "--force", "notebooks/Untitled.ipynb")
    assert guard(clone).returncode == 1


@LINUX
@pytest.mark.parametrize("content", [b'{"cells": [', b"\xff\xfe\x00", b'{"cells": [1]}'])
def test_what_is_no_notebook_is_refused_without_a_traceback(clone, content):
    (clone / "notebooks" / "broken.ipynb").write_bytes(content)
    refused = commit(clone, "broken")
    assert refused.stderr.startswith("notebooks/broken.ipynb holds what cannot be read as a notebook.")
    assert guard(clone, "--restore").stderr.startswith("notebooks/broken.ipynb: it cannot be read as a notebook")
    assert (clone / "notebooks" / "broken.ipynb").read_bytes() == content


@LINUX
def test_restoring_reaches_behind_a_commit_that_holds_a_real_tenants_outputs(clone):
    stored = write(clone, notebook("practice"))
    write(clone, notebook("adele.vance@contoso.com"))
    assert git(clone, "commit", "--all", "--no-verify", "-m", "by accident").returncode == 0
    guard(clone, "--restore")
    assert (clone / "notebooks" / "01_keys.ipynb").read_bytes() == stored


@LINUX
def test_restoring_puts_the_metadata_back_that_an_editor_has_changed(clone):
    stored = write(clone, notebook("practice"))
    changed = notebook("adele.vance@contoso.com")
    changed["metadata"] = {"language_info": {"version": "3.14.0"}, "who": "adele.vance@contoso.com"}
    changed["cells"][0]["metadata"] = {"execution": {"iopub.execute_input": "2026-11-27T09:00:00Z"}}
    write(clone, changed)
    guard(clone, "--restore")
    assert (clone / "notebooks" / "01_keys.ipynb").read_bytes() == stored


def test_without_a_commit_nothing_is_taken_away(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(outputs_guard, "ROOT", tmp_path)
    monkeypatch.setattr(outputs_guard, "NOTEBOOKS", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    path = tmp_path / "01_keys.ipynb"
    path.write_text(json.dumps(notebook("practice")), encoding="utf-8")
    before = path.read_bytes()
    assert outputs_guard.restore() == 1
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    assert outputs_guard.restore() == 1
    assert "There is no commit to take the practice outputs from" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_hook_of_ones_own_is_not_switched_off(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs_guard, "ROOT", tmp_path)
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".git" / "hooks").mkdir(exist_ok=True)
    (tmp_path / ".git" / "hooks" / "pre-commit").write_text("#!/bin/sh\n", encoding="utf-8")
    assert outputs_guard.install() == 1
    assert git(tmp_path, "config", "core.hooksPath").stdout == ""
    git(tmp_path, "config", "core.hooksPath", ".husky")
    assert outputs_guard.install() == 1
    assert git(tmp_path, "config", "core.hooksPath").stdout == ".husky\n"


@LINUX
@pytest.mark.parametrize("name", outputs_guard.HOOKS)
def test_a_hook_that_lost_its_permission_gets_it_back(clone, name):
    hook = clone / ".githooks" / name
    hook.chmod(0o644)
    assert guard(clone, "--install").returncode == 0
    assert os.access(hook, os.X_OK)


@pytest.mark.parametrize("name", outputs_guard.HOOKS)
def test_the_hooks_may_be_run(name):
    listed = git(ROOT, "ls-files", "--stage", f".githooks/{name}").stdout
    assert not listed or listed.startswith("100755 ")


@LINUX
def test_a_merge_of_what_came_past_the_hook_is_refused(clone):
    git(clone, "checkout", "--quiet", "-b", "side")
    (clone / "users.csv").write_text(PEOPLE, encoding="utf-8")
    git(clone, "add", "--all")
    assert git(clone, "commit", "--quiet", "--no-verify", "-m", "by accident").returncode == 0
    git(clone, "checkout", "--quiet", "-")
    (clone / "notes.txt").write_text("x", encoding="utf-8")
    assert commit(clone, "something else").returncode == 0
    merged = git(clone, "merge", "--no-edit", "side")
    assert merged.returncode != 0
    assert merged.stderr.startswith("users.csv holds rows that the practice tenant does not have")


@LINUX
def test_a_push_of_what_a_later_commit_took_away_is_refused_until_it_is_one_commit(clone, tmp_path_factory):
    remote = tmp_path_factory.mktemp("remote")
    git(remote, "init", "--quiet", "--bare")
    git(clone, "remote", "add", "origin", str(remote))
    pushed = git(clone, "push", "--quiet", "--set-upstream", "origin", "HEAD")
    assert pushed.returncode == 0, pushed.stderr

    stored = write(clone, notebook("practice", "more"))
    write(clone, notebook("adele.vance@contoso.com"))
    git(clone, "commit", "--quiet", "--all", "--no-verify", "-m", "by accident")
    (clone / "notebooks" / "01_keys.ipynb").write_bytes(stored)
    assert commit(clone, "taken away").returncode == 0
    refused = git(clone, "push")
    assert refused.returncode != 0
    assert refused.stderr.splitlines()[0] == "notebooks/01_keys.ipynb holds a mail address or sign-in name (cell a)."
    assert "git reset --soft @{upstream}" in refused.stderr
    assert "adele" not in refused.stderr

    git(clone, "reset", "--quiet", "--soft", "@{upstream}")
    assert commit(clone, "one commit").returncode == 0
    assert git(clone, "push", "--quiet").returncode == 0
    git(clone, "branch", "old")
    assert git(clone, "push", "--quiet", "origin", "old").returncode == 0
    assert git(clone, "push", "--quiet", "origin", "--delete", "old").returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file's name is text")
def test_a_name_that_is_no_text_hides_nothing(clone):
    name = os.fsdecode("M\xfcller.csv".encode("latin-1"))
    (clone / name).write_text(PEOPLE, encoding="utf-8")
    assert "ller.csv holds" in commit(clone, "a table").stderr
    (clone / name).unlink()
    name = os.fsdecode("M\xfcller.ipynb".encode("latin-1"))
    (clone / name).write_text(json.dumps(own("adele.vance@contoso.com")), encoding="utf-8")
    assert "outputs taken away" in guard(clone, "--restore").stdout
