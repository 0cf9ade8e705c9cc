"""The ids and names that never change: the tenant's own, and those Microsoft uses in every tenant.

Sources: the Microsoft Graph permissions reference for ids of permissions; the application ids of Microsoft's own
applications as entra docs list them. The tenant's own are made up and fixed.
"""

from __future__ import annotations

from typing import NamedTuple

from .graph_permissions import APP_ROLES, SCOPES

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
MANAGEMENT_APP_ID = "797f4846-ba00-4fd7-ba43-dac1f8f63013"  # Azure Resource Manager
MANAGEMENT_NAMES = ("https://management.azure.com", "https://management.core.windows.net")
OIDC_SCOPES = ("openid", "profile", "email", "offline_access")
# Delegated permissions of Microsoft Graph that can be asked for.
PERMISSIONS = tuple(scope.value for scope in SCOPES if scope.value not in OIDC_SCOPES)


class Client(NamedTuple):
    """The program that signs somebody in.

    Args:
        id: its client id.
        preauthorized: permissions of Graph that nobody needs to consent to, because Microsoft itself agreed to them.
        resources: app ids of the other resources it may call for a person, by the same agreement.
    """

    id: str
    name: str
    preauthorized: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


# Microsoft's own public clients: what Connect-MgGraph and the docs' samples use to let an administrator sign in.
COMMAND_LINE_TOOLS = Client("14d82eec-204b-4c2f-b7e8-296a70dab67e", "Microsoft Graph Command Line Tools")
# The permissions are the `scp` of its tokens as several public captures of 2025 and 2026 show it.
AZURE_CLI = Client(
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    "Microsoft Azure CLI",
    (
        "Application.ReadWrite.All",
        "AppRoleAssignment.ReadWrite.All",
        "AuditLog.Read.All",
        "DelegatedPermissionGrant.ReadWrite.All",
        "Directory.AccessAsUser.All",
        "Group.ReadWrite.All",
        "User.Read.All",
        "User.ReadWrite.All",
    ),
    resources=(MANAGEMENT_APP_ID,),
)
PUBLIC_CLIENTS = {client.id: client for client in (COMMAND_LINE_TOOLS, AZURE_CLI)}  # they have no credential


class Person(NamedTuple):
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

# Application permissions of Microsoft Graph: value -> id of the app role.
GRAPH_APP_ROLES = {role.value: role.id for role in APP_ROLES}

# Resources a token can be asked for besides Microsoft Graph. Only their service principals exist here: a token for
# one of them is real, and Graph refuses it, which is the lesson. (Resource Manager answers that there is no
# subscription, which is all that Azure CLI needs to sign in.)
OTHER_RESOURCES = {
    MANAGEMENT_APP_ID: (
        "Windows Azure Service Management API",
        "5c3d9f07-86b1-4e2a-b4d5-70e1a98c62bf",
        MANAGEMENT_NAMES,
    ),
    "cfa8b339-82a2-471a-a3c9-0fc0be7a4093": (
        "Azure Key Vault",
        "d80e42a5-17fc-49b6-8c93-2e6ab5f0714d",
        ("https://vault.azure.net",),
    ),
}
# Graph's names in the national clouds. Its service principal has them in every cloud, and yet no token is given out for
# a name of another cloud.
GRAPH_ELSEWHERE = (
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
)
GRAPH_NAMES = ("https://graph.microsoft.com", *GRAPH_ELSEWHERE)
