"""Which tenant the learner means: the environment and the file .env at the repository's root, read and checked."""

from __future__ import annotations

import base64
import io
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from dotenv import dotenv_values

from .clouds import GLOBAL, cloud_of, scope_of
from .keys import ROOT, Hidden, KeyPair, pair_from_content, pair_from_file
from .problems import WorkbookProblem

# The names azure-identity reads, so that one .env also serves EnvironmentCredential (azure-identity README,
# "Environment variables"). As for graph_daemon.py, the environment wins where it has a value.
CERTIFICATE, SECRET = "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_SECRET"
REQUIRED = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", CERTIFICATE)
OPTIONAL = (
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    SECRET,
    "AZURE_AUTHORITY_HOST",
    "GRAPH_ENDPOINT",
)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)
_MISNAMED = (".env.txt", "env", "env.txt", ".env.sample", "notebooks/.env", "notebooks/.env.txt")
_PIPE_WITHIN = 10.0  # seconds: a password manager writes at once, after somebody has put a finger on a key


@dataclass(frozen=True)
class Settings:
    """A filled-in .env. `authority` and `graph_endpoint` have no trailing slash; `scope` is that of Graph's cloud.

    `pair` is None when there is a client secret and no certificate, `client_id` when no app is needed and none named.
    """

    tenant: str
    client_id: str | None
    pair: KeyPair | None
    client_secret: Hidden | None
    authority: str
    graph_endpoint: str
    scope: list[str]


def practice_is_forced() -> bool:
    """Whether WORKBOOK_TENANT=practice is set, as the tests do."""
    return os.environ.get("WORKBOOK_TENANT", "").strip().lower() == "practice"


def read_settings(root: Path = ROOT, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The settings of the environment and, for names that it leaves empty, of ``root/.env``; {} without any.

    Variables of the environment count when they name a tenant, an app and a credential, or complete a .env: a company
    machine may have one of them set for something else.

    Args:
        root: the folder of .env.
        environment: instead of os.environ.

    Raises:
        WorkbookProblem: .env is there and cannot be read.
    """
    from_file = read_env_file(root)
    from_environment = named_in_environment(environment)
    complete = not missing_in(from_environment)
    if complete or any(from_file.values()):
        return from_file | from_environment
    return from_file


def named_in_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our settings that the environment has a value for."""
    variables = os.environ if environment is None else environment
    values = {name: variables.get(name, "").strip() for name in (*REQUIRED, *OPTIONAL)}
    return {name: value for name, value in values.items() if value}


def read_env_file(root: Path = ROOT) -> dict[str, str]:
    """The settings in ``root/.env`` as written, blanks included; {} when there is no such file.

    It may be a named pipe, as password managers offer one.

    Raises:
        WorkbookProblem: it is a folder, a link to nothing, a pipe without a writer, or no text in UTF-8.
    """
    path = root / ".env"
    if not os.path.lexists(path):
        return {}
    if path.is_dir():
        raise WorkbookProblem(
            ".env is a folder (Docker makes one where a mount is missing): remove it, and write the settings into a "
            "file of that name."
        )
    if not path.exists():
        raise WorkbookProblem(".env is a link to a file that is not there: correct the link or remove it.")
    data = _from_pipe(path) if path.is_fifo() else path.read_bytes()
    try:
        text = data.decode("utf-8-sig")  # Windows editors write a mark at the start
    except UnicodeDecodeError:
        raise WorkbookProblem(".env is not plain UTF-8 text: save it again with the encoding UTF-8.") from None
    # No interpolation: a password may contain ${...}.
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: (value or "").strip() for name, value in values.items()}


def _from_pipe(path: Path) -> bytes:
    came: list[bytes] = []
    reader = threading.Thread(target=lambda: came.append(path.read_bytes()), daemon=True)
    reader.start()
    reader.join(_PIPE_WITHIN)
    if not came:
        raise WorkbookProblem(".env is a pipe, and nobody writes into it: unlock what provides it and try again.")
    return came[0]


def remarks(values: Mapping[str, str], root: Path = ROOT, environment: Mapping[str, str] | None = None) -> list[str]:
    """What a learner should know who expected another tenant: files that do not count, variables that do not suffice.

    Args:
        values: what `read_settings` returned.
        root: the folder in which .env belongs.
        environment: instead of os.environ.
    """
    said = [
        f"{name} is not read: settings belong into {root.name}/.env, beside env.sample"
        for name in _MISNAMED
        if not any(values.values()) and (root / name).is_file()
    ]
    from_environment = named_in_environment(environment)
    if from_environment and not any(values.values()):
        absent = " and ".join(missing_in(from_environment))
        said.append(f"the environment has {', '.join(from_environment)} but not {absent}: none of it is used")
    if values and not any(values.values()):
        said.append(f".env is still empty: to use your own tenant, fill in {', '.join(REQUIRED)}")
    return said


def missing_in(values: Mapping[str, str]) -> list[str]:
    """The settings that are still needed; a client secret does instead of a certificate."""
    needed = [name for name in REQUIRED if name != CERTIFICATE or not values.get(SECRET)]
    return [name for name in needed if not values.get(name)]


def real_tenant(values: Mapping[str, str], root: Path = ROOT, *, needs_app: bool = True) -> Settings:
    """Checks everything that can be checked without the network.

    Args:
        values: what `read_settings` returned.
        root: the folder relative certificate paths count from.
        needs_app: whether AZURE_CLIENT_ID must be there. Before the app is registered, nobody knows it.

    Raises:
        WorkbookProblem: names the setting that is missing or wrong, and never quotes a value that may be a secret.
    """
    _nothing_missing(values, needs_app)
    tenant = _tenant(values["AZURE_TENANT_ID"])
    sign_in = _authority_host(values.get("AZURE_AUTHORITY_HOST", ""))
    endpoint = _graph_endpoint(values.get("GRAPH_ENDPOINT", ""), sign_in)
    _one_cloud(sign_in, endpoint)
    return Settings(
        tenant=tenant,
        client_id=_client_id(values["AZURE_CLIENT_ID"], tenant) if values.get("AZURE_CLIENT_ID") else None,
        pair=_certificate(values, root) if values.get(CERTIFICATE) else None,
        client_secret=Hidden(values[SECRET]) if values.get(SECRET) else None,
        authority=f"https://{_netloc(sign_in)}/{tenant}",
        graph_endpoint=f"https://{_netloc(endpoint)}{endpoint.path}",
        scope=scope_of(endpoint.hostname or "", sign_in.hostname or ""),
    )


def _nothing_missing(values: Mapping[str, str], needs_app: bool) -> None:
    missing = [name for name in missing_in(values) if needs_app or name != "AZURE_CLIENT_ID"]
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


def _certificate(values: Mapping[str, str], root: Path) -> KeyPair:
    value, password = values[CERTIFICATE], values.get("AZURE_CLIENT_CERTIFICATE_PASSWORD")
    content = _content(value)
    try:
        if content is not None:
            return pair_from_content(content, password)
        return pair_from_file(_certificate_path(value, root), password)
    except OSError as error:
        raise WorkbookProblem(f"The file that {CERTIFICATE} names cannot be read: {error.strerror}.") from None
    except WorkbookProblem as problem:
        where = "is in" if content is not None else "is the one that"
        names = "" if content is not None else " in .env names"
        raise WorkbookProblem(
            f"{problem} (The file {where} {CERTIFICATE}{names}, the password AZURE_CLIENT_CERTIFICATE_PASSWORD.)"
        ) from None


def _content(value: str) -> bytes | None:
    """Key and certificate themselves, where somebody put them instead of a path; None for a path.

    A secret store injects them as PEM, with real or written line ends (``\\n``), or as the base64 text of a PFX.
    """
    if "-----BEGIN" in value:
        text = value.replace("\\r", "").replace("\\n", "\n")
        if "-----END" not in text:
            raise WorkbookProblem(
                f"{CERTIFICATE} in .env holds the first line of a key only: write the path of its file instead, or put "
                'the whole text between "..." with \\n for each line end.'
            )
        return text.encode()
    letters = "".join(value.split())
    if len(letters) < 400 or not re.fullmatch(r"[A-Za-z0-9+/_-]+=*", letters):  # no pair is shorter
        return None
    try:
        data = base64.b64decode(letters.replace("-", "+").replace("_", "/") + "=" * (-len(letters) % 4))
    except ValueError:
        return None
    return data if data.startswith((b"0\x82", b"0\x83", b"0\x80", b"-----BEGIN")) else None


def _certificate_path(value: str, root: Path) -> Path:
    if any(ord(letter) < 32 for letter in value):
        raise WorkbookProblem(
            f'{CERTIFICATE} in .env holds a tab or a line break: inside "..." a backslash starts one, so write '
            "slashes (/)."
        )
    path = root / Path(value).expanduser()
    try:
        is_file = path.is_file()
    except OSError:  # too long for a path, or not one at all
        is_file = False
    if not is_file:
        raise WorkbookProblem(
            f"{CERTIFICATE} in .env names no file that exists: give the full path, or one that counts from {root}."
        )
    return path


def _authority_host(value: str) -> SplitResult:
    value = (value or f"https://{GLOBAL.sign_in[0]}").rstrip("/")
    parts = _split(value if "://" in value else f"https://{value}")  # azure-identity takes a bare host as well
    if parts is None or parts.path:
        raise WorkbookProblem(
            "AZURE_AUTHORITY_HOST in .env must be a host with https and no path, like https://login.microsoftonline.com."
        )
    return parts


def _graph_endpoint(value: str, sign_in: SplitResult) -> SplitResult:
    cloud = cloud_of(sign_in.hostname or "") or GLOBAL
    parts = _split((value or f"https://{cloud.graph[0]}/v1.0").rstrip("/"))
    path = parts.path.removesuffix("/users") or "/v1.0" if parts else ""  # the sample's parameters.json has /v1.0/users
    if parts is None or path not in {"/v1.0", "/beta"}:
        raise WorkbookProblem("GRAPH_ENDPOINT in .env must be like https://graph.microsoft.com/v1.0, with https.")
    return parts._replace(path=path)


def _split(address: str) -> SplitResult | None:
    """The parts of an https address without user, query and fragment; None for anything else."""
    try:
        parts = urlsplit(address)
        port_is_good = parts.port != 0  # reading it raises ValueError for a port that is no number
    except ValueError:  # or half an IPv6 address
        return None
    is_bare = not (parts.query or parts.fragment or parts.username)
    return parts if parts.scheme == "https" and parts.hostname and is_bare and port_is_good else None


def _netloc(parts: SplitResult) -> str:
    """The host in lower case, with a port that is not https's own."""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, 443) else f"{host}:{parts.port}"


def _one_cloud(sign_in: SplitResult, endpoint: SplitResult) -> None:
    """Refuses a sign-in host and a Graph of two clouds: the token of one is worth nothing in the other."""
    signs_in, reads = cloud_of(sign_in.hostname or ""), cloud_of(endpoint.hostname or "")
    if signs_in and reads and signs_in != reads:
        raise WorkbookProblem(
            f"AZURE_AUTHORITY_HOST and GRAPH_ENDPOINT in .env belong to two clouds, {signs_in.name} and {reads.name}: "
            f"with this sign-in host Graph is https://{signs_in.graph[0]}/v1.0."
        )
