"""The directory's waste basket: what was deleted less than thirty days ago.

Sources: graph docs directory-deleteditems-list.md, -get-, -delete-, -restore-.
"""

from __future__ import annotations

from typing import Any

from ..directory.tenant import Deleted
from ..errors import conflict, denied, not_found
from ..messages import Answer, compact
from ..odata.links import entity_context
from ..odata.properties import APPLICATIONS, SERVICE_PRINCIPALS, USERS, Collection
from . import users
from .applications import refuse_taken_uris, show_application
from .call import Call
from .directory_roles import manages_every_app
from .entities import owns
from .listing import Show, list_objects
from .permissions import AS_USER, DELETE_USERS, OWNED, READ_APPS, READ_USERS, WRITE_APPS
from .service_principals import refuse_second, show_service_principal

_SHOWN: dict[str, tuple[Collection, Show]] = {
    "user": (USERS, users.shape),
    "application": (APPLICATIONS, show_application),
    "servicePrincipal": (SERVICE_PRINCIPALS, show_service_principal),
}


def list_users(call: Call) -> Answer:
    """``GET /directory/deletedItems/microsoft.graph.user``."""
    return _list(call, "user")


def list_applications(call: Call) -> Answer:
    """``GET /directory/deletedItems/microsoft.graph.application``."""
    return _list(call, "application")


def list_service_principals(call: Call) -> Answer:
    """``GET /directory/deletedItems/microsoft.graph.servicePrincipal``."""
    return _list(call, "servicePrincipal")


def get_item(call: Call) -> Answer:
    """``GET /directory/deletedItems/{id}``."""
    gone = _find(call)
    _require(call, gone, to_write=False)
    return _answer(gone.kind, gone.item)


def purge_item(call: Call) -> Answer:
    """``DELETE /directory/deletedItems/{id}``: 204, and it is gone for good."""
    gone = _find(call)
    _require(call, gone, to_write=True)
    call.tenant.purge(gone.item["id"])
    return Answer(204)


def restore_item(call: Call) -> Answer:
    """``POST /directory/deletedItems/{id}/restore``: 200 with the object, as it was."""
    gone = _find(call)
    _require(call, gone, to_write=True)
    _refuse_what_is_taken(call, gone)
    return _answer(gone.kind, call.tenant.restore(gone.item["id"]))


def _refuse_what_is_taken(call: Call, gone: Deleted) -> None:
    """What came into being meanwhile must not be there twice.

    Raises:
        GraphError: 400, 404 or 409.
    """
    if gone.kind == "user":
        if call.tenant.people.find(gone.item["userPrincipalName"]):
            raise conflict("userPrincipalName")
    elif gone.kind == "application":
        refuse_taken_uris(call, gone.item, gone.item["identifierUris"])
    elif call.tenant.application(gone.item["appId"]) is None:
        raise not_found(gone.item["appId"])  # chosen, not sourced: its application has to come back first
    else:
        refuse_second(call, gone.item["appId"])


def _list(call: Call, kind: str) -> Answer:
    call.tenant.purge_expired()
    collection, show = _SHOWN[kind]
    items = ((gone.place, gone.item) for gone in call.tenant.deleted.values() if gone.kind == kind)
    return list_objects(call, collection, items, show, path=f"directory/deletedItems/microsoft.graph.{kind}")


def _find(call: Call) -> Deleted:
    call.tenant.purge_expired()
    gone = call.tenant.deleted.get(call.keys[0].lower())
    if gone is None:
        raise not_found(call.keys[0])
    return gone


def _require(call: Call, gone: Deleted, *, to_write: bool) -> None:
    """The permission depends on what lies in the basket.

    Raises:
        GraphError: 403.
    """
    if gone.kind == "user":
        needed = DELETE_USERS if to_write else READ_USERS
    else:
        needed = WRITE_APPS if to_write else READ_APPS
    owner = gone.kind != "user" and call.holds(OWNED, ()) and (not to_write or owns(call, gone.item["appId"]))
    if not owner and not call.holds(needed, needed + AS_USER):
        raise denied()
    if gone.kind != "user" and to_write and not manages_every_app(call) and not owns(call, gone.item["appId"]):
        raise denied()


def _answer(kind: str, item: dict[str, Any]) -> Answer:
    body = {
        "@odata.context": entity_context("directoryObjects"),
        "@odata.type": f"#microsoft.graph.{kind}",
    }
    return Answer(body=compact(body | _SHOWN[kind][1](item, None)))
