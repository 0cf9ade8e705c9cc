"""What applications and service principals have in common: how a path names one, what is shown, how it is changed."""

from __future__ import annotations

from typing import Any

from ..directory.objects import new_application
from ..errors import bad_request
from ..formats import GUID
from ..odata.properties import Collection
from .call import Call
from .listing import Show
from .payload import merged

_EMPTY = new_application("", "", "", 0, domain="")


def owns(call: Call, app_id: str) -> bool:
    """Whether the calling service principal or person owns the application with this client id, deleted or not."""
    deleted = (gone.item for gone in call.tenant.deleted.values() if gone.kind == "application")
    applications = (*call.tenant.applications.values(), *deleted)
    caller = call.claims.get("oid")
    return any(
        caller in call.tenant.owners.get(application["id"], ())
        for application in applications
        if application["appId"] == app_id
    )


def show_selected_keys(collection: Collection) -> Show:
    """Shows a single object: the certificates' bytes are there when keyCredentials was selected by name."""
    return lambda item, names: show(collection, item, names, with_keys="keyCredentials" in (names or ()))


def show(
    collection: Collection, item: dict[str, Any], names: tuple[str, ...] | None, *, with_keys: bool
) -> dict[str, Any]:
    """An object as Graph shows it: the selected properties or all, a certificate's bytes only on request."""
    streams = {name for name in names or () if collection.table[name.lower()].kind == "Stream"}  # no place in JSON
    wanted = [name for name in names or item if name not in streams]
    shown: dict[str, Any] = {name: item.get(name, _nothing(collection, name)) for name in wanted}
    if "keyCredentials" in shown and not with_keys:
        shown["keyCredentials"] = [key | {"key": None} for key in shown["keyCredentials"]]
    return shown


def _nothing(collection: Collection, name: str) -> list[Any] | bool | None:
    """What stands for a property nobody set."""
    if name == "oauth2RequirePostResponse":  # the one Boolean the metadata does not let be null
        return False
    return [] if collection.table[name.lower()].many else None


def write(item: dict[str, Any], changes: dict[str, Any]) -> None:
    """Store changes; a complex property keeps the members that were not sent, and null empties it."""
    for name, value in changes.items():
        old = item.get(name)
        if isinstance(old, dict) and value is None:
            item[name] = _EMPTY.get(name)
        else:
            item[name] = merged(old, value)


def by_id(objects: dict[str, dict[str, Any]], key: str) -> dict[str, Any] | None:
    """The object with this id, None when there is none.

    Raises:
        GraphError: 400 for an id that is no GUID.
    """
    if not GUID.fullmatch(key):  # the text is recorded for other directory objects
        raise bad_request(f"Invalid object identifier '{key[:100]}'.")
    return objects.get(key.lower())


def alternate_key(key: str, name: str) -> str | None:
    """The value of a key like ``appId='…'``, None for a plain one."""
    given, _, value = key.partition("='")
    return value.removesuffix("'") if given.lower() == name.lower() and value else None
