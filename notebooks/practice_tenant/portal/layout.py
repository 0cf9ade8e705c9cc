"""The frame around every page: where one is, who acts, what was said, and what the click did.

Colours and words are our own. It must be seen at a glance that this is not Microsoft's admin center.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from http.client import responses
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..directory.administrators import EVERYBODY_WHO_ACTS
from ..messages import Answer
from .click import Click, Problem
from .html import Content, Markup, element, join

SECURITY = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    # Nothing is loaded from anywhere, nothing runs, and forms go nowhere but here. A page may be shown inside a
    # notebook of this machine, and inside nothing else.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
NOT_MICROSOFTS = "It is not Microsoft's."

Menu = tuple[tuple[str, str], ...]

PORTAL_MENU: Menu = (
    ("apps", "App registrations"),
    ("enterprise", "Enterprise apps"),
    ("device", "Sign in with a code"),
)
APP_MENU: Menu = (
    ("app", "Overview"),
    ("credentials", "Certificates & secrets"),
    ("permissions", "API permissions"),
)
PRINCIPAL_MENU: Menu = (("principal", "Properties"), ("principal-permissions", "Permissions"))


@dataclass
class Page:
    """What a page consists of.

    Args:
        title: its heading.
        content: what stands below.
        menu: the pages of the object it belongs to.
        subject: the object's display name.
        current: the entry of the portal's menu it belongs to.
        opened: the entry of `menu` it belongs to.
        lead: a sentence below the heading.
    """

    title: str
    content: Content
    status: int = 200
    current: str = "apps"
    menu: Menu = ()
    opened: str = ""
    subject: str = ""
    lead: Content = None
    trail: list[tuple[str, str]] = field(default_factory=list)


def render(click: Click, page: Page) -> Answer:
    """A page as the answer that carries it."""
    problem = click.problem
    status = problem.status if problem else page.status
    name = f"{page.subject} | {page.title}" if page.subject and page.menu else page.title
    prefix = "Error: " if problem else ""
    body = element(
        "body",
        element("a", "Skip to the page", class_="skip", href="#page"),
        _header(click),
        element(
            "div",
            _navigation(click, page),
            element(
                "main",
                _trail(page),
                element("h1", name),
                element("p", page.lead, class_="lead") if page.lead else None,
                _said(click),
                _problem(problem),
                page.content,
                _what_it_did(click),
                id="page",
                tabindex="-1",
            ),
            class_="columns",
        ),
    )
    title = f"{prefix}{name} · Practice portal (not Microsoft's)"
    return Answer(status, dict(SECURITY), _document(title, body))


def plain_page(status: int, heading: str, sentence: str) -> Answer:
    """A page without menus, for whoever stands outside the portal: it tells nothing and leads nowhere."""
    return bare_page(status, heading, element("p", sentence))


def bare_page(status: int, heading: str, content: Content) -> Answer:
    """A page without menus."""
    body = element(
        "body",
        element("header", _brand(None), class_="bar"),
        element("main", element("h1", heading), content, class_="alone", id="page"),
    )
    return Answer(status, dict(SECURITY), _document(f"{heading} · Practice portal (not Microsoft's)", body))


def _document(title: str, body: Markup) -> bytes:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    return ("<!DOCTYPE html>\n" + element("html", head, body, lang="en")).encode("utf-8", "replace")


# --- around the page ---------------------------------------------------------------------------------------------


def _brand(tenant: str | None) -> Markup:
    return element(
        "p",
        element("b", "Practice portal"),
        f" · {tenant}" if tenant else None,
        element("span", f"On your own machine. {NOT_MICROSOFTS}", class_="disclaimer"),
        class_="brand",
    )


def _header(click: Click) -> Markup:
    return element("header", _brand(click.tenant.name), _acting_form(click), class_="bar")


def _acting_form(click: Click) -> Markup:
    kept = {name: value for name, value in click.query.items() if name not in ("as", "click", "said", "shown")}
    options = [
        element("option", f"{one.title}: {one.person.name}", value=one.key, selected=one is click.acting)
        for one in EVERYBODY_WHO_ACTS
    ]
    return element(
        "form",
        [hidden(name, value) for name, value in kept.items()],
        element("label", "Act as ", element("select", options, name="as")),
        element("button", "Switch", class_="quiet"),
        element("p", f"This person {click.acting.may}.", class_="hint"),
        method="get",
        action=click.page,
        class_="acting",
        aria_label="Act as",
    )


def _navigation(click: Click, page: Page) -> Markup:
    places = [_entry(click, name, text, current=name == page.current and not page.menu) for name, text in PORTAL_MENU]
    parts: list[Markup] = [element("h2", "Entra ID"), element("ul", places)]
    if page.menu:
        entries = [_entry(click, name, text, click.object_id, current=name == page.opened) for name, text in page.menu]
        parts += [element("h2", page.subject, class_="subject"), element("ul", entries)]
    return element("nav", parts, class_="side", aria_label="Portal")


def _entry(click: Click, name: str, text: str, object_id: str = "", *, current: bool) -> Markup:
    to = click.link(name, id=object_id)
    return element("li", element("a", text, href=to, aria_current="page" if current else None))


def _trail(page: Page) -> Markup | None:
    if not page.trail:
        return None
    steps = [element("li", element("a", text, href=to)) for text, to in page.trail]
    return element("nav", element("ol", steps), class_="trail", aria_label="You are here")


# --- messages ------------------------------------------------------------------------------------------------------


def _said(click: Click) -> Markup | None:
    said = click.notification()
    if not said or click.problem:
        return None
    return element("p", element("b", "Done: "), said, class_="message done", role="status")


def _problem(problem: Problem | None) -> Markup | None:
    if problem is None:
        return None
    return element(
        "div",
        element("p", element("b", f"{problem.heading}: "), problem.sentence),
        element("p", problem.cure) if problem.cure else None,
        class_="message wrong",
        role="alert",
    )


def note(*content: Content) -> Markup:
    """Something one should know before the next click."""
    return element("p", element("b", "Note: "), content, class_="message note")


# --- what this click did -------------------------------------------------------------------------------------------


def _what_it_did(click: Click) -> Markup:
    """The requests of the click that led here, and those it took to read this page."""
    did, read = click.earlier(), click.calls
    parts: list[Content] = [element("h2", "What this click did", id="did")]
    if did:
        parts += [element("p", f"{_requests(len(did))} to Microsoft Graph, in this order:"), _listed(did)]
    else:
        parts.append(element("p", "It changed nothing."))
    if read:
        parts.append(
            element(
                "details", element("summary", f"Showing this page took {_requests(len(read)).lower()}"), _listed(read)
            )
        )
    return element("aside", parts, class_="did", aria_labelledby="did")


def _requests(number: int) -> str:
    return "One request" if number == 1 else f"{number} requests"


def _listed(calls: Iterable[dict[str, Any]]) -> Markup:
    return element("ol", [_call(call) for call in calls], class_="calls")


def _call(call: dict[str, Any]) -> Markup:
    status = call["status"]
    answer = f"{status} {responses.get(status, '')}".strip()
    good = "good" if status < 400 else "bad"
    query = f"?{unquote(call['query'])}" if call["query"] else ""
    line = element(
        "p",
        element("code", call["method"], class_="method"),
        " ",
        element("code", unquote(call["path"]) + query, class_="path"),
        " ",
        element("span", answer, class_=f"answer {good}"),
    )
    body = call.get("body")
    return element("li", line, element("pre", body, tabindex="0", aria_label="Body") if body else None)


# --- what pages are made of ------------------------------------------------------------------------------------------


def hidden(name: str, value: str) -> Markup:
    """A field nobody sees."""
    return element("input", type="hidden", name=name, value=value)


def post_form(to: str, *inside: Content, upload: bool = False, **more: Any) -> Markup:
    """A form that is posted to a page."""
    kind = "multipart/form-data" if upload else None
    return element("form", inside, method="post", action=to, enctype=kind, **more)


def field_of(label: Content, control: Markup, hint: Content = None) -> Markup:
    """An input inside its label, with a hint below."""
    return element(
        "label", element("span", label, class_="name"), control, hint and element("small", hint), class_="field"
    )


def button(text: str, **attributes: Any) -> Markup:
    """The button that carries a form out."""
    return element("button", text, **attributes)


def table(caption: str, columns: Iterable[str], rows: Iterable[Iterable[Content]], empty: str) -> Markup:
    """A table whose first column names the row, or a sentence when there is no row.

    A column whose name begins with ``#`` holds GUIDs, which may break anywhere; the sign is not shown.
    """
    names = list(columns)
    lines = [_row(names, list(cells)) for cells in rows]
    if not lines:
        return element("p", empty, class_="empty")
    heads = [element("th", name.lstrip("#"), scope="col") for name in names]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", heads)),
            element("tbody", lines),
        ),
        class_="wide",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def _row(names: list[str], cells: list[Content]) -> Markup:
    written = []
    for number, (name, cell) in enumerate(zip(names, cells, strict=True)):
        class_ = "guid" if name.startswith("#") else None
        if number == 0:
            written.append(element("th", cell, scope="row", class_=class_))
        else:
            written.append(element("td", cell, class_=class_))
    return element("tr", written)


def facts(pairs: Iterable[tuple[str, Content]]) -> Markup:
    """Names and values, one below the other."""
    rows = [element("div", element("dt", name), element("dd", value)) for name, value in pairs]
    return element("dl", rows, class_="facts")


def guid(text: str) -> Markup:
    """An id that a person may want to copy."""
    return element("code", text, class_="guid")


def tabs(click: Click, name: str, entries: Iterable[tuple[str, str, str]]) -> Markup:
    """Pages beside each other.

    Args:
        name: what they have in common, for who cannot see them.
        entries: (value of ``tab``, text, page).
    """
    picked = click.query.get("tab", "")
    listed = []
    for value, text, page in entries:
        to = click.link(page, id=click.object_id, tab=value)
        listed.append(element("li", element("a", text, href=to, aria_current="page" if value == picked else None)))
    return element("nav", element("ul", listed), class_="tabs", aria_label=name)


def commands(*links: Content) -> Markup:
    """The row of things one can do on a page."""
    return element("div", links, class_="commands")


def action(text: str, to: str, *, main: bool = False) -> Markup:
    """A link that looks like the button it leads to; the main one of a page stands out."""
    return element("a", text, href=to, class_="action main" if main else "action")


def day(moment: str | None) -> Markup:
    """A DateTimeOffset as a day; everybody reads it the same way."""
    written = (moment or "")[:10]
    return element("time", written, datetime=written)


def joined(*parts: Content) -> Markup:
    """Pieces of a page, one after the other."""
    return join(parts)
