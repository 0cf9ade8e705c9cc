"""The practice tenant in the hands of a test: without a socket, or as the real process.

`Practice` calls the emulator directly, which costs microseconds. `running` starts `python -m practice_tenant` and
talks HTTPS to it, which is what a notebook and Microsoft's libraries do.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode

import forge
import requests
from chapters import NOTEBOOKS
from cryptography.hazmat.primitives.serialization import Encoding
from practice_tenant.directory.administrators import GLOBAL_ADMINISTRATOR
from practice_tenant.directory.tenant import Settings
from practice_tenant.directory.well_known import GRAPH_SERVICE_PRINCIPAL_ID, SERVICE_PRINCIPAL_ID
from practice_tenant.emulator import Emulator, Outcome
from practice_tenant.entra.assertion import ASSERTION_TYPE
from practice_tenant.messages import FORM, Answer, Request
from practice_tenant.signing import SigningKey
from practice_tenant.state import State

ORIGIN = "https://127.0.0.1:8443"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
SECRET = "practice~secret.value"
PATIENCE = 20  # seconds: how long a test waits for something that takes well under one

CERTIFICATE = forge.certificate()
DER = CERTIFICATE.public_bytes(Encoding.DER)


@dataclass
class Reply:
    """An answer as a client sees it; header names compare without regard to case."""

    status: int
    headers: requests.structures.CaseInsensitiveDict
    body: bytes

    @classmethod
    def of(cls, answer: Answer) -> Reply:
        return cls(answer.status, requests.structures.CaseInsensitiveDict(answer.headers), answer.body)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str, str]:
        """A refusal of Graph: status, code, message."""
        return self.status, self.json["error"]["code"], self.json["error"]["message"]


@lru_cache
def signing_key() -> SigningKey:
    """One key for all tests: making a new one takes a tenth of a second."""
    return SigningKey.generate()


@dataclass
class Practice:
    """The practice tenant without a socket: one daemon app with `CERTIFICATE` and `SECRET`.

    Args:
        roles: application roles of Microsoft Graph granted to the app.
        users: size of the directory, None for the people in data/.
        options: the emulator's further arguments, e.g. ``throttle=True``.
        settings: further `Settings`, e.g. ``organisation=organisation("fabrikam")``; they win.
    """

    roles: tuple[str, ...] = ("User.Read.All",)
    users: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = {"users": self.users, "certificates": (DER,), "secret": SECRET, "roles": self.roles} | self.settings
        settings = Settings(**given)
        options = dict(self.options)
        latency_ms = options.pop("latency_ms", 0)
        state = State(settings, **{"make_signing_key": signing_key} | options)
        self.emulator = Emulator(state, latency_ms)

    @property
    def tenant(self):
        return self.state.tenant

    @property
    def state(self):
        return self.emulator.state

    @property
    def token_url(self) -> str:
        return f"{ORIGIN}/{self.tenant.id}/oauth2/v2.0/token"

    # --- requests ---------------------------------------------------------------------------------------------

    def outcome(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Outcome:
        """What the server would be told to do; `target` is a path with a query, or a whole URL of an answer."""
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        return self.emulator.answer(Request(method, target.removeprefix(ORIGIN), lower, body, ORIGIN))

    def send(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Reply:
        return Reply.of(self.outcome(method, target, headers, body).answer)

    def get(self, target: str, token: str | None = "", headers: dict[str, str] | None = None) -> Reply:
        """A GET; to Graph with a good token unless another, or None, is given."""
        return self.send("GET", target, self._authorized(token) | (headers or {}))

    def call(self, method: str, target: str, value: Any = None, token: str | None = "", **headers: str) -> Reply:
        """Any method with a JSON body; a header's name is written with underscores."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        body = b"" if value is None else json.dumps(value).encode()
        return self.send(method, target, self._authorized(token) | {"Content-Type": "application/json"} | named, body)

    def control(self, name: str, value: Any = None, method: str = "POST") -> Reply:
        key = {"X-Practice-Key": self.state.control_key}
        return self.send(method, f"/control/{name}", key, b"" if value is None else json.dumps(value).encode())

    def ask_token(
        self, changes: dict[str, Any] | None = None, tenant: str | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """Ask the token endpoint as MSAL does with a certificate; in `changes`, None leaves a field out."""
        fields = {
            "client_id": self.tenant.client_id,
            "grant_type": "client_credentials",
            "client_info": "1",
            "scope": GRAPH_SCOPE,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        } | (changes or {})
        return self.form({name: value for name, value in fields.items() if value is not None}, tenant, headers)

    def ask_token_with_secret(self, changes: dict[str, Any] | None = None, tenant: str | None = None) -> Reply:
        no_certificate = {"client_assertion": None, "client_assertion_type": None, "client_secret": SECRET}
        return self.ask_token(no_certificate | (changes or {}), tenant)

    def form(
        self,
        fields: dict[str, str],
        tenant: str | None = None,
        headers: dict[str, str] | None = None,
        endpoint: str = "oauth2/v2.0/token",
    ) -> Reply:
        target = f"/{tenant or self.tenant.id}/{endpoint}"
        return self.send("POST", target, {"Content-Type": FORM} | (headers or {}), urlencode(fields).encode())

    def _authorized(self, token: str | None) -> dict[str, str]:
        if token is None:
            return {}
        return {"Authorization": f"Bearer {token or self.token()}"}

    # --- credentials ------------------------------------------------------------------------------------------

    def assertion(self, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A client assertion as MSAL writes it for a PFX; None takes a claim or a header member out."""
        now = time.time()
        client_id = self.tenant.client_id
        mine = {"aud": self.token_url, "iss": client_id, "sub": client_id, "jti": str(uuid.uuid4()), "iat": now,
                "exp": now + 600}  # fmt: skip
        names = {"alg": "PS256", "typ": "JWT", "x5t#S256": forge.x5t_s256(CERTIFICATE)} | (header or {})
        return forge.sign(_without_none(names), _without_none(mine | claims), key)

    def token(self, *, roles: tuple[str, ...] | None = None, scopes: tuple[str, ...] | None = None) -> str:
        """An access token for Graph.

        Args:
            roles: instead of those that were granted; () for a token without the claim.
            scopes: makes it a delegated token, the practice administrator's, with these permissions.
        """
        if roles is None and scopes is None:
            return self.ask_token_with_secret().json["access_token"]
        claims = self.claims(self.token())
        claims.pop("roles", None)
        claims |= {"roles": list(roles)} if roles else {}
        if scopes is not None:
            administrators = {"wids": [GLOBAL_ADMINISTRATOR]}
            claims |= {"scp": " ".join(scopes), "idtyp": "user", "appidacr": "0"} | administrators
        return self.state.signing_key.sign(claims)

    @staticmethod
    def claims(token: str) -> dict[str, Any]:
        return forge.decoded(token)[1]

    def remove_service_principal(self) -> None:
        del self.tenant.service_principals[SERVICE_PRINCIPAL_ID]

    @property
    def graph_principal(self) -> dict[str, Any]:
        return self.tenant.service_principals[GRAPH_SERVICE_PRINCIPAL_ID]


def fresh(users: int | None = None, roles: tuple[str, ...] = ("User.Read.All",)) -> Practice:
    """A practice tenant as new. It has the signing key of the last one like it, which takes longest to make."""
    practice = _kept(users, roles)
    practice.state.reset()
    return practice


@lru_cache(maxsize=8)
def _kept(users: int | None, roles: tuple[str, ...]) -> Practice:
    return Practice(roles, users)


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def pages(
    practice: Practice, target: str, headers: dict[str, str] | None = None, token: str = ""
) -> Iterator[dict[str, Any]]:
    """Every page of a collection, first to last."""
    while target:
        reply = practice.get(target, token, headers)
        assert reply.status == 200, reply.body
        yield reply.json
        target = reply.json.get("@odata.nextLink", "")


def in_url(text: str) -> str:
    """Text as one segment of a path: ``#EXT#`` becomes ``%23EXT%23``."""
    return quote(text, safe="@'")


# --- the real process -------------------------------------------------------------------------------------------


@dataclass
class Running:
    """The real process, ready.

    Attributes:
        facts: the line of JSON it printed.
        session: trusts its certificate authority and goes through no proxy.
    """

    process: subprocess.Popen
    facts: dict[str, Any]
    session: requests.Session
    stderr: IO[bytes]

    @property
    def origin(self) -> str:
        return self.facts["graph_endpoint"].removesuffix("/v1.0")

    @property
    def port(self) -> int:
        return int(self.origin.rpartition(":")[2])

    def control(self, name: str, value: Any = None) -> Any:
        """A control call that must succeed."""
        url, key = f"{self.facts['control_url']}/{name}", {"X-Practice-Key": self.facts["control_key"]}
        method = "GET" if name == "requests" else "POST"
        answer = self.session.request(method, url, json=value, headers=key, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def token(self) -> str:
        """A token for Graph, by secret: start with ``--secret SECRET``."""
        fields = {"client_id": self.facts["client_id"], "client_secret": SECRET, "scope": GRAPH_SCOPE,
                  "grant_type": "client_credentials"}  # fmt: skip
        url = f"{self.facts['authority']}/oauth2/v2.0/token"
        return self.session.post(url, fields, timeout=PATIENCE).json()["access_token"]

    def get(self, path: str, **headers: str) -> requests.Response:
        """A GET to Graph with a good token."""
        headers = {"Authorization": f"Bearer {self.token()}"} | headers
        return self.session.get(self.facts["graph_endpoint"] + path, headers=headers, timeout=PATIENCE)

    def log(self) -> str:
        """What it has written to standard error so far."""
        self.stderr.seek(0)
        return self.stderr.read().decode()


def start(
    *options: str, stdin: int | None = subprocess.DEVNULL, folder: Path = NOTEBOOKS, **more: Any
) -> tuple[subprocess.Popen, IO[bytes]]:
    """Start `python -m practice_tenant` of a folder; the process, and the file its standard error goes to."""
    stderr = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it, after the process has ended
    command = [sys.executable, "-m", "practice_tenant", *options]
    process = subprocess.Popen(command, cwd=folder, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, **more)
    return process, stderr


def read_facts(process: subprocess.Popen) -> dict[str, Any]:
    """The one line the process prints when it is ready; it is killed when it does not come in time."""
    guard = threading.Timer(PATIENCE, process.kill)
    guard.start()
    try:
        line = process.stdout.readline()
    finally:
        guard.cancel()
    assert line, "the practice tenant ended before it was ready"
    return json.loads(line)


@contextmanager
def running(*options: str, **more: Any) -> Iterator[Running]:
    """The real process from start to end; with `SECRET` as the app's secret unless the options name credentials."""
    if not {"--secret", "--certificate"} & set(options):
        options = (*options, "--secret", SECRET)
    process, stderr = start(*options, **more)
    try:
        facts = read_facts(process)
        with requests.Session() as session:
            session.verify = facts["ca_certificate"]
            session.trust_env = False
            yield Running(process, facts, session, stderr)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.stdout.close()
            if process.stdin:
                process.stdin.close()
            stderr.close()


def write_certificate(folder: Path, certificate: Any = CERTIFICATE, name: str = "server.crt") -> Path:
    """A certificate as a PEM file."""
    path = folder / name
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path
