"""What the tests of graph_daemon.py share: a practice tenant, keys in every form, and the program run in a folder."""

import logging
import threading
from pathlib import Path

import forge
import graph_daemon
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from daemon_helpers import PASSWORD, USERS, connected, fast, settings
from graph_daemon import Graph
from practice import CERTIFICATE, SECRET, running, write_certificate


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> Path:
    """One key pair in every form: server.pfx, server.pem with both parts, and the two apart, some encrypted."""
    folder, key = tmp_path_factory.mktemp("keys"), forge.private_key()
    locked, crt = BestAvailableEncryption(PASSWORD.encode()), CERTIFICATE.public_bytes(Encoding.PEM)
    pem = {lock: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock) for lock in (NoEncryption(), locked)}
    plain, closed = pem.values()
    elliptic = forge.elliptic_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {
        "server.pfx": pkcs12.serialize_key_and_certificates(b"server", key, CERTIFICATE, None, locked),
        "open.pfx": pkcs12.serialize_key_and_certificates(b"server", key, CERTIFICATE, None, NoEncryption()),
        "server.pem": plain + crt,
        "locked.pem": crt + closed,
        "key.pem": plain,
        "server.crt": crt,
        "elliptic.pem": elliptic + crt,
        "empty.pem": b"",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def tenant(keys):
    """One process for all tests of the daemon."""
    certificate = ("--certificate", str(write_certificate(keys)), "--secret", SECRET)
    with running(*certificate, "--users", str(USERS), "--role", "User.ReadWrite.All") as process:
        yield process


@pytest.fixture
def practice(tenant):
    """The same process, as it was at the start."""
    tenant.control("reset")
    return tenant


@pytest.fixture(scope="session")
def everyone(tenant) -> set[str]:
    """The ids of all users, read in the plainest way."""
    ids, path = [], "/users?$select=id&$top=999"
    while path:
        page = tenant.get(path).json()
        ids += [user["id"] for user in page["value"]]
        path = page.get("@odata.nextLink", "").removeprefix(tenant.facts["graph_endpoint"])
    assert len(ids) == len(set(ids)) == USERS
    return set(ids)


@pytest.fixture
def graph(practice, keys) -> Graph:
    return connected(Graph(settings(practice)), practice)


@pytest.fixture(params=["plain", "partitions"])
def how(request, monkeypatch) -> dict:
    """Both ways to read; partitions without asking whether they pay."""
    monkeypatch.setattr(graph_daemon, "WORTH_IT", 0)
    return {"workers": 1 if request.param == "plain" else 6, "select": "id"}


@pytest.fixture
def daemon(practice, keys, tmp_path, monkeypatch, capsys, caplog):
    """Runs main() in tmp_path on environment variables: exit code, standard output, log."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", practice.facts["ca_certificate"])
    monkeypatch.setenv("AZURE_TENANT_ID", practice.facts["tenant_id"])
    monkeypatch.setenv("AZURE_CLIENT_ID", practice.facts["client_id"])
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", practice.origin)
    monkeypatch.setenv("GRAPH_ENDPOINT", practice.facts["graph_endpoint"])
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", str(keys / "server.pem"))
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", PASSWORD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(threading.Event, "wait", fast(threading.Event.wait))

    def run(*arguments: str) -> tuple[int, str, str]:
        caplog.clear()
        code = graph_daemon.main(arguments)
        said = capsys.readouterr()
        everything = said.out + said.err + caplog.text
        assert PASSWORD not in everything
        assert "eyJ" not in everything, "a token was printed"
        assert "PRIVATE KEY" not in everything
        return code, said.out, caplog.text

    caplog.set_level(logging.INFO, "graph_daemon")
    return run
