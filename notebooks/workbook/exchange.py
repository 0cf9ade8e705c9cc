"""One request and its answer as the wire keeps them: read from requests' objects, secrets cut on the way in."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

CUT = "‹cut›"
_SECRET_NAMES = {
    "access_token", "assertion", "authorization", "client_assertion", "client_secret", "device_code", "id_token", "key",
    "passphrase", "password", "private_key", "refresh_token", "secrettext", "sig",
}  # fmt: skip
_LONG = 300  # characters of one value that are kept
_LARGE = 256 * 1024  # bytes: a larger answer is not parsed a second time, so that recording does not slow a page down


@dataclass(frozen=True)
class Places:
    """Who is who, so that a request can be told by its party. URLs have no trailing slash."""

    authority: str
    graph_endpoint: str
    tenant_names: tuple[str, ...]
    client_id: str | None = None
    show_hosts: bool = False

    def party(self, url: str) -> str:
        """Entra ID, Microsoft Graph, or the host's own name. In practice both share a port: the path decides."""
        parts = urlsplit(url)
        graph = urlsplit(self.graph_endpoint)
        if parts.netloc == graph.netloc and parts.path.split("/")[1:2] in (["v1.0"], ["beta"]):
            return "Microsoft Graph"
        if parts.netloc == urlsplit(self.authority).netloc or (parts.hostname or "").startswith("login."):
            return "Entra ID"
        return parts.hostname or "?"

    def generalise(self, text: str) -> str:
        """The text with the tenant's own names and address replaced by words."""
        text = text.replace(self.authority, "{authority}")
        for name in self.tenant_names:
            text = text.replace(name, "{tenant}")
        return text.replace(self.client_id, "{client id}") if self.client_id else text


@dataclass
class Exchange:
    """One request and its answer. No field ever holds a secret: they are cut before it is filled in.

    `sent` and `answered` hold the fields of form and JSON bodies, lists as ``‹N items›``; `status` is None and
    `failure` says why when no answer came; `seconds` is the time until the answer was complete.
    """

    method: str
    party: str
    host: str
    path: str
    query: dict[str, str]
    sent: dict[str, Any]
    authorization: str | None = None
    assertion: dict[str, dict[str, Any]] | None = None
    status: int | None = None
    answered: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None
    retry_after: str | None = None
    request_id: str | None = None
    seconds: float | None = None

    @property
    def error(self) -> str | None:
        """What the answer calls its error: ``"invalid_client: AADSTS700027"`` or Graph's code."""
        error = self.answered.get("error")
        if isinstance(error, dict):
            return error.get("code")
        if error and str(self.answered.get("error_description", "")).startswith("AADSTS"):
            return f"{error}: {self.answered['error_description'].partition(':')[0]}"
        return error


def asked(request: requests.PreparedRequest, places: Places) -> Exchange:
    """What is about to be sent, as an Exchange that still lacks its answer."""
    url = request.url or ""
    parts = urlsplit(url)
    fields = _fields(request.body or b"", request.headers.get("Content-Type", ""))
    return Exchange(
        method=request.method or "GET",
        party=places.party(url),
        host=parts.hostname or "?",
        path=parts.path,
        query={name: without_secrets(value, name) for name, value in parse_qsl(parts.query, keep_blank_values=True)},
        sent={name: without_secrets(value, name) for name, value in fields.items()},
        authorization=_authorization(request.headers.get("Authorization")),
        assertion=_decoded(fields.get("client_assertion")),
    )


def fill_in(exchange: Exchange, response: requests.Response) -> None:
    """Adds what came back."""
    exchange.status = response.status_code
    exchange.retry_after = response.headers.get("Retry-After")
    exchange.request_id = response.headers.get("request-id") or response.headers.get("x-ms-request-id")
    if len(response.content) > _LARGE:
        exchange.answered = {"body": "‹large, not looked into›"}
    else:
        fields = _fields(response.content, response.headers.get("Content-Type", ""))
        fields = fields or {"text": response.text}
        exchange.answered = {name: without_secrets(value, name) for name, value in fields.items()}


def _fields(body: bytes | str, content_type: str) -> dict[str, Any]:
    """The fields of a form or a JSON body; nothing of other text, in which no secret could be told by its name."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    if "application/x-www-form-urlencoded" in content_type:
        return dict(parse_qsl(text, keep_blank_values=True))
    if "json" not in content_type:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {"body": "‹not JSON›"}
    return value if isinstance(value, dict) else {"body": value}


def _authorization(header: str | bytes | None) -> str | None:
    """The header without its secret. Only a known scheme is kept: who forgets the word Bearer sends a bare token."""
    if not header:
        return None
    scheme = str(header).partition(" ")[0]
    return f"{scheme} {CUT}" if scheme in {"Bearer", "Basic"} else f"{CUT} without Bearer"


def without_secrets(value: Any, name: str = "") -> Any:
    """A copy of a JSON value fit to be kept: secrets cut by name, lists as their length, texts shortened."""
    if name.lower() in _SECRET_NAMES:
        return CUT
    if isinstance(value, dict):
        return {key: without_secrets(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return f"‹{len(value)} item{'' if len(value) == 1 else 's'}›"
    if isinstance(value, str):
        return CUT if value.startswith("eyJ") else value[:_LONG]  # eyJ: whatever its name, it looks like a token
    return value


def _decoded(assertion: str | None) -> dict[str, dict[str, Any]] | None:
    """Header and claims of a JWT; its third part, the signature, is dropped here."""
    try:
        header, claims, _signature = (assertion or "").split(".")
        decoded = {"header": _segment(header), "claims": _segment(claims)}
    except ValueError:
        return None
    return decoded if all(isinstance(part, dict) for part in decoded.values()) else None


def _segment(text: str) -> Any:
    text = text.rstrip("=")
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def failure_in_words(error: Exception) -> str:
    """Two or three words for the table; the exception itself goes on to the learner."""
    words = {
        requests.exceptions.ProxyError: "the proxy refused",
        requests.exceptions.SSLError: "certificate not trusted",
        requests.Timeout: "no answer in time",
    }
    return next((text for kind, text in words.items() if isinstance(error, kind)), "connection failed")
