"""The query options of Microsoft Graph's collections, from a query string to plain Python values."""
