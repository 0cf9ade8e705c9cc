"""What goes in and what comes out: one request, one answer, both plain values.

Everything behind the server is a function from `Request` to `Answer`, so a test can call it without a socket.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1_000  # of a form; one with more is taken for none (chosen, not sourced)

# A request line may name the whole URL (RFC 9112, 3.2.2). A strict parser would raise on a host like "[": not this.
_ORIGIN = re.compile(r"\A[a-z][a-z0-9+.-]*://([^/?#]*)", re.IGNORECASE)
_SLASHES = re.compile("/{2,}")


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Args:
        method: upper case, e.g. ``"GET"``.
        target: path and query as they stood on the request line, still percent-encoded.
        headers: names in lower case.
        body: the raw bytes, empty when there were none.
        origin: ``https://127.0.0.1:PORT``, the address the client spoke to; links in answers start with it.
        envelope_id: for a step of a batch, Graph's own id for the batch; None for a request that came alone.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = "https://127.0.0.1"
    envelope_id: str | None = None

    @cached_property
    def path(self) -> str:
        """The path, percent-encoded; runs of slashes count as one, because MSAL's own default authority
        ends in a slash and so asks for ``//v2.0/…`` (facts: Entra accepts it)."""
        return _SLASHES.sub("/", _ORIGIN.sub("", self.target).partition("?")[0].partition("#")[0])

    @cached_property
    def query(self) -> str:
        """The query, percent-encoded, without its question mark."""
        return self.target.partition("?")[2].partition("#")[0]

    def form(self) -> dict[str, str]:
        """The body's fields when it is ``application/x-www-form-urlencoded``, else nothing.

        Entra reads a JSON body as a form without fields: that is why it answers 900144 "must contain the
        following parameter: 'grant_type'" to it. Whoever minds a field that stands twice asks `form_pairs`.
        """
        return dict(reversed(self.form_pairs()))

    def form_pairs(self) -> list[tuple[str, str]]:
        """The same fields one by one, (name, value) in the order they were sent."""
        return self._form_pairs

    @cached_property
    def _form_pairs(self) -> list[tuple[str, str]]:
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return []
        try:
            return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:  # too many
            return []


def host_in(target: str) -> str | None:
    """Host and port of a target that names the whole URL; None for a path, which is the usual case."""
    named = _ORIGIN.match(target)
    return named and named[1]


@dataclass
class Answer:
    """One HTTP answer.

    Args:
        headers: in the order in which they are sent.
        notes: what the request log says beside a refusal, its cause and its fix; it is never sent.
        afterwards: what may be done once the answer is on its way, because a later answer is then made sooner. Nothing
            depends on it: whoever has no time for it leaves it out.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    notes: dict[str, str] = field(default_factory=dict)
    afterwards: Callable[[], object] | None = None


def compact(value: Any) -> bytes:
    """JSON as Microsoft sends it: no white space, non-ASCII as UTF-8.

    A text of a token or of a path may hold half a surrogate pair, which UTF-8 cannot carry; it is sent as ``?``. What
    is stored never does, see `read_json`.
    """
    return _encode(value).encode("utf-8", "replace")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
