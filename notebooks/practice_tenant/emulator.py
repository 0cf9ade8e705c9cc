"""The practice tenant as one object: a request goes in, an answer comes out, no socket needed."""

from __future__ import annotations

import re
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from . import control, graph, identity
from .control import Faults
from .device_code import SignIns
from .directory import Settings, Tenant
from .errors import GraphError
from .messages import Answer, Request
from .people import load_people
from .throttling import Limits
from .tokens import SigningKey

LOG_LENGTH = 20_000  # requests that are remembered; the oldest go first
LONGEST_TARGET = 64 * 1024  # characters of path and query
_GRAPH_PATH = re.compile(r"/(v\d[^/]*|beta)(/|$)", re.IGNORECASE)

# Nothing here asks for a secret in an address, but somebody may put one there.
_SECRET_IN_QUERY = re.compile(
    r"((?:^|&)(?:access_token|refresh_token|id_token|client_secret|client_assertion|password|code|device_code|user_code)="
    r")[^&]*",
    re.IGNORECASE,
)


@dataclass
class Outcome:
    """An answer and how it is delivered: so late, and perhaps only half of it."""

    answer: Answer
    delay_ms: int = 0
    cut: bool = False


@dataclass
class Emulator:
    """Entra ID, Microsoft Graph and the control interface over one tenant.

    Args:
        settings: size of the directory, the daemon's credentials and roles.
        latency_ms: milliseconds added to every answer of Graph.
        throttle: whether Graph's resource-unit limits are enforced.
        control_key: what the control interface asks for.
        signing_key: signs the tokens; made new unless one is given.
    """

    settings: Settings
    latency_ms: int = 0
    throttle: bool = False
    control_key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    signing_key: SigningKey = field(default_factory=SigningKey.generate, repr=False)

    def __post_init__(self) -> None:
        self._users = load_people(self.settings.users)
        self.reset()

    def reset(self) -> None:
        """Back to the state of the start; the signing key stays, so tokens stay good."""
        self.tenant = Tenant(self.settings, self._users)
        self.limits = Limits(self.throttle)
        self.sign_ins = SignIns()
        self.faults = Faults()
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)

    def answer(self, request: Request) -> Outcome:
        """Answer one request to whichever service its path belongs to."""
        if len(request.target) > LONGEST_TARGET:
            return Outcome(Answer(414, {"Content-Type": "text/plain"}, b"URI Too Long"))
        if request.path == control.PREFIX or request.path.startswith(f"{control.PREFIX}/"):
            return Outcome(control.answer(request, self))
        is_graph = _GRAPH_PATH.match(request.path) is not None
        fault = self.faults.next("graph" if is_graph else "token", request)
        given = fault.answer(self.tenant) if fault else None
        if given is None:
            given = self._graph(request) if is_graph else self._entra(request)
        if fault and fault.corrupt:
            given.body = given.body[: len(given.body) // 2]
        self.log.append(log_entry(request, given, self.tenant.now(), "graph" if is_graph else "entra"))
        delay = (self.latency_ms if is_graph else 0) + (fault.delay_ms if fault else 0)
        return Outcome(given, delay, bool(fault and fault.cut))

    def _entra(self, request: Request) -> Answer:
        return identity.answer(request, self.tenant, self.signing_key, self.sign_ins)

    def _graph(self, request: Request) -> Answer:
        version = request.path.split("/")[1]
        if version.lower() != graph.VERSION:
            # An unknown version's answer is not sourced; this one is chosen.
            return graph.refuse(
                request, self.tenant, GraphError(400, "BadRequest", f"Invalid version: {version[:20]}.")
            )
        return graph.answer(request, self.tenant, self.signing_key, self.limits, self._step)

    def _step(self, request: Request) -> Answer:
        """One step of a batch; faults may be meant for it alone."""
        fault = self.faults.next("graph", request)
        return (fault and fault.answer(self.tenant)) or self._graph(request)


def log_entry(request: Request, given: Answer, now: float, party: str) -> dict[str, Any]:
    """What is remembered of a request: never a token, an assertion, a key or a secret."""
    entry = {
        "time": round(now, 3),
        "party": party,
        "method": request.method,
        "path": request.path,
        "query": _SECRET_IN_QUERY.sub(r"\1…", request.query),
        "status": given.status,
    }
    form = request.form()
    if form:
        entry["form"] = {name: form[name][:200] for name in ("client_id", "grant_type", "scope") if name in form}
        entry["credential"] = next((n for n in ("client_assertion", "client_secret") if form.get(n)), None)
    return entry
