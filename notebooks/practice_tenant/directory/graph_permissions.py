"""The permissions that Microsoft Graph offers here, as its service principal lists them in every tenant.

Source: Microsoft Graph permissions reference, for ids; microsoft-graph-devx-content permissions-descriptions.json, for
names and descriptions. The texts of User-PasswordProfile.ReadWrite.All are newer than that file: chosen, not sourced.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class AppRole(NamedTuple):
    """An application permission: an app holds it for itself."""

    value: str
    id: str
    name: str
    description: str

    def as_graph(self) -> dict[str, Any]:
        """An ``appRole`` (graph docs: resources/approle.md)."""
        return {
            "allowedMemberTypes": ["Application"],
            "description": self.description,
            "displayName": self.name,
            "id": self.id,
            "isEnabled": True,
            "origin": "Application",
            "value": self.value,
        }


class Scope(NamedTuple):
    """A delegated permission: an app holds it for a person who signed in.

    Args:
        type: who may consent to it, ``Admin`` or ``User``.
        name, description: what an administrator reads before they consent for everybody.
        user_name, user_description: what a person reads before they consent for themselves.
    """

    value: str
    id: str
    type: str
    name: str
    description: str
    user_name: str
    user_description: str

    def as_graph(self) -> dict[str, Any]:
        """A ``permissionScope`` (graph docs: resources/permissionscope.md)."""
        return {
            "adminConsentDescription": self.description,
            "adminConsentDisplayName": self.name,
            "id": self.id,
            "isEnabled": True,
            "type": self.type,
            "userConsentDescription": self.user_description,
            "userConsentDisplayName": self.user_name,
            "value": self.value,
        }


APP_ROLES = (
    AppRole(
        "Application.Read.All",
        "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
        "Read all applications",
        "Allows the app to read all applications and service principals without a signed-in user.",
    ),
    AppRole(
        "Application.ReadWrite.All",
        "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
        "Read and write all applications",
        "Allows the app to create, read, update and delete applications and service principals without a signed-in "
        "user.  Does not allow management of consent grants.",
    ),
    AppRole(
        "Application.ReadWrite.OwnedBy",
        "18a4783c-866b-4cc7-a460-3d5e5662c884",
        "Manage apps that this app creates or owns",
        "Allows the app to create other applications, and fully manage those applications (read, update, update "
        "application secrets and delete), without a signed-in user.  It cannot update any apps that it is not an "
        "owner of.",
    ),
    AppRole(
        "AppRoleAssignment.ReadWrite.All",
        "06b708a9-e830-4db3-a914-8e69da51d44f",
        "Manage app permission grants and app role assignments",
        "Allows the app to manage permission grants for application permissions to any API (including Microsoft "
        "Graph) and application assignments for any app, without a signed-in user.",
    ),
    AppRole(
        "AuditLog.Read.All",
        "b0afded3-3588-46d8-8b3d-9842eff778da",
        "Read all audit log data",
        "Allows the app to read and query your audit log activities, without a signed-in user.",
    ),
    AppRole(
        "DelegatedPermissionGrant.ReadWrite.All",
        "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
        "Manage all delegated permission grants",
        "Allows the app to manage permission grants for delegated permissions exposed by any API (including Microsoft "
        "Graph), without a signed-in user.",
    ),
    AppRole(
        "Directory.Read.All",
        "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "Read directory data",
        "Allows the app to read data in your organization's directory, such as users, groups and apps, without a "
        "signed-in user.",
    ),
    AppRole(
        "Directory.ReadWrite.All",
        "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
        "Read and write directory data",
        "Allows the app to read and write data in your organization's directory, such as users, and groups, without a "
        "signed-in user.  Does not allow user or group deletion.",
    ),
    AppRole(
        "Group.Read.All",
        "5b567255-7703-4780-807c-7be8301ae99b",
        "Read all groups",
        "Allows the app to read group properties and memberships, and read the calendar and conversations for all "
        "groups, without a signed-in user.",
    ),
    AppRole(
        "Group.ReadWrite.All",
        "62a82d76-70ea-41e2-9197-370581804d09",
        "Read and write all groups",
        "Allows the app to create groups, read all group properties and memberships, update group properties and "
        "memberships, and delete groups. Also allows the app to read and write group calendar and conversations.  All "
        "of these operations can be performed by the app without a signed-in user.",
    ),
    AppRole(
        "Mail.Read",
        "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
        "Read mail in all mailboxes",
        "Allows the app to read mail in all mailboxes without a signed-in user.",
    ),
    AppRole(
        "Organization.Read.All",
        "498476ce-e0fe-48b0-b801-37ba7e2685c6",
        "Read organization information",
        "Allows the app to read the organization and related resources, without a signed-in user. Related resources "
        "include things like subscribed skus and tenant branding information.",
    ),
    AppRole(
        "User.Read.All",
        "df021288-bdef-4463-88db-98f22de89214",
        "Read all users' full profiles",
        "Allows the app to read user profiles without a signed in user.",
    ),
    AppRole(
        "User.ReadBasic.All",
        "97235f07-e226-4f63-ace3-39588e11d3a1",
        "Read all users' basic profiles",
        "Allows the app to read a basic set of profile properties of other users in your organization without a "
        "signed-in user. Includes display name, first and last name, email address, open extensions, and photo.",
    ),
    AppRole(
        "User.ReadWrite.All",
        "741f803b-c850-494e-b5df-cde7c675a1ca",
        "Read and write all users' full profiles",
        "Allows the app to read and update user profiles without a signed in user.",
    ),
)

SCOPES = (
    Scope(
        "Application.Read.All",
        "c79f8feb-a9db-4090-85f9-90d820caa0eb",
        "Admin",
        "Read applications",
        "Allows the app to read applications and service principals on behalf of the signed-in user.",
        "Read applications",
        "Allows the app to read applications and service principals on your behalf.",
    ),
    Scope(
        "Application.ReadWrite.All",
        "bdfbf15f-ee85-4955-8675-146e8e5296b5",
        "Admin",
        "Read and write all applications",
        "Allows the app to create, read, update and delete applications and service principals on behalf of the "
        "signed-in user. Does not allow management of consent grants.",
        "Read and write applications",
        "Allows the app to create, read, update and delete applications and service principals on your behalf. Does "
        "not allow management of consent grants.",
    ),
    Scope(
        "AppRoleAssignment.ReadWrite.All",
        "84bccea3-f856-4a8a-967b-dbe0a3d53a64",
        "Admin",
        "Manage app permission grants and app role assignments",
        "Allows the app to manage permission grants for application permissions to any API (including Microsoft "
        "Graph) and application assignments for any app, on behalf of the signed-in user.",
        "Manage app permission grants and app role assignments",
        "Allows the app to manage permission grants for application permissions to any API (including Microsoft "
        "Graph) and application assignments for any app, on your behalf.",
    ),
    Scope(
        "AuditLog.Read.All",
        "e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20",
        "Admin",
        "Read audit log data",
        "Allows the app to read and query your audit log activities, on behalf of the signed-in user.",
        "Read audit log data",
        "Allows the app to read and query your audit log activities, on your behalf.",
    ),
    Scope(
        "DelegatedPermissionGrant.ReadWrite.All",
        "41ce6ca6-6826-4807-84f1-1c82854f7ee5",
        "Admin",
        "Manage all delegated permission grants",
        "Allows the app to manage permission grants for delegated permissions exposed by any API (including Microsoft "
        "Graph), on behalf of the signed in user.",
        "Manage all delegated permission grants",
        "Allows the app to manage permission grants for delegated permissions exposed by any API (including Microsoft "
        "Graph), on your behalf. ",
    ),
    Scope(
        "Directory.AccessAsUser.All",
        "0e263e50-5827-48a4-b97c-d940288653c7",
        "Admin",
        "Access directory as the signed in user",
        "Allows the app to have the same access to information in the directory as the signed-in user.",
        "Access the directory as you",
        "Allows the app to have the same access to information in your work or school directory as you do.",
    ),
    Scope(
        "Directory.Read.All",
        "06da0dbc-49e2-44d2-8312-53f166ab848a",
        "Admin",
        "Read directory data",
        "Allows the app to read data in your organization's directory, such as users, groups and apps.",
        "Read directory data",
        "Allows the app to read data in your organization's directory.",
    ),
    Scope(
        "Directory.ReadWrite.All",
        "c5366453-9fb0-48a5-a156-24f0c49a4b84",
        "Admin",
        "Read and write directory data",
        "Allows the app to read and write data in your organization's directory, such as users, and groups.  It does "
        "not allow the app to delete users or groups, or reset user passwords.",
        "Read and write directory data",
        "Allows the app to read and write data in your organization's directory, such as other users, groups.  It "
        "does not allow the app to delete users or groups, or reset user passwords.",
    ),
    Scope(
        "Group.Read.All",
        "5f8c59db-677d-491f-a6b8-5f174b11ec1d",
        "Admin",
        "Read all groups",
        "Allows the app to list groups, and to read their properties and all group memberships on behalf of the "
        "signed-in user.  Also allows the app to read calendar, conversations, files, and other group content for all "
        "groups the signed-in user can access. ",
        "Read all groups",
        "Allows the app to list groups, and to read their properties and all group memberships on your behalf.  Also "
        "allows the app to read calendar, conversations, files, and other group content for all groups you can "
        "access.  ",
    ),
    Scope(
        "Group.ReadWrite.All",
        "4e46008b-f24c-477d-8fff-7bb4ec7aafe0",
        "Admin",
        "Read and write all groups",
        "Allows the app to create groups and read all group properties and memberships on behalf of the signed-in "
        "user.  Additionally allows group owners to manage their groups and allows group members to update group "
        "content.",
        "Read and write all groups",
        "Allows the app to create groups and read all group properties and memberships on your behalf.  Additionally "
        "allows the app to manage your groups and to update group content for groups you are a member of.",
    ),
    Scope(
        "Mail.Read",
        "570282fd-fa5c-430d-a7fd-fc8dc98a9dca",
        "User",
        "Read user mail ",
        "Allows the app to read email in user mailboxes. ",
        "Read your mail ",
        "Allows the app to read email in your mailbox. ",
    ),
    Scope(
        "Organization.Read.All",
        "4908d5b9-3fb2-4b1e-9336-1888b7937185",
        "Admin",
        "Read organization information",
        "Allows the app to read the organization and related resources, on behalf of the signed-in user.\u00a0Related "
        "resources include things like subscribed skus and tenant branding information.",
        "Read organization information",
        "Allows the app to read the organization and related resources, on your behalf.\u00a0Related resources "
        "include things like subscribed skus and tenant branding information.",
    ),
    Scope(
        "Organization.ReadWrite.All",
        "46ca0847-7e6b-426e-9775-ea810a948356",
        "Admin",
        "Read and write organization information",
        "Allows the app to read and write the organization and related resources, on behalf of the signed-in "
        "user.\u00a0Related resources include things like subscribed skus and tenant branding information.",
        "Read and write organization information",
        "Allows the app to read and write the organization and related resources, on your behalf.\u00a0Related "
        "resources include things like subscribed skus and tenant branding information.",
    ),
    Scope(
        "User.Read",
        "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
        "User",
        "Sign in and read user profile",
        "Allows users to sign-in to the app, and allows the app to read the profile of signed-in users. It also "
        "allows the app to read basic company information of signed-in users.",
        "Sign you in and read your profile",
        "Allows you to sign in to the app with your organizational account and let the app read your profile. It also "
        "allows the app to read basic company information.",
    ),
    Scope(
        "User.Read.All",
        "a154be20-db9c-4678-8ab7-66f6cc099a59",
        "Admin",
        "Read all users' full profiles",
        "Allows the app to read the full set of profile properties, reports, and managers of other users in your "
        "organization, on behalf of the signed-in user.",
        "Read all users' full profiles",
        "Allows the app to read the full set of profile properties, reports, and managers of other users in your "
        "organization, on your behalf.",
    ),
    Scope(
        "User.ReadBasic.All",
        "b340eb25-3456-403f-be2f-af7a0d370277",
        "User",
        "Read all users' basic profiles",
        "Allows the app to read a basic set of profile properties of other users in your organization on behalf of "
        "the signed-in user. This includes display name, first and last name, email address and photo.",
        "Read all users' basic profiles",
        "Allows the app to read a basic set of profile properties of other users in your organization on your behalf. "
        "Includes display name, first and last name, email address and photo.",
    ),
    Scope(
        "User.ReadWrite",
        "b4e74841-8e56-480b-be8b-910348b18b4c",
        "User",
        "Read and write access to user profile",
        "Allows the app to read your profile. It also allows the app to update your profile information on your "
        "behalf.",
        "Read and update your profile",
        "Allows the app to read your profile, and discover your group membership, reports and manager. It also allows "
        "the app to update your profile information on your behalf.",
    ),
    Scope(
        "User.ReadWrite.All",
        "204e0828-b5ca-4ad8-b9f3-f32a958e7cc4",
        "Admin",
        "Read and write all users' full profiles",
        "Allows the app to read and write the full set of profile properties, reports, and managers of other users in "
        "your organization, on behalf of the signed-in user.",
        "Read and write all users' full profiles",
        "Allows the app to read and write the full set of profile properties, reports, and managers of other users in "
        "your organization, on your behalf.",
    ),
    Scope(
        "User-PasswordProfile.ReadWrite.All",
        "56760768-b641-451f-8906-e1b8ab31bca7",
        "Admin",
        "Read and write all password profiles and reset user passwords",
        "Allows the app to read and write password profiles and reset passwords for all users, on behalf of the "
        "signed-in user.",
        "Read and write all password profiles and reset user passwords",
        "Allows the app to read and write password profiles and reset passwords for all users, on your behalf.",
    ),
    Scope(
        "openid",
        "37f7f235-527c-4136-accd-4a02d197296e",
        "User",
        "Sign users in",
        "Allows users to sign in to the app with their work or school accounts and allows the app to see basic user "
        "profile information.",
        "Sign in as you",
        "Allows you to sign in to the app with your work or school account and allows the app to read your basic "
        "profile information.",
    ),
    Scope(
        "email",
        "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
        "User",
        "View users' email address",
        "Allows the app to read your users' primary email address",
        "View your email address",
        "Allows the app to read your primary email address",
    ),
    Scope(
        "profile",
        "14dad69e-099b-42c9-810b-d002981feec1",
        "User",
        "View users' basic profile",
        "Allows the app to see your users' basic profile (name, picture, user name)",
        "View your basic profile",
        "Allows the app to see your basic profile (name, picture, user name)",
    ),
    Scope(
        "offline_access",
        "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
        "User",
        "Maintain access to data you have given it access to",
        "Allows the app to see and update the data you gave it access to, even when users are not currently using the "
        "app. This does not give the app any additional permissions.",
        "Maintain access to data you have given it access to",
        "Allows the app to see and update the data you gave it access to, even when you are not currently using the "
        "app. This does not give the app any additional permissions.",
    ),
)
