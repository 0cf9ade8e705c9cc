"""What an uploaded certificate must be like, and what proves that somebody has its private key.

Sources: graph docs resources/keycredential.md, application-addkey.md, application-rollkey-prooftoken.md; single error
texts as marked.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa

from ..directory.certificates import RegisteredKey, key_credential, load_certificate
from ..errors import GraphError, bad_request, invalid
from ..formats import GUID, decode_base64url, graph_time, is_instant, parse_object, seconds
from ..signing import ALGORITHMS, is_signed

PROOF_AUDIENCE = "00000002-0000-0000-c000-000000000000"
LONGEST_PROOF = 600  # seconds between nbf and exp


# --- certificates -------------------------------------------------------------------------------------------


def read_keys(given: list[dict[str, Any]], existing: list[dict[str, Any]], now: float) -> list[dict[str, Any]]:
    """The keyCredentials of a body as they are stored.

    Args:
        given: what the client sent; it stands for the whole collection.
        existing: what is stored. A credential with the keyId of one of these may come without its ``key``, as a
            client read it.
        now: Unix seconds.

    Raises:
        GraphError: 400 when one of them is no certificate, or its dates lie outside the certificate's.
    """
    stored = {credential["keyId"]: credential for credential in existing}
    keys = [_read_key(one, stored, now) for one in given]
    if len({credential["keyId"] for credential in keys}) != len(keys):
        raise _bad_value()
    return keys


def _read_key(given: dict[str, Any], stored: dict[str, dict[str, Any]], now: float) -> dict[str, Any]:
    key_id = given.get("keyId")
    if key_id is not None and not (isinstance(key_id, str) and GUID.fullmatch(key_id)):
        raise invalid("keyId", "KeyCredential")
    known = stored.get(key_id) if isinstance(key_id, str) else None
    if known and given.get("key") is None:
        return known
    if (given.get("type"), given.get("usage")) != ("AsymmetricX509Cert", "Verify"):
        # The other kinds (keys that sign SAML tokens) are not played; the answer is chosen, not sourced.
        raise invalid("type" if given.get("type") != "AsymmetricX509Cert" else "usage", "KeyCredential")
    name = given.get("displayName")
    if not isinstance(name, str | None):
        raise invalid("displayName", "KeyCredential")
    try:
        der = decode_certificate(given.get("key"))
        credential = key_credential(der, name=name, key_id=key_id)
        # A key Entra cannot use for tokens is taken all the same (chosen): an elliptic one, or one of 1024 bits.
        load_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise _bad_value() from None
    if known:
        if known["key"] != credential["key"]:  # recorded by Dynamics 365's troubleshooting page
            raise bad_request(f"Update to existing credential with KeyId '{key_id}' is not allowed.")
        return known
    return credential | _dates(given, credential, now)


def decode_certificate(text: Any) -> bytes:
    """The DER bytes of a ``key``: base64 of DER, line breaks allowed (recorded), or of a whole PEM text (Terraform).

    Raises:
        ValueError: neither of them.
    """
    if not isinstance(text, str):
        raise ValueError("not base64")
    try:
        data = base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if b"-----BEGIN CERTIFICATE-----" in data:
        inside = data.partition(b"-----BEGIN CERTIFICATE-----")[2].partition(b"-----END")[0]
        return base64.b64decode(b"".join(inside.split()), validate=True)
    return data


def _dates(given: dict[str, Any], certificate: dict[str, Any], now: float) -> dict[str, str]:
    """The credential's own dates, which must lie inside the certificate's (azure-cli#11146); left out, they are those.

    That a certificate which is already over is refused as well, and the code for the start, are chosen, not sourced.
    """
    dates = {name: given.get(name) or certificate[name] for name in ("startDateTime", "endDateTime")}
    for name, value in dates.items():
        if not is_instant(value):
            raise invalid(name, "KeyCredential")
    start, end = map(seconds, dates.values())
    if start < seconds(certificate["startDateTime"]):
        detail = ("InvalidKeyStartDate", "keyCredentials.startDateTime")
        text = "Key credential start date is invalid."
        raise GraphError(400, "KeyCredentialsInvalidStartDate", text, details=(detail,))
    if end > seconds(certificate["endDateTime"]) or end <= max(start, now):
        detail = ("InvalidKeyEndDate", "keyCredentials.endDateTime")
        text = "Key credential end date is invalid."
        raise GraphError(400, "KeyCredentialsInvalidEndDate", text, details=(detail,))
    return {"startDateTime": graph_time(start), "endDateTime": graph_time(end)}


def _bad_value() -> GraphError:
    """The code is recorded, the text is chosen, not sourced."""
    detail = ("InvalidKeyValue", "keyCredentials.key")
    return GraphError(400, "KeyCredentialsInvalidValue", "Key credential value is invalid.", details=(detail,))


# --- proof of possession ---------------------------------------------------------------------------------------


def is_proof(token: Any, application_id: str, keys: list[RegisteredKey], now: float) -> bool:
    """Whether a text proves possession of one of the keys.

    Args:
        token: a compact JWS, signed with RSA; segments with ``=`` padding are refused (rollkey-prooftoken.md).
        application_id: the object id, which must be the issuer.
        keys: the application's certificates that are valid now.
        now: Unix seconds.
    """
    segments = token.split(".") if isinstance(token, str) else []
    if len(segments) != 3 or "=" in token:
        return False
    try:
        header, claims = (parse_object(decode_base64url(segment)) for segment in segments[:2])
        signature = decode_base64url(segments[2])
    except ValueError:
        return False
    if "crit" in header:  # no extension is understood here (RFC 7515, 4.1.11)
        return False
    starts, ends = claims.get("nbf"), claims.get("exp")
    if isinstance(starts, bool) or isinstance(ends, bool):
        return False
    if not isinstance(starts, int | float) or not isinstance(ends, int | float):
        return False
    if claims.get("aud") != PROOF_AUDIENCE or str(claims.get("iss")).lower() != application_id:
        return False
    if not starts <= now < ends <= starts + LONGEST_PROOF:
        return False
    algorithm, signed = header.get("alg"), f"{segments[0]}.{segments[1]}".encode()
    return any(_is_signed(key, algorithm, signed, signature) for key in keys)


def _is_signed(key: RegisteredKey, algorithm: Any, signed: bytes, signature: bytes) -> bool:
    public_key = key.certificate.public_key()
    if algorithm not in ALGORITHMS or not isinstance(public_key, rsa.RSAPublicKey):
        return False
    return is_signed(public_key, algorithm, signed, signature)
