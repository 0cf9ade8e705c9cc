"""env.sample, filled in, read by azure-identity itself; no part of plain `pytest`, which needs no network to prepare.

.ci/run does this:

    pip install --no-deps --target FOLDER -r tests/requirements-optional.txt
    PYTHONPATH=FOLDER pytest tests/bench/azure_identity.py
"""

import re

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import EnvironmentCredential
from chapters import ROOT
from dotenv import dotenv_values
from workbook import keys
from workbook.practice import PracticeTenant
from workbook.settings import OPTIONAL, REQUIRED, read_env_file, real_tenant

SCOPE = "https://graph.microsoft.com/.default"


@pytest.fixture
def tenant():
    one = PracticeTenant([f"--certificate={keys.practice_pair().certificate_path}", "--secret=practice-secret"])
    yield one
    one.close()


def filled_in(values):
    """A copy of env.sample with these settings; an optional line that is filled in has lost its #."""
    text = (ROOT / "env.sample").read_text(encoding="utf-8")
    for name, value in values.items():
        text, found = re.subn(rf"^#?{name}=$", f"{name}='{value}'", text, flags=re.MULTILINE)
        assert found == 1, name
    return text


def credential_from(text, tenant, folder, monkeypatch):
    """EnvironmentCredential with the variables that the file sets, and nothing else of its kind."""
    (folder / ".env").write_text(text, encoding="utf-8")
    for name in (*REQUIRED, *OPTIONAL):
        monkeypatch.delenv(name, raising=False)
    for name, value in dotenv_values(folder / ".env", interpolate=False).items():
        monkeypatch.setenv(name, value or "")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return EnvironmentCredential(connection_verify=tenant.ca_certificate, disable_instance_discovery=True)


def named(tenant, **more):
    host = tenant.authority.removesuffix(f"/{tenant.tenant_id}")
    ids = {"AZURE_TENANT_ID": tenant.tenant_id, "AZURE_CLIENT_ID": tenant.client_id}
    return ids | {"AZURE_AUTHORITY_HOST": host} | more


def test_a_certificate_with_its_password(tenant, tmp_path, monkeypatch):
    pair = keys.practice_pair()
    path = {"AZURE_CLIENT_CERTIFICATE_PATH": pair.pfx_path, "AZURE_CLIENT_CERTIFICATE_PASSWORD": str(pair.passphrase)}
    text = filled_in(named(tenant, **path))
    credential = credential_from(text, tenant, tmp_path, monkeypatch)
    assert credential.get_token(SCOPE).token.count(".") == 2
    assert real_tenant(read_env_file(tmp_path), tmp_path).client_id == tenant.client_id


def test_a_certificate_without_a_password(tenant, tmp_path, monkeypatch):
    pair = keys.practice_pair()
    (tmp_path / "both.pem").write_text(pair.private_key + pair.certificate, encoding="ascii")
    text = filled_in(named(tenant, AZURE_CLIENT_CERTIFICATE_PATH=tmp_path / "both.pem"))
    credential = credential_from(text, tenant, tmp_path, monkeypatch)
    assert credential.get_token(SCOPE).token.count(".") == 2


def test_a_client_secret(tenant, tmp_path, monkeypatch):
    credential = credential_from(
        filled_in(named(tenant, AZURE_CLIENT_SECRET="practice-secret")), tenant, tmp_path, monkeypatch
    )
    assert credential.get_token(SCOPE).token.count(".") == 2
    assert real_tenant(read_env_file(tmp_path), tmp_path).client_secret == "practice-secret"


def test_why_the_optional_lines_are_commented_out(tenant, tmp_path, monkeypatch):
    """An empty secret is a set one to azure-identity, and goes before the certificate."""
    pair = keys.practice_pair()
    path = {"AZURE_CLIENT_CERTIFICATE_PATH": pair.pfx_path, "AZURE_CLIENT_CERTIFICATE_PASSWORD": str(pair.passphrase)}
    text = filled_in(named(tenant, **path))
    text = text.replace("#AZURE_CLIENT_SECRET=", "AZURE_CLIENT_SECRET=")
    with pytest.raises((ClientAuthenticationError, ValueError)):
        credential_from(text, tenant, tmp_path, monkeypatch).get_token(SCOPE)
