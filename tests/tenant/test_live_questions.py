"""What `pytest --live` asks, and what it needs to be told first. live/questions_asked.py puts the questions."""

import live
from comparing import not_asked, row_of, rows
from questions import QUESTIONS
from workbook import WorkbookProblem


def test_every_row_that_is_marked_real_is_asked_or_has_a_reason_why_not():
    real = {row for row, (_, played) in rows().items() if played == "real"}
    asked = [row_of(question.row) for question in QUESTIONS]
    assert len(asked) == len(set(asked))
    assert real - set(asked) == set(not_asked())


def test_without_settings_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(live, "read_settings", dict)
    assert live.settings_problem() == live.NO_CREDENTIALS


def test_settings_that_are_half_filled_in_or_lack_a_certificate_are_told(monkeypatch):
    monkeypatch.setattr(live, "read_settings", lambda: {"AZURE_TENANT_ID": "contoso.com"})
    assert live.settings_problem().startswith(".env is only partly filled in: AZURE_CLIENT_ID and")
    secret = {"AZURE_TENANT_ID": "contoso.com", "AZURE_CLIENT_ID": "5d3f9a1e-0b7c-4e2d-9a6f-1c8e7b2d4f60"}
    monkeypatch.setattr(live, "read_settings", lambda: secret | {"AZURE_CLIENT_SECRET": "x"})
    assert live.settings_problem() == live.NO_CERTIFICATE

    def broken():
        raise WorkbookProblem(".env is a folder.")

    monkeypatch.setattr(live, "read_settings", broken)
    assert live.settings_problem().startswith(".env is a folder.")
