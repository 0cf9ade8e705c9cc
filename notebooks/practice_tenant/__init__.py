"""A practice tenant: Entra ID and a slice of Microsoft Graph on loopback, for learning and for tests.

Run it with ``python -m practice_tenant --help``. What it plays faithfully, what it chose and what it lacks stands in
the README beside this file. It imports nothing of the workbook and can be used alone.
"""
