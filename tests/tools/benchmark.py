"""Measures the practice tenant and the readers of users: `python tests/benchmark.py [--users N] [--readers|--tenant]`.

Everything is measured in one run on one machine, in turns, and the median is shown: compare the ratios, never seconds
of two machines or two days. Nothing is asserted. The peers (msgraph-sdk, O365, Office365-REST-Python-Client) and
pyarrow are installed into an environment of their own below the system's temporary folder.

Each reader runs in a process of its own, so that its processor time and its peak memory are its own. Only reading is
timed: imports, and getting the token, are not.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
NOTEBOOKS = TESTS.parent / "notebooks"
PEERS = Path(tempfile.gettempdir()) / "graph-benchmark-peers"
PACKAGES = ["msgraph-sdk", "O365", "Office365-REST-Python-Client", "msal", "requests", "pandas", "pyarrow"]
LATENCY = 150  # milliseconds a page: what Microsoft's Graph takes at best
PAGE = 999
TEN = "id,displayName,userPrincipalName,mail,jobTitle,department,officeLocation,city,country,accountEnabled"

# --- readers: each is prepared (imports, client), then called: everyone, or `pages` pages, and how many that were ----

Place = dict[str, Any]
Reader = Callable[[], int]


def session(place: Place) -> Any:
    import requests  # noqa: PLC0415 - each reader imports what it needs, in its own process

    line = requests.Session()
    line.trust_env = False
    line.verify = place["ca"]
    line.headers["Authorization"] = f"Bearer {place['token']}"
    return line


def bodies(place: Place) -> Iterator[bytes]:
    """The pages' bytes and nothing else; the link is cut out of the text."""
    line, url = session(place), f"{place['users']}?$top={PAGE}"
    while url:
        body = line.get(url).content
        yield body
        url = body[: body.index(b'"value":')].partition(b'"@odata.nextLink":"')[2].partition(b'"')[0].decode()


def sample_once(place: Place) -> Reader:
    """The classic sample: one request, so one page of 100, whatever the directory holds."""
    import requests  # noqa: PLC0415

    def read() -> int:
        headers = {"Authorization": f"Bearer {place['token']}"}
        return len(requests.get(place["users"], headers=headers, verify=place["ca"], timeout=60).json()["value"])

    return read


def sample_paged(place: Place) -> Reader:
    """The classic sample, following the link: pages of 100, a connection each."""
    import requests  # noqa: PLC0415

    def read() -> int:
        users, url, headers = [], place["users"], {"Authorization": f"Bearer {place['token']}"}
        for _ in range(place["pages"]):
            page = requests.get(url, headers=headers, verify=place["ca"], timeout=60).json()
            users += page["value"]
            if not (url := page.get("@odata.nextLink")):
                break
        return len(users)

    return read


def plain(place: Place) -> Reader:
    """requests and pandas in the plainest good way: one session, pages of 999."""
    import pandas as pd  # noqa: PLC0415

    line = session(place)

    def read() -> int:
        users, url = [], f"{place['users']}?$top={PAGE}"
        while url:
            page = line.get(url).json()
            users += page["value"]
            url = page.get("@odata.nextLink")
        return len(pd.DataFrame(users))

    return read


def ours(place: Place) -> Reader:
    """load_users() of graph_daemon.py."""
    sys.path.insert(0, str(NOTEBOOKS))
    import graph_daemon  # noqa: PLC0415

    graph = graph_daemon.Graph(
        {"client_id": "x", "authority": "https://x/y", "secret": "x", "endpoint": place["users"]}
    )
    graph.trust_env = False
    graph.verify = place["ca"]
    graph.token = lambda refused="": place["token"]
    return lambda: len(graph.load_users(select=""))


def parquet(place: Place) -> Reader:
    """graph_daemon.py writing a Parquet file."""
    sys.path.insert(0, str(NOTEBOOKS))
    import graph_daemon  # noqa: PLC0415
    import pyarrow.parquet  # noqa: PLC0415

    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ |= place["environment"]

    def read() -> int:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "users.parquet"
            if graph_daemon.main(["-o", str(file)]):
                raise SystemExit("graph_daemon.py failed.")
            return pyarrow.parquet.ParquetFile(file).metadata.num_rows

    return read


def sdk(place: Place) -> Reader:
    """Microsoft's own msgraph-sdk with its PageIterator."""
    import httpx  # noqa: PLC0415
    from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider  # noqa: PLC0415
    from msgraph import GraphRequestAdapter, GraphServiceClient  # noqa: PLC0415
    from msgraph.generated.users.users_request_builder import UsersRequestBuilder  # noqa: PLC0415
    from msgraph_core import GraphClientFactory  # noqa: PLC0415
    from msgraph_core.tasks.page_iterator import PageIterator  # noqa: PLC0415

    class Token:
        async def get_authorization_token(self, uri: str, additional_authentication_context: Any = None) -> str:
            return place["token"]

        def get_allowed_hosts_validator(self) -> None:
            return None

    async def everyone() -> int:
        client = httpx.AsyncClient(verify=place["ca"], trust_env=False, timeout=60, http2=True)
        client = GraphClientFactory.create_with_default_middleware(client=client)
        adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(Token()), client=client)
        adapter.base_url = place["users"].removesuffix("/users")
        graph = GraphServiceClient(request_adapter=adapter)
        query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(top=PAGE)
        found = []

        def keep(user: Any) -> bool:
            found.append(user)
            return len(found) < place["pages"] * PAGE

        options = UsersRequestBuilder.UsersRequestBuilderGetRequestConfiguration(query_parameters=query)
        await PageIterator(await graph.users.get(request_configuration=options), adapter).iterate(keep)
        return len(found)

    return lambda: asyncio.run(everyone())


def o365(place: Place) -> Reader:
    """O365, whose delay of 200 ms between requests is switched off."""
    from O365 import Account, MSGraphProtocol  # noqa: PLC0415

    class Practice(MSGraphProtocol):
        _protocol_url = place["users"].removesuffix("v1.0/users")

    account = Account(("x", "x"), auth_flow_type="credentials", tenant_id="x", protocol=Practice(), requests_delay=0)
    account.con.session = session(place)
    return lambda: sum(1 for _ in account.directory().get_users(limit=None))


def rest(place: Place) -> Reader:
    """Office365-REST-Python-Client."""
    from office365 import azure_env  # noqa: PLC0415
    from office365.graph_client import GraphClient  # noqa: PLC0415

    azure_env._ENDPOINTS[azure_env.AzureEnvironment.Global]["graph"] = place["users"].removesuffix("/v1.0/users")
    os.environ["REQUESTS_CA_BUNDLE"], os.environ["NO_PROXY"] = place["ca"], "127.0.0.1"
    client = GraphClient(lambda: {"token_type": "Bearer", "access_token": place["token"]})
    return lambda: len(client.users.get_all(page_size=PAGE).execute_query())


def floor_bytes(place: Place) -> Reader:
    """The same bytes off a socket."""
    return lambda: sum(body.count(b'"id":') for body in bodies(place))


def floor_parse(place: Place, collect: bool = True) -> Reader:
    """json.loads of pages that are here already."""
    pages = list(bodies(place))

    def read() -> int:
        if not collect:
            gc.disable()
        return len([user for body in pages for user in json.loads(body)["value"]])

    return read


def floor_parse_without_gc(place: Place) -> Reader:
    """The same while garbage collection rests."""
    return floor_parse(place, collect=False)


def floor_arrow(place: Place) -> Reader:
    """pyarrow.json instead of json and pandas: from pages that are here already to one table."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.json  # noqa: PLC0415

    pages, whole = list(bodies(place)), pa.json.ReadOptions(block_size=2**24)

    def users(body: bytes) -> pa.Table:
        page = pa.json.read_json(pa.BufferReader(body), read_options=whole)
        return pa.Table.from_struct_array(page["value"].combine_chunks().flatten())

    return lambda: len(pa.concat_tables(map(users, pages), promote_options="permissive"))


def floor_frame(place: Place) -> Reader:
    """pd.DataFrame of users that are parsed already."""
    import pandas as pd  # noqa: PLC0415

    users = [user for body in bodies(place) for user in json.loads(body)["value"]]
    return lambda: len(pd.DataFrame(users))


READERS: dict[str, tuple[Callable[[Place], Reader], bool, int]] = {  # reader, of the peers' environment, most pages
    "floor: bytes off a socket": (floor_bytes, False, 0),
    "floor: parse": (floor_parse, False, 0),
    "floor: parse without gc": (floor_parse_without_gc, False, 0),
    "floor: DataFrame": (floor_frame, False, 0),
    "floor: pyarrow.json to a table": (floor_arrow, True, 0),
    "sample, one request": (sample_once, False, 1),
    "sample, with paging": (sample_paged, False, 30),
    "requests + pandas": (plain, False, 0),
    "graph_daemon.load_users": (ours, False, 0),
    "load_users, pyarrow there": (ours, True, 0),
    "Office365-REST-Python-Client": (rest, True, 0),
    "O365": (o365, True, 0),
    "msgraph-sdk PageIterator": (sdk, True, 10),
    "graph_daemon -o .parquet": (parquet, True, 0),
}


def child(name: str) -> None:
    """Run one reader and print what it took: the part that runs in a process of its own."""
    place = json.load(sys.stdin)
    read = READERS[name][0](place)
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    users = read()
    took = {"users": users, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "mb": peak_memory()}
    print(json.dumps(took))


def peak_memory() -> float:
    """Megabytes this process ever had in memory; nan where the system does not tell (Windows)."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def run_child(name: str, place: Place, python: str) -> dict[str, float]:
    command = [python, str(Path(__file__).resolve()), "--child", name]
    done = subprocess.run(command, input=json.dumps(place), capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def peers() -> str:
    """The interpreter of the peers' environment, which is made the first time."""
    python = PEERS / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (PEERS / "ready").exists():
        say(f"installing {', '.join(PACKAGES)} into {PEERS}")
        venv.create(PEERS, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (PEERS / "ready").touch()
    return str(python)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --- part B: the readers ------------------------------------------------------------------------------------------


def compare_readers(users: int, rounds: int) -> None:
    """Every reader at 0 ms and at LATENCY a page; time for a part of the users is scaled to all of them."""
    import practice  # noqa: PLC0415 - not in the child processes, which run elsewhere

    python = {False: sys.executable, True: peers()}
    compare_skewed(users, rounds)
    for latency in (0, LATENCY):
        names = [name for name in READERS if latency == 0 or not name.startswith("floor") or "bytes" in name]
        took: dict[str, list[dict[str, float]]] = {name: [] for name in names}
        with practice.running("--users", str(users), "--latency-ms", str(latency)) as tenant:
            # Graph's own index is warm, so the tenant's may be, too: this asks each question once.
            run_child("graph_daemon.load_users", place_of(tenant), python[False])
            for number in range(rounds):
                for name in names:
                    say(f"{latency} ms, round {number + 1}: {name}")
                    _, of_peers, pages = READERS[name]
                    place = place_of(tenant) | {"pages": pages or users}
                    took[name].append(run_child(name, place, python[of_peers]))
        show_readers(took, users, latency)


def compare_skewed(users: int, rounds: int) -> None:
    """A directory where all sign-in names begin alike, beside one reader that goes page after page, at LATENCY."""
    import practice  # noqa: PLC0415

    for kind in ("prefix", "numbers"):
        names = ("requests + pandas", "graph_daemon.load_users")
        took: dict[str, list[float]] = {name: [] for name in names}
        options = ("--users", str(users), "--latency-ms", str(LATENCY), "--sign-in-names", kind)
        with practice.running(*options) as tenant:
            run_child("graph_daemon.load_users", place_of(tenant), sys.executable)  # the index is warm, as Graph's is
            for number in range(rounds):
                for name in names:
                    say(f"sign-in names {kind}, round {number + 1}: {name}")
                    took[name].append(run_child(name, place_of(tenant) | {"pages": users}, sys.executable)["wall"])
        usual, mine = (median(took[name]) for name in names)
        print(f"\n{users:,} users, {LATENCY} ms a page, sign-in names {kind}: page after page {usual:.2f} s, "
              f"load_users {mine:.2f} s, {usual / mine:.1f} times as fast (goal: 5)")  # fmt: skip


def place_of(tenant: Any) -> Place:
    import practice  # noqa: PLC0415

    environment = {
        "AZURE_TENANT_ID": tenant.facts["tenant_id"],
        "AZURE_CLIENT_ID": tenant.facts["client_id"],
        "AZURE_CLIENT_SECRET": practice.SECRET,
        "AZURE_AUTHORITY_HOST": tenant.origin,
        "GRAPH_ENDPOINT": tenant.facts["graph_endpoint"],
        "REQUESTS_CA_BUNDLE": tenant.facts["ca_certificate"],
    }
    users = f"{tenant.facts['graph_endpoint']}/users"
    return {"users": users, "token": tenant.token(), "ca": tenant.facts["ca_certificate"], "environment": environment}


def show_readers(took: dict[str, list[dict[str, float]]], users: int, latency: int) -> None:
    def middle(name: str, what: str) -> float:
        runs = took[name]
        scale = [1 if what == "mb" or one["users"] >= users else users / one["users"] for one in runs]
        return median(one[what] * factor for one, factor in zip(runs, scale, strict=True))

    usual = middle("requests + pandas", "wall")
    print(f"\n{users:,} users, {latency} ms a page" + " " * 12 + "   wall s    cpu s  peak MB   x plain   users/s")
    for name, runs in took.items():
        if name == "sample, one request":
            print(f"{name:36} sees {runs[0]['users']:.0f} of {users:,} users")
            continue
        part = "~" if runs[0]["users"] < users else " "  # scaled from a part
        wall, cpu, memory = (middle(name, what) for what in ("wall", "cpu", "mb"))
        print(f"{name:36}{part}{wall:9.2f}{cpu:9.2f}{memory:9.0f}{wall / usual:9.2f}x{users / wall:10,.0f}")
    mine = middle("graph_daemon.load_users", "wall")
    if latency == 0:
        least = middle("floor: parse", "wall") + middle("floor: DataFrame", "wall")
        ratios = (
            f"{mine / usual:.2f} of requests + pandas (goal: 1), {mine / least:.2f} of parse + DataFrame (goal: 1.5)"
        )
        print(f"load_users takes {ratios}")
    else:
        others = [name for name in took if name in ("requests + pandas", "Office365-REST-Python-Client", "O365")]
        best = min(middle(name, "wall") for name in others)
        print(f"load_users is {best / mine:.1f} times as fast as the best sequential reader (goal: 6)")


def write_a_million(users: int) -> None:
    """graph_daemon.py writing that many users to Parquet: its peak memory."""
    import practice  # noqa: PLC0415

    with practice.running("--users", str(users)) as tenant:
        took = run_child("graph_daemon -o .parquet", place_of(tenant), peers())
    print(f"\n{users:,} users to Parquet: {took['wall']:.0f} s, {took['mb']:.0f} MB at the most (goal: 400)")


# --- part A: the tenant -------------------------------------------------------------------------------------------


def compare_tenant(users: int, rounds: int) -> None:
    """The practice tenant's own numbers."""
    import practice  # noqa: PLC0415

    print(f"\npractice tenant, medians of {rounds}")
    for size in (None, users):
        options = ["--users", str(size)] if size else []
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            with practice.running(*options) as tenant:
                times.append(time.perf_counter() - started)
                memory = resident_memory(tenant.facts["pid"])
        people = f"{size:,} people" if size else "the people in data/"
        print(f"  ready with {people}: {median(times):.2f} s, {memory:.0f} MB resident")
    tokens(rounds)
    pages(users, rounds)


def tokens(rounds: int) -> None:
    """Tokens a second beside the signature it verifies and the one it makes, and MSAL's cache."""
    import forge  # noqa: PLC0415
    import msal  # noqa: PLC0415
    import practice  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415

    key, text, kind, digest = forge.private_key(), b"x" * 600, padding.PKCS1v15(), hashes.SHA256()
    signature = key.sign(text, kind, digest)
    without_socket = practice.Practice(users=10)
    assertion = without_socket.assertion()

    def bare() -> None:
        key.public_key().verify(signature, text, kind, digest)
        key.sign(text, kind, digest)

    def token() -> None:
        assert without_socket.ask_token({"client_assertion": assertion}).status == 200

    with practice.running("--users", "10") as tenant:
        app = msal.ConfidentialClientApplication(
            tenant.facts["client_id"], practice.SECRET, tenant.facts["authority"],
            http_client=tenant.session, instance_discovery=False)  # fmt: skip
        ask = lambda: app.acquire_token_for_client([practice.GRAPH_SCOPE])  # noqa: E731
        assert "access_token" in ask()
        speeds = in_turns({"RSA verify + sign": bare, "token": token, "token from MSAL's cache": ask}, 300, rounds)
    for name, seconds in speeds.items():
        ratio = seconds / speeds["RSA verify + sign"]
        print(f"  {name}: {1 / seconds:,.0f} a second, {ratio:.2f} x RSA verify + sign")


def pages(users: int, rounds: int) -> None:
    """What a page costs: with and without $select, filtered, in a small and in a large directory."""
    import practice  # noqa: PLC0415

    asked = {
        "page of 999": "$top=999",
        "page of 999, ten properties": f"$top=999&$select={TEN}",
        "page of 999, department eq": "$top=999&$filter=department eq 'Sales'",
        "page of 999, startsWith": "$top=999&$filter=startsWith(userPrincipalName,'m')",
        "rare startsWith": "$top=999&$filter=startsWith(userPrincipalName,'q')",
    }
    with practice.running("--users", "1000") as small, practice.running("--users", str(users)) as large:
        actions = {}
        for size, tenant in ((1000, small), (users, large)):
            place = place_of(tenant)
            line = session(place)
            for name, query in asked.items():
                actions[f"{name}, {size:,} people"] = lambda line=line, url=f"{place['users']}?{query}": line.get(url)
        speeds = in_turns(actions, 5, rounds)
    for name, seconds in speeds.items():
        print(f"  {name}: {seconds * 1000:.1f} ms, {1 / seconds:.0f} a second")


def compare_with(other: Path, users: int, rounds: int) -> None:
    """This practice tenant beside that of another working copy (`git worktree add`): ratios above 1 are faster."""
    import practice  # noqa: PLC0415

    old, new = f"the one in {other}", "this one"
    folders = {old: other / "notebooks", new: NOTEBOOKS}
    for options in ((), ("--users", str(users))):
        took: dict[str, list[float]] = {name: [] for name in folders}
        for _ in range(rounds):
            for name, folder in folders.items():
                started = time.perf_counter()
                with practice.running(*options, folder=folder):
                    took[name].append(time.perf_counter() - started)
        show_ratio(f"ready {' '.join(options)}", took[old], took[new])

    with (
        practice.running("--users", str(users), folder=folders[old]) as former,
        practice.running("--users", str(users), folder=folders[new]) as current,
    ):
        tenants = {old: former, new: current}
        compare_tokens(tenants, rounds)
        for name, query in (("ten properties", f"$top={PAGE}&$select={TEN}"), ("default properties", f"$top={PAGE}")):
            first = {which: pages_walked(tenant, query) for which, tenant in tenants.items()}
            again = {which: page_again(tenant, query) for which, tenant in tenants.items()}
            for what, reader in (("read for the first time", first), ("read again", again)):
                took = {which: [] for which in tenants}
                for _ in range(rounds * 10):
                    for which in tenants:
                        took[which].append(next(reader[which]))
                show_ratio(f"page of {PAGE}, {name}, {what}", took[old], took[new])
        for which, tenant in tenants.items():
            print(f"  {which}: {resident_memory(tenant.facts['pid']):.0f} MB resident")


def compare_tokens(tenants: dict[str, Any], rounds: int) -> None:
    """Tokens over HTTPS; the client makes no signature, so that the server is what is measured."""
    took: dict[str, list[float]] = {which: [] for which in tenants}
    for _ in range(rounds * 20):
        for which, tenant in tenants.items():
            started = time.perf_counter()
            tenant.token()
            took[which].append(time.perf_counter() - started)
    former, current = took.values()
    show_ratio("a token", former, current)


def pages_walked(tenant: Any, query: str) -> Iterator[float]:
    """Seconds of one page after the other, each read for the first time, from the first page to the last."""
    place = place_of(tenant)
    line, url = session(place), f"{place['users']}?{query}"
    while url:
        started = time.perf_counter()
        body = line.get(url).content
        yield time.perf_counter() - started
        url = json.loads(body).get("@odata.nextLink")


def page_again(tenant: Any, query: str) -> Iterator[float]:
    """Seconds of the first page, read over and over."""
    place = place_of(tenant)
    line, url = session(place), f"{place['users']}?{query}"
    line.get(url)
    while True:
        started = time.perf_counter()
        line.get(url)
        yield time.perf_counter() - started


def show_ratio(name: str, old: list[float], new: list[float]) -> None:
    former, current = median(old), median(new)
    print(f"  {name}: {former * 1000:.1f} ms before, {current * 1000:.1f} ms now, {former / current:.2f} x as fast")


# --- many tenants, as chapter 11 reads them ---------------------------------------------------------------------------

TENANTS = (12, 48)
CLUSTERS = tuple((workers, threads) for workers in (1, 2, 4, 8) for threads in (1, 4, 8))
PEOPLE = 2_000  # of each tenant: three pages
EMPTY_TASKS = 1_000


def compare_clusters() -> None:
    """Tenants one after the other and on Dask's workers, what a task costs, and what a lost worker costs."""
    from workbook import bench as benches  # noqa: PLC0415 - only this measurement needs a bench
    from workbook import open_bench  # noqa: PLC0415

    customers = {f"customer-{n}": {"users": PEOPLE, "latency_ms": LATENCY} for n in range(max(TENANTS))}
    opened = open_bench(practice_only=True, customers=customers)
    for name in customers:
        opened.tenants[name].consent(opened.client_id)
    app = {"client_id": opened.client_id, "private_key_file": str(opened.pfx_path), "passphrase": opened.passphrase}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "app.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(app), encoding="utf-8")
        jobs = [job_of(opened.tenants[name], file) for name in customers]
        for count in TENANTS:
            compare_cluster_sizes(jobs[:count])
        say_what_a_task_costs()
        lose_a_worker(jobs)
    while benches._open_tenants:
        benches._open_tenants.pop().close()


def job_of(tenant: Any, app: Path) -> Place:
    return {
        "app": str(app),
        "authority": tenant.authority,
        "endpoint": tenant.graph_endpoint,
        "ca": tenant.ca_certificate,
    }


def read_tenant(job: Place) -> int:
    """What a worker does with one tenant: the chapter's task without its file."""
    from graph_daemon import Graph, read_settings  # noqa: PLC0415 - imported where the worker is

    settings = read_settings(Path(job["app"]))
    graph = Graph(settings | {"authority": job["authority"], "endpoint": job["endpoint"]})
    graph.trust_env = False
    graph.verify = job["ca"]
    return sum(1 for _ in graph.read_users())


def cluster(workers: int, threads: int) -> Any:
    """A client of so many local workers, each of which has imported what a task needs."""
    from distributed import Client  # noqa: PLC0415

    client = Client(n_workers=workers, threads_per_worker=threads, dashboard_address="127.0.0.1:0", silence_logs=50)
    client.run(prepare, str(NOTEBOOKS))
    return client


def prepare(notebooks: str) -> None:
    sys.path.insert(0, notebooks)
    import graph_daemon  # noqa: F401, PLC0415


def took(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def read_all(client: Any, jobs: list[Place]) -> None:
    counts = client.gather(client.map(read_tenant, jobs, pure=False))
    if counts != [PEOPLE] * len(jobs):
        raise SystemExit(f"A tenant came short: {counts}")


def compare_cluster_sizes(jobs: list[Place]) -> None:
    alone = took(lambda: [read_tenant(job) for job in jobs])
    print(f"\n{len(jobs)} tenants of {PEOPLE:,} people, {LATENCY} ms a page")
    print(f"{'one after the other':24} {alone:6.2f} s")
    for workers, threads in CLUSTERS:
        say(f"{len(jobs)} tenants, {workers} x {threads}")
        with cluster(workers, threads) as client:
            seconds = took(lambda client=client: read_all(client, jobs))
        print(f"{f'{workers} workers x {threads} threads':24} {seconds:6.2f} s   {alone / seconds:5.1f} times as fast")


def say_what_a_task_costs() -> None:
    with cluster(2, 4) as client:
        client.gather(client.map(str, range(100), pure=False))
        seconds = took(lambda: client.gather(client.map(str, range(EMPTY_TASKS), pure=False)))
    print(f"\nan empty task on 2 x 4: {seconds / EMPTY_TASKS * 1000:.2f} ms")


def lose_a_worker(jobs: list[Place]) -> None:
    """One of four workers is killed when a quarter of the tenants has come."""
    from distributed import as_completed  # noqa: PLC0415

    def killing(client: Any) -> None:
        futures = client.map(read_tenant, jobs, pure=False)
        coming = as_completed(futures)
        for _ in range(len(jobs) // 4):
            next(coming)
        busiest = max(client.processing().items(), key=lambda pair: len(pair[1]))[0]
        [pid] = client.run(os.getpid, workers=[busiest]).values()
        psutil.Process(pid).kill()
        if client.gather(futures) != [PEOPLE] * len(jobs):
            raise SystemExit("A tenant came short.")

    import psutil  # noqa: PLC0415

    with cluster(4, 4) as client:
        whole = took(lambda: read_all(client, jobs))
        broken = took(lambda: killing(client))
    print(f"\n{len(jobs)} tenants on 4 x 4: {whole:.2f} s, and {broken:.2f} s when one worker is killed in the middle")


def in_turns(actions: dict[str, Callable[[], object]], times: int, rounds: int) -> dict[str, float]:
    """Seconds of one call of each: every round measures all of them, one after the other; medians."""
    took: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds + 1):
        for name, action in actions.items():
            started = time.perf_counter()
            for _ in range(times):
                action()
            took[name].append((time.perf_counter() - started) / times)
    return {name: median(values[1:]) for name, values in took.items()}  # the first round warms up


def resident_memory(pid: int) -> float:
    """Megabytes of another process, as ps tells; nan where there is no ps."""
    try:
        return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(pid)])) / 1024
    except (OSError, subprocess.CalledProcessError):
        return float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=100_000, metavar="N", help="size of the large directory")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often everything is measured")
    parser.add_argument("--readers", action="store_true", help="only the readers")
    parser.add_argument("--tenant", action="store_true", help="only the practice tenant")
    parser.add_argument("--skewed", action="store_true", help="only the directories where sign-in names begin alike")
    parser.add_argument("--many", action="store_true", help="only this: many tenants on Dask's workers (chapter 11)")
    parser.add_argument("--parquet", type=int, metavar="N", help="only this: write N users to Parquet, peak memory")
    parser.add_argument("--against", type=Path, metavar="DIR",
                        help="only this: the practice tenant beside that of another working copy")  # fmt: skip
    parser.add_argument("--child", choices=READERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return
    sys.path[:0] = [str(TESTS / "support"), str(NOTEBOOKS)]
    if options.many:
        compare_clusters()
        return
    if options.parquet:
        write_a_million(options.parquet)
        return
    if options.against:
        compare_with(options.against.resolve(), options.users, options.rounds)
        return
    if options.skewed:
        compare_skewed(options.users, options.rounds)
        return
    if not options.readers:
        compare_tenant(options.users, options.rounds)
    if not options.tenant:
        compare_readers(options.users, options.rounds)


if __name__ == "__main__":
    main()
