"""The way into the portal: which request is let in, which page it is for, and in which form the answer goes back.

All pages lie side by side in a folder whose name nobody can guess, and every link is relative: so they work at any
address, behind a proxy too, and need no cookie. The folder's name is what keeps strangers out, so it is compared in
constant time and never logged.

What a page says beside Graph's refusal is chosen, not sourced.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from ..directory.administrators import EVERYBODY_WHO_ACTS, Acting
from ..messages import Answer, Request
from . import credentials, enterprise_apps, permissions, registration, registrations, sign_in
from .click import Click, Gone, Moved, Portal, Problem, Refused
from .form import read_form
from .layout import SECURITY, Page, plain_page, render

Show = Callable[[Click], Page]
Act = Callable[[Click], Moved | Page]

FIRST_PAGE = "apps"
MOST_FIELDS = 30  # in an address; a page's own have six at most
_READING = ("GET", "HEAD")

# Every page: what shows it, and what carries out the form on it. A page without the first has a button elsewhere.
PAGES: dict[str, tuple[Show | None, Act | None]] = {
    "apps": (registrations.show_list, None),
    "new": (registrations.show_new, registrations.register),
    "restore": (None, registrations.restore),
    "purge": (registrations.show_purge, registrations.purge),
    "app": (registration.show, None),
    "create-principal": (None, registration.create_principal),
    "delete": (registration.show_delete, registration.delete),
    "credentials": (credentials.show, None),
    "upload": (credentials.show_upload, credentials.upload),
    "remove-certificate": (credentials.show_remove_certificate, credentials.remove_certificate),
    "secret": (credentials.show_new_secret, credentials.add_secret),
    "remove-secret": (credentials.show_remove_secret, credentials.remove_secret),
    "permissions": (permissions.show, None),
    "add-permission": (permissions.show_add, permissions.add),
    "consent": (permissions.show_consent, permissions.consent),
    "remove-permission": (permissions.show_remove, permissions.remove),
    "revoke": (permissions.show_revoke, permissions.revoke_consent),
    "enterprise": (enterprise_apps.show_list, None),
    "principal": (enterprise_apps.show, enterprise_apps.save),
    "delete-principal": (enterprise_apps.show_delete, enterprise_apps.delete),
    "principal-permissions": (enterprise_apps.show_permissions, None),
    "revoke-permission": (enterprise_apps.show_revoke, enterprise_apps.revoke_permission),
    "device": (sign_in.show, sign_in.decide),
}


def answer(request: Request, portal: Portal) -> Answer:
    """Answer one request to the portal.

    Returns:
        Answer: 200 with a page; 303 after a click that was carried out; 400, 403, 404 or 409 with the page that says
        why it was not.
    """
    if request.method not in (*_READING, "POST"):
        return _with(plain_page(405, "This address only shows pages", "Open it in a browser."), Allow="GET, HEAD, POST")
    if _is_from_elsewhere(request):
        return plain_page(
            403, "Another page sent this", "The portal takes forms from its own pages only. Open it and click there."
        )
    if request.path.strip("/") == sign_in.PUBLIC_PAGE:
        return sign_in.public_page(request, portal)
    folder, _, name = request.path.removeprefix("/").partition("/")
    if not hmac.compare_digest(folder.encode("utf-8", "replace"), portal.key.encode()):
        return plain_page(
            404,
            "There is no page at this address",
            "The address of the practice portal is printed by the cell that started the practice tenant. Each start "
            "has another one: run the cell again.",
        )
    if not name:
        return _moved(FIRST_PAGE if request.path.endswith("/") else f"{folder}/{FIRST_PAGE}")
    return _answer_page(_click(request, portal, name))


def _is_from_elsewhere(request: Request) -> bool:
    """Whether a browser says that a form was sent by a page that is not ours. A program says nothing of the kind."""
    site = request.headers.get("sec-fetch-site", "same-origin").strip().lower()
    return request.method == "POST" and site != "same-origin"


def _click(request: Request, portal: Portal, name: str) -> Click:
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # too many
        pairs = []
    query = dict(reversed(pairs))  # the first counts
    return Click(portal, request, name, query, read_form(request), _acting(query.get("as", "")))


def _acting(key: str) -> Acting:
    return next((one for one in EVERYBODY_WHO_ACTS if one.key == key), EVERYBODY_WHO_ACTS[0])


def _answer_page(click: Click) -> Answer:
    show, act = PAGES.get(click.page, (None, None))
    try:
        if show is None and act is None:
            raise Gone("page")
        if click.request.method == "POST":
            return _carry_out(click, show, act)
        if show is None:
            return _moved(click.link(FIRST_PAGE))
        return render(click, show(click))
    except Gone as gone:
        return render(click, registrations.gone_page(click, gone.what))
    except Problem as problem:
        click.problem = _explained(click, problem)
        return render(click, Page("This page cannot be shown", None))


def _carry_out(click: Click, show: Show | None, act: Act | None) -> Answer:
    """Do what a form asks for. When it fails the same page comes again, with what was typed and what is wrong."""
    if act is None:
        return _with(plain_page(405, "This page has no form", "Go back and open it again."), Allow="GET, HEAD")
    try:
        done = act(click)
    except Problem as problem:
        click.problem = _explained(click, problem)
        click.failed_calls, click.calls = click.calls, []
        return render(click, _again(click, show))
    return _moved(done.address) if isinstance(done, Moved) else render(click, done)


def _again(click: Click, show: Show | None) -> Page:
    """The page the form was on; an empty one when that page itself cannot be shown (any more)."""
    if show is None:
        return Page("This could not be done", None)
    try:
        return show(click)
    except Problem:
        return Page("This could not be done", None)


def _explained(click: Click, problem: Problem) -> Problem:
    if isinstance(problem, Refused) and problem.status == 403 and not problem.cure:
        acting = click.acting
        problem.cure = (
            f"You do not have access. {acting.person.name} acts as {acting.title}, who {acting.may}. Ask an "
            "administrator, or act as one."
        )
    return problem


def _moved(to: str) -> Answer:
    return Answer(303, dict(SECURITY) | {"Location": to})


def _with(given: Answer, **headers: str) -> Answer:
    given.headers |= headers
    return given


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine, whatever the port: a proxy on this machine keeps its own."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name in ("127.0.0.1", "localhost", "::1")
