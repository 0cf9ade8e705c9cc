"""Users are created, changed, deleted and restored through Graph.

Sources: graph docs user-post-users.md, user-update.md, user-delete.md, directory-deleteditems-restore.md; azure-cli's
recording test_user_scenario.yaml.
"""

import json

import pytest
from practice import fresh, in_url

PASSWORD = "xWwvJ]6NMw+bWH-d"
DENIED = (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
WRITER = ("User.ReadWrite.All",)


def person(**changes) -> dict:
    """The body of the documentation's example, with changes; ... takes a property out."""
    body = {
        "accountEnabled": True,
        "displayName": "Adele Vance",
        "mailNickname": "AdeleV",
        "userPrincipalName": "AdeleV@contoso.example",
        "passwordProfile": {"forceChangePasswordNextSignIn": True, "password": PASSWORD},
    } | changes
    return {name: value for name, value in body.items() if value is not ...}


class Directory:
    """The practice directory in the hands of an app that may write users."""

    def __init__(self, **token) -> None:
        self.practice = fresh(users=5)
        self.token = self.practice.token(**(token or {"roles": WRITER}))

    def call(self, method, path, value=None):
        return self.practice.call(method, f"/v1.0{path}", value, self.token)

    def get(self, path):
        return self.practice.get(f"/v1.0{path}", self.token)

    def create(self, **changes) -> dict:
        reply = self.call("POST", "/users", person(**changes))
        assert reply.status == 201, reply.body
        return reply.json


@pytest.fixture
def directory():
    return Directory()


# --- creating -----------------------------------------------------------------------------------------------


def test_a_created_user_looks_as_recorded(directory):
    reply = directory.call("POST", "/users", person())
    user = reply.json
    assert reply.status == 201
    assert reply.headers["Location"] == (
        f"https://graph.microsoft.com/v2/{directory.practice.tenant.id}/directoryObjects/{user['id']}"
        "/Microsoft.DirectoryServices.User"
    )
    assert list(user) == [
        "@odata.context", "id", "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone",
        "officeLocation", "preferredLanguage", "surname", "userPrincipalName",
    ]  # fmt: skip
    assert (user["@odata.context"], user["mail"], user["businessPhones"]) == (
        "https://graph.microsoft.com/v1.0/$metadata#users/$entity", None, [],
    )  # fmt: skip
    assert reply.headers["x-ms-resource-unit"] == "1"


def test_a_created_user_is_found_at_once_and_counts(directory):
    user = directory.create(jobTitle="Tester", businessPhones=["+1 425 555 0109"], department="QA")
    for key in (user["id"], "adelev@CONTOSO.example"):
        assert directory.get(f"/users/{in_url(key)}?$select=department,userType").json["department"] == "QA"
    assert directory.get("/users?$filter=jobTitle eq 'Tester'").json["value"][0]["id"] == user["id"]
    assert len(directory.get("/users").json["value"]) == 6
    added = directory.get(f"/users/{user['id']}?$select=userType,createdDateTime,accountEnabled").json
    assert (added["userType"], added["accountEnabled"]) == ("Member", True) and added["createdDateTime"]


def test_the_password_is_never_given_back(directory):
    user = directory.create()
    assert PASSWORD not in json.dumps(directory.practice.tenant.people.find(user["id"]))
    profile = directory.get(f"/users/{user['id']}?$select=passwordProfile").json["passwordProfile"]
    assert (profile["password"], profile["forceChangePasswordNextSignIn"]) == (None, True)


def required(name: str) -> str:
    return f"A value is required for property '{name}' of resource 'User'."


def wrong(name: str) -> str:
    return f"Invalid value specified for property '{name}' of resource 'User'."


TAKEN = "Another object with the same value for property userPrincipalName already exists."
FOREIGN = (
    "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in "
    "your organization."
)
WEAK = (
    "The specified password does not comply with password complexity requirements. Please provide a different password."
)
UNKNOWN_PROPERTY = "Property 'favouriteColour' does not exist as a declared property or extension property."
BAD_NAME = "Property userPrincipalName is invalid."
REFUSED = {
    "no accountEnabled": ({"accountEnabled": ...}, required("accountEnabled")),
    "no displayName": ({"displayName": ...}, required("displayName")),
    "empty displayName": ({"displayName": ""}, required("displayName")),
    "no mailNickname": ({"mailNickname": ...}, required("mailNickname")),
    "no passwordProfile": ({"passwordProfile": ...}, required("passwordProfile")),
    "no userPrincipalName": ({"userPrincipalName": ...}, required("userPrincipalName")),
    "unverified domain": ({"userPrincipalName": "a@fabrikam.example"}, FOREIGN),
    "no domain": ({"userPrincipalName": "adele"}, FOREIGN),
    "accents": ({"userPrincipalName": "adèle@contoso.example"}, BAD_NAME),
    "a space": ({"userPrincipalName": "adele v@contoso.example"}, BAD_NAME),
    "two at signs": ({"userPrincipalName": "a@b@contoso.example"}, BAD_NAME),
    "nickname with at sign": ({"mailNickname": "a@b"}, wrong("mailNickname")),
    "nickname too long": ({"mailNickname": "a" * 65}, wrong("mailNickname")),
    "name taken": ({"userPrincipalName": "LUCIA.ramirez@contoso.example"}, TAKEN),
    "weak password": ({"passwordProfile": {"password": "password"}}, WEAK),
    "short password": ({"passwordProfile": {"password": "aB3"}}, WEAK),
    "no password": ({"passwordProfile": {"forceChangePasswordNextSignIn": True}}, WEAK),
    "password no text": ({"passwordProfile": {"password": 12345678}}, WEAK),
    "wrong type": ({"jobTitle": 5}, wrong("jobTitle")),
    "list wanted": ({"businessPhones": "+1"}, wrong("businessPhones")),
    "list of numbers": ({"otherMails": [1]}, wrong("otherMails")),
    "no date": ({"employeeHireDate": "soon"}, wrong("employeeHireDate")),
    "member of the wrong type": ({"employeeOrgData": {"division": 5}}, wrong("employeeOrgData")),
    "identity of another type": ({"identities": [{"issuer": 5}]}, wrong("identities")),
    "identity with a foreign member": ({"identities": [{"colour": "red"}]}, wrong("identities")),
    "sixteenth attribute": ({"onPremisesExtensionAttributes": {"extensionAttribute16": "x"}},
                            wrong("onPremisesExtensionAttributes")),
    "long name": ({"displayName": "x" * 257}, wrong("displayName")),
    "long title": ({"jobTitle": "x" * 129}, wrong("jobTitle")),
    "long number": ({"employeeId": "x" * 17}, wrong("employeeId")),
    "long address": ({"otherMails": ["x" * 251]}, wrong("otherMails")),
    "two business phones": ({"businessPhones": ["1", "2"]}, wrong("businessPhones")),
    "country in full": ({"usageLocation": "Sweden"}, wrong("usageLocation")),
    "unknown kind of user": ({"userType": "Robot"}, wrong("userType")),
    "unknown age group": ({"ageGroup": "Old"}, wrong("ageGroup")),
    "unknown property": ({"favouriteColour": "red"}, UNKNOWN_PROPERTY),
    "read-only property": ({"id": "1"}, "Property 'id' is read-only and cannot be set."),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_user_is_refused(directory, name):
    changes, text = REFUSED[name]
    assert directory.call("POST", "/users", person(**changes)).error == (400, "Request_BadRequest", text)
    assert len(directory.practice.tenant.people) == 5 and directory.practice.tenant.people.revision == 0


def test_a_conflict_names_the_property(directory):
    directory.create()
    [detail] = directory.call("POST", "/users", person()).json["error"]["details"]
    assert detail == {"code": "ObjectConflict", "message": TAKEN, "target": "userPrincipalName"}


def test_a_weak_password_is_taken_when_the_policy_says_so(directory):
    directory.create(passwordPolicies="DisableStrongPassword", passwordProfile={"password": "password"})


# --- changing -----------------------------------------------------------------------------------------------


def test_patch_answers_204_and_changes_what_it_names(directory):
    user = directory.create(jobTitle="Tester", city="Berlin")
    body = {"displayName": "Adele V.", "jobTitle": None, "DEPARTMENT": "QA"}
    reply = directory.call("PATCH", f"/users/{user['id']}", body)
    assert (reply.status, reply.body, "Content-Type" in reply.headers) == (204, b"", False)
    changed = directory.get(f"/users/{user['id']}?$select=displayName,jobTitle,department,city").json
    assert [changed[name] for name in ("displayName", "jobTitle", "department", "city")] == [
        "Adele V.", None, "QA", "Berlin",
    ]  # fmt: skip
    listed = directory.get("/users").json["value"][-1]
    assert (listed["displayName"], listed["jobTitle"]) == ("Adele V.", None), "lists show the change, too"


def test_a_renamed_user_answers_to_the_new_name_only(directory):
    def rename(old, new):
        return directory.call("PATCH", f"/users/{old}@contoso.example", {"userPrincipalName": f"{new}@contoso.example"})

    directory.create()
    assert rename("adelev", "av").status == 204
    assert directory.get("/users/av@contoso.example").status == 200
    assert directory.get("/users/adelev@contoso.example").status == 404
    assert rename("av", "AV").status == 204
    assert rename("av", "lucia.ramirez").error == (400, "Request_BadRequest", TAKEN)


def test_the_longest_values_are_taken(directory):
    values = {"displayName": "x" * 256, "jobTitle": "x" * 128, "employeeId": "x" * 16, "usageLocation": "se",
              "userType": "guest", "ageGroup": "NotAdult", "businessPhones": ["+1 425 555 0109"]}  # fmt: skip
    user = directory.create(**values)
    assert directory.get(f"/users/{user['id']}?$select={','.join(values)}").json.items() >= values.items()


def test_a_patch_of_a_member_keeps_the_others(directory):
    user = directory.create(employeeOrgData={"division": "Sales", "costCenter": "7"})
    directory.call("PATCH", f"/users/{user['id']}", {"employeeOrgData": {"costCenter": "8"}})
    changed = directory.get(f"/users/{user['id']}?$select=employeeOrgData").json["employeeOrgData"]
    assert changed == {"division": "Sales", "costCenter": "8"}


def test_a_filtered_list_knows_a_change_at_once(directory):
    def found():
        return [user["id"] for user in directory.get("/users?$filter=jobTitle eq 'Tester'").json["value"]]

    user = directory.create(jobTitle="Tester")
    assert found() == found() == [user["id"]]
    directory.call("PATCH", f"/users/{user['id']}", {"jobTitle": "Sailor"})
    assert found() == []
    directory.call("PATCH", f"/users/{user['id']}", {"jobTitle": "tester"})
    assert found() == [user["id"]]
    directory.call("DELETE", f"/users/{user['id']}")
    assert found() == []


NEVER_EMPTY = ["accountEnabled", "displayName", "mailNickname", "userPrincipalName", "usageLocation"]


@pytest.mark.parametrize("name", NEVER_EMPTY)
def test_some_properties_cannot_be_emptied(directory, name):
    user = directory.create()
    reply = directory.call("PATCH", f"/users/{user['id']}", {name: None})
    assert reply.error == (400, "Request_BadRequest", wrong(name))


def test_an_app_alone_changes_no_password(directory):
    user = directory.create()
    body = {"passwordProfile": {"password": "aNother1-Password"}}
    assert directory.call("PATCH", f"/users/{user['id']}", body).error == DENIED
    administrator = Directory(scopes=("User.ReadWrite.All", "Directory.AccessAsUser.All"))
    user = administrator.create()
    assert administrator.call("PATCH", f"/users/{user['id']}", body).status == 204
    weak = {"passwordProfile": {"password": "x"}}
    assert administrator.call("PATCH", f"/users/{user['id']}", weak).error == (400, "Request_BadRequest", WEAK)


def test_a_manager_is_set_and_taken_away(directory):
    user, boss = directory.create(), directory.get("/users?$top=1").json["value"][0]
    path = f"/users/{user['id']}/manager"
    body = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{boss['id']}"}
    assert directory.call("PUT", f"{path}/$ref", body).status == 204
    assert directory.get(path).json["id"] == boss["id"]
    assert directory.call("DELETE", f"{path}/$ref").status == 204
    assert directory.get(path).status == 404 and directory.call("DELETE", f"{path}/$ref").status == 404
    nobody = {"@odata.id": "https://graph.microsoft.com/v1.0/users/nobody"}
    assert directory.call("PUT", f"{path}/$ref", nobody).status == 404
    assert directory.call("PUT", f"{path}/$ref", {}).status == 400


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/users/nobody"), ("DELETE", "/users/nobody")])
def test_nobody_is_404(directory, method, path):
    text = "Resource 'nobody' does not exist or one of its queried reference-property objects are not present."
    assert directory.call(method, path, {}).error == (404, "Request_ResourceNotFound", text)


# --- deleting and restoring -----------------------------------------------------------------------------------


def test_a_deleted_user_is_gone_and_can_be_restored(directory):
    user = directory.create(jobTitle="Tester")
    reply = directory.call("DELETE", "/users/adelev@contoso.example")
    assert (reply.status, reply.body) == (204, b"")
    assert directory.get(f"/users/{user['id']}").status == 404
    assert len(directory.get("/users").json["value"]) == 5
    query = "/directory/deletedItems/microsoft.graph.user?$select=id,deletedDateTime,jobTitle"
    [deleted] = directory.get(query).json["value"]
    assert deleted["id"] == user["id"] and deleted["deletedDateTime"].endswith("Z")
    restored = directory.call("POST", f"/directory/deletedItems/{user['id']}/restore")
    assert (restored.status, restored.json["@odata.type"]) == (200, "#microsoft.graph.user")
    assert directory.get("/users/adelev@contoso.example").json["jobTitle"] == "Tester"
    assert directory.get(query).json["value"] == []


def test_a_name_that_was_taken_meanwhile_keeps_a_user_out(directory):
    user = directory.create()
    directory.call("DELETE", f"/users/{user['id']}")
    directory.create()
    reply = directory.call("POST", f"/directory/deletedItems/{user['id']}/restore")
    assert reply.error == (400, "Request_BadRequest", TAKEN)


def test_a_purged_user_never_comes_back(directory):
    user = directory.create()
    path = f"/directory/deletedItems/{user['id']}"
    directory.call("DELETE", f"/users/{user['id']}")
    assert directory.call("DELETE", path).status == 204
    assert directory.get(path).status == 404 and directory.call("POST", f"{path}/restore").status == 404


def test_pages_skip_and_repeat_nobody_when_users_come_and_go(directory):
    first = directory.get("/users?$top=2").json
    directory.call("DELETE", f"/users/{first['value'][0]['id']}")
    directory.create()
    seen = {one["id"] for one in first["value"]}
    link = first["@odata.nextLink"]
    while link:
        page = directory.practice.get(link, directory.token).json
        assert seen.isdisjoint(one["id"] for one in page["value"])
        seen |= {one["id"] for one in page["value"]}
        link = page.get("@odata.nextLink")
    assert len(seen) == 6


# --- permissions --------------------------------------------------------------------------------------------

OPERATIONS = [
    ("POST", "/users"),
    ("PATCH", "/users/lucia.ramirez@contoso.example"),
    ("DELETE", "/users/lucia.ramirez@contoso.example"),
    ("PUT", "/users/lucia.ramirez@contoso.example/manager/$ref"),
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_writing_needs_the_permission_to_write(method, path):
    for refused in ({"roles": ("User.Read.All",)}, {"scopes": ("User.Read.All",)}, {"scopes": ()}):
        assert Directory(**refused).call(method, path, {}).error == DENIED
    for granted in ({"roles": WRITER}, {"scopes": WRITER}):
        assert Directory(**granted).call(method, path, {}).status != 403


def test_reading_the_basket_is_not_writing_it():
    reader = Directory(roles=("User.Read.All",))
    user_id = reader.practice.get("/v1.0/users?$top=1", reader.token).json["value"][0]["id"]
    reader.practice.tenant.delete("user", user_id)
    assert reader.get(f"/directory/deletedItems/{user_id}").status == 200
    assert reader.call("POST", f"/directory/deletedItems/{user_id}/restore").error == DENIED
    assert reader.call("DELETE", f"/directory/deletedItems/{user_id}").error == DENIED
