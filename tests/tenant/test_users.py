"""`/users` of Microsoft Graph: lists, pages, single users, counts."""

import base64
import json
import time
from itertools import islice
from urllib.parse import quote

import pytest
from practice import GRAPH_SCOPE, ORIGIN, Practice, fresh, in_url, pages
from practice_tenant.directory import people as people_module
from practice_tenant.directory.made_people import PEOPLE_FILE
from practice_tenant.directory.well_known import ADMINISTRATOR
from practice_tenant.graph import users as users_module

DEFAULT_IN_ORDER = [
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName", "id",
]  # fmt: skip
PEOPLE = [json.loads(line) for line in PEOPLE_FILE.read_text(encoding="utf-8").splitlines()]
IDS = [person["id"] for person in PEOPLE]
GUEST = next(person for person in PEOPLE if "#EXT#" in person["userPrincipalName"])
EVENTUAL = {"ConsistencyLevel": "eventual"}
BAD_TOKEN = (400, "Request_BadRequest", "Invalid Skip Token")


def ids(page):
    return [user["id"] for user in page["value"]]


def skiptoken(page):
    return page["@odata.nextLink"].partition("$skiptoken=")[2].partition("&")[0]


# --- one page ---------------------------------------------------------------------------------------------------


def test_the_default_page_is_a_hundred_users_with_eleven_properties_in_the_recorded_order(shared):
    reply = shared.get("/v1.0/users")
    assert reply.status == 200
    assert list(reply.json) == ["@odata.context", "@odata.nextLink", "value"]
    assert reply.json["@odata.context"] == "https://graph.microsoft.com/v1.0/$metadata#users"
    assert ids(reply.json) == IDS[:100]
    assert all(list(user) == DEFAULT_IN_ORDER for user in reply.json["value"])


def test_what_is_not_set_is_null_and_an_empty_collection(shared):
    users = [user for page in pages(shared, "/v1.0/users?$top=999") for user in page["value"]]
    for user, person in zip(users, PEOPLE, strict=True):
        empty = {name: [] if name == "businessPhones" else None for name in DEFAULT_IN_ORDER}
        assert user == {name: person.get(name, nothing) for name, nothing in empty.items()}


def test_the_body_is_compact_json_in_utf_8(shared):
    body = shared.get("/v1.0/users?$top=999").body
    assert body == json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()


def test_headers_are_the_recorded_ones(shared):
    headers = shared.get("/v1.0/users", headers={"client-request-id": "mine"}).headers
    assert headers["Content-Type"] == (
        "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
    )
    assert headers["OData-Version"] == "4.0"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["client-request-id"] == "mine"
    assert headers["x-ms-resource-unit"] == "2"
    assert set(json.loads(headers["x-ms-ags-diagnostic"])["ServerInfo"]) == {
        "DataCenter", "Slice", "Ring", "ScaleUnit", "RoleInstance"}  # fmt: skip


def test_select_returns_what_was_asked_for_in_that_order_and_no_id(shared):
    page = shared.get("/v1.0/users?$select=surname,accountEnabled,givenName").json
    assert page["@odata.context"].endswith("$metadata#users(surname,accountEnabled,givenName)")
    assert all(list(user) == ["surname", "accountEnabled", "givenName"] for user in page["value"])
    assert page["value"][0]["accountEnabled"] is PEOPLE[0]["accountEnabled"]


def test_select_names_have_no_case_and_come_back_in_the_metadatas(shared):
    page = shared.get("/v1.0/users?$select=DISPLAYNAME,ID&$top=1").json
    assert page["value"] == [{"displayName": PEOPLE[0]["displayName"], "id": IDS[0]}]


def test_select_leaves_out_a_name_that_nobody_knows(shared):
    """Without a word: what came has to be compared with what was asked for."""
    page = shared.get("/v1.0/users?$select=displayNam,id,officelocation&$top=1").json
    assert page["@odata.context"].endswith("#users(displayNam,id,officeLocation)")
    assert page["value"] == [{"id": IDS[0], "officeLocation": PEOPLE[0].get("officeLocation")}]
    single = shared.get(f"/v1.0/users/{IDS[0]}?$select=noSuchProperty").json
    assert single == {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users(noSuchProperty)/$entity"}
    principals = shared.get("/v1.0/servicePrincipals?$select=appld", shared.token(roles=("Application.Read.All",)))
    assert set(map(str, principals.json["value"])) == {"{}"}


def test_select_of_what_a_list_cannot_return_is_501(shared):
    refused = (501, "NotImplemented", "This operation target is not yet supported.")
    assert shared.get("/v1.0/users?$select=displayName,skills").error == refused


@pytest.mark.parametrize("top", [1, 2, 100, 999])
def test_top_is_the_size_of_a_page(shared, top):
    page = shared.get(f"/v1.0/users?$top={top}").json
    assert ids(page) == IDS[:top]
    assert ("@odata.nextLink" in page) is (top < len(IDS))


@pytest.mark.parametrize("top", ["0", "1000", "-1", "100000"])
def test_top_outside_1_to_999_is_refused(shared, top):
    text = f"Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive."
    assert shared.get(f"/v1.0/users?$top={top}").error == (400, "Request_UnsupportedQuery", text)


@pytest.mark.parametrize("top", ["", "ten", "1.5", "٣", "1e2"])
def test_top_that_is_no_number_is_refused(shared, top):
    assert shared.get(f"/v1.0/users?$top={in_url(top)}").error[:2] == (400, "BadRequest")


def test_skip_is_not_supported(shared):
    refused = (400, "Request_BadRequest", "'$skip' is not supported by the service.")
    assert shared.get("/v1.0/users?$skip=10").error == refused


def test_the_dollar_sign_may_be_encoded(shared):
    assert ids(shared.get("/v1.0/users?%24top=3").json) == IDS[:3]


def test_when_somebody_signed_in_is_for_readers_of_the_audit_log(shared):
    text = "Calling principal does not have required MSGraph permissions AuditLog.Read.All"
    refused = (403, "Authentication_MSGraphPermissionMissing", text)
    filtered = "/v1.0/users?$filter=signInActivity/lastSignInDateTime le 2019-06-01T00:00:00Z"
    single = f"/v1.0/users/{IDS[0]}?$select=signInActivity"
    inside = "/v1.0/users?$expand=manager($levels=1;$select=signInActivity)"
    manager = f"/v1.0/users/{IDS[0]}/manager?$select=signInActivity"
    deleted = "/v1.0/directory/deletedItems/user?$select=signInActivity"
    for target in ("/v1.0/users?$select=displayName,signInActivity", filtered, single, inside, manager, deleted):
        assert shared.get(target).error == refused, target
    token = shared.token(roles=("User.Read.All", "AuditLog.Read.All"))
    chosen = "$select=displayName,signInActivity"
    found = [user for page in pages(shared, f"/v1.0/users?{chosen}", token=token) for user in page["value"]]
    for person, user in zip(PEOPLE, found, strict=True):  # who never has, has no such property
        assert user.get("signInActivity") == person.get("signInActivity")
    assert 0 < sum("signInActivity" not in user for user in found) < len(found) / 4


def test_nobody_sees_sign_ins_who_did_not_ask_for_them(shared):
    token = shared.token(roles=("User.Read.All", "AuditLog.Read.All"))
    for target in ("/v1.0/users", f"/v1.0/users/{IDS[0]}", "/v1.0/users/delta", f"/v1.0/users/{IDS[0]}/manager"):
        assert b"signInActivity" not in shared.get(target, token).body


def test_whether_an_account_is_switched_on_may_be_unknown(shared):
    unknown = [person["id"] for person in PEOPLE if "accountEnabled" not in person]
    found = {
        user["id"]: user for page in pages(shared, "/v1.0/users?$select=id,accountEnabled") for user in page["value"]
    }
    assert [found[user_id]["accountEnabled"] for user_id in unknown] == [None] * len(unknown)
    off = shared.get("/v1.0/users?$select=id&$top=999&$filter=accountEnabled%20eq%20false").json["value"]
    assert not {user["id"] for user in off} & set(unknown)


def test_everybody_signs_in_by_name_and_is_found_by_it(shared):
    user = shared.get(f"/v1.0/users/{IDS[0]}?$select=userPrincipalName,identities").json
    name, domain = user["userPrincipalName"], user["userPrincipalName"].partition("@")[2]
    assert user["identities"] == [
        {"signInType": "userPrincipalName", "issuer": domain, "issuerAssignedId": name},
    ]
    test = f"identities/any(c:c/issuerAssignedId eq '{name.upper()}' and c/issuer eq '{domain}')"
    assert shared.get(f"/v1.0/users?$select=id&$filter={in_url(test)}").json["value"] == [{"id": IDS[0]}]


def test_an_extension_nobody_set_is_left_out(shared):
    page = shared.get("/v1.0/users?$select=ext55gb1l09_msLearnCourses&$top=3").json
    assert page["@odata.context"].endswith("$metadata#users(ext55gb1l09_msLearnCourses)")
    assert page["value"] == [{}, {}, {}]


def test_what_the_metadata_does_not_let_be_null_is_not_null(shared):
    user = shared.get(
        f"/v1.0/users/{IDS[0]}?$select=birthday,hireDate,deviceEnrollmentLimit,assignedPlans,aboutMe"
    ).json
    del user["@odata.context"]
    assert user == {
        "birthday": "0001-01-01T00:00:00Z",
        "hireDate": "0001-01-01T00:00:00Z",
        "deviceEnrollmentLimit": 5,
        "assignedPlans": [],
        "aboutMe": None,
    }


# --- paging -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_small_pages_to_the_end_give_everybody_once(size):
    found = [ids(page) for page in pages(fresh(users=43), f"/v1.0/users?$top={size}&$select=id")]
    assert [one for page in found for one in page] == ids(fresh(users=43).get("/v1.0/users?$top=999&$select=id").json)
    assert [len(page) for page in found] == [size] * (43 // size) + [43 % size] * (43 % size > 0)


@pytest.mark.parametrize("size", [50, 99, 100, 249, 250, 251, 998, 999])
def test_paging_to_the_end_gives_everybody_once(shared, size):
    found = [ids(page) for page in pages(shared, f"/v1.0/users?$top={size}&$select=id")]
    assert [one for page in found for one in page] == IDS
    assert all(len(page) == size for page in found[:-1])
    assert len(found[-1]) <= size


def test_there_is_no_empty_page_after_a_full_last_one():
    practice = Practice(users=20)
    assert [len(page["value"]) for page in pages(practice, "/v1.0/users?$top=10")] == [10, 10]


def test_next_link_is_absolute_and_carries_every_option(shared):
    link = shared.get("/v1.0/users?$top=5&$select=id,displayName&$count=true", headers=EVENTUAL).json["@odata.nextLink"]
    assert link.startswith(f"{ORIGIN}/v1.0/users?$top=5&$select=id%2cdisplayName&$count=true&$skiptoken=RFNwdAIAAQAAAA")


def test_count_stands_on_the_first_page_alone(shared):
    first, second = islice(pages(shared, "/v1.0/users?$count=true&$top=200", EVENTUAL), 2)
    assert list(first) == ["@odata.context", "@odata.count", "@odata.nextLink", "value"]
    assert first["@odata.count"] == len(IDS)
    assert "@odata.count" not in second


def test_count_without_the_header_is_silently_left_out(shared):
    page = shared.get("/v1.0/users?$count=true&$top=1").json
    assert "@odata.count" not in page
    assert len(page["value"]) == 1


def test_nobody_is_skipped_or_repeated_when_users_go_in_between(practice):
    walk = pages(practice, "/v1.0/users?$top=40&$select=id")
    seen = ids(next(walk))
    gone = [seen[0], seen[39], IDS[40], IDS[41], IDS[100], IDS[-1]]  # before, at and beyond the page's end
    for one in gone:
        practice.tenant.people.remove(one)
    seen += [one for page in walk for one in ids(page)]
    assert seen == [one for one in IDS if one not in gone[2:]]


def test_a_user_added_in_between_comes_at_the_end(practice):
    walk = pages(practice, "/v1.0/users?$top=200&$select=id")
    seen = ids(next(walk))
    practice.tenant.people.add({"id": "f" * 8, "userPrincipalName": "late@contoso.example"})
    assert seen + [one for page in walk for one in ids(page)] == [*IDS, "f" * 8]


def test_a_page_token_may_be_used_again(shared):
    link = shared.get("/v1.0/users?$top=5").json["@odata.nextLink"]
    assert shared.get(link).body == shared.get(link).body


def test_a_page_token_does_not_bind_top_and_select(shared):
    token = skiptoken(shared.get("/v1.0/users?$top=5").json)
    page = shared.get(f"/v1.0/users?$top=2&$select=id&$skiptoken={token}").json
    assert ids(page) == IDS[5:7]


def test_a_page_token_of_another_query_is_refused(shared):
    link = shared.get("/v1.0/users?$top=5&$filter=accountEnabled eq true".replace(" ", "%20")).json["@odata.nextLink"]
    assert shared.get(link).status == 200
    assert shared.get(link.replace("true", "false")).error == BAD_TOKEN
    token = skiptoken({"@odata.nextLink": link})
    assert shared.get(f"/v1.0/users?$top=5&$skiptoken={token}").error == BAD_TOKEN


def test_a_forged_page_token_is_refused(shared):
    token = skiptoken(shared.get("/v1.0/users?$top=5").json)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    further = raw[:17] + bytes([raw[17] ^ 9]) + raw[18:]
    moved = base64.urlsafe_b64encode(further).decode().rstrip("=")
    for forged in (moved, token[:-2], token + "AAAA", "AAAA", "%00", "", "x"):
        assert shared.get(f"/v1.0/users?$top=5&$skiptoken={forged}").error == BAD_TOKEN


def test_page_tokens_survive_the_turn_of_the_hour_as_long_as_the_access_token_does(practice):
    link = practice.get("/v1.0/users?$top=5").json["@odata.nextLink"]
    practice.control("clock", {"shift_seconds": 3 * 86_400})
    assert practice.get(link).status == 200


def test_a_made_directory_pages_like_a_real_one():
    practice = Practice(users=1_234)
    found = [one for page in pages(practice, "/v1.0/users?$top=999&$select=id") for one in ids(page)]
    assert len(found) == len(set(found)) == 1_234
    assert found[: len(IDS)] == IDS


TEN = "id,displayName,userPrincipalName,mail,jobTitle,department,officeLocation,city,country,accountEnabled"


def answer_to(practice, target):
    """The answer to a GET as the server gets it, with the work that may follow."""
    return practice.outcome("GET", target, {"Authorization": f"Bearer {practice.token()}"}).answer


@pytest.fixture
def rendered(monkeypatch):
    """How many users were made into JSON, call by call."""
    numbers, render = [], users_module._in_json

    def counted(users, names):
        numbers.append(len(users))
        return render(users, names)

    monkeypatch.setattr(users_module, "_in_json", counted)
    return numbers


@pytest.mark.parametrize("query", ["$top=90", f"$top=90&$select={TEN}", "$top=40&$filter=accountEnabled%20eq%20true"])
def test_the_next_page_may_be_made_ahead_and_is_then_the_same(practice, rendered, query):
    first = answer_to(practice, f"/v1.0/users?{query}")
    first.afterwards()
    rendered.clear()
    ahead = practice.get(json.loads(first.body)["@odata.nextLink"]).json
    assert sum(rendered) == 0
    plain = list(islice(pages(Practice(), f"/v1.0/users?{query}"), 2))
    assert [json.loads(first.body)["value"], ahead["value"]] == [page["value"] for page in plain]


def test_after_the_last_page_nothing_is_made_ahead(practice):
    assert answer_to(practice, "/v1.0/users?$top=999").afterwards is None


@pytest.mark.parametrize("first_work", [True, False])
def test_a_page_made_ahead_shows_nobody_as_they_were(practice, first_work):
    first = answer_to(practice, f"/v1.0/users?$top=90&$select={TEN}")
    if first_work:
        first.afterwards()
    renamed = practice.tenant.people.find(IDS[100]) | {"jobTitle": "Lighthouse keeper"}
    practice.tenant.people.replace(renamed)
    first.afterwards()
    second = practice.get(json.loads(first.body)["@odata.nextLink"]).json["value"]
    assert next(user for user in second if user["id"] == IDS[100])["jobTitle"] == "Lighthouse keeper"


def test_what_is_kept_of_selected_properties_stays_small_and_right(monkeypatch, rendered):
    monkeypatch.setattr(people_module, "MOST_SELECTED", 200)
    practice = Practice()
    for names in ("id,city", "id,mail", "id,displayName", "id,city"):
        for page in pages(practice, f"/v1.0/users?$top=50&$select={names}"):
            assert all(
                user == {name: PEOPLE[IDS.index(user["id"])].get(name) for name in names.split(",")}
                for user in page["value"]
            )
    people = practice.tenant.people
    kept = [texts for store in (people._selected, people._selected_before) for texts in store.values()]
    assert 0 < sum(map(len, kept)) <= 2 * (200 + 50)
    rendered.clear()
    list(pages(practice, "/v1.0/users?$top=50&$select=id,city"))
    assert 0 < sum(rendered) < len(IDS), "some, but not all, were still there"


# --- one user ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["id", "userPrincipalName"])
@pytest.mark.parametrize("person", [PEOPLE[0], GUEST], ids=["member", "guest"])
def test_a_user_by_id_and_by_name(shared, key, person):
    reply = shared.get(f"/v1.0/users/{in_url(person[key])}")
    assert reply.status == 200
    assert list(reply.json) == ["@odata.context", *DEFAULT_IN_ORDER]
    assert reply.json["@odata.context"] == "https://graph.microsoft.com/v1.0/$metadata#users/$entity"
    assert reply.json["id"] == person["id"]
    assert reply.headers["x-ms-resource-unit"] == "1"


@pytest.mark.parametrize("shape", ["users('{}')", "USERS/{}", "users(userPrincipalName='{}')", "users/{}/"])
def test_other_spellings_of_the_same_address(shared, shape):
    name = PEOPLE[0]["userPrincipalName"]
    assert shared.get("/v1.0/" + shape.format(in_url(name.upper()))).json["id"] == IDS[0]


def test_an_unencoded_ext_is_cut_off_as_a_fragment_by_every_client(shared):
    assert shared.get(f"/v1.0/users/{GUEST['userPrincipalName'].partition('#')[0]}").status == 404


def test_select_on_one_user(shared):
    user = shared.get(f"/v1.0/users/{IDS[0]}?$select=id,department").json
    assert user["@odata.context"].endswith("$metadata#users(id,department)/$entity")
    assert list(user) == ["@odata.context", "id", "department"]


@pytest.mark.parametrize("key", ["nobody@contoso.example", "11111111-2222-4333-8444-555555555555", "O'Neil", "%"])
def test_404_for_a_user_who_is_not_there(shared, key):
    text = f"Resource '{key}' does not exist or one of its queried reference-property objects are not present."
    assert shared.get(f"/v1.0/users/{in_url(key)}").error == (404, "Request_ResourceNotFound", text)


# --- counts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["eventual", "Eventual", " EVENTUAL "])
def test_the_count_segment_is_a_bare_number(shared, value):
    reply = shared.get("/v1.0/users/$count", headers={"ConsistencyLevel": value})
    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "text/plain", str(len(IDS)).encode())


@pytest.mark.parametrize("headers", [{}, {"ConsistencyLevel": "strong"}])
def test_the_count_segment_needs_the_header(shared, headers):
    text = (
        "Raw count (/$count) is not supported because the 'ConsistencyLevel:eventual' header is missing. "
        "Refer to https://aka.ms/graph-docs/advanced-queries for more information"
    )
    assert shared.get("/v1.0/users/$count", headers=headers).error == (400, "Request_UnsupportedQuery", text)


def test_a_later_page_of_an_advanced_query_needs_the_header_again(shared):
    eventual = {"ConsistencyLevel": "eventual"}
    condition = in_url("accountEnabled ne false").replace(" ", "%20")
    first = shared.get(f"/v1.0/users?$filter={condition}&$count=true&$top=5", headers=eventual).json
    refused = shared.get(first["@odata.nextLink"])
    assert refused.error == (400, "Request_UnsupportedQuery", "Unsupported Query.")
    assert len(shared.get(first["@odata.nextLink"], headers=eventual).json["value"]) == 5


def test_names_of_microsofts_clients_lead_to_the_same_place(practice):
    """CLI for Microsoft 365 asks below ``myorganization``, the SDKs call types by the alias of their namespace."""
    token = practice.token(roles=("Application.ReadWrite.All", "User.ReadWrite.All", "User.Read.All"))
    assert len(practice.get("/v1.0/myorganization/users?$top=3").json["value"]) == 3
    practice.call("DELETE", f"/v1.0/users/{IDS[0]}", token=token)
    for alias in ("graph.user", "microsoft.graph.user", "user"):
        [gone] = practice.get(f"/v1.0/directory/deletedItems/{alias}", token).json["value"]
        assert gone["id"] == IDS[0]
    assert practice.get("/v1.0/users/graph.delta()?$deltatoken=latest", token).status == 200


@pytest.mark.parametrize("action", ["getMemberGroups", "checkMemberGroups"])
def test_an_action_that_is_not_played_is_400(shared, action):
    body = {"securityEnabledOnly": False}
    reply = shared.call("POST", f"/v1.0/users/{IDS[0]}/{action}", body)
    assert reply.error == (400, "BadRequest", f"Resource not found for the segment '{action}'.")


@pytest.mark.parametrize(
    "path", ["domains", "directoryObjects/{}", "users/{}/displayName", "users/{}/mail/$value", "me/myorganization"]
)
def test_what_the_table_calls_absent_is_400(shared, path):
    assert shared.get(f"/v1.0/{path.format(IDS[0])}").status == 400


# --- what is not there ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [("DELETE", "users"), ("PUT", "users"), ("PUT", f"users/{IDS[0]}")])
def test_405_for_a_method_the_path_does_not_know(shared, method, path):
    refused = (405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
    assert shared.call(method, f"/v1.0/{path}", {}).error == refused


def test_me_needs_a_signed_in_person(shared):
    refused = (400, "BadRequest", "/me request is only valid with delegated authentication flow.")
    assert shared.get("/v1.0/me").error == refused


@pytest.mark.parametrize(
    ("path", "segment"),
    [("user", "user"), ("usrs/nobody", "usrs"), ("users/x/y", "y"), ("users/x/manager/y", "y"), ("", "")],
)
def test_an_unknown_segment_is_400_and_not_404(shared, path, segment):
    assert shared.get(f"/v1.0/{path}").error == (400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def test_an_action_a_user_does_not_have_is_405(shared):
    reply = shared.call("POST", f"/v1.0/users/{IDS[0]}/getPasswordSingleSignOnCredentials", {})
    assert reply.error == (405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


def test_a_name_with_a_dollar_sign_stands_in_brackets(shared):
    assert shared.get("/v1.0/users/$x@contoso.example").error[:2] == (400, "BadRequest")
    assert shared.get("/v1.0/users('$x@contoso.example')").error[:2] == (404, "Request_ResourceNotFound")


def test_an_unknown_version_is_refused(shared):
    assert shared.get("/v9.9/users").error[:2] == (400, "BadRequest")


# --- throttling by resource units -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "units"),
    [("users", 2), ("users?$select=id", 1), ("users?$top=5", 1), ("users?$top=20", 2), ("users?$expand=manager", 3),
     ("users?%24select=id&$top=5", 1), (f"users/{IDS[0]}", 1)],
)  # fmt: skip
def test_a_request_costs_what_the_documentation_says(shared, path, units):
    assert shared.get(f"/v1.0/{path}").headers["x-ms-resource-unit"] == str(units)


def test_429_when_the_bucket_is_empty_and_on_again_when_it_has_filled():
    practice, now = Practice(options={"throttle": True}), time.monotonic()
    limits = practice.state.limits
    limits._clock = lambda: now
    token = practice.ask_token({"scope": GRAPH_SCOPE}).json["access_token"]
    for _ in range(2_500):  # 5,000 units for a tenant of 50 to 500 people, two for each request
        limits.spend(practice.tenant.client_id, practice.tenant.id, 2, writes=False, people=len(IDS))
    reply = practice.get("/v1.0/users", token)
    assert reply.error == (429, "TooManyRequests", "Please retry again later.")
    assert reply.headers["Retry-After"] == "1"
    assert reply.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert reply.headers["x-ms-throttle-scope"] == (
        f"Tenant_Application/ReadWrite/{practice.tenant.client_id}/{practice.tenant.id}"
    )
    assert list(reply.json["error"]) == ["code", "innerError", "message"]
    now += 1
    assert practice.get("/v1.0/users", token).status == 200


def test_some_refusals_tell_their_resource_units(shared):
    def units(method, path, token=""):
        return shared.send(method, f"/v1.0/{path}", shared._authorized(token)).headers.get("x-ms-resource-unit")

    assert units("GET", "applications?$filter=startswith(displayName,'a')") == "2", "403, as recorded"
    assert units("PUT", "users") == "1", "405, as documented"
    assert units("GET", "users/nobody") == "1"
    assert units("GET", "nothing") is None
    assert units("GET", "users", "no.token") is None


def test_the_administrator_of_a_small_directory_is_there():
    small = Practice(users=50)
    claims = small.claims(small.token(scopes=("User.Read", "User.Read.All")))
    token = small.state.signing_key.sign(claims | {"oid": ADMINISTRATOR.id})
    assert small.get("/v1.0/me", token).json["userPrincipalName"] == ADMINISTRATOR.user_principal_name
    assert len(small.get("/v1.0/users", token).json["value"]) == 50


@pytest.mark.parametrize("name", ["userPrincipalName", "UserPrincipalName", "USERPRINCIPALNAME"])
def test_an_alternate_key_is_known_in_any_case(shared, name):
    key = quote(f"{name}='{ADMINISTRATOR.user_principal_name.upper()}'")
    assert shared.get(f"/v1.0/users({key})?$select=id").json["id"] == ADMINISTRATOR.id
