"""What the bench says when something about the set-up is wrong: one sentence, no traceback."""

from __future__ import annotations

import requests


class WorkbookProblem(Exception):
    """One sentence that says what is wrong and what to do about it."""

    def _render_traceback_(self) -> list[str]:
        """IPython asks for this instead of drawing a traceback: the learner's mistake is not in our code."""
        return [str(self)]


class ConnectionProblem(WorkbookProblem, requests.ConnectionError):
    """No answer came from a real tenant. Code that catches ``requests.ConnectionError`` catches it too."""


def is_no_answer(error: OSError) -> bool:
    """Whether the network or this machine's settings for it are to blame, not the request that was asked for."""
    blame = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, blame) or not isinstance(error, requests.RequestException)


def explain(error: OSError, host: str) -> str:
    """One sentence about a request that got no answer.

    Args:
        error: what requests raised; its kind tells proxy, TLS and time-outs apart.
        host: the host that was asked, to be named in the sentence.
    """
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
        return (
            f"The certificate that {host} shows is not trusted here: behind a company proxy set REQUESTS_CA_BUNDLE "
            "to the file with your company's certificate authority and restart the kernel."
        )
    if isinstance(error, requests.Timeout):
        return f"{host} did not answer in time: check the network, then run this cell again."
    return f"{host} cannot be reached: check the network (and the spelling in .env), then run this cell again."
