"""Signing a person in from a program that has no browser: OAuth 2.0 device code, for the practice administrator.

A program asks for a code and shows it; the person types it into a page in any browser and agrees; the program, which
has been asking every few seconds, gets its tokens. One person can sign in here: an administrator's account of the
practice directory, who may consent to everything. There is no password to type: whoever can open the page of a tenant
on their own machine is its administrator.

Sources: entra docs v2-oauth2-device-code.md and reference-error-codes.md; RFC 8628 for the flow itself.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..directory.tenant import Tenant
from ..directory.well_known import PERMISSIONS, Client
from .aadsts import EntraError
from .scopes import other_audience, read_scopes

PAGE = "oauth2/deviceauth"
LIFETIME, INTERVAL = 900, 5  # seconds: how long a code is good for, and between two questions (device code docs)
REFRESH_LIFETIME = 90 * 86_400  # seconds; entra docs refresh-tokens.md
MOST_WAITING = 1_000  # sign-ins that are remembered; the oldest go first
CODE_LETTERS, CODE_LENGTH = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 9  # no letter that looks like a digit (chosen)


@dataclass(frozen=True)
class SignIn:
    """One sign-in that a program has begun: `approved` is None until the person has decided."""

    client: Client
    scopes: tuple[str, ...]
    device_code: str
    user_code: str
    expires: float
    approved: bool | None = None


class Grant(NamedTuple):
    """What a person has agreed to: this program may have these scopes."""

    client: Client
    scopes: tuple[str, ...]
    issued: float


@dataclass
class SignIns:
    """The sign-ins that are under way, and the refresh tokens given out. Consent is the tenant's to remember.

    Args:
        page_address: the page a person opens; None when it is one of this service's own, `PAGE`.
    """

    page_address: str | None = None
    page_key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    waiting: dict[str, SignIn] = field(default_factory=dict, repr=False)  # by device code
    refreshable: dict[str, Grant] = field(default_factory=dict, repr=False)  # by refresh token

    def begin(self, client: Client, scopes: tuple[str, ...], now: float) -> SignIn:
        """Give out a new pair of codes."""
        good = [one for one in self.waiting.values() if one.expires > now][-(MOST_WAITING - 1) :]
        user_code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        begun = SignIn(client, scopes, secrets.token_urlsafe(96), user_code, now + LIFETIME)
        self.waiting = {one.device_code: one for one in (*good, begun)}
        return begun

    def find(self, user_code: str, now: float) -> SignIn | None:
        """The sign-in a person means; spaces, hyphens and small letters are theirs to choose."""
        typed = user_code.replace("-", "").replace(" ", "").upper()
        undecided = (one for one in self.waiting.values() if one.approved is None and one.expires > now)
        return next((one for one in undecided if one.user_code == typed), None)

    def decide(self, sign_in: SignIn, tenant: Tenant, *, approved: bool) -> None:
        """Write down what the person said. An administrator's yes is consent for the whole tenant."""
        self.waiting[sign_in.device_code] = replace(sign_in, approved=approved)
        if approved:
            tenant.consent(sign_in.client, set(sign_in.scopes) & set(PERMISSIONS))

    def redeem(self, device_code: str, client: Client, tenant: Tenant) -> Grant:
        """What the person agreed to; the code is good once.

        Raises:
            EntraError: still pending, declined, expired, or a code nobody gave out to this client.
        """
        sign_in, now = self.waiting.get(device_code), tenant.now()
        if sign_in is None or sign_in.client.id != client.id:
            raise EntraError("bad_verification_code")
        if sign_in.expires <= now:
            raise EntraError("device_code_expired")
        if sign_in.approved is None:
            raise EntraError("authorization_pending")
        del self.waiting[device_code]
        if not sign_in.approved:
            raise EntraError("authorization_declined")
        return Grant(client, _with_default(sign_in.scopes, client, tenant), now)

    def refresh(self, refresh_token: str, client: Client, scope: str, tenant: Tenant, origin: str) -> Grant:
        """The grant behind a refresh token, for the scopes asked for now; without any, for those of the first time.

        Raises:
            EntraError: the token is unknown, another client's or too old, or a scope was never consented to.
        """
        known, now = self.refreshable.get(refresh_token), tenant.now()
        if known is None or known.client.id != client.id:
            raise EntraError("refresh_token_unknown")
        if known.issued + REFRESH_LIFETIME <= now:
            raise EntraError("refresh_token_expired")
        scopes = read_scopes(scope, tenant, client, origin) if scope.strip() else known.scopes
        if not set(scopes) & set(PERMISSIONS) <= tenant.consented(client, tenant.administrator.id):
            raise EntraError("not_consented", client_id=client.id, app_name=client.name)
        return Grant(client, _with_default(scopes, client, tenant), now)

    def remember(self, grant: Grant) -> str:
        """A refresh token for a grant."""
        token = f"1.{secrets.token_urlsafe(96)}"
        self.refreshable[token] = grant
        if len(self.refreshable) > MOST_WAITING:
            del self.refreshable[next(iter(self.refreshable))]
        return token


def _with_default(scopes: tuple[str, ...], client: Client, tenant: Tenant) -> tuple[str, ...]:
    """``.default`` is everything consented to so far; User.Read comes along for clients that need consent (chosen)."""
    if other_audience(scopes, tenant) or not any(scope.endswith("/.default") for scope in scopes):
        return scopes
    consented = sorted(tenant.consented(client, tenant.administrator.id) & set(PERMISSIONS), key=str.lower)
    if not client.preauthorized:
        consented.append("User.Read")
    return tuple(dict.fromkeys((*scopes, *consented)))
