"""Reads an organisation's users from Microsoft Graph as a daemon: an app with an identity of its own, nobody signs in.

    python graph_daemon.py                       settings from the environment or .env; users as JSON on the screen
    python graph_daemon.py parameters.json       settings from the file of Microsoft's classic sample
    python graph_daemon.py -o users.parquet      to a file instead: .json, .jsonl, .csv or .parquet, for you alone
    python graph_daemon.py --since delta.json -o changes.jsonl      only what changed since the last run

exit codes: 0 done   2 a setting, the credential, a file or the command line is wrong   3 Entra ID gives no token
            4 Microsoft Graph refuses: see permissions, --select, --filter   5 no answer, or throttled: run again later
"""

import argparse
import csv
import gc
import json
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlencode, urlsplit

import msal
import pandas as pd
import requests

log = logging.getLogger("graph_daemon")
Users = list[dict[str, Any]]
SETTINGS, ENTRA, GRAPH, BUSY = 2, 3, 4, 5  # exit codes
LOGIN, PUBLIC = "login.microsoftonline.com", "https://graph.microsoft.com"
CLOUDS = {  # the others: where Entra ID answers, where Graph answers (entra docs: authentication-national-cloud.md)
    "login.microsoftonline.us": "https://graph.microsoft.us",
    "login.partner.microsoftonline.cn": "https://microsoftgraph.chinacloudapi.cn",
}
PAUSES, LONGEST_WAIT, TIMEOUT = (1, 2, 4, 8, 16, None), 300, (10, 60)  # seconds; (to connect, until the next bytes)
NEXT, PAGE_SIZE, WORKERS, WORTH_IT = "@odata.nextLink", 999, 16, 10  # seconds that make partitions worth it
LETTERS, UPN = "amsjrdkntlobehfgypxcizvuwq", "userPrincipalName"  # names' first letters, the frequent ones first
SELECT = f"id,displayName,{UPN},mail,userType,accountEnabled,jobTitle,department,city,country,createdDateTime"


class Failure(Exception):
    """One sentence for the operator, an exit code for the scheduler, and Graph's HTTP status if it was Graph."""

    def __init__(self, exit_code: int, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.exit_code, self.status = exit_code, status


# --- settings and credential: a dictionary with the names of the classic sample's parameters.json
def settings_from_environment() -> dict[str, Any]:
    """The environment, under azure-identity's names, and where it says nothing .env, here or in a folder above."""
    file = ""
    with suppress(ImportError):  # without python-dotenv only the environment counts
        from dotenv import find_dotenv, load_dotenv  # noqa: PLC0415

        file = find_dotenv(usecwd=True)
        load_dotenv(file, interpolate=False, encoding="utf-8-sig")  # a password may contain ${...}
    value = {name: text.strip() for name, text in os.environ.items() if text.strip()}.get
    host = value("AZURE_AUTHORITY_HOST", LOGIN).removeprefix("https://").rstrip("/")
    return {
        "authority": value("AZURE_TENANT_ID") and f"https://{host}/{value('AZURE_TENANT_ID')}",
        "oidc_authority": value("OIDC_AUTHORITY"),  # a custom domain, for which azure-identity has no name
        "endpoint": value("GRAPH_ENDPOINT", CLOUDS.get(host, PUBLIC) + "/v1.0").rstrip("/") + "/users",
        "client_id": value("AZURE_CLIENT_ID"), "secret": value("AZURE_CLIENT_SECRET"), "folder": Path(file).parent,
        "passphrase": value("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        "private_key_file": value("AZURE_CLIENT_CERTIFICATE_PATH"),
    }  # fmt: skip


def settings_from_file(path: Path) -> dict[str, Any]:
    """The classic sample's parameters.json; the // comments of its example may stay."""
    try:
        return json.loads(re.sub(r"(?m)^\s*//.*$", "", path.read_text("utf-8-sig"))) | {"folder": path.parent}
    except (OSError, ValueError, TypeError) as error:
        raise Failure(SETTINGS, f"{path} cannot be read as the sample's parameters.json: {error}") from None


def credential(settings: dict[str, Any]) -> str | dict[str, Any]:
    """The secret, or a PFX or PEM file as MSAL wants it. A certificate in it means PS256, a thumbprint alone RS256."""
    if not settings.get("private_key_file"):
        if not settings.get("secret"):
            raise Failure(SETTINGS, "Name a certificate file (AZURE_CLIENT_CERTIFICATE_PATH) or give a secret.")
        return settings["secret"]
    path = settings.get("folder", Path()) / Path(settings["private_key_file"]).expanduser()
    pem, passphrase = path.read_bytes().decode("utf-8", "replace"), settings.get("passphrase") or None
    if "-----BEGIN" not in pem:
        return {"private_key_pfx_path": str(path), "passphrase": passphrase}
    key = {"private_key": pem, "passphrase": passphrase if "ENCRYPTED" in pem else None}
    if "-----BEGIN CERTIFICATE" in pem:
        return key | {"public_certificate": pem}  # MSAL takes the certificates out of it and nothing else
    return key | {"thumbprint": settings.get("thumbprint", "").replace(":", "")}  # some tools print colons


# --- patience: every request has it, to Entra ID and to Graph
class PatientSession(requests.Session):
    """Asks again, as late as Retry-After says, when an answer is busy, lost on the way or broken in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=WORKERS))  # a connection for each
        self.stopping = threading.Event()  # set when waiting has become pointless

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """As requests does it, without redirects, which could lead anywhere. A good answer's JSON is its `value`."""
        options |= {"allow_redirects": False, "timeout": TIMEOUT, "auth": lambda request: request}  # no ~/.netrc
        for attempt, pause in enumerate(PAUSES, 1):
            try:
                answer = super().request(method, url, **options)
                if answer.status_code not in (429, 503, 504):
                    answer.value = json.loads(answer.content) if answer.status_code == 200 else None
                    return answer
                problem, asked = f"HTTP {answer.status_code}", answer.headers.get("Retry-After", "not given")
            except (requests.RequestException, ValueError) as error:
                if "CERTIFICATE_VERIFY_FAILED" in str(error):
                    raise Failure(SETTINGS, f"Set REQUESTS_CA_BUNDLE to your CA file, if you trust: {error}") from None
                problem, asked = type(error).__name__, "not given"
            problem = f"{urlsplit(url).netloc}: {problem}, Retry-After {asked}"
            log.info("%s (attempt %d of %d)", problem, attempt, len(PAUSES))
            seconds = float(asked) if re.fullmatch(r"\d+(\.\d+)?", asked) else pause
            if pause is None or seconds > LONGEST_WAIT or self.stopping.wait(seconds):
                break
        raise Failure(BUSY, f"No good answer from {problem}.")


# --- token and single answers
class Graph:
    """Microsoft Graph for one app: asks with a token, renews it, and sends it nowhere else."""

    def __init__(self, settings: dict[str, Any], cache: msal.TokenCache | None = None) -> None:
        self.settings, self.cache, self.session = settings, cache, PatientSession()
        self.users, self.app, self.lock = settings.get("endpoint") or f"{PUBLIC}/v1.0/users", None, threading.Lock()
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.users))
        resource = self.origin if self.origin in CLOUDS.values() else PUBLIC
        self.scope = settings.get("scope") or [f"{resource}/.default"]  # all that was consented to, at once
        self.authority = "oidc_authority" if settings.get("oidc_authority") else "authority"
        if not (settings.get("client_id") and settings.get(self.authority) and self.users.startswith("https://")):
            raise Failure(SETTINGS, "Give client_id, authority (AZURE_CLIENT_ID, AZURE_TENANT_ID), https endpoint.")

    def token(self, refused: str | None = None) -> str:
        """The cached token, or a new one when there is none, it ends within five minutes, or Graph refused it."""
        with self.lock:
            if not self.app:  # only now, as MSAL asks the authority for its addresses at once
                settings = {"authority": None, self.authority: self.settings[self.authority], "token_cache": self.cache}
                self.app = msal.ConfidentialClientApplication(
                    self.settings["client_id"], credential(self.settings), http_client=self.session,
                    instance_discovery=False, **settings)  # no other host is asked about the authority  # fmt: skip
            result = self.app.acquire_token_for_client(self.scope)  # since MSAL 1.23 it looks into its cache first
            if refused and result.get("access_token") == refused:
                self.app.remove_tokens_for_client()
                result = self.app.acquire_token_for_client(self.scope)
        if "access_token" not in result:
            raise Failure(ENTRA, f"Entra ID refuses, {result.get('error')}: {result.get('error_description')}")
        return result["access_token"]

    def get(self, url: str) -> Any:
        """The JSON that Graph answers; a token it refuses is replaced once."""
        if not url.startswith(f"{self.origin}/"):  # as text: parsers disagree about odd addresses
            raise Failure(GRAPH, f"A link leads away from {self.origin}: it is not followed and gets no token.")
        token = None
        for _ in range(2):
            token = self.token(refused=token)
            headers = {"Authorization": f"Bearer {token}", "ConsistencyLevel": "eventual"}  # for advanced queries
            answer = self.session.get(url, headers=headers)
            if answer.status_code == 200:
                return answer.value
            if answer.status_code != 401:
                break
        raise Failure(GRAPH, f"Graph refuses, HTTP {answer.status_code}: {answer.text[:1000]}", answer.status_code)

    def url(self, path: str = "", **options: Any) -> str:
        """The users' address with OData options; `id` is always selected: by it nobody is lost or doubled."""
        if options.get("select"):
            options["select"] = ",".join(dict.fromkeys(["id", *options["select"].split(",")]))
        return f"{self.users}{path}?" + urlencode({f"${k}": v for k, v in options.items() if v}, safe="$,()'")


# --- pages, partitions, changes
def read_pages(graph: Graph, firsts: Iterable[str], workers: int = 1) -> Iterator[dict[str, Any]]:
    """The pages behind the first URLs, fetched ahead, `workers` chains at a time; an expired chain starts again."""
    waiting, restarts, pool = iter(firsts), 0, ThreadPoolExecutor(workers)
    try:
        running = {pool.submit(graph.get, first): first for first in islice(waiting, workers)}
        while running:
            future = next(as_completed(running))
            first = running.pop(future)
            try:
                page = future.result()
            except Failure as failure:
                restarts += 1
                if "PageToken" not in str(failure) or restarts > len(PAUSES):  # paging.md; sdk-java issue 368
                    raise
                page = {"value": [], NEXT: first}
            if "value" not in page:
                raise Failure(SETTINGS, f"{first} is no list of users: the endpoint must be like …/v1.0/users.")
            if NEXT in page:
                running[pool.submit(graph.get, page[NEXT])] = first
            elif first := next(waiting, None):
                running[pool.submit(graph.get, first)] = first
            yield page
    finally:
        graph.session.stopping.set()
        pool.shutdown(cancel_futures=True)
        graph.session.stopping.clear()


def partitions(graph: Graph, select: str, by: str) -> list[str]:
    """First URLs that together cover every user once: by no letter (digits, other scripts), null, by each letter."""
    letters = [f"startsWith({by},'{letter}')" for letter in LETTERS]
    others = [" and ".join(f"not {letter}" for letter in letters)] + [f"{by} eq null"] * (by != UPN)  # never null
    advanced = [graph.url(select=select, filter=text, top=PAGE_SIZE, count="true") for text in others]
    return advanced + [graph.url(select=select, filter=text, top=PAGE_SIZE) for text in letters]


def read_users(graph: Graph, select: str = SELECT, where: str = "", workers: int = WORKERS) -> Iterator[Users]:
    """Every user once, a list at a time: in partitions when page after page would take long, unless `where` filters."""
    seen, ways, total = set(), [[graph.url(select=select, filter=where, top=PAGE_SIZE)]], 0
    if workers > 1 and not where and graph.token():
        started = time.monotonic()
        try:
            total = graph.get(graph.url("/$count"))
        except Failure as failure:
            if failure.exit_code != GRAPH:  # a refusal: Azure AD B2C does not count (user-list.md)
                raise
        if total and (time.monotonic() - started) * total / PAGE_SIZE > WORTH_IT:
            ways.insert(0, partitions(graph, select, UPN))
    for firsts in ways:
        for page in read_pages(graph, firsts, min(workers, len(firsts))):
            users = {int(user["id"].replace("-", ""), 16): user for user in page["value"]}  # half the memory of text
            yield [user for key, user in users.items() if key not in seen]
            seen.update(users)
            if sys.stderr.isatty():
                print(f"\r{len(seen):,} users ", end="", file=sys.stderr, flush=True)
        if len(firsts) == 1 or len(seen) in (total, graph.get(graph.url("/$count"))):
            return  # proved: as many different ids as Graph counts users
        log.warning("The partitions hold %d users, $count said %d: reading page after page.", len(seen), total)


def read_changes(graph: Graph, select: str, kept: Path) -> tuple[Users, dict[str, str]]:
    """What changed since the delta link in `kept`, and what to keep for the next run; without a link, everyone."""
    first = graph.url("/delta", select=select)
    try:
        links = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    except ValueError:
        raise Failure(SETTINGS, f"{kept} holds no delta link: delete it, and everyone is read again.") from None
    try:
        pages = list(read_pages(graph, [links.get(first, first)]))  # another --select is another delta
    except Failure as failure:
        if first not in links or failure.status not in (400, 410):  # an outdated link gets the one or the other
            raise
        pages = list(read_pages(graph, [first]))
    changes = {user["id"]: user for page in pages for user in page["value"]}  # some come twice, the last counts
    return list(changes.values()), {first: pages[-1]["@odata.deltaLink"]}


# --- output
def load_users(graph: Graph, select: str = SELECT, **how: Any) -> pd.DataFrame:
    """All users as a DataFrame; `how` as for read_users. The order of the rows is not promised."""
    gc.disable()  # rows hold no cycles, and looking for some takes as long as parsing
    try:
        users = [user for users in read_users(graph, select, **how) for user in users]
        frame = pd.DataFrame(users, columns=select.split(",") if select else None)
    finally:
        gc.enable()
    times = {name: pd.to_datetime(frame[name], utc=True) for name in frame if name.endswith("DateTime")}
    return frame.assign(**times)


def write(users: Iterator[dict[str, Any]], columns: list[str], kind: str, file: TextIO) -> None:
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
        import pyarrow as pa  # noqa: PLC0415 - nothing else needs it, and pandas is slower in its presence
        import pyarrow.parquet as pq  # noqa: PLC0415

        kinds = {"accountEnabled": pa.bool_(), "createdDateTime": pa.timestamp("ns", "UTC")}
        text, typed = (pa.schema([(name, of.get(name, pa.string())) for name in columns]) for of in ({}, kinds))
        with pq.ParquetWriter(file.buffer, typed) as writer:
            while group := list(islice(rows, 50_000)):
                writer.write_table(pa.Table.from_pylist(group, text).cast(typed))


def save(path: Path, write: Callable[[TextIO], None]) -> None:
    """Write a file for this user alone, beside the old one, and put it in its place only when it is complete."""
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "w", encoding="utf-8", newline="", opener=partial(os.open, mode=0o600)) as file:
            write(file)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def token_cache(file: str) -> msal.TokenCache:
    """A token cache that survives restarts: encrypted where the system can, else for you alone."""
    import msal_extensions as kept  # noqa: PLC0415 - only this option needs it

    try:
        return kept.PersistedTokenCache(kept.build_encrypted_persistence(file))
    except Exception:  # a Linux without a key ring
        return kept.PersistedTokenCache(kept.FilePersistence(file))


# --- command line
def main(arguments: list[str] | None = None) -> int:
    """One run and its exit code; a failure is one line on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("parameters", nargs="?", type=Path, help="the classic sample's parameters.json, instead of the environment")
    add("-o", "--output", type=Path, metavar="FILE", help="replaced when all is read (.parquet needs pyarrow)")
    add("--select", default="", metavar="NAMES", help=f"properties with commas; default: {SELECT}")
    add("--filter", default="", metavar="ODATA", help="for example: \"startsWith(displayName,'a')\"")
    add("--since", type=Path, metavar="FILE", help="only changes; the delta link is kept in this file")
    add("--token-cache", metavar="FILE", help="keep the token for the next run (needs msal-extensions)")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(name)s: %(message)s")
    log.setLevel(logging.INFO)
    kind = options.output.suffix if options.output else ".json"
    select = options.select or ("" if options.parameters and kind == ".json" else SELECT)  # as the sample did
    try:
        if kind not in (".json", ".jsonl", ".csv", ".parquet") or (options.since and options.filter):
            raise Failure(SETTINGS, "-o must end in .json, .jsonl, .csv or .parquet; --since knows no --filter.")
        settings = settings_from_file(options.parameters) if options.parameters else settings_from_environment()
        graph = Graph(settings, options.token_cache and token_cache(options.token_cache))
        changes, links = read_changes(graph, select, options.since) if options.since else ([], {})
        lists = [changes] if options.since else read_users(graph, select, options.filter)
        columns = select.split(",") + ["@removed"] * bool(options.since)
        output = partial(write, chain.from_iterable(lists), columns, kind)
        save(options.output, output) if options.output else output(sys.stdout)
        if options.since:  # only now: a crash in between repeats changes and loses none
            save(options.since, partial(json.dump, links))
    except Exception as error:  # a file, MSAL, cryptography, a missing package: each complains in its own way
        log.error(" ".join(f"{'' if isinstance(error, Failure) else type(error).__name__} {error}".split()))
        return getattr(error, "exit_code", SETTINGS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
