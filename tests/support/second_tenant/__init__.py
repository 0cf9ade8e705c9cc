"""A second implementation of Entra ID's and Graph's protocols, to try on it what must work on a tenant of one's own.

It knows nothing of the practice tenant, so that a mistake there cannot hide itself here. It was written from
Microsoft's documentation and from recorded answers alone, and it shares no line, no id, no name and no habit with it.
Where the protocols leave a choice it takes another one:

- Entra ID and Graph have an address each, as Microsoft's have;
- 5,000 people whose organisation fills in no employeeHireDate, guests and service accounts among them;
- it decides how large a page is, and a page may be smaller than ``$top`` asks for;
- every answer of Graph takes its time, and one of them is a 429 with ``Retry-After``;
- what somebody creates is not known everywhere at once;
- the number that ``$count`` answers with begins with a mark of UTF-8;
- members of JSON objects come in another order, with blanks between them.

It is no teaching tool: it plays what the chapters, the daemon and the live questions ask for, and says 501 to the rest.
"""

from .server import SecondTenant

__all__ = ["SecondTenant"]
