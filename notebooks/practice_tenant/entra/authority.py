"""The tenant segment of an authority: whether it names this tenant, another one, or none."""

from __future__ import annotations

import re

from ..formats import GUID
from .aadsts import EntraError
from .call import Call

TENANTLESS = ("common", "organizations", "consumers")
_DNS_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)


def check_tenant(call: Call, error: str | None = None) -> None:
    """Refuse an authority that does not mean this tenant.

    Args:
        error: replaces the usual ``error`` of the answer, see `EntraError`.

    Raises:
        EntraError: 90002 for one that could exist, 900023 for one that could not.
    """
    name = call.authority
    if call.tenant.is_named(name):
        return
    if GUID.fullmatch(name) or _DNS_NAME.fullmatch(name):
        raise EntraError("tenant_not_found", error=error, tenant=name)
    raise EntraError("tenant_malformed", error=error, tenant=name[:100])


def is_tenantless(call: Call) -> bool:
    """Whether the authority names no tenant at all."""
    return call.authority.lower() in TENANTLESS


def check_tenant_of_person(call: Call) -> None:
    """A person brings their tenant along, so /common and /organizations will do; /consumers has nobody of ours."""
    if call.authority.lower() not in ("common", "organizations"):
        check_tenant(call)
