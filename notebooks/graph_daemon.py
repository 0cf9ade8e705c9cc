"""Reads an organisation's users from Microsoft Graph as a daemon, an app with its own identity.

    python graph_daemon.py                    prints JSON; settings from the environment and .env
    python graph_daemon.py -o users.csv       writes a file: .csv, .json, .jsonl or .parquet
    python graph_daemon.py parameters.json    settings from the classic sample's file
    python graph_daemon.py --since delta.json -o changes.jsonl    only what changed since then
    python graph_daemon.py --check            goes the whole way once: what is wrong, and what helps

settings:   AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH (PFX, or PEM with key
            and certificate) and AZURE_CLIENT_CERTIFICATE_PASSWORD, or AZURE_CLIENT_SECRET;
            elsewhere than in the global cloud also AZURE_AUTHORITY_HOST, GRAPH_ENDPOINT;
            OIDC_AUTHORITY for a sign-in domain of your own
exit codes: 0 done   2 a setting, the credential, a file or the command line is wrong
            3 Entra ID gives no token   4 Microsoft Graph refuses: permissions, --select, --filter
            5 no good answer in time: run again later
            (1 is a fault of this program, with a traceback)"""

# What stands where, from top to bottom. To see how it goes together, begin at `run`, near the end.
#
#   settings                         where they come from, and checks before anything is sent
#   the credential                   a key and its certificate, in whatever file they are kept
#   HTTP                             a request, made again while that helps; what went wrong
#   what Entra ID says               why it gives no token, and what helps
#   Graph                            the token, a question, pages, parts, changes, pandas
#   questions and answers of Graph   how to ask, whether a page is whole, why Graph refuses
#   files                            four kinds; an older file is replaced by a whole one only
#   the check                        --check: the whole way once, a step a line
#   the program                      the command line, one run, and its exit code

from __future__ import annotations

import argparse
import base64
import csv
import gc
import glob
import http.client
import io
import json
import logging
import os
import re
import string
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO
from urllib.parse import urlencode

import msal  # type: ignore[import-untyped]
import requests
import urllib3.exceptions
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
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
LONGEST_ANSWER, LARGEST_ANSWER = 300, 2**28  # seconds, bytes: an answer that never ends is none

PAGE_SIZE = 999  # the most that Graph gives at once (user-list.md)
WORKERS = 16  # pages asked for at the same time
WORTH_IT = 10  # seconds: a directory that is read sooner page after page is not read in parts
LARGEST_PART = 1 / 8  # of the directory: a larger part is split further
OFTEN = 1 / 64  # of a page: names that begin so become a part of their own
MOST_PARTS = 24  # of one part: Graph limits the URL with all of them to 2,048 characters
MOST_SPLITS = 8  # one within the other
RESTARTS = 4  # of one chain of pages whose links have expired
MOST_IDLE_PAGES = 1_000  # in a row, without anybody new

UPN = "userPrincipalName"
NEXT, DELTA = "@odata.nextLink", "@odata.deltaLink"
SELECT = "id,displayName,userPrincipalName,mail,userType,accountEnabled," \
         "jobTitle,department,city,country,createdDateTime"  # fmt: skip

Settings = dict[str, Any]  # under the classic sample's names
User = dict[str, Any]  # as Graph sends it
Users = Iterator[User]


class Failure(Exception):
    """What ends a run.

    Attributes:
        exit_code: for the scheduler.
        sentence: for the operator; it never holds the value of a setting.
        status: the HTTP status, when Graph or Entra ID answered with one.
    """

    def __init__(self, exit_code: int, sentence: str, status: int | None = None) -> None:
        super().__init__(exit_code, sentence, status)
        self.exit_code = exit_code
        self.sentence = sentence
        self.status = status

    def __str__(self) -> str:
        return self.sentence


# --- settings -------------------------------------------------------------------------------------


class Cloud(NamedTuple):
    """The hosts that belong together; the first of `graph` is meant where none is named."""

    name: str
    sign_in: tuple[str, ...]
    graph: tuple[str, ...]


# fmt: off
CLOUDS = (  # graph/deployments, MSAL's authority.py, Get-MgEnvironment for the last three
    Cloud("global",
          ("login.microsoftonline.com", "login.microsoft.com", "login.windows.net",
           "sts.windows.net", "ciamlogin.com", "b2clogin.com"),
          ("graph.microsoft.com",)),
    Cloud("US Government (GCC High, DoD)",
          ("login.microsoftonline.us", "login.usgovcloudapi.net", "login-us.microsoftonline.com"),
          ("graph.microsoft.us", "dod-graph.microsoft.us")),
    Cloud("China (21Vianet)",
          ("login.partner.microsoftonline.cn", "login.chinacloudapi.cn"),
          ("microsoftgraph.chinacloudapi.cn",)),
    Cloud("Bleu (France)", ("login.sovcloud-identity.fr",), ("graph.svc.sovcloud.fr",)),
    Cloud("Delos (Germany)", ("login.sovcloud-identity.de",), ("graph.svc.sovcloud.de",)),
    Cloud("GovSG (Singapore)", ("login.sovcloud-identity.sg",), ("graph.svc.sovcloud.sg",)),
)
# fmt: on
GLOBAL = CLOUDS[0]

ENVIRONMENT = {  # the classic sample's names, and those that azure-identity reads
    "client_id": "AZURE_CLIENT_ID",
    "authority": "AZURE_TENANT_ID",  # behind AUTHORITY_HOST
    "oidc_authority": "OIDC_AUTHORITY",  # a domain of one's own; no name of azure-identity's
    "private_key_file": "AZURE_CLIENT_CERTIFICATE_PATH",
    "passphrase": "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "secret": "AZURE_CLIENT_SECRET",
    "endpoint": "GRAPH_ENDPOINT",
}
AUTHORITY_HOST = "AZURE_AUTHORITY_HOST"
FOR_REQUESTS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
TEXTS = (*ENVIRONMENT, "thumbprint")

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
PLACEHOLDER = re.compile(  # of the classic sample and of env.sample
    r"enter_the|(^|/)your[_-]|^<.*>$|secret generated by aad|^790e\.\.\.|^0{8}-(0{4}-){3}0{12}$",
    re.IGNORECASE,
)
STRING = r'"(?:[^"\\]|\\.)*"'  # in JSON


def read_settings(file: Path | None = None) -> Settings:
    """The settings under the classic sample's names.

    Args:
        file: the sample's parameters.json. Without one the environment counts, and where that says
            nothing, the .env file of this folder or the next one above that has one.

    Raises:
        Failure: a file cannot be read, or a setting has the wrong type or form.
    """
    return checked(read_parameters(file) if file else read_environment())


def read_parameters(file: Path) -> Settings:
    problem = "it must be one object in braces"
    values = None
    try:
        values = json.loads(without_slips(decoded(file.read_bytes(), file)))
    except OSError as error:
        raise Failure(SETTINGS, f"{file} cannot be read: {error.strerror}.") from None
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        pass
    if not isinstance(values, dict):
        raise Failure(SETTINGS, f"{file} is not like the sample's parameters.json: {problem}.")
    return values | {"folder": file.parent, "where": f"in {file}"}


def without_slips(text: str) -> str:
    """JSON without comments, and with commas where they belong: a file of the sample lacks one."""
    text = re.sub(rf"({STRING})|//.*|/\*[\s\S]*?\*/", lambda found: found[1] or "", text)
    text = re.sub(rf"({STRING})|,(?=\s*[}}\]])", lambda found: found[1] or "", text)
    behind_a_value = rf'({STRING}|[}}\]])(\s+(?="))?'
    return re.sub(behind_a_value, lambda found: found[1] + ("," if found[2] else ""), text)


def read_environment() -> Settings:
    """What the environment says and, where that says nothing, the .env file."""
    file = find_env_file()
    from_file = read_env_file(file) if file else {}
    for name in FOR_REQUESTS:  # it looks into the environment, nowhere else
        if from_file.get(name) and not os.environ.get(name):
            os.environ[name] = from_file[name]
    said = from_file | {name: value for name, value in os.environ.items() if value.strip()}
    settings: Settings = {ours: said.get(name) for ours, name in ENVIRONMENT.items()}
    authority = authority_of(said)
    settings["authority"] = None if settings["oidc_authority"] else authority
    settings["folder"] = file.parent if file else Path.cwd()
    settings["where"] = f"in the environment and in {file or '.env, which is not there'}"
    if not file and Path(".env.txt").exists():  # as Windows' Notepad names it
        settings["where"] += " (.env.txt is not its name)"
    settings["names"] = ENVIRONMENT
    return settings


def find_env_file() -> Path | None:
    for folder in (Path.cwd(), *Path.cwd().parents):
        if os.path.lexists(folder / ".env"):
            return folder / ".env"
    return None


def read_env_file(file: Path) -> dict[str, str]:
    """The lines of a .env file, which may be a pipe; ${...} may stand in a password, and stays."""
    if not file.exists() or file.is_dir():  # Docker makes a folder where a mount is missing
        raise Failure(SETTINGS, f"{file} is a folder, or a link to a file that is not there.")
    text = decoded(read_pipe(file) if file.is_fifo() else file.read_bytes(), file)
    try:
        dotenv = import_module("dotenv")
    except ImportError:
        raise Failure(SETTINGS, f"To read {file}, install python-dotenv with pip.") from None
    values = dotenv.dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value}


def read_pipe(file: Path) -> bytes:
    """What a password manager writes into a named pipe; without one, reading would never end."""
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
        is_utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        kind = "UTF-16, as PowerShell writes it" if is_utf16 else "another encoding"
        raise Failure(SETTINGS, f"{file} must be saved as UTF-8; it is in {kind}.") from None


def authority_of(said: dict[str, str]) -> str | None:
    """Sign-in host and tenant as one address, which is how MSAL wants them."""
    host, path = address(said.get(AUTHORITY_HOST, GLOBAL.sign_in[0]), AUTHORITY_HOST)
    tenant = said.get("AZURE_TENANT_ID", "").strip()
    if tenant and not re.fullmatch(r"[\w.<>-]+", tenant):
        raise Failure(SETTINGS, "AZURE_TENANT_ID must be the Directory (tenant) ID, a GUID.")
    if path not in ("", f"/{tenant}"):
        raise Failure(SETTINGS, f"{AUTHORITY_HOST} must be a host alone, without the tenant.")
    return f"https://{host}/{tenant}" if tenant else None


def label(settings: Settings, name: str) -> str:
    """What the reader calls a setting: the name in the environment, or the classic sample's."""
    return str(settings.get("names", {}).get(name, name))


def wrong(settings: Settings, name: str, what: str) -> Failure:
    """A setting that cannot be used, by its name and never by its value."""
    return Failure(SETTINGS, f"{label(settings, name)} {what}.")


def checked(given: Settings) -> Settings:
    """Settings of the right types, with addresses in one form, and Graph's address and scope."""
    settings = given | {name: text_of(given, name) for name in TEXTS}
    sign_in_host = ""
    for name in ("authority", "oidc_authority"):
        if settings[name]:
            sign_in_host, path = address(settings[name], label(settings, name))
            settings[name] = f"https://{sign_in_host}{path}"
    if settings["authority"] and settings["oidc_authority"]:
        raise Failure(SETTINGS, "authority and oidc_authority are both filled in: keep one.")
    if settings["authority"]:  # people copy what stands behind it, too
        settings["authority"] = re.sub(r"(/oauth2)?/v2\.0(/\w+)?$", "", settings["authority"])
    return settings | graph_and_scope(settings, sign_in_host)


def graph_and_scope(settings: Settings, sign_in_host: str) -> Settings:
    """Graph's address and the scope: as given, or each from the other, or from the cloud.

    `.default` takes the domain of the service root (graph/sdks/national-clouds).
    """
    scope = scopes_of(settings)
    scope_host = re.sub(r"^https://|[/:].*$", "", scope[0]).lower() if scope else ""
    cloud = cloud_of(scope_host) or cloud_of(sign_in_host) or GLOBAL
    usual_host = scope_host if scope_host in cloud.graph else cloud.graph[0]
    host, path = address(settings["endpoint"] or usual_host, label(settings, "endpoint"))
    path = path or "/v1.0"
    if re.search(r"/(v\d\.\d|beta)$", path):
        path += "/users"
    if not path.endswith("/users"):
        what = "must be like https://graph.microsoft.com/v1.0/users, without options"
        raise wrong(settings, "endpoint", what)
    clouds = [one for one in map(cloud_of, (sign_in_host, host, scope_host)) if one]
    names = dict.fromkeys(one.name for one in clouds)
    if len(names) > 1:
        what = "must be of one cloud with sign-in host and scope; these are of"
        raise wrong(settings, "endpoint", f"{what} {' and '.join(names)}")
    if cloud_of(host) and cloud_of(scope_host) and host != scope_host:
        raise wrong(settings, "endpoint", "must name the same host of Microsoft Graph as scope")
    resource = host if cloud_of(host) else cloud.graph[0]
    return {
        "endpoint": f"https://{host}{path}",
        "scope": scope or [f"https://{resource}/.default"],
    }


def text_of(settings: Settings, name: str) -> str | None:
    """A setting without the line end of the clipboard; None when it is empty or a placeholder."""
    value = settings.get(name) or ""
    if not isinstance(value, str):
        raise wrong(settings, name, "must be a text, in quotes")
    text = value.strip("\r\n")
    if name not in ("passphrase", "secret"):
        text = text.strip()
    return None if PLACEHOLDER.search(text) else text or None


def scopes_of(settings: Settings) -> list[str]:
    """The scopes of parameters.json: a list as in the sample, or one text."""
    scope = settings.get("scope") or []
    if isinstance(scope, str):
        return scope.split()
    if not isinstance(scope, list) or not all(isinstance(one, str) for one in scope):
        raise wrong(settings, "scope", "must be a list of texts, or a text")
    return [one.strip() for one in scope if one.strip()]


def address(text: str, name: str) -> tuple[str, str]:
    """Host, in lower case and without port 443, and path; people leave out https://."""
    form = r"(?:https://)?([a-z0-9.-]+)(:\d{1,5})?((?:/[^\s?#\\/]+)*)/*"
    parts = re.fullmatch(form, text.strip(), re.IGNORECASE)
    if not parts:
        raise Failure(SETTINGS, f"{name} must be an address with https://, without options.")
    port = "" if parts[2] in (None, ":443") else parts[2]
    return parts[1].lower() + port, parts[3]


def cloud_of(host: str) -> Cloud | None:
    """The cloud of a host of Entra ID or Graph; None for others, such as a domain of one's own."""
    for cloud in CLOUDS:
        for known in cloud.sign_in + cloud.graph:
            if host == known or host.endswith(f".{known}"):
                return cloud
    return None


def require(settings: Settings) -> None:
    """Raises Failure when a setting is missing that every run needs."""
    missing = []
    for names in (("client_id",), ("authority", "oidc_authority"), ("private_key_file", "secret")):
        if not any(settings[name] for name in names):
            missing.append(" or ".join(label(settings, name) for name in names))
    if missing:
        sentence = "; ".join(f"{one} is missing" for one in missing)
        where = settings.get("where", "in the settings")
        raise Failure(SETTINGS, f"{sentence} {where} (a placeholder counts as missing).")


def check_identity(settings: Settings) -> None:
    """Raises Failure when the app's or the tenant's id cannot be one, before anything is sent."""
    if not GUID.fullmatch(settings["client_id"]):
        raise wrong(settings, "client_id", "must be the Application (client) ID, a GUID")
    host, _, path = (settings["authority"] or "").removeprefix("https://").partition("/")
    tenant = path.partition("/")[0]
    if tenant.lower() in ("common", "organizations", "consumers"):
        raise wrong(settings, "authority", "must name your tenant: a daemon belongs to one tenant")
    is_tenant = GUID.fullmatch(tenant) or DOMAIN.fullmatch(tenant)
    if settings["authority"] and not is_tenant and not host.endswith(".ciamlogin.com"):
        what = "must name the tenant: the Directory (tenant) ID, a GUID, or its domain"
        raise wrong(settings, "authority", what)


# --- the credential -------------------------------------------------------------------------------


class KeyPair(NamedTuple):
    """A private key, and its certificate if it came with one."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate | None


PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)


def credential(settings: Settings, pair: KeyPair | None) -> str | dict[str, str]:
    """The client credential as MSAL wants it.

    A certificate gives an assertion with PS256 and x5t#S256. A thumbprint alone, the classic
    sample's way, gives RS256 and x5t. Without a key pair it is the secret, which is sent as it is.
    """
    if not pair:
        return str(settings["secret"])
    pem = pair.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    if not pair.certificate:
        return {"private_key": pem, "thumbprint": sha1_thumbprint(settings)}
    certificate = pair.certificate.public_bytes(Encoding.PEM).decode()
    return {"private_key": pem, "public_certificate": certificate}


def read_key_pair(settings: Settings) -> KeyPair | None:
    """The RSA key that the settings name, with its certificate; None when they name a secret.

    Raises:
        Failure: the file cannot be used; the sentence names the setting and never shows its value.
    """
    if not settings["private_key_file"]:
        return None
    data = unwrapped(key_material(settings))
    load = load_pem if b"-----BEGIN" in data else load_pfx
    keys, certificates = load(data, settings)

    def unusable(what: str) -> Failure:
        return wrong(settings, "private_key_file", f"holds {what}")

    if not keys:
        found = "a certificate but no private key" if certificates else "no private key"
        raise unusable(f"{found}: name the file that holds both")
    rsa_keys = [key for key in keys if isinstance(key, rsa.RSAPrivateKey)]
    if not rsa_keys:
        raise unusable("a key that is not RSA: Entra ID takes RSA keys only")
    latest_first = sorted(certificates, key=lambda one: one.not_valid_after_utc, reverse=True)
    pairs = [KeyPair(key, one) for one in latest_first for key in rsa_keys if belongs(one, key)]
    if not pairs and settings["thumbprint"]:
        pairs = [KeyPair(rsa_keys[0], None)]
    if not pairs and certificates:
        raise unusable("a key that belongs to none of the certificates in the file")
    if not pairs:
        raise unusable("a key without its certificate: put both into one file")
    bits = pairs[0].key.key_size
    if bits < 2048:
        raise unusable(f"a key of {bits} bits; Entra ID takes 2048 or more")
    return pairs[0]


def key_material(settings: Settings) -> bytes:
    """What the file holds; or the setting itself, where a secret store hands over its content."""
    text: str = settings["private_key_file"].strip("'\" ")
    if "-----BEGIN" in text:
        return text.replace("\\r", "").replace("\\n", "\n").encode()
    content = from_base64(text)
    if content:
        return content
    folder: Path = settings.get("folder", Path())
    try:
        data = (folder / Path(text).expanduser()).read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "it is neither a path nor PEM nor base64 of a PFX"
        hint = f"a relative path counts from {folder.resolve()}"
        raise wrong(settings, "private_key_file", f"cannot be read: {why}; {hint}") from None
    if not data.strip():
        raise wrong(settings, "private_key_file", "names an empty file")
    return data


def unwrapped(data: bytes) -> bytes:
    """PEM in UTF-8, or DER: PowerShell writes UTF-16, and vaults hand out base64, of either."""
    for _ in range(2):
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            data = data.decode("utf-16", "replace").encode()
        data = from_base64(data.decode("utf-8-sig", "replace")) or data
    return data


def from_base64(text: str) -> bytes | None:
    """The bytes of a PEM or PFX file that a base64 text stands for, or None when it is none."""
    letters = "".join(text.split()).rstrip("=").replace("+", "-").replace("/", "_")
    if len(letters) < 100 or not re.fullmatch(r"[A-Za-z0-9_-]+", letters):
        return None
    try:
        data = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
    except ValueError:
        return None
    begins_well = (b"0\x82", b"0\x83", b"-----BEGIN", b"\xff\xfe", b"\xef\xbb\xbf")
    return data if data.startswith(begins_well) else None


Loaded = tuple[list[Any], list[x509.Certificate]]  # private keys of any kind, and certificates


def load_pem(data: bytes, settings: Settings) -> Loaded:
    """What a PEM file holds, in whatever order, and however its lines were broken."""
    keys, certificates = [], []
    for kind, body in PEM_BLOCK.findall(data.decode("utf-8", "replace")):
        has_headers = ":" in body  # OpenSSL's old form, where lines matter
        lines = body.replace("\r", "").strip() if has_headers else "".join(body.split())
        kind = re.sub("^(TRUSTED|X509) ", "", kind)  # noqa: PLW2901 - other names of the same
        block = f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n".encode()
        if kind.endswith("PRIVATE KEY"):
            keys.append(load_pem_key(block, settings))
        elif kind == "CERTIFICATE":
            with suppress(ValueError):  # another one may fit
                certificates.append(x509.load_pem_x509_certificate(block))
    return keys, certificates


def load_pem_key(block: bytes, settings: Settings) -> Any:
    password_name = label(settings, "passphrase")
    is_locked = b"ENCRYPTED" in block
    password = settings["passphrase"] if is_locked else None  # one not needed does no harm
    if is_locked and not password:
        what = f"holds a key with a password: Password was not given, {password_name} is missing"
        raise wrong(settings, "private_key_file", what)
    try:
        return load_pem_private_key(block, password.encode() if password else None)
    except (UnsupportedAlgorithm, ValueError, TypeError) as error:
        what = "holds a private key that is damaged or of another form"
        if is_locked:
            what += f", or {password_name} does not open it"
        if isinstance(error, UnsupportedAlgorithm) or "nknown" in str(error):
            what = "holds a key whose cipher or kind is not known here: openssl pkcs8 converts it"
        raise wrong(settings, "private_key_file", what) from None


def load_pfx(data: bytes, settings: Settings) -> Loaded:
    """What a PFX file holds."""
    passphrase = (settings["passphrase"] or "").encode()
    for password in (passphrase, b"", None):  # one not needed does no harm
        with suppress(ValueError, UnsupportedAlgorithm):
            pfx = pkcs12.load_pkcs12(data, password)
            own = [pfx.cert] if pfx.cert else []
            certificates = [one.certificate for one in [*own, *pfx.additional_certs]]
            return [pfx.key] if pfx.key else [], certificates
    what = "names a file that is neither PEM nor PFX"
    if data.startswith(b"0"):  # as all DER does
        password_name = label(settings, "passphrase")
        what = f"is DER but no PFX file (openssl converts it), or {password_name} does not open it"
    raise wrong(settings, "private_key_file", what)


def belongs(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> bool:
    try:
        return certificate.public_key() == key.public_key()
    except (ValueError, UnsupportedAlgorithm):  # a kind that is not known here is not RSA
        return False


def sha1_thumbprint(settings: Settings) -> str:
    """The 40 hex digits that MSAL wants, from what tools show and people paste."""
    visible = [one for one in settings["thumbprint"] if one.isprintable() and one not in ": "]
    text = re.sub(r"(?i)^(sha-?1)?(fingerprint|thumbprint)?=", "", "".join(visible))
    if re.fullmatch(r"[A-Za-z0-9_+/-]{27}=?", text):  # base64: Configure.ps1 of the sample
        letters = text.rstrip("=").replace("+", "-").replace("/", "_")
        text = base64.urlsafe_b64decode(letters + "=").hex()
    if not re.fullmatch(r"[0-9A-Fa-f]{40}", text):
        what = "must be the certificate's SHA-1 thumbprint (not SHA-256): 40 hex digits"
        raise wrong(settings, "thumbprint", what)
    return text


def days_left(certificate: x509.Certificate) -> float:
    return (certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds() / 86_400


def expiry_warning(certificate: x509.Certificate) -> str:
    """A sentence when the certificate ends within 30 days, else nothing."""
    days = days_left(certificate)
    if days > 30:
        return ""
    verb = "ends" if days > 0 else "ended"
    day = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    return f"The certificate {verb} on {day}: upload a new one to the app, then change the file."


# --- HTTP -----------------------------------------------------------------------------------------


Proof = Callable[[bytes], object]  # raises ValueError for a body that is broken


class Answer(NamedTuple):
    """A whole answer; MSAL and Graph both read it."""

    status_code: int
    headers: requests.structures.CaseInsensitiveDict[str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


CONNECTION_ERRORS = (  # what requests and what is beneath it may raise
    OSError, ValueError, urllib3.exceptions.HTTPError, http.client.HTTPException,
)  # fmt: skip


class Session:
    """HTTP that asks again after an answer that is busy, lost or broken.

    Attributes:
        http: the session of requests beneath, with its `verify`, `trust_env` and connections.
        stopping: set to wake all who wait, when the reading ends before its time.
    """

    def __init__(self) -> None:
        self.http = requests.Session()
        enough = 2 * WORKERS  # each of them asks two questions at once when it splits a part
        a_connection_each = requests.adapters.HTTPAdapter(pool_maxsize=enough)
        self.http.mount("https://", a_connection_each)
        self.stopping = threading.Event()

    def ask(
        self,
        service: str,
        method: str,
        url: str,
        check: Proof = json.loads,
        **options: Any,
    ) -> Answer:
        """The answer to a request, after as many attempts as PAUSES has.

        Args:
            service: who is asked, for messages.
            check: of the body of a 200.

        Raises:
            Failure: there is no good answer in time (BUSY), or no attempt could help (SETTINGS).
        """
        told = ""
        for attempt, pause in enumerate(PAUSES, 1):
            retry_after = ""
            try:
                answer = self.ask_once(method, url, **options)
                problem = problem_with_answer(answer, check)
                if not problem:
                    return answer
                retry_after = answer.headers.get("Retry-After", "")
            except CONNECTION_ERRORS as error:
                problem = problem_with_connection(error)
            seconds = seconds_to_wait(retry_after, pause or 0)
            if retry_after:
                problem += f", Retry-After {retry_after[:40]}"
            if pause is None or seconds > LONGEST_WAIT:
                sentence = f"No good answer from {service}: {problem} (attempt {attempt})."
                raise Failure(BUSY, sentence)
            if problem != told:
                log.warning("%s: %s (attempt %d)", service, problem, attempt)
                told = problem
            if self.stopping.wait(seconds):
                break
        raise Failure(BUSY, f"Stopped while waiting for {service}.")

    def ask_once(self, method: str, url: str, **options: Any) -> Answer:
        """One attempt. No redirect is followed, and no ~/.netrc takes the token's place."""
        options |= {"allow_redirects": False, "timeout": TIMEOUT, "stream": True}
        options |= {"auth": lambda request: request}
        started = time.monotonic()
        parts: list[bytes] = []
        size = 0
        with self.http.request(method, url, **options) as answer:
            read = getattr(answer.raw, "read1", answer.raw.read)  # read1: since urllib3 2.1
            while part := read(2**16, decode_content=True):
                parts.append(part)
                size += len(part)
                if size > LARGEST_ANSWER or time.monotonic() - started > LONGEST_ANSWER:
                    raise requests.ReadTimeout("an answer that never ends")
            return Answer(answer.status_code, answer.headers, b"".join(parts))


def problem_with_answer(answer: Answer, check: Proof) -> str:
    """Why an answer is worth asking for again; nothing when it is good, or a refusal."""
    status = answer.status_code
    if status == 200:
        try:
            check(answer.content)
        except (ValueError, RecursionError):
            return "HTTP 200, but the answer is broken or is no JSON"
    if status in (408, 429) or (status >= 500 and status != 501):
        return f"HTTP {status}"
    return ""


def seconds_to_wait(retry_after: str, pause: float) -> float:
    """Retry-After as seconds or as a date (RFC 9110); the pause where it is neither."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", retry_after):
        return float(retry_after)
    with suppress(ValueError, TypeError, OverflowError):
        return max(parsedate_to_datetime(retry_after).timestamp() - time.time(), pause)
    return pause


# What errors of the connection look like, and what to say; first those that no attempt cures.
# fmt: off
HOPELESS = (
    ("dependencies for SOCKS",
     "HTTPS_PROXY or ALL_PROXY names a SOCKS proxy: install PySocks with pip."),
    (r"Invalid(Proxy)?URL|InvalidSchema|InvalidHeader|LocationValueError|UnicodeError|^ValueError",
     "HTTPS_PROXY or a host is no address: a proxy is like http://HOST:PORT, with # as %23."),
    (r"TLS CA certificate bundle|TLS certificate|\[X509",
     "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE must name a file with certificates in PEM."),
    (r"Tunnel connection failed: (?P<found>[34]\d\d)",
     "HTTPS_PROXY: the proxy refuses with HTTP {found}: check user, password and host."),
    ("WRONG_VERSION_NUMBER|HTTP_REQUEST",
     "No TLS is spoken there: check the port, and HTTPS_PROXY."),
    ("verify_code (9|10) ",  # these numbers are OpenSSL's X509_V_ERR_...
     "The server's certificate is expired or not yet valid: check this machine's clock first."),
    ("verify_code (18|19|20|21) ",
     "The server's certificate authority is unknown: if it is your company's, or that of its "
     "proxy, set REQUESTS_CA_BUNDLE to a file that holds it."),
    ("verify_code (62|64) ",
     "The server's certificate is for another host name: check the host, and HTTPS_PROXY."),
    (r"certificate verify failed: (?P<found>[^(]+?) *\(",
     "Python refuses the server's certificate: {found}. Its authority must follow RFC 5280."),
)
PASSING = (
    ("ProxyError", "the proxy gives no connection"),
    ("gaierror|NameResolutionError", "the host name is not known here (DNS)"),
    ("NewConnectionError|ConnectionRefusedError", "no connection can be made"),
    ("ConnectTimeout", "no connection in time"),
    ("ReadTimeout|TimeoutError", "the answer did not come in time"),
    ("DecodeError|DecodingError", "the answer is broken"),
    ("", "the connection broke"),
)
# fmt: on


def problem_with_connection(error: BaseException) -> str:
    """What is wrong, in words that quote no setting.

    Raises:
        Failure: it is not the line but a setting, so that asking again would not help.
    """
    described = " ".join(descriptions(error))
    for form, sentence in HOPELESS:
        found = re.search(form, described)
        if found:
            raise Failure(SETTINGS, sentence.format(**found.groupdict())) from None
    words = next(words for form, words in PASSING if re.search(form, described))
    return f"{words}; check HTTPS_PROXY, which some networks need"


def descriptions(error: BaseException) -> Iterator[str]:
    """An error and those beneath it, to search in and never to show: one may quote a password."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
            kinds = " ".join(kind.__name__ for kind in type(one).__mro__)
            yield f"{kinds} verify_code {getattr(one, 'verify_code', 0)} {one}"


# --- what Entra ID says ---------------------------------------------------------------------------

# AADSTS numbers, for people only: a program looks at `error` (reference-error-codes.md)
# fmt: off
ENTERPRISE = "an administrator looks under Enterprise applications"
CURES = {
    (90002, 900023): "The tenant does not exist here: check the tenant ID and the sign-in host",
    (700016, 700038):
        "The tenant has no such app: check the Application (client) ID and the tenant; an app that "
        "was just made needs some minutes",
    (7000229,): f"The app has no service principal in this tenant: {ENTERPRISE}",
    (7000215,): "The client secret is wrong: it must be the secret's Value, not its Secret ID",
    (7000222,): "The client secret has expired: make a new one, or better use a certificate",
    (7000216, 7000218): "No credential came: fill in the certificate or the secret",
    (5002738,): "The key is of a kind that Entra ID does not take: RSA only",
    (700024,): "The clock of this machine is wrong, or was a moment ago: set it by NTP",
    (700021, 50048): "The request was signed for another app: check the client ID",
    (700023, 900382, 900432, 900439): "The app belongs to another cloud: check the sign-in host",
    (50027, 90014, 5002723): "The signed request was not understood: update msal",
    (1002012, 70011, 900144): "The scope is wrong: it is Graph's address and /.default",
    (500011, 500014): "The tenant does not know this resource: check the scope and the cloud",
    (7000112,): f"The app is disabled in this tenant: {ENTERPRISE}",
    (501051,): f"The app is not assigned to the resource: {ENTERPRISE}",
    (53003,): "Conditional Access blocks this app here: an administrator reads the sign-in log",
    (9001023, 50059): "A daemon needs its own tenant: its ID takes the place of /organizations",
    (700025,): "The app is set up as a public client: a daemon must be a confidential one",
    (1000502, 7000214, 7000274, 7000277): "The certificate has expired: upload a new one",
    (90055, 50196): "Entra ID is asked too often: use --token-cache, and run less often",
}
DATES = "The certificate is expired, or is not valid yet: look at its dates and at this clock"
CERTIFICATE_CURES = {  # 700027 has several reasons, which stand in brackets
    "not found":
        "The certificate is not registered on the app: upload it (the .crt or .cer, never the "
        "key); right after an upload wait some minutes",
    "expired": DATES,  # Entra ID also says so of one that is not valid yet
    "not yet valid": DATES,
    "signature failed": "The registered certificate belongs to another key: upload this key's",
    "key size": "The RSA key is too short: Entra ID takes 2048 bits or more",
    "signing algorithm": "The key is of a kind that Entra ID does not take: RSA only",
}
# fmt: on


def refusal_of_entra(result: dict[str, Any]) -> str:
    """Plain words first, then Entra ID's own sentence, then what support asks for."""
    text = " ".join(str(result.get("error_description") or "it gives no reason").split())
    text = re.sub(r" Trace ID: .*", "", text)[:500]
    sentence = f"Entra ID refuses, {result.get('error')}: {text}"
    if result.get("correlation_id"):
        sentence += f" (correlation id {result['correlation_id']})"
    found = re.search(r"AADSTS(\d+)", text)
    number = int(found[1]) if found else None
    cures = [words for numbers, words in CURES.items() if number in numbers]
    if number == 700027:
        cures = [words for reason, words in CERTIFICATE_CURES.items() if reason in text]
    return f"{cures[0]}. {sentence}" if cures else sentence


class EntraTransport:
    """What MSAL talks through: what it would swallow or misread ends the run."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, url: str, **options: Any) -> Answer:
        """The authority's addresses; MSAL would keep Entra ID's reason for itself."""
        answer, said = self.ask("GET", url, **options)
        if answer.status_code != 200:
            raise Failure(ENTRA, refusal_of_entra(said), answer.status_code)
        for name in ("token_endpoint", "authorization_endpoint", "issuer"):
            if not isinstance(said.get(name), str):
                what = f"What answers as Entra ID names no {name}"
                raise Failure(ENTRA, f"{what}: check the sign-in host.")
        return answer

    def post(self, url: str, **options: Any) -> Answer:
        return self.ask("POST", url, **options)[0]

    def ask(self, method: str, url: str, **options: Any) -> tuple[Answer, dict[str, Any]]:
        answer = self.session.ask("Entra ID", method, url, **options)
        said = parsed_json(answer.content)
        if not isinstance(said, dict) or (answer.status_code != 200 and "error" not in said):
            what = f"Instead of Entra ID came HTTP {answer.status_code} and another's page"
            hint = "check the sign-in host, and what is in between (HTTPS_PROXY, a portal)"
            raise Failure(ENTRA, f"{what}: {hint}.", answer.status_code)
        return answer, said

    def close(self) -> None:
        self.session.http.close()


def parsed_json(body: bytes) -> Any:
    """What a body says; None when it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


# --- Graph ----------------------------------------------------------------------------------------


Chains = deque[Iterator[bytes]]  # pages that lead one to the next; more may come meanwhile
Pages = Iterator[tuple[User, list[User]]]  # each with those who are new


class Part(NamedTuple):
    """The users whose sign-in names begin with `prefix`, but not with one of `without`."""

    prefix: str = ""
    without: tuple[str, ...] = ()
    level: int = 0

    @property
    def filter(self) -> str:
        conditions = [begins_with(self.prefix)] if self.prefix else []
        return " and ".join(conditions + [f"not {begins_with(one)}" for one in self.without])


class Graph:
    """Microsoft Graph's users for one app: gets the token, renews it, and sends it only to Graph.

    Args:
        settings: of `read_settings`, or a dictionary under the classic sample's names.
        cache: MSAL's token cache; without one the token lives as long as this object.

    Attributes:
        users: the address of all users.
        scope: what the token is asked for.
        session: the HTTP beneath.

    Raises:
        Failure: a setting is missing or has a wrong form; nothing has been sent yet.
    """

    def __init__(self, settings: Settings, cache: Any = None) -> None:
        self.settings = checked(settings)
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
        """Whether certificates are checked, or the file of the authorities that are trusted."""
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

    @cached_property
    def key_pair(self) -> KeyPair | None:
        """The key and its certificate, read once; None with a secret."""
        return read_key_pair(self.settings)

    def token(self, refused: str = "") -> str:
        """The cached token, or a new one: when it ends in five minutes, or Graph refused it.

        Args:
            refused: a token that Graph did not take.

        Raises:
            Failure: Entra ID gives no token, or it cannot be asked.
        """
        with self.lock:
            try:
                if not self.app:
                    self.app = self.connect()
                result = self.app.acquire_token_for_client(self.scope)  # looks into its cache first
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
                what = f"The token cache cannot be used: {error.strerror}"
                raise Failure(SETTINGS, f"{what}.") from None
            except Exception as error:  # whatever MSAL raises; its words may quote a setting
                what = f"MSAL can make nothing of Entra ID's answer ({type(error).__name__})"
                if self.cache:
                    what += ", or the token cache is damaged: delete its file"
                raise Failure(SETTINGS if self.cache else ENTRA, f"{what}.") from None
        return str(token)

    def connect(self) -> Any:
        """MSAL's app for these settings; it asks the authority for its addresses at once."""
        version = tuple(int(part) for part in msal.__version__.split(".")[:2])
        if version < OLDEST_MSAL:
            needed = ".".join(str(part) for part in OLDEST_MSAL)
            what = f"The version of msal is {msal.__version__}; {needed} or newer is needed"
            raise Failure(SETTINGS, f"{what}: pip install -U msal.")
        check_identity(self.settings)
        return msal.ConfidentialClientApplication(
            self.settings["client_id"],
            client_credential=credential(self.settings, self.key_pair),
            authority=self.settings["authority"],
            oidc_authority=self.settings["oidc_authority"],
            http_client=EntraTransport(self.session),
            token_cache=self.cache,
            instance_discovery=False,  # nobody else is asked about the authority
        )

    def without_secrets(self, sentence: str) -> str:
        """A server's sentence without the secrets that it may have sent back."""
        for name in ("secret", "passphrase"):
            value = self.settings[name] or ""
            if len(value) >= 4:  # shorter ones stand in many a word
                sentence = sentence.replace(value, "…")
        return sentence

    # --- one question

    def url(self, path: str = "", select: str = "", **given: Any) -> str:
        """The users' address with OData options.

        `id` is always selected, because by it nobody is lost or doubled.
        """
        names = [name for name in names_of(select) if name.lower() != "id"]
        if select:
            given["select"] = ",".join(["id", *names])
        return f"{self.users}{path}?{options(**given)}"

    def read(self, url: str, check: Proof = json.loads, refused: str = "", **more: Any) -> bytes:
        """What Graph answers to a GET, or to a POST when `more` holds its json.

        Args:
            check: of the body; a broken one is asked for again.
            refused: the token that Graph did not take; it is renewed once.

        Raises:
            Failure: Graph refuses, or gives no good answer in time, or the URL leads elsewhere.
        """
        if not same_origin(url, self.origin):
            what = "A link leads away from Microsoft Graph: it is not followed and gets no token."
            raise Failure(GRAPH, what)
        token = self.token(refused)
        headers = {"Authorization": f"Bearer {token}", "ConsistencyLevel": "eventual"}
        method = "POST" if more else "GET"
        answer = self.session.ask("Microsoft Graph", method, url, check, headers=headers, **more)
        if answer.status_code == 401 and not refused:
            return self.read(url, check, refused=token, **more)
        if answer.status_code != 200:
            sentence = self.without_secrets(refusal_of_graph(answer))
            raise Failure(GRAPH, sentence, answer.status_code)
        return answer.content

    def count(self) -> int:
        """How many users there are; 0 where Graph does not count, as in Azure AD B2C."""
        try:
            total = json.loads(self.read(f"{self.users}/$count"))
        except Failure as failure:
            if failure.status in (400, 404):
                return 0
            raise
        return total if isinstance(total, int) else 0

    # --- many pages

    def read_chain(self, first: str) -> Iterator[bytes]:
        """Pages that lead one to the next, from a URL on.

        A link that Graph does not know any more begins again with the first page.

        Raises:
            Failure: Graph refuses, or a link leads back to a page that was read.
        """
        visited: set[str] = set()
        restarts = 0
        url: str | None = first
        while url is not None:
            try:
                body = self.read(url, whole_page)
            except Failure as failure:
                has_expired = failure.status in (400, 410) and url != first
                if not has_expired or restarts == RESTARTS:
                    raise
                restarts += 1
                url = first
                visited.clear()
                continue
            visited.add(url)
            url = link_in(body)
            if url in visited:
                raise Failure(BUSY, "A link leads back to a page: this would never end.")
            yield body

    def read_pages(self, chains: Chains, found: set[str], workers: int = 1) -> Pages:
        """Pages as they come, each with those of its users who are new.

        Args:
            chains: as many are read at a time as there are workers.
            found: the ids that came so far; new ones are added.

        Raises:
            Failure: Graph refuses, or its pages would never end.
        """
        pool = ThreadPoolExecutor(workers)
        running: dict[Future[bytes | None], Iterator[bytes]] = {}
        idle = 0  # pages in a row without anybody new
        try:
            while running or chains:
                while chains and len(running) < workers:
                    one = chains.popleft()
                    running[pool.submit(next, one, None)] = one
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    goes_on = running.pop(future)
                    body = future.result()
                    if body is None:
                        continue
                    running[pool.submit(next, goes_on, None)] = goes_on
                    time.sleep(0)  # the request leaves before parsing makes the threads wait
                    page = parsed(body)
                    new = {user["id"]: user for user in page["value"] if user["id"] not in found}
                    found.update(new)
                    idle = 0 if new else idle + 1
                    if idle > MOST_IDLE_PAGES + len(found) // 100:  # a restart brings nobody new
                        raise Failure(BUSY, f"{idle:,} pages in a row bring nobody new.")
                    yield page, list(new.values())
        finally:
            self.session.stopping.set()
            pool.shutdown(cancel_futures=True)
            self.session.stopping.clear()

    def read_users(self, select: str = SELECT, where: str = "", workers: int = WORKERS) -> Users:
        """Every user once, in no promised order; in parts where page after page would take long.

        The first attempt is an advanced query: it allows all operators, and says how many users
        there are. The second is for tenants that do not count (aad-advanced-queries.md).

        Args:
            select: names of properties with commas; "" for Graph's own choice.
            where: an OData filter; what it finds is read page after page.
            workers: parts read at the same time; 1 reads page after page.

        Raises:
            Failure: Graph refuses, or gives no good answer in time; who came is not everybody.
        """
        self.token()  # now, so that the first page tells how long a page takes
        found: set[str] = set()
        query = {"select": select, "filter": where, "top": PAGE_SIZE, "count": "true"}
        try:
            yield from self.read_all(query, workers, found)
        except Failure as failure:
            if failure.status != 400 or found:
                raise
            refusal = Failure(GRAPH, failure.sentence + filter_hint(where), 400)
            if "Invalid filter clause" in failure.sentence:
                raise refusal from None
            try:
                yield from self.read_all(query | {"count": ""}, 1, found)
            except Failure as second:
                raise refusal if second.status == 400 and not found else second from None

    def read_all(self, query: dict[str, Any], workers: int, found: set[str]) -> Users:
        """Users, proved to be all of them: as many different ids as Graph counts users."""
        chains: Chains = deque()
        parts: list[Part] = []
        if workers > 1 and not query["filter"]:
            chains.append(self.read_part(query, Part(), parts, chains))
        else:
            chains.append(self.read_chain(self.url(**query)))
        total = None
        for page, new in self.read_pages(chains, found, workers):
            total = page.get("@odata.count") if total is None else total
            yield from new
            show_progress(len(found))
        show_progress(None)
        if len(found) != total and not query["filter"]:
            total = self.count()  # somebody may have come or gone meanwhile
        differ = "Microsoft Graph counts %s users, and %d came: %s."
        if total and len(found) != total and parts:
            log.warning(differ, total, len(found), "reading page after page")
            yield from self.read_all(query, 1, found)
        elif total and len(found) != total:
            log.warning(differ, total, len(found), "the directory may be changing, run again")

    # --- parts of the directory

    def read_part(
        self,
        query: dict[str, Any],
        part: Part,
        parts: list[Part],
        chains: Chains,
    ) -> Iterator[bytes]:
        """The pages of a part; after the first page of a large one, smaller ones take its place.

        Args:
            parts: takes down the smaller ones; the first count is that of everybody.
            chains: where the smaller ones wait for their turn.
        """
        started = time.monotonic()
        pages = self.read_chain(self.url(**query | {"filter": part.filter}))
        body = next(pages)
        seconds = time.monotonic() - started
        yield body
        found = COUNT.search(body)
        count = int(found[1]) if found else 0
        if not part.level:
            self.total = count
            on_a_page = len(parsed(body)["value"]) or 1  # Graph may send fewer than it is asked for
            is_large = seconds * count / on_a_page > WORTH_IT
        else:
            is_large = count > self.total * LARGEST_PART
        if is_large and NEXT_LINK.search(body) and part.level < MOST_SPLITS:
            smaller = self.split(part, body)
            if smaller:
                parts.extend(smaller)
                chains.extend(self.read_part(query, one, parts, chains) for one in smaller)
                return
        yield from pages

    def split(self, part: Part, body: bytes) -> list[Part]:
        """Smaller parts that hold the same users, by how names on a page begin."""
        try:
            users = parsed(body)["value"]
            if not any(UPN in user for user in users):
                users = self.users_of(part.filter, top=PAGE_SIZE)
            names = [str(user.get(UPN)).lower() for user in users]
            names = [name for name in names if name.startswith(part.prefix)]
            new = [one for one in self.beginnings(part, names) if one not in part.without]
        except Failure as failure:
            if failure.exit_code != GRAPH:
                raise
            return []  # a Graph that does not filter so
        without = (*part.without, *new)
        if not new or len(without) > MOST_PARTS + len(string.digits):
            return []
        level = part.level + 1
        return [Part(part.prefix, without, level), *(Part(one, (), level) for one in new)]

    def beginnings(self, part: Part, names: list[str]) -> list[str]:
        """How the names of a part go on, the frequent ones first.

        Where nearly all go on alike, a page tells too little, as its names may be in order. What
        is between the first and the last name of all that begin so tells more.
        """
        length = len(part.prefix) + 1
        often = Counter(name[:length] for name in names if len(name) >= length)
        most = [one for one, times in often.most_common(MOST_PARTS) if times >= len(names) * OFTEN]
        shared = shared_by_most(names, length)
        if not shared:
            return most
        up_to_one_digit = re.sub(r"([0-9])[0-9]+$", r"\1", shared)
        shared = max(shared[:length], up_to_one_digit, key=len)
        where = begins_with(shared)
        with ThreadPoolExecutor(2) as pool:  # both at once: all other reading waits for them
            first = pool.submit(self.users_of, where, top=1, orderby=UPN)
            last = pool.submit(self.users_of, where, top=1, orderby=f"{UPN} desc")
        ends = [str(user.get(UPN)).lower() for user in first.result() + last.result()]
        between = names_between(*ends) if len(ends) == 2 else []
        return [one for one in between if one.startswith(part.prefix)] or most

    def users_of(self, where: str, **how: Any) -> list[User]:
        """A page of sign-in names."""
        url = self.url(select=UPN, filter=where, count="true", **how)
        return list(parsed(self.read(url, whole_page))["value"])

    # --- changes

    def read_changes(self, select: str, kept: Path) -> tuple[list[User], dict[str, str]]:
        """What changed since the delta link in `kept`, and what to keep for the next run.

        Args:
            select: names of properties with commas; another choice starts over.
            kept: the file with the delta link; a new one reads everybody.

        Returns:
            Each user once, with the latest of all that came; `@removed` for those who went. When
            it is everybody, each has `@resync`: who is not among them is gone.
        """
        first = self.url("/delta", select=select)
        text = kept.read_bytes().decode("utf-8", "replace") if kept.exists() else "{}"
        if not KEPT_LINK.fullmatch(text):  # the file will be replaced: it must be one of ours
            what = "holds no delta link: name another file, or a new one to read everybody"
            raise Failure(SETTINGS, f"{kept} {what}.")
        links = json.loads(text)
        why = "--select is not that of the last run"
        if first in links:
            try:
                changes, link = self.read_delta(links[first])
                return changes, {first: link}
            except Failure as failure:
                if failure.status not in (400, 410):
                    raise
                why = "The delta link of the last run is too old"
        if links:
            log.warning("%s: everybody comes again, marked @resync.", why)
        changes, link = self.read_delta(first)
        return [user | {"@resync": True} for user in changes], {first: link}

    def read_delta(self, begin: str) -> tuple[list[User], str]:
        """All pages of one round of delta: each user once, and the link to the next round."""
        changes: dict[str, User] = {}
        page: User = {}
        try:
            for page, _ in self.read_pages(deque([self.read_chain(begin)]), set()):
                for user in page["value"]:
                    changes[user["id"]] = merged(changes.get(user["id"], {}), user)
                show_progress(len(changes))
        except Failure as failure:
            if failure.exit_code == GRAPH:
                failure.sentence += " (External ID and Azure AD B2C tenants have no delta.)"
            raise
        show_progress(None)
        link = page.get(DELTA)
        if not isinstance(link, str) or not same_origin(link, self.origin):
            raise Failure(BUSY, "The last page of the changes has no delta link of Graph.")
        return list(changes.values()), link

    # --- pandas

    def load_users(self, select: str = SELECT, **how: Any) -> Any:
        """All users as a pandas.DataFrame with a column for each property, in no promised order.

        Args:
            select: names of properties with commas; "" for Graph's own choice.
            how: `where` and `workers`, as for read_users.

        Raises:
            Failure: as for read_users.
        """
        pandas = import_module("pandas")  # takes longer than reading a page, and files need none
        gc.disable()  # rows hold no cycles, and to look for some takes half as long as parsing
        try:
            columns = Columns(names_of(select))
            users = list(columns.learning(self.read_users(select, **how)))
            columns.say_missing(bool(users))
            frame = pandas.DataFrame(users, columns=columns.keys or None)
        finally:
            gc.enable()
        for name in frame.columns:
            if name.endswith("DateTime"):
                try:
                    frame[name] = pandas.to_datetime(frame[name], utc=True)
                except (ValueError, TypeError):
                    log.warning("%s holds something that is no date: left as it came.", name)
        return frame


# --- questions and answers of Graph ---------------------------------------------------------------

NEXT_LINK = re.compile(rb'"@odata\.nextLink"\s*:\s*("(?:[^"\\]|\\.)*")')  # no text has bare quotes
COUNT = re.compile(rb'"@odata\.count"\s*:\s*(\d+)')
KEPT_LINK = re.compile(  # what --since writes
    r'\{("https://[^"\\\s]+/users/delta[^"\\\s]*": "https://[^"\\\s]+")?\}'
)


def names_of(select: str) -> list[str]:
    """The properties in a text with commas, each once however it is spelled."""
    names: dict[str, str] = {}
    for name in select.split(","):
        if name.strip():
            names.setdefault(name.strip().lower(), name.strip())
    if not all(re.fullmatch(r"[\w.@/-]+", name) for name in names):
        raise Failure(SETTINGS, "--select takes names of properties with commas between.")
    return list(names.values())


def options(**given: Any) -> str:
    """OData options as the query of a URL; empty ones are left out."""
    return urlencode({f"${name}": value for name, value in given.items() if value}, safe="$,()'")


def begins_with(beginning: str) -> str:
    text = beginning.replace("'", "''")
    return f"startsWith({UPN},'{text}')"


def shared_by_most(names: list[str], length: int) -> str:
    """The longest beginning, at least this long, that nine of ten names share; or none."""
    shared = ""
    while True:
        counted = Counter(name[:length] for name in names if len(name) >= length)
        for beginning, times in counted.most_common(1):
            if times >= len(names) * 0.9:
                shared = beginning
        if len(shared) < length:
            return shared
        length += 1


def names_between(first: str, last: str) -> list[str]:
    """How names between two others begin, where both go on with a digit or both with a letter."""
    length = 0
    while first[length : length + 1] == last[length : length + 1] != "":
        length += 1
    shared, left, right = first[:length], first[length : length + 1], last[length : length + 1]
    for signs in (string.digits, string.ascii_lowercase):
        if left and right and left in signs and right in signs:
            between = [shared + one for one in signs[signs.index(left) : signs.index(right) + 1]]
            if signs == string.digits and len(between) <= 2:  # a step that would bring little
                between = [one + digit for one in between for digit in string.digits]
            return between
    return []


def same_origin(url: str, origin: str) -> bool:
    """Whether a URL is of this scheme, host and port; parsers disagree on what is written oddly."""
    form = r"(https://[a-z0-9.-]+(?::\d+)?)(?:/[!-~]*)?"
    parts = re.fullmatch(form, url, re.IGNORECASE)
    if not parts or "\\" in url:
        return False
    return parts[1].lower().removesuffix(":443") == origin


def whole_page(body: bytes) -> None:
    """Raises ValueError for a page that is cut off; a whole one passes unparsed, and quickly."""
    braces_match = body.count(b"{") == body.count(b"}")
    brackets_match = body.count(b"[") == body.count(b"]")
    if braces_match and brackets_match and body.endswith(b"}"):
        return
    json.loads(body)


def link_in(body: bytes) -> str | None:
    """The link to the next page, found before the page is parsed."""
    found = NEXT_LINK.search(body)
    return parsed_json(found[1]) if found else None


def parsed(body: bytes) -> User:
    """A page whose form is what Graph promises."""
    page = parsed_json(body)
    users = page.get("value") if isinstance(page, dict) else None
    problem = ""
    if not isinstance(users, list):
        problem = "it is no list of users"
    elif not all(isinstance(user, dict) and is_text(user.get("id")) for user in users):
        problem = "a user has no id"
    elif page.get(NEXT) != link_in(body):
        problem = "its link to the next page is none"
    if problem:
        raise Failure(BUSY, f"Microsoft Graph sends a page that is broken: {problem}.")
    return dict(page)


def is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def show_progress(count: int | None) -> None:
    """How many users came so far, only on a terminal; None ends the line."""
    if sys.stderr and sys.stderr.isatty():
        sys.stderr.write("\n" if count is None else f"\r{count:,} users")


def merged(earlier: User, later: User) -> User:
    """What two entries of a delta say about one user, who may come several times.

    Source: delta-query-overview.md; a list such as `manager@delta` holds what was added to it.
    """
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
    """Plain words first where they help, then Graph's own sentence, then what support asks for."""
    sentence = f"Microsoft Graph refuses, HTTP {answer.status_code}"
    try:
        error = json.loads(answer.content)["error"]
        said = " ".join(f"{error['code']}: {error['message']}".split())[:600]
        inner = error.get("innerError") or {}
        request_id = inner.get("request-id")
        date = inner.get("date")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        hint = "check its address, and what is in between (HTTPS_PROXY, a portal)"
        return f"{sentence}, with a page that is not Graph's: {hint}."
    if answer.status_code == 401:
        sentence = f"The token is not for this Graph: check the scope and the cloud. {sentence}"
    if answer.status_code == 403:
        sentence = f"A permission is missing: --check says which roles the token has. {sentence}"
    support = f" (request-id {request_id}, {date})" if request_id else ""
    return f"{sentence} {said}{support}"


# fmt: off
FILTER_HINTS = (  # what people write in a filter that Graph refuses, and how Graph wants it
    ('[\u2018\u2019\u201c\u201d"]',
     "texts stand in straight single quotes: department eq 'Sales'"),
    (r"^[^']*'([^']*'[^']*')*[^']*$",
     "a quote inside a text is doubled: surname eq 'O''Brien'"),
    (r"'\d{4}-\d\d-\d\d",
     "dates stand without quotes: createdDateTime ge 2026-01-31T00:00:00Z"),
    (r"(?<!['\d])\d{4}-\d\d-\d\d(?!T[\d:.]+(Z|[+-]\d\d:\d\d))|\b\d{1,2}[./]\d{1,2}[./]\d{4}",
     "dates have a time and a zone: createdDateTime ge 2026-01-31T00:00:00Z"),
    (r"[=<>]",
     "operators are words: eq, ne, gt, ge, lt, le"),
    (r"(?i)'(true|false|null)'",
     "true, false and null stand without quotes: accountEnabled eq true"),
)
# fmt: on


def filter_hint(where: str) -> str:
    """How Graph wants what people often write otherwise, for a filter that it has refused."""
    others = r"(?i)'(?!\d{4}-\d\d|true'|false'|null')(?:[^']|'')*'"
    without_texts = re.sub(others, "''", where)
    hints = [hint for form, hint in FILTER_HINTS if re.search(form, without_texts)]
    return f" Write it so: {'; '.join(hints)}." if hints else ""


# --- files ----------------------------------------------------------------------------------------

KINDS = (".json", ".jsonl", ".csv", ".parquet")


class Columns:
    """The properties asked for and how Graph spells them, which is learned as users come.

    Attributes:
        keys: the properties in the order asked for, spelled as in the answers so far.
        missing: places in `keys` of those that never came.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.keys = list(names)
        self.missing = set(range(len(self.keys)))

    def learning(self, users: Users) -> Users:
        """The same users; whoever takes them finds `keys` and `missing` up to date."""
        for user in users:
            if self.missing:
                spelled = {key.lower(): key for key in user}
                for place in list(self.missing):
                    key = spelled.get(self.keys[place].lower())
                    if key:
                        self.keys[place] = key
                        self.missing.discard(place)
            yield user

    def missing_names(self) -> str:
        return ", ".join(self.keys[place] for place in sorted(self.missing))

    def say_missing(self, somebody_came: bool) -> None:
        if self.missing and somebody_came:
            what = "Microsoft Graph sent no property %s for anybody: is it spelled right?"
            log.warning(what, self.missing_names())

    def cells(self, user: User) -> list[str | None]:
        """A user as texts, in the order of `keys`."""
        return [cell_of(user.get(key)) for key in self.keys]


def cell_of(value: Any) -> str | None:
    """A text as it is, and lists, objects and truth values as JSON."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    if text.isascii():
        return text
    whole = text.encode("utf-8", "backslashreplace").decode()
    if whole != text:
        log.warning("A text holds half a character: it is written as its number, as in \\ud83c.")
    return whole


def write_users(
    users: Users,
    file: TextIO,
    kind: str,
    names: Sequence[str] = (),
    is_delta: bool = False,
    for_excel: bool = False,
) -> None:
    """Users as they come, in bounded memory; only .json needs all of them first.

    Args:
        kind: one of KINDS.
        names: the properties asked for; none for Graph's own choice.
        is_delta: whether they are changes, which leave out what never was filled in.
        for_excel: whether .csv is meant for Excel.
    """
    columns = Columns(names)
    learning = columns.learning(users)
    first = list(islice(learning, 1))  # says how Graph spells the names in a header
    everybody = chain(first, learning)
    if kind == ".json":
        file.write(json.dumps({"value": list(everybody)}, indent=2) + "\n")
    elif kind == ".jsonl":
        file.writelines(json.dumps(user) + "\n" for user in everybody)
    elif kind == ".csv":
        write_csv(everybody, columns, file, for_excel)
    else:
        write_parquet(everybody, columns, file)
    if not is_delta:
        columns.say_missing(bool(first))


class Rows:
    """A file for the csv module, whose rows end with CR LF: then every Python quotes both."""

    def __init__(self, file: TextIO, line_end: str) -> None:
        self.file = file
        self.line_end = line_end

    def write(self, row: str) -> None:
        self.file.write(row.removesuffix("\r\n") + self.line_end)


def write_csv(users: Users, columns: Columns, file: TextIO, for_excel: bool) -> None:
    if for_excel:
        file.write("\ufeff")  # by this mark Excel knows UTF-8
    writer = csv.writer(Rows(file, "\r\n" if for_excel else "\n"))
    writer.writerow(columns.keys)
    for user in users:
        cells = columns.cells(user)
        writer.writerow([harmless(cell) for cell in cells] if for_excel else cells)


def harmless(cell: str | None) -> str | None:
    """A text that Excel takes for a formula, made one that it does not (OWASP, CSV injection)."""
    is_formula = cell and cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    return f"'{cell}" if is_formula else cell


def write_parquet(users: Users, columns: Columns, file: TextIO) -> None:
    pa = import_module("pyarrow")  # nothing else needs it
    pq = import_module("pyarrow.parquet")
    names = list(columns.keys)
    kinds = {name: pa.timestamp("us", "UTC") for name in names if name.endswith("DateTime")}
    kinds["accountEnabled"] = pa.bool_()
    text = pa.schema([(name, pa.string()) for name in names])
    typed = pa.schema([(name, kinds.get(name, pa.string())) for name in names])
    rows = (dict(zip(names, columns.cells(user), strict=True)) for user in users)
    try:
        with pq.ParquetWriter(file.buffer, typed) as writer:
            while group := list(islice(rows, 20_000)):
                writer.write_table(pa.Table.from_pylist(group, text).cast(typed))
    except pa.ArrowInvalid:
        what = "A date or a truth value of Graph is none, which .parquet cannot hold"
        raise Failure(GRAPH, f"{what}: write .jsonl.") from None


def save(path: Path, write: Callable[[TextIO], object]) -> None:
    """Write a file for this user alone, which takes the old one's place when it is complete.

    Raises:
        Failure: the file cannot be written; an older one is as it was.
    """
    try:
        target = path.resolve()  # a link stays a link
    except RuntimeError:  # up to Python 3.12
        raise Failure(SETTINGS, f"{path} cannot be written: its links lead in a circle.") from None
    try:
        if target.exists() and not target.is_file():
            raise Failure(SETTINGS, f"{path} is no ordinary file: name another.")
        if not target.parent.is_dir():
            raise Failure(SETTINGS, f"{path} cannot be written: its folder does not exist.")
        remove_leftovers(target)
        descriptor, name = tempfile.mkstemp(".part", f"{target.name}.", target.parent)  # is 0600
        part = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())  # before it has its name: a power cut leaves old or new
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise Failure(SETTINGS, f"{path} cannot be written: {error.strerror}.") from None


def remove_leftovers(target: Path) -> None:
    """A run that was killed leaves its part, with people's data; after a day it is nobody's."""
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


# --- the check ------------------------------------------------------------------------------------

READ_ROLES = (  # one of them is enough (user-list.md)
    "User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All",
)  # fmt: skip
MORE_ROLES = {  # what a property needs besides (user resource), by its name in lower case
    "signinactivity": "AuditLog.Read.All",
    "employeeleavedatetime": "User-LifeCycleInfo.Read.All",
    "customsecurityattributes": "CustomSecAttributeAssignment.Read.All",
}


class Check:
    """The whole way once, a line a step, with what is wrong and what helps; secrets never.

    A step that looks at something returns its mark and its words, or raises Failure.
    """

    def __init__(self, given: argparse.Namespace, file: TextIO) -> None:
        self.given = given
        self.file = file
        self.exit_code = 0  # of the first step that is not good
        self.failed: set[str] = set()  # steps that are not good, or were not tried
        self.refusal: Failure | None = None
        self.marks = {"good": "\u2713", "bad": "\u2717", "doubtful": "!", "not tried": "-"}
        try:
            "\u2713\u2717".encode(file.encoding or "ascii")
        except UnicodeEncodeError:
            self.marks |= {"good": "ok", "bad": "NO"}

    def run(self) -> int:
        """All steps; the exit code is that of a run, or GRAPH when a role of --needs is missing."""
        self.step("settings", self.settings)
        self.step("credential", self.credential, "settings")
        self.step("Entra ID", self.authority, "settings")  # even without a credential
        self.step("clock", self.clock, "Entra ID")
        self.step("token", self.token, "credential", "Entra ID")
        self.step("roles", self.roles, "token")
        self.step("first page", self.first_page, "token")
        self.step("$count", self.count, "first page")
        return self.exit_code

    def step(self, name: str, look: Callable[[], tuple[str, str]], *needed: str) -> None:
        mark, words = "not tried", "not tried, because of what is said above"
        if not self.failed.intersection(needed):
            try:
                mark, words = look()
            except Failure as failure:
                mark, words = "bad", failure.sentence
                self.exit_code = self.exit_code or failure.exit_code
        if mark in ("bad", "not tried"):
            self.failed.add(name)
        print(f"{self.marks[mark]} {name:<12} {' '.join(words.split())}", file=self.file)

    def settings(self) -> tuple[str, str]:
        self.graph = Graph(read_settings(self.given.parameters))
        check_identity(self.graph.settings)
        return "good", "complete and well formed"

    def credential(self) -> tuple[str, str]:
        pair = self.graph.key_pair
        if not pair:
            return "good", "a client secret; a certificate would be the better way"
        if not pair.certificate:
            sha1_thumbprint(self.graph.settings)
            return "good", "a private key; only Entra ID knows whether the thumbprint fits"
        starts = pair.certificate.not_valid_before_utc
        if starts > datetime.now(UTC):
            words = f"The certificate is not valid before {starts:%Y-%m-%d %H:%M} UTC"
            return "doubtful", f"{words}: wait until then, or set this machine's clock."
        if expiry_warning(pair.certificate):
            return "doubtful", expiry_warning(pair.certificate)
        days = days_left(pair.certificate)
        return "good", f"the key fits its certificate, which is valid for {days:.0f} more days"

    def authority(self) -> tuple[str, str]:
        settings = self.graph.settings
        authority = settings["oidc_authority"] or f"{settings['authority']}/v2.0"
        transport = EntraTransport(self.graph.session)
        self.answer = transport.get(f"{authority}/.well-known/openid-configuration")
        return "good", "is reached and knows the tenant"

    def clock(self) -> tuple[str, str]:
        try:
            date = parsedate_to_datetime(self.answer.headers.get("Date", ""))
        except (ValueError, TypeError):
            return "doubtful", "the server sends no Date to compare with"
        behind = date.timestamp() - time.time()
        if abs(behind) <= 120:
            return "good", "agrees with the server"
        side = "behind" if behind > 0 else "ahead"
        return "doubtful", f"This machine is {abs(behind):.0f} seconds {side}: set it by NTP."

    def token(self) -> tuple[str, str]:
        self.granted = roles_in(self.graph.token())
        return "good", "Entra ID gives one"

    def roles(self) -> tuple[str, str]:
        """Roles of --needs must be there, and those that Graph needs when it refuses."""
        self.users = self.read_first_page()
        if self.granted is None:
            return "doubtful", "the token does not show any; Graph's answer tells"
        missing = [name for name in self.given.needs if name not in self.granted]
        if self.refusal and self.refusal.status == 403:
            for group in needed_roles(self.given.select):
                if not set(group) & set(self.granted):
                    missing.append(" or ".join(group))
        words = f"the token has {', '.join(sorted(self.granted)) or 'none'}"
        if missing:
            names = " and ".join(dict.fromkeys(missing))
            cure = "an administrator grants it as an application permission and consents"
            raise Failure(GRAPH, f"{words}; {names} is missing: {cure}.")
        return "good", words

    def read_first_page(self) -> list[User]:
        given = self.given
        count = "true" if given.filter else ""
        url = self.graph.url(select=given.select, filter=given.filter, top=PAGE_SIZE, count=count)
        try:
            return list(parsed(self.graph.read(url, whole_page))["value"])
        except Failure as failure:
            self.refusal = failure
            return []

    def first_page(self) -> tuple[str, str]:
        if self.refusal:
            self.refusal.sentence += filter_hint(self.given.filter)
            raise self.refusal
        columns = Columns(names_of(self.given.select))
        words = f"{len(list(columns.learning(iter(self.users))))} users"
        if columns.missing and self.users:
            absent = columns.missing_names()
            return "doubtful", f"{words}, but no property {absent}: is it spelled right?"
        return "good", words

    def count(self) -> tuple[str, str]:
        total = self.graph.count()
        if not total:
            return "doubtful", "This tenant does not count: no run can prove that it is whole."
        return "good", f"{total:,} users in the directory"


def needed_roles(select: str) -> list[Sequence[str]]:
    """Roles that reading these properties needs; of each group one is enough."""
    names = [name.lower() for name in names_of(select)]
    return [READ_ROLES, *([MORE_ROLES[name]] for name in names if name in MORE_ROLES)]


def roles_in(token: str) -> list[str] | None:
    """The application roles in a token, to show them; None when it cannot be looked into.

    An access token is opaque to a client, and may be of another form tomorrow (access-tokens.md):
    this is for people to look at. Whether the app may read is for Graph to say.
    """
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        return [str(role) for role in claims.get("roles", [])]
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None


# --- the program ----------------------------------------------------------------------------------


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    add = cli.add_argument
    add("parameters", nargs="?", type=Path, help="the classic sample's parameters.json, not .env")
    add("-o", "--output", type=Path, metavar="FILE", help=", ".join(KINDS))
    add("--select", default="", metavar="NAMES", help=f"properties; default: {SELECT}")
    add("--filter", default="", metavar="ODATA", help="such as \"startsWith(displayName,'a')\"")
    since = """only changes; the delta link is kept in this file. Who went has @removed; when
        everybody comes again, each has @resync. Not in External ID tenants"""
    add("--since", type=Path, metavar="FILE", help=since)
    excel = """.csv for Excel: with a byte order mark, and a ' before texts that Excel would take
        for formulas (they begin with = + - @)"""
    add("--excel", action="store_true", help=excel)
    add("--token-cache", metavar="FILE", help="keep the token for the next run (msal-extensions)")
    add("--check", action="store_true", help="go the whole way once and say what is wrong")
    needs = "with --check: look for this application role, too; may be repeated"
    add("--needs", action="append", default=[], metavar="ROLE", help=needs)
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
    is_like_the_sample = given.parameters and given.kind == ".json"
    given.select = given.select or ("" if is_like_the_sample else SELECT)
    return given


def run(given: argparse.Namespace) -> None:
    """One run; a Failure ends it, and an older file is as it was."""
    cache = token_cache(given.token_cache) if given.token_cache else None
    graph = Graph(read_settings(given.parameters), cache)
    pair = graph.key_pair
    if pair and pair.certificate and expiry_warning(pair.certificate):
        log.warning(expiry_warning(pair.certificate))
    names = names_of(given.select)
    if given.since:
        changes, links = graph.read_changes(given.select, given.since)
        users = iter(changes)
        names = columns_of_changes(names, changes)
    else:
        users = graph.read_users(given.select, given.filter)

    def write(file: TextIO) -> None:
        write_users(users, file, given.kind, names, bool(given.since), given.excel)

    if given.output:
        save(given.output, write)
    else:
        write_to_screen(write)
    if given.since:  # only now: a crash in between repeats changes and loses none
        save(given.since, lambda file: json.dump(links, file))


def columns_of_changes(names: list[str], changes: list[User]) -> list[str]:
    """The columns of a delta: who went has nothing but an id and @removed."""
    columns = ["id"]
    for name in names:
        if name.lower() == "manager":
            columns.append("manager@delta")  # is how it comes
        elif name.lower() != "id":
            columns.append(name)
    columns += ["@removed", "@resync"]
    others = {key for user in changes for key in user if "@" in key} - set(columns)
    return columns + sorted(others)


def write_to_screen(write: Callable[[TextIO], object]) -> None:
    """Write to standard output, all or with a Failure."""
    if not sys.stdout:
        raise Failure(SETTINGS, "Standard output is closed: write a file with -o.")
    try:
        write(sys.stdout)
        sys.stdout.flush()
    except OSError as error:
        with suppress(OSError, ValueError):  # or Python complains once more when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        what = "Standard output was not written to its end"
        raise Failure(SETTINGS, f"{what}: {error.strerror}.") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """One run or check, and its exit code; a failure is one line on standard error."""
    given = read_arguments(arguments)
    logging.basicConfig(format="%(name)s: %(message)s")
    for library in ("msal", "urllib3"):  # what they log may quote a setting
        logging.getLogger(library).setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # serial numbers, every night
    try:
        if given.check:
            return Check(given, sys.stdout).run()
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
