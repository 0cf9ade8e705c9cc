"""Whatever is sent to whichever route, the answer is never the practice tenant's own failure.

First the inputs that once made it fail, each with the answer it must get; then hypothesis invents requests for every
route of Graph, every endpoint of Entra and every control call (assertions and tokens are invented in test_attacks.py).
How long it looks is said in tests/support/hunt.py.
"""

import json
import re
from itertools import pairwise
from urllib.parse import quote, urlencode

import pytest
from hunt import HUNT, LETTERS
from hypothesis import given
from hypothesis import strategies as st
from practice import ORIGIN, Practice, fresh
from practice_tenant.control import CALLS
from practice_tenant.directory.well_known import ADMINISTRATOR, COMMAND_LINE_TOOLS, PERMISSIONS
from practice_tenant.graph.routes import ROUTES
from practice_tenant.messages import FORM

SCOPES = tuple(sorted(PERMISSIONS))


def no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def never_fails(reply):
    """No failure, and nothing that calls itself JSON is anything else."""
    assert reply.status < 500 or (reply.status == 501 and b"NotImplemented" in reply.body), reply.body[:500]
    assert not re.search(r"[\r\n\0]", "".join(reply.headers.values()))
    if reply.body and reply.headers.get("Content-Type", "").startswith("application/json"):
        json.loads(reply.body, parse_constant=no_constant)


class Everything:
    """A small tenant and a signed-in administrator who may do everything."""

    def __init__(self, practice):
        self.practice = practice
        self.token = self.practice.token(scopes=SCOPES)
        self.app = self.call("POST", "applications", {"displayName": "payroll"}).json
        self.principal = self.call("POST", "servicePrincipals", {"appId": self.app["appId"]}).json

    def call(self, method, path, value=None):
        return self.practice.call(method, f"/v1.0/{path}", value, self.token)

    def send(self, method, path, body: bytes, **headers):
        headers |= {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self.practice.send(method, f"/v1.0/{path}", headers, body)


@pytest.fixture
def everything():
    return Everything(fresh(users=12))


# --- points in time ---------------------------------------------------------------------------------------------


def add_password(everything, **dates):
    path = f"applications/{everything.app['id']}/addPassword"
    return everything.call("POST", path, {"passwordCredential": dates})


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2030-01-01t00:00:00z", "2030-01-01T00:00:00Z"),
        ("2030-01-01T00:00:00+14:00", "2029-12-31T10:00:00Z"),
        ("2030-01-01T00:00:00.1234567-01:30", "2030-01-01T01:30:00Z"),
        ("2030-01-01T00:00Z", "2030-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_an_end_in_any_form_of_odata_is_understood(everything, given, shown):
    reply = add_password(everything, endDateTime=given)
    assert (reply.status, reply.json["endDateTime"]) == (200, shown)


@pytest.mark.parametrize(
    "dates",
    [
        {"endDateTime": "2030-01-01T00:00:00+99:00"},
        {"endDateTime": "2030-01-01T24:00:00Z"},
        {"endDateTime": "2030-01-01T23:59:60Z"},
        {"endDateTime": "2030-02-30T00:00:00Z"},
        {"endDateTime": "2030-01-01"},
        {"endDateTime": "9999-12-31T23:59:59-01:00"},
        {"endDateTime": "0001-01-01T00:00:00+01:00"},
        {"startDateTime": "9998-12-31T23:59:59Z"},
        {"endDateTime": 5},
    ],
)
def test_a_date_that_cannot_be_is_refused(everything, dates):
    status, code, text = add_password(everything, **dates).error
    assert (status, code) == (400, "Request_BadRequest")
    assert text.startswith("Invalid value specified for property '")
    assert everything.call("GET", f"applications/{everything.app['id']}").json["passwordCredentials"] == []


def test_a_start_in_the_year_one_has_four_digits(everything):
    reply = add_password(everything, startDateTime="0001-01-01T00:00:00Z", endDateTime="2090-01-01T00:00:00Z")
    assert reply.json["startDateTime"] == "0001-01-01T00:00:00Z"


# --- managers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference", ["https://[/users/x", "", "/", "https://h/v1.0/users/%", "\0", "users/" + "x" * 9_000]
)
def test_a_manager_whose_address_is_none_is_not_found(everything, reference):
    reply = everything.call("PUT", f"users/{ADMINISTRATOR.id}/manager/$ref", {"@odata.id": reference})
    assert (reply.status, reply.json["error"]["code"]) == (404, "Request_ResourceNotFound")


def manage(everything, user, manager):
    reference = {"@odata.id": f"{ORIGIN}/v1.0/users/{quote(manager)}"}
    assert everything.call("PUT", f"users/{quote(user)}/manager/$ref", reference).status == 204


def chain(user) -> list[str]:
    """The ids of the managers inside a user, from the nearest up."""
    found = []
    while "manager" in user:
        user = user["manager"]
        found.append(user["id"])
    return found


@pytest.mark.parametrize("levels", ["2", "1000", "max"])
def test_a_chain_of_managers_ends_where_it_would_come_back(everything, levels):
    first, second, third = [user["id"] for user in everything.call("GET", "users?$top=3").json["value"]]
    manage(everything, first, first)
    manage(everything, second, third)
    manage(everything, third, second)
    expanded = f"$expand=manager($levels={levels})"
    assert chain(everything.call("GET", f"users/{first}?{expanded}").json) == [first]
    assert chain(everything.call("GET", f"users/{second}?{expanded}").json) == [third, second]
    listed = everything.call("GET", f"users?$top=3&{expanded}").json["value"]
    assert [chain(user) for user in listed] == [[first], [third, second], [second, third]]


def test_a_thousand_managers_one_above_the_other_are_shown_alone_and_in_a_batch():
    everything = Everything(Practice(users=1_050))
    people = everything.practice.tenant.people
    ids = [user["id"] for _, user in people.after(-1)]
    for user_id, manager_id in pairwise(ids):
        people.replace(people.find(user_id) | {"manager": manager_id})
    path = f"/users/{ids[0]}?$select=id&$expand=manager($levels=max;$select=id)"
    alone = everything.call("GET", path.strip("/"))
    assert alone.status == 200
    assert re.findall(rb'"id":"([^"]+)"', alone.body) == [user_id.encode() for user_id in ids[:1_001]]
    batch = everything.call("POST", "$batch", {"requests": [{"id": "1", "method": "GET", "url": path}]})
    assert batch.status == 200
    assert alone.body in batch.body


# --- JSON that cannot be sent again -----------------------------------------------------------------------------

UNREADABLE = (400, "BadRequest")
UNSENDABLE = {
    "a number too large": b'{"displayName":"a","addIns":[{"id":1e999}]}',
    "a number too small": b'{"displayName":"a","addIns":[{"id":-1e999}]}',
    "Infinity": b'{"displayName":"a","addIns":[{"id":Infinity}]}',
    "NaN": b'{"displayName":"a","addIns":[{"id":NaN}]}',
    "half a surrogate pair": b'{"displayName":"\\ud800x"}',
    "half a surrogate pair in a name": b'{"displayName":"a","addIns":[{"\\udfff":1}]}',
    "five thousand digits": b'{"displayName":"a","addIns":[{"id":' + b"9" * 5_000 + b"}]}",
    "deep": b'{"displayName":"a","addIns":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
}


@pytest.mark.parametrize("name", UNSENDABLE)
def test_what_cannot_be_sent_again_is_not_stored(everything, name):
    reply = everything.send("POST", "applications", UNSENDABLE[name])
    assert reply.error[:2] == UNREADABLE
    assert len(everything.call("GET", "applications").json["value"]) == 2


def test_a_whole_pair_of_surrogates_is_one_character(everything):
    reply = everything.send("POST", "applications", b'{"displayName":"\\ud83d\\ude00"}')
    assert reply.json["displayName"] == "😀"


def test_no_app_has_a_name_that_the_sign_in_page_cannot_show(everything):
    path = f"applications/{everything.app['id']}"
    assert everything.send("PATCH", path, b'{"displayName":"\\ud800x"}').error[:2] == UNREADABLE
    codes = everything.practice.form(
        {"client_id": everything.app["appId"], "scope": "User.Read"}, endpoint="oauth2/v2.0/devicecode"
    ).json
    page_key = everything.practice.state.sign_ins.page_key
    fields = {"page_key": page_key, "user_code": codes["user_code"]}
    reply = everything.practice.form(fields, "common", endpoint="oauth2/deviceauth")
    assert reply.status == 200
    assert b"payroll" in reply.body


# --- control ----------------------------------------------------------------------------------------------------

NONSENSE = {
    "a clock beyond all numbers": ("clock", {"shift_seconds": 10**400}),
    "a clock as text": ("clock", {"shift_seconds": "1"}),
    "a clock of another name": ("clock", {"seconds": 1}),
    "a name that is misspelt": ("faults", {"target": "graph", "statu": 503}),
    "a count that is true": ("faults", {"target": "graph", "status": 503, "count": True}),
    "a count with a point": ("faults", {"target": "graph", "status": 503, "count": 1.0}),
    "a count that is nothing": ("faults", {"target": "graph", "status": 503, "count": None}),
    "a status as text": ("faults", {"target": "graph", "status": "503"}),
    "a huge skip": ("faults", {"target": "graph", "status": 503, "skip": 10**400}),
    "a fault without a fault": ("faults", {"target": "graph", "count": 2}),
    "a target that is a list": ("faults", {"target": ["graph"], "status": 503}),
    "a role and a name nobody knows": ("roles", {"grant": "User.Read.All", "role": "x"}),
    "an action that is an object": ("app", {"action": {}}),
    "a lifetime with a point": ("token-lifetime", {"seconds": 60.5}),
    "a lifetime that is true": ("token-lifetime", {"seconds": True}),
    "a code that is a number": ("sign-in", {"user_code": 7}),
    "a reset with a wish": ("reset", {"users": 3}),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_control_refuses_nonsense_in_one_sentence_and_does_nothing(name):
    practice = fresh(users=3)
    call, body = NONSENSE[name]
    practice.control("token-lifetime", {"seconds": 77})
    reply = practice.control(call, body)
    assert reply.status == 400
    assert re.fullmatch(r"[^.]+\.", reply.json["error"])
    assert (practice.tenant.clock.shift, practice.state.faults.waiting, practice.tenant.token_lifetime) == (0, [], 77)


# --- everything, invented ---------------------------------------------------------------------------------------

TIMES = st.sampled_from([
    "2030-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00", "2030-01-01t00:00:00z", "2030-01-01T00:00:00+99:00", "2030-13-01T00:00:00Z",
    "2030-01-01", "24:00", "9998-12-31T23:59:59Z", "2030-01-01T00:00Z",
])  # fmt: skip
NUMBERS = (
    st.sampled_from([0, 1, -1, 2**31, 2**63, 10**400, 1.5, -0.0, 1e308, float("inf"), float("nan")]) | st.integers()
)
IDS = st.sampled_from([
    ADMINISTRATOR.id, ADMINISTRATOR.user_principal_name, "{app}", "{appId}", "{principal}", "{graph}", "nobody",
    "00000000-0000-0000-0000-000000000000", "11111111-2222-4333-8444-555555555555",
])  # fmt: skip
TEXTS = st.sampled_from(
    ["", "x" * 300, "\ud800", "\udfff\ud800", "é", "😀", "\0", "a@contoso.example", "%", "'"]
) | st.text(LETTERS, max_size=12)
LEAVES = st.none() | st.booleans() | NUMBERS | TIMES | IDS | TEXTS
NAMES = st.sampled_from([
    "@odata.id", "accountEnabled", "addIns", "api", "appId", "appRoleId", "appRoles", "ageGroup", "birthday",
    "businessPhones", "displayName", "employeeHireDate", "endDateTime", "hireDate", "id", "identifierUris",
    "identities", "info", "isEnabled", "allowedMemberTypes", "value", "issuer", "key", "keyCredential",
    "keyCredentials", "keyId", "mailNickname", "oauth2PermissionScopes", "optionalClaims", "otherMails",
    "passwordCredential", "passwordCredentials", "passwordProfile", "password", "passwordPolicies", "principalId",
    "proof", "replyUrls", "requiredResourceAccess", "resourceAppId", "resourceAccess", "resourceId",
    "servicePrincipalNames", "signInAudience", "startDateTime", "tags", "type", "usage", "usageLocation",
    "userPrincipalName", "web",
    "extension_0123456789abcdef0123456789abcdef_n", "clientId", "consentType", "scope", "name",
    "subject", "audiences", "onPremisesExtensionAttributes", "requests", "method", "url", "headers", "body",
    "dependsOn", "customSecurityAttributes",
]) | st.text(LETTERS, max_size=6)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=8)
BODIES = OBJECTS | OBJECTS | OBJECTS | VALUES
OPTION_NAMES = st.sampled_from([
    "$select", "$filter", "$search", "$orderby", "$top", "$skip", "$count", "$expand", "$format", "$skiptoken",
    "$deltatoken", "%24top", "$TOP", "", "x", "client-request-id",
])  # fmt: skip
OPTION_VALUES = st.sampled_from([
    "true", "latest", "999", "1", "id", "displayName", "id,manager", "manager", "manager($levels=max)",
    "signInActivity", "manager($levels=1000;$select=id)", "birthday", "*", "displayName eq 'x'",
    "startswith(displayName,'a')",
    "employeeHireDate ge 0001-01-01T00:00:00+14:00", "createdDateTime le 9999-12-31T23:59:59Z", "id in ('a','b')",
    "keyCredentials/any(k:k/keyId eq 11111111-2222-4333-8444-555555555555)", '"displayName:a"', "displayName desc",
    "accountEnabled eq 1", "identities/any(i:i/issuer eq 'x' and i/issuerAssignedId eq 'y')", "tags/any(t:t eq 'a')",
    "passwordProfile/forceChangePasswordNextSignIn eq null", "extension_0123456789abcdef0123456789abcdef_n eq 'x'",
]) | TEXTS | TIMES  # fmt: skip
QUERIES = st.lists(st.tuples(OPTION_NAMES, OPTION_VALUES), max_size=4)
SEGMENTS = IDS | TEXTS | st.sampled_from([
    "$count", "$ref", "delta", "me", "appId='{appId}'", "userPrincipalName='x'", "user", ".", "..", "$value", "a'b",
    "%2f",
])  # fmt: skip
METHODS = st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE"])


@pytest.fixture(scope="module")
def one_tenant():
    return Everything(Practice(users=12))


def known_ids(everything):
    tenant = everything.practice.tenant
    return {
        "{app}": next(iter(tenant.applications), "none"),
        "{appId}": everything.app["appId"],
        "{principal}": list(tenant.service_principals)[-1],
        "{graph}": everything.practice.graph_principal["id"],
    }


def placed(text, everything):
    """The text with the ids that are there now."""
    for name, value in known_ids(everything).items():
        text = text.replace(name, value)
    return text


def in_path(text):
    return quote(text, safe="$@'=.", errors="replace")


@HUNT
@given(data=st.data(), route=st.sampled_from(ROUTES), body=BODIES, query=QUERIES, eventual=st.booleans())
def test_every_route_of_graph_answers_any_body_and_query(one_tenant, data, route, body, query, eventual):
    path = re.sub(r"\{key\}", lambda _: in_path(placed(data.draw(SEGMENTS), one_tenant)), route.path)
    text = placed(json.dumps(body, allow_nan=True), one_tenant).replace("Infinity", "1e999")
    asked = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in query)
    headers = {"ConsistencyLevel": "eventual"} if eventual else {}
    reply = one_tenant.send(route.method, f"{path}?{asked}", text.encode(), **headers)
    never_fails(reply)


@HUNT
@given(
    method=METHODS, segments=st.lists(SEGMENTS | st.sampled_from(["users", "applications", "directory"]), max_size=5)
)
def test_any_path_of_graph_is_answered(one_tenant, method, segments):
    path = "/".join(in_path(placed(segment, one_tenant)) for segment in segments)
    never_fails(one_tenant.send(method, path, b"{}"))


@HUNT
@given(steps=st.lists(st.tuples(METHODS, st.sampled_from(ROUTES), BODIES, SEGMENTS), max_size=4))
def test_any_batch_is_answered(one_tenant, steps):
    requests = [
        {
            "id": str(number),
            "method": method,
            "url": re.sub(r"\{key\}", lambda _, key=key: in_path(placed(key, one_tenant)), route.path),
            "headers": {"Content-Type": "application/json"},
            "body": body,
        }
        for number, (method, route, body, key) in enumerate(steps)
    ]
    reply = one_tenant.send("POST", "$batch", json.dumps({"requests": requests}).encode())
    never_fails(reply)
    if reply.status == 200:
        assert all(step["status"] < 500 or step["status"] == 501 for step in reply.json["responses"])


@HUNT
@given(reads=st.sampled_from([route.path for route in ROUTES if route.method == "GET"]), key=IDS)
def test_what_was_stored_can_be_read_again(one_tenant, reads, key):
    never_fails(one_tenant.call("GET", re.sub(r"\{key\}", lambda _: in_path(placed(key, one_tenant)), reads)))


FIELDS = st.dictionaries(
    st.sampled_from([
        "client_id", "grant_type", "scope", "client_secret", "client_assertion", "client_assertion_type", "device_code",
        "code", "refresh_token", "client_info", "user_code", "page_key", "decision", "resource", "",
    ]),
    st.sampled_from([
        "client_credentials", "refresh_token", "device_code", "urn:ietf:params:oauth:grant-type:device_code",
        "https://graph.microsoft.com/.default", "/.default", "//.default", "User.Read offline_access openid", "{appId}",
        "{", "{0}", "{tenant}", COMMAND_LINE_TOOLS.id, "eyJ.eyJ.x", "a.b.c", "1",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    ]) | TEXTS | IDS,
    max_size=8,
)  # fmt: skip
ENDPOINTS = st.sampled_from([
    "oauth2/v2.0/token", "oauth2/v2.0/devicecode", "oauth2/deviceauth", "v2.0/.well-known/openid-configuration",
    "discovery/v2.0/keys", "discovery/keys", "discovery/instance", "oauth2/token", "",
])  # fmt: skip
AUTHORITIES = (
    st.sampled_from(["common", "organizations", "consumers", "contoso.example", "{", "%7B0%7D", "a" * 400]) | TEXTS
)
HEADERS = st.dictionaries(
    st.sampled_from(["authorization", "client-request-id", "origin", "content-type", "cookie", "consistencylevel"]),
    st.sampled_from(
        ["Basic", "Basic e30=", "Basic Og==", "Basic " + "A" * 5, "Bearer", "Bearer .", "Bearer ....", "\0", FORM]
    )
    | st.text(st.characters(max_codepoint=255), max_size=20),
    max_size=3,
)


@HUNT
@given(method=METHODS, authority=AUTHORITIES, endpoint=ENDPOINTS, fields=FIELDS, headers=HEADERS, query=QUERIES)
def test_every_endpoint_of_entra_answers_any_form(one_tenant, method, authority, endpoint, fields, headers, query):
    clean = {name: placed(value, one_tenant) for name, value in fields.items()}
    body = urlencode(clean, errors="replace").encode()
    asked = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in query)
    target = f"/{in_path(authority)}/{endpoint}?{asked}"
    never_fails(one_tenant.practice.send(method, target, {"Content-Type": FORM} | headers, body))


CONTROL_NAMES = sorted(set().union(*(call.names for call in CALLS.values())))


@HUNT
@given(
    name=st.sampled_from([name for name in CALLS if name != "reset"]),
    body=st.dictionaries(
        st.sampled_from(CONTROL_NAMES), VALUES | st.sampled_from(["graph", "token", "remove"]), max_size=4
    )
    | VALUES,
)
def test_every_control_call_answers_any_body(name, body):
    practice = Practice(users=3)
    reply = practice.control(name, body)
    assert reply.status in (200, 400, 404, 405, 409)
    never_fails(reply)
    never_fails(practice.get("/v1.0/users?$top=1", None))
