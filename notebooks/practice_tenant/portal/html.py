"""HTML that cannot be forgotten to escape: every text is, unless it was built here.

element("p", "Hello ", element("b", name))
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import urlencode

_EMPTY = frozenset(["br", "hr", "input", "link", "meta"])  # elements that have no end tag


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = str | Markup | Iterable["Content"] | None
Attribute = str | bool | int | None


def element(name: str, /, *inside: Content, **attributes: Attribute) -> Markup:
    """An element with everything inside it escaped, except what is `Markup`.

    Args:
        inside: texts, markup, lists of them; None counts for nothing.
        attributes: an underscore at the end of a name is dropped (``class_``), one inside becomes a hyphen
            (``aria_label``). True writes the bare name; False and None write nothing.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(inside)}</{name}>")


def join(content: Content) -> Markup:
    """Everything in a row, texts escaped."""
    if content is None:
        return Markup()
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return Markup(escape(content))
    return Markup("".join(join(item) for item in content))


def address(page: str, **query: str | None) -> str:
    """The relative address of a page of the portal; fields that are None or empty are left out."""
    given = {name.rstrip("_"): value for name, value in query.items() if value}
    return f"{page}?{urlencode(given)}" if given else page


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{escape(str(value))}"'
