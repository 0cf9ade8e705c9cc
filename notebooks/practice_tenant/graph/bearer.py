"""Is this access token good? Graph's own check of the ``Authorization`` header.

Sources: entra docs access-tokens.md; AzureAD/azure-activedirectory-identitymodel-extensions-for-dotnet for the texts.
"""

from __future__ import annotations

from typing import Any

from ..directory.well_known import GRAPH_APP_ID
from ..errors import GraphError
from ..formats import decode_base64url, encode_base64url, parse_object
from ..messages import compact
from ..signing import SigningKey, is_signed, with_hashed_nonce

_WANTS_DOTS = (
    "The token needs to be in JWS or JWE Compact Serialization Format. (JWS): "
    "'EncodedHeader.EncodedPayload.EncodedSignature'. (JWE): "
    "'EncodedProtectedHeader.EncodedEncryptedKey.EncodedInitializationVector.EncodedCiphertext."
    "EncodedAuthenticationTag'."
)

# The reader that Graph is built with counts dots (AzureAD/azure-activedirectory-identitymodel-extensions-for-dotnet,
# LogMessages.cs). The first is recorded from Graph in full, the others by their numbers.
_WRONG_DOTS = {
    1: "IDX14100: JWT is not well formed, there are no dots (.).",
    2: "IDX14120: JWT is not well formed, there is only one dot (.).",
    4: "IDX14121: JWT is not a well formed JWE, there must be four dots (.).",
}
_TOO_MANY_DOTS = (
    "IDX14122: JWT is not a well formed JWE, there are more than four dots (.) a JWE can have at most 4 dots."
)
_HIDDEN = (  # what the same reader shows instead of a token's text
    "[Security Artifact of type 'Microsoft.IdentityModel.Logging.SecurityArtifact' is hidden. For more details, see "
    "https://aka.ms/IdentityModel/SecurityArtifactLogging.]"
)


def verify_token(
    authorization: str | None, *, key: SigningKey, tenant_id: str, audiences: frozenset[str], now: float
) -> dict[str, Any]:
    """Check the ``Authorization`` header of a Graph call and return the token's claims.

    Args:
        authorization: the header's value, None when it was not sent.
        key: the key the token must be signed with.
        audiences: every spelling of Graph's own name.
        now: Unix seconds.

    Returns:
        dict: the claims of a good token.

    Raises:
        GraphError: 401 ``InvalidAuthenticationToken`` with the recorded text for what is wrong.
    """
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise _refused("Access token is empty.")
    header, claims, payload, signature = _parse(token)
    # The signature covers a header with another nonce, written anew: so the one that came must be written that way.
    as_written = token.startswith(f"{encode_base64url(compact(header))}.")
    if not as_written or not _is_signed_by(key, header, payload, signature):
        raise _refused("Signature is invalid.")
    if not claims.get("nbf", now + 1) <= now < claims.get("exp", 0):
        raise _refused("Lifetime validation failed, the token is expired.")
    if claims.get("aud") not in audiences:
        raise _refused("Access token validation failure. Invalid audience.")
    if claims.get("iss") != f"https://sts.windows.net/{tenant_id}/" or claims.get("tid") != tenant_id:
        raise _refused("Access token validation failure. Invalid issuer.")  # chosen, not sourced
    return claims


def _parse(token: str) -> tuple[dict[str, Any], dict[str, Any], str, bytes]:
    segments = token.split(".")
    if len(segments) != 3 and len(segments) != 5:
        raise _refused(f"{_WRONG_DOTS.get(len(segments), _TOO_MANY_DOTS)}\n{_WANTS_DOTS}")
    try:
        header = parse_object(decode_base64url(segments[0]))
    except ValueError:
        raise _refused(f"IDX14102: Unable to decode the header '{_HIDDEN}' as Base64Url encoded string.") from None
    if len(segments) == 5:  # an encrypted token; that Graph's answer is this one is chosen, not sourced
        raise _refused("Signature is invalid.")
    try:
        claims = parse_object(decode_base64url(segments[1]))
    except ValueError:
        raise _refused(f"IDX14101: Unable to decode the payload '{_HIDDEN}' as Base64Url encoded string.") from None
    try:
        signature = decode_base64url(segments[2]) if "=" not in segments[2] else b""
    except ValueError:
        signature = b""
    return header, claims, segments[1], signature


def _is_signed_by(key: SigningKey, header: dict[str, Any], payload: str, signature: bytes) -> bool:
    """The header must be one Entra writes: nothing in it chooses the algorithm or brings a key along."""
    written = {"typ": "JWT", "alg": "RS256", "kid": key.kid}
    optional = {"x5t": key.kid, "nonce": header.get("nonce", "")}
    if optional | header != optional | written:
        return False
    if not isinstance(header.get("nonce", ""), str):
        return False
    try:
        signed = f"{encode_base64url(compact(with_hashed_nonce(header)))}.{payload}".encode()
    except UnicodeEncodeError:  # a JSON string may hold half a surrogate pair
        return False
    return is_signed(key.private_key.public_key(), "RS256", signed, signature)


def _refused(message: str) -> GraphError:
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        f'client_id="{GRAPH_APP_ID}"'
    )
    return GraphError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})
