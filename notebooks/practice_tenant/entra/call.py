"""One request to Entra ID: what every endpoint is handed."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..directory.tenant import Tenant
from ..messages import Request
from ..signing import SigningKey
from .sign_ins import SignIns


@dataclass
class Call:
    """A request and what it takes to answer it.

    Args:
        authority: the tenant segment of the path: an id, a verified domain, ``common`` or anything somebody typed.
        signing_key: signs the tokens.
        sign_ins: remembers who signs in by device code.
        form: the posted fields, once `form.read_form` has read them.
    """

    request: Request
    tenant: Tenant
    signing_key: SigningKey
    sign_ins: SignIns
    authority: str
    form: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def origin(self) -> str:
        """``https://127.0.0.1:PORT``, as the client wrote it."""
        return self.request.origin

    @property
    def has_credential(self) -> bool:
        """Whether the form brings a client assertion or a client secret."""
        return bool(self.form.get("client_assertion") or self.form.get("client_secret"))
