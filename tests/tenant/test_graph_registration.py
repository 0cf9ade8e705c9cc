"""Registering a daemon through Graph: applications, service principals, credentials, consent, the waste basket.

Sources: graph docs application-*.md, serviceprincipal-*.md, directory-deleteditems-*.md; azure-cli's recordings.
"""

import base64
import time
import uuid

import forge
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from practice import CERTIFICATE, ORIGIN, fresh, in_url
from practice_tenant.directory.well_known import APP_OBJECT_ID, CLIENT_ID, GRAPH_APP_ROLES, SERVICE_PRINCIPAL_ID

GRAPH = "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')"
READ_ALL = GRAPH_APP_ROLES["User.Read.All"]
UNKNOWN = "11111111-2222-4333-8444-555555555555"
NEW_KEY = forge.private_key("new")
NEW = forge.certificate(NEW_KEY)
NOTHING_THERE = "Resource '{}' does not exist or one of its queried reference-property objects are not present."
DENIED = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def base64_der(certificate) -> str:
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def key(certificate=NEW, **changes) -> dict:
    given = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": base64_der(certificate)} | changes
    return {name: value for name, value in given.items() if value is not ...}


class Administrator:
    """The practice administrator, signed in with delegated permissions."""

    def __init__(self, *scopes: str) -> None:
        self.practice = fresh(users=3)
        scopes = scopes or ("Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All")
        self.token = self.practice.token(scopes=scopes)

    def call(self, method, path, value=None):
        return self.practice.call(method, f"/v1.0{path}", value, self.token)

    def get(self, path):
        return self.practice.get(f"/v1.0{path}", self.token)

    def register(self, **more) -> dict:
        return self.call("POST", "/applications", {"displayName": "payroll", "keyCredentials": [key()]} | more).json

    def principal(self, app_id) -> dict:
        return self.call("POST", "/servicePrincipals", {"appId": app_id}).json

    def consent(self, principal_id, role=READ_ALL):
        body = {"principalId": principal_id, "resourceId": self.practice.graph_principal["id"], "appRoleId": role}
        return self.practice.call("POST", f"{GRAPH}/appRoleAssignedTo", body, self.token)

    def sign_in(self, app, private_key=NEW_KEY, certificate=NEW):
        """The new app asks for a token with its certificate."""
        claims = {"iss": app["appId"], "sub": app["appId"]}
        names = {"x5t#S256": forge.x5t_s256(certificate)}
        assertion = self.practice.assertion(private_key, names, **claims)
        return self.practice.ask_token({"client_id": app["appId"], "client_assertion": assertion})


@pytest.fixture
def admin():
    return Administrator()


# --- the whole way ----------------------------------------------------------------------------------------------


def test_a_new_app_gets_a_token_at_once_and_the_role_after_consent(admin):
    app = admin.register(signInAudience="AzureADMyOrg")
    assert admin.sign_in(app).json["error_codes"] == [7000229]
    principal = admin.principal(app["appId"])
    before = admin.sign_in(app).json["access_token"]
    assert "roles" not in admin.practice.claims(before)
    assert admin.consent(principal["id"]).status == 201
    after = admin.sign_in(app).json["access_token"]
    assert admin.practice.claims(after)["roles"] == ["User.Read.All"]
    assert admin.practice.get("/v1.0/users", before).error == DENIED, "roles are those of the minting time"
    assert admin.practice.get("/v1.0/users", after).status == 200


def test_revoking_takes_the_role_out_of_the_next_token_only(admin):
    app = admin.register()
    assignment = admin.consent(admin.principal(app["appId"])["id"]).json["id"]
    old = admin.sign_in(app).json["access_token"]
    reply = admin.practice.call("DELETE", f"{GRAPH}/appRoleAssignedTo/{assignment}", None, admin.token)
    assert (reply.status, reply.body) == (204, b"")
    assert admin.practice.get("/v1.0/users", old).status == 200
    assert "roles" not in admin.practice.claims(admin.sign_in(app).json["access_token"])


def test_a_deleted_app_is_unknown_to_entra_and_its_tokens_to_graph(admin):
    app = admin.register()
    principal = admin.principal(app["appId"])
    admin.consent(principal["id"])
    token = admin.sign_in(app).json["access_token"]
    assert admin.call("DELETE", f"/applications/{app['id']}").status == 204
    assert admin.sign_in(app).json["error_codes"] == [700016]
    assert admin.practice.get("/v1.0/users", token).error[:2] == (401, "Authorization_IdentityNotFound")
    assert admin.get(f"/servicePrincipals/{principal['id']}").status == 404


# --- applications -------------------------------------------------------------------------------------------


def test_a_created_application_looks_as_recorded(admin):
    reply = admin.call("POST", "/applications", {"displayName": "payroll", "keyCredentials": [key(displayName=None)]})
    app = reply.json
    assert reply.status == 201
    assert reply.headers["Location"] == (
        f"https://graph.microsoft.com/v2/{admin.practice.tenant.id}/directoryObjects/{app['id']}"
        "/Microsoft.DirectoryServices.Application"
    )
    assert list(app) == [
        "@odata.context", "id", "deletedDateTime", "appId", "applicationTemplateId", "disabledByMicrosoftStatus",
        "createdDateTime", "displayName", "description", "groupMembershipClaims", "identifierUris",
        "isDeviceOnlyAuthSupported", "isFallbackPublicClient", "notes", "publisherDomain",
        "serviceManagementReference", "signInAudience", "tags", "tokenEncryptionKeyId", "defaultRedirectUri",
        "certification", "optionalClaims", "addIns", "api", "appRoles", "info", "keyCredentials",
        "parentalControlSettings", "passwordCredentials", "publicClient", "requiredResourceAccess",
        "verifiedPublisher", "web", "spa",
    ]  # fmt: skip
    assert app["@odata.context"] == "https://graph.microsoft.com/v1.0/$metadata#applications/$entity"
    assert app["signInAudience"] == "AzureADandPersonalMicrosoftAccount"
    assert len(app["createdDateTime"]) == len("2022-05-07T06:56:29.0887208Z")
    [credential] = app["keyCredentials"]
    assert credential["customKeyIdentifier"] == forge.thumbprints(NEW)[0].hex().upper()
    assert (credential["key"], credential["displayName"]) == (None, "CN=daemon")
    later = admin.get(f"/applications/{app['id']}").json
    assert later["createdDateTime"] == app["createdDateTime"][:19] + "Z"


def test_applications_are_found_by_id_by_client_id_and_by_filter(admin):
    app = admin.register()
    queries = (
        f"/applications/{app['id'].upper()}",
        f"/applications(appId='{app['appId']}')",
        f"/Applications/{in_url(app['id'])}?$select=id,displayName",
    )
    assert [admin.get(query).json["id"] for query in queries] == [app["id"]] * 3
    filters = (f"appId eq '{app['appId']}'", "startswith(displayName,'PAY')", "displayName eq 'payroll'")
    for text in filters:
        assert [one["id"] for one in admin.get(f"/applications?$filter={text}").json["value"]] == [app["id"]]


def test_lists_are_paged_and_a_page_token_holds_for_its_own_query_only(admin):
    for number in range(4):
        admin.register(displayName=f"app {number}")
    first = admin.get("/applications?$top=2").json
    assert first["@odata.nextLink"].startswith(f"{ORIGIN}/v1.0/applications?$top=2&$skiptoken=")
    names, link = [], "/v1.0/applications?$top=2"
    while link:
        page = admin.practice.get(link, admin.token).json
        names += [one["displayName"] for one in page["value"]]
        link = page.get("@odata.nextLink")
    assert names == ["daemon-console", "app 0", "app 1", "app 2", "app 3"]
    other = first["@odata.nextLink"].removeprefix(f"{ORIGIN}/v1.0").replace("applications", "servicePrincipals")
    assert admin.get(other).error == (400, "Request_BadRequest", "Invalid Skip Token")


def test_a_page_neither_skips_nor_repeats_when_applications_go_in_between(admin):
    ids = [admin.register(displayName=f"app {number}")["id"] for number in range(4)]
    first = admin.get("/applications?$top=2").json
    admin.call("DELETE", f"/applications/{ids[0]}")
    rest = admin.practice.get(first["@odata.nextLink"], admin.token).json["value"]
    assert [one["displayName"] for one in rest] == ["app 1", "app 2"]


def test_count_needs_the_header(admin):
    refused = admin.get("/applications/$count").error
    assert refused[:2] == (400, "Request_UnsupportedQuery") and "Raw count" in refused[2]
    reply = admin.practice.get("/v1.0/applications/$count", admin.token, {"ConsistencyLevel": "eventual"})
    assert (reply.headers["Content-Type"], reply.body) == ("text/plain", b"1")


def test_the_certificates_bytes_come_only_with_select_of_one_object(admin):
    app = admin.register()
    for path in (f"/applications/{app['id']}", "/applications?$select=keyCredentials"):
        shown = admin.get(path).json
        assert [one["key"] for item in shown.get("value", [shown]) for one in item["keyCredentials"]][-1] is None
    [credential] = admin.get(f"/applications/{app['id']}?$select=keyCredentials").json["keyCredentials"]
    assert credential["key"] == base64_der(NEW)


def test_a_patch_changes_what_it_names_and_the_service_principal_follows(admin):
    app = admin.register()
    principal = admin.principal(app["appId"])
    body = {
        "displayName": "wages",
        "identifierUris": ["api://wages"],
        "web": {"homePageUrl": "https://contoso.example"},
    }
    reply = admin.call("PATCH", f"/applications(appId='{app['appId']}')", body)
    assert (reply.status, reply.body, "Content-Type" in reply.headers) == (204, b"", False)
    changed = admin.get(f"/applications/{app['id']}").json
    assert (changed["displayName"], changed["web"]["homePageUrl"]) == ("wages", "https://contoso.example")
    assert changed["web"]["redirectUris"] == [], "a complex property keeps the members that were not sent"
    assert changed["keyCredentials"] == app["keyCredentials"]
    followed = admin.get(f"/servicePrincipals/{principal['id']}").json
    assert (followed["appDisplayName"], followed["servicePrincipalNames"]) == ("wages", [app["appId"], "api://wages"])


def test_a_patch_of_a_part_keeps_the_rest(admin):
    id_tokens, access_tokens = {"enableIdTokenIssuance": True}, {"enableAccessTokenIssuance": True}
    app = admin.register(web={"redirectUris": ["https://a.example"], "implicitGrantSettings": id_tokens})
    admin.call("PATCH", f"/applications/{app['id']}", {"web": {"implicitGrantSettings": access_tokens}})
    web = admin.get(f"/applications/{app['id']}").json["web"]
    assert web["redirectUris"] == ["https://a.example"]
    assert web["implicitGrantSettings"] == id_tokens | access_tokens


def test_what_a_claim_or_a_role_leaves_out_is_filled_in_as_recorded(admin):
    app = admin.register(optionalClaims={"idToken": [{"name": "auth_time", "essential": True}]}, appRoles=[ROLE])
    claim = {"additionalProperties": [], "essential": True, "name": "auth_time", "source": None}
    assert app["optionalClaims"] == {"accessToken": [], "idToken": [claim], "saml2Token": []}
    assert app["appRoles"] == [ROLE | {"description": None, "isEnabled": True, "origin": "Application"}]


def required(name: str) -> str:
    return f"A value is required for property '{name}' of resource 'Application'."


def wrong(name: str) -> str:
    return f"Invalid value specified for property '{name}' of resource 'Application'."


UNKNOWN_PROPERTY = "Property 'colour' does not exist as a declared property or extension property."
NO_SECRETS = "Property passwordCredentials is invalid."
ROLE = {"id": str(uuid.uuid4()), "displayName": "Writer", "value": "Writer", "allowedMemberTypes": ["User"]}
REFUSED_BODIES = {
    "no name": ({"displayName": None}, required("displayName")),
    "empty name": ({"displayName": ""}, required("displayName")),
    "long name": ({"displayName": "x" * 121}, wrong("displayName")),
    "name of another type": ({"displayName": 5}, wrong("displayName")),
    "unknown property": ({"colour": "red"}, UNKNOWN_PROPERTY),
    "read-only property": ({"appId": UNKNOWN}, "Property 'appId' is read-only and cannot be set."),
    "a secret": ({"passwordCredentials": [{"displayName": "s"}]}, NO_SECRETS),
    "unknown audience": ({"signInAudience": "Everybody"}, wrong("signInAudience")),
    "wish without GUID": ({"requiredResourceAccess": [{"resourceAppId": 5}]}, wrong("requiredResourceAccess")),
    "role without id": ({"appRoles": [{"value": "x"}]}, wrong("appRoles")),
    "redirects that are no list": ({"web": {"redirectUris": "x"}}, wrong("web")),
    "scopes that are no list": ({"api": {"oauth2PermissionScopes": "x"}}, wrong("api")),
    "scope without GUID": ({"api": {"oauth2PermissionScopes": [{"id": "5"}]}}, wrong("api")),
    "address of another type": ({"web": {"homePageUrl": 5}}, wrong("web")),
    "member nobody knows": ({"spa": {"colour": "red"}}, wrong("spa")),
    "claim of another type": ({"optionalClaims": {"idToken": [{"essential": "yes"}]}}, wrong("optionalClaims")),
    "role switched on by a text": ({"appRoles": [ROLE | {"isEnabled": "yes"}]}, wrong("appRoles")),
}


@pytest.mark.parametrize("name", REFUSED_BODIES)
def test_an_application_is_refused(admin, name):
    changes, text = REFUSED_BODIES[name]
    assert admin.call("POST", "/applications", {"displayName": "a"} | changes).error == (
        400,
        "Request_BadRequest",
        text,
    )
    assert len(admin.get("/applications").json["value"]) == 1


def test_patch_takes_secrets_away_and_adds_none(admin):
    app = admin.register()
    path = f"/applications/{app['id']}"
    kept, gone = (admin.call("POST", f"{path}/addPassword").json for _ in range(2))
    assert admin.call("PATCH", path, {"passwordCredentials": [{"keyId": UNKNOWN}]}).error[2] == NO_SECRETS
    assert admin.call("PATCH", path, {"passwordCredentials": [{"displayName": "new"}]}).error[2] == NO_SECRETS
    assert len(admin.get(path).json["passwordCredentials"]) == 2
    assert admin.call("PATCH", path, {"passwordCredentials": [{"keyId": kept["keyId"]}]}).status == 204
    assert [one["keyId"] for one in admin.get(path).json["passwordCredentials"]] == [kept["keyId"]]
    assert admin.call("POST", f"{path}/removePassword", {"keyId": gone["keyId"]}).status == 400
    assert admin.call("PATCH", path, {"passwordCredentials": []}).status == 204
    assert admin.get(path).json["passwordCredentials"] == []


DEEP = b'{"a":' * 40 + b"1" + b"}" * 40


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 5000, b'{"displayName":NaN}', DEEP])
def test_a_body_that_is_no_json_object_is_refused(admin, body):
    reply = admin.practice.send("POST", "/v1.0/applications", {"Authorization": f"Bearer {admin.token}"}, body)
    assert reply.error[:2] == (400, "BadRequest")


def test_an_identifier_uri_is_taken_once(admin):
    admin.register(identifierUris=["api://payroll"])
    reply = admin.call("POST", "/applications", {"displayName": "b", "identifierUris": ["API://payroll"]})
    text = "Another object with the same value for property identifierUris already exists."
    assert reply.error == (400, "Request_BadRequest", text)
    assert reply.json["error"]["details"] == [{"code": "ObjectConflict", "message": text, "target": "identifierUris"}]


def test_an_app_role_is_disabled_before_it_goes(admin):
    role = {"id": str(uuid.uuid4()), "displayName": "r", "value": "Things.Read", "allowedMemberTypes": ["Application"]}
    app = admin.register(appRoles=[role])
    path = f"/applications/{app['id']}"
    assert admin.call("PATCH", path, {"appRoles": []}).error[1] == "CannotDeleteOrUpdateEnabledEntitlement"
    assert admin.call("PATCH", path, {"appRoles": [role | {"isEnabled": False}]}).status == 204
    assert admin.call("PATCH", path, {"appRoles": []}).status == 204


@pytest.mark.parametrize("path", ["/applications/{}", "/servicePrincipals/{}"])
def test_what_is_not_there_is_404_and_what_is_no_guid_is_400(admin, path):
    not_there = (404, "Request_ResourceNotFound", NOTHING_THERE.format(UNKNOWN))
    assert admin.get(path.format(UNKNOWN)).error == not_there
    assert admin.get(path.format(f"(appId='{UNKNOWN}')").replace("/(", "(")).error == not_there
    assert admin.call("PATCH", path.format(UNKNOWN), {}).error == not_there
    assert admin.call("DELETE", path.format(UNKNOWN)).error == not_there
    no_guid = (400, "Request_BadRequest", "Invalid object identifier 'payroll'.")
    assert admin.get(path.format("payroll")).error == no_guid


# --- key credentials ----------------------------------------------------------------------------------------

OUTSIDE_END = (400, "KeyCredentialsInvalidEndDate", "Key credential end date is invalid.")
OUTSIDE_START = (400, "KeyCredentialsInvalidStartDate", "Key credential start date is invalid.")
NO_KEY = (400, "KeyCredentialsInvalidValue", "Key credential value is invalid.")


def invalid(name: str) -> tuple:
    return 400, "Request_BadRequest", f"Invalid value specified for property '{name}' of resource 'KeyCredential'."


REFUSED_KEYS = {
    "ends after the certificate": (key(endDateTime="2999-01-01T00:00:00Z"), OUTSIDE_END),
    "ends before it starts": (key(endDateTime="2020-01-01T00:00:00Z"), OUTSIDE_END),
    "an expired certificate": (key(forge.certificate(starts_in_days=-9, ends_in_days=-1)), OUTSIDE_END),
    "starts before the certificate": (key(startDateTime="2001-01-01T00:00:00Z"), OUTSIDE_START),
    "a date that is none": (key(endDateTime="tomorrow"), invalid("endDateTime")),
    "no key": (key(key=...), NO_KEY),
    "garbage": (key(key="bm90IGEgY2VydGlmaWNhdGU="), NO_KEY),
    "not base64": (key(key="-----BEGIN CERTIFICATE-----"), NO_KEY),
    "a number": (key(key=5), NO_KEY),
    "no type": (key(type=...), invalid("type")),
    "a signing key": (key(type="X509CertAndPassword", usage="Sign"), invalid("type")),
    "another usage": (key(usage="Sign"), invalid("usage")),
    "a name that is no text": (key(displayName=5), invalid("displayName")),
}


@pytest.mark.parametrize("name", REFUSED_KEYS)
def test_a_key_is_refused(admin, name):
    credential, error = REFUSED_KEYS[name]
    assert admin.call("POST", "/applications", {"displayName": "a", "keyCredentials": [credential]}).error == error
    app = admin.register()
    assert admin.call("PATCH", f"/applications/{app['id']}", {"keyCredentials": [credential]}).error == error
    assert admin.get(f"/applications/{app['id']}").json["keyCredentials"] == app["keyCredentials"]


def test_a_key_without_a_name_is_called_as_windows_calls_its_certificate(admin):
    names = ((NameOID.COUNTRY_NAME, "AU"), (NameOID.STATE_OR_PROVINCE_NAME, "Some-State"), (NameOID.COMMON_NAME, "it"))
    subject = x509.Name([x509.NameAttribute(*name) for name in names])
    given = key(forge.certificate(subject=subject), displayName=None)
    [credential] = admin.register(keyCredentials=[given])["keyCredentials"]
    assert credential["displayName"] == "CN=it, S=Some-State, C=AU"


@pytest.mark.parametrize("key_id", ["one", 5, ["x"]])
def test_a_key_id_that_is_no_guid_is_refused(admin, key_id):
    app = admin.register()
    credential = key(keyId=key_id)
    assert admin.call("PATCH", f"/applications/{app['id']}", {"keyCredentials": [credential]}).status == 400
    body = {"keyCredential": credential, "proof": proof(iss=app["id"])}
    assert admin.call("POST", f"/applications/{app['id']}/addKey", body).error == invalid("keyId")


def test_the_end_date_error_says_where_it_is(admin):
    credential = key(endDateTime="2999-01-01T00:00:00Z")
    reply = admin.call("POST", "/applications", {"displayName": "a", "keyCredentials": [credential]})
    [detail] = reply.json["error"]["details"]
    assert (detail["code"], detail["target"]) == ("InvalidKeyEndDate", "keyCredentials.endDateTime")


def wrapped(text: str) -> str:
    return "\n".join(text[start : start + 64] for start in range(0, len(text), 64))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(wrapped(base64_der(NEW)), id="with line breaks (recorded)"),
        pytest.param(base64.b64encode(NEW.public_bytes(Encoding.PEM)).decode(), id="base64 of the PEM text"),
    ],
)
def test_other_spellings_of_a_certificate_are_taken(admin, text):
    app = admin.register(keyCredentials=[key(key=text)])
    admin.principal(app["appId"])
    assert admin.sign_in(app).status == 200


def test_an_elliptic_certificate_can_be_uploaded_but_not_used(admin):
    elliptic = forge.certificate(forge.elliptic_key())
    app = admin.register(keyCredentials=[key(elliptic)])
    admin.principal(app["appId"])
    reply = admin.sign_in(app, private_key=NEW_KEY, certificate=elliptic)
    assert reply.json["error_codes"] == [700027]


def test_patch_replaces_the_whole_collection(admin):
    app = admin.register(keyCredentials=[key(keyId=UNKNOWN)])
    other = forge.certificate(forge.private_key("other"))
    path = f"/applications/{app['id']}"
    assert admin.call("PATCH", path, {"keyCredentials": [*app["keyCredentials"], key(other)]}).status == 204
    both = admin.get(path).json["keyCredentials"]
    assert both[0]["keyId"] == UNKNOWN and len(both) == 2, "an old one may come without its key"
    assert admin.call("PATCH", path, {"keyCredentials": [key(other)]}).status == 204
    assert len(admin.get(path).json["keyCredentials"]) == 1
    admin.principal(app["appId"])
    assert admin.sign_in(app).json["error_codes"] == [700027]


def test_a_key_id_is_never_given_to_another_certificate(admin):
    app = admin.register(keyCredentials=[key(keyId=UNKNOWN)])
    other = key(forge.certificate(forge.private_key("other")), keyId=UNKNOWN)
    reply = admin.call("PATCH", f"/applications/{app['id']}", {"keyCredentials": [other]})
    text = f"Update to existing credential with KeyId '{UNKNOWN}' is not allowed."
    assert reply.error == (400, "Request_BadRequest", text)


# --- secrets ------------------------------------------------------------------------------------------------


def test_a_secret_is_shown_once_works_and_can_be_removed(admin):
    app = admin.register()
    admin.principal(app["appId"])
    path = f"/applications/{app['id']}"
    reply = admin.call("POST", f"{path}/addPassword", {"passwordCredential": {"displayName": "for the lesson"}})
    assert (reply.status, reply.headers["Location"]) == (200, "https://graph.microsoft.com")
    secret = reply.json
    assert list(secret) == [
        "@odata.context", "customKeyIdentifier", "displayName", "endDateTime", "hint", "keyId", "secretText",
        "startDateTime",
    ]  # fmt: skip
    assert secret["hint"] == secret["secretText"][:3] and 16 <= len(secret["secretText"]) <= 64
    [stored] = admin.get(path).json["passwordCredentials"]
    assert (stored["keyId"], stored["secretText"]) == (secret["keyId"], None)

    def sign_in():
        fields = {"client_id": app["appId"], "client_secret": secret["secretText"]}
        return admin.practice.ask_token_with_secret(fields)

    assert sign_in().status == 200
    assert admin.call("POST", f"{path}/removePassword", {"keyId": secret["keyId"]}).status == 204
    assert sign_in().json["error_codes"] == [7000215]
    again = admin.call("POST", f"{path}/removePassword", {"keyId": secret["keyId"]})
    assert again.error == (400, "Request_BadRequest", "No password credential found with keyId.")


def test_a_secret_lives_two_years_unless_told_otherwise(admin):
    path = f"/applications/{admin.register()['id']}/addPassword"
    plain = admin.call("POST", path).json
    assert int(plain["endDateTime"][:4]) - int(plain["startDateTime"][:4]) == 2
    dates = {"startDateTime": "2030-01-01T00:00:00Z", "endDateTime": "2030-02-01T00:00:00Z"}
    assert dates.items() <= admin.call("POST", path, {"passwordCredential": dates}).json.items()
    turned = {"startDateTime": dates["endDateTime"], "endDateTime": dates["startDateTime"]}
    assert admin.call("POST", path, {"passwordCredential": turned}).status == 400


def test_a_service_principal_has_credentials_of_its_own(admin):
    app = admin.register()
    principal = admin.principal(app["appId"])
    path = f"/servicePrincipals/{principal['id']}"
    secret = admin.call("POST", f"{path}/addPassword", {"passwordCredential": {"displayName": "for the lesson"}}).json
    fields = {"client_id": app["appId"], "client_secret": secret["secretText"]}
    assert admin.practice.ask_token_with_secret(fields).status == 200
    newer_key = forge.private_key("newer")
    newer = forge.certificate(newer_key)
    assert admin.call("PATCH", path, {"keyCredentials": [key(newer)]}).status == 204
    assert admin.sign_in(app, newer_key, newer).status == 200
    [stored] = admin.get(path).json["keyCredentials"]
    body = {"keyId": stored["keyId"], "proof": proof(newer_key, iss=principal["id"])}
    assert admin.call("POST", f"{path}/removeKey", body).status == 204
    assert admin.sign_in(app, newer_key, newer).json["error_codes"] == [700027]
    assert admin.call("POST", f"{path}/removePassword", {"keyId": secret["keyId"]}).status == 204
    assert admin.practice.ask_token_with_secret(fields).json["error_codes"] == [7000215]
    assert admin.get(f"/applications/{app['id']}").json["keyCredentials"] == app["keyCredentials"]


# --- rolling a certificate with proof of possession -----------------------------------------------------------


def proof(private_key=NEW_KEY, header=None, pad=False, **claims) -> str:
    now = int(time.time())
    mine = {"aud": "00000002-0000-0000-c000-000000000000", "nbf": now, "exp": now + 600} | claims
    members = {name: value for name, value in mine.items() if value is not None}
    return forge.sign({"alg": "RS256", "typ": "JWT"} | (header or {}), members, private_key, pad=pad)


def test_an_app_rolls_its_own_certificate_without_any_permission(admin):
    app = admin.register(keyCredentials=[key(keyId=UNKNOWN)])
    admin.principal(app["appId"])
    token, path = admin.sign_in(app).json["access_token"], f"/v1.0/applications/{app['id']}"
    newer_key = forge.private_key("newer")
    newer = forge.certificate(newer_key)
    body = {"keyCredential": key(newer), "passwordCredential": None, "proof": proof(iss=app["id"])}
    added = admin.practice.call("POST", f"{path}/addKey", body, token)
    assert (added.status, added.json["key"]) == (200, None)
    assert added.json["@odata.context"].endswith("/$metadata#microsoft.graph.keyCredential")
    assert admin.sign_in(app, newer_key, newer).status == 200
    body = {"keyId": UNKNOWN, "proof": proof(newer_key, iss=app["id"])}
    assert admin.practice.call("POST", f"{path}/removeKey", body, token).status == 204
    assert admin.sign_in(app).json["error_codes"] == [700027]
    again = admin.practice.call("POST", f"{path}/removeKey", body, token)
    assert again.error == (400, "Request_BadRequest", "No credentials found to be removed.")


BAD_PROOFS = {
    "none": lambda app: None,
    "no JWT": lambda app: "x.y.z",
    "padding": lambda app: proof(iss=app["id"], pad=True),
    "audience of Graph": lambda app: proof(iss=app["id"], aud="00000003-0000-0000-c000-000000000000"),
    "client id as issuer": lambda app: proof(iss=app["appId"]),
    "over": lambda app: proof(iss=app["id"], nbf=int(time.time()) - 700, exp=int(time.time()) - 100),
    "not yet": lambda app: proof(iss=app["id"], nbf=int(time.time()) + 60, exp=int(time.time()) + 600),
    "an hour long": lambda app: proof(iss=app["id"], exp=int(time.time()) + 3600),
    "no nbf": lambda app: proof(iss=app["id"], nbf=None),
    "dates as text": lambda app: proof(iss=app["id"], nbf="1", exp="9999999999"),
    "another key": lambda app: proof(forge.private_key("stranger"), iss=app["id"]),
    "unsigned": lambda app: proof(iss=app["id"], header={"alg": "none"}),
    "HMAC with the certificate": lambda app: proof(
        NEW.public_bytes(Encoding.DER), iss=app["id"], header={"alg": "HS256"}
    ),
}


@pytest.mark.parametrize("name", BAD_PROOFS)
def test_a_proof_that_is_none_is_401(admin, name):
    app = admin.register()
    body = {"keyCredential": key(), "passwordCredential": None, "proof": BAD_PROOFS[name](app)}
    reply = admin.call("POST", f"/applications/{app['id']}/addKey", body)
    assert reply.error == (401, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")
    assert len(admin.get(f"/applications/{app['id']}").json["keyCredentials"]) == 1


def test_without_a_certificate_that_is_valid_now_there_is_no_proof(admin):
    app = admin.register()
    admin.practice.control("clock", {"shift_seconds": 400 * 86_400})
    token = admin.practice.token(scopes=("Application.ReadWrite.All",))
    later = int(time.time()) + 400 * 86_400
    body = {"keyCredential": key(), "proof": proof(iss=app["id"], nbf=later, exp=later + 600)}
    reply = admin.practice.call("POST", f"/v1.0/applications/{app['id']}/addKey", body, token)
    assert reply.status == 401


def test_a_stranger_may_not_roll_keys_even_with_a_proof(admin):
    app = admin.register()
    body = {"keyCredential": key(), "proof": proof(iss=app["id"])}
    token = admin.practice.token(roles=("User.Read.All",))
    assert admin.practice.call("POST", f"/v1.0/applications/{app['id']}/addKey", body, token).error == DENIED


def test_addkey_takes_no_key_that_a_patch_would_refuse(admin):
    app = admin.register()
    path = f"/applications/{app['id']}/addKey"
    for credential, error in REFUSED_KEYS.values():
        assert admin.call("POST", path, {"keyCredential": credential, "proof": proof(iss=app["id"])}).error == error
    taken = key(forge.certificate(forge.private_key("other")), keyId=app["keyCredentials"][0]["keyId"])
    reply = admin.call("POST", path, {"keyCredential": taken, "proof": proof(iss=app["id"])})
    assert reply.error[2].startswith("Update to existing credential with KeyId ")


# --- service principals -------------------------------------------------------------------------------------


def test_a_created_service_principal_looks_as_recorded(admin):
    app = admin.register()
    reply = admin.call("POST", "/serviceprincipals", {"appId": app["appId"], "accountEnabled": True})
    principal = reply.json
    assert reply.status == 201 and reply.headers["Location"].endswith("/Microsoft.DirectoryServices.ServicePrincipal")
    assert list(principal)[:8] == [
        "@odata.context", "id", "deletedDateTime", "accountEnabled", "alternativeNames", "appDisplayName",
        "appDescription", "appId",
    ]  # fmt: skip
    assert principal["servicePrincipalNames"] == [app["appId"]]
    assert principal["appOwnerOrganizationId"] == admin.practice.tenant.id


def test_a_service_principal_needs_an_application_here(admin):
    reply = admin.call("POST", "/servicePrincipals", {"appId": UNKNOWN})
    text = f"The appId '{UNKNOWN}' of the service principal does not reference a valid application object."
    assert reply.error == (400, "Request_BadRequest", text)
    assert reply.json["error"]["details"] == [
        {"code": "NoBackingApplicationObject", "message": text, "target": "appId"}
    ]
    missing = "A value is required for property 'appId' of resource 'ServicePrincipal'."
    assert admin.call("POST", "/servicePrincipals", {}).error == (400, "Request_BadRequest", missing)
    assert admin.call("POST", "/servicePrincipals", {"appId": 5}).status == 400


def test_a_second_service_principal_is_409(admin):
    reply = admin.call("POST", "/servicePrincipals", {"appId": CLIENT_ID})
    text = (
        "The service principal cannot be created, updated, or restored because the service principal name "
        f"{CLIENT_ID} is already in use."
    )
    assert reply.error == (409, "Request_MultipleObjectsWithSameKeyValue", text)


def test_account_enabled_switches_an_app_off_and_on(admin):
    path = f"/servicePrincipals(appId='{CLIENT_ID}')"
    assert admin.call("PATCH", path, {"accountEnabled": False}).status == 204
    assert admin.practice.ask_token().json["error_codes"] == [7000112]
    assert admin.call("PATCH", path, {"accountEnabled": True}).status == 204
    assert admin.practice.ask_token().status == 200
    assert admin.call("PATCH", path, {"accountEnabled": None}).status == 400
    assert admin.call("PATCH", path, {"passwordCredentials": []}).status == 400


def test_microsofts_own_service_principals_stay(admin):
    path = GRAPH.removeprefix("/v1.0")
    assert admin.call("DELETE", path).error == DENIED
    assert admin.call("PATCH", path, {"appRoles": []}).error == DENIED
    assert admin.call("POST", f"{path}/addPassword", {}).error == DENIED
    assert admin.call("PATCH", path, {"accountEnabled": False}).status == 204
    assert admin.practice.ask_token().json["error_codes"] == [500014]


def test_graphs_roles_are_read_from_its_service_principal(admin):
    roles = admin.practice.get(f"{GRAPH}?$select=id,appRoles", admin.token).json["appRoles"]
    [role] = [role for role in roles if role["value"] == "User.Read.All"]
    assert (role["id"], role["allowedMemberTypes"]) == (READ_ALL, ["Application"])


# --- assignments --------------------------------------------------------------------------------------------


def test_an_assignment_is_one_object_seen_from_two_sides(admin):
    principal = admin.principal(admin.register()["appId"])
    reply = admin.consent(principal["id"])
    assert list(reply.json)[1:] == [
        "id", "deletedDateTime", "appRoleId", "createdDateTime", "principalDisplayName", "principalId",
        "principalType", "resourceDisplayName", "resourceId",
    ]  # fmt: skip
    assignment = {name: value for name, value in reply.json.items() if name != "@odata.context"}
    mine = admin.get(f"/servicePrincipals/{principal['id']}/appRoleAssignments").json
    assert mine["value"] == [assignment]
    assert mine["@odata.context"].endswith(f"#servicePrincipals('{principal['id']}')/appRoleAssignments")
    graphs = admin.practice.get(f"{GRAPH}/appRoleAssignedTo", admin.token).json["value"]
    assert assignment in graphs and len(graphs) == 2
    one = f"/servicePrincipals/{principal['id']}/appRoleAssignments/{assignment['id']}"
    assert admin.get(one).json["appRoleId"] == READ_ALL
    assert admin.call("DELETE", one).status == 204
    assert admin.get(one).status == 404 and admin.call("DELETE", one).status == 404
    by_resource = f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}/appRoleAssignments?$filter=resourceId eq "
    assert len(admin.get(by_resource + admin.practice.graph_principal["id"]).json["value"]) == 1


NOT_VALID = "Not a valid reference update."
NO_SUCH_ROLE = "Permission being assigned was not found on application"
USER_READ_ALL_DELEGATED = "a154be20-db9c-4678-8ab7-66f6cc099a59"
REFUSED_ASSIGNMENTS = {
    "unknown principal": ({"principalId": UNKNOWN}, NOT_VALID),
    "unknown resource": ({"resourceId": UNKNOWN}, NOT_VALID),
    "application's object id": ({"principalId": APP_OBJECT_ID}, NOT_VALID),
    "unknown role": ({"appRoleId": UNKNOWN}, NO_SUCH_ROLE),
    "the delegated permission's id": ({"appRoleId": USER_READ_ALL_DELEGATED}, NO_SUCH_ROLE),
    "default access to a resource with roles": ({"appRoleId": str(uuid.UUID(int=0))}, NO_SUCH_ROLE),
    "role already there": ({}, "Permission being assigned already exists on the object"),
    "no GUID": (
        {"appRoleId": "User.Read.All"},
        "Invalid value specified for property 'appRoleId' of resource 'AppRoleAssignment'.",
    ),
    "nothing": (
        {"principalId": None},
        "A value is required for property 'principalId' of resource 'AppRoleAssignment'.",
    ),
}


@pytest.mark.parametrize("name", REFUSED_ASSIGNMENTS)
@pytest.mark.parametrize("side", ["appRoleAssignedTo", "appRoleAssignments"])
def test_an_assignment_is_refused(admin, side, name):
    changes, text = REFUSED_ASSIGNMENTS[name]
    graph_id = admin.practice.graph_principal["id"]
    body = {"principalId": SERVICE_PRINCIPAL_ID, "resourceId": graph_id, "appRoleId": READ_ALL} | changes
    here = graph_id if side == "appRoleAssignedTo" else SERVICE_PRINCIPAL_ID
    refused = admin.call("POST", f"/servicePrincipals/{here}/{side}", body)
    assert refused.error == (400, "Request_BadRequest", text)
    assert len(admin.practice.tenant.assignments) == 1


def test_a_body_that_names_another_resource_than_the_path_is_refused(admin):
    body = {"principalId": SERVICE_PRINCIPAL_ID, "resourceId": SERVICE_PRINCIPAL_ID, "appRoleId": READ_ALL}
    reply = admin.practice.call("POST", f"{GRAPH}/appRoleAssignedTo", body, admin.token)
    assert reply.error == (400, "Request_BadRequest", NOT_VALID)


# --- the waste basket ---------------------------------------------------------------------------------------


def test_an_application_comes_back_with_its_service_principal_and_its_consent(admin):
    app = admin.register()
    principal = admin.principal(app["appId"])
    admin.consent(principal["id"])
    admin.call("DELETE", f"/applications/{app['id']}")
    listed = admin.get("/directory/deletedItems/microsoft.graph.application").json["value"]
    assert [one["id"] for one in listed] == [app["id"]] and listed[0]["deletedDateTime"]
    assert admin.get("/directory/deletedItems/microsoft.graph.servicePrincipal?$select=id").json["value"] == [
        {"id": principal["id"]}
    ]
    assert len(admin.practice.get(f"{GRAPH}/appRoleAssignedTo", admin.token).json["value"]) == 1
    one = admin.get(f"/directory/deletedItems/{app['id']}").json
    assert one["@odata.type"] == "#microsoft.graph.application"
    restored = admin.call("POST", f"/directory/deletedItems/{app['id']}/restore")
    assert (restored.status, restored.json["deletedDateTime"]) == (200, None)
    assert admin.practice.claims(admin.sign_in(app).json["access_token"])["roles"] == ["User.Read.All"]


def test_what_is_purged_never_comes_back(admin):
    app = admin.register()
    admin.consent(admin.principal(app["appId"])["id"])
    admin.call("DELETE", f"/applications/{app['id']}")
    assert admin.call("DELETE", f"/directory/deletedItems/{app['id']}").status == 204
    path = f"/directory/deletedItems/{app['id']}"
    not_there = (404, "Request_ResourceNotFound", NOTHING_THERE.format(app["id"]))
    assert admin.get(path).error == not_there
    assert admin.call("POST", f"{path}/restore").error == not_there
    assert admin.call("DELETE", path).error == not_there
    assert not admin.practice.tenant.deleted and len(admin.practice.tenant.assignments) == 1


def test_a_list_of_deleted_objects_skips_nobody_when_one_before_is_purged(admin):
    apps = [admin.call("POST", "/applications", {"displayName": name}).json["id"] for name in "abcd"]
    for app_id in apps:
        admin.call("DELETE", f"/applications/{app_id}")
    first = admin.get("/directory/deletedItems/microsoft.graph.application?$top=2").json
    assert admin.call("DELETE", f"/directory/deletedItems/{apps[0]}").status == 204
    second = admin.practice.get(first["@odata.nextLink"], admin.token).json
    assert [one["id"] for one in first["value"] + second["value"]] == apps


def test_what_was_deleted_again_comes_last_in_the_list(admin):
    apps = [admin.call("POST", "/applications", {"displayName": name}).json["id"] for name in "ab"]
    for app_id in apps:
        admin.call("DELETE", f"/applications/{app_id}")
    admin.call("POST", f"/directory/deletedItems/{apps[0]}/restore")
    admin.call("DELETE", f"/applications/{apps[0]}")
    listed = admin.get("/directory/deletedItems/microsoft.graph.application").json["value"]
    assert [one["id"] for one in listed] == apps[::-1]


def test_after_thirty_days_the_basket_is_empty(admin):
    app = admin.register()
    admin.call("DELETE", f"/applications/{app['id']}")
    admin.practice.control("clock", {"shift_seconds": 30 * 86_400})
    token = admin.practice.token(scopes=("Application.ReadWrite.All",))
    reply = admin.practice.get("/v1.0/directory/deletedItems/microsoft.graph.application", token)
    assert reply.json["value"] == []


def test_a_service_principal_alone_can_go_and_come_back(admin):
    app = admin.register()
    principal = admin.principal(app["appId"])
    assert admin.call("DELETE", f"/servicePrincipals/{principal['id']}").status == 204
    assert admin.sign_in(app).json["error_codes"] == [7000229]
    assert admin.call("POST", f"/directory/deletedItems/{principal['id']}/restore").status == 200
    assert admin.sign_in(app).status == 200


def test_nothing_comes_back_beside_what_took_its_place(admin):
    app = admin.register(identifierUris=["api://payroll"])
    principal = admin.principal(app["appId"])
    admin.call("DELETE", f"/servicePrincipals/{principal['id']}")
    admin.principal(app["appId"])
    restore = f"/directory/deletedItems/{principal['id']}/restore"
    assert admin.call("POST", restore).error[:2] == (409, "Request_MultipleObjectsWithSameKeyValue")
    admin.call("DELETE", f"/applications/{app['id']}")
    assert admin.call("POST", restore).error[:2] == (404, "Request_ResourceNotFound"), "the application comes first"
    other = admin.register(identifierUris=["api://payroll"])
    assert admin.call("POST", f"/directory/deletedItems/{app['id']}/restore").status == 400
    admin.call("DELETE", f"/applications/{other['id']}")
    assert admin.call("POST", f"/directory/deletedItems/{app['id']}/restore").status == 200
    assert len([one for one in admin.practice.tenant.service_principals.values() if one["appId"] == app["appId"]]) == 1


# --- permissions --------------------------------------------------------------------------------------------

OPERATIONS = [
    ("GET", "/applications", "Application.Read.All"),
    ("GET", f"/applications/{APP_OBJECT_ID}", "Directory.Read.All"),
    ("POST", "/applications", "Application.ReadWrite.All"),
    ("PATCH", f"/applications/{APP_OBJECT_ID}", "Application.ReadWrite.All"),
    ("DELETE", f"/applications/{APP_OBJECT_ID}", "Application.ReadWrite.All"),
    ("POST", f"/applications/{APP_OBJECT_ID}/addPassword", "Application.ReadWrite.All"),
    ("POST", f"/applications/{APP_OBJECT_ID}/removePassword", "Application.ReadWrite.All"),
    ("GET", "/servicePrincipals", "Application.Read.All"),
    ("POST", "/servicePrincipals", "Application.ReadWrite.All"),
    ("PATCH", f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}", "Application.ReadWrite.All"),
    ("DELETE", f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}", "Application.ReadWrite.All"),
    ("POST", f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}/addPassword", "Application.ReadWrite.All"),
    ("GET", f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}/appRoleAssignments", "Application.Read.All"),
    ("POST", f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}/appRoleAssignments", "AppRoleAssignment.ReadWrite.All"),
    ("POST", f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}/appRoleAssignedTo", "AppRoleAssignment.ReadWrite.All"),
    ("GET", "/directory/deletedItems/microsoft.graph.application", "Application.Read.All"),
    ("GET", "/directory/deletedItems/microsoft.graph.user", "User.Read.All"),
    ("GET", "/organization", "Directory.Read.All"),
]


@pytest.mark.parametrize(("method", "path", "permission"), OPERATIONS)
def test_every_operation_asks_for_its_permission(method, path, permission):
    practice = fresh(users=1)
    other = "Mail.Read" if permission != "User.Read.All" else "Application.Read.All"
    for refused in ({"roles": (other,)}, {"roles": ()}, {"scopes": (other,)}):
        assert practice.call(method, f"/v1.0{path}", {}, practice.token(**refused)).error == DENIED
    for granted in ({"roles": (permission,)}, {"scopes": (permission,)}):
        assert practice.call(method, f"/v1.0{path}", {}, practice.token(**granted)).status != 403
        practice.control("reset")


def test_application_and_delegated_permissions_do_not_stand_in_for_each_other(admin):
    claims = admin.practice.claims(admin.practice.token(scopes=("User.Read",)))
    token = admin.practice.emulator.state.signing_key.sign(claims | {"roles": ["Application.ReadWrite.All"]})
    assert admin.practice.get("/v1.0/applications", token).error == DENIED


def test_owned_by_creates_and_manages_its_own_applications_only():
    practice = fresh(users=1)
    token = practice.token(roles=("Application.ReadWrite.OwnedBy",))

    def call(method, path, value=None):
        return practice.call(method, f"/v1.0{path}", value, token)

    app = call("POST", "/applications", {"displayName": "mine"}).json
    assert len(call("GET", "/applications").json["value"]) == 2, "reading is not limited"
    assert call("POST", "/servicePrincipals", {"appId": app["appId"]}).status == 201
    assert call("PATCH", f"/applications/{app['id']}", {"displayName": "still mine"}).status == 204
    assert call("POST", f"/applications/{app['id']}/addPassword", {}).status == 200
    assert call("PATCH", f"/applications/{APP_OBJECT_ID}", {"displayName": "theirs"}).error == DENIED
    assert call("DELETE", f"/servicePrincipals/{SERVICE_PRINCIPAL_ID}").error == DENIED
    assert call("DELETE", f"/applications/{app['id']}").status == 204
    assert call("POST", f"/directory/deletedItems/{app['id']}/restore").status == 200
    theirs = practice.call("POST", "/v1.0/applications", {"displayName": "theirs"},
                           practice.token(scopes=("Application.ReadWrite.All",))).json  # fmt: skip
    refused = call("POST", "/servicePrincipals", {"appId": theirs["appId"]})
    assert refused.error == (
        403,
        "Authorization_RequestDenied",
        "When using this permission, the backing application of the service principal being created must in the "
        "local tenant",
    )


# --- organization -------------------------------------------------------------------------------------------


def test_the_organization_is_a_collection_of_one(admin):
    practice = admin.practice
    token = practice.token(roles=("Directory.Read.All",))
    [tenant] = practice.get("/v1.0/organization", token).json["value"]
    assert (tenant["id"], tenant["displayName"]) == (practice.tenant.id, practice.tenant.name)
    domains = {one["name"]: (one["isDefault"], one["isInitial"]) for one in tenant["verifiedDomains"]}
    assert domains == {"contoso.example": (True, False), "contoso.onmicrosoft.example": (False, True)}
    assert practice.get(f"/v1.0/organization/{practice.tenant.id}", token).json["id"] == practice.tenant.id
    assert practice.get(f"/v1.0/organization/{UNKNOWN}", token).status == 404
    chosen = practice.get("/v1.0/organization?$select=id,verifiedDomains", token).json["value"][0]
    assert list(chosen) == ["id", "verifiedDomains"]


def test_with_user_read_alone_most_of_the_organization_is_null(admin):
    [tenant] = admin.practice.get("/v1.0/organization", admin.practice.token(scopes=("User.Read",))).json["value"]
    assert tenant["displayName"] and tenant["verifiedDomains"]
    assert tenant["createdDateTime"] is None and tenant["technicalNotificationMails"] == []


# --- the tools of the control interface ------------------------------------------------------------------------


def test_faults_hit_these_calls_too(admin):
    admin.practice.control("faults", {"target": "graph", "status": 503})
    assert admin.call("POST", "/applications", {"displayName": "a"}).status == 503
    assert len(admin.get("/applications").json["value"]) == 1
    admin.practice.control("faults", {"target": "graph", "expired_page_token": True})
    link = admin.get("/servicePrincipals?$top=1").json["@odata.nextLink"]
    assert admin.practice.get(link, admin.token).error[1] == "Directory_ExpiredPageToken"


def test_reset_forgets_what_was_registered(admin):
    app = admin.register()
    admin.practice.control("reset")
    assert admin.get(f"/applications/{app['id']}").status == 404
    assert admin.practice.ask_token({"client_assertion": admin.practice.assertion()}).status == 200
    assert admin.get(f"/applications/{APP_OBJECT_ID}").json["keyCredentials"][0]["customKeyIdentifier"] == (
        forge.thumbprints(CERTIFICATE)[0].hex().upper()
    )
