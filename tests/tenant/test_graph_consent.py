"""Delegated permission grants, owners, federated identity credentials, and the permissions Graph offers.

Sources: graph docs oauth2permissiongrant-*.md, application-*-owners.md, serviceprincipal-*-owners.md,
federatedidentitycredential-*.md; Microsoft Graph permissions reference.
"""

import re

import pytest
from practice import fresh
from practice_tenant.directory.graph_permissions import APP_ROLES, SCOPES
from practice_tenant.directory.well_known import ADMINISTRATOR, APP_OBJECT_ID, SERVICE_PRINCIPAL_ID

APPS = ("Application.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All", "User.Read.All")
COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
UNKNOWN = "11111111-2222-4333-8444-555555555555"
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Administrator:
    """The practice administrator, signed in with delegated permissions."""

    def __init__(self, *scopes: str) -> None:
        self.practice = fresh()
        self.token = self.practice.token(scopes=scopes or APPS)
        self.oid = self.practice.claims(self.token)["oid"]
        self.graph = self.practice.graph_principal

    def call(self, method, path, value=None):
        return self.practice.call(method, f"/v1.0{path}", value, self.token)

    def get(self, path):
        return self.practice.get(f"/v1.0{path}", self.token)

    def grant(self, **changes):
        body = {
            "clientId": SERVICE_PRINCIPAL_ID,
            "consentType": "AllPrincipals",
            "principalId": None,
            "resourceId": self.graph["id"],
            "scope": "User.Read.All Group.Read.All",
        }
        given = {name: value for name, value in (body | changes).items() if value is not ...}
        return self.call("POST", "/oauth2PermissionGrants", given)


@pytest.fixture
def admin():
    return Administrator()


# --- permissions ------------------------------------------------------------------------------------------------


def test_graph_lists_its_permissions_with_names_and_descriptions_for_people(admin):
    graph = admin.get("/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')").json
    [role] = [one for one in graph["appRoles"] if one["value"] == "User.Read.All"]
    assert role == {
        "allowedMemberTypes": ["Application"],
        "description": "Allows the app to read user profiles without a signed in user.",
        "displayName": "Read all users' full profiles",
        "id": "df021288-bdef-4463-88db-98f22de89214",
        "isEnabled": True,
        "origin": "Application",
        "value": "User.Read.All",
    }
    [scope] = [one for one in graph["oauth2PermissionScopes"] if one["value"] == "User.Read"]
    assert scope["id"] == "e1fe6dd8-ba31-4d61-89e7-88639da4683d"
    assert (scope["type"], scope["adminConsentDisplayName"]) == ("User", "Sign in and read user profile")
    assert scope["userConsentDisplayName"] == "Sign you in and read your profile"


def test_every_permission_has_an_id_and_a_name_of_its_own():
    every = (*APP_ROLES, *SCOPES)
    assert len({one.id for one in every}) == len(every)
    assert all(GUID.fullmatch(one.id) and one.name.strip() and one.description.strip() for one in every)
    assert len({one.value for one in APP_ROLES}) == len(APP_ROLES)
    assert len({one.value for one in SCOPES}) == len(SCOPES)
    assert {one.type for one in SCOPES} == {"Admin", "User"}


# --- delegated permission grants --------------------------------------------------------------------------------


def test_a_grant_is_created_read_changed_and_deleted(admin):
    created = admin.grant()
    assert created.status == 201
    grant = {name: value for name, value in created.json.items() if name != "@odata.context"}
    assert list(grant) == ["clientId", "consentType", "id", "principalId", "resourceId", "scope"]
    address = f"/oauth2PermissionGrants/{grant['id']}"
    assert admin.get("/oauth2PermissionGrants").json["value"] == [grant]
    assert admin.get(f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}/oauth2PermissionGrants").json["value"] == [grant]
    assert admin.get(f"/servicePrincipals/{admin.graph['id']}/oauth2PermissionGrants").json["value"] == []
    assert admin.call("PATCH", address, {"scope": "User.Read"}).status == 204
    assert admin.get(address).json["scope"] == "User.Read"
    assert admin.call("DELETE", address).status == 204
    assert admin.get(address).status == 404
    assert admin.get("/oauth2PermissionGrants").json["value"] == []


def test_grants_are_found_by_client_resource_kind_and_person(admin):
    admin.grant()
    admin.grant(consentType="Principal", principalId=ADMINISTRATOR.id, scope="User.Read")
    for condition, expected in {
        f"clientId eq '{SERVICE_PRINCIPAL_ID}'": 2,
        f"clientId eq '{SERVICE_PRINCIPAL_ID}' and consentType eq 'AllPrincipals'": 1,
        f"principalId eq '{ADMINISTRATOR.id}'": 1,
        f"resourceId eq '{admin.graph['id']}' and consentType eq 'Principal'": 1,
        f"clientId eq '{UNKNOWN}'": 0,
    }.items():
        found = admin.get(f"/oauth2PermissionGrants?$filter={condition.replace(' ', '%20')}").json["value"]
        assert len(found) == expected, condition
    own = admin.get(f"/users/{ADMINISTRATOR.id}/oauth2PermissionGrants").json["value"]
    assert [grant["scope"] for grant in own] == ["User.Read"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"clientId": ...}, 400),
        ({"clientId": UNKNOWN}, 404),
        ({"resourceId": ...}, 400),
        ({"resourceId": UNKNOWN}, 404),
        ({"consentType": ...}, 400),
        ({"consentType": "Everybody"}, 400),
        ({"principalId": ADMINISTRATOR.id}, 400),
        ({"consentType": "Principal"}, 400),
        ({"consentType": "Principal", "principalId": UNKNOWN}, 404),
        ({"scope": ["User.Read"]}, 400),
        ({"colour": "blue"}, 400),
    ],
)
def test_a_grant_is_refused(admin, changes, status):
    assert admin.grant(**changes).status == status
    assert admin.get("/oauth2PermissionGrants").json["value"] == []


def test_a_second_grant_for_the_same_pair_is_refused(admin):
    admin.grant()
    twin = admin.grant(scope="User.Read")
    assert (twin.status, twin.json["error"]["message"]) == (400, "Permission entry already exists.")


def test_grants_need_their_own_permission():
    developer = Administrator("Application.ReadWrite.All")
    assert developer.grant().status == 403
    reader = Administrator("Directory.Read.All")
    assert reader.grant().status == 403
    assert reader.get("/oauth2PermissionGrants").status == 200


def test_a_grant_goes_with_its_service_principal(admin):
    grant = admin.grant().json
    admin.call("DELETE", f"/applications/{APP_OBJECT_ID}")
    assert admin.get(f"/oauth2PermissionGrants/{grant['id']}").status == 404
    assert admin.call("POST", f"/directory/deletedItems/{APP_OBJECT_ID}/restore").status == 200
    assert admin.get(f"/oauth2PermissionGrants/{grant['id']}").status == 200


def test_consent_by_device_code_is_a_grant_and_ends_with_it():
    admin = Administrator("DelegatedPermissionGrant.ReadWrite.All", "Application.Read.All")
    practice = admin.practice
    assert ask(practice, "User.Read.All openid").status == 200
    [grant] = admin.get("/oauth2PermissionGrants").json["value"]
    assert (grant["scope"], grant["consentType"]) == ("User.Read.All", "AllPrincipals")
    principal = admin.get(f"/servicePrincipals/{grant['clientId']}").json
    assert (principal["appId"], principal["displayName"]) == (COMMAND_LINE_TOOLS, "Microsoft Graph Command Line Tools")
    refresh_token = ask(practice, "User.Read offline_access").json["refresh_token"]
    refresh = {"grant_type": "refresh_token", "client_id": COMMAND_LINE_TOOLS, "refresh_token": refresh_token}
    assert practice.form(refresh | {"scope": "User.Read.All"}).status == 200
    admin.call("DELETE", f"/oauth2PermissionGrants/{grant['id']}")
    assert practice.form(refresh | {"scope": "User.Read.All"}).json["error_codes"] == [65001]


def test_a_grant_counts_in_the_next_token_of_the_person_it_is_for():
    """What the portal's consent button does: the app asks for ``.default`` and gets what was granted."""
    admin = Administrator()
    app = admin.call("POST", "/applications", {"displayName": "tool", "isFallbackPublicClient": True}).json
    principal = admin.call("POST", "/servicePrincipals", {"appId": app["appId"]}).json
    admin.grant(clientId=principal["id"], scope="Group.Read.All")
    admin.grant(
        clientId=principal["id"], consentType="Principal", principalId=ADMINISTRATOR.id, scope="Application.Read.All"
    )
    granted = ask(admin.practice, "https://graph.microsoft.com/.default", app["appId"]).json
    claims = admin.practice.claims(granted["access_token"])
    assert claims["scp"].split() == ["Application.Read.All", "Group.Read.All", "User.Read"]


def ask(practice, scope, client_id=COMMAND_LINE_TOOLS):
    """Sign the administrator in by device code, with their consent."""
    codes = practice.form({"client_id": client_id, "scope": scope}, endpoint="oauth2/v2.0/devicecode").json
    practice.control("sign-in", {"user_code": codes["user_code"]})
    fields = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": codes["device_code"]}
    return practice.form(fields | {"client_id": client_id})


# --- owners -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "owned", [f"/applications/{APP_OBJECT_ID}", f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}"], ids=["app", "principal"]
)
def test_owners_are_people_and_service_principals(admin, owned):
    assert admin.get(f"{owned}/owners").json["value"] == []
    for owner_id in (ADMINISTRATOR.id, SERVICE_PRINCIPAL_ID):
        reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{owner_id}"}
        assert admin.call("POST", f"{owned}/owners/$ref", reference).status == 204
    owners = {one["id"]: one["@odata.type"] for one in admin.get(f"{owned}/owners").json["value"]}
    assert owners == {
        ADMINISTRATOR.id: "#microsoft.graph.user",
        SERVICE_PRINCIPAL_ID: "#microsoft.graph.servicePrincipal",
    }
    twice = admin.call("POST", f"{owned}/owners/$ref", reference)
    assert (twice.status, twice.json["error"]["code"]) == (400, "Request_BadRequest")
    assert "already exist" in twice.json["error"]["message"]
    assert admin.call("DELETE", f"{owned}/owners/{ADMINISTRATOR.id}/$ref").status == 204
    assert [one["id"] for one in admin.get(f"{owned}/owners?$select=id").json["value"]] == [SERVICE_PRINCIPAL_ID]
    assert admin.call("DELETE", f"{owned}/owners/{ADMINISTRATOR.id}/$ref").status == 404


def test_i_see_what_i_own(admin):
    developer = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{admin.oid}"}
    assert admin.get("/me/ownedObjects").json["value"] == []
    for owned in (f"/applications/{APP_OBJECT_ID}", f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}"):
        admin.call("POST", f"{owned}/owners/$ref", developer)
    found = admin.get("/me/ownedObjects?$select=id,displayName,publisherDomain").json["value"]
    assert found == [
        {"@odata.type": "#microsoft.graph.application", "id": APP_OBJECT_ID, "displayName": "daemon-console",
         "publisherDomain": "contoso.example"},
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": SERVICE_PRINCIPAL_ID,
         "displayName": "daemon-console"},
    ]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), [({}, 400), ({"@odata.id": 7}, 400), ({"@odata.id": UNKNOWN}, 404)])
def test_an_owner_is_refused(admin, body, status):
    assert admin.call("POST", f"/applications/{APP_OBJECT_ID}/owners/$ref", body).status == status


# --- federated identity credentials -----------------------------------------------------------------------------

CREDENTIALS = f"/applications/{APP_OBJECT_ID}/federatedIdentityCredentials"
GITHUB = {
    "name": "nightly",
    "issuer": "https://token.actions.githubusercontent.com",
    "subject": "repo:contoso/reports:ref:refs/heads/main",
    "audiences": ["api://AzureADTokenExchange"],
}


def test_a_federated_credential_is_created_read_changed_and_deleted(admin):
    created = admin.call("POST", CREDENTIALS, GITHUB)
    assert created.status == 201
    assert list(created.json)[1:] == ["id", "name", "issuer", "subject", "description", "audiences"]
    [listed] = admin.get(CREDENTIALS).json["value"]
    assert listed == {name: value for name, value in created.json.items() if name != "@odata.context"}
    assert admin.get(f"{CREDENTIALS}/nightly").json["id"] == listed["id"]
    assert admin.call("PATCH", f"{CREDENTIALS}/{listed['id']}", {"description": "the report"}).status == 204
    assert admin.get(f"{CREDENTIALS}(name='nightly')").json["description"] == "the report"
    assert admin.call("DELETE", f"{CREDENTIALS}/{listed['id']}").status == 204
    assert admin.get(CREDENTIALS).json["value"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"name": None},
        {"name": "two words"},
        {"issuer": None},
        {"subject": "x" * 601},
        {"audiences": []},
        {"audiences": ["a", "b"]},
        {"colour": "blue"},
    ],
    ids=str,
)
def test_a_federated_credential_is_refused(admin, changes):
    assert admin.call("POST", CREDENTIALS, GITHUB | changes).status == 400
    assert admin.get(CREDENTIALS).json["value"] == []


def test_names_and_subjects_of_federated_credentials_are_one_of_a_kind_and_there_are_twenty(admin):
    for number in range(20):
        one = GITHUB | {"name": f"nightly{number}", "subject": f"subject {number}"}
        assert admin.call("POST", CREDENTIALS, one).status == 201
    assert admin.call("POST", CREDENTIALS, GITHUB).status == 400
    first = admin.get(f"{CREDENTIALS}/nightly0").json["id"]
    assert admin.call("DELETE", f"{CREDENTIALS}/{first}").status == 204
    assert admin.call("POST", CREDENTIALS, GITHUB | {"name": "nightly1"}).status == 400
    assert admin.call("POST", CREDENTIALS, GITHUB | {"subject": "subject 1"}).status == 400
    assert admin.call("POST", CREDENTIALS, GITHUB).status == 201
