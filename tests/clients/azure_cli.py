"""The real Azure CLI against the practice tenant; no part of plain `pytest`, because it is installed for itself.

.ci/run does this:

    python3 -m venv FOLDER && FOLDER/bin/pip install -r tests/requirements-azure-cli.txt
    AZ=FOLDER/bin/az pytest tests/clients/azure_cli.py

Nothing of it touches the settings of an Azure CLI that is in use on this machine: AZURE_CONFIG_DIR is a folder of the
test's own.
"""

import json
import os
import subprocess
import threading
import time

import forge
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from practice import CERTIFICATE, PATIENCE, running, write_certificate

GRAPH = "00000003-0000-0000-c000-000000000000"
USER_READ_ALL = "df021288-bdef-4463-88db-98f22de89214"
ADMINISTRATOR = "bb9f10bc-cf35-4584-9795-4220d3e03593"


class AzureCli:
    """Azure CLI with a folder of its own, registered with the practice tenant as its cloud."""

    def __init__(self, tenant, folder) -> None:
        self.tenant = tenant
        self.folder = folder
        self.graph = tenant.origin
        self._environment = os.environ | {
            "AZURE_CONFIG_DIR": str(folder / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_ONLY_SHOW_ERRORS": "true",
            "REQUESTS_CA_BUNDLE": tenant.facts["ca_certificate"],
            "NO_PROXY": "127.0.0.1,localhost",
        }
        # `az rest` tells by the address which service is meant: Resource Manager gets the tenant's other name.
        manager = tenant.origin.replace("127.0.0.1", "localhost")
        self(
            "cloud", "register", "--name", "practice", "--skip-endpoint-discovery",
            "--endpoint-active-directory", tenant.origin,
            "--endpoint-active-directory-resource-id", "https://management.core.windows.net/",
            "--endpoint-active-directory-graph-resource-id", "https://graph.windows.net/",
            "--endpoint-management", "https://management.core.windows.net/",
            "--endpoint-microsoft-graph-resource-id", f"{tenant.origin}/",
            "--endpoint-resource-manager", f"{manager}/",
        )  # fmt: skip
        self("cloud", "set", "--name", "practice")

    def start(self, *arguments: str) -> subprocess.Popen:
        command = [os.environ["AZ"], *arguments, "--output", "json"]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env=self._environment, cwd=self.folder, encoding="utf-8", **pipes)

    def __call__(self, *arguments: str):
        """Run a command that must succeed, and hand back what it answered."""
        with self.start(*arguments) as process:
            out, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, f"az {' '.join(arguments)}: {error}"
        return json.loads(out) if out.strip() else None

    def login_with_certificate(self, client_id: str, pem) -> dict:
        [account] = self(
            "login", "--service-principal", "--username", client_id, "--certificate", str(pem),
            "--tenant", self.tenant.facts["tenant_id"], "--allow-no-subscriptions",
        )  # fmt: skip
        return account

    def login_with_device_code(self) -> dict:
        """The administrator approves as soon as the tenant has given out a code."""
        tenant = ("--tenant", self.tenant.facts["tenant_id"])
        with self.start("login", "--use-device-code", *tenant, "--allow-no-subscriptions", "--verbose") as process:
            said = []
            reader = threading.Thread(target=lambda: said.extend(process.stderr))
            reader.start()
            deadline = time.monotonic() + PATIENCE
            while not (codes := [line for line in said if "enter the code" in line]):
                assert process.poll() is None and time.monotonic() < deadline, "".join(said)
                time.sleep(0.05)
            user_code = codes[0].split("enter the code ")[1].split()[0]
            self.tenant.control("sign-in", {"user_code": user_code})
            out = process.stdout.read()
            reader.join(PATIENCE)
        assert process.returncode == 0, "".join(said)
        [account] = json.loads(out)
        return account


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """Key and certificate in one file, as `az login --certificate` wants it."""
    path = tmp_path_factory.mktemp("keys") / "key_and_certificate.pem"
    key = forge.private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key + CERTIFICATE.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def az(tmp_path):
    certificate = write_certificate(tmp_path)
    with running("--certificate", str(certificate)) as tenant:
        yield AzureCli(tenant, tmp_path)


def test_the_daemon_signs_in_with_its_certificate_and_reads_everybody(az, pem):
    account = az.login_with_certificate(az.tenant.facts["client_id"], pem)
    assert account["user"] == {"name": az.tenant.facts["client_id"], "type": "servicePrincipal"}
    assert len(az("ad", "user", "list")) == 254


def test_an_administrator_registers_a_daemon_consents_and_the_daemon_reads(az, pem):
    account = az.login_with_device_code()
    assert account["user"] == {"name": "adm-robert.kowalczyk@contoso.onmicrosoft.example", "type": "user"}
    app_id = az("ad", "app", "create", "--display-name", "payroll", "--sign-in-audience", "AzureADMyOrg")["appId"]
    for number in ("first", "second"):  # --append keeps what is there
        certificate = forge.certificate(forge.private_key(number))
        file = write_certificate(az.folder, certificate, f"{number}.crt")
        az("ad", "app", "credential", "reset", "--id", app_id, "--cert", f"@{file}", "--append")
    own = write_certificate(az.folder)
    az("ad", "app", "credential", "reset", "--id", app_id, "--cert", f"@{own}", "--append")
    assert len(az("ad", "app", "credential", "list", "--id", app_id, "--cert")) == 3
    principal = az("ad", "sp", "create", "--id", app_id)
    az("ad", "app", "permission", "add", "--id", app_id, "--api", GRAPH, "--api-permissions", f"{USER_READ_ALL}=Role")
    [wanted] = az("ad", "app", "permission", "list", "--id", app_id)
    assert wanted["resourceAccess"] == [{"id": USER_READ_ALL, "type": "Role"}]
    graph = az("ad", "sp", "show", "--id", GRAPH)
    consent = {"principalId": principal["id"], "resourceId": graph["id"], "appRoleId": USER_READ_ALL}
    url = f"{az.graph}/v1.0/servicePrincipals/{graph['id']}/appRoleAssignedTo"
    granted = az("rest", "--method", "POST", "--url", url, "--body", json.dumps(consent))
    assert granted["principalDisplayName"] == "payroll"
    assert az("rest", "--url", f"{az.graph}/v1.0/me")["id"] == ADMINISTRATOR
    az("logout")
    az.login_with_certificate(app_id, pem)
    assert len(az("ad", "user", "list")) == 254


def test_owners_delegated_consent_and_federated_credentials(az):
    az.login_with_device_code()
    app = az("ad", "app", "create", "--display-name", "tool")
    az("ad", "sp", "create", "--id", app["appId"])
    az("ad", "app", "owner", "add", "--id", app["appId"], "--owner-object-id", ADMINISTRATOR)
    assert [owner["id"] for owner in az("ad", "app", "owner", "list", "--id", app["appId"])] == [ADMINISTRATOR]
    assert [own["id"] for own in az("ad", "app", "list", "--show-mine")] == [app["id"]]
    az("ad", "app", "owner", "remove", "--id", app["appId"], "--owner-object-id", ADMINISTRATOR)
    assert az("ad", "app", "owner", "list", "--id", app["appId"]) == []
    az("ad", "app", "permission", "grant", "--id", app["appId"], "--api", GRAPH, "--scope", "User.Read")
    [grant] = az("ad", "app", "permission", "list-grants", "--id", app["appId"])
    assert (grant["scope"], grant["consentType"]) == ("User.Read", "AllPrincipals")
    nightly = {
        "name": "nightly",
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:contoso/reports:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"],
    }
    federated = ("ad", "app", "federated-credential")
    az(*federated, "create", "--id", app["appId"], "--parameters", json.dumps(nightly))
    changed = {name: value for name, value in nightly.items() if name != "name"} | {"description": "the report"}
    named = ("--id", app["appId"], "--federated-credential-id", "nightly")
    az(*federated, "update", *named, "--parameters", json.dumps(changed))
    [credential] = az(*federated, "list", "--id", app["appId"])
    assert credential["description"] == "the report"
    az(*federated, "delete", *named)
    assert az(*federated, "list", "--id", app["appId"]) == []
