"""What tenants on one machine know of each other's applications.

In Entra ID an application is registered once, in its home tenant, and every other tenant can look it up by its client
id (entra docs app-objects-and-service-principals.md). Practice tenants are processes of their own, so each writes its
registrations into a folder that they share. Only what is public goes there: never a secret, and of a certificate only
the public half.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

MULTI_TENANT = ("AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount")  # signInAudience (application.md)


class Registration(NamedTuple):
    """An application of another tenant.

    Attributes:
        application: the application object as its home tenant keeps it, without passwords.
        home: id of that tenant.
    """

    application: dict[str, Any]
    home: str


@dataclass
class Registrations:
    """The folder in which each tenant has one file, ``TENANT_ID.json``.

    Args:
        folder: where the files are; it must exist.
        tenant_id: whose file is ours.
    """

    folder: Path
    tenant_id: str
    _written: str = field(default="", repr=False)

    def publish(self, applications: Iterable[dict[str, Any]]) -> None:
        """Write our applications, if they have changed. Who reads at the same time sees the old file or the new one."""
        text = json.dumps([application | {"passwordCredentials": []} for application in applications])
        if text == self._written:
            return
        part = self._own_file.with_suffix(".part")
        with suppress(OSError):  # somebody took the folder away: then nobody reads there either
            part.write_text(text, encoding="utf-8")
            part.replace(self._own_file)
            self._written = text

    def withdraw(self) -> None:
        """Take our file away: the practice tenant leaves nothing behind."""
        for path in (self._own_file, self._own_file.with_suffix(".part")):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def find(self, app_id: str) -> Registration | None:
        """The application of another tenant with this client id; None when there is none or it is for its home alone.

        It is read each time: a certificate that is changed at home is good, or not, everywhere at once.
        """
        for path in sorted(self.folder.glob("*.json")):
            if path == self._own_file:
                continue
            for application in _applications_in(path):
                if application["appId"] == app_id.lower() and application["signInAudience"] in MULTI_TENANT:
                    return Registration(application, path.stem)
        return None

    @property
    def _own_file(self) -> Path:
        return self.folder / f"{self.tenant_id}.json"


def shared_folder(folder: Path, tenant_id: str) -> Registrations:
    """The registrations in a folder.

    Raises:
        ValueError: the folder is not there or cannot be written to; one sentence that says what to do.
    """
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"registrations '{folder}' is no folder that can be written to: make it first.")
    return Registrations(folder, tenant_id)


def _applications_in(path: Path) -> list[dict[str, Any]]:
    """The applications in a tenant's file; none when that tenant has just ended, or the file is not one of ours."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if not isinstance(found, list):
        return []
    return [one for one in found if isinstance(one, dict) and {"appId", "signInAudience"} <= one.keys()]
