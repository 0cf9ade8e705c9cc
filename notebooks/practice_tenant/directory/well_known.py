"""The ids and names that never change: the tenant's own, and those Microsoft uses in every tenant.

Sources: the Microsoft Graph permissions reference for ids of permissions; the application ids of Microsoft's own
applications as entra docs list them. The tenant's own are made up and fixed.
"""

from __future__ import annotations

from dataclasses import dataclass

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
# Delegated permissions of Microsoft Graph that can be asked for (Microsoft Graph permissions reference).
PERMISSIONS = (
    "Application.Read.All", "Application.ReadWrite.All", "AppRoleAssignment.ReadWrite.All", "AuditLog.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All", "Directory.AccessAsUser.All", "Directory.Read.All",
    "Directory.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", "Mail.Read", "Organization.Read.All",
    "Organization.ReadWrite.All", "User.Read", "User.Read.All", "User.ReadBasic.All", "User.ReadWrite",
    "User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All",
)  # fmt: skip


@dataclass(frozen=True)
class Client:
    """The program that signs somebody in: its client id and its name."""

    id: str
    name: str


# Microsoft's own public client: what Connect-MgGraph and the docs' samples use to let an administrator sign in.
COMMAND_LINE_TOOLS = Client("14d82eec-204b-4c2f-b7e8-296a70dab67e", "Microsoft Graph Command Line Tools")
PUBLIC_CLIENTS = {client.id: client for client in (COMMAND_LINE_TOOLS,)}  # by client id; they have no credential


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in: an account of data/people.jsonl."""

    id: str
    name: str
    user_principal_name: str


ADMINISTRATOR = Person(
    "bb9f10bc-cf35-4584-9795-4220d3e03593",
    "Robert Kowalczyk (Admin)",
    "adm-robert.kowalczyk@contoso.onmicrosoft.example",
)
DOMAIN = "contoso.example"

# Fixed, so that what a notebook shows is the same on every machine; never all zeros, because Entra answers a
# client id of zeros with an error of its own (700038).
TENANT_ID = "7d2c9e5a-1b64-4f0e-9a37-c3d58e41f260"
TENANT_NAME = "Contoso Practice"
MICROSOFT_TENANT_ID = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"  # owns Microsoft's own applications in every tenant
INITIAL_DOMAIN = "contoso.onmicrosoft.example"
CLIENT_ID = "4e8f1a6b-93d7-4c25-b0fa-6d1e72c4a895"
APP_OBJECT_ID = "b16a0d3f-58c2-4e97-8d41-0f9b7a25ce63"
SERVICE_PRINCIPAL_ID = "e95b7c20-3fd8-4a16-a7c4-815d2b60f3ea"
APP_NAME = "daemon-console"
GRAPH_SERVICE_PRINCIPAL_ID = "2a6f84d1-c07e-4b39-95e8-d42b1c7f5036"
TENANT_CREATED = 1_483_274_096  # Unix seconds
REGION = "EU"

# Application permissions of Microsoft Graph: value -> id of the app role (Microsoft Graph permissions reference).
GRAPH_APP_ROLES = {
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
    "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadBasic.All": "97235f07-e226-4f63-ace3-39588e11d3a1",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
}

# Resources a token can be asked for besides Microsoft Graph. Only their service principals exist here: a token for
# one of them is real, and Graph refuses it, which is the lesson.
OTHER_RESOURCES = {
    "797f4846-ba00-4fd7-ba43-dac1f8f63013": (
        "Windows Azure Service Management API",
        "5c3d9f07-86b1-4e2a-b4d5-70e1a98c62bf",
        ("https://management.azure.com", "https://management.core.windows.net"),
    ),
    "cfa8b339-82a2-471a-a3c9-0fc0be7a4093": (
        "Azure Key Vault",
        "d80e42a5-17fc-49b6-8c93-2e6ab5f0714d",
        ("https://vault.azure.net",),
    ),
}
GRAPH_NAMES = (
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
)
