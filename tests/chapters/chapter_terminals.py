"""Chapter 11 with a scheduler and two workers that were started by hand, as in three terminals. Part of .ci/run.

Plain `pytest` passes it by: ten processes of Dask and of practice tenants take as long as five hundred other tests.
The chapter's own cells and commands are what runs here. No secret may reach the scheduler, not even its memory, and a
worker that is killed in the middle costs no tenant and doubles none.
"""

import importlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import cloudpickle
import psutil
import pytest
from chapters import NOTEBOOKS, code_cells, known
from workbook import bench as benches
from workbook import open_bench

CHAPTER = NOTEBOOKS / "11_read_many_tenants.ipynb"
CUSTOMERS = {
    "fabrikam": {"users": 30},
    "litware": {"users": 7, "expired_app": True},
    "wideworld": {"users": 2500, "latency_ms": 300},
}
PEOPLE = {"contoso": 254, "fabrikam": 30, "wideworld": 2500}
PATIENCE = 60  # seconds: how long a test waits for what takes one or two
TOKEN = re.compile(rb"eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}")


def distributed():
    """Dask's package: it takes half a second, which pytest's other processes need not spend when they collect."""
    return importlib.import_module("distributed")


def cell(name):
    """The source of one of the chapter's code cells."""
    [found] = [one.source for one in code_cells(known(CHAPTER)) if one.id == name]
    return found


def cluster_section():
    """The section of the chapter with the commands for three terminals."""
    [found] = [one.source for one in known(CHAPTER).cells if one.id == "cluster-text"]
    return found


class Course:
    """The chapter's variables after its cells up to the task, with a small set of tenants."""

    def __init__(self, folder):
        self.variables = {"__name__": "__main__"}  # Dask sends functions of a notebook by value, and so these
        opened = open_bench(practice_only=True, customers=CUSTOMERS)
        os.environ["WORKBOOK_OUTPUT"] = str(folder)
        self.run(cell("bench").splitlines()[0])
        self.variables["bench"] = opened
        for name in ("app", "job", "connect", "jobs", "task"):
            self.run(cell(name))
        for name in ("fabrikam", "wideworld"):
            opened.tenants[name].consent(opened.client_id)

    def __getattr__(self, name):
        return self.variables[name]

    def run(self, source):
        exec(compile(source, str(CHAPTER), "exec"), self.variables)  # noqa: S102 - our own chapter

    @property
    def secrets(self):
        """What nobody but a worker may know: the passphrase, and the key as the file and as a program hold it."""
        body = "".join(self.bench.private_key.splitlines()[1:-1])
        return {"passphrase": str(self.bench.passphrase).encode(), "key": body[200:260].encode()}

    def files(self):
        """How many people each tenant's file has, and how often each id is there."""
        found = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in self.folder.glob("*.jsonl")}
        ids = Counter(json.loads(line)["id"] for lines in found.values() for line in lines)
        return {name: len(lines) for name, lines in found.items()}, ids


class Terminals:
    """A scheduler and two workers, each started with the chapter's own command, and what they print."""

    def __init__(self, folder):
        scheduler, worker = re.findall(r"^\.\./\.venv/bin/dask (.+)$", cluster_section(), flags=re.MULTILINE)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])
        self.log = (folder / "terminals.log").open("w+b")
        self.processes = [self.start(command) for command in (scheduler, worker, worker)]

    def start(self, command):
        dask = shutil.which("dask", path=str(Path(sys.executable).parent))
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # a terminal has none
        return subprocess.Popen(
            [dask, *shlex.split(command.replace("8786", self.port).replace(":8787", ":0"))],
            cwd=NOTEBOOKS,
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    @property
    def scheduler(self):
        return self.processes[0]

    def client(self):
        """The client that the chapter's three lines make, when both workers have come."""
        [lines] = re.findall(r"^```python\n(.+?)^```", cluster_section(), flags=re.MULTILINE | re.DOTALL)
        variables = {"Client": distributed().Client}
        os.chdir(NOTEBOOKS)
        exec(lines.replace("8786", self.port), variables)  # noqa: S102 - our own chapter
        client = variables["client"]
        client.wait_for_workers(2, timeout=PATIENCE)
        return client

    def printed(self):
        self.log.seek(0)
        return self.log.read()

    def end(self):
        for process in self.processes:
            end_family(psutil.Process(process.pid)) if process.poll() is None else None
            process.wait(PATIENCE)
        self.log.close()


def end_family(process):
    """Kill a process and its children at once, as a machine that loses its power does."""
    for one in [process, *process.children(recursive=True)]:
        one.kill()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    before = os.environ.get("WORKBOOK_OUTPUT")
    yield Course(tmp_path_factory.mktemp("output"))
    os.environ["WORKBOOK_OUTPUT"] = before or ""
    while benches._open_tenants:
        benches._open_tenants.pop().close()


@pytest.fixture(scope="module")
def terminals(tmp_path_factory):
    opened = Terminals(tmp_path_factory.mktemp("terminals"))
    yield opened
    opened.end()


@pytest.fixture(scope="module")
def client(course, terminals):
    here = Path.cwd()
    opened = terminals.client()
    yield opened
    opened.close()
    os.chdir(here)


# --- what travels, and who listens ---------------------------------------------------------------------------------


def test_a_packed_task_holds_paths_and_no_secret(course):
    packed = cloudpickle.dumps((course.read_tenant, course.jobs))
    assert str(course.folder / "app.json").encode() in packed
    assert [name for name, secret in course.secrets.items() if secret in packed] == []
    assert not TOKEN.search(packed)
    for app in ("app.json", "litware_app.json"):
        assert (course.folder / app).stat().st_mode & 0o077 == 0 or os.name == "nt"


def test_the_three_terminals_listen_on_this_machine_alone(client, terminals):
    addresses = [
        connection.laddr.ip
        for process in terminals.processes
        for one in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for connection in one.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(addresses) >= 5  # the scheduler and its pages, and of each worker at least its nanny and itself
    assert set(addresses) == {"127.0.0.1"}


def test_three_terminals_read_every_tenant_and_keep_the_failures_apart(course, client):
    futures = client.map(course.read_tenant, course.jobs, pure=False)
    for _ in distributed().as_completed(futures, timeout=PATIENCE):
        pass
    failed = {job["tenant"]: future for job, future in zip(course.jobs, futures, strict=True) if future.exception()}
    assert list(failed) == ["litware"]
    assert isinstance(failed["litware"].exception(), course.Failure)
    assert failed["litware"].exception().exit_code == 3
    counts, ids = course.files()
    assert counts == PEOPLE
    assert len(ids) == sum(PEOPLE.values())
    course.variables["kept"] = futures  # the scheduler remembers them, so that the next test has something to find


# --- what the scheduler knows -------------------------------------------------------------------------------------


def graph_of(client):
    """The scheduler's tasks as it holds them, packed, with their results, failures and logs."""

    def tasks(dask_scheduler):
        kept = [
            (key, task.run_spec, task.exception, task.exception_text, task.traceback_text, task.metadata)
            for key, task in dask_scheduler.tasks.items()
        ]
        return cloudpickle.dumps((kept, dask_scheduler.get_events()))

    return client.run_on_scheduler(tasks)


def test_neither_the_task_graph_nor_a_terminal_shows_key_or_token(course, client, terminals):
    packed = graph_of(client)
    assert b"app.json" in packed  # the jobs are in there
    for where in (packed, terminals.printed()):
        assert [name for name, secret in course.secrets.items() if secret in where] == []
        assert not TOKEN.search(where)
    needle = os.urandom(24).hex().encode()
    carried = client.submit(len, needle)
    assert carried.result(PATIENCE) == len(needle)
    assert needle in graph_of(client)  # so the search finds what is there


@pytest.mark.skipif(sys.platform != "linux", reason="another process's memory is a file on Linux only")
def test_neither_key_nor_token_is_in_the_schedulers_memory(course, client, terminals):
    needle, token = os.urandom(24).hex().encode(), course.connect(course.jobs[0]).token().encode()
    assert TOKEN.fullmatch(token)
    known = b"\0".join(memory_of(terminals.scheduler.pid))
    assert [name for name, secret in course.secrets.items() if secret in known] == []
    assert not TOKEN.search(known)
    futures = [client.submit(len, text, pure=False) for text in (needle, token)]  # and again, what is there is found
    assert [future.result(PATIENCE) for future in futures] == [len(needle), len(token)]
    known = b"\0".join(memory_of(terminals.scheduler.pid))
    assert needle in known
    assert TOKEN.search(known)


def memory_of(pid):
    """What a process can write to: its heap, its stacks and all that Python has put anywhere (proc_pid_maps(5))."""
    regions = re.findall(
        r"^([0-9a-f]+)-([0-9a-f]+) rw\S+ \S+ \S+ \d+ *(.*)$",
        Path(f"/proc/{pid}/maps").read_text(encoding="utf-8"),
        re.M,
    )
    parts = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for begin, end, name in regions:
            if name in ("[vvar]", "[vsyscall]"):
                continue
            memory.seek(int(begin, 16))
            try:
                parts.append(memory.read(int(end, 16) - int(begin, 16)))
            except OSError:  # a region that nobody may look into, such as a device's
                continue
    assert sum(map(len, parts)) > 10_000_000
    return parts


# --- later runs, and a worker that is lost --------------------------------------------------------------------------


def test_what_is_missing_is_read_once_more_and_nothing_else(course, client):
    (course.folder / "fabrikam.jsonl").unlink()
    kept = {path.name: path.stat().st_mtime_ns for path in course.folder.glob("*.jsonl")}
    source = textwrap.dedent(cell("again"))
    [line] = [one for one in source.splitlines() if one.startswith("missing =")]
    course.run(line)
    assert [job["tenant"] for job in course.missing] == ["fabrikam", "litware"]
    assert client.submit(course.read_tenant, course.missing[0], pure=False).result(PATIENCE) == "fabrikam"
    assert {name: (course.folder / name).stat().st_mtime_ns for name in kept} == kept


def test_a_worker_killed_in_the_middle_costs_no_tenant_and_doubles_none(course, client):
    del course.variables["kept"]  # or those of them that the dead worker had would be done again as well
    for path in course.folder.glob("*.jsonl"):
        path.unlink()
    futures = client.map(course.read_tenant, course.jobs, pure=False)
    far_away = futures[[job["tenant"] for job in course.jobs].index("wideworld")]
    deadline = time.monotonic() + PATIENCE
    while not (busy := [worker for worker, keys in client.processing().items() if far_away.key in keys]):
        assert time.monotonic() < deadline
    [pid] = client.run(os.getpid, workers=busy).values()
    assert not far_away.done()
    end_family(psutil.Process(pid).parent())  # the nanny as well, so nobody starts the worker anew
    states = [type(future.exception(PATIENCE)).__name__ for future in futures]
    assert states == ["NoneType", "NoneType", "Failure", "NoneType"]
    assert len(client.nthreads()) == 1
    counts, ids = course.files()
    assert counts == PEOPLE
    assert set(ids.values()) == {1}
