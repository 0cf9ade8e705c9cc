"""Reads an organisation's users from Microsoft Graph as a daemon: an app with an identity of its own, nobody signs in.

    python graph_daemon.py                    prints JSON; settings from the environment and from .env
    python graph_daemon.py -o users.csv       writes a file for you alone: .csv, .json, .jsonl or .parquet
    python graph_daemon.py parameters.json    settings from the classic sample's file
    python graph_daemon.py --since delta.json -o changes.jsonl    only what changed since the last run
    python graph_daemon.py --check            goes the whole way once, and says what is wrong and what helps

settings:   AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH (PFX, or PEM with key and certificate) and
            AZURE_CLIENT_CERTIFICATE_PASSWORD, or AZURE_CLIENT_SECRET; elsewhere than in the global cloud also
            AZURE_AUTHORITY_HOST, GRAPH_ENDPOINT; OIDC_AUTHORITY for a sign-in domain of your own
exit codes: 0 done   2 a setting, the credential, a file or the command line is wrong   3 Entra ID gives no token
            4 Microsoft Graph refuses: permissions, --select, --filter   5 no good answer in time: run again later
            (1 is a fault of this program, with a traceback)"""

import argparse
import base64
import csv
import difflib
import gc
import glob
import http.client
import io
import json
import logging
import os
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO
from urllib.parse import urlencode

import msal  # type: ignore[import-untyped]
import pandas as pd
import requests
import urllib3.exceptions
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)
from cryptography.utils import CryptographyDeprecationWarning

log = logging.getLogger("graph_daemon")

SETTINGS, ENTRA, GRAPH, BUSY = 2, 3, 4, 5  # exit codes
OLDEST_MSAL = (1, 35)  # the first that takes a PEM certificate without a SHA-1 thumbprint

PAUSES = (1, 2, 4, 8, 16, None)  # seconds between attempts; after the last there is none
LONGEST_WAIT = 300  # seconds: a longer Retry-After is the scheduler's to wait for
TIMEOUT = (10, 60)  # seconds: to connect, and until the next bytes come
LONGEST_ANSWER, LARGEST_ANSWER = 300, 2**28  # seconds and bytes: an answer that never ends is none

PAGE_SIZE = 999  # the most that Graph gives at once (user-list.md)
WORKERS = 16  # pages asked for at the same time
WORTH_IT = 10  # seconds: a directory that is read sooner page after page is not partitioned
LARGEST_PART = 1 / 8  # of the directory: a larger part is split further
OFTEN = 1 / 64  # of a page: how names that begin so become a part of their own
MOST_PARTS, MOST_SPLITS = 24, 8  # beginnings in one filter, whose URL Graph limits to 2,048 characters; levels
BATCH = 20  # questions in one $batch (json-batching.md)
RESTARTS = 4  # of one chain of pages whose links have expired
MOST_IDLE_PAGES = 1_000  # in a row, without anybody new

UPN = "userPrincipalName"
DIGITS, LETTERS = "0123456789", "abcdefghijklmnopqrstuvwxyz"
NEXT, DELTA = "@odata.nextLink", "@odata.deltaLink"
NEXT_LINK = re.compile(rb'"@odata\.nextLink"\s*:\s*("(?:[^"\\]|\\.)*")')  # inside a text the quotes would be escaped
KEPT_LINK = re.compile(r'\{("https://[^"\\\s]+/users/delta[^"\\\s]*": "https://[^"\\\s]+")?\}')  # what --since writes
SELECT = f"id,displayName,{UPN},mail,userType,accountEnabled,jobTitle,department,city,country,createdDateTime"
READ_ROLES = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")  # user-list.md
MORE_ROLES = {  # what a property needs besides (user resource)
    "signInActivity": "AuditLog.Read.All",
    "employeeLeaveDateTime": "User-LifeCycleInfo.Read.All",
    "customSecurityAttributes": "CustomSecAttributeAssignment.Read.All",
}


class Failure(Exception):
    """What ends a run.

    Attributes:
        exit_code: for the scheduler.
        sentence: for the operator; it never holds the value of a setting.
        status: the HTTP status, when Graph or Entra ID answered with one.
    """

    def __init__(self, exit_code: int, sentence: str, status: int | None = None) -> None:
        super().__init__(exit_code, sentence)
        self.exit_code, self.sentence, self.status = exit_code, sentence, status

    def __str__(self) -> str:
        return self.sentence


# --- settings -----------------------------------------------------------------------------------------------------


class Cloud(NamedTuple):
    """The hosts that belong together; the first of `graph` is the one that is meant when none is named."""

    name: str
    sign_in: tuple[str, ...]
    graph: tuple[str, ...]


GLOBAL = Cloud(
    "global",
    ("login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net", "ciamlogin.com",
     "b2clogin.com"),
    ("graph.microsoft.com",),
)  # fmt: skip
CLOUDS = (  # learn.microsoft.com/graph/deployments, MSAL's authority.py, Get-MgEnvironment for the last three
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

ENVIRONMENT = {  # the classic sample's names, and what azure-identity calls the same in the environment
    "client_id": "AZURE_CLIENT_ID",
    "authority": "AZURE_TENANT_ID",
    "oidc_authority": "OIDC_AUTHORITY",  # a domain of one's own, for which azure-identity has no name
    "private_key_file": "AZURE_CLIENT_CERTIFICATE_PATH",
    "passphrase": "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "secret": "AZURE_CLIENT_SECRET",
    "endpoint": "GRAPH_ENDPOINT",
}
AUTHORITY_HOST = "AZURE_AUTHORITY_HOST"
READ_BY_REQUESTS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
TEXTS = (*ENVIRONMENT, "thumbprint")
PLACEHOLDER = re.compile(
    r"enter_the|(^|/)your[_-]|^<.*>$|the secret generated by aad|^790e\.\.\.|^0{8}-(0{4}-){3}0{12}$", re.IGNORECASE
)
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
STRING = r'"(?:[^"\\]|\\.)*"'


def read_settings(file: Path | None = None) -> dict[str, Any]:
    """The settings under the classic sample's names.

    Args:
        file: the sample's parameters.json. Without one the environment counts, and where that says nothing, the .env
            file of this folder or the next one above that has one.

    Raises:
        Failure: a file cannot be read, or a setting has the wrong type or form.
    """
    return completed(read_parameters(file) if file else read_environment())


def read_parameters(file: Path) -> dict[str, Any]:
    """What the sample's parameters.json says; its comments, and a comma too many or too few, are forgiven."""
    try:
        text = decoded(file.read_bytes(), file)
    except OSError as error:
        raise Failure(SETTINGS, f"{file} cannot be read: {error.strerror}.") from None
    try:
        values = json.loads(without_slips(text))
    except json.JSONDecodeError as error:
        what = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise Failure(SETTINGS, f"{file} is not like the sample's parameters.json: {what}.") from None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise Failure(SETTINGS, f"{file} is not like the sample's parameters.json: it must be one object in braces.")
    return values | {"folder": file.parent, "where": f"in {file}", "near": likely_slips(values, (*TEXTS, "scope"))}


def without_slips(text: str) -> str:
    """JSON without comments, with a comma between members and none after the last: a sample's file lacks one."""
    text = re.sub(rf"({STRING})|//.*|/\*[\s\S]*?\*/", lambda found: found[1] or "", text)
    text = re.sub(rf"({STRING})|,(?=\s*[}}\]])", lambda found: found[1] or "", text)
    return re.sub(rf'({STRING}|[}}\]])(\s+(?="))?', lambda found: found[1] + ("," + found[2] if found[2] else ""), text)


def read_environment() -> dict[str, Any]:
    """What the environment says and, for names that it leaves empty, the .env file."""
    file = find_env_file()
    from_file = read_env_file(file) if file else {}
    for name in READ_BY_REQUESTS:  # requests looks into the environment, nowhere else
        if from_file.get(name) and not os.environ.get(name):
            os.environ[name] = from_file[name]
    names = [*ENVIRONMENT.values(), AUTHORITY_HOST]
    values = {name: os.environ.get(name, "").strip() or from_file.get(name, "").strip() for name in names}
    settings: dict[str, Any] = {ours: values[name] or None for ours, name in ENVIRONMENT.items()}
    host, path = address(values[AUTHORITY_HOST] or GLOBAL.sign_in[0], AUTHORITY_HOST)
    tenant = settings["authority"]
    if tenant and not re.fullmatch(r"[A-Za-z0-9._<>-]+", tenant):
        raise Failure(SETTINGS, f"{ENVIRONMENT['authority']} must be the Directory (tenant) ID, a GUID, or a domain.")
    if path and path != f"/{tenant}":
        raise Failure(SETTINGS, f"{AUTHORITY_HOST} names a host alone, without a path: the tenant has its own setting.")
    settings["authority"] = f"https://{host}/{tenant}" if tenant and not settings["oidc_authority"] else None
    near = likely_slips([*from_file, *(name for name in os.environ if name.startswith("AZURE_"))], names)
    where = f"in the environment and in {file}" if file else "in the environment, and there is no .env file"
    if not file and Path(".env.txt").exists():
        where += " (.env.txt is not its name)"
    folder = file.parent if file else Path.cwd()
    return settings | {"folder": folder, "names": ENVIRONMENT, "where": where, "near": near}


def likely_slips(written: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Names that were written instead of known ones: AZURE_CLIENTID for AZURE_CLIENT_ID."""
    slips = {}
    for name in set(written) - set(known) - {AUTHORITY_HOST}:
        for meant in difflib.get_close_matches(name, known, 1, 0.85):
            slips[meant] = name
    return slips


def find_env_file() -> Path | None:
    """The .env of this folder, or of the next one above that has one."""
    for folder in (Path.cwd(), *Path.cwd().parents):
        file = folder / ".env"
        if os.path.lexists(file):
            return file
    return None


def read_env_file(file: Path) -> dict[str, str]:
    """The lines of a .env file, word by word: nothing is interpolated, because a password may contain ${...}."""
    if file.is_dir():  # Docker makes one where a mount is missing
        raise Failure(SETTINGS, f"{file} is a folder: remove it, and write the settings into a file of that name.")
    if not file.exists():
        raise Failure(SETTINGS, f"{file} is a link to a file that is not there.")
    text = decoded(read_pipe(file) if file.is_fifo() else file.read_bytes(), file)
    try:
        dotenv = import_module("dotenv")
    except ImportError:
        raise Failure(SETTINGS, f"{file} can only be read with python-dotenv: install it with pip.") from None
    values = dotenv.dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value}


def read_pipe(file: Path) -> bytes:
    """What somebody writes into a named pipe, as password managers do; nobody may write at all."""
    came: list[bytes] = []
    reader = threading.Thread(target=lambda: came.append(file.read_bytes()), daemon=True)
    reader.start()
    reader.join(TIMEOUT[0])
    if not came:
        raise Failure(SETTINGS, f"{file} is a pipe, and nobody writes into it.")
    return came[0]


def decoded(data: bytes, file: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        kind = "UTF-16, as PowerShell writes it" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "another encoding"
        raise Failure(SETTINGS, f"{file} must be saved as UTF-8; it is in {kind}.") from None


def label(settings: dict[str, Any], name: str) -> str:
    """What the reader calls a setting: the name in the environment, or the classic sample's."""
    names: dict[str, str] = settings.get("names", {})
    return names.get(name, name)


def completed(given: dict[str, Any]) -> dict[str, Any]:
    """Settings with types and addresses checked and made uniform, and with Graph's address and scope filled in."""
    settings = given | {name: text_of(given, name) for name in TEXTS}
    settings["unfilled"] = [name for name in TEXTS if PLACEHOLDER.search(settings[name] or "")]
    settings |= dict.fromkeys(settings["unfilled"])
    sign_in = None
    for name in ("authority", "oidc_authority"):
        if settings[name]:
            host, path = address(settings[name], label(settings, name))
            path = re.sub(r"(/v2\.0|/oauth2/v2\.0/\w+)$" if name == "authority" else r"/\.well-known/.*$", "", path)
            settings[name], sign_in = f"https://{host}{path}", cloud_of(host)
    if settings["authority"] and settings["oidc_authority"]:
        raise Failure(SETTINGS, "authority and oidc_authority are both filled in: keep the one that is meant.")
    scope = scopes_of(settings)
    scope_host = re.sub(r"^https://|[/:].*$", "", scope[0]).lower() if scope else ""
    cloud = cloud_of(scope_host) or sign_in or GLOBAL
    name = label(settings, "endpoint")
    default = scope_host if scope_host in cloud.graph else cloud.graph[0]
    host, path = address(settings["endpoint"] or default, name)
    if not path:
        path = "/v1.0"
    if re.search(r"/(v\d\.\d|beta)$", path):
        path += "/users"
    if not path.endswith("/users"):
        raise Failure(SETTINGS, f"{name} must be like https://{GLOBAL.graph[0]}/v1.0/users, without options.")
    clouds = [found for found in (sign_in, cloud_of(host), cloud_of(scope_host)) if found]
    if any(found is not clouds[0] for found in clouds):
        what = "the sign-in host, Graph's address and the scope must be of one cloud; these are of"
        raise Failure(SETTINGS, f"{name}: {what} {' and '.join(dict.fromkeys(found.name for found in clouds))}.")
    if cloud_of(host) and cloud_of(scope_host) and host != scope_host:
        raise Failure(SETTINGS, f"scope and {name} must name the same host of Microsoft Graph.")
    resource = host if cloud_of(host) else cloud.graph[0]  # .default takes the domain of the service root
    return settings | {"endpoint": f"https://{host}{path}", "scope": scope or [f"https://{resource}/.default"]}


def text_of(settings: dict[str, Any], name: str) -> str | None:
    """A setting without the line end that came with it from the clipboard; None when it is empty."""
    value = settings.get(name)
    if value is not None and not isinstance(value, str):
        kind = {bool: "true or false", int: "a number", float: "a number", list: "a list"}.get(type(value), "an object")
        raise Failure(SETTINGS, f"{label(settings, name)} must be text in quotes, not {kind}.")
    if value and name not in ("passphrase", "secret"):
        return value.strip() or None
    return (value or "").strip("\r\n") or None


def scopes_of(settings: dict[str, Any]) -> list[str]:
    """The scopes of parameters.json: a list as in the sample, or one text."""
    scope = settings.get("scope") or []
    if isinstance(scope, str):
        return scope.split()
    if not isinstance(scope, list) or not all(isinstance(one, str) and one.strip() for one in scope):
        raise Failure(SETTINGS, f'scope must be a list of texts: ["https://{GLOBAL.graph[0]}/.default"].')
    return [one.strip() for one in scope]


def address(text: str, name: str) -> tuple[str, str]:
    """Host and path of an https address: the host in lower case, without port 443; people leave out https://."""
    if "://" not in text:
        text = f"https://{text}"
    parts = re.fullmatch(r"https://([a-z0-9.-]+)(:\d{1,5})?((?:/[^\s?#\\/]+)*)/*", text, re.IGNORECASE)
    if not parts:
        raise Failure(SETTINGS, f"{name} must be an address that begins with https://, with a host and no options.")
    port = "" if parts[2] in (None, ":443") else parts[2]
    return parts[1].lower() + port, parts[3]


def cloud_of(host: str) -> Cloud | None:
    """The cloud of a host of Entra ID or Graph; None for all others, such as a sign-in domain of one's own."""
    for cloud in CLOUDS:
        if any(host == known or host.endswith(f".{known}") for known in cloud.sign_in + cloud.graph):
            return cloud
    return None


def require(settings: dict[str, Any]) -> None:
    """Raises Failure when a setting is missing that every run needs."""
    missing = []
    for names in (("client_id",), ("authority", "oidc_authority"), ("private_key_file", "secret")):
        if not any(settings.get(name) for name in names):
            missing.append(" or ".join(label(settings, name) for name in names))
    if missing:
        sentence = f"{'; '.join(f'{names} is missing' for names in missing)} {settings.get('where', '')}".rstrip()
        unfilled = [label(settings, name) for name in settings["unfilled"]]
        if unfilled:
            sentence += f"; {', '.join(unfilled)}: still a placeholder"
        for meant, written in settings.get("near", {}).items():
            sentence += f"; {written} is not {meant}"
        raise Failure(SETTINGS, f"{sentence}.")


def check_identity(settings: dict[str, Any]) -> None:
    """Raises Failure when the app's or the tenant's id cannot be one; checked before anything is sent."""
    if not GUID.fullmatch(settings["client_id"]):
        raise Failure(SETTINGS, f"{label(settings, 'client_id')} must be the Application (client) ID, a GUID.")
    if not settings["authority"]:
        return
    name = label(settings, "authority")
    host, path = address(settings["authority"], name)
    tenant = path.removeprefix("/").partition("/")[0]
    if tenant.lower() in ("common", "organizations", "consumers"):
        raise Failure(SETTINGS, f"{name}: a daemon belongs to one tenant: its ID takes the place of /{tenant.lower()}.")
    if not (GUID.fullmatch(tenant) or DOMAIN.fullmatch(tenant) or host.endswith(".ciamlogin.com")):
        raise Failure(SETTINGS, f"{name} must name the tenant: the Directory (tenant) ID, a GUID, or its domain.")


# --- the credential -----------------------------------------------------------------------------------------------


class KeyPair(NamedTuple):
    """A private key, and its certificate if it came with one."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate | None


PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)


def credential(settings: dict[str, Any]) -> str | dict[str, str]:
    """The client credential as MSAL wants it.

    A certificate gives an assertion with PS256 and x5t#S256; a thumbprint alone, the classic sample's way, RS256 and
    x5t; the secret is sent as it is. Of a certificate and a secret the certificate is taken.
    """
    pair = read_key_pair(settings)
    if not pair:
        return str(settings["secret"])
    pem = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    if pair.certificate:
        return {"private_key": pem, "public_certificate": pair.certificate.public_bytes(Encoding.PEM).decode()}
    return {"private_key": pem, "thumbprint": sha1_thumbprint(settings)}


def read_key_pair(settings: dict[str, Any]) -> KeyPair | None:
    """The RSA key that the settings name, with the certificate that belongs to it; None when they name a secret.

    Raises:
        Failure: the file or its content cannot be used; the sentence names the setting and never shows its value.
    """
    if not settings.get("private_key_file"):
        return None
    name = label(settings, "private_key_file")
    data = without_envelope(key_material(settings, name))
    keys, certificates = load_pem(data, settings, name) if b"-----BEGIN" in data else load_der(data, settings, name)
    if not keys:
        what = "a certificate but no private key: it is the file to upload" if certificates else "no private key"
        raise Failure(SETTINGS, f"{name} holds {what}. Name the file that holds the key.")
    usable = [key for key in keys if isinstance(key, rsa.RSAPrivateKey)]
    if not usable:
        raise Failure(SETTINGS, f"{name} holds a key that is not RSA: Entra ID takes RSA keys only.")
    pairs = [KeyPair(key, one) for key in usable for one in certificates if public_part(one) == public_part(key)]
    if pairs:
        pair = max(pairs, key=lambda one: one.certificate.not_valid_after_utc)  # type: ignore[union-attr]
    elif settings.get("thumbprint"):
        pair = KeyPair(usable[0], None)
    elif certificates:
        raise Failure(SETTINGS, f"{name}: the private key belongs to none of the certificates in the file.")
    else:
        raise Failure(SETTINGS, f"{name} holds a key without its certificate: put both into one file"
                      f"{'' if settings.get('names') else ', or fill in thumbprint'}.")  # fmt: skip
    if pair.key.key_size < 2048:
        raise Failure(SETTINGS, f"{name}: the key has {pair.key.key_size} bits; Entra ID takes 2048 or more.")
    return pair


def key_material(settings: dict[str, Any], name: str) -> bytes:
    """What the named file holds; or the setting itself, where a secret store hands over content instead of a path."""
    text = settings["private_key_file"].strip("'\" ")
    if "-----BEGIN" in text:
        return str(text).replace("\\r", "").replace("\\n", "\n").encode()
    content = from_base64(text)
    if content:
        return content
    folder = settings.get("folder", Path())
    try:
        data = bytes((folder / Path(text).expanduser()).read_bytes())
    except FileNotFoundError:
        hint = f"a relative path counts from {folder.resolve()}"
        raise Failure(SETTINGS, f"{name} names no file, No such file or directory; {hint}.") from None
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "it is no path, nor the whole content of a PEM or PFX file"
        raise Failure(SETTINGS, f"{name} cannot be read: {why}.") from None
    if not data.strip():
        raise Failure(SETTINGS, f"{name} names an empty file.")
    return data


def without_envelope(data: bytes) -> bytes:
    """Key material as UTF-8 or DER: PowerShell writes UTF-16, and vaults hand out base64."""
    for _ in range(2):  # one may be inside the other
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            data = data.decode("utf-16", "replace").encode()
        data = from_base64(data.decode("latin-1").removeprefix("\xef\xbb\xbf")) or data
    return data


def from_base64(text: str) -> bytes | None:
    """The PEM or DER bytes that a base64 text stands for, or None when it is none."""
    compact = "".join(text.split())
    if len(compact) < 100 or not re.fullmatch(r"[A-Za-z0-9+/_-]+=*", compact):
        return None
    letters = compact.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        data = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
    except ValueError:
        return None
    begins_well = (b"0\x82", b"0\x83", b"-----BEGIN", b"\xff\xfe", b"\xef\xbb\xbf")  # DER, PEM, a byte order mark
    return data if data.startswith(begins_well) else None


def load_pem(data: bytes, settings: dict[str, Any], name: str) -> tuple[list[Any], list[x509.Certificate]]:
    """The private keys and certificates of a PEM file, in whatever order and however its lines were broken."""
    keys, certificates = [], []
    for kind, body in PEM_BLOCK.findall(data.decode("utf-8", "replace")):
        lines = body.replace("\r", "").strip() if ":" in body else "".join(body.split())  # a colon: OpenSSL's headers
        block = f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n".encode()
        if kind.endswith("PRIVATE KEY"):
            keys.append(load_pem_key(block, settings, name))
        elif kind.endswith("CERTIFICATE"):
            with suppress(ValueError):  # another one may fit
                certificates.append(
                    x509.load_pem_x509_certificate(block.replace(b"TRUSTED ", b"").replace(b"X509 ", b""))
                )
    return keys, certificates


def load_pem_key(block: bytes, settings: dict[str, Any], name: str) -> Any:
    is_locked = b"ENCRYPTED" in block
    password = (settings.get("passphrase") or "").encode() if is_locked else None  # one that is not needed does no harm
    password_name = label(settings, "passphrase")
    if is_locked and not password:
        raise Failure(
            SETTINGS, f"{name} holds a key with a password: Password was not given, {password_name} is missing."
        )
    try:
        return load_pem_private_key(block, password)
    except (UnsupportedAlgorithm, ValueError, TypeError) as error:
        if isinstance(error, UnsupportedAlgorithm) or "nknown" in str(error):  # unknown cipher, unknown algorithm
            problem = "its cipher or its kind cannot be read here; openssl pkcs8 -topk8 writes an RSA key anew"
        elif is_locked:
            problem = f"{password_name} does not open the private key; or the file is damaged"
        else:
            problem = "Could not deserialize the private key; the file may be damaged"
        raise Failure(SETTINGS, f"{name}: {problem}.") from None


def load_der(data: bytes, settings: dict[str, Any], name: str) -> tuple[list[Any], list[x509.Certificate]]:
    """The private key and the certificates of a PFX file, or the one part that another binary file holds."""
    passphrase = (settings.get("passphrase") or "").encode()
    for password in (passphrase, b"", None):  # one that is not needed does no harm
        try:
            pfx = pkcs12.load_pkcs12(data, password)
        except UnsupportedAlgorithm:
            break
        except ValueError:
            continue
        own = [pfx.cert] if pfx.cert else []
        return [pfx.key] if pfx.key else [], [one.certificate for one in [*own, *pfx.additional_certs]]
    if re.match(rb"0[\x80-\x84].{0,4}\x02\x01\x03", data, re.DOTALL):  # PKCS #12 begins with its version, 3
        raise Failure(SETTINGS, f"{name}: Invalid password, {label(settings, 'passphrase')} does not open the PFX "
                      "file; or it is damaged, or its cipher cannot be read here.") from None  # fmt: skip
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        return [load_der_private_key(data, None)], []
    with suppress(ValueError):
        return [], [x509.load_der_x509_certificate(data)]
    kind = "looks like DER: convert it to PEM with openssl" if data[:1] == b"0" else "is neither PEM nor PFX"
    raise Failure(SETTINGS, f"{name}: Could not deserialize the file; it {kind}.")


def public_part(owner: Any) -> bytes | None:
    """The public key of a private key or a certificate, to compare; None for kinds that cannot be read."""
    with suppress(ValueError, UnsupportedAlgorithm):
        return bytes(owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return None


def sha1_thumbprint(settings: dict[str, Any]) -> str:
    """The 40 hex digits that MSAL wants, from what tools show: colons, blanks, invisible marks, a label, base64."""
    text = "".join(letter for letter in settings["thumbprint"] if letter.isprintable() and letter not in ": ")
    text = re.sub(r"^(sha-?1)?(fingerprint|thumbprint)?=", "", text, flags=re.IGNORECASE)
    if re.fullmatch(r"[A-Za-z0-9+/_-]{27}=?|[A-Za-z0-9+/_-]{43}=?", text):  # Configure.ps1 of the sample
        text = base64.urlsafe_b64decode(text.rstrip("=").replace("+", "-").replace("/", "_") + "=").hex()
    name = label(settings, "thumbprint")
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        raise Failure(SETTINGS, f"{name} is of SHA-256: it must be of SHA-1, 40 hex digits; or put the certificate "
                      "into the file of the key, which needs no thumbprint.")  # fmt: skip
    if not re.fullmatch(r"[0-9A-Fa-f]{40}", text):
        raise Failure(SETTINGS, f"{name} must be the certificate's SHA-1 thumbprint: 40 hex digits.")
    return text


def days_left(certificate: x509.Certificate) -> float:
    return (certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds() / 86_400


def expiry_warning(certificate: x509.Certificate) -> str:
    """A sentence when the certificate ends within 30 days; without one, nothing."""
    if days_left(certificate) > 30:
        return ""
    verb = "ends" if days_left(certificate) > 0 else "ended"
    day = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    return f"The certificate {verb} on {day}: upload a new one to the app, then change the file."


# --- HTTP ---------------------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """A whole answer; MSAL and Graph both read it."""

    status_code: int
    headers: requests.structures.CaseInsensitiveDict[str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


class Session:
    """HTTP that asks again after an answer that is busy, lost or broken, as late as Retry-After says.

    Attributes:
        http: the session of requests beneath, with its `verify`, `trust_env` and connections.
        stopping: set to wake all who wait, when the reading ends before its time.
        clock_offset: seconds by which the latest answer's Date was ahead of this machine; None before the first.
    """

    def __init__(self) -> None:
        self.http = requests.Session()
        self.http.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=WORKERS))  # a connection for each
        self.stopping = threading.Event()
        self.clock_offset: float | None = None

    def ask(
        self, service: str, method: str, url: str, check: Callable[[bytes], object] = json.loads, **options: Any
    ) -> Answer:
        """The answer to a request, after as many attempts as PAUSES has.

        Args:
            service: who is asked, for messages.
            check: raises ValueError for the body of a 200 that is broken.

        Raises:
            Failure: there is no good answer in time (BUSY), or no attempt could help (SETTINGS).
        """
        told = ""
        for attempt, pause in enumerate(PAUSES, 1):
            asked = "not given"
            try:
                answer = self.ask_once(method, url, **options)
            except (OSError, ValueError, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
                problem = self.explain(error)
            else:
                problem = problem_of(answer, check)
                if not problem:
                    return answer
                asked = answer.headers.get("Retry-After", "not given")[:40]
            seconds = seconds_to_wait(asked, pause or 0)
            what = f"{service}: {problem}, Retry-After {asked}"
            if pause is None or seconds > LONGEST_WAIT:
                raise Failure(BUSY, f"No good answer from {what}, at attempt {attempt}.")
            if problem != told:
                log.warning("%s (attempt %d)", what, attempt)
                told = problem
            if self.stopping.wait(seconds):
                break
        raise Failure(BUSY, f"Stopped while waiting for {service}.")

    def ask_once(self, method: str, url: str, **options: Any) -> Answer:
        """One attempt: no redirect is followed, no ~/.netrc is read, and an endless answer is cut off."""
        options |= {"allow_redirects": False, "timeout": TIMEOUT, "stream": True, "auth": lambda request: request}
        started = time.monotonic()
        parts: list[bytes] = []
        size = 0
        with self.http.request(method, url, **options) as answer:
            self.note_clock(answer.headers.get("Date", ""))
            read = getattr(answer.raw, "read1", answer.raw.read)  # urllib3 before 2.1 has no read1
            while True:
                part = read(2**16, decode_content=True)
                if not part:
                    return Answer(answer.status_code, answer.headers, b"".join(parts))
                parts.append(part)
                size += len(part)
                if size > LARGEST_ANSWER or time.monotonic() - started > LONGEST_ANSWER:
                    raise requests.ReadTimeout("an endless answer")

    def note_clock(self, date: str) -> None:
        with suppress(ValueError, TypeError):
            self.clock_offset = parsedate_to_datetime(date).timestamp() - time.time()

    def explain(self, error: BaseException) -> str:
        """What is wrong with the connection, in words that quote no setting.

        Raises:
            Failure: it is not the line but a setting, so that waiting would not help.
        """
        errors = list(causes(error))
        proxies = [name for name in os.environ if name.upper() in ("HTTPS_PROXY", "ALL_PROXY")]
        proxy = f"the proxy in {' or '.join(proxies)}" if proxies and self.http.trust_env else "a proxy"
        text = " ".join(str(one) for one in errors)  # is searched and never shown: it may hold a password
        for one in errors:
            if isinstance(one, ssl.SSLCertVerificationError):
                raise Failure(SETTINGS, untrusted(one)) from None
        if "SOCKS" in text and any(isinstance(one, requests.exceptions.InvalidSchema) for one in errors):
            raise Failure(SETTINGS, f"{proxy} is a SOCKS proxy: install PySocks with pip.") from None
        unusable = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError,
                    urllib3.exceptions.LocationValueError, requests.exceptions.InvalidHeader)  # fmt: skip
        if any(isinstance(one, unusable) for one in errors) or type(error) is ValueError:
            whose = proxy if proxies else "Entra ID's or Graph's host"
            raise Failure(SETTINGS, f"The address of {whose} cannot be used: HTTPS_PROXY must be like "
                          "http://HOST:PORT; in a password write # as %23, @ as %40.") from None  # fmt: skip
        if "TLS CA certificate bundle" in text or "TLS certificate" in text or "[X509" in text:
            bundles = "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
            raise Failure(SETTINGS, f"{bundles} must name a file with certificates in PEM.") from None
        tunnel = re.search(r"Tunnel connection failed: (\d{3})", text)
        if tunnel and tunnel[1] < "500":
            raise Failure(
                SETTINGS, f"HTTPS_PROXY: {proxy} refuses with HTTP {tunnel[1]}: user, password or host."
            ) from None
        if "WRONG_VERSION_NUMBER" in text or "HTTP_REQUEST" in text:
            raise Failure(SETTINGS, f"No TLS is spoken there: check the port, and HTTPS_PROXY ({proxy}).") from None
        hint = f"HTTPS_PROXY: {proxy}" if proxies else "does this network need HTTPS_PROXY?"
        kinds = (
            ((requests.exceptions.ProxyError, urllib3.exceptions.ProxyError), "the proxy gives no connection"),
            ((socket.gaierror, urllib3.exceptions.NameResolutionError), "the host name is not known here (DNS)"),
            ((ConnectionRefusedError, urllib3.exceptions.NewConnectionError), "no connection can be made"),
            ((requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError), "no connection in time"),
            (
                (TimeoutError, requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError),
                "the answer did not come in time",
            ),
            ((urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError), "the answer is broken"),
        )
        for types, words in kinds:
            if any(isinstance(one, types) for one in errors):
                return f"{words}; {hint}"
        return f"the connection broke ({type(error).__name__}); {hint}"


def problem_of(answer: Answer, check: Callable[[bytes], object]) -> str:
    """Why an answer is worth asking for again; nothing when it is not, good or refused."""
    if answer.status_code == 200:
        try:
            check(answer.content)
        except (ValueError, RecursionError):
            return "HTTP 200, but it is broken or is no JSON"
        return ""
    is_busy = answer.status_code in (408, 429) or (answer.status_code >= 500 and answer.status_code != 501)
    return f"HTTP {answer.status_code}" if is_busy else ""


def causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, and those it was raised from or wraps, however the libraries nest them."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
            yield one


def untrusted(error: ssl.SSLCertVerificationError) -> str:
    """Why the server's certificate is refused, and what helps; the reasons are OpenSSL's X509_V_ERR_..."""
    given = [name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)]
    if error.verify_code in (18, 19, 20, 21):
        if given:
            return f"The certificate authority of the server is not in {given[0]}: add that of your proxy to this file."
        return (
            "The certificate authority is unknown: set REQUESTS_CA_BUNDLE to your company's CA file, if you trust it."
        )
    if error.verify_code in (62, 64):
        return (
            "The server's certificate is for another host name: check the host, and what is in between (HTTPS_PROXY)."
        )
    if error.verify_code in (9, 10):
        return "The server's certificate is expired or not yet valid: check this machine's clock first."
    return (
        f"The certificate authority is known, but Python {sys.version_info[0]}.{sys.version_info[1]} refuses it: "
        f"{error.verify_message}. Ask those who run it for a CA certificate that follows RFC 5280."
    )


def seconds_to_wait(asked: str, pause: float) -> float:
    """Retry-After as a number of seconds or as a date (RFC 9110); the pause where it is neither."""
    if re.fullmatch(r"\d+(\.\d+)?", asked, re.ASCII):
        return float(asked)
    with suppress(ValueError, TypeError, OverflowError):
        return max(parsedate_to_datetime(asked).timestamp() - time.time(), pause)
    return pause


# --- what Entra ID says -------------------------------------------------------------------------------------------

CURES = {  # AADSTS numbers, for people only: a program looks at `error` (reference-error-codes.md)
    (90002, 900023): "The tenant does not exist in this cloud: check the tenant ID, and the sign-in host of your cloud",
    (
        700016,
        700038,
    ): "The tenant has no such app: check that the ID is the Application (client) ID, not an object ID, and "
    "the tenant; an app that was just made needs some minutes",
    (
        7000229,
    ): "The app has no service principal in this tenant: an administrator adds it under Enterprise applications",
    (7000215,): "The client secret is wrong: it must be the secret's Value, not its Secret ID",
    (7000222,): "The client secret has expired: make a new one, or better change to a certificate",
    (7000216, 7000218): "No credential came with the request: fill in the certificate or the secret",
    (5002738,): "The key is of a kind that Entra ID does not take: RSA only",
    (700024,): "The clock of this machine is wrong, or was when the request was signed: set it by NTP",
    (700021, 50048): "The request was signed for another app: check the client ID",
    (700023, 900382, 900432, 900439): "The app belongs to another cloud: sign-in host and tenant must be of one cloud",
    (50027, 90014, 5002723): "The signed request was not understood: update msal",
    (
        1002012,
        70011,
        900144,
    ): "The scope is wrong: it must be Graph's address of your cloud and /.default, and only one",
    (500011, 500014): "The tenant does not know this resource, or it is disabled: check the scope and the cloud",
    (7000112,): "The app is disabled in this tenant: an administrator enables it under Enterprise applications",
    (501051,): "The app is not assigned to the resource: an administrator assigns it under Enterprise applications",
    (
        53003,
    ): "Conditional Access for workload identities blocks this app here: an administrator sees why in the sign-in log",
    (9001023, 50059): "A daemon needs its own tenant: put the tenant ID in the place of /organizations or /common",
    (700025,): "The app is set up as a public client: a daemon must be a confidential one",
    (1000502, 7000214, 7000274, 7000277): "The certificate is not valid any more: upload a new one",
    (90055, 50196): "Entra ID is asked too often: keep the token with --token-cache, and run less often",
}
CERTIFICATE_CURES = {  # 700027 has several reasons, which stand in brackets
    "not found": "The certificate is not registered on the app: upload it (the .crt or .cer, never the key); right "
    "after an upload wait some minutes",
    "expired": "The certificate is expired, or is not valid yet: look at its dates and at this clock",
    "not yet valid": "The certificate is expired, or is not valid yet: look at its dates and at this clock",
    "signature failed": "The registered certificate belongs to another key: upload the one that was made with this key",
    "key size": "The RSA key is too short: Entra ID takes 2048 bits or more",
    "signing algorithm": "The key is of a kind that Entra ID does not take: RSA only",
}


def refusal_of_entra(result: dict[str, Any]) -> str:
    """Plain words first, then what support asks for, then Entra ID's own sentence."""
    text = " ".join(str(result.get("error_description") or "it gives no reason").split())
    number = re.search(r"AADSTS(\d+)", text)
    cure = f"Entra ID refuses ({result.get('error')})"
    if number and number[1] == "700027":
        cure = next((words for mark, words in CERTIFICATE_CURES.items() if mark in text), cure)
    elif number:
        cure = next((words for numbers, words in CURES.items() if int(number[1]) in numbers), cure)
    text = re.sub(r" Trace ID: .*", "", text)[:500]
    support = f" (correlation id {result['correlation_id']})" if result.get("correlation_id") else ""
    return f"{cure}. Entra ID refuses, {result.get('error')}: {text}{support}"


class EntraTransport:
    """What MSAL talks through: only answers of Entra ID reach it, and what it would swallow ends the run."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, url: str, **options: Any) -> Answer:
        """The authority's addresses; MSAL would keep Entra ID's reason for itself."""
        answer, said = self.ask("GET", url, **options)
        if answer.status_code != 200:
            raise Failure(ENTRA, refusal_of_entra(said), answer.status_code)
        if not all(isinstance(said.get(name), str) for name in ("token_endpoint", "authorization_endpoint", "issuer")):
            raise Failure(ENTRA, "What answers as Entra ID does not name a token endpoint: check the sign-in host.")
        return answer

    def post(self, url: str, **options: Any) -> Answer:
        return self.ask("POST", url, **options)[0]

    def ask(self, method: str, url: str, **options: Any) -> tuple[Answer, dict[str, Any]]:
        answer = self.session.ask("Entra ID", method, url, **options)
        try:
            said = json.loads(answer.content)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or (answer.status_code != 200 and "error" not in said):
            what = f"HTTP {answer.status_code} and a page that is not Entra ID's"
            hint = "check the sign-in host and the tenant, and what stands in between (HTTPS_PROXY, a portal)"
            raise Failure(ENTRA, f"Instead of Entra ID came {what}: {hint}.", answer.status_code)
        return answer, said

    def close(self) -> None:
        self.session.http.close()


# --- Graph --------------------------------------------------------------------------------------------------------


class Part(NamedTuple):
    """The users whose sign-in names begin with `prefix`, but not with one of `without`; by default everybody."""

    prefix: str = ""
    without: tuple[str, ...] = ()
    level: int = 0

    @property
    def filter(self) -> str:
        conditions = [begins_with(self.prefix)] if self.prefix else []
        return " and ".join(conditions + [f"not {begins_with(one)}" for one in self.without])


@dataclass
class Chain:
    """Pages that lead one to the next.

    Attributes:
        first: the URL of the first page.
        part: the part of the directory that they hold, if it may be split.
        url: the URL that is asked for now.
        visited: the URLs asked for since the first page.
        restarts: how often it has begun again.
        idle: pages in a row without anybody new.
        asked_at: when the first page was asked for, in seconds.
        was_split: whether other chains have taken its place.
    """

    first: str
    part: Part | None = None
    url: str = ""
    visited: set[str] = field(default_factory=set)
    restarts: int = 0
    idle: int = 0
    asked_at: float = 0
    was_split: bool = False

    def __post_init__(self) -> None:
        self.url = self.url or self.first

    def follow(self, link: str) -> None:
        """Go on to the next page; a link back to one that was read already would never end."""
        self.visited.add(self.url)
        if link in self.visited:
            raise Failure(BUSY, "A link to the next page leads back to a page that was read: this would never end.")
        self.url = link

    def begin_again(self, failure: Failure) -> None:
        """A link that Graph does not know any more begins again with the first page; other failures are raised."""
        if failure.status not in (400, 410) or self.url == self.first or self.restarts == RESTARTS:
            raise failure
        self.restarts += 1
        self.idle = -len(self.visited)  # so many pages bring nobody new
        self.url = self.first
        self.visited.clear()

    def note(self, brought_somebody: bool) -> None:
        """Count the pages that bring nobody new; some are usual, and without an end they would be read for ever."""
        self.idle = 0 if brought_somebody else self.idle + 1
        if self.idle > MOST_IDLE_PAGES:
            raise Failure(BUSY, f"{MOST_IDLE_PAGES:,} pages in a row bring nobody new: this would never end.")


class Graph:
    """Microsoft Graph's users for one app: gets the token, renews it, and sends it nowhere but to Graph.

    Args:
        settings: as `read_settings` gives them, or a dictionary under the classic sample's names.
        cache: MSAL's token cache; without one the token lives as long as this object.

    Attributes:
        users: the address of all users.
        scope: what the token is asked for.
        session: the HTTP beneath.

    Raises:
        Failure: a setting is missing or has a wrong form; nothing has been sent yet.
    """

    def __init__(self, settings: dict[str, Any], cache: Any = None) -> None:
        self.settings = completed(settings)
        require(self.settings)
        self.users: str = self.settings["endpoint"]
        self.scope: list[str] = self.settings["scope"]
        self.origin = "/".join(self.users.split("/")[:3])
        self.session = Session()
        self.cache = cache
        self.app: Any = None
        self.total = 0
        self.lock = threading.Lock()

    @property
    def verify(self) -> bool | str:
        """Whether certificates are checked, or the file of the authorities that are trusted instead of the usual."""
        return self.session.http.verify  # type: ignore[return-value]

    @verify.setter
    def verify(self, value: bool | str) -> None:
        self.session.http.verify = value

    @property
    def trust_env(self) -> bool:
        """Whether HTTPS_PROXY and REQUESTS_CA_BUNDLE count."""
        return self.session.http.trust_env

    @trust_env.setter
    def trust_env(self, value: bool) -> None:
        self.session.http.trust_env = value

    # --- the token

    def token(self, refused: str = "") -> str:
        """The cached token, or a new one when there is none, it ends within five minutes, or Graph refused it."""
        with self.lock:
            try:
                if not self.app:
                    self.app = self.connect()
                result = self.app.acquire_token_for_client(self.scope)  # since MSAL 1.23 it looks into its cache first
                if refused and result.get("access_token") == refused:
                    self.app.remove_tokens_for_client()
                    result = self.app.acquire_token_for_client(self.scope)
                token = result.get("access_token", "")
                if not token:
                    raise Failure(ENTRA, self.without_secrets(refusal_of_entra(result)))
                if not re.fullmatch(r"[!-~]+", token):
                    raise ValueError
            except Failure:
                raise
            except OSError as error:
                raise Failure(SETTINGS, f"The token cache cannot be used: {error.strerror}.") from None
            except Exception as error:  # MSAL's words may quote a setting or an answer, and it raises whatever comes
                what = f"MSAL can make nothing of Entra ID's answer ({type(error).__name__})"
                if self.cache:
                    raise Failure(SETTINGS, f"{what}, or the token cache is damaged: delete its file.") from None
                raise Failure(ENTRA, f"{what}.") from None
        return str(token)

    def connect(self) -> Any:
        """MSAL's app for these settings; it asks the authority for its addresses at once."""
        version = tuple(int(part) for part in msal.__version__.split(".")[:2])
        if version < OLDEST_MSAL:
            needed = ".".join(str(part) for part in OLDEST_MSAL)
            raise Failure(
                SETTINGS, f"The version of msal is {msal.__version__}; {needed} or newer is needed: pip install -U msal"
            )
        check_identity(self.settings)
        return msal.ConfidentialClientApplication(
            self.settings["client_id"],
            client_credential=credential(self.settings),
            authority=self.settings["authority"],
            oidc_authority=self.settings["oidc_authority"],
            http_client=EntraTransport(self.session),
            token_cache=self.cache,
            instance_discovery=False,  # nobody else is asked about the authority
        )

    def without_secrets(self, sentence: str) -> str:
        """A sentence of a server without the secret settings that it may have been sent back."""
        for name in ("secret", "passphrase"):
            value = self.settings[name]
            if value and len(value) >= 4:
                sentence = sentence.replace(value, "…")
        return sentence

    # --- one question

    def url(self, path: str = "", select: str = "", **given: Any) -> str:
        """The users' address with OData options; `id` is always selected: by it nobody is lost or doubled."""
        names = [name for name in names_of(select) if name.lower() != "id"]
        given["select"] = ",".join(["id", *names]) if select else ""
        return f"{self.users}{path}?{options(**given)}"

    def read(self, url: str, check: Callable[[bytes], object] = json.loads, refused: str = "", **options: Any) -> bytes:
        """What Graph answers to a GET, or to a POST when `options` hold its json; a refused token is renewed once.

        Args:
            check: raises ValueError for an answer that is broken, which is then asked for again.

        Raises:
            Failure: Graph refuses, or gives no good answer in time; a URL that leads elsewhere is not asked.
        """
        if not same_origin(url, self.origin):
            raise Failure(GRAPH, "A link leads away from Microsoft Graph: it is not followed and gets no token.")
        token = self.token(refused)
        headers = {"Authorization": f"Bearer {token}", "ConsistencyLevel": "eventual"}
        method = "POST" if options else "GET"
        answer = self.session.ask("Microsoft Graph", method, url, check, headers=headers, **options)
        if answer.status_code == 401 and not refused:
            return self.read(url, check, refused=token, **options)
        if answer.status_code != 200:
            raise Failure(GRAPH, self.without_secrets(refusal_of_graph(answer)), answer.status_code)
        return answer.content

    def count(self) -> int:
        """How many users there are; 0 where Graph does not count, as in Azure AD B2C (user-list.md)."""
        try:
            total = json.loads(self.read(f"{self.users}/$count"))
        except Failure as failure:
            if failure.status not in (400, 404):
                raise
            return 0
        return total if isinstance(total, int) else 0

    def ask_together(self, questions: Sequence[str]) -> list[dict[str, Any]]:
        """The answers to many questions in a few requests, each a $batch; in the order of the questions.

        Args:
            questions: query strings for the users' address.

        Raises:
            Failure: a question is refused, or stays without an answer.
        """
        path = self.users.removeprefix(self.users.removesuffix("/users"))
        batch = f"{self.users.removesuffix('/users')}/$batch"
        answers: dict[int, dict[str, Any]] = {}
        for pause in PAUSES:
            waiting = [number for number in range(len(questions)) if number not in answers]
            steps = [
                {"id": str(number), "method": "GET", "url": f"{path}?{questions[number]}",
                 "headers": {"ConsistencyLevel": "eventual"}}
                for number in waiting
            ]  # fmt: skip
            groups = [{"requests": steps[start : start + BATCH]} for start in range(0, len(steps), BATCH)]
            with ThreadPoolExecutor(WORKERS) as pool:
                for body in pool.map(lambda group: self.read(batch, json=group), groups):
                    answers |= good_steps(json.loads(body))
            if len(answers) == len(questions):
                return [answers[number] for number in range(len(questions))]
            if pause is None or self.session.stopping.wait(pause):  # Graph meters each step for itself
                break
        raise Failure(GRAPH, "Microsoft Graph leaves questions of a $batch without an answer.")

    # --- many pages

    def read_pages(
        self, start: Chain, workers: int = 1, select: str = "", found: set[str] | None = None
    ) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Pages as they come, each with those of its users who are new.

        Args:
            start: the chain to read; where it is split, as many parts are read at a time as there are workers.
            select: names of properties with commas, for the parts.
            found: the ids that came so far, for the caller to look at.

        Raises:
            Failure: Graph refuses, or its links would never end.
        """
        found = set() if found is None else found
        pool = ThreadPoolExecutor(workers)
        waiting = deque([start])
        running: dict[Future[bytes], Chain] = {}

        def ask_for_next() -> None:
            while waiting and len(running) < workers:
                chain = waiting.popleft()
                chain.asked_at = chain.asked_at or time.monotonic()
                running[pool.submit(self.read, chain.url, whole_page)] = chain

        try:
            ask_for_next()
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    chain = running.pop(future)
                    try:
                        body = future.result()
                    except Failure as failure:
                        chain.begin_again(failure)
                        waiting.appendleft(chain)
                        ask_for_next()
                        continue
                    link = link_in(body)
                    parts = self.parts_of(chain, start, body) if chain.part and link and not chain.visited else []
                    if parts:
                        chain.was_split = True
                        waiting.extend(Chain(self.first_url(select, part), part) for part in parts)
                    elif link is not None:
                        chain.follow(link)
                        waiting.appendleft(chain)
                    ask_for_next()  # the next page is on its way while this one is parsed
                    time.sleep(0)  # and its request leaves before parsing makes all other threads wait
                    page = parsed(body, link)
                    new = {user["id"]: user for user in page["value"] if user["id"] not in found}
                    found.update(new)
                    chain.note(bool(new))
                    yield page, list(new.values())
        finally:
            self.session.stopping.set()
            pool.shutdown(cancel_futures=True)
            self.session.stopping.clear()

    def read_users(self, select: str = SELECT, where: str = "", workers: int = WORKERS) -> Iterator[dict[str, Any]]:
        """Every user once, in no promised order; in parts where page after page would take long.

        The first attempt is an advanced query, which allows all operators, whose links live, and which says how many
        users there are. The second is for tenants that do not count, such as Azure AD B2C (aad-advanced-queries.md).

        Args:
            select: names of properties with commas; "" for Graph's own choice.
            where: an OData filter; what it finds is read page after page.
            workers: parts read at the same time; 1 reads page after page.

        Raises:
            Failure: Graph refuses, or gives no good answer in time; users that came before are no complete list.
        """
        self.token()  # now, so that the first page tells how long a page takes
        part = Part() if workers > 1 and not where else None
        may_count = True
        refusal: Failure | None = None
        seen: set[str] = set()
        while True:
            start = Chain(self.first_url(select, Part(), where, may_count), part)
            found: set[str] = set()
            total = None
            came = len(seen)
            try:
                for page, new in self.read_pages(start, workers, select, found):
                    total = page.get("@odata.count") if total is None else total
                    users = [user for user in new if user["id"] not in seen] if seen else new
                    yield from users
                    came += len(users)
                    show_progress(came)
            except Failure as failure:
                if failure.status != 400 or found:
                    raise
                refusal = refusal or Failure(GRAPH, failure.sentence + filter_hint(where), 400)
                if not may_count or "Invalid filter clause" in failure.sentence:
                    raise refusal from None
                may_count, part = False, None
                continue
            show_progress(None)
            seen = seen | found if seen else found
            if came != total and not where:
                total = self.count()  # somebody may have come or gone meanwhile
            if not total or came == total:
                return  # proved: as many different ids as Graph counts users
            then = "reading page after page" if start.was_split else "the directory may be changing, run again"
            log.warning("Microsoft Graph counts %s users, and %d came: %s.", total, came, then)
            if not start.was_split:
                return
            part = None

    def read_changes(self, select: str, kept: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """What changed since the delta link in `kept`, and what to keep for the next run.

        Args:
            select: names of properties with commas; another choice is another delta and starts over.
            kept: the file with the delta link; a new one reads everybody.

        Returns:
            Each user once, with the latest of all that came; `@removed` for those who went. When it is everybody, each
            has `@resync`: who is not among them is gone.
        """
        first = self.url("/delta", select=select)
        text = kept.read_bytes().decode("utf-8", "replace") if kept.exists() else "{}"
        if not KEPT_LINK.fullmatch(text):  # the file will be replaced, so it must be one of ours
            raise Failure(SETTINGS, f"{kept} holds no delta link: name another file, or a new one to read everybody.")
        links = json.loads(text)
        begin = links.get(first, first)
        if links and begin == first:
            log.warning("--select is not that of the last run: everybody comes again, marked @resync.")
        try:
            changes, link = self.read_delta(begin)
        except Failure as failure:
            if failure.status not in (400, 410) or begin == first:
                raise
            log.warning("The delta link of the last run is too old: everybody comes again, marked @resync.")
            begin = first
            changes, link = self.read_delta(begin)
        if begin == first:
            changes = [user | {"@resync": True} for user in changes]
        return changes, {first: link}

    def read_delta(self, begin: str) -> tuple[list[dict[str, Any]], str]:
        """All pages of one round of delta: each user once, and the link to the next round."""
        changes: dict[str, dict[str, Any]] = {}
        last: dict[str, Any] = {}
        try:
            for last, _ in self.read_pages(Chain(begin)):
                for user in last["value"]:
                    changes[user["id"]] = merged(changes.get(user["id"], {}), user)
                show_progress(len(changes))
        except Failure as failure:
            if failure.exit_code == GRAPH and "/users/delta" in begin:
                failure.sentence += " (Delta is not supported in External ID and Azure AD B2C tenants.)"
            raise
        show_progress(None)
        link = last.get(DELTA)
        if not isinstance(link, str) or not same_origin(link, self.origin):
            raise Failure(BUSY, "The last page of the changes has no delta link of Microsoft Graph.")
        return list(changes.values()), link

    # --- parts of the directory

    def first_url(self, select: str, part: Part, where: str = "", may_count: bool = True) -> str:
        return self.url(select=select, filter=where or part.filter, top=PAGE_SIZE, count="true" if may_count else "")

    def parts_of(self, chain: Chain, start: Chain, body: bytes) -> list[Part]:
        """The parts that take a chain's place after its first page; none when it is read soon enough as it is.

        Names on the page show how those in this part go on. Names in order of their numbers show too little: where
        nearly all begin alike, the first and the last name of the directory tell between what the others are.
        """
        part, page = chain.part or Part(), json.loads(body)
        count = page.get("@odata.count")
        if not isinstance(count, int) or part.level == MOST_SPLITS:
            return []
        if chain is start:
            self.total = count
            if (time.monotonic() - chain.asked_at) * count / PAGE_SIZE <= WORTH_IT:
                return []
        elif count <= self.total * LARGEST_PART:
            return []
        users = page["value"]
        try:
            if not any(UPN in user for user in users):
                query = options(filter=part.filter, select=UPN, top=PAGE_SIZE, count="true")
                users = self.ask_together([query])[0]["value"]
            names = [str(user.get(UPN)).lower() for user in users]
            beginnings = self.beginnings(part, [name for name in names if name.startswith(part.prefix)])
        except Failure as failure:
            if failure.exit_code != GRAPH:
                raise
            return []
        new = [one for one in beginnings if one not in part.without]
        without = (*part.without, *new)
        if not new or len(without) > MOST_PARTS + len(DIGITS):
            return []
        level = part.level + 1
        return [Part(part.prefix, without, level), *(Part(one, (), level) for one in new)]

    def beginnings(self, part: Part, names: list[str]) -> list[str]:
        """How names of a part begin, the frequent ones first; all longer than the beginning that they share."""
        length = len(part.prefix)
        often = Counter(name[: length + 1] for name in names if len(name) > length)
        most = [one for one, times in often.most_common(MOST_PARTS) if times >= len(names) * OFTEN]
        if not most or often[most[0]] < len(names) * 0.9:
            return most
        shared = most[0]
        while shared_by_most(names, len(shared) + 1):
            shared = str(shared_by_most(names, len(shared) + 1))
        shared = max(shared.rstrip(DIGITS), most[0], key=len)
        asked = [one for one in (part.prefix, shared) if one not in part.without]
        questions = [
            options(filter=begins_with(one) if one else "", select=UPN, orderby=order, top=1, count="true")
            for one in asked
            for order in (UPN, f"{UPN} desc")
        ]
        ends = [str(user.get(UPN)).lower() for answer in self.ask_together(questions) for user in answer["value"]]
        for first, last in zip(ends[::2], ends[1::2], strict=True):
            between = names_between(first, last)
            if between and between[0].startswith(part.prefix):
                return between
        return most

    # --- pandas

    def load_users(self, select: str = SELECT, **how: Any) -> pd.DataFrame:
        """All users as a DataFrame with a column for each property asked for; the order of the rows is not promised.

        Args:
            select: names of properties with commas; "" for Graph's own choice.
            how: `where` and `workers`, as for read_users.

        Raises:
            Failure: as for read_users.
        """
        gc.disable()  # rows hold no cycles, and looking for some takes half as long as parsing
        try:
            users = list(self.read_users(select, **how))
            columns = Columns(names_of(select))
            for user in users:
                if not columns.missing:
                    break
                columns.learn(user)
            columns.say_missing(bool(users))
            frame = pd.DataFrame(users, columns=columns.keys or None)
        finally:
            gc.enable()
        for name in frame.columns:
            if name.endswith("DateTime"):
                try:
                    frame[name] = pd.to_datetime(frame[name], utc=True)
                except (ValueError, TypeError):
                    log.warning("%s holds something that is no date: the column is left as it came.", name)
        return frame


def names_of(select: str) -> list[str]:
    """The properties in a text with commas, each once however it is spelled."""
    names = {name.strip().lower(): name.strip() for name in reversed(select.split(",")) if name.strip()}
    wrong = [name for name in names.values() if not re.fullmatch(r"[\w.@/-]+", name)]
    if wrong:
        raise Failure(SETTINGS, "--select takes names of properties with commas between: id,displayName,mail.")
    return list(reversed(names.values()))


def options(**given: Any) -> str:
    """OData options as the query of a URL; empty ones are left out."""
    return urlencode({f"${name}": value for name, value in given.items() if value}, safe="$,()'")


def begins_with(prefix: str) -> str:
    text = prefix.replace("'", "''")
    return f"startsWith({UPN},'{text}')"


def shared_by_most(names: list[str], length: int) -> str | None:
    """The beginning of this length that nine of ten names share, if there is one."""
    [(beginning, times)] = Counter(name[:length] for name in names).most_common(1)
    return beginning if len(beginning) == length and times >= len(names) * 0.9 else None


def names_between(first: str, last: str) -> list[str]:
    """How the names between two others may begin, where both go on with a digit or both with a letter; else none."""
    length = 0
    while first[length : length + 1] == last[length : length + 1] != "":
        length += 1
    for kind in (DIGITS, LETTERS):
        left, right = first[length : length + 1], last[length : length + 1]
        if left and right and left in kind and right in kind:
            following = kind[kind.index(left) : kind.index(right) + 1]
            between = [first[:length] + one for one in following]
            is_short = kind is DIGITS and len(between) <= 2  # a step that would bring little
            return [one + digit for one in between for digit in DIGITS] if is_short else between
    return []


def same_origin(url: str, origin: str) -> bool:
    """Whether a URL is of this scheme, host and port; what is written oddly is not, because parsers disagree on it."""
    parts = re.fullmatch(r"(https://[a-z0-9.-]+(?::\d+)?)(?:/[!-~]*)?", url, re.IGNORECASE)
    return parts is not None and "\\" not in url and parts[1].lower().removesuffix(":443") == origin


def whole_page(body: bytes) -> None:
    """Raises ValueError for a page that is cut off or holds no users; a whole one passes unparsed, and quickly."""
    pairs_match = body.count(b"{") == body.count(b"}") and body.count(b"[") == body.count(b"]")
    if body.endswith(b"}") and pairs_match and re.search(rb'"value"\s*:\s*\[', body):
        return
    page = json.loads(body)
    if not isinstance(page, dict) or not isinstance(page.get("value"), list):
        raise ValueError


def link_in(body: bytes) -> str | None:
    """The link to the next page, found before the page is parsed."""
    found = NEXT_LINK.search(body)
    try:
        return str(json.loads(found[1])) if found else None
    except ValueError:
        raise Failure(BUSY, "Microsoft Graph sends a page that is broken: its link to the next is no text.") from None


def parsed(body: bytes, link: str | None) -> dict[str, Any]:
    """A page whose form is what Graph promises."""
    try:
        page = json.loads(body)
    except (ValueError, RecursionError):
        page = None
    wrong = ""
    if not isinstance(page, dict) or not isinstance(page.get("value"), list):
        wrong = "it is no list of users"
    elif not all(isinstance(user, dict) and isinstance(user.get("id"), str) and user["id"] for user in page["value"]):
        wrong = "a user has no id"
    elif page.get(NEXT) != link:
        wrong = "its link to the next page is none"
    if wrong:
        raise Failure(BUSY, f"Microsoft Graph sends a page that is broken: {wrong}.")
    return dict(page)


def good_steps(batch: Any) -> dict[int, dict[str, Any]]:
    """The answers in a $batch by number, without those that are busy.

    Raises:
        Failure: a step is refused, or the answer is none of a $batch.
    """
    good = {}
    steps = batch.get("responses") if isinstance(batch, dict) else None
    for step in steps if isinstance(steps, list) else []:
        status = step.get("status") if isinstance(step, dict) else None
        if status == 200 and isinstance(step.get("body"), dict) and str(step.get("id")).isdecimal():
            good[int(step["id"])] = step["body"]
        elif not isinstance(status, int) or (status not in (200, 408, 429) and status < 500):
            raise Failure(GRAPH, f"Microsoft Graph refuses a question of a $batch, HTTP {status}.")
    return good


def merged(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """What two entries of a delta say together about one user, who may come several times (delta-query-overview.md)."""
    if "@removed" in later:
        return later
    both = earlier | later
    both.pop("@removed", None)  # and came back
    for name, value in later.items():
        former = earlier.get(name)
        if name.endswith("@delta") and isinstance(former, list) and isinstance(value, list):
            both[name] = former + [one for one in value if one not in former]
    return both


def refusal_of_graph(answer: Answer) -> str:
    """Plain words first where they help, then Graph's own code and sentence, then what support asks for."""
    try:
        error = json.loads(answer.content)["error"]
        said = f"{error['code']}: {error['message']}"
        inner = error.get("innerError")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        hint = "the address of Graph, or what stands in between (HTTPS_PROXY, a portal)"
        return f"Microsoft Graph refuses, HTTP {answer.status_code}, with a page that is not Graph's: check {hint}."
    sentence = f"Microsoft Graph refuses, HTTP {answer.status_code} {' '.join(said.split())[:600]}"
    if answer.status_code == 401:
        sentence = f"The token is not for this Graph: check the scope and the cloud. {sentence}"
    if answer.status_code == 403:
        sentence = f"A permission is missing: --check says which roles the token has. {sentence}"
    if isinstance(inner, dict) and inner.get("request-id"):
        sentence += f" (request-id {str(inner['request-id'])[:40]}, {str(inner.get('date'))[:30]})"
    return sentence


def filter_hint(where: str) -> str:
    """How Graph wants what people often write otherwise in a filter that it has refused."""
    bare = re.sub(r"'(?:[^']|'')*'", "''", where)
    hints = []
    if re.search('[\u2018\u2019\u201c\u201d"]', bare) or re.search("[\u2018\u2019\u201c\u201d]", where):
        hints.append("texts stand in straight single quotes: department eq 'Sales'")
    if where.count("'") % 2:
        hints.append("a quote inside a text is doubled: surname eq 'O''Brien'")
    if re.search(r"'\d{4}-\d\d-\d\d[^']*'", where):
        hints.append("dates stand without quotes: createdDateTime ge 2026-01-31T00:00:00Z")
    elif re.search(r"\b\d{4}-\d\d-\d\d(?!T[\d:.]+(Z|[+-]\d\d:\d\d))", bare) or re.search(
        r"\b\d{1,2}[./]\d{1,2}[./]\d{4}", bare
    ):
        hints.append("dates have a time and a zone: createdDateTime ge 2026-01-31T00:00:00Z")
    if re.search(r"[=<>]", bare):
        hints.append("operators are words: eq, ne, gt, ge, lt, le")
    if re.search(r"'(true|false|null)'", where, re.IGNORECASE):
        hints.append("true, false and null stand without quotes: accountEnabled eq true")
    return f" Write it so: {'; '.join(hints)}." if hints else ""


def show_progress(count: int | None) -> None:
    """How many users came so far, only on a terminal; None ends the line."""
    if sys.stderr and sys.stderr.isatty():
        sys.stderr.write("\n" if count is None else f"\r{count:,} users")


# --- files --------------------------------------------------------------------------------------------------------

KINDS = (".json", ".jsonl", ".csv", ".parquet")


class Columns:
    """The properties asked for and how Graph spells them, which is found out as users come.

    Attributes:
        keys: the properties in the order asked for, spelled as in the answers that came so far.
        missing: places in `keys` of those that never came.
        halves: how many texts held half a character, which UTF-8 cannot hold.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.keys = list(names)
        self.missing = set(range(len(self.keys)))
        self.halves = 0

    def learn(self, user: dict[str, Any]) -> None:
        spelled = {key.lower(): key for key in user}
        for place in list(self.missing):
            key = spelled.get(self.keys[place].lower())
            if key:
                self.keys[place] = key
                self.missing.discard(place)

    def cells(self, user: dict[str, Any]) -> list[str | None]:
        """A user as texts; lists and objects are kept as JSON."""
        if self.missing:
            self.learn(user)
        cells = []
        for key in self.keys:
            value = user.get(key)
            text = value if value is None or isinstance(value, str) else json.dumps(value)
            if text and not text.isascii() and not is_whole(text):
                text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                self.halves += 1
            cells.append(text)
        return cells

    def say_missing(self, somebody_came: bool) -> None:
        if self.missing and somebody_came:
            names = ", ".join(self.keys[place] for place in sorted(self.missing))
            log.warning("Microsoft Graph sent no property %s for anybody: is it spelled right?", names)


def is_whole(text: str) -> bool:
    """Whether UTF-8 can hold a text; half a surrogate pair it cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Rows:
    """A file for the csv module, which thinks that lines end with CR LF: so all versions of Python quote both."""

    def __init__(self, file: TextIO, line_end: str) -> None:
        self.file, self.line_end = file, line_end

    def write(self, row: str) -> None:
        self.file.write(row.removesuffix("\r\n") + self.line_end)


def harmless(cell: str | None) -> str | None:
    """Text that Excel takes for a formula, made text: guests choose their own names (OWASP, CSV injection)."""
    return f"'{cell}" if cell and cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell


@dataclass
class Output:
    """How users are written.

    Attributes:
        kind: one of KINDS.
        names: the properties asked for; none for Graph's own choice.
        is_delta: whether they are changes, which leave out what never was filled in.
        for_excel: whether .csv is meant for Excel.
    """

    kind: str
    names: list[str]
    is_delta: bool = False
    for_excel: bool = False

    def write(self, users: Iterable[dict[str, Any]], file: TextIO) -> None:
        """Users as they come, in bounded memory; only .json, in the classic sample's form, needs all of them first."""
        users = iter(users)
        start = list(islice(users, 1))
        columns = Columns(self.names)
        for user in start:
            columns.learn(user)
        writers = {
            ".json": self.write_json,
            ".jsonl": self.write_lines,
            ".csv": self.write_csv,
            ".parquet": self.write_parquet,
        }
        writers[self.kind](chain(start, users), columns, file)
        if not self.is_delta:
            columns.say_missing(bool(start))
        if columns.halves:
            log.warning("%d texts held half a character: U+FFFD takes its place.", columns.halves)

    def noting(self, users: Iterable[dict[str, Any]], columns: Columns) -> Iterator[dict[str, Any]]:
        for user in users:
            if columns.missing:
                columns.learn(user)
            yield user

    def write_json(self, users: Iterable[dict[str, Any]], columns: Columns, file: TextIO) -> None:
        file.write(json.dumps({"value": list(self.noting(users, columns))}, indent=2) + "\n")

    def write_lines(self, users: Iterable[dict[str, Any]], columns: Columns, file: TextIO) -> None:
        file.writelines(json.dumps(user) + "\n" for user in self.noting(users, columns))

    def write_csv(self, users: Iterable[dict[str, Any]], columns: Columns, file: TextIO) -> None:
        if self.for_excel:
            file.write("\ufeff")  # by this mark Excel knows UTF-8
        writer = csv.writer(Rows(file, "\r\n" if self.for_excel else "\n"))
        writer.writerow(columns.keys)
        for user in users:
            cells = columns.cells(user)
            writer.writerow([harmless(cell) for cell in cells] if self.for_excel else cells)

    def write_parquet(self, users: Iterable[dict[str, Any]], columns: Columns, file: TextIO) -> None:
        pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")  # nothing else needs it
        names = list(columns.keys)
        text = pa.schema([(name, pa.string()) for name in names])
        kinds = {name: pa.timestamp("us", "UTC") for name in names if name.endswith("DateTime")}
        kinds |= {name: pa.bool_() for name in names if name == "accountEnabled"}
        typed = pa.schema([(name, kinds.get(name, pa.string())) for name in names])
        rows = (dict(zip(names, columns.cells(user), strict=True)) for user in users)
        try:
            with pq.ParquetWriter(file.buffer, typed) as writer:
                while group := list(islice(rows, 20_000)):
                    writer.write_table(pa.Table.from_pylist(group, text).cast(typed))
        except pa.ArrowInvalid:
            sentence = "A date or a truth value of Graph is none, so that .parquet cannot hold it: write .jsonl."
            raise Failure(GRAPH, sentence) from None


def save(path: Path, write: Callable[[TextIO], object]) -> None:
    """Write a file for this user alone, beside the old one, whose place it takes only when it is complete.

    Raises:
        Failure: the file cannot be written; an older one is as it was.
    """
    try:
        target = path.resolve()  # a link stays a link
        if target.exists() and not target.is_file():
            raise Failure(SETTINGS, f"{path} is no ordinary file: name another.")
        remove_leftovers(target)
        descriptor, name = tempfile.mkstemp(".part", f"{target.name}.", target.parent)  # its rights are 0600
        part = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())  # first the bytes, then the name: so even a power cut leaves the old or the new
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except FileNotFoundError:
        raise Failure(SETTINGS, f"{path} cannot be written: its folder does not exist.") from None
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise Failure(SETTINGS, f"{path} cannot be written: {why}.") from None


def remove_leftovers(target: Path) -> None:
    """Runs that were killed leave a part, and it holds people's data; one that is a day old belongs to no other run."""
    for part in target.parent.glob(f"{glob.escape(target.name)}.*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > 86_400:
                part.unlink()


def token_cache(file: str) -> Any:
    """A token cache that survives restarts: encrypted where the system can, else for you alone."""
    kept = import_module("msal_extensions")
    with suppress(Exception):  # a Linux without a key ring cannot
        return kept.PersistedTokenCache(kept.build_encrypted_persistence(file))
    return kept.PersistedTokenCache(kept.FilePersistence(file))


# --- the check ----------------------------------------------------------------------------------------------------


class Report:
    """Lines of a check, one a step.

    Attributes:
        exit_code: of the first step that is not good; 0 while all are.
    """

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.exit_code = 0
        self.marks = ("\u2713", "!", "\u2717", "-")
        try:
            "".join(self.marks).encode(file.encoding or "ascii")
        except UnicodeEncodeError:
            self.marks = ("ok", "!", "NO", "-")

    def line(self, mark: str, step: str, words: str) -> None:
        print(f"{mark} {step:<12} {' '.join(words.split())}", file=self.file)

    def good(self, step: str, words: str) -> None:
        self.line(self.marks[0], step, words)

    def doubtful(self, step: str, words: str) -> None:
        """Something that a run survives."""
        self.line(self.marks[1], step, words)

    def bad(self, step: str, exit_code: int, words: str) -> None:
        self.exit_code = self.exit_code or exit_code
        self.line(self.marks[2], step, words)

    def not_tried(self, *steps: str) -> None:
        for step in steps:
            self.line(self.marks[3], step, "not tried, because of what is said above")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """What is done in the block is the step; a Failure in it makes the step bad."""
        try:
            yield
        except Failure as failure:
            self.bad(name, failure.exit_code, failure.sentence)


def check(report: Report, parameters: Path | None, select: str, where: str, needs: Sequence[str]) -> int:
    """The whole way once, a line a step, with what is wrong and what helps; secrets never.

    Args:
        needs: application roles to look for besides those that `select` needs.

    Returns:
        The exit code that a run would end with, or GRAPH when a role of `needs` is missing.
    """
    with report.step("settings"):
        graph = Graph(read_settings(parameters))
        check_identity(graph.settings)
        report.good("settings", "complete and well formed")
    if report.exit_code:
        report.not_tried("credential", "Entra ID", "token", "roles", "first page", "$count")
        return report.exit_code
    with report.step("credential"):
        check_credential(report, graph.settings)
    with report.step("Entra ID"):
        check_authority(report, graph)
    if report.exit_code:
        report.not_tried("token", "roles", "first page", "$count")
        return report.exit_code
    with report.step("token"):
        token = graph.token()
        report.good("token", "Entra ID gives one")
    if report.exit_code:
        report.not_tried("roles", "first page", "$count")
        return report.exit_code
    check_graph(report, graph, token, select, where, needs)
    return report.exit_code


def check_credential(report: Report, settings: dict[str, Any]) -> None:
    pair = read_key_pair(settings)
    if not pair:
        report.good("credential", "a client secret; a certificate would be the better way")
        return
    if not pair.certificate:
        sha1_thumbprint(settings)
        report.good("credential", "a private key; whether the thumbprint is of its certificate only Entra ID can tell")
        return
    days = days_left(pair.certificate)
    starts = pair.certificate.not_valid_before_utc
    if starts > datetime.now(UTC):
        report.doubtful("credential", f"The certificate is not valid before {starts:%Y-%m-%d %H:%M} UTC: "
                        "wait until then, or set this machine's clock.")  # fmt: skip
    elif expiry_warning(pair.certificate):
        report.doubtful("credential", expiry_warning(pair.certificate))
    else:
        report.good("credential", f"the key fits its certificate, which is valid for {days:.0f} more days")


def check_authority(report: Report, graph: Graph) -> None:
    authority = graph.settings["oidc_authority"] or f"{graph.settings['authority']}/v2.0"
    EntraTransport(graph.session).get(f"{authority}/.well-known/openid-configuration")
    report.good("Entra ID", "is reached and knows the tenant")
    offset = graph.session.clock_offset
    if offset is None:
        report.doubtful("clock", "the server sends no Date to compare with")
    elif abs(offset) > 120:
        side = "behind" if offset > 0 else "ahead"
        report.doubtful("clock", f"This machine is {abs(offset):.0f} seconds {side}: set its clock by NTP.")
    else:
        report.good("clock", "agrees with the server")


def check_graph(report: Report, graph: Graph, token: str, select: str, where: str, needs: Sequence[str]) -> None:
    refusal, page = None, {}
    try:
        count = "true" if where else ""
        body = graph.read(graph.url(select=select, filter=where, top=PAGE_SIZE, count=count), whole_page)
        page = parsed(body, link_in(body))
    except Failure as failure:
        refusal = failure
    check_roles(report, roles_in(token), needed_roles(select), needs, refusal)
    if refusal:
        report.bad("first page", refusal.exit_code, refusal.sentence + (filter_hint(where) if where else ""))
        report.not_tried("$count")
        return
    columns = Columns(names_of(select))
    for user in page["value"]:
        columns.learn(user)
    absent = ", ".join(columns.keys[place] for place in sorted(columns.missing))
    if absent and page["value"]:
        report.doubtful("first page", f"{len(page['value'])} users, but no property {absent}: is it spelled right?")
    else:
        report.good("first page", f"{len(page['value'])} users")
    with report.step("$count"):
        total = graph.count()
        if total:
            report.good("$count", f"{total:,} users in the directory")
        else:
            report.doubtful(
                "$count", "This tenant does not count: it is read page after page, and cannot be proved whole."
            )


def check_roles(
    report: Report,
    roles: list[str] | None,
    needed: Sequence[Sequence[str]],
    needs: Sequence[str],
    refusal: Failure | None,
) -> None:
    if roles is None:
        report.doubtful("roles", "the token does not show any; Graph's answer tells")
        return
    has = f"the token has {', '.join(sorted(roles)) or 'none'}"
    cure = "an administrator grants it as an application permission and consents; then a new token is needed"
    lacking = [name for name in needs if name not in roles]
    if refusal and refusal.status == 403:
        lacking += [" or ".join(some) for some in needed if not set(some) & set(roles)]
    if lacking:
        report.bad("roles", GRAPH, f"{has}; {' and '.join(dict.fromkeys(lacking))} is missing: {cure}.")
    else:
        report.good("roles", has)


def needed_roles(select: str) -> list[Sequence[str]]:
    """Roles that reading these properties needs; of each group one is enough."""
    more = {name.lower(): role for name, role in MORE_ROLES.items()}
    return [READ_ROLES, *([more[name.lower()]] for name in names_of(select) if name.lower() in more)]


def roles_in(token: str) -> list[str] | None:
    """The application roles in a token, to show them; None when it cannot be looked into.

    An access token is opaque to a client, and may be of another form tomorrow (access-tokens.md): this is for people
    to look at, and nothing else is done with it. Whether the app may read is for Graph to say.
    """
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        return [str(role) for role in claims.get("roles", [])]
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None


# --- the program --------------------------------------------------------------------------------------------------


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = cli.add_argument
    add("parameters", nargs="?", type=Path, help="the classic sample's parameters.json, not .env")
    add("-o", "--output", type=Path, metavar="FILE", help=".json, .jsonl, .csv, .parquet (needs pyarrow)")
    add("--select", default="", metavar="NAMES", help=f"properties with commas; default: {SELECT}")
    add("--filter", default="", metavar="ODATA", help="for example: \"startsWith(displayName,'a')\"")
    add("--since", type=Path, metavar="FILE", help="only changes; the delta link is kept in this file. Who went has "
        "@removed; when everybody comes again, each has @resync. Not in External ID tenants")  # fmt: skip
    add("--excel", action="store_true", help=".csv for Excel: with a byte order mark, and a ' before texts that Excel "
        "would take for formulas (they begin with = + - @)")  # fmt: skip
    add("--token-cache", metavar="FILE", help="keep the token for the next run (needs msal-extensions)")
    add("--check", action="store_true", help="go the whole way once and say what is wrong; nothing is written")
    add("--needs", action="append", default=[], metavar="ROLE", help="with --check: look for this application role, "
        "too; may be repeated")  # fmt: skip
    given = cli.parse_args(arguments)
    given.kind = given.output.suffix.lower() if given.output else ".json"
    if given.kind not in KINDS:
        cli.error(f"-o must end in {', '.join(KINDS)}")
    if given.since and given.filter:
        cli.error("--since knows no --filter")
    if given.excel and given.kind != ".csv":
        cli.error("--excel is for -o with .csv")
    if given.needs and not given.check:
        cli.error("--needs is for --check")
    given.select = given.select or ("" if given.parameters and given.kind == ".json" else SELECT)  # as the sample did
    return given


def run(given: argparse.Namespace) -> None:
    """One run; a Failure ends it, and an older file is as it was."""
    cache = token_cache(given.token_cache) if given.token_cache else None
    graph = Graph(read_settings(given.parameters), cache)
    pair = read_key_pair(graph.settings)
    if pair and pair.certificate and expiry_warning(pair.certificate):
        log.warning(expiry_warning(pair.certificate))
    output = Output(given.kind, names_of(given.select), bool(given.since), given.excel)
    links: dict[str, str] = {}
    users: Iterable[dict[str, Any]]
    if given.since:
        users, links = graph.read_changes(given.select, given.since)
        output.names = columns_of_changes(output.names, users)
    else:
        users = graph.read_users(given.select, given.filter)
    if given.output:
        save(given.output, lambda file: output.write(users, file))
    else:
        print_users(output, users)
    if given.since:  # only now: a crash in between repeats changes and loses none
        save(given.since, lambda file: json.dump(links, file))


def columns_of_changes(names: list[str], changes: list[dict[str, Any]]) -> list[str]:
    """The columns of a delta: `manager` comes as `manager@delta`, and who went has nothing but an id and @removed."""
    names = ["manager@delta" if name.lower() == "manager" else name for name in names if name.lower() != "id"]
    columns = ["id", *names, "@removed", "@resync"]
    others = {key for user in changes for key in user if "@" in key} - set(columns)
    return columns + sorted(others)


def print_users(output: Output, users: Iterable[dict[str, Any]]) -> None:
    """Users on standard output, all or with a Failure."""
    if not sys.stdout:
        raise Failure(SETTINGS, "Standard output is closed: write a file with -o.")
    try:
        output.write(users, sys.stdout)
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError, ValueError):  # or Python complains once more when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Failure(SETTINGS, f"Standard output was not written to its end: {error.strerror}.") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """One run or check, and its exit code; a failure is one line on standard error."""
    given = read_arguments(arguments)
    logging.basicConfig(format="%(name)s: %(message)s")
    for library in ("msal", "urllib3"):  # what they log may quote a setting
        logging.getLogger(library).setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # about serial numbers, every night
    try:
        if given.check:
            return check(Report(sys.stdout), given.parameters, given.select, given.filter, given.needs)
        run(given)
    except Failure as failure:
        log.error(" ".join(failure.sentence.split()))
        return failure.exit_code
    except ImportError as error:
        log.error("%s is needed: install it with pip.", error.name)
        return SETTINGS
    return 0


if __name__ == "__main__":
    sys.exit(main())
