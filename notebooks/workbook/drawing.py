"""Exchanges as the rows of a table and as a sequence diagram, in words that are the same on every run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .exchange import Exchange, Places

COLUMNS = ("#", "method", "host", "path", "status", "note", "sent", "answered")


def rows(exchanges: list[Exchange], places: Places, columns: Sequence[str]) -> list[dict[str, Any]]:
    """What a table has of each exchange, by column; without ports, ids and times.

    Raises:
        ValueError: a column is none of COLUMNS.
    """
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise ValueError(f"there is no column {unknown[0]!r}: the columns are {', '.join(COLUMNS)}")
    return [
        {
            "#": number,
            "method": one.method,
            "host": one.host if places.show_hosts else one.party,
            "path": _address(one, places),
            "status": one.status or "–",
            "note": _note(one),
            "sent": _sent_in_words(one),
            "answered": _answered_in_words(one),
        }
        for number, one in enumerate(exchanges, start=1)
    ]


class SequenceDiagram:
    """A mermaid sequence diagram of some exchanges: drawn by JupyterLab, and readable as text elsewhere."""

    def __init__(self, exchanges: list[Exchange], places: Places):
        self.source = "\n".join(_diagram(exchanges, places))

    def _repr_markdown_(self) -> str:
        return f"```mermaid\n{self.source}\n```"

    def __repr__(self) -> str:
        return self.source


def _diagram(exchanges: list[Exchange], places: Places) -> Iterator[str]:
    yield "sequenceDiagram"
    yield "    participant D as Your daemon"
    parties = list(dict.fromkeys(one.party for one in exchanges))
    for number, party in enumerate(parties):
        yield f"    participant P{number} as {_safe(party)}"
    for one in exchanges:
        other = f"P{parties.index(one.party)}"
        yield f"    D->>{other}: {_lines(f'{one.method} {_address(one, places)}', _sent_in_words(one))}"
        if one.status is None:
            yield f"    {other}--xD: {_safe(one.failure or 'no answer')}"
        else:
            yield f"    {other}-->>D: {_lines(str(one.status), _answered_in_words(one))}"


def _lines(*texts: str) -> str:
    return "<br/>".join(_safe(text) for text in texts if text)


def _safe(text: str) -> str:
    """Text that mermaid takes as text: its comment, entity, end-of-statement and HTML marks become entities."""
    marks = {"#": "#35;", ";": "#59;", "$": "#36;", "%": "#37;", "<": "#lt;", ">": "#gt;", "&": "#amp;"}
    return "".join(marks.get(letter, letter) for letter in " ".join(text.split()))


def _address(one: Exchange, places: Places) -> str:
    """Path and query; a page's token and long values are cut, the tenant's id becomes {tenant}."""
    query = "&".join(f"{name}={_short(name, value)}" for name, value in one.query.items())
    return places.generalise(one.path) + (f"?{places.generalise(query)}" if query else "")


def _short(name: str, value: str) -> str:
    if name.lower() in {"$skiptoken", "$deltatoken"}:
        return "…"
    return value if len(value) <= 60 else value[:59] + "…"


def _note(one: Exchange) -> str:
    """The one thing about an exchange that matters."""
    if one.error or one.status is None:
        return _answered_in_words(one)
    if "scope" in one.sent:
        return f"scope={one.sent['scope']}"
    counted = [f"{name} {value}" for name, value in one.answered.items() if str(value).startswith("‹")]
    return counted[0] if counted and one.party == "Microsoft Graph" else ""


def _sent_in_words(one: Exchange) -> str:
    words = [f"Authorization: {one.authorization}"] if one.authorization else []
    for name, value in one.sent.items():
        words.append(f"{name}={value}" if name in {"grant_type", "scope"} else name)
    return ", ".join(words)


def _answered_in_words(one: Exchange) -> str:
    if one.status is None:
        return one.failure or ""
    if one.error:
        return one.error
    if set(one.answered) == {"text"}:
        return str(one.answered["text"]).partition("\n")[0][:60]
    words = [f"{name} {value}" if str(value).startswith("‹") else name for name, value in one.answered.items()]
    return ", ".join(words[:4]) + (", …" if len(words) > 4 else "")


def assertion_in_words(assertion: dict[str, dict[str, Any]], places: Places) -> dict[str, dict[str, Any]]:
    """The assertion with every value that differs from run to run replaced by what it is."""
    header, claims = dict(assertion["header"]), dict(assertion["claims"])
    for name in header.keys() & {"x5t", "x5t#S256", "kid"}:
        header[name] = "‹thumbprint›"
    if "x5c" in header:
        header["x5c"] = ["‹certificate›"] * len(header["x5c"])
    now = claims.get("iat", claims.get("nbf"))
    for name in claims.keys() & {"iat", "nbf", "exp"}:
        claims[name] = _moment(claims[name], now)
    if "jti" in claims:
        claims["jti"] = "‹random›"
    for name, value in claims.items():
        claims[name] = places.generalise(value) if isinstance(value, str) else value
    return {"header": header, "claims": claims}


def _moment(value: Any, now: Any) -> str:
    try:
        seconds = round(float(value) - float(now))
    except (TypeError, ValueError):
        return "‹time›"
    return "‹now›" if seconds == 0 else f"‹now {'+' if seconds > 0 else '-'} {abs(seconds)} s›"
