"""Values of learners in few words: short enough for one line, and nothing that must not be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"eyJ[\w-]{8,}(\.[\w-]*)*")
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?(-----END [A-Z ]+-----|\Z)", re.DOTALL)
_LONGEST = 70  # characters of a text
_MOST = 8  # entries of a collection


def show(value: Any) -> str:
    """A value as Python writes it, shortened; keys and tokens are named and never shown."""
    if isinstance(value, str):
        return _text(str.__str__(value))
    if isinstance(value, bytes):
        return repr(value) if len(value) <= 24 else f"<{len(value)} bytes>"
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return _row("{", [f"{show(key)}: {show(entry)}" for key, entry in list(value.items())[:_MOST]], "}", len(value))
    for kind, (start, end) in {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}")}.items():
        if isinstance(value, kind) and (value or kind is not set):
            comma = "," if kind is tuple and len(value) == 1 else ""
            return _row(start, [show(entry) for entry in list(value)[:_MOST]], comma + end, len(value))
    if hasattr(value, "columns") and hasattr(value, "__len__"):
        return f"<{type(value).__name__}, {len(value)} rows>"
    if hasattr(value, "tolist"):
        return show(value.tolist())
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    words = repr(value)
    return without_secrets(words) if len(words) <= _LONGEST and " at 0x" not in words else f"<{type(value).__name__}>"


def without_secrets(text: str) -> str:
    """A text in which tokens and what PEM envelopes hold are replaced by their names."""
    return _TOKEN.sub("<token>", _PEM.sub(lambda found: f"<PEM text: {found[1]}>", text))


def _text(text: str) -> str:
    clean = without_secrets(text)
    return repr(clean) if len(clean) <= _LONGEST else f"{clean[:_LONGEST]!r}…"


def _row(start: str, entries: list[str], end: str, total: int) -> str:
    more = [f"… {total - len(entries)} more"] if total > len(entries) else []
    return f"{start}{', '.join(entries + more)}{end}"
