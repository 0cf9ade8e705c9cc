"""Tokens for the next page or the next round: what they say is sealed and hidden, so nobody can build on it."""

from __future__ import annotations

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from ..messages import compact


def write_token(keeper: Fernet, value: Any) -> str:
    """Any JSON value as opaque text that needs no escaping in a URL."""
    return keeper.encrypt(compact(value)).decode("ascii").rstrip("=")


def read_token(keeper: Fernet, text: str) -> Any:
    """What `write_token` was given, or None for a text it never wrote."""
    try:
        return json.loads(keeper.decrypt((text + "=" * (-len(text) % 4)).encode("utf-8", "replace")))
    except InvalidToken:
        return None
