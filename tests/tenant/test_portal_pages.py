"""The practice portal's pages without a socket: every form, every mistake a person makes, every name escaped."""

import base64
import html
import json
import re
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

import forge
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from practice import GRAPH_SCOPE, Practice, Reply, fresh
from practice_tenant.directory.well_known import ADMINISTRATOR, CLIENT_ID, GRAPH_APP_ID, GRAPH_APP_ROLES
from practice_tenant.messages import FORM, Request
from practice_tenant.portal.door import PAGES
from practice_tenant.portal.registrations import USER_READ

READ_ALL = GRAPH_APP_ROLES["User.Read.All"]
MAIL_READ = GRAPH_APP_ROLES["Mail.Read"]
HOSTILE = "<script>alert(1)</script>&\"'</title>"


@dataclass
class Browser:
    """A person in front of the portal, without a socket.

    Args:
        acting: whom they act as.
    """

    practice: Practice = field(default_factory=fresh)
    acting: str = ""

    def request(self, method: str, address: str, body: bytes = b"", **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        target = f"/{self.practice.state.portal_key}/{address}"
        request = Request(method, target, named, body, "http://127.0.0.1:8765")
        return Reply.of(self.practice.emulator.answer_portal(request).answer)

    def get(self, page: str, **query: str) -> Reply:
        return self.request("GET", self.address(page, query))

    def post(self, page: str, fields: dict | None = None, **query: str) -> Reply:
        body = urlencode(fields or {}, doseq=True).encode()
        return self.request("POST", self.address(page, query), body, content_type=FORM)

    def upload(self, name: str, data: bytes, description: str = "", **query: str) -> Reply:
        body, content_type = multipart({"description": description}, name, data)
        return self.request("POST", self.address("upload", query), body, content_type=content_type)

    def address(self, page: str, query: dict[str, str]) -> str:
        given = query | ({"as": self.acting} if self.acting else {})
        return f"{page}?{urlencode(given)}" if given else page

    def follow(self, reply: Reply) -> Reply:
        """The page a click leads to."""
        assert reply.status == 303, said(reply)
        return self.request("GET", reply.headers["Location"])

    # --- what people do in a row ------------------------------------------------------------------------------

    def register(self, name: str = "clicked") -> str:
        """A new registration; gives its object id."""
        reply = self.post("new", {"name": name})
        return parse_qs(urlsplit(reply.headers["Location"]).query)["id"][0]

    def add(self, object_id: str, *permissions: str, kind: str = "application") -> Reply:
        fields = {"permission": list(permissions)}
        return self.post("add-permission", fields, id=object_id, api=GRAPH_APP_ID, kind=kind)

    def application(self, object_id: str) -> dict:
        return self.practice.tenant.applications[object_id]

    def principal(self, object_id: str) -> dict:
        return self.practice.tenant.service_principal(self.application(object_id)["appId"])

    def granted(self, object_id: str) -> set[str]:
        """Every permission the app was granted, of both kinds."""
        tenant, principal = self.practice.tenant, self.principal(object_id)
        grants = [grant["scope"] for grant in tenant.grants.values() if grant["clientId"] == principal["id"]]
        return {*tenant.granted_roles(principal, self.practice.graph_principal), *" ".join(grants).split()}

    def wishes(self, object_id: str) -> set[str]:
        wishes = self.application(object_id)["requiredResourceAccess"]
        return {access["id"] for wish in wishes for access in wish["resourceAccess"]}


def multipart(fields: dict[str, str], file_name: str, data: bytes) -> tuple[bytes, str]:
    """A form with a file as browsers send it."""
    edge = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]  # fmt: skip
    head = f'--{edge}\r\nContent-Disposition: form-data; name="certificate"; filename="{file_name}"\r\n'
    parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", data, b"\r\n"]
    return b"".join(parts) + f"--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"


def text_of(reply: Reply) -> str:
    """A page as a person reads it."""
    page = re.sub(r"(?s)<style>.*?</style>", "", reply.body.decode())
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def said(reply: Reply) -> str:
    """The message on a page, good or bad."""
    found = re.search(r'(?s)class="message (?:done|wrong)".*?(?=</p><|</div>)', reply.body.decode())
    return html.unescape(re.sub(r"<[^>]+>", "", found[0].partition(">")[2])) if found else ""


def pem(certificate=None) -> bytes:
    return (certificate or forge.certificate()).public_bytes(Encoding.PEM)


@pytest.fixture
def browser():
    return Browser()


# --- registering -----------------------------------------------------------------------------------------------------


def test_a_new_registration_is_an_application_its_service_principal_and_user_read(browser):
    object_id = browser.register("Nightly report")
    application, principal = browser.application(object_id), browser.principal(object_id)
    assert (application["displayName"], application["signInAudience"]) == ("Nightly report", "AzureADMyOrg")
    assert browser.wishes(object_id) == {USER_READ}
    assert principal["tags"] == ["WindowsAzureActiveDirectoryIntegratedApp"]
    assert browser.granted(object_id) == set()


def test_the_overview_names_every_id_by_its_own_name(browser):
    object_id = browser.register()
    page = text_of(browser.get("app", id=object_id))
    for name, value in (
        ("Application (client) ID", browser.application(object_id)["appId"]),
        ("Object ID", object_id),
        ("Directory (tenant) ID", browser.practice.tenant.id),
    ):
        assert f"{name} {value}" in page
    assert f"Object ID {browser.principal(object_id)['id']}" in text_of(
        browser.get("principal", id=browser.principal(object_id)["id"])
    )


@pytest.mark.parametrize("audience", ["AzureADMultipleOrgs", "PersonalMicrosoftAccount"])
def test_the_account_type_and_the_redirect_uri_are_taken(browser, audience):
    reply = browser.post("new", {"name": "web app", "audience": audience, "redirect": "https://app.example/back"})
    application = browser.application(parse_qs(urlsplit(reply.headers["Location"]).query)["id"][0])
    assert application["signInAudience"] == audience
    assert application["web"]["redirectUris"] == ["https://app.example/back"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "The name is missing."), ("   ", "The name is missing."), ("n" * 121, "The name has 121 characters")],
)
def test_a_name_that_cannot_be_taken_is_told_and_kept_in_the_box(browser, name, sentence):
    before = dict(browser.practice.tenant.applications)
    reply = browser.post("new", {"name": name})
    assert reply.status == 400
    assert sentence in said(reply)
    assert 'role="alert"' in reply.body.decode()
    assert f'value="{name}"' in reply.body.decode()
    assert browser.practice.tenant.applications == before


def test_an_account_type_that_is_not_on_the_list_is_refused_by_graph(browser):
    reply = browser.post("new", {"name": "x", "audience": "Everybody"})
    assert reply.status == 400
    assert "Invalid value specified for property 'signInAudience'" in said(reply)


def test_a_longest_name_is_taken(browser):
    assert browser.application(browser.register("n" * 120))["displayName"] == "n" * 120


# --- certificates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("server.crt", pem),
        ("server.cer", lambda one: one.public_bytes(Encoding.DER)),
        ("SERVER.PEM", pem),
        ("C:\\keys\\server.crt", pem),
        ("Schlüssel „neu“.crt", pem),
        ("server.pem", lambda one: b"Bag Attributes\r\n" + pem(one).replace(b"\n", b"\r\n")),
        ("server.cer", lambda one: pem(one).decode().encode("utf-16")),
    ],
)
def test_a_certificate_is_taken_in_every_form_people_have_it(browser, name, encode):
    object_id, certificate = browser.register(), forge.certificate()
    page = browser.follow(browser.upload(name, encode(certificate), "laptop", id=object_id))
    [credential] = browser.application(object_id)["keyCredentials"]
    thumbprint = certificate.fingerprint(forge.hashes.SHA1()).hex().upper()
    assert base64.b64decode(credential["key"]) == certificate.public_bytes(Encoding.DER)
    assert (credential["customKeyIdentifier"], credential["displayName"]) == (thumbprint, "laptop")
    assert said(page).startswith("Done: Successfully updated application clicked credentials.")
    assert thumbprint in text_of(page)


def test_a_second_certificate_leaves_the_first_alone(browser):
    object_id = browser.register()
    browser.upload("one.crt", pem(), "one", id=object_id)
    browser.upload("two.crt", pem(), "two", id=object_id)
    assert [one["displayName"] for one in browser.application(object_id)["keyCredentials"]] == ["one", "two"]


def private_keys() -> dict[str, tuple[str, bytes]]:
    """The private key in every form people have it, under names that would be taken."""
    key, certificate = forge.private_key(), forge.certificate()
    locked = BestAvailableEncryption(b"secret")
    written = {
        "PKCS #8": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "PKCS #1": key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "with a passphrase": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked),
        "elliptic": forge.elliptic_key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "DER": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "DER, PKCS #1": key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "DER with a passphrase": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, locked),
        "PFX": pkcs12.serialize_key_and_certificates(b"app", key, certificate, None, locked),
    }
    written["behind its certificate"] = pem() + written["PKCS #8"]
    written["in UTF-16"] = written["PKCS #8"].decode().encode("utf-16")
    written["base64 of DER"] = base64.encodebytes(written["DER"])
    return written


@pytest.mark.parametrize("kind", list(private_keys()))
@pytest.mark.parametrize("name", ["server.pem", "server.pfx"])
def test_a_private_key_is_refused_before_anything_of_it_is_sent_or_stored(browser, kind, name):
    object_id, data = browser.register(), private_keys()[kind]
    reply = browser.upload(name, data, id=object_id)
    assert reply.status == 400
    assert "This file holds a private key." in said(reply)
    assert "make a new pair" in text_of(reply)
    assert browser.application(object_id)["keyCredentials"] == []
    assert "PATCH" not in {entry["method"] for entry in browser.practice.state.log}
    assert base64.b64encode(data)[40:80].decode() not in json.dumps(list(browser.practice.state.log))


@pytest.mark.parametrize("name", ["server.pfx", "server.key", "server.txt", "server", "crt", "server.crt.exe"])
def test_another_ending_is_refused_with_the_admin_centers_sentence(browser, name):
    object_id = browser.register()
    reply = browser.upload(name, pem(), id=object_id)
    assert reply.status == 400
    assert "Upload a certificate (public key) with one of the following file types: .cer, .pem, .crt" in said(reply)
    assert browser.application(object_id)["keyCredentials"] == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty."),
        (b"hello", "Key credential value is invalid."),
        (b"\x30\x82\x01", "Key credential value is invalid."),
        (b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----", "The certificate in this file is damaged"),
        (pem()[:400], "The certificate in this file is damaged"),
        (pem().replace(b"A", b"B"), "Key credential value is invalid."),
    ],
)
def test_a_file_that_is_no_certificate_is_refused(browser, data, sentence):
    object_id = browser.register()
    reply = browser.upload("server.crt", data, "kept", id=object_id)
    assert reply.status == 400
    assert sentence in said(reply)
    assert 'value="kept"' in reply.body.decode()
    assert browser.application(object_id)["keyCredentials"] == []


def test_no_file_at_all_is_told(browser):
    object_id = browser.register()
    assert "No file was selected." in said(browser.upload("", b"", id=object_id))
    assert "No file was selected." in said(browser.post("upload", id=object_id))


def test_an_expired_certificate_is_refused_with_the_day_it_ended(browser):
    object_id = browser.register()
    certificate = forge.certificate(starts_in_days=-20, ends_in_days=-10)
    reply = browser.upload("server.crt", pem(certificate), id=object_id)
    assert "Key credential end date is invalid." in said(reply)
    assert f"The certificate ended on {certificate.not_valid_after_utc:%Y-%m-%d}." in text_of(reply)


def test_the_same_certificate_twice_is_told(browser):
    object_id, certificate = browser.register(), forge.certificate()
    browser.upload("server.crt", pem(certificate), id=object_id)
    reply = browser.upload("server.crt", pem(certificate), id=object_id)
    assert reply.status == 409
    assert "This certificate is there already" in said(reply)
    assert len(browser.application(object_id)["keyCredentials"]) == 1


def test_a_certificate_is_removed_and_a_stale_page_is_told(browser):
    object_id = browser.register()
    browser.upload("one.crt", pem(), "one", id=object_id)
    browser.upload("two.crt", pem(), "two", id=object_id)
    first, second = browser.application(object_id)["keyCredentials"]
    assert "Remove the certificate one ?" in text_of(
        browser.get("remove-certificate", id=object_id, key=first["keyId"])
    )
    browser.follow(browser.post("remove-certificate", id=object_id, key=first["keyId"]))
    assert browser.application(object_id)["keyCredentials"] == [second]
    again = browser.post("remove-certificate", id=object_id, key=first["keyId"])
    assert again.status == 409
    assert said(again).startswith("Stale page: ")
    assert browser.application(object_id)["keyCredentials"] == [second]


# --- client secrets --------------------------------------------------------------------------------------------------


def test_a_secret_works_is_shown_once_and_stands_in_no_log(browser):
    object_id = browser.register()
    moved = browser.post("secret", {"description": "script", "days": "90"}, id=object_id)
    page = browser.follow(moved)
    value = html.unescape(re.search(r'class="secret">([^<]+)', page.body.decode())[1])
    fields = {"client_id": browser.application(object_id)["appId"], "client_secret": value, "scope": GRAPH_SCOPE}
    assert browser.practice.form(fields | {"grant_type": "client_credentials"}).status == 200
    assert value not in text_of(browser.get("credentials", id=object_id, tab="secrets"))
    assert f"{value[:3]}******" in text_of(browser.get("credentials", id=object_id, tab="secrets"))
    assert value not in json.dumps(list(browser.practice.state.log))
    assert value not in moved.headers["Location"]


def test_a_secrets_value_is_gone_after_ten_minutes_and_nobody_can_make_it_up(browser):
    object_id = browser.register()
    moved = browser.post("secret", {"days": "180"}, id=object_id)
    browser.practice.control("clock", {"shift_seconds": 601})
    assert 'class="secret"' not in browser.follow(moved).body.decode()
    for made_up in ("x", "gAAAAA", "\x00", "é" * 50):
        assert browser.get("credentials", id=object_id, tab="secrets", shown=made_up).status == 200


def test_a_lifetime_that_is_not_on_offer_is_refused(browser):
    object_id = browser.register()
    for days in ("0", "-1", "100000", "nan", "٣"):
        assert browser.post("secret", {"days": days}, id=object_id).status == 400
    assert browser.application(object_id)["passwordCredentials"] == []


def test_a_secret_is_removed(browser):
    object_id = browser.register()
    browser.post("secret", {"days": "180"}, id=object_id)
    [credential] = browser.application(object_id)["passwordCredentials"]
    browser.follow(browser.post("remove-secret", id=object_id, key=credential["keyId"]))
    assert browser.application(object_id)["passwordCredentials"] == []
    assert said(browser.post("remove-secret", id=object_id, key=credential["keyId"])).startswith("Stale page: ")


# --- permissions -----------------------------------------------------------------------------------------------------


def test_a_configured_permission_is_a_wish_and_consent_makes_it_true(browser):
    object_id = browser.register()
    page = browser.follow(browser.add(object_id, READ_ALL))
    assert "Not granted for Contoso Practice" in text_of(page)
    assert "A configured permission is a wish and grants nothing" in text_of(page)
    assert browser.granted(object_id) == set()
    page = browser.follow(browser.post("consent", id=object_id))
    assert said(page) == "Done: Successfully granted admin consent for the requested permissions."
    assert "Granted for Contoso Practice" in text_of(page)
    assert browser.granted(object_id) == {"User.Read.All", "User.Read"}


def test_consent_twice_asks_for_nothing_that_is_there(browser):
    object_id = browser.register()
    browser.add(object_id, READ_ALL)
    browser.post("consent", id=object_id)
    before = len(browser.practice.state.log)
    browser.follow(browser.post("consent", id=object_id))
    assert {entry["method"] for entry in list(browser.practice.state.log)[before:]} == {"GET"}


def test_a_second_delegated_permission_makes_the_grant_longer(browser):
    object_id = browser.register()
    browser.post("consent", id=object_id)
    [scope] = [one for one in browser.practice.graph_principal["oauth2PermissionScopes"] if one["value"] == "Mail.Read"]
    browser.add(object_id, scope["id"], kind="delegated")
    browser.post("consent", id=object_id)
    principal = browser.principal(object_id)
    [grant] = [one for one in browser.practice.tenant.grants.values() if one["clientId"] == principal["id"]]
    assert (grant["scope"], grant["consentType"]) == ("User.Read Mail.Read", "AllPrincipals")


def test_removing_a_configured_permission_does_not_revoke_it(browser):
    object_id = browser.register()
    browser.add(object_id, READ_ALL)
    browser.post("consent", id=object_id)
    where = {"id": object_id, "api": GRAPH_APP_ID, "kind": "Role", "permission": READ_ALL}
    assert "does not revoke it" in text_of(browser.get("remove-permission", **where))
    page = browser.follow(browser.post("remove-permission", **where))
    assert browser.wishes(object_id) == {USER_READ}
    assert browser.granted(object_id) == {"User.Read.All", "User.Read"}
    assert "Other permissions granted for Contoso Practice" in text_of(page)
    assert said(browser.post("remove-permission", **where)).startswith("Stale page: ")


@pytest.mark.parametrize(("answer", "wished", "granted"), [
    ("yes", {USER_READ, READ_ALL}, {"User.Read", "User.Read.All"}), ("no", {USER_READ}, {"User.Read"})])  # fmt: skip
def test_other_permissions_are_kept_or_removed_as_the_answer_says(browser, answer, wished, granted):
    object_id = browser.register()
    browser.add(object_id, READ_ALL)
    browser.post("consent", id=object_id)
    where = {"id": object_id, "api": GRAPH_APP_ID, "kind": "Role", "permission": READ_ALL}
    browser.post("remove-permission", **where)
    assert "Do you want to keep these other granted permissions?" in text_of(browser.get("consent", id=object_id))
    browser.follow(browser.post("consent", {"others": answer}, id=object_id))
    assert (browser.wishes(object_id), browser.granted(object_id)) == (wished, granted)


def test_other_delegated_permissions_are_removed_one_by_one(browser):
    object_id = browser.register()
    browser.post("consent", id=object_id)
    principal = browser.principal(object_id)
    [grant] = [one for one in browser.practice.tenant.grants.values() if one["clientId"] == principal["id"]]
    grant["scope"] = "User.Read Mail.Read Group.Read.All"
    browser.follow(browser.post("consent", {"others": "no"}, id=object_id))
    assert browser.granted(object_id) == {"User.Read"}


@pytest.mark.parametrize(("kind", "permission", "left"), [
    ("Role", READ_ALL, {"User.Read"}), ("Scope", USER_READ, {"User.Read.All"})])  # fmt: skip
def test_revoking_takes_one_permission_away(browser, kind, permission, left):
    object_id = browser.register()
    browser.add(object_id, READ_ALL)
    browser.post("consent", id=object_id)
    where = {"id": object_id, "api": GRAPH_APP_ID, "kind": kind, "permission": permission}
    assert "Revoke admin consent for" in text_of(browser.get("revoke", **where))
    browser.follow(browser.post("revoke", **where))
    assert browser.granted(object_id) == left
    assert said(browser.post("revoke", **where)).startswith("Stale page: ")


def test_consent_without_a_permission_is_disabled_and_refused(browser):
    object_id = browser.register()
    browser.post("remove-permission", id=object_id, api=GRAPH_APP_ID, kind="Scope", permission=USER_READ)
    page = browser.get("permissions", id=object_id)
    assert re.search(r"<button disabled[^>]*>Grant admin consent", page.body.decode())
    assert "is disabled: no permission is configured." in text_of(page)
    reply = browser.post("consent", id=object_id)
    assert (reply.status, "There is nothing to consent to." in said(reply)) == (400, True)


def test_permissions_that_the_api_does_not_offer_are_refused(browser):
    object_id = browser.register()
    assert "No permission is ticked." in said(browser.add(object_id))
    assert "does not offer this permission" in said(browser.add(object_id, MAIL_READ, kind="delegated"))
    assert browser.post("add-permission", {"permission": READ_ALL}, id=object_id).status == 400
    assert browser.wishes(object_id) == {USER_READ}


def test_the_list_of_permissions_can_be_filtered(browser):
    object_id = browser.register()
    where = {"id": object_id, "api": GRAPH_APP_ID, "kind": "application"}
    assert "Mail.Read" in text_of(browser.get("add-permission", **where))
    assert "Mail.Read" not in text_of(browser.get("add-permission", **where, search="user.")).partition("Select")[2]
    assert "offers nothing of that name" in text_of(browser.get("add-permission", **where, search="zzz"))


def test_consent_makes_a_service_principal_that_is_missing(browser):
    object_id = browser.register()
    browser.practice.tenant.delete("servicePrincipal", browser.principal(object_id)["id"])
    assert "Create Service Principal" in text_of(browser.get("app", id=object_id))
    browser.follow(browser.post("consent", id=object_id))
    assert browser.granted(object_id) == {"User.Read"}


# --- enterprise apps -------------------------------------------------------------------------------------------------


def test_an_app_made_by_graph_stands_under_all_applications_only(browser):
    browser.register("made here")
    tagged, everything = text_of(browser.get("enterprise")), text_of(browser.get("enterprise", tab="all"))
    assert "made here" in tagged
    assert "daemon-console" not in tagged.partition("What this click did")[0]
    assert "daemon-console" in everything


def test_switching_an_app_off_is_one_patch_and_no_token(browser):
    principal = browser.practice.tenant.service_principal(CLIENT_ID)
    fields = {"enabled": "no", "required": "no", "notes": ""}
    page = browser.follow(browser.post("principal", fields, id=principal["id"]))
    assert principal["accountEnabled"] is False
    assert '{"accountEnabled": false}' in text_of(page)
    assert browser.practice.ask_token().json["error_codes"] == [7000112]
    assert "Nothing is different." in said(browser.post("principal", fields, id=principal["id"]))
    assert browser.post("principal", {"enabled": "maybe"}, id=principal["id"]).status == 400


def test_a_permission_is_revoked_from_the_enterprise_app(browser):
    principal = browser.practice.tenant.service_principal(CLIENT_ID)
    [assignment] = browser.practice.tenant.assignments.values()
    where = {"id": principal["id"], "grant": assignment["id"], "value": "User.Read.All"}
    assert "Revoke User.Read.All (Application)?" in text_of(browser.get("revoke-permission", **where))
    browser.follow(browser.post("revoke-permission", **where))
    assert browser.practice.tenant.assignments == {}
    assert said(browser.post("revoke-permission", **where)).startswith("Stale page: ")


def test_an_enterprise_app_is_deleted_and_microsofts_own_are_not(browser):
    object_id = browser.register()
    principal = browser.principal(object_id)
    browser.follow(browser.post("delete-principal", id=principal["id"]))
    assert browser.principal(object_id) is None
    reply = browser.post("delete-principal", id=browser.practice.graph_principal["id"])
    assert (reply.status, said(reply).startswith("Access denied: ")) == (403, True)


# --- deleting --------------------------------------------------------------------------------------------------------


def test_deleting_restoring_and_purging(browser):
    object_id = browser.register("short-lived")
    assert "The box is not ticked." in said(browser.post("delete", id=object_id))
    assert object_id in browser.practice.tenant.applications
    page = browser.follow(browser.post("delete", {"understood": "yes"}, id=object_id))
    assert said(page) == "Done: Successfully deleted application short-lived."
    gone = browser.get("app", id=object_id)
    assert (gone.status, "This app registration was deleted" in text_of(gone)) == (404, True)
    browser.follow(browser.post("restore", id=object_id))
    assert browser.principal(object_id) is not None
    browser.post("delete", {"understood": "yes"}, id=object_id)
    assert "This cannot be undone." in text_of(browser.get("purge", id=object_id))
    browser.follow(browser.post("purge", id=object_id))
    assert object_id not in browser.practice.tenant.deleted
    assert "There is nothing here" in text_of(browser.get("app", id=object_id))
    for page_name in ("purge", "restore"):
        assert browser.post(page_name, id=object_id).status == 404
        assert browser.post(page_name, id="x").status == 404


# --- every page ------------------------------------------------------------------------------------------------------


def every_page(browser: Browser) -> dict[str, Reply]:
    """Each page that can be looked at, in a tenant in which there is something to see, with hostile names."""
    object_id = browser.register(HOSTILE)
    browser.upload("server.crt", pem(), HOSTILE, id=object_id)
    browser.post("secret", {"description": HOSTILE, "days": "180"}, id=object_id)
    browser.add(object_id, READ_ALL)
    browser.post("consent", id=object_id)
    application, principal = browser.application(object_id), browser.principal(object_id)
    principal["notes"] = HOSTILE
    gone = browser.register(HOSTILE)
    browser.post("delete", {"understood": "yes"}, id=gone)
    [assignment] = [
        one for one in browser.practice.tenant.assignments.values() if one["principalId"] == principal["id"]
    ]
    permission = {"api": GRAPH_APP_ID, "kind": "Role", "permission": READ_ALL}
    more = {
        "purge": {"id": gone},
        "remove-certificate": {"key": application["keyCredentials"][0]["keyId"]},
        "remove-secret": {"key": application["passwordCredentials"][0]["keyId"]},
        "add-permission": {"api": GRAPH_APP_ID, "kind": "application", "search": HOSTILE},
        "remove-permission": permission,
        "revoke": permission,
        "apps": {"search": HOSTILE},
        "enterprise": {"search": HOSTILE},
        "principal": {"id": principal["id"]},
        "delete-principal": {"id": principal["id"]},
        "principal-permissions": {"id": principal["id"]},
        "revoke-permission": {"id": principal["id"], "grant": assignment["id"], "value": "User.Read.All"},
    }
    pages = {name: {"id": object_id} | more.get(name, {}) for name, (show, _) in PAGES.items() if show}
    pages = {name: browser.get(name, **query) for name, query in pages.items()}
    pages["apps, all"], pages["apps, deleted"] = browser.get("apps"), browser.get("apps", tab="deleted")
    pages["secrets"] = browser.get("credentials", id=object_id, tab="secrets")
    pages["gone"] = browser.get("app", id=gone)
    return pages


def test_every_page_escapes_every_name(browser):
    seen = 0
    for name, page in every_page(browser).items():
        text = page.body.decode()
        assert page.status in (200, 404), (name, said(page))
        assert "<script" not in text, name
        assert text.count("</title>") == 1, name
        seen += html.escape(HOSTILE) in text
    assert seen > 15


def test_every_page_says_whose_it_is_not_and_can_be_heard(browser):
    for name, page in every_page(browser).items():
        text = page.body.decode()
        assert "It is not Microsoft&#x27;s." in text, name
        assert re.search(r"<title>[^<]+ · Practice portal \(not Microsoft&#x27;s\)</title>", text), name
        assert '<html lang="en">' in text
        assert text.count("<h1>") == 1
        assert text.count("<main ") == 1
        assert '<nav class="side" aria-label="Portal">' in text
        assert re.search(r'<aside class="did" aria-labelledby="did"><h2 id="did">', text)
        assert not re.search(r"<th(?! scope)[ >]", text), name
        for control in re.findall(r"<(?:input|select|textarea)[^>]*>", text):
            inside = re.search(rf"(?s)<label[^>]*>(?:(?!</label>).)*{re.escape(control)}", text)
            assert 'type="hidden"' in control or inside, (name, control)


def test_every_link_is_relative_and_leads_to_a_page(browser):
    for name, page in every_page(browser).items():
        for link in re.findall(r'(?:href|action)="([^"]*)"', page.body.decode()):
            target = html.unescape(link).partition("?")[0]
            assert target in PAGES or link == "#page", (name, link)


def test_a_page_costs_no_more_in_a_large_directory():
    """A page does not look through everybody: it is a ratio of one run, because seconds differ between machines."""
    few, many = (Browser(Practice(users=users)) for users in (30, 5_000))
    for page in ("apps", "new", "enterprise"):
        best = [min(_seconds(browser, page) for _ in range(5)) for browser in (few, many)]
        assert best[1] < 5 * best[0], page


def _seconds(browser: Browser, page: str) -> float:
    began = time.perf_counter()
    browser.get(page)
    return time.perf_counter() - began


def test_an_id_that_leads_nowhere_has_a_page(browser):
    for name in ("app", "permissions", "credentials", "upload", "principal", "delete", "consent"):
        for object_id in (
            "",
            "0",
            "5a1e1b34-9d0c-4c0b-8f77-0f6d6f0c4b11",
            "../../users",
            "appId='x'",
            "%00",
            "é",
            "$count",
            "$ref",
        ):
            assert browser.get(name, id=object_id).status == 404, (name, object_id)
    assert browser.get("no-such-page").status == 404
    assert browser.get("app", id="").headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_search_finds_by_the_beginning_of_a_name_and_by_id(browser):
    browser.register("Report's daemon")
    for wanted in ("report's", browser.practice.tenant.client_id):
        page = browser.get("apps", search=wanted)
        assert page.status == 200
        assert ("Report's daemon" in text_of(page)) == (wanted == "report's")
    assert "No registration begins with" in text_of(browser.get("apps", search="zzz"))


# --- what this click did ---------------------------------------------------------------------------------------------


def did(reply: Reply) -> str:
    return text_of(reply).partition("What this click did")[2].partition("Showing this page")[0]


def test_a_page_shows_the_requests_of_the_click_that_led_to_it(browser):
    page = browser.follow(browser.post("new", {"name": "seen"}))
    assert "2 requests to Microsoft Graph" in did(page)
    assert "POST /v1.0/applications 201 Created" in did(page)
    assert '"displayName": "seen"' in did(page)
    assert "POST /v1.0/servicePrincipals 201 Created" in did(page)
    assert "It changed nothing." in did(browser.get("apps"))


def test_a_refusal_is_shown_with_its_status_and_the_page_it_happened_on(browser):
    browser.acting = "developer"
    object_id = browser.register()
    browser.add(object_id, READ_ALL)
    reply = browser.post("consent", id=object_id)
    assert re.search(r"POST /v1.0/servicePrincipals/\S+/appRoleAssignedTo 403 Forbidden", did(reply))


def test_the_request_log_remembers_the_clicks(browser):
    browser.upload("server.crt", pem(), id=browser.register())
    entries = [one for one in browser.practice.control("requests", method="GET").json["requests"] if "click" in one]
    assert {entry["acting"] for entry in entries} == {"administrator"}
    [patch] = [entry for entry in entries if entry["method"] == "PATCH"]
    assert (patch["portal"], patch["party"], patch["status"]) == ("upload", "graph", 204)
    assert re.search(r'"key": "\S{16}… \([\d,]+ characters\)"', patch["body"])
    everything = json.dumps(entries)
    assert browser.practice.state.portal_key not in everything
    assert "Bearer" not in everything


def test_a_reset_and_a_made_up_click_make_the_portal_say_nothing(browser):
    moved = browser.post("new", {"name": "soon gone"})
    browser.practice.control("reset")
    page = browser.request("GET", moved.headers["Location"])
    assert (page.status, said(page)) == (404, "")
    for made_up in ("<b>said</b>", "gAAAAA", moved.headers["Location"]):
        assert said(browser.get("apps", click=made_up, said=made_up)) == ""


def test_faults_and_latency_are_for_the_clients_of_a_lesson(browser):
    browser.practice.control("faults", {"target": "graph", "status": 503})
    assert browser.get("apps").status == 200
    assert browser.practice.get("/v1.0/users?$top=1").status == 503


# --- act as ----------------------------------------------------------------------------------------------------------


def test_a_developer_registers_owns_and_may_not_consent(browser):
    browser.acting = "developer"
    object_id = browser.register()
    [owner] = browser.practice.tenant.owners[object_id]
    assert browser.practice.tenant.people.find(owner)["displayName"] == "Lucía Ramírez Ortega"
    assert browser.upload("server.crt", pem(), id=object_id).status == 303
    assert browser.add(object_id, READ_ALL).status == 303
    page = browser.get("permissions", id=object_id)
    assert "is disabled: Lucía Ramírez Ortega has no directory role that may consent." in text_of(page)
    reply = browser.post("consent", id=object_id)
    assert reply.status == 403
    assert said(reply).startswith("Access denied: Insufficient privileges to complete the operation.")
    assert browser.granted(object_id) == set()
    assert browser.post("delete", {"understood": "yes"}, id=object_id).status == 303
    assert browser.post("purge", id=object_id).status == 303


@pytest.mark.parametrize("acting", ["developer", "privileged-role-administrator"])
def test_who_does_not_own_an_app_and_has_no_role_for_apps_changes_nothing(browser, acting):
    object_id = browser.register()
    browser.acting = acting
    assert browser.get("app", id=object_id).status == 200
    assert browser.upload("server.crt", pem(), id=object_id).status == 403
    assert browser.post("secret", {"days": "180"}, id=object_id).status == 403
    assert browser.add(object_id, READ_ALL).status == 403
    assert browser.post("delete", {"understood": "yes"}, id=object_id).status == 403
    principal = browser.principal(object_id)
    assert browser.post("principal", {"enabled": "no", "required": "no"}, id=principal["id"]).status == 403
    browser.acting = ""
    browser.post("delete", {"understood": "yes"}, id=object_id)
    browser.acting = acting
    assert browser.post("restore", id=object_id).status == 403
    assert browser.post("purge", id=object_id).status == 403


def test_a_cloud_application_administrator_consents_to_all_but_graphs_application_permissions(browser):
    browser.acting = "cloud-application-administrator"
    object_id = browser.register()
    assert browser.practice.tenant.owners.get(object_id, set()) == set()
    assert browser.post("consent", id=object_id).status == 303
    assert browser.granted(object_id) == {"User.Read"}
    browser.add(object_id, READ_ALL)
    reply = browser.post("consent", id=object_id)
    assert (reply.status, "Graph's application permissions" in text_of(reply)) == (403, True)
    assert browser.granted(object_id) == {"User.Read"}


def test_a_privileged_role_administrator_consents(browser):
    object_id = browser.register()
    browser.add(object_id, READ_ALL)
    browser.acting = "privileged-role-administrator"
    assert browser.post("consent", id=object_id).status == 303
    assert browser.granted(object_id) == {"User.Read", "User.Read.All"}


def test_who_acts_stays_in_every_link_and_form(browser):
    browser.acting = "developer"
    page = browser.get("app", id=browser.register()).body.decode()
    links = [html.unescape(one) for one in re.findall(r'(?:href|action)="([^"#]+)"', page)]
    assert {link for link in links if "as=developer" not in link} <= {"app"}  # the form of "Act as" itself
    assert 'value="developer" selected' in page


def test_an_unknown_part_is_the_administrator(browser):
    browser.acting = "emperor"
    assert f"selected>Global Administrator: {ADMINISTRATOR.name}" in browser.get("apps").body.decode()
