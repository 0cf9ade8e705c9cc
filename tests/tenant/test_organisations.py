"""Several organisations on one machine, and an app that is registered in one and used in others.

Sources: entra docs app-objects-and-service-principals.md, howto-convert-app-to-be-multi-tenant.md, v2-admin-consent.md;
Microsoft365DSC#3390 for the service principal of an app that is not to be had.
"""

import base64
import json
import re
import uuid

import forge
import msal
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from practice import CERTIFICATE, DER, GRAPH_SCOPE, Practice, running
from practice_tenant import __main__ as command_line
from practice_tenant.directory.administrators import EVERYBODY_WHO_ACTS
from practice_tenant.directory.made_people import load_people
from practice_tenant.directory.organisation import CONTOSO, organisation
from practice_tenant.directory.registrations import Registrations, shared_folder
from practice_tenant.directory.well_known import (
    ADMINISTRATOR,
    CLIENT_ID,
    GRAPH_APP_ID,
    GRAPH_APP_ROLES,
    GRAPH_SERVICE_PRINCIPAL_ID,
    TENANT_ID,
)
from practice_tenant.messages import Request

APPS = ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "User.Read.All")
FABRIKAM, ADATUM = organisation("fabrikam"), organisation("adatum")
SETTINGS = {"secret": None}  # a secret of an app is known at home alone


class Together:
    """Contoso, where the app is at home, and Fabrikam, where it is not, with what they know of each other."""

    def __init__(self, folder, **home):
        self.folder = folder
        settings = SETTINGS | {"multi_tenant": True} | home
        self.home = Practice(settings=settings | {"registrations": shared_folder(folder, CONTOSO.id)})
        self.away = self.tenant(FABRIKAM)

    def tenant(self, who):
        known = {"organisation": who, "registrations": shared_folder(self.folder, who.id), "certificates": ()}
        return Practice(users=20, settings=SETTINGS | known)

    def ask(self, away=None, **changes):
        """The home tenant's app asks another tenant for a token."""
        away = away or self.away
        audience = f"https://127.0.0.1:8443/{away.tenant.id}/oauth2/v2.0/token"
        claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": audience}
        return away.ask_token({"client_id": CLIENT_ID, "client_assertion": away.assertion(**claims)} | changes)

    def administrate(self, method, path, value=None, practice=None):
        """What the administrator of a tenant sends to Graph."""
        practice = practice or self.away
        person = practice.tenant.administrator
        token = practice.state.signing_key.sign(
            {
                "aud": GRAPH_APP_ID,
                "iss": f"https://sts.windows.net/{practice.tenant.id}/",
                "tid": practice.tenant.id,
                "nbf": 0,
                "exp": 2**40,
                "appid": "14d82eec-204b-4c2f-b7e8-296a70dab67e",
                "idtyp": "user",
                "oid": person.id,
                "scp": " ".join(APPS),
                "wids": list(EVERYBODY_WHO_ACTS[0].roles),
            }
        )
        return practice.call(method, f"/v1.0{path}", value, token)

    def change_at_home(self, changes):
        path = f"/applications(appId='{CLIENT_ID}')"
        reply = self.administrate("PATCH", path, changes, self.home)
        assert reply.status == 204, reply.body


@pytest.fixture
def together(tmp_path):
    return Together(tmp_path)


# --- another organisation -----------------------------------------------------------------------------------------


def test_without_a_name_the_tenant_is_contoso_as_ever():
    assert organisation("contoso") is organisation("Contoso") is CONTOSO
    assert (CONTOSO.id, CONTOSO.client_id) == (TENANT_ID, CLIENT_ID)
    assert load_people(300) == load_people(300, organisation=CONTOSO)


def test_another_name_is_another_tenant_and_the_same_every_time():
    assert organisation("Fabrikam") == FABRIKAM
    assert FABRIKAM.name == "Fabrikam Practice"
    assert (FABRIKAM.domain, FABRIKAM.initial_domain) == ("fabrikam.example", "fabrikam.onmicrosoft.example")
    ids = [
        (one.id, one.client_id, one.app_object_id, one.service_principal_id, one.id_of(GRAPH_SERVICE_PRINCIPAL_ID))
        for one in (CONTOSO, FABRIKAM, ADATUM)
    ]
    assert len({value for row in ids for value in row}) == 15
    assert all(uuid.UUID(value).version == 4 for row in ids for value in row)


def test_every_organisation_has_people_of_its_own():
    contoso, fabrikam = load_people(), load_people(organisation=FABRIKAM)
    assert fabrikam == load_people(organisation=FABRIKAM)
    assert len(fabrikam) == len(contoso) == len({user["userPrincipalName"] for user in fabrikam})
    assert {user["id"] for user in contoso}.isdisjoint(user["id"] for user in fabrikam)
    members = [user for user in fabrikam if user.get("userType") == "Member" and user.get("surname")]
    known = {user["displayName"] for user in contoso}
    assert sum(user["displayName"] in known for user in members) < len(members) / 5
    assert all(user["userPrincipalName"].rpartition("@")[2] in (FABRIKAM.domain, FABRIKAM.initial_domain)
               for user in fabrikam)  # fmt: skip


def test_a_guest_may_be_a_guest_of_several_organisations():
    guests = [
        {user["mail"] for user in load_people(organisation=one) if user.get("userType") == "Guest"}
        for one in (FABRIKAM, ADATUM)
    ]
    assert len(guests[0] & guests[1]) >= 10
    assert not any(mail.endswith("@fabrikam.example") for mail in guests[0])  # nobody is a guest at home


def test_managers_and_administrators_of_another_organisation_are_its_own():
    people = load_people(organisation=FABRIKAM)
    ids = {user["id"] for user in people}
    assert all(user["manager"] in ids for user in people if "manager" in user)
    for acting in EVERYBODY_WHO_ACTS:
        person = FABRIKAM.person(acting.person)
        [found] = [user for user in people if user["id"] == person.id]
        assert (found["displayName"], found["userPrincipalName"]) == (person.name, person.user_principal_name)


@pytest.mark.parametrize("count", [1, 20, 254, 2_000])
def test_another_organisation_has_any_size(count):
    people = load_people(count, organisation=FABRIKAM)
    assert len(people) == len({user["id"] for user in people}) == count
    assert FABRIKAM.id_of(ADMINISTRATOR.id) in {user["id"] for user in people}
    assert people == load_people(count, organisation=FABRIKAM)


def test_tokens_metadata_and_the_organization_are_the_other_tenants():
    practice = Practice(users=20, settings={"organisation": FABRIKAM}, roles=("User.Read.All", "Organization.Read.All"))
    assert practice.tenant.client_id == FABRIKAM.client_id
    claims = practice.claims(practice.token())
    assert (claims["tid"], claims["xms_tcdt"]) == (FABRIKAM.id, FABRIKAM.created)
    document = practice.get("/fabrikam.example/v2.0/.well-known/openid-configuration", token=None).json
    assert FABRIKAM.id in document["token_endpoint"]
    [shown] = practice.get("/v1.0/organization").json["value"]
    assert (shown["id"], shown["displayName"]) == (FABRIKAM.id, "Fabrikam Practice")
    assert [domain["name"] for domain in shown["verifiedDomains"]] == [
        "fabrikam.example",
        "fabrikam.onmicrosoft.example",
    ]
    assert practice.ask_token(tenant=TENANT_ID).json["error_codes"] == [90002]


def test_the_graph_of_one_tenant_refuses_the_token_of_another(together):
    together.away.control("consent", {"client_id": CLIENT_ID})
    token = together.ask().json["access_token"]
    assert together.away.get("/v1.0/users?$top=1", token).status == 200
    assert together.home.get("/v1.0/users?$top=1", token).status == 401


@pytest.mark.parametrize("name", ["", "-a", "a-", "1a", "a.b", "a b", "ä", "a" * 41, "../x"])
def test_a_name_that_no_domain_can_have_is_refused(name):
    with pytest.raises(ValueError, match="cannot be a domain's name"):
        organisation(name)


# --- an app of another tenant -------------------------------------------------------------------------------------


def test_700016_until_somebody_consents_and_then_a_token(together):
    refused = together.ask()
    assert (refused.status, refused.json["error"], refused.json["error_codes"]) == (
        400,
        "unauthorized_client",
        [700016],
    )
    assert "was not found in the directory 'Fabrikam Practice'" in refused.json["error_description"]
    assert together.administrate("POST", "/servicePrincipals", {"appId": CLIENT_ID}).status == 201
    claims = together.away.claims(together.ask().json["access_token"])
    assert (claims["tid"], claims["appid"], "roles" in claims) == (FABRIKAM.id, CLIENT_ID, False)


def test_the_service_principal_says_whose_app_it_is_and_takes_roles(together):
    principal = together.administrate("POST", "/servicePrincipals", {"appId": CLIENT_ID}).json
    assert (principal["appOwnerOrganizationId"], principal["signInAudience"]) == (TENANT_ID, "AzureADMultipleOrgs")
    assert principal["servicePrincipalNames"] == [CLIENT_ID]
    graph = together.away.tenant.graph["id"]
    body = {"principalId": principal["id"], "resourceId": graph, "appRoleId": GRAPH_APP_ROLES["User.Read.All"]}
    assert together.administrate("POST", f"/servicePrincipals/{graph}/appRoleAssignedTo", body).status == 201
    assert together.away.claims(together.ask().json["access_token"])["roles"] == ["User.Read.All"]
    assert together.administrate("GET", f"/applications(appId='{CLIENT_ID}')").status == 404  # it lives at home


def test_the_admin_consent_link_makes_both(together):
    reply = together.away.control("consent", {"client_id": CLIENT_ID.upper()})
    assert reply.json == {"client_id": CLIENT_ID, "roles": ["User.Read.All"]}
    assert together.away.control("consent", {"client_id": CLIENT_ID}).json == reply.json  # twice is once
    assert len(together.away.tenant.assignments) == 1
    assert together.away.claims(together.ask().json["access_token"])["roles"] == ["User.Read.All"]
    together.away.control("reset")
    assert together.ask().json["error_codes"] == [700016]


@pytest.mark.parametrize("client_id", ["11111111-2222-4333-8444-555555555555", "x", ADATUM.client_id])
def test_nobody_can_consent_to_an_app_that_is_not_there(together, client_id):
    assert together.away.control("consent", {"client_id": client_id}).status == 409
    assert together.away.control("consent", {}).status == 400


def test_a_single_tenant_app_is_unknown_elsewhere(tmp_path):
    together = Together(tmp_path, multi_tenant=False)
    assert together.ask().json["error_codes"] == [700016]
    status, code, message = together.administrate("POST", "/servicePrincipals", {"appId": CLIENT_ID}).error
    assert (status, code) == (400, "Request_BadRequest")
    assert message == (
        f"The appId '{CLIENT_ID}' of the service principal does not reference a valid application object."
    )
    assert together.away.control("consent", {"client_id": CLIENT_ID}).status == 409


def test_a_certificate_that_is_changed_at_home_counts_everywhere(together):
    together.away.control("consent", {"client_id": CLIENT_ID})
    assert together.ask().status == 200
    other = forge.certificate()
    key = {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": base64.b64encode(other.public_bytes(Encoding.DER)).decode(),
    }
    together.change_at_home({"keyCredentials": [key]})
    assert together.ask().json["error_codes"] == [700027]


def test_an_app_that_becomes_single_tenant_or_goes_is_unknown_elsewhere(together):
    together.away.control("consent", {"client_id": CLIENT_ID})
    together.change_at_home({"signInAudience": "AzureADMyOrg"})
    assert together.ask().json["error_codes"] == [700016]
    together.change_at_home({"signInAudience": "AzureADMultipleOrgs"})
    assert together.ask().status == 200
    path = f"/applications(appId='{CLIENT_ID}')"
    assert together.administrate("DELETE", path, practice=together.home).status == 204
    assert together.ask().json["error_codes"] == [700016]


def test_a_tenant_may_switch_an_app_of_another_tenant_off_and_throw_it_out(together):
    together.away.control("consent", {"client_id": CLIENT_ID})
    path = f"/servicePrincipals(appId='{CLIENT_ID}')"
    assert together.administrate("PATCH", path, {"accountEnabled": False}).status == 204
    assert together.ask().json["error_codes"] == [7000112]
    assert together.administrate("PATCH", path, {"displayName": "mine now"}).status == 403
    other = together.administrate("POST", path + "/addPassword", {"passwordCredential": {"displayName": "x"}})
    assert other.status == 403
    assert together.administrate("DELETE", path).status == 204
    assert together.ask().json["error_codes"] == [700016]


def test_no_secret_and_no_private_key_is_written_for_others(tmp_path):
    home = Practice(settings={"registrations": shared_folder(tmp_path, CONTOSO.id), "multi_tenant": True})
    path = f"/v1.0/applications/{home.tenant.applications.popitem()[0]}"
    assert path  # the app is there, with a secret beside its certificate
    text = (tmp_path / f"{TENANT_ID}.json").read_text(encoding="utf-8")
    [application] = json.loads(text)
    assert application["passwordCredentials"] == []
    assert "PRIVATE" not in text
    assert base64.b64encode(DER).decode() == application["keyCredentials"][0]["key"]


def test_what_is_no_registration_in_the_folder_is_nobodys(together):
    for text in ("not JSON", "{}", "[1]", '[{"appId": 1}]', "null"):
        (together.folder / "notes.json").write_text(text, encoding="utf-8")
        assert together.ask(client_id=ADATUM.client_id).json["error_codes"] == [700016]
        assert together.away.control("consent", {"client_id": ADATUM.client_id}).status == 409
    assert Registrations(together.folder / "gone", FABRIKAM.id).find(CLIENT_ID) is None


def test_a_person_signs_in_to_an_app_of_another_tenant_with_the_apps_credential(together):
    together.away.control("consent", {"client_id": CLIENT_ID})
    fields = {"client_id": CLIENT_ID, "scope": "User.Read.All"}
    begun = together.away.form(fields, endpoint="oauth2/v2.0/devicecode")
    assert begun.status == 200
    poll = {"client_id": CLIENT_ID, "grant_type": "device_code", "device_code": begun.json["device_code"]}
    assert together.away.form(poll).json["error_codes"] == [7000218]


def test_the_portal_says_where_the_app_is_registered(together):
    together.away.control("consent", {"client_id": CLIENT_ID})
    principal, state = together.away.tenant.service_principal(CLIENT_ID), together.away.state
    path = f"/{state.portal_key}/principal?id={principal['id']}"
    request = Request("GET", path, {"host": "127.0.0.1"}, b"", "http://127.0.0.1:1")
    answer = together.away.emulator.answer_portal(request).answer
    assert answer.status == 200
    assert "registered in another tenant" in answer.body.decode()
    assert "Fabrikam Practice" in answer.body.decode()


# --- as processes -------------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path):
    path = tmp_path / "server.crt"
    path.write_bytes(CERTIFICATE.public_bytes(Encoding.PEM))
    return str(path)


def ask(home, away):
    """MSAL asks one process for a token with the app of another. A new app each time: MSAL remembers a 400."""
    app = msal.ConfidentialClientApplication(
        home.facts["client_id"],
        authority=away.facts["authority"],
        client_credential={
            "private_key": forge.private_key()
            .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            .decode(),
            "public_certificate": CERTIFICATE.public_bytes(Encoding.PEM).decode(),
        },
        http_client=away.session,
        instance_discovery=False,
    )
    return app.acquire_token_for_client([GRAPH_SCOPE])


def test_two_processes_know_each_others_apps_and_leave_no_file(tmp_path, certificate):
    folder = tmp_path / "registrations"
    folder.mkdir()
    share = ("--registrations", str(folder))
    with running("--certificate", certificate, "--multi-tenant", *share) as home:
        with running("--tenant", "Fabrikam", "--users", "12", *share) as away:
            assert away.facts["tenant_id"] == FABRIKAM.id
            assert ask(home, away)["error_codes"] == [700016]
            away.control("consent", {"client_id": home.facts["client_id"]})
            assert "access_token" in ask(home, away)
        assert [path.stem for path in folder.iterdir()] == [TENANT_ID]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tenant", "a b"], "cannot be a domain's name"),
        (["--registrations", "no/such/folder"], "is no folder that can be written to"),
        (["--multi-tenant"], "give one"),
        (["--multi-tenant", "--certificate", "CERTIFICATE", "--secret", "x"], "--certificate alone"),
    ],
)
@pytest.mark.usefixtures("own_signals")
def test_options_that_do_not_fit_are_told_in_one_line(certificate, capsys, options, said):
    given = [certificate if option == "CERTIFICATE" else option for option in options]
    with pytest.raises(SystemExit) as ended:
        command_line.main(given)
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.fullmatch(rf"practice_tenant: [^\n]*{re.escape(said)}[^\n]*\n", shown.err)
