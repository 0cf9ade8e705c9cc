"""How Graph words what it does not accept in a query.

Single error texts are from issues of microsoft-graph-docs-contrib (contrib#n).
"""

from __future__ import annotations

from ..errors import GraphError
from .properties import Collection

# --- refusals -----------------------------------------------------------------------------------------------


def bad_query(message: str) -> GraphError:
    """The gateway cannot read it."""
    return GraphError(400, "BadRequest", message)


def unsupported(message: str) -> GraphError:
    """The directory can read it, and will not do it."""
    return GraphError(400, "Request_UnsupportedQuery", message)


def unsupported_clause(head: str, collection: Collection) -> GraphError:
    """The property never allows it, or only in advanced queries, or does not exist.

    That an unknown name gets this too is chosen, not sourced: ``user`` is an open type, so the gateway lets
    it pass.
    """
    return unsupported(
        f"Unsupported or invalid query filter clause specified for property '{head}' of resource "
        f"'{collection.resource}'."
    )


def id_is_compared_only() -> GraphError:
    """``startsWith(id, …)``, ``id ge …`` and the like (microsoft-graph-docs-contrib#1085); the code is chosen."""
    return unsupported("Invalid query specified. The 'id' property can only be used with the equals-match operator.")


def invalid_filter() -> GraphError:
    """Bad literals, and bad syntax but for `left_over`, in the text of 2021 (pnp/powershell#565)."""
    return bad_query("Invalid filter clause")


def left_over(end: int, text: str) -> GraphError:
    """Something follows after a whole filter, as after ``surname eq 'O'`` in ``surname eq 'O'Brien'``.

    The text is of 2023 (pnp/powershell#3569). The position is the end of the first word too many: so counts Microsoft's
    OData library (ExpressionLexer.ValidateToken), and so did an answer of 2020 (Azure/azure-powershell#11317). In the
    filter of 2023 the number is greater by two; that a name was altered before it was published is assumed.

    Args:
        end: characters from the beginning of the filter to the end of the word that is too many.
        text: the filter.
    """
    return bad_query(f"Invalid filter clause: Syntax error at position {end} in '{text}'.")


def needs_advanced(operator: str) -> GraphError:
    return unsupported(
        f"Operator '{operator}' is not supported because the required parameters might be missing. "
        "Try adding $count=true query parameter and ConsistencyLevel:eventual header. "
        "Refer to https://aka.ms/graph-docs/advanced-queries for more information"
    )


def too_many_clauses(number: int, limit: int) -> GraphError:
    return unsupported(
        "Too many child clauses specified in search filter expression containing 'OR' operators: "
        f"{number}. Max allowed: {limit}."
    )


def raw_count_without_header() -> GraphError:
    """The bare number is always an advanced query (azurekid/ScEntra#13, recorded in 2025)."""
    return unsupported(
        "Raw count (/$count) is not supported because the 'ConsistencyLevel:eventual' header is missing. "
        "Refer to https://aka.ms/graph-docs/advanced-queries for more information"
    )
