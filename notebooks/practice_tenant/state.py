"""What one run of the practice tenant remembers, and how it goes back to the start."""

from __future__ import annotations

import json
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .directory.made_people import load_people
from .directory.tenant import Settings, Tenant
from .entra.sign_ins import SignIns
from .faults import Faults
from .graph.throttling import Limits
from .messages import Answer, Request, compact
from .signing import SigningKey

LOG_BYTES = 20_000_000  # of requests that are remembered, in JSON; the oldest go first
LONGEST_LOGGED = 400  # characters of a path, and of a query
LONGEST_FIELD = 200  # characters of a form's field, and of a method

# Nothing here asks for a secret in an address, but somebody may put one there.
_SECRET_IN_QUERY = re.compile(
    r"((?:^|&)(?:access_token|refresh_token|id_token|client_secret|client_assertion|password|code|device_code|user_code)="
    r")[^&]*",
    re.IGNORECASE,
)


class RequestLog:
    """What the tenant saw, oldest first, in no more memory than `LOG_BYTES`."""

    def __init__(self) -> None:
        self._entries: deque[bytes] = deque()  # in JSON, so that their size is known
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self._entries)

    def matching(self, name: str, value: str) -> list[dict[str, Any]]:
        """The entries with this member, oldest first. Only they are parsed: the portal asks for every page."""
        member = compact({name: value})[1:-1]
        return [json.loads(entry) for entry in self._entries if member in entry]

    def add(self, entry: dict[str, Any]) -> None:
        """Remember a request; the oldest are forgotten when it gets too much."""
        text = compact(entry)
        self._entries.append(text)
        self._bytes += len(text)
        while self._bytes > LOG_BYTES:
            self._bytes -= len(self._entries.popleft())


@dataclass
class State:
    """The tenant, what it was asked, and what it was told to do.

    Args:
        settings: size of the directory, the daemon's credentials and roles.
        throttle: whether Graph's resource-unit limits are enforced.
        control_key: what the control interface asks for.
        portal_key: the folder that the portal's pages lie in, 22 characters that nobody can guess.
        make_signing_key: gives the key that signs the tokens, when the first one is needed; see `signing_key`.

    Attributes:
        tenant, limits, sign_ins, faults: see their classes.
        sign_in_address: the page on which a device code is approved, when the portal has it.
        log: what the tenant saw, oldest first.
    """

    settings: Settings
    throttle: bool = False
    control_key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    portal_key: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    make_signing_key: Callable[[], SigningKey] = field(default=SigningKey.generate, repr=False)

    def __post_init__(self) -> None:
        self.sign_in_address: str | None = None
        settings = self.settings
        self._users = load_people(
            settings.users, sign_in_names=settings.sign_in_names, organisation=settings.organisation
        )
        self.reset()

    @cached_property
    def signing_key(self) -> SigningKey:
        """The key that signs the tokens. To make one takes a tenth of a second, so nobody waits before it is needed."""
        return self.make_signing_key()

    def reset(self) -> None:
        """Back to the state of the start; the signing key stays, so tokens stay good."""
        self.tenant = Tenant(self.settings, self._users)
        self.limits = Limits(self.throttle)
        self.sign_ins = SignIns(self.sign_in_address)
        self.faults = Faults()
        self.log = RequestLog()
        self.tenant.publish()

    def serve_sign_in_at(self, address: str) -> None:
        """Send everybody who signs in by device code to this page from now on."""
        self.sign_in_address = self.sign_ins.page_address = address

    def remember(self, request: Request, answer: Answer, party: str) -> None:
        """Write a request and its answer into the log.

        Args:
            party: who answered, ``entra``, ``graph`` or ``resource-manager``.
        """
        self.log.add(_log_entry(request, answer, self.tenant.now(), party))


def _log_entry(request: Request, answer: Answer, now: float, party: str) -> dict[str, Any]:
    """What is remembered of a request: never a token, an assertion, a key or a secret."""
    entry: dict[str, Any] = {
        "time": round(now, 3),
        "party": party,
        "method": request.method[:LONGEST_FIELD],
        "path": _shortened(request.path),
        "query": _shortened(_SECRET_IN_QUERY.sub(r"\1…", request.query)),
        "status": answer.status,
    }
    if request.envelope_id:
        entry["batch"] = request.envelope_id
    form = request.form()
    if form:
        entry["form"] = {
            name: form[name][:LONGEST_FIELD] for name in ("client_id", "grant_type", "scope") if name in form
        }
        entry["credential"] = next((n for n in ("client_assertion", "client_secret") if form.get(n)), None)
    return entry | answer.notes


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_LOGGED else f"{text[:LONGEST_LOGGED]}…"
