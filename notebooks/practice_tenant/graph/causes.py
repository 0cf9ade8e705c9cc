"""What lies behind a refusal of Graph, and what helps: it stands beside the refusal in ``/requests``, as Entra's does.

Sources: graph docs resolve-auth-errors.md, errors.md, throttling.md, aad-advanced-queries.md.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import GraphError


class Cause(NamedTuple):
    """Why Graph answers with a code.

    Args:
        code: the refusal's code.
        beginning: how its message begins, where one code has several causes.
        cause: what is the matter.
        fix: what to do.
    """

    code: str
    beginning: str
    cause: str
    fix: str


# The first that fits counts, so the general case of a code comes after its particular ones.
CAUSES = (
    Cause(
        "InvalidAuthenticationToken", "Access token is empty.",
        "no token came: the header Authorization is missing, or does not begin with Bearer",
        "send Authorization: Bearer and the access token; look at MSAL's result first, it may hold an error instead",
    ),
    Cause(
        "InvalidAuthenticationToken", "IDX141",
        "what came is no token: it was cut, or is something else, an ID token's text or a whole JSON answer perhaps",
        "send the value of access_token and nothing else",
    ),
    Cause(
        "InvalidAuthenticationToken", "Signature is invalid.",
        "the token was changed, or another tenant or program signed it",
        "get a new token from the authority of this tenant and send it as it came",
    ),
    Cause(
        "InvalidAuthenticationToken", "Lifetime validation failed",
        "the token has ended, or a clock is wrong",
        "ask MSAL for a token before each request: it keeps one for as long as it is good",
    ),
    Cause(
        "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.",
        "the token is for another resource than Microsoft Graph",
        "ask for the scope https://graph.microsoft.com/.default",
    ),
    Cause(
        "InvalidAuthenticationToken", "Access token validation failure. Invalid issuer.",
        "the token comes from another tenant",
        "name the tenant whose users you read in the authority",
    ),
    Cause(
        "Authorization_RequestDenied", "",
        "the token holds no permission that suffices: none was granted, or it was granted after the token was issued",
        "compare roles in the token with the permissions of the API's page, let an administrator consent, and get a "
        "new token",
    ),
    Cause(
        "Authentication_MSGraphPermissionMissing", "",
        "signInActivity needs a permission beside the one for users",
        "let an administrator consent to AuditLog.Read.All, and get a new token",
    ),
    Cause(
        "Authorization_IdentityNotFound", "",
        "the app that the token was issued to has no service principal in this tenant any more",
        "create the service principal, or restore the app from the deleted items",
    ),
    Cause(
        "Authentication_MissingOrMalformed", "",
        "the proof of possession is not signed with a key of this app, or is over",
        "sign it with the private key of a certificate that is registered now; aud, iss, nbf, exp, ten minutes at most",
    ),
    Cause(
        "Request_ResourceNotFound", "",
        "there is no object with this id or name: a typing error, another tenant, or it was deleted",
        "compare the id; # in a name is written %23",
    ),
    Cause(
        "Request_UnsupportedQuery", "DeltaLink older than",
        "the delta link is too old, or was damaged",
        "read everything once more without a token, and keep the new link",
    ),
    Cause(
        "Request_UnsupportedQuery", "Invalid page size",
        "$top lies outside what this collection takes", "ask for 1 to 999",
    ),
    Cause(
        "Request_UnsupportedQuery", "",
        "the property cannot do this, or only in an advanced query",
        "send the header ConsistencyLevel: eventual and $count=true, and look the property up in the table of "
        "advanced queries",
    ),
    Cause(
        "Request_BadRequest", "Invalid Skip Token",
        "the page token was damaged, or belongs to another query",
        "follow @odata.nextLink as it stands, and build no link of your own",
    ),
    Cause(
        "Directory_ExpiredPageToken", "",
        "too long went by between two pages", "begin again with the first page",
    ),
    Cause(
        "TooManyRequests", "",
        "more was asked in a short time than one app may", "wait as many seconds as Retry-After says, then go on",
    ),
    Cause(
        "UnknownError", "",
        "the service failed for a moment", "try again: after Retry-After, or each time after twice as long",
    ),
)  # fmt: skip


def notes_on(error: GraphError) -> dict[str, str]:
    """``cause`` and ``fix`` of a refusal; nothing for a code that says enough by itself."""
    for one in CAUSES:
        if error.code == one.code and error.message.startswith(one.beginning):
            return {"cause": one.cause, "fix": one.fix}
    return {}
