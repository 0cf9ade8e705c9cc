"""``/$batch``: up to twenty requests in one.

Every step is answered as if it had come alone, with the token of the envelope: it is authorised, metered and throttled
for itself, and the envelope's 200 says nothing about it.

Sources: graph docs json-batching.md, throttling.md; error texts as marked.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from ..errors import GraphError
from ..formats import read_json
from ..messages import Answer, Request, compact
from .call import Call

MOST_STEPS = 20
WRITES = ("POST", "PATCH", "PUT")
# Headers of a step's answer that the documented example does not show; they are the envelope's.
_OF_ENVELOPE = frozenset(
    ["request-id", "client-request-id", "strict-transport-security", "vary", "x-ms-ags-diagnostic"]
)


@dataclass(frozen=True)
class Step:
    """One request of a batch, its names of headers in lower case."""

    id: str
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    depends_on: tuple[str, ...] = ()


def answer_batch(call: Call) -> Answer:
    """``POST /$batch``: 200 with an answer for each step, or 400 when the envelope itself is malformed."""
    if call.request.envelope_id:  # that a batch holds no batch is chosen, not sourced, and so is the text
        raise _refused("A batch request cannot contain another batch request.")
    steps = read_steps(call.request.body)
    statuses: dict[str, int] = {}
    responses = []
    for step in steps:
        failed = any(statuses[name.lower()] >= 400 for name in step.depends_on)
        answered = _failed_dependency() if failed else _perform(call, step)
        statuses[step.id.lower()] = answered.status
        responses.append((step, answered))
    if not any(step.depends_on for step in steps):
        # Steps that run side by side are answered in another order than they were sent; here, the shortest first.
        responses.sort(key=lambda pair: len(pair[1].body))
    body = b",".join(_response(step, answered) for step, answered in responses)
    return Answer(headers={"Content-Type": "application/json"}, body=b'{"responses":[' + body + b"]}")


# --- the envelope -------------------------------------------------------------------------------------------


def read_steps(data: bytes) -> list[Step]:
    """The steps of an envelope.

    Raises:
        GraphError: 400 ``BadRequest``. Recorded: the texts for a malformed payload, an id used twice, a write
            without a body, and how that for a dependency begins; the one for more than twenty steps is chosen: it is
            what Microsoft's .NET client says.
    """
    try:
        envelope = read_json(data)
    except ValueError:
        raise _malformed() from None
    requests = envelope.get("requests") if isinstance(envelope, dict) else None
    if not isinstance(requests, list) or not requests:
        raise _malformed()
    if len(requests) > MOST_STEPS:
        raise _refused(f"Number of batch request steps exceeds the maximum value of {MOST_STEPS}.")
    steps: list[Step] = []
    for request in requests:
        step = _read_step(request)
        before = {one.id.lower() for one in steps}
        if step.id.lower() in before:
            raise _refused(f"Request Id {step.id} has to be unique in a batch.")
        # Documented as advice, and once seen refused: "either fully sequential or fully parallel" (docs#16280).
        # Chosen: any mixture is taken, so long as a step comes after those it depends on.
        if any(name.lower() not in before for name in step.depends_on):
            raise _refused(f"Invalid dependency for request Id {step.id}.")
        steps.append(step)
    return steps


def _read_step(request: Any) -> Step:
    if not isinstance(request, dict):
        raise _malformed()
    name, method, url = request.get("id"), request.get("method"), request.get("url")
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)  # as .NET's JSON reader takes it (chosen, not sourced)
    headers, depends_on = request.get("headers") or {}, request.get("dependsOn") or []
    if not (isinstance(name, str) and isinstance(method, str) and isinstance(url, str) and name and method and url):
        raise _malformed()
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise _malformed()
    if not isinstance(depends_on, list) or not all(isinstance(one, str) for one in depends_on):
        raise _malformed()
    if not _is_relative(url):
        raise _malformed()
    lower = {key.lower(): value for key, value in headers.items()}
    body = request.get("body")
    if method.upper() in WRITES and (body is None or "content-type" not in lower):
        raise _refused(f"Write request id : {name} does not contain Content-Type header or body.")
    if body is not None and "content-type" not in lower:
        raise _malformed()
    return Step(name, method.upper(), url, lower, _read_body(body), tuple(depends_on))


def _is_relative(url: str) -> bool:
    """With or without a leading slash, but never an address of its own, and nothing that is no URL at all."""
    return not re.match(r"[a-z][a-z0-9+.-]*:|//|\\", url, re.IGNORECASE) and url.isprintable()


def _read_body(body: Any) -> bytes:
    """JSON as it stands; what is not JSON comes as base64 URL-encoded text (json-batching.md)."""
    if body is None:
        return b""
    if isinstance(body, str):
        try:
            return base64.b64decode(body.replace("-", "+").replace("_", "/") + "=" * (-len(body) % 4), validate=True)
        except ValueError:
            raise _malformed() from None
    return compact(body)


def _malformed() -> GraphError:
    return _refused("Invalid batch payload format.")


def _refused(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


# --- the steps ----------------------------------------------------------------------------------------------


def _perform(call: Call, step: Step) -> Answer:
    envelope = call.request
    own = {
        "authorization": envelope.headers["authorization"],
        "client-request-id": envelope.headers.get("client-request-id", ""),
    }
    version = envelope.path.split("/")[1]
    target = f"/{version}/{step.url.lstrip('/')}"
    return call.answer_step(
        Request(step.method, target, step.headers | own, step.body, envelope.origin, call.request_id)
    )


def _failed_dependency() -> Answer:
    """The status is documented, the body is chosen, not sourced."""
    body = {"error": {"code": "FailedDependency", "message": "A request this request depends on has failed."}}
    return Answer(424, {"Cache-Control": "no-cache", "Content-Type": "application/json"}, compact(body))


def _response(step: Step, answered: Answer) -> bytes:
    """A step's answer in JSON; its body is put in as it is, however deep."""
    headers = {name: value for name, value in answered.headers.items() if name.lower() not in _OF_ENVELOPE}
    about = compact({"id": step.id, "status": answered.status, "headers": headers})
    return about[:-1] + b',"body":' + _shown_body(answered) + b"}"


def _shown_body(answered: Answer) -> bytes:
    """JSON as JSON and text as a string, as OData's JSON format has it (4.01, section 19.4); nothing is null."""
    if not answered.body:
        return b"null"
    if answered.headers.get("Content-Type", "").startswith("application/json"):
        return answered.body
    return compact(answered.body.decode("utf-8", "replace"))
