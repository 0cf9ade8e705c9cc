"""One click on a page of the portal: who clicks, what was sent, and the Graph requests it causes.

The portal keeps nothing. What it shows it reads from the tenant's Graph, what it does it asks Graph to do, with a
token of the acting person; both stand in the tenant's request log, and the page shows them from there. Microsoft's own
portal asks a service of its own; which Graph requests a click becomes is chosen, not sourced.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from ..directory.administrators import EVERYBODY_WHO_ACTS, Acting
from ..directory.tenant import Tenant
from ..directory.well_known import GRAPH_APP_ID, REGION, Client
from ..entra.claims import delegated_claims
from ..entra.sign_ins import SignIns
from ..formats import GUID
from ..graph.call import VERSION
from ..graph.page_tokens import read_token, write_token
from ..messages import Answer, Request, compact
from ..signing import SigningKey
from .form import Form
from .html import address

PORTAL = Client("c1b5d9f2-7a64-4e38-9f0b-52d8e3a6740c", "Practice portal")  # made up: this app is no Microsoft app
SCOPES = ["Directory.AccessAsUser.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All",
          "DelegatedPermissionGrant.ReadWrite.All", "User.Read.All"]  # fmt: skip
LONGEST_SHOWN = 80  # characters of one value in a body; a certificate is longer
LONGEST_LINE = 84  # characters of JSON that stand in one line
LONGEST_BODY = 6_000  # characters of a body that is shown and remembered

_SAID = "portal said"  # marks a sealed notification

Ask = Callable[[Request, dict[str, str]], Answer]


class Problem(Exception):
    """Something the person must know before they go on.

    Args:
        status: HTTP status of the page that says it.
        sentence: what is wrong.
        cure: what to do about it.
        heading: what the message is called.
    """

    def __init__(self, status: int, sentence: str, cure: str = "", heading: str = "That did not work") -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.cure = cure
        self.heading = heading


class Refused(Problem):
    """Graph's own refusal.

    Args:
        code: Graph's error code.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message, heading="Access denied" if status == 403 else "Microsoft Graph refuses that")
        self.code = code


class Gone(Exception):
    """The page is about an object that is not there (any more).

    Args:
        what: e.g. ``app registration``.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Moved(NamedTuple):
    """A click that has been carried out: the browser is sent to the page that shows what is there now."""

    address: str


@dataclass
class Portal:
    """What the portal works with.

    Args:
        ask: sends one request to the tenant's Graph and remembers it together with the notes.
        recall: what the tenant's request log has of a click, by the click's id.
        key: the folder the pages lie in.
    """

    tenant: Tenant
    signing_key: SigningKey
    sign_ins: SignIns
    ask: Ask
    recall: Callable[[str], list[dict[str, Any]]]
    key: str = field(repr=False)


@dataclass
class Click:
    """One request to the portal.

    Args:
        page: the page's name, the last segment of its address.
        query: what stands in the address.
        form: what was posted.
        acting: who clicks.
        id: names this click in the request log.
        problem: what went wrong when the form was posted; the page is shown again with it.
        calls: the Graph requests so far, as the log has them.
        failed_calls: those of a form that could not be carried out; `calls` are then of the page that says so.
    """

    portal: Portal
    request: Request
    page: str
    query: dict[str, str]
    form: Form
    acting: Acting = EVERYBODY_WHO_ACTS[0]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    problem: Problem | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    failed_calls: list[dict[str, Any]] = field(default_factory=list)
    _token: str = field(default="", repr=False)

    @property
    def tenant(self) -> Tenant:
        """The practice tenant; pages read its name and its clock, everything else through Graph."""
        return self.portal.tenant

    @property
    def object_id(self) -> str:
        """The object a page is about; empty when the address names none that could be."""
        named = self.query.get("id", "")
        return named if GUID.fullmatch(named) else ""

    # --- Graph ---------------------------------------------------------------------------------------------------

    def get(self, path: str) -> Any:
        """The JSON of a GET; `path` is relative to the version. Raises `Refused`."""
        return self._send("GET", path, None)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of any other request, None for an empty answer. Raises `Refused`."""
        return self._send(method, path, body)

    def find(self, path: str) -> Any:
        """The JSON of a GET, None when Graph knows no such object. Raises `Refused` for any other refusal."""
        try:
            return self.get(path)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        headers = {"authorization": f"Bearer {self._acting_token()}", "content-type": "application/json"}
        sent = b"" if body is None else compact(body)
        request = Request(method, f"/{VERSION}/{path}", headers, sent)
        notes = {"portal": self.page, "click": self.id, "acting": self.acting.key}
        if body is not None:
            notes["body"] = shown_body(body)
        answer = self.portal.ask(request, notes)
        value: Any = json.loads(answer.body) if answer.body else None
        self.calls.append(
            {"method": method, "path": request.path, "query": request.query, "status": answer.status} | answer.notes
        )
        if answer.status >= 400:
            raise Refused(answer.status, value["error"]["code"], value["error"]["message"])
        return value

    def _acting_token(self) -> str:
        tenant = self.tenant
        if not self._token:
            claims = delegated_claims(
                audience=GRAPH_APP_ID,
                tenant_id=tenant.id,
                tenant_created=tenant.created,
                region=REGION,
                client_id=PORTAL.id,
                app_name=PORTAL.name,
                person=tenant.organisation.person(self.acting.person),
                scopes=SCOPES,
                now=tenant.now(),
                lifetime=tenant.token_lifetime,
                directory_roles=self.acting.roles,
            )
            self._token = self.portal.signing_key.sign(claims)
        return self._token

    # --- where to go ---------------------------------------------------------------------------------------------

    def link(self, page: str, **query: str | None) -> str:
        """The relative address of a page, for the same acting person."""
        first = EVERYBODY_WHO_ACTS[0]
        acting = None if self.acting is first else self.acting.key
        return address(page, **query, as_=acting)

    def done(self, said: str, page: str, **query: str | None) -> Moved:
        """After a click: on to the page that says what happened, and what it took.

        Args:
            said: the notification. It goes along sealed, so that no address can make the portal say things.
        """
        sealed = write_token(self.tenant.page_tokens, [_SAID, said])
        return Moved(self.link(page, **query, said=sealed, click=self.id))

    def notification(self) -> str:
        """What the click that led here said; empty when there was none."""
        told = read_token(self.tenant.page_tokens, self.query.get("said", ""))
        if isinstance(told, list) and len(told) == 2 and told[0] == _SAID:
            return str(told[1])
        return ""

    def earlier(self) -> list[dict[str, Any]]:
        """The Graph requests of the click that led here: of the form on this page, or as the request log has them."""
        if self.failed_calls:
            return self.failed_calls
        wanted = self.query.get("click")
        return self.portal.recall(wanted) if wanted else []


def segment(text: str) -> str:
    """Text as one segment of a path."""
    return quote(text, safe="")


def literal(text: str) -> str:
    """Text as a string in an OData query option, percent-encoded."""
    return quote("'" + text.replace("'", "''") + "'", safe="")


def shown_body(body: dict[str, Any]) -> str:
    """A body as people read it, long values cut; it holds no secret, because the portal sends none."""
    return _pretty(_cut(body), "")[:LONGEST_BODY]


def _pretty(value: Any, indent: str) -> str:
    """JSON in as few lines as can be read at a glance: what fits into one line stands in one."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) <= LONGEST_LINE or not isinstance(value, dict | list):
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(name)}: {_pretty(item, inner)}" for name, item in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _pretty(item, inner) for item in value) + f"\n{indent}]"


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cut(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_cut(item) for item in value]
    if isinstance(value, str) and len(value) > LONGEST_SHOWN:
        return f"{value[:16]}… ({len(value):,} characters)"
    return value
