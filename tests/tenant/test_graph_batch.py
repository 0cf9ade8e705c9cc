"""JSON batching: the envelope, the steps, what depends on what.

Sources: graph docs json-batching.md, throttling.md; texts of refusals from issues of Microsoft's client libraries.
"""

import pytest
from practice import ORIGIN, fresh
from practice_tenant.graph.throttling import Limits

ME = "/users/lucia.ramirez@contoso.example"


@pytest.fixture
def practice():
    return fresh(users=5, roles=("User.Read.All", "User.ReadWrite.All"))


def get(name, url=ME, **more) -> dict:
    return {"id": name, "method": "GET", "url": url} | more


def write(name, method="PATCH", url=ME, body=None, **more) -> dict:
    headers = {"Content-Type": "application/json"}
    return {"id": name, "method": method, "url": url, "headers": headers, "body": body or {"city": "Oslo"}} | more


def send(practice, *steps, **headers):
    return practice.call("POST", "/v1.0/$batch", {"requests": list(steps)}, **headers)


def answers(practice, *steps) -> dict:
    reply = send(practice, *steps)
    assert reply.status == 200, reply.body
    return {one["id"]: one for one in reply.json["responses"]}


# --- what comes back ----------------------------------------------------------------------------------------


def test_every_step_has_an_answer_of_its_own(practice):
    found = answers(
        practice,
        get("1", "/users?$select=displayName&$top=1"),
        get("2", "users/nobody"),
        write("3"),
        get("4", "/applications"),
        get("5", "/nothing"),
        get("6", url="/users?$filter=city eq null&$count=true&$select=id", headers={"ConsistencyLevel": "eventual"}),
    )
    assert {name: one["status"] for name, one in found.items()} == {
        "1": 200, "2": 404, "3": 204, "4": 403, "5": 400, "6": 200,
    }  # fmt: skip
    assert found["1"]["body"]["@odata.nextLink"].startswith(f"{ORIGIN}/v1.0/users?$select=displayName")
    assert "@odata.count" in found["6"]["body"]
    assert found["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert found["3"]["body"] is None
    assert practice.get(f"/v1.0{ME}?$select=city").json["city"] == "Oslo"


def test_the_headers_of_a_step_are_those_of_the_documented_example(practice):
    found = answers(practice, get("1"), get("2", "/users/nobody"))
    assert found["1"]["headers"] == {
        "Cache-Control": "no-cache",
        "x-ms-resource-unit": "1",
        "OData-Version": "4.0",
        "Content-Type": "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;"
        "charset=utf-8",
    }
    assert found["2"]["headers"]["Content-Type"] == "application/json"


def test_the_errors_of_steps_carry_the_ids_of_the_envelope(practice):
    sent = "5dc1a8a4-6d6f-4a0f-8f65-0b1c5c1f1f11"
    reply = send(practice, get("1", "/users/nobody"), get("2", "/users/nobody"), client_request_id=sent)
    inner = [one["body"]["error"]["innerError"] for one in reply.json["responses"]]
    assert {one["request-id"] for one in inner} == {reply.headers["request-id"]}
    assert {one["client-request-id"] for one in inner} == {sent}


def test_a_count_comes_as_text(practice):
    eventual = {"ConsistencyLevel": "eventual"}
    found = answers(practice, get("1", "/users/$count", headers=eventual), get("2", "/users/$count"))
    assert (found["1"]["headers"]["Content-Type"], found["1"]["body"]) == ("text/plain", "5")
    assert found["2"]["status"] == 400


def test_steps_side_by_side_are_not_answered_in_the_order_they_were_sent(practice):
    reply = send(practice, get("1", "/users"), get("2", "/users/nobody"), write("3"))
    assert [one["id"] for one in reply.json["responses"]] == ["3", "2", "1"]


def test_a_location_is_kept(practice):
    body = {
        "accountEnabled": True, "displayName": "New", "mailNickname": "new", "userPrincipalName": "new@contoso.example",
        "passwordProfile": {"password": "xWwvJ]6NMw+bWH-d"},
    }  # fmt: skip
    found = answers(practice, write("1", "POST", "/users", body))
    assert found["1"]["status"] == 201 and "/directoryObjects/" in found["1"]["headers"]["Location"]


def test_twenty_steps_are_taken(practice):
    assert len(answers(practice, *(get(str(number)) for number in range(20)))) == 20


def test_numbers_are_taken_as_ids_and_methods_in_any_case(practice):
    assert answers(practice, {"id": 7, "method": "get", "url": ME})["7"]["status"] == 200


# --- order --------------------------------------------------------------------------------------------------


def test_dependent_steps_are_done_and_answered_in_order(practice):
    steps = [
        write("1", body={"city": "Rome"}),
        get("2", f"{ME}?$select=city", dependsOn=["1"]),
        write("4", body={"city": "Bern"}, dependsOn=["2"]),
        get("3", f"{ME}?$select=city", dependsOn=["4"]),
    ]
    responses = send(practice, *steps).json["responses"]
    assert [one["id"] for one in responses] == ["1", "2", "4", "3"]
    assert [one["body"]["city"] for one in responses if one["body"]] == ["Rome", "Bern"]


def test_what_depends_on_a_failure_fails_with_424_and_is_not_done(practice):
    found = answers(
        practice,
        get("a", "/users/nobody"),
        write("b", body={"city": "Nowhere"}, dependsOn=["A"]),
        get("c", dependsOn=["b"]),
    )
    assert [found[name]["status"] for name in "abc"] == [404, 424, 424]
    assert practice.get(f"/v1.0{ME}?$select=city").json["city"] == "Seattle"


@pytest.mark.parametrize("wanted", [["2"], ["1"], ["nobody"]], ids=["a later step", "itself", "none"])
def test_a_dependency_must_stand_before(practice, wanted):
    reply = send(practice, get("1", dependsOn=wanted), get("2"))
    assert reply.error == (400, "BadRequest", "Invalid dependency for request Id 1.")


# --- the envelope -------------------------------------------------------------------------------------------

MALFORMED = (400, "BadRequest", "Invalid batch payload format.")
BAD_STEPS = {
    "absolute URL": get("1", f"{ORIGIN}/v1.0/users"),
    "Graph's own URL": get("1", "https://graph.microsoft.com/v1.0/users"),
    "URL without a scheme": get("1", "//graph.microsoft.com/v1.0/users"),
    "backslashes": get("1", "\\\\graph.microsoft.com\\users"),
    "line break": get("1", "/users\r\nX: y"),
    "empty URL": get("1", ""),
    "URL no text": get("1", 5),
    "no URL": {"id": "1", "method": "GET"},
    "no method": {"id": "1", "url": ME},
    "no id": {"method": "GET", "url": ME},
    "empty id": get(""),
    "id true": get(True),
    "step no object": "GET /users",
    "headers no object": get("1", headers=["a"]),
    "header no text": get("1", headers={"ConsistencyLevel": 1}),
    "dependsOn no list": get("1", dependsOn="2"),
    "dependsOn of numbers": get("1", dependsOn=[1]),
    "body without a type": get("1", body={}),
    "body not base64": write("1", body="***"),
}


@pytest.mark.parametrize("name", BAD_STEPS)
def test_a_malformed_step_refuses_the_whole_batch(practice, name):
    assert send(practice, write("first"), BAD_STEPS[name]).error == MALFORMED
    assert practice.get(f"/v1.0{ME}?$select=city").json["city"] == "Seattle", "nothing was done"


NO_ENVELOPES = [b"", b"{", b"[]", b"{}", b'{"requests":[]}', b'{"requests":{}}', b'{"requests":null}', b"\xff"]


@pytest.mark.parametrize("body", [*NO_ENVELOPES, b"[" * 9999])
def test_an_envelope_that_is_none_is_refused(practice, body):
    headers = {"Authorization": f"Bearer {practice.token()}", "Content-Type": "application/json"}
    assert practice.send("POST", "/v1.0/$batch", headers, body).error == MALFORMED


@pytest.mark.parametrize("other", ["a", "A"])
def test_an_id_is_used_once_in_any_case(practice, other):
    text = f"Request Id {other} has to be unique in a batch."
    assert send(practice, get("a"), get(other)).error == (400, "BadRequest", text)


def test_twenty_one_steps_are_too_many(practice):
    text = "Number of batch request steps exceeds the maximum value of 20."
    assert send(practice, *(get(str(number)) for number in range(21))).error == (400, "BadRequest", text)


@pytest.mark.parametrize("changes", [{"body": None}, {"headers": {}}, {"headers": None}])
def test_a_write_needs_a_body_and_its_type(practice, changes):
    text = "Write request id : 1 does not contain Content-Type header or body."
    assert send(practice, write("1") | changes).error == (400, "BadRequest", text)


@pytest.mark.parametrize("url", ["/$batch", "$batch", "/%24batch", "/$%62atch", "$batch?x=1", "$batch#x", "/$batch/"])
def test_a_batch_holds_no_batch(practice, url):
    step = write("1", "POST", url, {"requests": [get("2")]})
    found = answers(practice, step)["1"]
    assert (found["status"], found["body"]["error"]["message"]) == (
        400, "A batch request cannot contain another batch request.",
    )  # fmt: skip


def test_the_version_is_the_envelopes(practice):
    found = answers(practice, get("1", "/v1.0/users"))
    assert found["1"]["body"]["error"]["message"] == "Resource not found for the segment 'v1.0'."


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_a_batch(practice, method):
    assert practice.call(method, "/v1.0/$batch", {}).status == 405


# --- who is asking ------------------------------------------------------------------------------------------


def test_the_envelope_needs_a_good_token_and_the_steps_go_by_it(practice):
    body = {"requests": [get("1")]}
    refused = practice.call("POST", "/v1.0/$batch", body, None)
    assert (refused.status, refused.json["error"]["message"]) == (401, "Access token is empty.")
    powerless = practice.token(roles=())
    step = get("1", headers={"Authorization": f"Bearer {practice.token()}"})
    reply = practice.call("POST", "/v1.0/$batch", {"requests": [step]}, powerless)
    assert reply.status == 200 and reply.json["responses"][0]["status"] == 403


# --- throttling and faults ----------------------------------------------------------------------------------


def test_steps_are_metered_one_by_one_and_the_envelope_is_free(practice):
    practice.state.limits = Limits(True, clock=lambda: 0.0)  # a bucket that nothing flows back into
    practice.state.limits.spend(practice.tenant.client_id, practice.tenant.id, 3_500 - 3, writes=False, people=5)
    found = answers(practice, *(get(str(number)) for number in range(5)))
    assert [found[str(number)]["status"] for number in range(5)] == [200, 200, 200, 429, 429]
    throttled = found["4"]
    assert throttled["headers"]["Retry-After"] == "1"
    assert throttled["headers"]["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert throttled["body"]["error"]["code"] == "TooManyRequests"


def test_a_batch_shows_no_resource_unit_of_its_own(practice):
    assert "x-ms-resource-unit" not in send(practice, get("1")).headers


def test_a_fault_can_be_meant_for_a_step(practice):
    fault = {"target": "graph", "status": 429, "retry_after": 7, "in_batch": True, "skip": 1}
    practice.control("faults", fault)
    assert practice.get(f"/v1.0{ME}").status == 200, "not for requests that come alone"
    found = answers(practice, get("1"), get("2"), get("3"))
    assert [found[name]["status"] for name in "123"] == [200, 429, 200]
    assert found["2"]["headers"]["Retry-After"] == "7"
    practice.control("faults", {"target": "graph", "status": 503})
    assert send(practice, get("1")).status == 503, "others hit the envelope"
    assert practice.control("faults", {"target": "graph", "in_batch": True, "cut": True}).status == 400


def test_the_log_holds_the_steps_and_then_their_envelope(practice):
    send(practice, get("1"), get("2"))
    *_, first, second, envelope = practice.control("requests", method="GET").json["requests"]
    assert [first["path"], second["path"], envelope["path"]] == [f"/v1.0{ME}", f"/v1.0{ME}", "/v1.0/$batch"]
    assert first["batch"] == second["batch"]
    assert "batch" not in envelope
