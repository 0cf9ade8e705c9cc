"""Is this client assertion good? One function, every rule, one AADSTS error each.

A client assertion is a small JWT that an app signs with its private key to prove who it is. Entra ID checks it
with the certificate that was uploaded for the app. A usual verifier is too lenient here (it takes an expired
certificate, or two thumbprints that disagree), and one that follows the RFCs to the letter refuses Microsoft's own
libraries. The tolerances below are those that the libraries in production rely on; each says which.

Sources: entra docs certificate-credentials.md; the assertions that MSAL Python, MSAL.NET and azure-identity send.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from ..directory.certificates import RegisteredKey
from ..formats import decode_base64url, encode_base64url, parse_object
from ..signing import ALGORITHMS, is_signed
from .aadsts import EntraError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SMALLEST_KEY_BITS = 2048
SKEW = 300  # seconds outside its dates that an assertion is still good for
_URL_SAFE = str.maketrans("+/", "-_")
LATEST = 2.0**63  # seconds: a larger number is no date to anybody who counts in 64 bits (chosen, not sourced)
_ELLIPTIC = ("ES256", "ES384", "ES512", "ES256K")


def check_assertion(
    assertion: str, *, client_id: str, keys: Iterable[RegisteredKey], audiences: Iterable[str], now: float
) -> RegisteredKey:
    """Check a client assertion and return the registered key that signed it.

    Args:
        assertion: the compact JWS from the form field ``client_assertion``.
        client_id: the form field ``client_id``.
        keys: the certificates registered on that application. Nothing in the assertion (``jwk``, ``jku``, ``x5u``,
            ``x5c``) ever adds to them.
        audiences: what ``aud`` may be, e.g. the URL of the token endpoint the request was posted to.
        now: Unix seconds.

    Raises:
        EntraError: with the answer Entra gives to the first rule that is broken, in the order
            shape, claims, time, key, signature (entra-docs do not state the order; it follows captures).
    """
    header, claims, signed, signature = _parse(assertion)
    algorithm = _check_algorithm(header)
    _check_names_a_key(header)
    _check_claims(claims, client_id, frozenset(audiences))
    _check_time(claims, now)
    key = _find_key(header, client_id, tuple(keys), now)
    _check_key(key, header, client_id, now)
    _check_signature(key, algorithm, signed, signature, client_id)
    return key


# --- shape --------------------------------------------------------------------------------------------------


def _parse(assertion: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    segments = assertion.split(".")
    if len(segments) != 3:
        raise EntraError("assertion_malformed")
    try:
        header, claims = (parse_object(decode_base64url(segment)) for segment in segments[:2])
        signature = decode_base64url(segments[2])
    except ValueError:
        raise EntraError("assertion_malformed") from None
    if "crit" in header or not isinstance(header.get("typ", "JWT"), str) or header.get("typ", "JWT").upper() != "JWT":
        # "crit" lists extensions a reader must understand (RFC 7515, 4.1.11). Entra documents none.
        raise EntraError("assertion_malformed")
    return header, claims, f"{segments[0]}.{segments[1]}".encode(), signature


# --- header and claims ------------------------------------------------------------------------------------


def _check_algorithm(header: dict[str, Any]) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise EntraError("assertion_malformed")
    if algorithm in _ELLIPTIC:
        raise EntraError("assertion_elliptic")
    if algorithm not in ALGORITHMS:
        raise EntraError("assertion_algorithm", alg=algorithm[:20])
    return algorithm


def _check_names_a_key(header: dict[str, Any]) -> None:
    names = [header[name] for name in ("x5t#S256", "x5t", "kid") if name in header]
    if not names:
        raise EntraError("assertion_no_key_id")
    if not all(isinstance(name, str) and name for name in names):
        raise EntraError("assertion_malformed")


def _check_claims(claims: dict[str, Any], client_id: str, audiences: frozenset[str]) -> None:
    for name in ("aud", "iss", "sub", "exp"):
        if claims.get(name) in (None, ""):
            raise EntraError("assertion_missing_claim", name=name)
    if not all(isinstance(claims.get(name, ""), str) for name in ("aud", "iss", "sub", "jti")):
        raise EntraError("assertion_malformed")  # a list as aud is the classic: Entra answers 50027
    if claims["iss"].lower() != client_id.lower():
        raise EntraError("assertion_client_mismatch")
    if claims["sub"] != claims["iss"]:
        raise EntraError("assertion_subject_mismatch")
    if claims["aud"] not in audiences:
        raise EntraError("assertion_audience")


def _check_time(claims: dict[str, Any], now: float) -> None:
    """exp must be there; nbf and iat need not (MSAL Python sends no nbf, azure-identity no iat).

    How much clock skew Entra allows for is not documented. Chosen, not sourced: five minutes on either side, the
    default of Microsoft's own validation library (TokenValidationParameters.DefaultClockSkew of
    Microsoft.IdentityModel); no published 700024 is less than that late. There is no upper limit on exp, because Entra
    documents none.
    """
    expires, starts = _seconds(claims["exp"]), _seconds(claims.get("nbf", 0))
    _seconds(claims.get("iat", 0))
    if not starts - SKEW <= now < expires + SKEW:
        raise EntraError("assertion_time", now=_iso(now), nbf=_iso(starts), exp=_iso(expires))


def _seconds(value: Any) -> float:
    """A NumericDate. MSAL Python sends floats, MSAL.NET sends strings, so both are taken beside integers."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,12}(\.\d{1,9})?", value, re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EntraError("assertion_malformed")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not 0 <= seconds < LATEST:  # NaN is neither
        raise EntraError("assertion_malformed")
    return seconds


def _iso(seconds: float) -> str:
    """Unix seconds the way 700024 prints them, e.g. 1970-01-01T00:00:00.0000000Z when there was no nbf."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        moment = datetime.max.replace(tzinfo=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"


# --- key and signature ------------------------------------------------------------------------------------


def _find_key(header: dict[str, Any], client_id: str, keys: tuple[RegisteredKey, ...], now: float) -> RegisteredKey:
    """The registered key that every name in the header agrees on.

    The look-up is by the certificate's identity, not by its public key: another certificate around the same key
    is "not found". ``kid`` counts alone, too: as the credential's keyId or as a thumbprint.
    """
    candidates: list[set[RegisteredKey]] = []
    for name, length in (("x5t#S256", 32), ("x5t", 20)):
        if name in header:
            digest = _thumbprint(header[name])
            found = {key for key in keys if len(digest) == length and digest in (key.sha1, key.sha256)}
            candidates.append(found)
    by_kid = {key for key in keys if "kid" in header and _is_kid_of(key, header["kid"])}
    if by_kid or not candidates:
        # MSAL.NET puts a kid beside the thumbprint that need not be known; one that is known must not disagree.
        candidates.append(by_kid)
    agreed = set.intersection(*candidates)
    if not agreed:
        raise EntraError("key_not_found", thumbprint=_shown(header), client_id=client_id)
    # One certificate may be registered twice: what is valid now counts, and of that the longest.
    return max(agreed, key=lambda key: (key.start <= now < key.end, key.end))


def _is_kid_of(key: RegisteredKey, kid: str) -> bool:
    """Whether a kid is the credential's keyId or the thumbprint; only base64url minds upper and lower case."""
    return kid.lower() in (key.key_id.lower(), key.sha1.hex()) or kid == encode_base64url(key.sha1)


def _thumbprint(text: str) -> bytes:
    """MSAL for Go and for Java write standard base64 here; everybody else writes base64url."""
    try:
        return decode_base64url(text.translate(_URL_SAFE))
    except ValueError:
        raise EntraError("assertion_malformed") from None


def _shown(header: dict[str, Any]) -> str:
    """The thumbprint as upper-case hex: what 700027 prints, and what the portal shows."""
    for name in ("x5t", "x5t#S256"):
        if name in header:
            return _thumbprint(header[name]).hex().upper()[:128]
    return str(header["kid"])[:128]


def _check_key(key: RegisteredKey, header: dict[str, Any], client_id: str, now: float) -> None:
    public_key = key.certificate.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise EntraError("assertion_elliptic")
    if public_key.key_size < SMALLEST_KEY_BITS:
        raise EntraError("key_too_short", bits=public_key.key_size)
    situation = "key_expired" if now >= key.end else "key_not_yet_valid" if now < key.start else None
    if situation:
        raise EntraError(situation, client_id=client_id, **_found(key))


def _check_signature(key: RegisteredKey, algorithm: str, signed: bytes, signature: bytes, client_id: str) -> None:
    public_key = key.certificate.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey) or not is_signed(public_key, algorithm, signed, signature):
        raise EntraError("signature_wrong", client_id=client_id, **_found(key))


def _found(key: RegisteredKey) -> dict[str, str]:
    return {
        "thumbprint": key.sha1.hex().upper(),
        "start": f"{datetime.fromtimestamp(key.start, UTC):%m/%d/%Y %H:%M:%S}",
        "end": f"{datetime.fromtimestamp(key.end, UTC):%m/%d/%Y %H:%M:%S}",
    }
