"""Resource units: what a request costs, and when Graph says 429.

Source: graph docs throttling-limits.md, "Identity and access service limits"; recorded ``x-ms-resource-unit`` headers.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..clock import seconds_running
from ..errors import GraphError

BASE_COSTS = {
    ("GET", "users"): 2,
    ("GET", "applications"): 2,
    ("GET", "servicePrincipals/{key}/appRoleAssignments"): 2,
}
TEN_SECONDS, WRITE_WINDOW, WRITE_LIMIT = 10.0, 150.0, 3_000


def cost(method: str, path: str, query: str) -> int:
    """Resource units of one request.

    Args:
        method: HTTP method.
        path: the route's template, e.g. ``users/{key}``.
        query: raw query string; $select saves a unit, $expand costs one, $top below 20 saves one.
    """
    units = BASE_COSTS.get((method, path), 1)
    if method == "GET":
        options = query.replace("%24", "$").lower()
        if "$select=" in options:
            units -= 1
        if "$expand=" in options:
            units += 1
        top = re.search(r"\$top=(\d{1,4})(?:&|$)", options)
        if top and int(top[1]) < 20:
            units -= 1
    return max(1, units)


def units_allowed(people: int) -> int:
    """Resource units for one app in one tenant in ten seconds, by the tenant's size."""
    return 3_500 if people < 50 else 5_000 if people <= 500 else 8_000


class Limits:
    """Token buckets, for each app its own: one app's calls never slow another's (throttling-limits.md).

    Args:
        enforced: without it every request passes.
        clock: seconds that only grow.
    """

    def __init__(self, enforced: bool = False, clock: Callable[[], float] = seconds_running) -> None:
        self.enforced = enforced
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}  # app, limit -> (what is left, when that was so)

    def spend(self, app_id: str, tenant_id: str, units: int, *, writes: bool, people: int) -> None:
        """Take a request's units out of the bucket.

        Raises:
            GraphError: 429 with Retry-After and the x-ms-throttle-* headers when the bucket is empty.
        """
        if not self.enforced:
            return
        self._take("units", units, units_allowed(people), TEN_SECONDS, app_id, tenant_id, "ResourceUnitLimitExceeded")
        if writes:
            self._take("writes", 1, WRITE_LIMIT, WRITE_WINDOW, app_id, tenant_id, "WriteLimitExceeded")

    def _take(
        self, bucket: str, units: int, size: int, seconds: float, app_id: str, tenant_id: str, reason: str
    ) -> None:
        now, owner = self._clock(), (app_id, bucket)
        left, known = self._buckets.get(owner, (float(size), now))
        left = min(float(size), left + (now - known) * size / seconds)
        if left < units:
            self._buckets[owner] = (left, now)
            raise throttled(1 + int((units - left) * seconds / size), app_id, tenant_id, reason)
        self._buckets[owner] = (left - units, now)


def throttled(retry_after: int, app_id: str, tenant_id: str, reason: str) -> GraphError:
    """The 429 that Graph sends; `retry_after` in whole seconds."""
    return GraphError(
        429,
        "TooManyRequests",
        "Please retry again later.",
        {
            "Retry-After": str(retry_after),
            "x-ms-throttle-scope": f"Tenant_Application/ReadWrite/{app_id}/{tenant_id}",
            "x-ms-throttle-information": reason,
        },
    )
