"""Reads an organisation's users from Microsoft Graph as a daemon: an app with an identity of its own, nobody signs in.

    python graph_daemon.py      prints JSON; AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH from .env
    python graph_daemon.py parameters.json -o users.csv    settings from the classic sample's file; a file for you alone
    python graph_daemon.py --since delta.json -o changes.jsonl     only what changed since the last run
exit codes: 0 done   2 a setting, the credential, a file or the command line is wrong   3 Entra ID gives no token
            4 Microsoft Graph refuses: permissions, --select, --filter   5 no good answer in time: run again later"""

import argparse
import csv
import gc
import json
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from importlib import import_module
from itertools import islice
from pathlib import Path
from threading import Event, Lock
from typing import Any, TextIO
from urllib.parse import urlencode

import msal
import pandas as pd
import requests
from jwt import PyJWTError

log = logging.getLogger("graph_daemon")
SETTINGS, ENTRA, GRAPH, BUSY = 2, 3, 4, 5  # exit codes
PAUSES, LONGEST_WAIT, TIMEOUT = (1, 2, 4, 8, 16, None), 300, (10, 60)  # seconds; (to connect, until the next bytes)
PAGE_SIZE, WORKERS, RESTARTS, WORTH_IT = 999, 16, 4, 10  # restarts a worker; seconds that make partitions worth it
PUBLIC = "https://graph.microsoft.com"
CLOUDS = {".us": "https://graph.microsoft.us", ".cn": "https://microsoftgraph.chinacloudapi.cn"}
NEXT_LINK = re.compile(rb'"@odata\.nextLink"\s*:\s*("(?:[^"\\]|\\.)*")')  # inside a text the quotes would be escaped
KEPT_LINK = re.compile(r'\{("https://[^"\\\s]+/users/delta[^"\\\s]*": "https://[^"\\\s]+")?\}')  # what --since writes
BEGINNINGS, UPN = "amsjrdkntlobehfgypxcizvuwq0123456789", "userPrincipalName"  # names begin so, the frequent ones first
SELECT = f"id,displayName,{UPN},mail,userType,accountEnabled,jobTitle,department,city,country,createdDateTime"


class Failure(Exception):
    """What all here raise: an exit code for the scheduler, a sentence for the operator, the HTTP status if Graph's."""


def read_settings(file: Path | None = None) -> dict[str, Any]:
    """The classic sample's parameters.json, or under its names the environment and, where that says nothing, .env."""
    if file:
        try:  # the // comments of the sample may stay
            return json.loads(re.sub(r"(?m)^\s*//.*$", "", file.read_text("utf-8-sig"))) | {"folder": file.parent}
        except (ValueError, TypeError) as error:
            raise Failure(SETTINGS, f"{file} is not like the sample's parameters.json: {error}") from None
    with suppress(ImportError):  # without python-dotenv only the environment counts
        dotenv = import_module("dotenv")  # nothing is interpolated: a password may contain ${...}
        dotenv.load_dotenv(file := dotenv.find_dotenv(usecwd=True), interpolate=False, encoding="utf-8-sig")
    value = {name: text.strip() for name, text in os.environ.items() if text.strip()}.get
    host = value("AZURE_AUTHORITY_HOST", "login.microsoftonline.com").removeprefix("https://").rstrip("/")
    cloud = CLOUDS.get(host.rpartition("microsoftonline")[2], PUBLIC)  # authentication-national-cloud.md
    return {
        "client_id": value("AZURE_CLIENT_ID"), "passphrase": value("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        "secret": value("AZURE_CLIENT_SECRET"), "private_key_file": value("AZURE_CLIENT_CERTIFICATE_PATH"),
        "oidc_authority": (oidc := value("OIDC_AUTHORITY")),  # a custom domain, for which azure-identity has no name
        "authority": f"https://{host}/{tenant}" if (tenant := value("AZURE_TENANT_ID")) and not oidc else None,
        "endpoint": value("GRAPH_ENDPOINT", f"{cloud}/v1.0").rstrip("/") + "/users", "folder": Path(file or "").parent,
    }  # fmt: skip


def credential(settings: dict[str, Any]) -> str | dict[str, Any]:
    """The secret, or a PFX or PEM file as MSAL wants it. A certificate in it means PS256, a thumbprint alone RS256."""
    if not settings.get("private_key_file"):
        return settings["secret"]
    path = settings.get("folder", Path()) / Path(settings["private_key_file"]).expanduser()
    pem, passphrase = path.read_bytes().decode("utf-8", "replace"), settings.get("passphrase") or None
    if "-----BEGIN" not in pem:
        return {"private_key_pfx_path": str(path), "passphrase": passphrase}
    thumbprint = settings.get("thumbprint", "").replace(":", "")  # some tools print colons
    which = {"public_certificate": pem} if "-----BEGIN CERTIFICATE" in pem else {"thumbprint": thumbprint}
    return {"private_key": pem, "passphrase": passphrase if "ENCRYPTED" in pem else None} | which


class Graph(requests.Session):
    """Microsoft Graph for one app: asks with a token, renews it, sends it nowhere else, and waits when told to."""

    def __init__(self, settings: dict[str, Any], cache: msal.TokenCache | None = None) -> None:
        super().__init__()
        self.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=WORKERS))  # a connection for each
        self.settings, self.cache, self.app, self.lock, self.stopping = settings, cache, None, Lock(), Event()
        self.users = settings.get("endpoint") or f"{PUBLIC}/v1.0/users"
        self.origin = "/".join(self.users.split("/")[:3])
        self.scope = settings.get("scope") or [f"{self.origin if self.origin in CLOUDS.values() else PUBLIC}/.default"]
        for names in ("client_id", "authority or oidc_authority", "private_key_file or secret"):
            if not any(map(settings.get, names.split(" or "))):
                raise Failure(SETTINGS, f"{names} is missing in parameters.json; --help has the names for .env.")
        if not re.fullmatch(r"https://[^/]+/\S+/users", self.users):
            raise Failure(SETTINGS, f"The endpoint must be like {PUBLIC}/v1.0/users, not {self.users}.")

    def request(self, method: str, url: str, attempt: int = 0, **options: Any) -> requests.Response:
        """As requests does it, and after an answer that is busy, lost or broken again, as late as Retry-After says."""
        options |= {"allow_redirects": False, "timeout": TIMEOUT, "auth": lambda request: request}  # no ~/.netrc
        try:
            answer = super().request(method, url, **options)
            page = answer.content if answer.status_code == 200 else b"{}"
            if page.count(b"{") != page.count(b"}") or page[-1:] != b"}":  # a whole page passes unread, and quickly
                json.loads(page)
            if answer.status_code not in (429, 503, 504):
                return answer
            problem, asked = f"HTTP {answer.status_code}", answer.headers.get("Retry-After", "not given")
        except (requests.RequestException, ValueError) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Failure(SETTINGS, f"Set REQUESTS_CA_BUNDLE to your CA file, if you trust: {error}") from None
            problem, asked = type(error).__name__, "not given"
        seconds = float(asked) if re.fullmatch(r"\d+(\.\d+)?", asked) else PAUSES[attempt]
        log.warning(problem := f"{url.split('/')[2]}: {problem}, Retry-After {asked} (attempt {attempt + 1})")
        if PAUSES[attempt] is None or seconds > LONGEST_WAIT or self.stopping.wait(seconds):
            raise Failure(BUSY, f"No good answer from {problem}.")
        return self.request(method, url, attempt + 1, **options)

    def token(self, refused: str = "") -> str:
        """The cached token, or a new one when there is none, it ends within five minutes, or Graph refused it."""
        with self.lock:
            try:
                if not self.app:  # MSAL asks the authority for its addresses at once, here nobody about the authority
                    given = {name: self.settings.get(name) for name in ("client_id", "authority", "oidc_authority")}
                    given |= {"http_client": self, "token_cache": self.cache, "instance_discovery": False}
                    self.app = msal.ConfidentialClientApplication(client_credential=credential(self.settings), **given)
                result = self.app.acquire_token_for_client(self.scope)  # since MSAL 1.23 it looks into its cache first
                if refused and result.get("access_token") == refused:
                    self.app.remove_tokens_for_client()
                    result = self.app.acquire_token_for_client(self.scope)
            except (ValueError, TypeError, PyJWTError) as error:  # of MSAL and what it brings, in their words
                raise Failure(SETTINGS, f"Key, passphrase, thumbprint, authority or cache are wrong: {error}") from None
        if "access_token" not in result:
            raise Failure(ENTRA, f"Entra ID refuses, {result.get('error')}: {result.get('error_description')}")
        return result["access_token"]

    def read(self, url: str, refused: str = "") -> bytes:
        """What Graph answers; a token it refuses is replaced once."""
        if not url.startswith(f"{self.origin}/"):  # as text: parsers disagree about odd addresses
            raise Failure(GRAPH, f"A link leads away from {self.origin}: it is not followed and gets no token.")
        token = self.token(refused)
        answer = self.get(url, headers={"Authorization": f"Bearer {token}", "ConsistencyLevel": "eventual"})
        if answer.status_code == 401 and not refused:
            return self.read(url, refused=token)
        if answer.status_code == 400 and url.endswith("/$count"):  # Azure AD B2C does not count (user-list.md)
            return b"0"
        if answer.status_code != 200:
            raise Failure(GRAPH, f"Graph refuses, HTTP {answer.status_code}: {answer.text[:1000]}", answer.status_code)
        return answer.content

    def url(self, path: str = "", select: str = "", **options: Any) -> str:
        """The users' address with OData options; `id` is always selected: by it nobody is lost or doubled."""
        options["select"] = select and ",".join(dict.fromkeys(["id", *select.split(",")]))
        return f"{self.users}{path}?" + urlencode({f"${k}": v for k, v in options.items() if v}, safe="$,()'")

    def read_pages(self, chains: Iterable[tuple[str, str]], workers: int = 1) -> Iterator[dict[str, Any]]:
        """Pages as they come, `workers` chains of them at a time. A chain: its first URL, and the URL to begin with."""
        waiting, tries, pool = iter(chains), iter([True] * RESTARTS * workers), ThreadPoolExecutor(workers)
        running = {pool.submit(self.read, chain[1]): chain for chain in islice(waiting, workers)}
        try:
            while running:
                first, url = running.pop(future := next(as_completed(running)))
                try:
                    page = future.result()
                    link = NEXT_LINK.search(page)
                    chain = (first, json.loads(link[1])) if link else next(waiting, None)
                    if chain == (first, url):
                        raise Failure(BUSY, "A link to the next page leads back to its own page: this would never end.")
                except Failure as failure:  # a link that Graph does not know any more begins again with the first page
                    if failure.args[-1] not in (400, 410) or url == first or not next(tries, False):
                        raise
                    page, chain = b'{"value": []}', (first, first)
                if chain:
                    running[pool.submit(self.read, chain[1])] = chain
                    time.sleep(0)  # the request may leave before parsing makes all other threads wait
                yield json.loads(page)
        finally:
            self.stopping.set()
            pool.shutdown(cancel_futures=True)
            self.stopping.clear()

    def partitions(self, select: str, by: str = UPN) -> list[str]:
        """First URLs that together cover everybody once: other scripts and punctuation, null, each letter and digit."""
        plain = [f"startsWith({by},'{letter}')" for letter in BEGINNINGS]
        others = [" and ".join(f"not {text}" for text in plain)] + [f"{by} eq null"] * (by != UPN)  # never null
        return [self.url(select=select, filter=text, top=PAGE_SIZE, count="true") for text in others + plain]

    def read_users(self, select: str = SELECT, where: str = "", workers: int = WORKERS) -> Iterator[dict[str, Any]]:
        """Every user once, in partitions when page after page would take long, unless `where` filters."""
        plain, seen = [self.url(select=select, filter=where, top=PAGE_SIZE)], set()
        started = self.token() and time.monotonic()
        total = json.loads(self.read(f"{self.users}/$count")) if workers > 1 and not where else 0
        quick = (time.monotonic() - started) * total / PAGE_SIZE <= WORTH_IT
        for firsts in [self.partitions(select), plain][quick:]:
            for page in self.read_pages(zip(firsts, firsts, strict=True), min(workers, len(firsts))):
                users = {user["id"]: user for user in page["value"] if user["id"] not in seen}
                seen.update(users)
                yield from users.values()
                sys.stderr.write(f"\r{len(seen):,} users" * sys.stderr.isatty())  # progress, only on a terminal
            sys.stderr.write("\n" * sys.stderr.isatty())
            if len(firsts) == 1 or len(seen) == total or len(seen) == json.loads(self.read(f"{self.users}/$count")):
                return  # proved: as many different ids as Graph counts users
            log.warning("The partitions hold %d users, $count said %d: reading page after page.", len(seen), total)

    def read_changes(self, select: str, kept: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """What changed since the delta link in `kept`, and what to keep for the next run; without a link, everyone."""
        first = self.url("/delta", select=select)  # another --select is another delta, and has another link
        links = kept.read_text("utf-8", "replace") if kept.exists() else "{}"
        if not KEPT_LINK.fullmatch(links):  # the file will be replaced, so it must be one of ours
            raise Failure(SETTINGS, f"{kept} holds no delta link: name another file, or a new one to read everybody.")
        pages = list(self.read_pages([(first, json.loads(links).get(first, first))]))
        changes = {user["id"]: user for page in pages for user in page["value"]}  # some come twice, the last counts
        return list(changes.values()), {first: pages[-1]["@odata.deltaLink"]}

    def load_users(self, select: str = SELECT, **how: Any) -> pd.DataFrame:
        """All users as a DataFrame; `how` as for read_users. The order of the rows is not promised."""
        gc.disable()  # rows hold no cycles, and looking for some takes half as long as parsing
        try:
            frame = pd.DataFrame(self.read_users(select, **how), columns=select.split(",") if select else None)
        finally:
            gc.enable()
        return frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in frame.filter(like="DateTime")})


def write(users: Iterable[dict[str, Any]], columns: list[str], kind: str, file: TextIO) -> None:
    """Users as they come, in bounded memory; only .json, in the classic sample's form, needs all of them first."""
    rows = ({k: v if v is None or isinstance(v, str) else json.dumps(v) for k, v in user.items()} for user in users)
    if kind == ".json":
        file.write(json.dumps({"value": list(users)}, indent=2) + "\n")
    elif kind == ".jsonl":
        file.writelines(json.dumps(user) + "\n" for user in users)
    elif kind == ".csv":
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")  # nothing else needs it
        kinds = {"accountEnabled": pa.bool_()} | {n: pa.timestamp("us", "UTC") for n in columns if "DateTime" in n}
        text, typed = (pa.schema([(name, of.get(name, pa.string())) for name in columns]) for of in ({}, kinds))
        with pq.ParquetWriter(file.buffer, typed) as writer:
            while group := list(islice(rows, 20_000)):
                writer.write_table(pa.Table.from_pylist(group, text).cast(typed))


def save(path: Path, write: Callable[..., None], *what: Any) -> None:
    """Write a file for this user alone, written beside the old one, whose place it takes only when it is complete."""
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "w", encoding="utf-8", newline="", opener=lambda name, how: os.open(name, how, 0o600)) as file:
            write(*what, file)
            file.flush()
            os.fsync(file.fileno())  # first the bytes, then the name: so even a power cut leaves the old or the new
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def token_cache(file: str) -> msal.TokenCache:
    """A token cache that survives restarts: encrypted where the system can, else for you alone."""
    kept = import_module("msal_extensions")
    with suppress(Exception):  # a Linux without a key ring cannot
        return kept.PersistedTokenCache(kept.build_encrypted_persistence(file))
    return kept.PersistedTokenCache(kept.FilePersistence(file))


def main(arguments: list[str] | None = None) -> int:
    """One run and its exit code; a failure is one line on standard error."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("parameters", nargs="?", type=Path, help="the classic sample's parameters.json, not .env")
    cli.add_argument("-o", "--output", type=Path, metavar="FILE", help=".json, .jsonl, .csv, .parquet (pyarrow)")
    cli.add_argument("--select", default="", metavar="NAMES", help=f"properties with commas; default: {SELECT}")
    cli.add_argument("--filter", default="", metavar="ODATA", help="for example: \"startsWith(displayName,'a')\"")
    cli.add_argument("--since", type=Path, metavar="FILE", help="only changes; the delta link is kept in this file")
    cli.add_argument("--token-cache", metavar="FILE", help="keep the token for the next run (needs msal-extensions)")
    given = cli.parse_args(arguments)
    kind = given.output.suffix if given.output else ".json"
    if kind not in (".json", ".jsonl", ".csv", ".parquet") or (given.since and given.filter):
        cli.error("-o must end in .json, .jsonl, .csv or .parquet; --since knows no --filter")
    select = given.select or ("" if given.parameters and kind == ".json" else SELECT)  # as the sample did
    logging.basicConfig(format="%(name)s: %(message)s")
    try:
        graph = Graph(read_settings(given.parameters), given.token_cache and token_cache(given.token_cache))
        changes, links = graph.read_changes(select, given.since) if given.since else ([], {})
        users = iter(changes) if given.since else graph.read_users(select, given.filter)
        output = (users, select.split(",") + ["@removed"] * bool(given.since), kind)
        save(given.output, write, *output) if given.output else write(*output, sys.stdout)
        if given.since:  # only now: a crash in between repeats changes and loses none
            save(given.since, json.dump, links)
    except (Failure, OSError, ImportError) as error:
        code, sentence = error.args[:2] if isinstance(error, Failure) else (SETTINGS, error)
        log.error(" ".join(f"{sentence}{': install it with pip' * isinstance(error, ImportError)}".split()))
        return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
