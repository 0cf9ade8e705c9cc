"""Failures on request: a lesson or a test says which of the next answers are to fail, and how."""

from __future__ import annotations

from dataclasses import dataclass

from .directory.tenant import Tenant
from .errors import GraphError
from .graph.envelope import refuse
from .messages import Answer, Request


@dataclass
class Fault:
    """Makes the next answers of one service fail.

    Args:
        target: ``token`` (everything Entra answers) or ``graph``.
        count: how many answers.
        skip: how many good answers come first.
        status: the HTTP status to answer instead, 400 to 599; None lets the real answer through.
        retry_after: seconds for ``Retry-After``; None sends none.
        delay_ms: milliseconds before the answer.
        cut: the connection is closed in the middle of the body.
        corrupt: the body ends in the middle although the HTTP message is whole.
        expired_page_token: requests with a ``$skiptoken`` get ``Directory_ExpiredPageToken``; others do not count.
        in_batch: it hits the steps inside a ``$batch`` instead of whole requests.
    """

    target: str
    count: int = 1
    skip: int = 0
    status: int | None = None
    retry_after: int | None = None
    delay_ms: int = 0
    cut: bool = False
    corrupt: bool = False
    expired_page_token: bool = False
    in_batch: bool = False

    def concerns(self, target: str, request: Request) -> bool:
        if target != self.target or self.count <= 0 or self.in_batch != (request.envelope_id is not None):
            return False
        return not self.expired_page_token or "skiptoken=" in request.query.lower()

    def answer(self, tenant: Tenant) -> Answer | None:
        """The failure as an answer; None when the real answer goes out, only late, cut or corrupt."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.expired_page_token:
            text = "The specified page token value has expired and can no longer be included in your request."
            return refuse(None, tenant, GraphError(400, "Directory_ExpiredPageToken", text))
        if self.status is None:
            return None
        if self.target == "graph":
            code, text = _GRAPH_FAILURES.get(self.status, ("UnknownError", ""))  # but for 429 chosen, not sourced
            return refuse(None, tenant, GraphError(self.status, code, text, headers))
        # Entra throttles client credentials with plain text and a minute's wait (MSAL.NET issue 2855).
        headers = ({"Retry-After": "60"} if self.status == 429 else {}) | headers
        body = b"Too Many Requests" if self.status == 429 else b"The service is unavailable."
        return Answer(self.status, {"Content-Type": "text/plain; charset=utf-8"} | headers, body)


_GRAPH_FAILURES = {429: ("TooManyRequests", "Please retry again later.")}


class Faults:
    """The faults that wait for their turn, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def next(self, target: str, request: Request) -> Fault | None:
        """The fault for this request, if there is one, taken off the count."""
        for fault in self.waiting:
            if not fault.concerns(target, request):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                return None
            fault.count -= 1
            self.waiting = [one for one in self.waiting if one.count > 0]
            return fault
        return None
