"""How bytes and text are written on Microsoft's wires: base64url, strict JSON, GUIDs, points in time.

Sources: RFC 7515 section 2, RFC 8259, OData 4.0 ABNF for DateTimeOffset; recorded answers for how times are written.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

# --- base64url ------------------------------------------------------------------------------------------------

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


# --- strict JSON ----------------------------------------------------------------------------------------------

MOST_BRACKETS = 200  # opening brackets in one header or payload; MSAL's have one or two
DEEPEST = 32  # levels of nesting in a body; chosen, not sourced


def parse_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object strictly: UTF-8, no member twice, no number that JSON cannot write.

    Raises:
        ValueError: the bytes are anything else, or nested deeper than any header or claim is.
    """
    if data.count(b"{") + data.count(b"[") > MOST_BRACKETS:
        raise ValueError("nested too deep")  # said here, because how deep the parser can go differs between Pythons
    value = json.loads(
        data.decode("utf-8"),
        object_pairs_hook=_unique_members,
        parse_constant=_no_constant,
        parse_float=_finite,
    )
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def read_json(data: bytes) -> Any:
    """JSON that can be stored and sent again.

    Raises:
        ValueError: it is none, holds a number too large for a double, or half a surrogate pair, which UTF-8 cannot
            carry, or is nested too deep.
    """
    try:
        value = json.loads(data, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None
    _check_can_be_sent(value, DEEPEST)
    return value


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    """A number with a point or an exponent. Python reads ``1e999`` as infinity, which JSON cannot write again."""
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number too large")
    return number


def _check_can_be_sent(value: Any, levels_left: int) -> None:
    if levels_left == 0:
        raise ValueError("nested too deep")
    if isinstance(value, str):
        value.encode("utf-8")  # a UnicodeEncodeError is a ValueError
    elif isinstance(value, dict):
        for name, item in value.items():
            name.encode("utf-8")
            _check_can_be_sent(item, levels_left - 1)
    elif isinstance(value, list):
        for item in value:
            _check_can_be_sent(item, levels_left - 1)


# --- GUIDs ----------------------------------------------------------------------------------------------------

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

# --- points in time -------------------------------------------------------------------------------------------

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# OData 4.0 ABNF, dateTimeOffsetValue: letters in any case, hours of the zone up to 23.
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T((?:[01][0-9]|2[0-3]):[0-5][0-9])(:[0-5][0-9])?(?:\.([0-9]{1,12}))?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))",
    re.IGNORECASE,
)


def graph_time(unix_seconds: float, *, fraction: bool = False) -> str:
    """Unix seconds as Graph writes a DateTimeOffset; 201 bodies have seven fractional digits, later reads none.

    Raises:
        OverflowError: a moment outside the years 1 to 9999.
    """
    moment = _EPOCH + timedelta(seconds=unix_seconds)
    day_and_second = moment.replace(microsecond=0, tzinfo=None).isoformat()
    return day_and_second + (f".{moment.microsecond:06d}0Z" if fraction else "Z")


def _read_time(text: str) -> tuple[datetime, str]:
    """A DateTimeOffset as its second in UTC, and the digits after the point without zeros at the end.

    The digits stay text, because ``datetime`` would drop the seventh that Graph writes.

    Raises:
        ValueError: not a DateTimeOffset, or a day that does not exist.
        OverflowError: in UTC it lies before year 1 or after year 9999.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError("not a DateTimeOffset")
    day, minute, second, fraction, sign, zone_hours, zone_minutes = match.groups()
    moment = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}+00:00")
    if sign:
        offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
        moment = moment + offset if sign == "-" else moment - offset
    return moment, (fraction or "").rstrip("0")


def instant(text: str) -> str:
    """A point in time as text that sorts by time: UTC, without zone and without trailing zeros.

    Raises:
        ValueError, OverflowError: see `_read_time`.
    """
    moment, fraction = _read_time(text)
    return moment.replace(tzinfo=None).isoformat() + (f".{fraction}" if fraction else "")


def seconds(text: str) -> int:
    """Unix seconds of a DateTimeOffset, its fraction cut off: credentials are kept in whole seconds.

    Raises:
        ValueError, OverflowError: see `_read_time`.
    """
    moment, _ = _read_time(text)
    return (moment - _EPOCH) // timedelta(seconds=1)


def stored_instant(text: str) -> str:
    """`instant` for what the store holds: nearly always whole seconds with a Z, so nothing to parse."""
    if len(text) == 20 and text[10] == "T" and text[-1] == "Z":
        return text[:-1]
    return instant(text)


def is_instant(value: Any) -> bool:
    """Whether a value is a DateTimeOffset, in a year that can be written."""
    try:
        return isinstance(value, str) and bool(instant(value))
    except (ValueError, OverflowError):
        return False
