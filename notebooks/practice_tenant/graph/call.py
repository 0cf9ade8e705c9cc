"""One authorised call to Graph: what every operation is handed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..directory.tenant import Tenant
from ..errors import GraphError
from ..formats import read_json
from ..messages import Answer, Request

VERSION = "v1.0"


@dataclass
class Call:
    """One authorised call: the request, whom it comes from, and the parts of its path.

    Args:
        claims: the access token's.
        request_id: Graph's own id for the request, as it stands in the answer's header.
        answer_step: answers a step of a batch as if it had come alone.
        template: the route's path.
        keys: what stood for the braces in it.
        only_owned: the caller may write nothing but the applications it owns (Application.ReadWrite.OwnedBy).
    """

    request: Request
    tenant: Tenant
    claims: dict[str, Any]
    request_id: str
    answer_step: Callable[[Request], Answer]
    template: str = ""
    keys: list[str] = field(default_factory=list)
    only_owned: bool = False

    @property
    def is_delegated(self) -> bool:
        """Whether a signed-in user calls through an app, not the app for itself."""
        return "scp" in self.claims

    def holds(self, roles: tuple[str, ...], scopes: tuple[str, ...]) -> bool:
        """Whether the caller has any one of the application or of the delegated permissions, whichever count for it."""
        held = self.claims["scp"].split() if self.is_delegated else self.claims.get("roles", [])
        return not set(held).isdisjoint(scopes if self.is_delegated else roles)

    @property
    def eventual(self) -> bool:
        """Whether the header ``ConsistencyLevel: eventual`` was sent, in any case."""
        return self.request.headers.get("consistencylevel", "").strip().lower() == "eventual"

    @cached_property
    def base(self) -> str:
        """The address that links in the answer start with."""
        return f"{self.request.origin}/{VERSION}"

    def json(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            GraphError: 400 when it is not one (text chosen, not sourced).
        """
        try:
            value = read_json(self.request.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise GraphError(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type "
                             "header is set and payload is of valid JSON format.")  # fmt: skip
        return value
