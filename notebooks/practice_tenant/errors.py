"""A refusal by Microsoft Graph, and the makers of the usual ones.

The texts are recorded unless their docstring says otherwise.
"""

from __future__ import annotations


class GraphError(Exception):
    """A refusal by Microsoft Graph.

    Args:
        status: HTTP status.
        code: what programs branch on, e.g. ``Request_ResourceNotFound``.
        message: for people; Microsoft may change it at any time.
        headers: more headers for the answer, e.g. ``Retry-After``.
        details: (code, target) of each finer error in the body's ``details``, e.g. ``("ObjectConflict", "mail")``.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: dict[str, str] | None = None,
        *,
        details: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.details = details


def bad_request(message: str, *details: tuple[str, str]) -> GraphError:
    """400 ``Request_BadRequest``; each detail is a finer code and the property it is about."""
    return GraphError(400, "Request_BadRequest", message, details=details)


def not_found(key: str) -> GraphError:
    """404 for an object that is not there; the text is recorded."""
    text = f"Resource '{key[:200]}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", text)


def denied() -> GraphError:
    """403 for a caller whose permissions do not suffice; the text is recorded."""
    return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def conflict(name: str) -> GraphError:
    """400 for a value another object already has (microsoft-graph-docs#1508; a 400, not a 409)."""
    text = f"Another object with the same value for property {name} already exists."
    return bad_request(text, ("ObjectConflict", name))


def missing(name: str, resource: str) -> GraphError:
    """400 for a property that must be there; the text is recorded."""
    return bad_request(f"A value is required for property '{name}' of resource '{resource}'.", ("InvalidValue", name))


def invalid(name: str, resource: str) -> GraphError:
    """400 for a value that the property cannot take; the text is recorded for mailNickname."""
    text = f"Invalid value specified for property '{name}' of resource '{resource}'."
    return bad_request(text, ("InvalidValue", name))
