"""Which permissions Microsoft documents for which kind of operation (the "Permissions" table of each API page)."""

from __future__ import annotations

READ_USERS = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
READ_AUDIT_LOG = ("AuditLog.Read.All",)  # for signInActivity, beside one of those above
READ_ME = ("User.Read", "User.ReadWrite", *READ_USERS)  # delegated: one's own profile (user-get.md)
WRITE_USERS = ("User.ReadWrite.All", "Directory.ReadWrite.All")
DELETE_USERS = ("User.ReadWrite.All",)
# Delegated only: an app that calls for itself would need a directory role, which is not played (user-update.md).
WRITE_PASSWORDS = ("User-PasswordProfile.ReadWrite.All", "Directory.AccessAsUser.All")

READ_APPS = ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
WRITE_APPS = ("Application.ReadWrite.All",)
ROLL_KEYS = ("Application.ReadWrite.All", "Directory.ReadWrite.All")
ASSIGN_ROLES = ("AppRoleAssignment.ReadWrite.All",)

READ_GRANTS = ("Directory.Read.All", "Directory.ReadWrite.All", "DelegatedPermissionGrant.ReadWrite.All")
WRITE_GRANTS = ("DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All")

# Organization.Read.All is not in the documentation's table; that it suffices is chosen, not sourced.
READ_ORGANIZATION = ("Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All")

OWNED = ("Application.ReadWrite.OwnedBy",)  # application permission: read all, write only what the caller owns
AS_USER = ("Directory.AccessAsUser.All",)  # delegated permission: whatever the signed-in administrator may do
