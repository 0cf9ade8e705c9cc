"""Signing a person in from a program that has no browser: OAuth 2.0 device code, for the practice administrator.

A program asks for a code and shows it; the person types it into a page in any browser and agrees; the program, which
has been asking every few seconds, gets its tokens. One person can sign in here: an administrator's account of the
practice directory, who may consent to everything. There is no password to type: whoever can open the page of a tenant
on their own machine is its administrator.

Sources: entra docs v2-oauth2-device-code.md and reference-error-codes.md; RFC 8628 for the flow itself.
"""

from __future__ import annotations

import hmac
import html
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from .assertion import encode_base64url
from .directory import REGION, TENANT_CREATED, Tenant
from .errors import EntraError
from .messages import Answer, Request, compact
from .tokens import SigningKey, delegated_claims, id_token_claims

GRANT_TYPES = ("urn:ietf:params:oauth:grant-type:device_code", "device_code")  # the second: MSAL for Node and .NET
PAGE = "oauth2/deviceauth"
LIFETIME, INTERVAL = 900, 5  # seconds: how long a code is good for, and between two questions (device code docs)
REFRESH_LIFETIME = 90 * 86_400  # seconds; entra docs refresh-tokens.md
MOST_WAITING = 1_000  # sign-ins that are remembered; the oldest go first
CODE_LETTERS, CODE_LENGTH = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 9  # no letter that looks like a digit (chosen)

OIDC_SCOPES = ("openid", "profile", "email", "offline_access")
# Delegated permissions of Microsoft Graph that can be asked for (Microsoft Graph permissions reference).
PERMISSIONS = (
    "Application.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "AuditLog.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All", "Directory.AccessAsUser.All", "Directory.Read.All",
    "Directory.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Mail.Read", "Organization.Read.All",
    "Organization.ReadWrite.All", "User.Read", "User.Read.All", "User.ReadBasic.All", "User.ReadWrite",
    "User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All",
)  # fmt: skip
_CANONICAL = {name.lower(): name for name in (*OIDC_SCOPES, *PERMISSIONS)}


@dataclass(frozen=True)
class Client:
    """The program that signs somebody in: its client id and its name."""

    id: str
    name: str


# Microsoft's own public client: what Connect-MgGraph and the docs' samples use to let an administrator sign in.
COMMAND_LINE_TOOLS = Client("14d82eec-204b-4c2f-b7e8-296a70dab67e", "Microsoft Graph Command Line Tools")


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in: an account of data/people.jsonl."""

    id: str
    name: str
    user_principal_name: str


ADMINISTRATOR = Person(
    "bb9f10bc-cf35-4584-9795-4220d3e03593",
    "Robert Kowalczyk (Admin)",
    "adm-robert.kowalczyk@contoso.onmicrosoft.example",
)


@dataclass(frozen=True)
class SignIn:
    """One sign-in that a program has begun: `approved` is None until the person has decided."""

    client: Client
    scopes: tuple[str, ...]
    device_code: str
    user_code: str
    expires: float
    approved: bool | None = None


@dataclass(frozen=True)
class Grant:
    """What a person has agreed to: this program may have these scopes."""

    client: Client
    scopes: tuple[str, ...]
    issued: float


@dataclass
class SignIns:
    """The sign-ins that are under way, the refresh tokens given out, and what has been consented to."""

    page_key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    waiting: dict[str, SignIn] = field(default_factory=dict, repr=False)  # by device code
    refreshable: dict[str, Grant] = field(default_factory=dict, repr=False)  # by refresh token
    consented: dict[str, set[str]] = field(default_factory=dict)  # client id -> permissions

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

    def decide(self, sign_in: SignIn, approved: bool) -> None:
        """Write down what the person said. An administrator's yes is consent for the whole tenant."""
        self.waiting[sign_in.device_code] = replace(sign_in, approved=approved)
        if approved:
            self.consented.setdefault(sign_in.client.id, set()).update(set(sign_in.scopes) & set(PERMISSIONS))

    def redeem(self, device_code: str, client: Client, now: float) -> Grant:
        """What the person agreed to; the code is good once.

        Raises:
            EntraError: still pending, declined, expired, or a code nobody gave out to this client.
        """
        sign_in = self.waiting.get(device_code)
        if sign_in is None or sign_in.client.id != client.id:
            raise EntraError("bad_verification_code")
        if sign_in.expires <= now:
            raise EntraError("device_code_expired")
        if sign_in.approved is None:
            raise EntraError("authorization_pending")
        del self.waiting[device_code]
        if not sign_in.approved:
            raise EntraError("authorization_declined")
        return Grant(client, self._with_default(sign_in.scopes, client), now)

    def refresh(self, refresh_token: str, client: Client, scope: str, tenant: Tenant) -> Grant:
        """The grant behind a refresh token, for the scopes asked for now; without any, for those of the first time.

        Raises:
            EntraError: the token is unknown, another client's or too old, or a scope was never consented to.
        """
        known, now = self.refreshable.get(refresh_token), tenant.now()
        if known is None or known.client.id != client.id:
            raise EntraError("refresh_token_unknown")
        if known.issued + REFRESH_LIFETIME <= now:
            raise EntraError("refresh_token_expired")
        scopes = read_scopes(scope, tenant) if scope.strip() else known.scopes
        if not set(scopes) & set(PERMISSIONS) <= self.consented.get(client.id, set()):
            raise EntraError("not_consented", client_id=client.id, app_name=client.name)
        return Grant(client, self._with_default(scopes, client), now)

    def remember(self, grant: Grant) -> str:
        """A refresh token for a grant."""
        token = f"1.{secrets.token_urlsafe(96)}"
        self.refreshable[token] = grant
        if len(self.refreshable) > MOST_WAITING:
            del self.refreshable[next(iter(self.refreshable))]
        return token

    def _with_default(self, scopes: tuple[str, ...], client: Client) -> tuple[str, ...]:
        """``.default`` stands for everything consented to so far; User.Read comes with every sign-in (chosen)."""
        if not any(scope.endswith("/.default") for scope in scopes):
            return scopes
        return tuple(dict.fromkeys((*scopes, *sorted(self.consented.get(client.id, ())), "User.Read")))


def read_scopes(scope: str, tenant: Tenant) -> tuple[str, ...]:
    """The scopes of a request: OpenID Connect's, and permissions of Graph with or without Graph's name in front.

    Raises:
        EntraError: 70011 for another resource or a permission Graph does not have. Entra tells a person on the
            sign-in page instead (650053, 65002); that the program is told at once is chosen, not sourced.
    """
    scopes = []
    for asked in scope.split():
        resource, slash, name = asked.rpartition("/")
        if slash and resource.rstrip("/").lower() not in {one.rstrip("/") for one in tenant.graph_audiences}:
            raise EntraError("scope_invalid", scope=asked[:500])
        if name.lower() == ".default" and slash:
            scopes.append(asked)
        elif name.lower() in _CANONICAL:
            scopes.append(_CANONICAL[name.lower()])
        else:
            raise EntraError("scope_invalid", scope=asked[:500])
    return tuple(dict.fromkeys(scopes))


# --- what programs get ------------------------------------------------------------------------------------------


def codes(sign_in: SignIn, origin: str) -> dict[str, Any]:
    """The answer of the device code endpoint, in the documented order."""
    address = f"{origin}/common/{PAGE}"
    return {
        "user_code": sign_in.user_code,
        "device_code": sign_in.device_code,
        "verification_uri": address,
        "expires_in": LIFETIME,
        "interval": INTERVAL,
        "message": f"To sign in, use a web browser to open the page {address} and enter the code "
        f"{sign_in.user_code} to authenticate.",
    }


def tokens(
    grant: Grant, sign_ins: SignIns, tenant: Tenant, key: SigningKey, origin: str, *, with_client_info: bool
) -> dict[str, Any]:
    """The answer of the token endpoint for a signed-in person.

    Args:
        with_client_info: adds who it was for MSAL's cache, as ``client_info=1`` in the request asks for.

    A refresh token goes along when ``offline_access`` was asked for, an ID token when ``openid`` was.
    """
    seconds = tenant.token_lifetime - 1
    shared = {
        "tenant_id": tenant.id, "client_id": grant.client.id, "user_id": ADMINISTRATOR.id, "name": ADMINISTRATOR.name,
        "user_principal_name": ADMINISTRATOR.user_principal_name, "now": tenant.now(),
    }  # fmt: skip
    scopes = [scope for scope in grant.scopes if scope != "offline_access"]
    access_token = key.sign(
        delegated_claims(
            **shared,
            scopes=[scope for scope in scopes if not scope.endswith("/.default")],
            app_name=grant.client.name,
            tenant_created=TENANT_CREATED,
            region=REGION,
            lifetime=tenant.token_lifetime,
        )
    )
    answer = {
        "token_type": "Bearer",
        "scope": " ".join(scopes),
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": access_token,
    }
    if "offline_access" in grant.scopes:
        answer["refresh_token"] = sign_ins.remember(grant)
    if "openid" in grant.scopes:
        answer["id_token"] = key.sign(
            id_token_claims(**shared, issuer=f"{origin}/{tenant.id}/v2.0"), with_nonce=False, with_x5t=False
        )
    if with_client_info:
        answer["client_info"] = encode_base64url(compact({"uid": ADMINISTRATOR.id, "utid": tenant.id}))
    return answer


# --- what the person sees ---------------------------------------------------------------------------------------

_PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    # Nothing is loaded from anywhere, nothing runs, and no other page may frame this one or post into it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_LAYOUT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to the practice tenant</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;color:#1b1a19}}
input,button{{font:inherit;padding:.5rem .75rem;margin:.25rem .25rem .25rem 0}}</style></head>
<body><h1>{heading}</h1>{content}</body></html>"""


def page(request: Request, tenant: Tenant, sign_ins: SignIns) -> Answer:
    """The page at ``verification_uri``: type the code, see who asks for what, agree or decline.

    A form carries a key that only this page shows, so that no other page can press its buttons.
    """
    if request.method not in ("GET", "HEAD", "POST"):
        return _page(405, "This page only shows a form", "<p>Open it in a browser.</p>")
    if request.method != "POST":
        return _page(200, "Enter the code", _code_form(sign_ins))
    form = request.form()
    page_key = form.get("page_key", "").encode("utf-8", "replace")
    own = request.headers.get("origin", request.origin) == request.origin
    if not own or not hmac.compare_digest(page_key, sign_ins.page_key.encode()):
        return _page(403, "This form is not ours", "<p>Open the page again and type the code.</p>")
    sign_in = sign_ins.find(form.get("user_code", ""), tenant.now())
    if sign_in is None:
        return _page(200, "That code did not work", "<p>Check it and try again.</p>" + _code_form(sign_ins))
    if form.get("decision") not in ("approve", "decline"):
        return _page(200, "Let this program in?", _question(sign_in, sign_ins))
    sign_ins.decide(sign_in, form["decision"] == "approve")
    said = "You have signed in" if form["decision"] == "approve" else "You have declined"
    return _page(200, said, f"<p>You may close this window and go back to {html.escape(sign_in.client.name)}.</p>")


def _page(status: int, heading: str, content: str) -> Answer:
    return Answer(status, dict(_PAGE_HEADERS), _LAYOUT.format(heading=heading, content=content).encode())


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{html.escape(value)}">'


def _code_form(sign_ins: SignIns) -> str:
    return (
        f'<form method="post" autocomplete="off">{_hidden("page_key", sign_ins.page_key)}'
        '<label>The code your program shows <input name="user_code" required autofocus maxlength="20"></label> '
        "<button>Next</button></form>"
    )


def _question(sign_in: SignIn, sign_ins: SignIns) -> str:
    asked = "".join(f"<li>{html.escape(scope)}</li>" for scope in sign_in.scopes)
    return (
        f"<p>You sign in as the practice administrator, <b>{html.escape(ADMINISTRATOR.name)}</b> "
        f"({html.escape(ADMINISTRATOR.user_principal_name)}).</p>"
        f"<p><b>{html.escape(sign_in.client.name)}</b> asks for:</p><ul>{asked}</ul>"
        f'<form method="post">{_hidden("page_key", sign_ins.page_key)}{_hidden("user_code", sign_in.user_code)}'
        '<button name="decision" value="approve">Continue</button>'
        '<button name="decision" value="decline">Cancel</button></form>'
    )
