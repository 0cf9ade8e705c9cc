"""Delta queries over users: the first round, the rounds after it, and what a link may be used for.

Sources: graph docs user-delta.md, delta-query-users.md, delta-query-overview.md.
"""

import time

import pytest
from practice import ORIGIN, fresh

WRITER = ("User.ReadWrite.All",)
PASSWORD = {"password": "xWwvJ]6NMw+bWH-d"}
TOO_OLD = (400, "Request_UnsupportedQuery", "DeltaLink older than 30 days is not supported.")
DAY = 86_400


class Tracker:
    """A client that tracks the practice directory."""

    def __init__(self, users: int = 5) -> None:
        self.practice = fresh(users=users)
        self.token = self.practice.token(roles=WRITER)

    def get(self, target, **headers):
        return self.practice.get(target, self.token, headers)

    def write(self, method, path, value=None):
        reply = self.practice.call(method, f"/v1.0{path}", value, self.token)
        assert reply.status < 300, reply.body
        return reply.json if reply.body else None

    def round(self, target, **headers):
        """Follow nextLinks to the end: everybody seen, and the deltaLink."""
        people = []
        while True:
            reply = self.get(target, **headers)
            assert reply.status == 200, reply.body
            page = reply.json
            assert ("@odata.nextLink" in page) != ("@odata.deltaLink" in page), "exactly one of the two"
            people += page["value"]
            if "@odata.deltaLink" in page:
                return people, page["@odata.deltaLink"]
            target = page["@odata.nextLink"]

    def first(self, query=""):
        return self.round(f"/v1.0/users/delta{query}")

    def ids(self):
        return [one["id"] for one in self.get("/v1.0/users?$select=id").json["value"]]

    def wait(self, days):
        self.practice.control("clock", {"shift_seconds": days * DAY})
        self.token = self.practice.token(roles=WRITER)

    def create(self, name="new", **more):
        body = {"accountEnabled": True, "displayName": name, "mailNickname": name, "passwordProfile": PASSWORD}
        return self.write("POST", "/users", body | {"userPrincipalName": f"{name}@contoso.example"} | more)["id"]


@pytest.fixture
def tracker():
    return Tracker()


# --- the first round ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()"])
def test_every_spelling_is_understood_and_links_use_the_short_one(tracker, name):
    page = tracker.get(f"/v1.0/users/{name}").json
    assert page["@odata.deltaLink"].startswith(f"{ORIGIN}/v1.0/users/delta?$deltatoken=")
    assert [one["id"] for one in page["value"]] == tracker.ids()


def test_the_whole_directory_comes_in_pages():
    tracker = Tracker(users=254)
    people, link = tracker.first()
    assert [one["id"] for one in people] == [one["id"] for _, one in tracker.practice.tenant.people.after(-1)]
    first = tracker.get("/v1.0/users/delta").json
    assert len(first["value"]) == 200
    assert first["@odata.nextLink"].startswith(f"{ORIGIN}/v1.0/users/delta?$skiptoken=")
    assert tracker.round(link)[0] == []


def test_select_is_in_the_token_not_in_the_link():
    tracker = Tracker(users=250)
    first = tracker.get("/v1.0/users/delta?$select=displayName,jobTitle").json
    assert first["@odata.context"].endswith("/$metadata#users(displayName,jobTitle)")
    assert "select" not in first["@odata.nextLink"] and "jobTitle" not in first["@odata.nextLink"]
    second = tracker.get(first["@odata.nextLink"]).json
    assert second["@odata.context"].endswith("/$metadata#users")
    assert {name for one in second["value"] for name in one} == {"displayName", "jobTitle", "id"}
    assert "select" not in second["@odata.deltaLink"]


def test_what_was_never_set_is_left_out_and_id_is_always_there(tracker):
    bare = tracker.create()
    people, _ = tracker.first("?$select=displayName,givenName,surname")
    assert people[-1] == {"displayName": "new", "id": bare}
    assert None not in people[0].values()


def test_users_created_during_the_first_round_come_in_the_next():
    tracker = Tracker(users=250)
    first = tracker.get("/v1.0/users/delta").json
    early = first["value"][0]["id"]
    tracker.write("PATCH", f"/users/{early}", {"jobTitle": "changed"})
    created = tracker.create()
    rest, link = tracker.round(first["@odata.nextLink"])
    assert created in {one["id"] for one in rest}
    again, _ = tracker.round(link)
    assert {early, created} == {one["id"] for one in again}, "nothing is lost; a replay is documented"


# --- changes ------------------------------------------------------------------------------------------------


def test_without_changes_there_is_a_new_link_and_nothing_else(tracker):
    people, link = tracker.round(tracker.first()[1])
    assert people == []
    assert tracker.round(link)[0] == []


def test_created_changed_deleted_restored_and_purged(tracker):
    one, two, three, four, five = tracker.ids()
    _, link = tracker.first()
    tracker.write("PATCH", f"/users/{one}", {"jobTitle": "Astronaut"})
    for user_id in (two, three, four):
        tracker.write("DELETE", f"/users/{user_id}")
    tracker.write("POST", f"/directory/deletedItems/{three}/restore")
    tracker.write("DELETE", f"/directory/deletedItems/{four}")
    created = tracker.create()
    people, after = tracker.round(link)
    found = {person["id"]: person for person in people}
    assert found.keys() == {one, two, three, four, created}
    assert (found[one]["jobTitle"], "@removed" in found[one]) == ("Astronaut", False)
    assert found[two] == {"id": two, "@removed": {"reason": "changed"}}
    assert found[four] == {"id": four, "@removed": {"reason": "deleted"}}
    assert "@removed" not in found[three] and "@removed" not in found[created]
    assert five not in found
    assert tracker.round(after)[0] == []
    assert tracker.round(link)[0] == people, "a link can be used again"


def test_a_user_deleted_before_and_purged_after_is_reported_again(tracker):
    user_id = tracker.ids()[0]
    _, link = tracker.first()
    tracker.write("DELETE", f"/users/{user_id}")
    people, link = tracker.round(link)
    assert people[0]["@removed"] == {"reason": "changed"}
    tracker.wait(20)
    people, link = tracker.round(link)
    assert people == []
    tracker.wait(11)
    assert tracker.round(link)[0] == [{"id": user_id, "@removed": {"reason": "deleted"}}]


def test_several_changes_of_one_user_are_one_entry(tracker):
    user_id = tracker.ids()[0]
    _, link = tracker.first()
    for title in ("a", "b", "c"):
        tracker.write("PATCH", f"/users/{user_id}", {"jobTitle": title})
    [entry] = tracker.round(link)[0]
    assert entry["jobTitle"] == "c"


def test_a_patch_that_changes_nothing_is_no_change(tracker):
    user = tracker.get("/v1.0/users?$top=1").json["value"][0]
    _, link = tracker.first()
    tracker.write("PATCH", f"/users/{user['id']}", {"displayName": user["displayName"]})
    assert tracker.round(link)[0] == []


def test_select_decides_what_counts_as_a_change(tracker):
    user_id = tracker.ids()[0]
    _, link = tracker.first("?$select=displayName,jobTitle")
    tracker.write("PATCH", f"/users/{user_id}", {"city": "Oslo"})
    assert tracker.round(link)[0] == []
    _, everything = tracker.first()
    tracker.write("PATCH", f"/users/{user_id}", {"city": "Rome"})
    assert [one["id"] for one in tracker.round(everything)[0]] == [user_id], "without $select all is tracked"
    tracker.write("DELETE", f"/users/{user_id}")
    assert tracker.round(link)[0][0]["@removed"] == {"reason": "changed"}


def test_what_was_emptied_is_null(tracker):
    user_id = tracker.create(jobTitle="Tester")
    _, link = tracker.first("?$select=displayName,jobTitle,mobilePhone")
    tracker.write("PATCH", f"/users/{user_id}", {"jobTitle": None, "mobilePhone": None})
    assert tracker.round(link)[0] == [{"displayName": "new", "jobTitle": None, "id": user_id}]


def test_return_minimal_shows_only_what_changed(tracker):
    user_id = tracker.create(jobTitle="Tester", mobilePhone="+1")
    _, link = tracker.first("?$select=displayName,jobTitle,mobilePhone")
    tracker.write("PATCH", f"/users/{user_id}", {"displayName": "newer", "jobTitle": None})
    changed = {"displayName": "newer", "jobTitle": None, "id": user_id}
    assert tracker.round(link, Prefer="return=minimal")[0] == [changed]
    assert tracker.round(link)[0] == [changed | {"mobilePhone": "+1"}]
    created = {"id": tracker.create("other"), "displayName": "other"}
    assert tracker.round(link, Prefer="respond-async, return=minimal")[0] == [changed, created]


def test_the_manager_can_be_tracked(tracker):
    one, two, *_ = tracker.ids()
    user_id = tracker.create()
    people, link = tracker.first("?$select=displayName,manager")
    assert "manager@delta" not in people[-1]

    def set_manager(boss):
        reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{boss}"}
        tracker.write("PUT", f"/users/{user_id}/manager/$ref", reference)

    set_manager(one)
    set_manager(two)
    person = {"@odata.type": "#microsoft.graph.user"}
    entries, link = tracker.round(link)
    assert entries == [{"displayName": "new", "id": user_id, "manager@delta": [person | {"id": two}]}]
    tracker.write("DELETE", f"/users/{user_id}/manager/$ref")
    [entry] = tracker.round(link)[0]
    assert entry["manager@delta"] == [person | {"id": two, "@removed": {"reason": "deleted"}}]
    _, plain = tracker.first("?$select=displayName")
    set_manager(one)
    assert tracker.round(plain)[0] == []


def test_many_changes_come_in_pages(tracker):
    _, link = tracker.first("?$select=displayName")
    created = [tracker.create(f"n{number}") for number in range(220)]
    first = tracker.get(link).json
    assert len(first["value"]) == 200 and "@odata.nextLink" in first
    tracker.write("PATCH", f"/users/{created[210]}", {"displayName": "late"})
    rest, after = tracker.round(first["@odata.nextLink"])
    assert [one["id"] for one in first["value"] + rest] == created[:210] + created[211:] + [created[210]]
    assert tracker.round(after)[0] == []


# --- where a round begins and ends ------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["latest", "Latest"])
def test_latest_begins_now(tracker, word):
    people, link = tracker.round(f"/v1.0/users/delta?$deltaToken={word}&$select=displayName")
    assert people == []
    created = tracker.create()
    assert tracker.round(link)[0] == [{"displayName": "new", "id": created}]


def test_a_filter_follows_single_users(tracker):
    one, two, three, *_ = tracker.ids()
    people, link = tracker.first(f"?$filter=id eq '{one}' or id eq '{two.upper()}'")
    assert {person["id"] for person in people} == {one, two}
    for user_id in (one, three):
        tracker.write("PATCH", f"/users/{user_id}", {"jobTitle": "changed"})
    assert [person["id"] for person in tracker.round(link)[0]] == [one]


@pytest.mark.parametrize(
    "query",
    ["$top=5", "$orderby=displayName", "$filter=displayName eq 'x'", "$search=\"displayName:x\"",
     "$filter=" + " or ".join(f"id eq '{number}'" for number in range(51))],
)  # fmt: skip
def test_what_delta_does_not_support_is_refused(tracker, query):
    assert tracker.get(f"/v1.0/users/delta?{query}").status == 400


def test_a_link_is_good_for_thirty_days_on_the_tenants_clock(tracker):
    _, link = tracker.first()
    tracker.wait(29.9)
    assert tracker.get(link).status == 200
    tracker.wait(0.2)
    assert tracker.get(link).error == TOO_OLD


def test_a_damaged_link_is_refused(tracker):
    _, link = tracker.first()
    other = Tracker(users=4).first()[1]
    emoji = f"{ORIGIN}/v1.0/users/delta?$deltatoken=%F0%9F%98%80"
    for damaged in (link[:-1], link[:-5] + "AAAAA", link + "A", other, emoji):
        assert tracker.get(damaged).error == TOO_OLD
    skip = tracker.get("/v1.0/users/delta?$skiptoken=damaged")
    assert skip.error == (400, "Request_BadRequest", "Invalid Skip Token")


def test_after_a_reset_old_links_are_refused(tracker):
    _, link = tracker.first()
    tracker.practice.control("reset")
    assert tracker.get(link).error == TOO_OLD


def test_an_expired_page_token_can_be_provoked():
    tracker = Tracker(users=250)
    link = tracker.get("/v1.0/users/delta").json["@odata.nextLink"]
    tracker.practice.control("faults", {"target": "graph", "expired_page_token": True})
    assert tracker.get(link).error[1] == "Directory_ExpiredPageToken"
    assert tracker.get(link).status == 200


def test_delta_needs_the_permission_to_read_users(tracker):
    for token in (tracker.practice.token(roles=("Mail.Read",)), tracker.practice.token(scopes=("User.Read",))):
        assert tracker.practice.get("/v1.0/users/delta", token).status == 403
    assert tracker.practice.get("/v1.0/users/delta", tracker.practice.token(scopes=("User.Read.All",))).status == 200


def test_a_page_of_a_large_directory_costs_what_it_costs_in_a_small_one():
    """Keyset paging: a bound that a scan of the directory, or of the change log, would miss by far."""

    def seconds(tracker, link):
        best = 1.0
        for _ in range(5):
            began = time.perf_counter()
            assert tracker.get(link).status == 200
            best = min(best, time.perf_counter() - began)
        return best

    small, large = Tracker(users=1_000), Tracker(users=40_000)
    costs = []
    for tracker in (small, large):
        link = tracker.get("/v1.0/users/delta?$select=displayName").json["@odata.nextLink"]
        _, latest = tracker.round("/v1.0/users/delta?$deltatoken=latest")
        costs.append((seconds(tracker, link), seconds(tracker, latest)))
    (page, nothing), (large_page, large_nothing) = costs
    assert large_page < 5 * page + 0.01 and large_nothing < 5 * nothing + 0.01
