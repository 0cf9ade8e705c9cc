"""Federated identity credentials: whose tokens an application may show instead of a certificate or a secret.

They are kept here and shown. Tokens of another issuer are not taken at the token endpoint.

Sources: graph docs application-list-federatedidentitycredentials.md, application-post-federatedidentitycredentials.md,
federatedidentitycredential-get.md, -update.md, -delete.md, resources/federatedidentitycredential.md.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from ..directory.tenant import Register
from ..errors import bad_request, invalid, missing, not_found
from ..messages import Answer
from ..odata.links import entity_context
from ..odata.properties import FEDERATED_CREDENTIALS
from .applications import find_application
from .call import Call
from .entities import alternate_key
from .listing import Object, created, list_objects, one_object
from .payload import read_properties

MOST = 20  # of one application
LONGEST = 600  # characters of issuer, subject and description
_NAME = re.compile(r"[A-Za-z0-9][\w-]{2,119}", re.ASCII)
_NEEDED = ("name", "issuer", "subject", "audiences")
_WRITABLE = frozenset([*_NEEDED, "description"])
_RESOURCE = "FederatedIdentityCredential"


def list_credentials(call: Call) -> Answer:
    """``GET /applications/{key}/federatedIdentityCredentials``."""
    application = find_application(call)
    path = f"applications/{application['id']}/federatedIdentityCredentials"
    context = _context(application)
    return list_objects(
        call, FEDERATED_CREDENTIALS, _of(call, application).after(-1), _show, path=path, context=context
    )


def get_credential(call: Call) -> Answer:
    """``GET /applications/{key}/federatedIdentityCredentials/{id or name}``."""
    return one_object(call, FEDERATED_CREDENTIALS, _find(call, find_application(call)), _show)


def create_credential(call: Call) -> Answer:
    """``POST /applications/{key}/federatedIdentityCredentials``: 201."""
    application = find_application(call, to_write=True)
    given = read_properties(call.json(), FEDERATED_CREDENTIALS, _WRITABLE)
    for needed in _NEEDED:
        if not given.get(needed):
            raise missing(needed, _RESOURCE)
    if not _NAME.fullmatch(given["name"]):
        raise invalid("name", _RESOURCE)
    _check(given)
    credentials = _of(call, application)
    if len(credentials) >= MOST:  # the limit is documented, the text is chosen, not sourced
        raise bad_request(f"The number of federated identity credentials of an application may not exceed {MOST}.")
    _refuse_twin(credentials, given, None)
    credential = {"id": str(uuid.uuid4()), "description": None} | given
    call.tenant.federated.setdefault(application["id"], credentials)[credential["id"]] = credential
    context = {"@odata.context": entity_context(_context(application))}
    return created(call, context | _show(credential, None), _RESOURCE)


def update_credential(call: Call) -> Answer:
    """``PATCH /applications/{key}/federatedIdentityCredentials/{id or name}``: 204; the name stays."""
    application = find_application(call, to_write=True)
    credential = _find(call, application)
    given = read_properties(call.json(), FEDERATED_CREDENTIALS, _WRITABLE)
    if given.get("name", credential["name"]) != credential["name"]:
        raise bad_request("Property 'name' is read-only and cannot be set.")
    _check(given)
    _refuse_twin(_of(call, application), credential | given, credential["id"])
    credential.update(given)
    return Answer(204)


def delete_credential(call: Call) -> Answer:
    """``DELETE /applications/{key}/federatedIdentityCredentials/{id or name}``: 204."""
    application = find_application(call, to_write=True)
    del _of(call, application)[_find(call, application)["id"]]
    return Answer(204)


def _of(call: Call, application: Object) -> Register:
    return call.tenant.federated.get(application["id"], Register())


def _find(call: Call, application: Object) -> Object:
    key = call.keys[1]
    name = alternate_key(key, "name") or key
    for credential in _of(call, application).values():
        if credential["id"] == key.lower() or credential["name"] == name:
            return credential
    raise not_found(name)


def _check(given: dict[str, Any]) -> None:
    """Lengths and numbers as the resource's page documents them; the texts are chosen, not sourced."""
    for name in ("issuer", "subject", "description"):
        value = given.get(name)
        if name in given and (len(value or "") > LONGEST or (name != "description" and not value)):
            raise invalid(name, _RESOURCE)
    if "audiences" in given and len(given["audiences"]) != 1:
        raise invalid("audiences", _RESOURCE)


def _refuse_twin(credentials: Register, given: dict[str, Any], own_id: str | None) -> None:
    """Name, and issuer with subject, are one of a kind in an application; the texts are chosen, not sourced."""
    for other in credentials.values():
        if other["id"] == own_id:
            continue
        if other["name"] == given["name"]:
            raise bad_request(f"FederatedIdentityCredential with name {given['name']} already exists.")
        if (other["issuer"], other["subject"]) == (given["issuer"], given["subject"]):
            raise bad_request("Issuer and subject combination already exists for this application.")


def _context(application: Object) -> str:
    return f"applications('{application['id']}')/federatedIdentityCredentials"


def _show(credential: Object, names: tuple[str, ...] | None) -> Object:
    order = ("id", "name", "issuer", "subject", "description", "audiences")
    return {name: credential.get(name) for name in names or order}
