"""What of a query goes back into an answer: the link to the next page, and ``@odata.context``."""

from __future__ import annotations

import re
from urllib.parse import quote_plus

from .properties import Collection
from .query import Query

# The address in @odata.context only names a type, nobody fetches it: it stays Microsoft's own, as recorded.
SERVICE_ROOT = "https://graph.microsoft.com/v1.0"


# --- what goes back into an answer --------------------------------------------------------------------------


def next_link(base_url: str, query: Query, skiptoken: str) -> str:
    """The absolute URL of the next page: all options of the request, in order, and the new $skiptoken.

    Args:
        base_url: the collection's own URL, without a query.
        query: what was asked for.
        skiptoken: any text.

    Values are escaped as captured links are (msgraph-sdk-java#368): lower-case hexadecimal, + for a space.
    """
    kept = [(name, value) for name, value in query.options if name.lower() != "$skiptoken"]
    pairs = [*kept, ("$skiptoken", skiptoken)]
    return base_url + "?" + "&".join(f"{_escape(name, safe='$')}={_escape(value)}" for name, value in pairs)


def _escape(text: str, safe: str = "!()*") -> str:
    escaped = quote_plus(text, safe=safe)
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), escaped)


def context_url(collection: Collection, query: Query, *, single: bool = False) -> str:
    """``@odata.context``: ``…/$metadata#users(displayName,givenName)``, with ``/$entity`` for one object.

    Args:
        single: the answer is one object, not a list.

    ``manager()`` among the names is OData's form for an expanded relationship (OData 4.0 part 1, 10.9).
    """
    names = list(query.select or ())
    if query.expand_manager:
        names.append(f"manager({','.join(query.expand_manager.select or ())})")
    projection = f"({','.join(names)})" if names else ""
    return entity_context(collection.name + projection) if single else metadata_context(collection.name + projection)


def entity_context(name: str) -> str:
    """``@odata.context`` of one object of a collection: ``…/$metadata#users/$entity``."""
    return f"{metadata_context(name)}/$entity"


def metadata_context(name: str) -> str:
    """``@odata.context`` of anything that the metadata names: ``…/$metadata#microsoft.graph.keyCredential``."""
    return f"{SERVICE_ROOT}/$metadata#{name}"
