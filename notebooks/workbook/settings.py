"""Which tenant the learner means: the file .env at the repository's root, read and checked."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from .keys import ROOT, Hidden, KeyPair, pair_from_file
from .problems import WorkbookProblem

# The names azure-identity reads, so that one .env also serves DefaultAzureCredential (azure-identity README,
# "Environment variables"). Only the file counts here, never os.environ: a company machine may have AZURE_* set for
# something else, and a lesson must not run against a tenant that nobody named.
REQUIRED = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH")
OPTIONAL = (
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_SECRET",
    "AZURE_AUTHORITY_HOST",
    "GRAPH_ENDPOINT",
)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)


@dataclass(frozen=True)
class Settings:
    """A filled-in .env. `authority` and `graph_endpoint` have no trailing slash."""

    tenant: str
    client_id: str
    pair: KeyPair
    client_secret: Hidden | None
    authority: str
    graph_endpoint: str


def practice_is_forced() -> bool:
    """Whether WORKBOOK_TENANT=practice is set, as the tests do."""
    return os.environ.get("WORKBOOK_TENANT", "").strip().lower() == "practice"


def read_env_file(root: Path = ROOT) -> dict[str, str]:
    """The settings in ``root/.env`` as written, blanks included; {} when there is no such file.

    Raises:
        WorkbookProblem: the file is not text in UTF-8.
    """
    path = root / ".env"
    if not path.is_file():
        return {}
    try:
        # No interpolation: a password may contain ${...}. utf-8-sig: Windows editors write a mark at the start.
        values = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise WorkbookProblem(".env is not plain UTF-8 text: save it again with the encoding UTF-8.") from None
    return {name: (value or "").strip() for name, value in values.items()}


def real_tenant(values: dict[str, str], root: Path = ROOT) -> Settings:
    """Checks everything that can be checked without the network.

    Args:
        values: what `read_env_file` returned.
        root: the folder relative certificate paths count from.

    Raises:
        WorkbookProblem: names the setting that is missing or wrong, and never quotes a value that may be a secret.
    """
    _nothing_missing(values)
    tenant = _tenant(values["AZURE_TENANT_ID"])
    return Settings(
        tenant=tenant,
        client_id=_client_id(values["AZURE_CLIENT_ID"], tenant),
        pair=_certificate(values, root),
        client_secret=Hidden(values["AZURE_CLIENT_SECRET"]) if values.get("AZURE_CLIENT_SECRET") else None,
        authority=f"{_authority_host(values.get('AZURE_AUTHORITY_HOST', ''))}/{tenant}",
        graph_endpoint=_graph_endpoint(values.get("GRAPH_ENDPOINT", "")),
    )


def _nothing_missing(values: dict[str, str]) -> None:
    missing = [name for name in REQUIRED if not values.get(name)]
    if not missing:
        return
    sentence = f".env is only partly filled in: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."
    for name in values.keys() - {*REQUIRED, *OPTIONAL}:
        for meant in get_close_matches(name.upper(), missing, n=1, cutoff=0.85):
            sentence += f" Did you mean {meant} where it says {name}?"
    raise WorkbookProblem(sentence)


def _tenant(value: str) -> str:
    if value.lower() in {"common", "organizations", "consumers"}:
        raise WorkbookProblem(
            f"AZURE_TENANT_ID in .env is {value}, which names no tenant: a daemon needs its own Directory (tenant) ID."
        )
    if not (_GUID.fullmatch(value) or _DOMAIN.fullmatch(value)) or _is_zero(value):
        raise WorkbookProblem(
            "AZURE_TENANT_ID in .env is neither a GUID nor a domain: copy Directory (tenant) ID from the app's "
            "Overview page."
        )
    return value


def _client_id(value: str, tenant: str) -> str:
    if not _GUID.fullmatch(value) or _is_zero(value):
        raise WorkbookProblem(
            "AZURE_CLIENT_ID in .env is not an application's GUID: copy Application (client) ID from the app's "
            "Overview page."
        )
    if value.lower() == tenant.lower():
        raise WorkbookProblem(
            "AZURE_CLIENT_ID in .env is the tenant's id: copy Application (client) ID from the app's Overview page."
        )
    return value


def _is_zero(guid: str) -> bool:
    return not guid.strip("0-")


def _certificate(values: dict[str, str], root: Path) -> KeyPair:
    name = "AZURE_CLIENT_CERTIFICATE_PATH"
    value = values[name]
    if "-----BEGIN" in value:
        raise WorkbookProblem(f"{name} in .env holds a key or certificate itself: write the path of its file instead.")
    if any(ord(letter) < 32 for letter in value):
        raise WorkbookProblem(
            f'{name} in .env holds a tab or a line break: inside "..." a backslash starts one, so write slashes (/).'
        )
    path = root / Path(value).expanduser()
    if not path.is_file():
        raise WorkbookProblem(
            f"{name} in .env names no file that exists: give the full path, or one that counts from {root}."
        )
    try:
        return pair_from_file(path, values.get("AZURE_CLIENT_CERTIFICATE_PASSWORD"))
    except OSError as error:
        raise WorkbookProblem(f"The file that {name} names cannot be read: {error.strerror}.") from None
    except WorkbookProblem as problem:
        raise WorkbookProblem(
            f"{problem} (The file is the one {name} in .env names, the password AZURE_CLIENT_CERTIFICATE_PASSWORD.)"
        ) from None


def _authority_host(value: str) -> str:
    value = (value or "https://login.microsoftonline.com").rstrip("/")
    parts = urlsplit(value if "://" in value else f"https://{value}")  # azure-identity takes a bare host too
    if parts.scheme != "https" or not parts.hostname or parts.path or parts.query:
        raise WorkbookProblem(
            "AZURE_AUTHORITY_HOST in .env must be a host with https and no path, like https://login.microsoftonline.com."
        )
    return f"https://{parts.netloc}"


def _graph_endpoint(value: str) -> str:
    value = (value or "https://graph.microsoft.com/v1.0").rstrip("/")
    parts = urlsplit(value)
    path = parts.path.removesuffix("/users") or "/v1.0"  # the classic sample's parameters.json names .../v1.0/users
    if parts.scheme != "https" or not parts.hostname or parts.query or path not in {"/v1.0", "/beta"}:
        raise WorkbookProblem("GRAPH_ENDPOINT in .env must be like https://graph.microsoft.com/v1.0, with https.")
    return f"https://{parts.netloc}{path}"
