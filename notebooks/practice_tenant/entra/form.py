"""The form that is posted to the token and device code endpoints."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote

from ..messages import Request
from .aadsts import EntraError
from .call import Call


def read_form(call: Call, *required: str) -> None:
    """Read the posted form into the call.

    Args:
        required: fields that must be there and hold something.

    Raises:
        EntraError: another method than POST, a field that is there twice, a field that is missing.
    """
    request = call.request
    if request.method != "POST":
        raise EntraError("only_post", method=request.method)
    names = [name for name, _ in request.form_pairs()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise EntraError("parameter_twice", name=twice[:100])  # recorded for the token endpoint: azure-dev-docs#934
    call.form = _form_with_basic_credentials(request)
    for name in required:
        require_field(call, name)


def _form_with_basic_credentials(request: Request) -> dict[str, str]:
    """The form, completed by an HTTP Basic header: Entra announces client_secret_basic.

    A credential in the form counts before the header, and the header of another app than the form's counts for
    nothing (both chosen, not sourced).
    """
    form = request.form()
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic" and "client_secret" not in form and "client_assertion" not in form:
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return form
        if form.get("client_id", unquote(user)).lower() == unquote(user).lower():
            form = {"client_id": unquote(user)} | form | {"client_secret": unquote(password)}
    return form


def require_field(call: Call, name: str) -> None:
    """Refuse a form without this field.

    Raises:
        EntraError: 900144.
    """
    if not call.form.get(name, "").strip():
        raise EntraError("missing_parameter", name=name)
