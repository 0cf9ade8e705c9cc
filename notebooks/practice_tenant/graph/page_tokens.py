"""Tokens for the next page or the next round: what they say is sealed and hidden, so nobody can build on it.

The key is the tenant's own and goes with it, so after ``/reset`` no earlier token is good. The cipher (RFC 5297) makes
the same token of the same content, so a page that is read twice is the same twice.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from ..errors import GraphError
from ..formats import decode_base64url, encode_base64url
from ..messages import compact
from ..odata.query import Query

_PAGE = b"DSpt\x02\x00\x01\x00\x00\x00\x00\x00"  # Graph's own page tokens begin so; in base64, RFNwdAIAAQAAAA


def write_token(cipher: AESSIV, value: Any, mark: bytes = b"") -> str:
    """Any JSON value as opaque text that needs no escaping in a URL; `mark` stands before it in the clear."""
    return encode_base64url(mark + cipher.encrypt(compact(value), None))


def read_token(cipher: AESSIV, text: str, mark: bytes = b"") -> Any:
    """What `write_token` was given, or None for a text it never wrote."""
    try:
        token = decode_base64url(text)
        return json.loads(cipher.decrypt(token.removeprefix(mark), None)) if token.startswith(mark) else None
    except (ValueError, InvalidTag):
        return None


def write_page_token(cipher: AESSIV, path: str, query: Query, place: int) -> str:
    """A $skiptoken.

    Args:
        path: the collection's path below the version.
        query: what was asked for; the token is good for no other objects and no other order.
        place: where the page ended.
    """
    return write_token(cipher, [path, _fingerprint(query), place], _PAGE)


def read_page_token(cipher: AESSIV, path: str, query: Query) -> int:
    """Where the page before ended, -1 without a $skiptoken.

    Raises:
        GraphError: 400 when the token is damaged or another query's (text chosen, not sourced).
    """
    if query.skiptoken is None:
        return -1
    content = read_token(cipher, query.skiptoken, _PAGE)
    if not isinstance(content, list) or content[:2] != [path, _fingerprint(query)]:
        raise GraphError(400, "Request_BadRequest", "Invalid Skip Token")
    return int(content[2])


def _fingerprint(query: Query) -> str:
    """The deciding options may be 16,000 characters long; in the link to the next page there is no room for them."""
    return hashlib.sha256(compact(query.deciding)).hexdigest()[:32]
