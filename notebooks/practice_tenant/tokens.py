"""Minting and verifying Microsoft Graph's access tokens.

Graph's tokens are v1.0-format JWTs with a peculiarity: the header carries a `nonce`, and the signature is made over
a header in which the nonce is replaced by its SHA-256. Nobody but Graph is meant to verify them: for everybody else
an access token is an opaque string.

Sources: entra docs access-tokens.md and access-token-claims-reference.md; captured app-only tokens of 2024 to 2026;
AzureAD/azure-activedirectory-identitymodel-extensions-for-dotnet#609 for the nonce.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from .assertion import decode_base64url, encode_base64url, parse_object, thumbprints
from .errors import GraphError
from .messages import compact

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
ISSUED_EARLIER = 300  # seconds: nbf and iat lie this far back, so that a slow clock elsewhere does no harm
APP_ONLY_MARKER = "0997a1d0-0d1d-4acb-b408-d5ca73121e90"  # stands in `wids` of every app-only Graph token
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"  # the directory role's template id, in `wids`

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


@dataclass(frozen=True)
class SigningKey:
    """The key Entra signs tokens with; made new at every start, it never leaves the process."""

    private_key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def generate(cls) -> SigningKey:
        private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "practice tenant token signing")])
        today = datetime.now(UTC).replace(microsecond=0)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=365))
            .sign(private_key, hashes.SHA256())
        )
        return cls(private_key, certificate)

    @property
    def kid(self) -> str:
        """base64url of the certificate's SHA-1, as in every key Entra publishes; `x5t` is the same."""
        return encode_base64url(thumbprints(self.certificate)[0])

    def published(self, issuer: str) -> dict[str, Any]:
        """This key as an entry of the JWKS, members in Entra's order; there is no `alg` among them."""
        numbers = self.private_key.public_key().public_numbers()
        der = self.certificate.public_bytes(Encoding.DER)
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": encode_base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
            "e": encode_base64url(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")),
            "x5c": [_standard_base64(der)],
            "issuer": issuer,
        }

    def sign(self, claims: dict[str, Any], *, with_nonce: bool = True, with_x5t: bool = True) -> str:
        """Sign claims: compact JWS, RS256. Graph's tokens have a nonce in the header, v2.0-format ones no x5t."""
        header = {"typ": "JWT", "nonce": encode_base64url(secrets.token_bytes(32)), "alg": "RS256", "x5t": self.kid}
        for name, wanted in (("nonce", with_nonce), ("x5t", with_x5t)):
            if not wanted:
                del header[name]
        header["kid"] = self.kid
        payload = encode_base64url(compact(claims))
        signed = f"{encode_base64url(compact(_with_hashed_nonce(header)))}.{payload}".encode()
        signature = self.private_key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return f"{encode_base64url(compact(header))}.{payload}.{encode_base64url(signature)}"


def app_only_claims(
    *,
    tenant_id: str,
    tenant_created: int,
    region: str,
    audience: str,
    client_id: str,
    app_name: str,
    app_created: int,
    service_principal_id: str,
    roles: list[str],
    by_certificate: bool,
    now: float,
    lifetime: int,
) -> dict[str, Any]:
    """The claims of an app-only Graph token, in the captured order.

    Args:
        audience: the resource as it was spelt in the scope, e.g. ``https://graph.microsoft.com``.
        roles: granted application permissions. Without any the claim is absent, not an empty list.
        by_certificate: tells ``appidacr`` 2 (certificate) from 1 (secret).
        now: Unix seconds of the request.
        lifetime: seconds from now until the token expires.
    """
    issued = int(now) - ISSUED_EARLIER
    issuer = f"https://sts.windows.net/{tenant_id}/"
    claims = {
        "aud": audience,
        "iss": issuer,
        "iat": issued,
        "nbf": issued,
        "exp": int(now) + lifetime,
        "aio": _opaque(27),
        "app_displayname": app_name,
        "appid": client_id,
        "appidacr": "2" if by_certificate else "1",
        "idp": issuer,
        "idtyp": "app",
        "oid": service_principal_id,
        "rh": f"1.{_opaque(33)}.",
        "roles": roles,
        "sub": service_principal_id,
        "tenant_region_scope": region,
        "tid": tenant_id,
        "uti": _opaque(16),
        "ver": "1.0",
        "wids": [APP_ONLY_MARKER],
        "xms_acd": app_created,
        "xms_act_fct": "3 9",
        "xms_ftd": _opaque(32),
        "xms_idrel": "7 22",
        "xms_rd": _opaque(24),
        "xms_sub_fct": "9 3",
        "xms_tcdt": tenant_created,
        "xms_tdbr": region,
        "xms_tnt_fct": "3 14",
    }
    if not roles:
        del claims["roles"]
    return claims


def delegated_claims(
    *,
    tenant_id: str,
    tenant_created: int,
    region: str,
    client_id: str,
    app_name: str,
    user_id: str,
    name: str,
    user_principal_name: str,
    scopes: list[str],
    now: float,
    lifetime: int,
) -> dict[str, Any]:
    """The claims of a Graph token that a public client got for a signed-in person.

    Names and meanings are documented (access-token-claims-reference.md); the set and its order are chosen, not sourced.

    Args:
        scopes: delegated permissions, which become ``scp``; there is no ``roles``.
    """
    issued = int(now) - ISSUED_EARLIER
    return {
        "aud": GRAPH_APP_ID,
        "iss": f"https://sts.windows.net/{tenant_id}/",
        "iat": issued,
        "nbf": issued,
        "exp": int(now) + lifetime,
        "acct": 0,
        "acr": "1",
        "aio": _opaque(27),
        "amr": ["pwd", "mfa"],
        "app_displayname": app_name,
        "appid": client_id,
        "appidacr": "0",
        "idtyp": "user",
        "name": name,
        "oid": user_id,
        "rh": f"1.{_opaque(33)}.",
        "scp": " ".join(scopes),
        "sub": _opaque(32),
        "tenant_region_scope": region,
        "tid": tenant_id,
        "unique_name": user_principal_name,
        "upn": user_principal_name,
        "uti": _opaque(16),
        "ver": "1.0",
        "wids": [GLOBAL_ADMINISTRATOR],
        "xms_tcdt": tenant_created,
    }


def id_token_claims(
    *, tenant_id: str, issuer: str, client_id: str, user_id: str, name: str, user_principal_name: str, now: float
) -> dict[str, Any]:
    """The claims of a v2.0 ID token: who signed in, for the program itself to read (id-token-claims-reference.md)."""
    issued = int(now) - ISSUED_EARLIER
    return {
        "aud": client_id,
        "iss": issuer,
        "iat": issued,
        "nbf": issued,
        "exp": issued + 3900,
        "name": name,
        "oid": user_id,
        "preferred_username": user_principal_name,
        "rh": f"1.{_opaque(33)}.",
        "sub": _opaque(32),
        "tid": tenant_id,
        "uti": _opaque(16),
        "ver": "2.0",
    }


def verify_token(authorization: str | None, *, key: SigningKey, tenant_id: str, audiences: frozenset[str], now: float):
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
        signed = f"{encode_base64url(compact(_with_hashed_nonce(header)))}.{payload}".encode()
        key.private_key.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, UnicodeEncodeError):  # a JSON string may hold half a surrogate pair
        return False
    return True


def _with_hashed_nonce(header: dict[str, Any]) -> dict[str, Any]:
    if "nonce" not in header:
        return header
    return header | {"nonce": encode_base64url(hashlib.sha256(header["nonce"].encode()).digest())}


def _refused(message: str) -> GraphError:
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        f'client_id="{GRAPH_APP_ID}"'
    )
    return GraphError(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})


def _opaque(size: int) -> str:
    """Entra fills several claims with opaque text; so does the practice tenant, at random."""
    return encode_base64url(secrets.token_bytes(size))


def _standard_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
