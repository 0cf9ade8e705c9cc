"""Microsoft's clouds: which sign-in hosts and which Graph belong together, and the scope that follows from them.

graph_daemon.py has the same table, because it is a file to take home that imports nothing of ours; a test holds both
equal. Sources: learn.microsoft.com/graph/deployments and MSAL's authority.py; Get-MgEnvironment for the last three.
".default" takes the domain of the service root: learn.microsoft.com/graph/sdks/national-clouds.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cloud:
    """The hosts that belong together; the first of `graph` is meant where none is named."""

    name: str
    sign_in: tuple[str, ...]
    graph: tuple[str, ...]


GLOBAL = Cloud(
    "global",
    (
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "ciamlogin.com",
        "b2clogin.com",
    ),
    ("graph.microsoft.com",),
)
CLOUDS = (
    GLOBAL,
    Cloud(
        "US Government (GCC High, DoD)",
        ("login.microsoftonline.us", "login.usgovcloudapi.net", "login-us.microsoftonline.com"),
        ("graph.microsoft.us", "dod-graph.microsoft.us"),
    ),
    Cloud(
        "China (21Vianet)",
        ("login.partner.microsoftonline.cn", "login.chinacloudapi.cn"),
        ("microsoftgraph.chinacloudapi.cn",),
    ),
    Cloud("Bleu (France)", ("login.sovcloud-identity.fr",), ("graph.svc.sovcloud.fr",)),
    Cloud("Delos (Germany)", ("login.sovcloud-identity.de",), ("graph.svc.sovcloud.de",)),
    Cloud("GovSG (Singapore)", ("login.sovcloud-identity.sg",), ("graph.svc.sovcloud.sg",)),
)


def cloud_of(host: str) -> Cloud | None:
    """The cloud of a host of Entra ID or Graph; None for all others, such as a sign-in domain of one's own.

    Args:
        host: in lower case, without a port.
    """
    for cloud in CLOUDS:
        if any(host == known or host.endswith(f".{known}") for known in cloud.sign_in + cloud.graph):
            return cloud
    return None


def scope_of(graph_host: str, sign_in_host: str) -> list[str]:
    """The scope for Graph at a host: the host's own, or that of the cloud one signs in to when Graph's host is no known
    one, as the practice tenant's."""
    if cloud_of(graph_host):
        return [f"https://{graph_host}/.default"]
    return [f"https://{(cloud_of(sign_in_host) or GLOBAL).graph[0]}/.default"]
