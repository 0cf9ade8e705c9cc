"""The page on which a person lets a program in: the code that the program shows is typed here.

It is there twice. The one among the portal's pages is for whoever is in the portal already. The other is what
``verification_uri`` names: any program may ask for a code, so that address must not give the portal's key away.
"""

from __future__ import annotations

from ..entra.sign_in_page import Step, next_step
from ..messages import Answer, Request
from .click import Click, Portal
from .form import read_form
from .html import Markup
from .layout import Page, bare_page

PUBLIC_PAGE = "device"


def show(click: Click) -> Page:
    """``device``: the form for the code."""
    return _page(next_step("GET", {}, click.tenant, click.portal.sign_ins))


def decide(click: Click) -> Page:
    """``device``: who asks for what; then agree or decline."""
    return _page(next_step("POST", click.form.fields, click.tenant, click.portal.sign_ins))


def public_page(request: Request, portal: Portal) -> Answer:
    """The page at ``verification_uri``."""
    step = next_step(request.method, read_form(request).fields, portal.tenant, portal.sign_ins)
    return bare_page(step.status, step.heading, Markup(step.content))


def _page(step: Step) -> Page:
    return Page(step.heading, Markup(step.content), status=step.status, current="device")
