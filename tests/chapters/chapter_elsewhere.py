"""A chapter that follows .env, run with a .env that names the second tenant. Part of .ci/run.

Plain `pytest` passes it by: it takes as long as fifty other tests, and tests/tools/second_tenant_run.py runs all
chapters so. What this one asks besides is that the guard recognises the outputs of every single cell.
"""

import json

import live
import nbformat
import outputs_guard
from chapters import CHAPTERS, code_cells, known, read
from cryptography import x509
from second_tenant import SecondTenant
from workbook import PASSPHRASE
from workbook.keys import practice_pair

[LOAD_USERS] = [chapter for chapter in CHAPTERS if chapter.stem.startswith("06")]


def test_loading_users_reads_the_same_on_another_tenant_and_the_guard_knows_its_people(tmp_path):
    notebook, stored, pair = read(LOAD_USERS), known(LOAD_USERS), practice_pair()
    certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
    with SecondTenant(certificate, size=1000, latency=0.005) as tenant:
        settings = tenant.network() | tenant.settings(pair.pfx_path.as_posix(), PASSPHRASE)
        found = live.run_and_compare(notebook, stored, live.live_environment(tmp_path, "06") | settings)
    assert found == []
    recognised = {line.split(":")[0] for line in outputs_guard.foreign(json.loads(nbformat.writes(notebook)))}
    assert {f"cell {cell.id}" for cell in code_cells(notebook)} <= recognised  # counts and charts as well: by the mark
