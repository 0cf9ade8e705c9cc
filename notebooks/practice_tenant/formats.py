"""How bytes and text are written on Microsoft's wires: base64url, strict JSON, GUIDs, points in time.

Sources: RFC 7515 section 2, RFC 8259, OData 4.0 ABNF for DateTimeOffset; recorded answers for how times are written.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any


def graph_time(seconds: float, *, fraction: bool = False) -> str:
    """Unix seconds as Graph writes a DateTimeOffset; 201 bodies have seven fractional digits, later reads none."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{moment.microsecond:06d}0Z" if fraction else "Z")


MOST_BRACKETS = 200  # opening brackets in one header or payload; MSAL's have one or two
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")


def decode_base64url(text: str) -> bytes:
    """Decode one base64url text, with or without its ``=`` padding.

    azure-identity's async client leaves the padding in the JWS segments and MSAL leaves it in ``x5t``, so it is
    taken. What no library sends is not: other characters, a wrong length, or bits after the last byte that are
    not zero (with them, one signature could be written in several ways).

    Raises:
        ValueError: the text is not base64url.
    """
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    bare = text.rstrip("=")
    if len(bare) != len(text) and len(text) % 4:
        raise ValueError("wrong padding")
    try:
        decoded = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if encode_base64url(decoded) != bare:
        raise ValueError("bits left over")
    return decoded


def encode_base64url(data: bytes) -> str:
    """base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def parse_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object strictly: UTF-8, no member twice, no NaN or Infinity.

    Raises:
        ValueError: the bytes are anything else, or nested deeper than any header or claim is.
    """
    if data.count(b"{") + data.count(b"[") > MOST_BRACKETS:
        raise ValueError("nested too deep")  # said here, because how deep the parser can go differs between Pythons
    value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique_members, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def seconds(text: str) -> float:
    """Unix seconds of a DateTimeOffset."""
    return datetime.fromisoformat(text).timestamp()


_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:\.([0-9]{1,12}))?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.IGNORECASE,
)


def instant(text: str) -> str:
    """A point in time as text that sorts by time: UTC, without zone and without trailing zeros.

    ``datetime`` would drop the seventh digit that Graph writes, and cost more for each object.

    Raises:
        ValueError: not a DateTimeOffset, or a day that does not exist.
        OverflowError: in UTC it lies before year 1 or after year 9999.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError(text)
    day, minute, second, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}")
    if zone not in "Zz":
        hours, minutes = int(zone[1:3]), int(zone[4:6])
        offset = timedelta(hours=hours, minutes=minutes)
        moment = moment + offset if zone[0] == "-" else moment - offset
    fraction = (fraction or "").rstrip("0")
    return moment.isoformat() + (f".{fraction}" if fraction else "")


def stored_instant(text: str) -> str:
    """`instant` for what the store holds: nearly always whole seconds with a Z, so nothing to parse."""
    if len(text) == 20 and text[-1] == "Z":
        return text[:-1]
    return instant(text)


GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


DEEPEST = 32  # levels of nesting in a body; chosen, not sourced


def read_json(data: bytes) -> Any:
    """JSON that can be stored and sent again.

    Raises:
        ValueError: it is none, holds NaN or Infinity, or is nested too deep.
    """
    try:
        value = json.loads(data, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None
    _check_depth(value, DEEPEST)
    return value


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise ValueError("nested too deep")
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inside:
        _check_depth(item, left - 1)


def is_instant(value: Any) -> bool:
    """Whether a value is a DateTimeOffset as Graph writes it."""
    try:
        return isinstance(value, str) and bool(instant(value))
    except (ValueError, OverflowError):
        return False
