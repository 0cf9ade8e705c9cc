"""MSAL for Node and @azure/identity against the practice tenant; no part of plain `pytest`, because they need Node.

.ci/run does this:

    npm install --prefix FOLDER (with tests/clients/node/package.json in it)
    NODE_PATH=FOLDER/node_modules pytest tests/clients/node_clients.py
"""

import json
import os
import subprocess
import uuid
from pathlib import Path

import forge
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from practice import CERTIFICATE, PATIENCE, running, write_certificate

SCRIPT = Path(__file__).parent / "node" / "sign_in.cjs"


@pytest.fixture
def pem(tmp_path):
    """Key and certificate in one file."""
    path = tmp_path / "key_and_certificate.pem"
    key = forge.private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key + CERTIFICATE.public_bytes(Encoding.PEM))
    return path


def test_msal_and_azure_identity_sign_in_by_certificate_and_count_the_users(tmp_path, pem):
    correlation_id = str(uuid.uuid4())
    with running("--certificate", str(write_certificate(tmp_path))) as tenant:
        asked = {name: tenant.facts[name] for name in ("client_id", "tenant_id", "authority", "graph_endpoint")} | {
            "thumbprint": forge.thumbprints(CERTIFICATE)[1].hex(),
            "pem": str(pem),
            "correlation_id": correlation_id,
        }
        trusting = os.environ | {"NODE_EXTRA_CA_CERTS": tenant.facts["ca_certificate"], "NO_PROXY": "127.0.0.1"}
        run = subprocess.run(
            ["node", str(SCRIPT)], input=json.dumps(asked), env=trusting, capture_output=True, encoding="utf-8",
            timeout=3 * PATIENCE, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert json.loads(run.stdout) == {"users": {"msal": 254, "identity": 254}, "fromCache": True}
        asked_for = [one for one in tenant.control("requests")["requests"] if one["path"].endswith("/token")]
    assert [one["status"] for one in asked_for] == [200, 200]
    assert correlation_id in asked_for[0]["query"]  # MSAL for Node writes its id there
