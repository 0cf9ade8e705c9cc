"""What the bench says when something about the set-up is wrong: one sentence, no traceback."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import requests


class WorkbookProblem(Exception):
    """One sentence that says what is wrong and what to do about it."""

    def _render_traceback_(self) -> list[str]:
        """IPython asks for this instead of drawing a traceback: the learner's mistake is not in our code."""
        return [str(self)]


class ConnectionProblem(WorkbookProblem, requests.ConnectionError):
    """No answer came from a real tenant. Code that catches ``requests.ConnectionError`` catches it as well."""


_BAD_ADDRESS = (
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,  # InvalidProxyURL is one
    requests.exceptions.MissingSchema,
)


def is_no_answer(error: Exception, url: str) -> bool:
    """Whether the network or this machine's settings for it are to blame, not the request that was asked for.

    Args:
        error: what requests raised.
        url: the address that was asked for.
    """
    if isinstance(error, requests.exceptions.InvalidSchema):
        return "SOCKS" in str(error)  # a proxy's; another one is the request's own
    if isinstance(error, _BAD_ADDRESS) or not isinstance(error, OSError):
        return _has_proxy(url)
    blame = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, blame) or not isinstance(error, requests.RequestException)


def explain(error: Exception, host: str) -> str:
    """One sentence about a request that got no answer. The error is not quoted: a proxy's address may hold a password.

    Args:
        error: what requests raised; its kind tells proxy, TLS and time-outs apart.
        host: the host that was asked, to be named in the sentence.
    """
    if isinstance(error, _BAD_ADDRESS) or not isinstance(error, OSError):
        return _about_proxy_variables(error)
    if not isinstance(error, requests.RequestException):
        return (
            "REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) names no file that can be read: correct it and restart the kernel."
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return (
            f"The proxy did not let the request to {host} through: check HTTPS_PROXY and NO_PROXY, "
            "or ask who runs your network."
        )
    if isinstance(error, requests.exceptions.SSLError):
        return _about_certificate(error, host)
    if isinstance(error, requests.Timeout):
        return f"{host} did not answer in time: check the network, then run this cell again."
    return f"{host} cannot be reached: check the network (and the spelling in .env), then run this cell again."


def _has_proxy(url: str) -> bool:
    return bool(requests.utils.get_environ_proxies(url, no_proxy=None))


def _about_proxy_variables(error: Exception) -> str:
    if "SOCKS" in str(error):
        return (
            "ALL_PROXY or HTTPS_PROXY names a SOCKS proxy, which requests cannot use by itself: run "
            'pip install "requests[socks]" and restart the kernel.'
        )
    return (
        "HTTPS_PROXY (or ALL_PROXY) is no address that can be used: write it like http://proxy.example:8080, with %23 "
        "for a # in its password, and restart the kernel."
    )


def _about_certificate(error: Exception, host: str) -> str:
    """Three causes of one failure, told by OpenSSL's words (X509_verify_cert_error_string)."""
    words = str(error).lower()
    if "hostname mismatch" in words or "doesn't match" in words or "not valid for" in words:
        return (
            f"The server that answers for {host} shows a certificate for another name: check the address in .env, or "
            "whether a sign-in page of the network is in between."
        )
    if "basic constraints" in words or "authority key identifier" in words:
        return (
            f"The certificate authority behind {host} does not follow RFC 5280, on which Python 3.13 insists: ask who "
            "runs your network for a new one, or use Python 3.12."
        )
    return (
        f"The certificate that {host} shows is not trusted here: behind a company proxy set REQUESTS_CA_BUNDLE "
        "to the file with your company's certificate authority and restart the kernel."
    )


# --- refusals and their cures -------------------------------------------------------------------------------------

# What to do in one's own tenant about Entra ID's answer. Source of the codes: learn.microsoft.com, Entra's
# reference-error-codes, and the answers that the practice tenant's README lists.
_CURES = {
    700016: "compare AZURE_CLIENT_ID and AZURE_TENANT_ID with the app's Overview page.",
    7000229: "the app has no service principal in this tenant: give admin consent on the app's API permissions page.",
    700027: "upload the certificate on the app's Certificates & secrets page, and see that it is within its dates.",
    700024: "check this machine's clock.",
    7000215: "AZURE_CLIENT_SECRET is not the value of a valid secret: its id is not its value.",
    7000222: "the client secret has expired: make a new one, or better, use a certificate.",
    7000112: "the app is disabled: an administrator enables it under Enterprise applications.",
    500011: "the scope's resource is not in this tenant: check GRAPH_ENDPOINT and the cloud.",
    53003: "Conditional Access blocks this app: ask the administrator for a policy that lets workloads in.",
    90002: "compare AZURE_TENANT_ID with Directory (tenant) ID on the app's Overview page.",
}


def refused_by_entra(result: Mapping[str, Any]) -> str:
    """Entra ID's own sentence and its cure.

    Args:
        result: what MSAL gave back, with ``error`` and ``error_description``.
    """
    text = str(result.get("error_description") or result.get("error") or "no reason")
    said = re.split(r",? Please visit |\s+Trace ID:", text)[0].strip()  # the rest is addresses, ids and times
    said = said if said.endswith((".", "]")) else f"{said}."
    found = re.match(r"AADSTS(\d+)", said)
    cure = _CURES.get(int(found[1])) if found else None
    cure = cure or "look the code up at https://login.microsoftonline.com/error."
    return f"Entra ID gives no token: {said} What helps: {cure}"


def refused_by_graph(status: int, body: Any, missing: Iterable[str]) -> str:
    """Graph's own sentence and its cure.

    Args:
        status: the HTTP status.
        body: the parsed answer.
        missing: application permissions that the token does not have.
    """
    error = body.get("error") if isinstance(body, dict) else None
    said = f"{error.get('code')}, {error.get('message')}" if isinstance(error, dict) else "no reason"
    roles = ", ".join(missing)
    return (
        f"{roles}: Graph says {status} {said} What helps: an administrator grants consent to {roles} on the app's API "
        "permissions page, as application permission; a minute later run this cell again."
    )
