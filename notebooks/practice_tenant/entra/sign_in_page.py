"""What a person sees at ``verification_uri``: the page on which a device code is typed and approved."""

from __future__ import annotations

import hmac
import html
from typing import NamedTuple

from ..directory.tenant import Tenant
from ..directory.well_known import Person
from ..messages import Answer, Request
from .sign_ins import SignIn, SignIns

# --- what the person sees ---------------------------------------------------------------------------------------

_PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    # Nothing is loaded from anywhere, nothing runs, and no other page may frame this one or post into it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_LAYOUT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to the practice tenant</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;color:#1b1a19}}
input,button{{font:inherit;padding:.5rem .75rem;margin:.25rem .25rem .25rem 0}}</style></head>
<body><h1>{heading}</h1>{content}</body></html>"""


class Step(NamedTuple):
    """What a person sees next.

    Args:
        content: HTML, everything in it escaped.
    """

    status: int
    heading: str
    content: str


def sign_in_page(request: Request, tenant: Tenant, sign_ins: SignIns) -> Answer:
    """The page at ``verification_uri``, unless the portal is on: then that has the page."""
    if request.method not in ("GET", "HEAD", "POST"):
        return _page(Step(405, "This page only shows a form", "<p>Open it in a browser.</p>"))
    if request.method == "POST" and request.headers.get("origin", request.origin) != request.origin:
        return _page(_FOREIGN)
    return _page(next_step(request.method, request.form(), tenant, sign_ins))


def next_step(method: str, form: dict[str, str], tenant: Tenant, sign_ins: SignIns) -> Step:
    """Type the code, see who asks for what, agree or decline.

    A form carries a key that only this page shows, so that no other page can press its buttons.

    Args:
        form: what was posted.
    """
    if method != "POST":
        return Step(200, "Enter the code", _code_form(sign_ins))
    page_key = form.get("page_key", "").encode("utf-8", "replace")
    if not hmac.compare_digest(page_key, sign_ins.page_key.encode()):
        return _FOREIGN
    sign_in = sign_ins.find(form.get("user_code", ""), tenant.now())
    if sign_in is None:
        return Step(200, "That code did not work", "<p>Check it and try again.</p>" + _code_form(sign_ins))
    if form.get("decision") not in ("approve", "decline"):
        return Step(200, "Let this program in?", _question(sign_in, sign_ins, tenant.administrator))
    sign_ins.decide(sign_in, tenant, approved=form["decision"] == "approve")
    said = "You have signed in" if form["decision"] == "approve" else "You have declined"
    return Step(200, said, f"<p>You may close this window and go back to {html.escape(sign_in.client.name)}.</p>")


_FOREIGN = Step(403, "This form is not ours", "<p>Open the page again and type the code.</p>")


def _page(step: Step) -> Answer:
    body = _LAYOUT.format(heading=step.heading, content=step.content).encode()
    return Answer(step.status, dict(_PAGE_HEADERS), body)


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{html.escape(value)}">'


def _code_form(sign_ins: SignIns) -> str:
    return (
        f'<form method="post" autocomplete="off">{_hidden("page_key", sign_ins.page_key)}'
        '<label class="field"><span class="name">The code your program shows</span> '
        '<input type="text" name="user_code" required autofocus maxlength="20"></label> '
        "<button>Next</button></form>"
    )


def _question(sign_in: SignIn, sign_ins: SignIns, person: Person) -> str:
    asked = "".join(f"<li>{html.escape(scope)}</li>" for scope in sign_in.scopes)
    return (
        f"<p>You sign in as the practice administrator, <b>{html.escape(person.name)}</b> "
        f"({html.escape(person.user_principal_name)}).</p>"
        f"<p><b>{html.escape(sign_in.client.name)}</b> asks for:</p><ul>{asked}</ul>"
        f'<form method="post">{_hidden("page_key", sign_ins.page_key)}{_hidden("user_code", sign_in.user_code)}'
        '<div class="commands"><button name="decision" value="approve">Continue</button> '
        '<button name="decision" value="decline" class="quiet">Cancel</button></div></form>'
    )
