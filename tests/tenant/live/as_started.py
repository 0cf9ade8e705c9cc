"""`pytest --live` as a maintainer starts it: without a tenant, and with the second one. Part of .ci/run."""

import os
import subprocess
import sys

import live
import pytest
from chapters import ROOT
from comparing import row_of
from cryptography import x509
from second_tenant import SecondTenant
from workbook import PASSPHRASE
from workbook.keys import practice_pair

# A maintainer may have a .env: the first test must not ask that tenant.
WITHOUT_ENV = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    import live
    live.read_settings = dict
"""


def run_live(tmp_path, environment, *arguments):
    """`pytest --live` with these settings and without what .env says."""
    (tmp_path / "without_env.py").write_text(WITHOUT_ENV, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name != "WORKBOOK_TENANT"}
    paths = os.pathsep.join([str(tmp_path), kept["PYTHONPATH"]])
    plugin = [] if environment else ["-p", "without_env"]
    command = [sys.executable, "-m", "pytest", "--live", "-p", "no:cacheprovider", *plugin, *arguments]
    everything = kept | environment | {"PYTHONPATH": paths}
    return subprocess.run(command, cwd=ROOT, env=everything, capture_output=True, encoding="utf-8", check=False)


def test_without_settings_it_says_so_in_one_sentence_and_does_not_pass(tmp_path):
    done = run_live(tmp_path, {})
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.strip() == f"ERROR: {live.NO_CREDENTIALS}"
    assert done.stdout.strip() == ""


def test_it_asks_the_tenant_of_the_settings_and_prints_what_to_paste(tmp_path):
    pair = practice_pair()
    certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
    with SecondTenant(certificate, throttle_after=None) as tenant:
        settings = tenant.network() | tenant.settings(pair.pfx_path.as_posix(), PASSPHRASE)
        done = run_live(tmp_path, settings, "-k", "00_start or eleven or skip")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 3 passed" in done.stdout
    assert "Ready to paste into an issue" in done.stdout
    assert f"**{row_of('The default eleven')}**" in done.stdout
    assert tenant.tenant_id not in done.stdout
    assert tenant.directory.users[0]["surname"] not in done.stdout
