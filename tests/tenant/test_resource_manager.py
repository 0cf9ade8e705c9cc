"""What Azure CLI asks Azure Resource Manager for, and the names under which it asks for tokens."""

import pytest
from practice import ORIGIN, fresh
from practice_tenant.directory.well_known import AZURE_CLI

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
MANAGEMENT = "https://management.core.windows.net//.default"


@pytest.fixture
def practice():
    return fresh()


def management_token(practice) -> str:
    return practice.ask_token({"scope": MANAGEMENT}).json["access_token"]


def signed_in(practice, scope: str) -> dict:
    """What the administrator's sign-in gives to Azure CLI."""
    client = {"client_id": AZURE_CLI.id}
    codes = practice.form(client | {"scope": scope}, endpoint="oauth2/v2.0/devicecode").json
    practice.control("sign-in", {"user_code": codes["user_code"]})
    return practice.form(client | {"grant_type": DEVICE_GRANT, "device_code": codes["device_code"]}).json


def test_there_is_one_tenant_and_no_subscription(practice):
    token = management_token(practice)
    assert practice.get("/subscriptions?api-version=2022-12-01", token).json == {"value": []}
    [tenant] = practice.get("/tenants?api-version=2022-12-01", token).json["value"]
    assert (tenant["tenantId"], tenant["displayName"]) == (practice.tenant.id, practice.tenant.name)
    assert practice.control("requests", method="GET").json["requests"][-1]["party"] == "resource-manager"


def test_resource_manager_wants_a_token_of_its_own(practice):
    for token, code in ((None, "AuthenticationFailed"), ("abc", "InvalidAuthenticationToken")):
        refused = practice.get("/subscriptions", token)
        assert (refused.status, refused.json["error"]["code"]) == (401, code)
    refused = practice.get("/subscriptions")
    assert (refused.status, refused.json["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")
    assert "'https://graph.microsoft.com'" in refused.json["error"]["message"]
    assert practice.get("/v1.0/users", management_token(practice)).status == 401


def test_resource_manager_is_only_read(practice):
    refused = practice.call("POST", "/subscriptions", {}, management_token(practice))
    assert (refused.status, refused.json["error"]["code"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(
    "name", [ORIGIN, f"{ORIGIN}/", ORIGIN.replace("127.0.0.1", "localhost")], ids=["bare", "with a slash", "localhost"]
)
def test_the_tenants_own_address_is_a_name_of_graph(practice, name):
    token = practice.ask_token({"scope": f"{name}/.default"}).json["access_token"]
    assert practice.claims(token)["aud"].startswith("https://graph.microsoft.com")
    assert practice.get("/v1.0/users", token).status == 200
    person = signed_in(practice, f"{name}/.default")
    assert practice.get("/v1.0/me", person["access_token"]).status == 200


def test_another_address_is_no_name_of_graph(practice):
    refused = practice.ask_token({"scope": "https://127.0.0.2/.default"})
    assert refused.json["error_codes"] == [500011]


def test_azure_cli_has_what_microsoft_agreed_to_and_nobody_consented_to(practice):
    """The permissions are those that its tokens show in public captures."""
    person = signed_in(practice, f"{MANAGEMENT} offline_access")
    claims = practice.claims(person["access_token"])
    assert (claims["aud"], claims["scp"]) == ("https://management.core.windows.net/", "user_impersonation")
    assert practice.get("/subscriptions", person["access_token"]).json == {"value": []}
    refresh = {"grant_type": "refresh_token", "client_id": AZURE_CLI.id, "refresh_token": person["refresh_token"]}
    graph = practice.form(refresh | {"scope": "https://graph.microsoft.com/.default"}).json
    assert practice.claims(graph["access_token"])["scp"] == (
        "Application.ReadWrite.All AppRoleAssignment.ReadWrite.All AuditLog.Read.All "
        "DelegatedPermissionGrant.ReadWrite.All Directory.AccessAsUser.All Group.ReadWrite.All User.Read.All "
        "User.ReadWrite.All"
    )
    assert practice.tenant.grants == {}
    assert practice.tenant.service_principal(AZURE_CLI.id) is None


def test_no_other_client_gets_a_persons_token_for_resource_manager(practice):
    tools = {"client_id": "14d82eec-204b-4c2f-b7e8-296a70dab67e", "scope": MANAGEMENT}
    assert practice.form(tools, endpoint="oauth2/v2.0/devicecode").json["error_codes"] == [70011]
