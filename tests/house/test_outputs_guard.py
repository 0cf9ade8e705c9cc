"""Outputs of a real tenant cannot be committed by accident, and the practice outputs come back with one command."""

import json
import re

import outputs_guard
import pytest
from chapters import CHAPTERS, ROOT
from practice_tenant.directory.made_people import load_people
from workbook import own_data

pytestmark = pytest.mark.usefixtures("at_most_ten_thousand_people")
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


def test_everybody_of_a_large_practice_directory_is_known(monkeypatch):
    names = dict.fromkeys(person["displayName"] for person in load_people(10_000))
    for person in load_people(1_000):
        names.pop(person["displayName"], None)
    somebody = notebook(str({"displayName": next(iter(names))}))
    assert outputs_guard.foreign(somebody) == []
    monkeypatch.setattr(outputs_guard, "MADE", (1_000,))
    assert len(outputs_guard.foreign(somebody)) == 1


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
