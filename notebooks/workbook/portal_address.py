"""Where a learner's browser finds the practice portal: on the same machine, or through whatever stands in between.

The portal listens on 127.0.0.1 of the machine the kernel runs on. On a hub, in Codespaces or in Colab the browser is
somewhere else, and each of them forwards ports in a way of its own.

Sources: jupyter-server-proxy docs (``/proxy/PORT/``); GitHub docs on forwarding ports in a codespace; google.colab's
``google.colab.kernel.proxyPort``.
"""

from __future__ import annotations

import importlib
import os
import sys
from urllib.parse import urlsplit

SETTING = "WORKBOOK_PORTAL_URL"  # an address with {port} in it, for a forwarding that is not known here
_HUB, _CODESPACE, _DOMAIN = "JUPYTERHUB_SERVICE_PREFIX", "CODESPACE_NAME", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN"


def is_forwarded() -> bool:
    """Whether the browser reaches the portal through a proxy, which may send another Host header than 127.0.0.1."""
    return any(os.environ.get(name) for name in (SETTING, _HUB, _CODESPACE)) or _is_colab()


def portal_address(url: str) -> str:
    """The address that works in the learner's browser.

    Args:
        url: the portal's own, ``http://127.0.0.1:PORT/KEY/``.

    Returns:
        str: on a hub a path without a host, which a link in JupyterLab completes.
    """
    parts = urlsplit(url)
    port = str(parts.port)
    if os.environ.get(SETTING):
        return os.environ[SETTING].replace("{port}", port).rstrip("/") + parts.path
    if os.environ.get(_HUB):
        return f"{os.environ[_HUB].rstrip('/')}/proxy/{port}{parts.path}"
    if os.environ.get(_CODESPACE):
        domain = os.environ.get(_DOMAIN) or "app.github.dev"
        return f"https://{os.environ[_CODESPACE]}-{port}.{domain}{parts.path}"
    if _is_colab():
        output = importlib.import_module("google.colab.output")
        forwarded: str = output.eval_js(f"google.colab.kernel.proxyPort({port})")
        return forwarded.rstrip("/") + parts.path
    return url


def _is_colab() -> bool:
    return "google.colab" in sys.modules
