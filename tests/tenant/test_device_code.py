"""The practice administrator signs in by device code: two endpoints, the page a person sees, and the real MSAL."""

import json
import re

import forge
import msal
import pytest
from practice import ORIGIN, SECRET, Practice, running
from practice_tenant.directory.made_people import PEOPLE_FILE
from practice_tenant.directory.well_known import ADMINISTRATOR, PERMISSIONS
from practice_tenant.entra.sign_in import LIFETIME
from practice_tenant.graph.routes import ROUTES
from practice_tenant.messages import FORM

TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"  # Microsoft Graph Command Line Tools
TENANT = "7d2c9e5a-1b64-4f0e-9a37-c3d58e41f260"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = "User.Read.All Application.ReadWrite.All openid profile offline_access"


def begin(practice, scope=SCOPES, tenant=None, **changes):
    fields = {"client_id": TOOLS, "scope": scope} | changes
    return practice.form(fields, tenant, endpoint="oauth2/v2.0/devicecode")


def poll(practice, codes, tenant=None, **changes):
    fields = {"client_id": TOOLS, "grant_type": DEVICE_GRANT, "device_code": codes["device_code"], "client_info": "1"}
    return practice.form({**fields, **changes}, tenant)


def signed_in(practice, scope=SCOPES, **changes):
    codes = begin(practice, scope).json
    practice.control("sign-in", {"user_code": codes["user_code"]})
    return poll(practice, codes, **changes)


def refused(reply):
    return reply.status, reply.json["error"], reply.json["error_codes"]


# --- asking for a code ------------------------------------------------------------------------------------------


def test_the_answer_is_the_documented_one(practice):
    reply = begin(practice)
    assert reply.status == 200
    assert list(reply.json) == ["user_code", "device_code", "verification_uri", "expires_in", "interval", "message"]
    assert (reply.json["expires_in"], reply.json["interval"]) == (900, 5)
    assert re.fullmatch(r"[A-Z2-9]{9}", reply.json["user_code"])
    assert reply.json["verification_uri"] == f"{ORIGIN}/common/oauth2/deviceauth"
    assert reply.json["message"] == (
        f"To sign in, use a web browser to open the page {reply.json['verification_uri']} and enter the code "
        f"{reply.json['user_code']} to authenticate."
    )
    assert reply.headers["Cache-Control"] == "no-store, no-cache"


@pytest.mark.parametrize("tenant", ["common", "organizations", "contoso.example", TENANT])
def test_a_person_may_come_from_any_endpoint_that_has_people(practice, tenant):
    codes = begin(practice, tenant=tenant).json
    practice.control("sign-in", {"user_code": codes["user_code"]})
    assert poll(practice, codes, tenant).status == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_id": ""}, (400, "invalid_request", [900144])),
        ({"scope": ""}, (400, "invalid_request", [900144])),
        ({"client_id": TENANT}, (400, "unauthorized_client", [700016])),
        ({"tenant": TENANT[::-1]}, (400, "invalid_request", [900023])),
        ({"tenant": "consumers"}, (400, "invalid_request", [900023])),
        ({"scope": "User.Raed.All"}, (400, "invalid_scope", [70011])),
        ({"scope": "https://vault.azure.net/.default"}, (400, "invalid_scope", [70011])),
        ({"scope": ".default"}, (400, "invalid_scope", [70011])),
    ],
)
def test_a_request_that_does_not_fit_is_refused(practice, changes, expected):
    assert refused(begin(practice, **changes)) == expected


def test_get_is_refused(practice):
    reply = practice.send("GET", f"/{TENANT}/oauth2/v2.0/devicecode")
    assert refused(reply) == (400, "invalid_request", [900561])


def test_every_delegated_permission_graph_asks_for_can_be_asked_for():
    asked = {scope for route in ROUTES for scope in route.scopes}
    assert asked <= set(PERMISSIONS)


def test_the_administrator_is_an_account_of_the_directory():
    people = [json.loads(line) for line in PEOPLE_FILE.read_text(encoding="utf-8").splitlines()]
    (account,) = [person for person in people if person["id"] == ADMINISTRATOR.id]
    assert account["userPrincipalName"] == ADMINISTRATOR.user_principal_name
    assert account["displayName"] == ADMINISTRATOR.name
    assert account["accountEnabled"] is True


# --- polling ----------------------------------------------------------------------------------------------------


def test_polling_goes_on_until_the_person_has_signed_in(practice):
    codes = begin(practice).json
    pending = poll(practice, codes)
    assert refused(pending) == (400, "authorization_pending", [70016])
    assert pending.json["error_description"].startswith(
        "AADSTS70016: OAuth 2.0 device flow error. Authorization is pending. Continue polling. Trace ID: "
    )
    assert refused(poll(practice, codes)) == (400, "authorization_pending", [70016])
    practice.control("sign-in", {"user_code": codes["user_code"]})
    assert poll(practice, codes).status == 200
    assert refused(poll(practice, codes)) == (400, "bad_verification_code", [70018])  # it is good once


def test_a_person_may_decline(practice):
    codes = begin(practice).json
    practice.control("sign-in", {"user_code": codes["user_code"], "action": "decline"})
    assert refused(poll(practice, codes)) == (400, "authorization_declined", [65004])


def test_a_code_expires_after_fifteen_minutes(practice):
    codes = begin(practice).json
    practice.control("clock", {"shift_seconds": LIFETIME})
    assert refused(poll(practice, codes)) == (400, "expired_token", [70020])
    assert practice.control("sign-in", {"user_code": codes["user_code"]}).status == 404


def test_a_code_nobody_gave_out_is_refused(practice):
    assert refused(poll(practice, {"device_code": "guess"})) == (400, "bad_verification_code", [70018])
    assert refused(poll(practice, {"device_code": ""})) == (400, "invalid_request", [900144])


def test_a_code_belongs_to_the_app_that_asked_for_it(practice):
    codes = begin(practice).json
    practice.control("sign-in", {"user_code": codes["user_code"]})
    reply = poll(practice, codes, client_id=practice.tenant.client_id, client_secret=SECRET)
    assert refused(reply) == (400, "bad_verification_code", [70018])


def test_a_public_client_shows_no_credential(practice):
    codes = begin(practice).json
    assert refused(poll(practice, codes, client_secret="guess")) == (401, "invalid_client", [700025])
    reply = practice.ask_token({"client_id": TOOLS})
    assert refused(reply) == (401, "invalid_client", [700025])
    assert reply.json["error_description"].startswith(
        "AADSTS700025: Client is public so neither 'client_assertion' nor 'client_secret' should be presented. "
    )


def test_an_app_with_credentials_shows_them_when_it_redeems(practice):
    client_id = practice.tenant.client_id
    codes = begin(practice, client_id=client_id).json
    practice.control("sign-in", {"user_code": codes["user_code"]})
    assert refused(poll(practice, codes, client_id=client_id)) == (401, "invalid_client", [7000218])
    assert refused(poll(practice, codes, client_id=client_id, client_secret="guess")) == (
        401, "invalid_client", [7000215])  # fmt: skip
    reply = poll(practice, codes, client_id=client_id, client_secret=SECRET)
    assert practice.claims(reply.json["access_token"])["appid"] == client_id


def test_an_app_without_a_service_principal_gets_nothing(practice):
    client_id = practice.tenant.client_id
    practice.remove_service_principal()
    reply = poll(practice, {"device_code": "any"}, client_id=client_id, client_secret=SECRET)
    assert refused(reply) == (401, "invalid_client", [7000229])


@pytest.mark.parametrize("field", ["device_code", "code"])
@pytest.mark.parametrize("grant_type", [DEVICE_GRANT, "device_code"])
def test_both_spellings_that_microsofts_libraries_use_are_taken(practice, field, grant_type):
    codes = begin(practice).json
    practice.control("sign-in", {"user_code": codes["user_code"]})
    fields = {"client_id": TOOLS, "grant_type": grant_type, field: codes["device_code"]}
    assert practice.form(fields).status == 200


# --- tokens -----------------------------------------------------------------------------------------------------


def test_the_answer_for_a_person(practice):
    answer = signed_in(practice).json
    assert list(answer) == ["token_type", "scope", "expires_in", "ext_expires_in", "access_token", "refresh_token",
                            "id_token", "client_info"]  # fmt: skip
    assert answer["scope"] == "User.Read.All Application.ReadWrite.All openid profile"
    info = json.loads(forge.decode(answer["client_info"]))
    assert info == {"uid": ADMINISTRATOR.id, "utid": TENANT}


def test_only_what_was_asked_for_goes_along(practice):
    answer = signed_in(practice, "User.Read.All", client_info="0").json
    assert list(answer) == ["token_type", "scope", "expires_in", "ext_expires_in", "access_token"]


def test_the_access_token_carries_delegated_permissions_and_the_person(practice):
    header, claims = forge.decoded(signed_in(practice).json["access_token"])
    assert list(header) == ["typ", "nonce", "alg", "x5t", "kid"]
    assert claims["scp"] == "User.Read.All Application.ReadWrite.All openid profile"
    assert "roles" not in claims
    assert (claims["appid"], claims["appidacr"], claims["idtyp"], claims["ver"]) == (TOOLS, "0", "user", "1.0")
    assert (claims["oid"], claims["upn"]) == (ADMINISTRATOR.id, ADMINISTRATOR.user_principal_name)
    assert claims["aud"] == "00000003-0000-0000-c000-000000000000"
    assert claims["iss"] == f"https://sts.windows.net/{TENANT}/"


def test_the_id_token_is_v2_for_the_app_itself_and_no_good_at_graph(practice):
    id_token = signed_in(practice).json["id_token"]
    header, claims = forge.decoded(id_token)
    assert list(header) == ["typ", "alg", "kid"]
    assert (claims["aud"], claims["ver"], claims["iss"]) == (TOOLS, "2.0", f"{ORIGIN}/{TENANT}/v2.0")
    assert claims["preferred_username"] == ADMINISTRATOR.user_principal_name
    refusal = (401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
    assert practice.get("/v1.0/users", id_token).error == refusal


def test_graph_takes_the_token_for_what_was_consented_to_and_nothing_else(practice):
    reads = signed_in(practice, "https://graph.microsoft.com/User.Read.All").json["access_token"]
    assert practice.get("/v1.0/users?$top=1", reads).status == 200
    mail = signed_in(practice, "mail.read").json
    assert mail["scope"] == "Mail.Read"
    assert practice.get("/v1.0/users", mail["access_token"]).error[1] == "Authorization_RequestDenied"


def test_me_is_the_person_who_signed_in(practice):
    token = signed_in(practice, "User.Read").json["access_token"]
    reply = practice.get("/v1.0/me?$select=id,userPrincipalName", token)
    assert reply.json == {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users(id,userPrincipalName)/$entity",
        "id": ADMINISTRATOR.id,
        "userPrincipalName": ADMINISTRATOR.user_principal_name,
    }
    assert practice.get("/v1.0/users", token).status == 403
    assert practice.get("/v1.0/me/manager", token).status == 403
    assert practice.get("/v1.0/me/messages", token).error[2] == "Resource not found for the segment 'messages'."


def test_my_manager_is_the_manager_of_the_person_who_signed_in(practice):
    token = signed_in(practice, "User.Read.All Directory.AccessAsUser.All").json["access_token"]
    [boss] = practice.get("/v1.0/users?$top=1&$filter=jobTitle eq 'Chief Executive Officer'", token).json["value"]
    practice.tenant.people.replace(practice.tenant.people.find(ADMINISTRATOR.id) | {"manager": boss["id"]})
    assert practice.get("/v1.0/me/manager?$select=id", token).json["id"] == boss["id"]


def test_default_stands_for_all_that_was_consented_to(practice):
    signed_in(practice, "Application.ReadWrite.All")
    answer = signed_in(practice, "https://graph.microsoft.com/.default").json
    assert answer["scope"] == "https://graph.microsoft.com/.default Application.ReadWrite.All User.Read"
    assert practice.claims(answer["access_token"])["scp"] == "Application.ReadWrite.All User.Read"


# --- refresh ----------------------------------------------------------------------------------------------------


def refresh(practice, token, **changes):
    return practice.form({"client_id": TOOLS, "grant_type": "refresh_token", "refresh_token": token} | changes)


def test_a_refresh_token_brings_new_tokens_again_and_again(practice):
    first = signed_in(practice).json
    second = refresh(practice, first["refresh_token"]).json
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert refresh(practice, first["refresh_token"]).status == 200
    assert practice.get("/v1.0/users?$top=1", second["access_token"]).status == 200


def test_a_refresh_token_is_good_for_fewer_scopes_but_not_for_new_ones(practice):
    token = signed_in(practice).json["refresh_token"]
    assert refresh(practice, token, scope="User.Read.All").json["scope"] == "User.Read.All"
    reply = refresh(practice, token, scope="Mail.Read")
    assert refused(reply) == (400, "invalid_grant", [65001])
    assert f"with ID '{TOOLS}' named 'Microsoft Graph Command Line Tools'" in reply.json["error_description"]


def test_a_refresh_token_belongs_to_its_app_and_its_time(practice):
    token = signed_in(practice).json["refresh_token"]
    foreign = refresh(practice, token, client_id=practice.tenant.client_id, client_secret=SECRET)
    assert refused(foreign) == refused(refresh(practice, "guess")) == (400, "invalid_grant", [9002313])
    practice.control("clock", {"shift_seconds": 90 * 86_400})
    assert refused(refresh(practice, token)) == (400, "invalid_grant", [700082])


def test_a_reset_forgets_who_signed_in(practice):
    answer, codes = signed_in(practice).json, begin(practice).json
    practice.control("reset")
    assert refused(refresh(practice, answer["refresh_token"])) == (400, "invalid_grant", [9002313])
    assert refused(poll(practice, codes)) == (400, "bad_verification_code", [70018])


# --- the page ---------------------------------------------------------------------------------------------------

PAGE = "/common/oauth2/deviceauth"


def press(practice, fields, **headers):
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    return practice.send("POST", PAGE, {"Content-Type": FORM} | headers, body)


def page_key(practice):
    return re.search(r'name="page_key" value="([^"]+)"', practice.send("GET", PAGE).body.decode())[1]


@pytest.mark.parametrize(("decision", "status"), [("approve", 200), ("decline", 400)])
def test_a_person_types_the_code_reads_who_asks_and_decides(practice, decision, status):
    codes = begin(practice).json
    first = practice.send("GET", codes["verification_uri"])
    assert first.status == 200
    typed = codes["user_code"][:4].lower() + " - " + codes["user_code"][4:]
    fields = {"page_key": page_key(practice), "user_code": typed.replace(" ", "+")}
    question = press(practice, fields).body.decode()
    assert "Microsoft Graph Command Line Tools" in question
    assert ADMINISTRATOR.user_principal_name in question
    assert "<li>Application.ReadWrite.All</li>" in question
    assert refused(poll(practice, codes)) == (400, "authorization_pending", [70016])  # nothing is decided yet
    press(practice, fields | {"decision": decision}, Origin=ORIGIN)
    assert poll(practice, codes).status == status


def test_a_wrong_code_is_told_without_repeating_it(practice):
    reply = press(practice, {"page_key": page_key(practice), "user_code": "%3Cscript%3Ealert(1)%3C/script%3E"})
    assert reply.status == 200
    assert b"That code did not work" in reply.body
    assert b"script" not in reply.body


def test_another_page_cannot_press_the_buttons(practice):
    codes = begin(practice).json
    fields = {"page_key": page_key(practice), "user_code": codes["user_code"], "decision": "approve"}
    assert press(practice, fields, Origin="https://practice.example").status == 403
    assert press(practice, fields, Origin="null").status == 403
    for forged in ("", "guess", page_key(Practice())):
        assert press(practice, fields | {"page_key": forged}).status == 403
    assert refused(poll(practice, codes)) == (400, "authorization_pending", [70016])


def test_names_are_escaped(practice):
    practice.tenant.application(practice.tenant.client_id)["displayName"] = "<img src=x onerror=alert(1)>&\"'"
    codes = begin(practice, client_id=practice.tenant.client_id).json
    fields = {"page_key": page_key(practice), "user_code": codes["user_code"]}
    for reply in (press(practice, fields), press(practice, fields | {"decision": "approve"})):
        assert b"<img" not in reply.body
        assert b"&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#x27;" in reply.body


def test_the_page_loads_nothing_and_cannot_be_framed(practice):
    reply = practice.send("GET", PAGE)
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert not re.search(rb"(?:src|href|action)=", reply.body)


def test_the_page_takes_no_other_method(practice):
    assert practice.send("DELETE", PAGE).status == 405


# --- the control call -------------------------------------------------------------------------------------------


def test_control_knows_no_other_code(practice):
    assert practice.control("sign-in", {"user_code": "NOBODYHAS"}).status == 404


@pytest.mark.parametrize("body", [{}, {"user_code": 7}, {"user_code": None}])
def test_control_wants_a_code(practice, body):
    reply = practice.control("sign-in", body)
    assert (reply.status, reply.json) == (400, {"error": "user_code is a text."})


def test_control_takes_no_other_action(practice):
    codes = begin(practice).json
    reply = practice.control("sign-in", {"user_code": codes["user_code"], "action": "shrug"})
    assert reply.status == 400
    assert reply.json == {"error": "action is one of: approve, decline."}


def test_a_code_is_decided_once(practice):
    codes = begin(practice).json
    reply = practice.control("sign-in", {"user_code": codes["user_code"]})
    assert reply.json == {"user": ADMINISTRATOR.user_principal_name, "client": "Microsoft Graph Command Line Tools",
                          "action": "approve"}  # fmt: skip
    assert practice.control("sign-in", {"user_code": codes["user_code"], "action": "decline"}).status == 404
    assert poll(practice, codes).status == 200


def test_the_log_keeps_no_code_and_no_token(practice):
    codes = begin(practice).json
    practice.control("sign-in", {"user_code": codes["user_code"]})
    answer = poll(practice, codes).json
    refresh(practice, answer["refresh_token"])
    shown = json.dumps(practice.control("requests", method="GET").json)
    secrets = [codes["device_code"], codes["user_code"], answer["access_token"], answer["refresh_token"]]
    assert [one for one in secrets if one in shown] == []


# --- the real MSAL ----------------------------------------------------------------------------------------------


def test_msal_signs_the_administrator_in_caches_and_refreshes():
    with running() as tenant:
        app = msal.PublicClientApplication(
            TOOLS, authority=tenant.facts["authority"], http_client=tenant.session, instance_discovery=False
        )
        scopes = ["Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All"]
        flow = app.initiate_device_flow(scopes)
        assert flow["message"].startswith("To sign in, use a web browser to open the page ")
        pending = app.acquire_token_by_device_flow(flow, exit_condition=lambda flow: True)
        assert pending["error"] == "authorization_pending"

        tenant.control("sign-in", {"user_code": flow["user_code"]})
        flow["latest_attempt_at"] = 0  # so that MSAL does not wait for its interval
        result = app.acquire_token_by_device_flow(flow)
        assert result["id_token_claims"]["preferred_username"] == ADMINISTRATOR.user_principal_name
        assert result["token_source"] == "identity_provider"

        (account,) = app.get_accounts()
        assert account["username"] == ADMINISTRATOR.user_principal_name
        cached = app.acquire_token_silent(scopes, account)
        assert (cached["token_source"], cached["access_token"]) == ("cache", result["access_token"])
        fresh = app.acquire_token_silent(scopes, account, force_refresh=True)
        assert fresh["access_token"] != result["access_token"]
        claims = forge.decoded(fresh["access_token"])[1]
        assert set(scopes) <= set(claims["scp"].split())
        assert app.acquire_token_silent(["Mail.Read"], account) is None
