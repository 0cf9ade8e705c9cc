"""The practice tenant as one object: a request goes in, an answer comes out, no socket needed.

    emulator = Emulator(State(Settings()))
    outcome = emulator.answer(Request("GET", "/common/v2.0/.well-known/openid-configuration"))

Nothing here needs a server: a test, a batch and the real process come in by the same door.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial

from . import control, resource_manager
from .entra import endpoints
from .errors import GraphError
from .faults import Fault
from .graph import gateway
from .graph.call import VERSION
from .graph.envelope import refuse
from .messages import Answer, Request
from .portal import door
from .portal.click import Portal
from .portal.layout import plain_page
from .state import State

LARGEST_BODY = 4 * 1024 * 1024  # bytes; Graph's own limit for a request
LARGEST_HEADERS = 64 * 1024  # bytes; chosen, not sourced
LONGEST_TARGET = 64 * 1024  # characters of path and query; chosen, not sourced
_GRAPH_PATH = re.compile(r"/(v\d[^/]*|beta)(/|$)", re.IGNORECASE)


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
        state: the tenant and all that happened to it.
        latency_ms: milliseconds added to every answer of Graph.
    """

    state: State
    latency_ms: int = 0

    def answer_portal(self, request: Request) -> Outcome:
        """Answer one request to the practice portal, which has a port of its own."""
        state = self.state
        recall = partial(state.log.matching, "click")
        portal = Portal(state.tenant, state.signing_key, state.sign_ins, self._ask_graph, recall, state.portal_key)
        answer = door.answer(request, portal)
        state.tenant.publish()
        answer.headers["Date"] = formatdate(state.tenant.now(), usegmt=True)
        return Outcome(answer)

    def _ask_graph(self, request: Request, notes: dict[str, str]) -> Answer:
        """One of the portal's own requests to Graph. Faults and latency are for the clients that a lesson is about."""
        answer = self._graph(request)
        answer.notes |= notes
        self.state.remember(request, answer, "graph")
        return answer

    def answer(self, request: Request) -> Outcome:
        """Answer one request to whichever service its path belongs to.

        Every answer says what time it is on the tenant's clock, which is how a client learns that its own is wrong.
        """
        outcome = self._outcome(request)
        if request.method not in ("GET", "HEAD"):
            self.state.tenant.publish()
        outcome.answer.headers["Date"] = formatdate(self.state.tenant.now(), usegmt=True)
        return outcome

    def _outcome(self, request: Request) -> Outcome:
        if len(request.target) > LONGEST_TARGET:
            return Outcome(plain_refusal(414, "URI Too Long"))
        if request.path == control.PREFIX or request.path.startswith(f"{control.PREFIX}/"):
            return Outcome(control.answer(request, self.state))
        if request.path in resource_manager.PATHS:
            state = self.state
            answer = resource_manager.answer(request, state.tenant, state.signing_key)
            state.remember(request, answer, "resource-manager")
            return Outcome(answer)
        if _GRAPH_PATH.match(request.path):
            return self._answered_by("graph", request)
        return self._answered_by("entra", request)

    def _answered_by(self, party: str, request: Request) -> Outcome:
        """The answer of one of the two services, or the failure that somebody asked for instead."""
        fault = self.state.faults.next("graph" if party == "graph" else "token", request)
        answer = fault.answer(self.state.tenant) if fault else None
        if answer is None:
            answer = self._graph(request) if party == "graph" else self._entra(request)
        if fault and fault.corrupt:
            answer.body = answer.body[: len(answer.body) // 2]
        self.state.remember(request, answer, party)
        return Outcome(answer, self._delay(party, fault), cut=fault is not None and fault.cut)

    def _delay(self, party: str, fault: Fault | None) -> int:
        latency = self.latency_ms if party == "graph" else 0
        return latency + (fault.delay_ms if fault else 0)

    def _entra(self, request: Request) -> Answer:
        state = self.state
        return endpoints.answer(request, state.tenant, state.signing_key, state.sign_ins)

    def _graph(self, request: Request) -> Answer:
        state = self.state
        version = request.path.split("/")[1]
        if version.lower() != VERSION:
            # An unknown version's answer is not sourced; this one is chosen.
            error = GraphError(400, "BadRequest", f"Invalid version: {version[:20]}.")
            return refuse(request, state.tenant, error)
        return gateway.answer(request, state.tenant, state.signing_key, state.limits, self._step)

    def _step(self, request: Request) -> Answer:
        """One step of a batch: it is answered and remembered as if it had come alone; faults may be meant for it."""
        fault = self.state.faults.next("graph", request)
        answer = fault.answer(self.state.tenant) if fault else None
        if answer is None:
            answer = self._graph(request)
        self.state.remember(request, answer, "graph")
        return answer


def portal_refusal(status: int, sentence: str) -> Answer:
    """The same for whoever looks at the portal in a browser."""
    return plain_page(status, "That cannot be taken", sentence)


def plain_refusal(status: int, sentence: str) -> Answer:
    """A refusal in plain text, for what comes before Entra and Graph are asked."""
    return Answer(status, {"Content-Type": "text/plain"}, sentence.encode())
