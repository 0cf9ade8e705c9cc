"""HTTPS for 127.0.0.1: a certificate authority that lives as long as the process.

MSAL refuses a plain-http authority, so the practice tenant speaks HTTPS. Its authority is made at start-up and its
certificate's path is handed to the client (`verify=`); nothing is installed into the system's trust store, and the
authority's key never touches the disk.
"""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile
from pathlib import Path

import trustme

LOOPBACK = "127.0.0.1"


class LoopbackTls:
    """A throw-away certificate authority and the server certificate it issued.

    Attributes:
        context: what the server listens with; TLS 1.2 or newer.
        ca_certificate: path of the authority's certificate (PEM), readable by this user alone.
    """

    def __init__(self) -> None:
        authority = trustme.CA(organization_name="Practice tenant", organization_unit_name="throw-away authority")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        authority.issue_cert(LOOPBACK, "localhost").configure_cert(self.context)
        self._folder = Path(tempfile.mkdtemp(prefix="practice-tenant-"))
        self.ca_certificate = self._folder / "ca.pem"
        try:
            with os.fdopen(os.open(self.ca_certificate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(authority.cert_pem.bytes())
        except BaseException:  # a signal that ends the program may come here as well
            self.remove()
            raise

    def remove(self) -> None:
        """Delete the certificate file: the practice tenant leaves nothing behind."""
        shutil.rmtree(self._folder, ignore_errors=True)
