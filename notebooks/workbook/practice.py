"""The practice tenant as seen from a notebook: a child process, and a plain method for each control call."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Any

import requests

from .portal_address import is_forwarded, portal_address
from .problems import WorkbookProblem

_NOTEBOOKS = Path(__file__).resolve().parents[1]
_READY_WITHIN = 30  # seconds; it takes about one, a busy machine and an antivirus scanner may need more
_RUN_AGAIN = "Run the cell with open_bench() again."


class PracticeTenant:
    """A running practice tenant.

    It ends by itself when this process ends, however it ends: the child watches its standard input (design: a child
    that ignores SIGINT survives the Stop button, and one that reads a pipe cannot be orphaned).

    Args:
        options: command line options of ``python -m practice_tenant``.

    Raises:
        WorkbookProblem: it did not start; the sentence carries what it said.

    Attributes are the facts of its JSON line: `tenant_id`, `authority`, `graph_endpoint`, `ca_certificate` (path of a
    PEM file), `client_id` (None without certificate and secret), `pid`.
    """

    def __init__(self, options: list[str]):
        if "--portal" in options and is_forwarded():
            options = [*options, "--portal-behind-proxy"]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "practice_tenant", "--until-stdin-closes", *options],
            cwd=_NOTEBOOKS,
            env={**os.environ, "PYTHONSAFEPATH": ""},  # -m must find the module in cwd
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows: no black window beside the browser
            start_new_session=True,  # Jupyter kills a kernel's whole group; outside it the child can still tidy up
        )
        atexit.register(self.close)
        facts = self._first_line()
        self.tenant_id: str = facts["tenant_id"]
        self.authority: str = facts["authority"].rstrip("/")
        self.graph_endpoint: str = facts["graph_endpoint"].rstrip("/")
        self.ca_certificate: str = facts["ca_certificate"]
        self.client_id: str | None = facts["client_id"]
        self.pid: int = facts["pid"]
        self._portal_url: str | None = facts["portal_url"]
        self._control_url = facts["control_url"].rstrip("/")
        self._control = requests.Session()
        self._control.trust_env = False  # a proxy or another CA bundle of the system would get between
        self._control.verify = self.ca_certificate
        self._control.headers["X-Practice-Key"] = facts["control_key"]

    def __repr__(self) -> str:
        return f"<PracticeTenant: {'running' if self._process.poll() is None else 'ended'}>"

    @property
    def portal_url(self) -> str | None:
        """The practice portal's address, as the learner's browser reaches it; None when it is not served.

        Whoever has this address may do everything in the practice tenant.
        """
        return self._portal_url and portal_address(self._portal_url)

    def requests(self) -> list[dict[str, Any]]:
        """What the tenant saw, newest last, secrets cut."""
        seen: list[dict[str, Any]] = self._ask("GET", "/requests")["requests"]
        return seen

    def fail(
        self,
        target: str,
        *,
        count: int = 1,
        skip: int = 0,
        status: int | None = None,
        retry_after: int | None = None,
        delay_ms: int | None = None,
        cut: bool = False,
        expired_page_token: bool = False,
        corrupt: bool = False,
        in_batch: bool = False,
    ) -> None:
        """Makes the next `count` answers fail; one kind of failure a call.

        Args:
            target: ``"token"`` (everything Entra answers) or ``"graph"``.
            count: how many answers fail.
            skip: how many good answers come first.
            status: HTTP status to answer with, e.g. 429 or 503.
            retry_after: seconds for the Retry-After header.
            delay_ms: milliseconds to wait before the answer.
            cut: break the connection in the middle of the answer.
            expired_page_token: refuse the page's ``$skiptoken``.
            corrupt: spoil the answer's body.
            in_batch: fail steps inside a ``$batch`` instead of whole requests.
        """
        body: dict[str, Any] = {"target": target, "count": count, "skip": skip}
        wanted = {"status": status, "retry_after": retry_after, "delay_ms": delay_ms}
        body |= {name: value for name, value in wanted.items() if value is not None}
        flags = {"cut": cut, "expired_page_token": expired_page_token, "corrupt": corrupt, "in_batch": in_batch}
        body |= {name: True for name, value in flags.items() if value}
        self._ask("POST", "/faults", body)

    def shift_clock(self, seconds: int) -> None:
        """Moves the tenant's clock ahead (or back, when negative) by that many seconds."""
        self._ask("POST", "/clock", {"shift_seconds": seconds})

    def token_lifetime(self, seconds: int) -> None:
        """Sets how long the tokens live that are issued from now on."""
        self._ask("POST", "/token-lifetime", {"seconds": seconds})

    def grant(self, role: str) -> None:
        """Consents to an application role such as ``"User.Read.All"``."""
        self._ask("POST", "/roles", {"grant": role})

    def revoke(self, role: str) -> None:
        """Takes an application role away again. Tokens that were issued before keep it."""
        self._ask("POST", "/roles", {"revoke": role})

    def app(self, action: str) -> None:
        """``"enable"``, ``"disable"`` or ``"remove"`` the daemon app."""
        self._ask("POST", "/app", {"action": action})

    def consent(self, client_id: str) -> None:
        """The administrator opens the admin-consent link of an app, here or in another tenant, and accepts."""
        self._ask("POST", "/consent", {"client_id": client_id})

    def sign_in(self, user_code: str) -> None:
        """The practice administrator types a device code and agrees to what is asked."""
        self._ask("POST", "/sign-in", {"user_code": user_code})

    def reset(self) -> None:
        """Puts everything back to how the tenant started."""
        self._ask("POST", "/reset", {})

    def close(self) -> None:
        """Ends the tenant and waits until it is gone; closing twice does nothing."""
        atexit.unregister(self.close)
        self._end()
        self._pipe(self._process.stdout).close()
        self._errors.close()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._pipe(self._process.stdin).close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = self._control.request(method, self._control_url + path, json=body, timeout=10)
        except OSError:  # a RequestException, or its CA file has gone with it
            raise WorkbookProblem(f"The practice tenant does not answer any more. {_RUN_AGAIN}") from None
        if not answer.ok:
            raise WorkbookProblem(f"The practice tenant refuses that: {answer.json()['error']}")
        facts: dict[str, Any] = answer.json()
        return facts

    def _first_line(self) -> dict[str, Any]:
        """The JSON line it prints when it is ready, read with a time limit."""
        lines: Queue[bytes] = Queue()
        threading.Thread(target=lambda: lines.put(self._pipe(self._process.stdout).readline()), daemon=True).start()
        try:
            line = lines.get(timeout=_READY_WITHIN)
        except Empty:
            line = b""
        try:
            facts: dict[str, Any] = json.loads(line)
        except ValueError:
            self._end()  # what it said is complete only then
            said = self._last_words().rstrip(".")
            self.close()
            raise WorkbookProblem(f"The practice tenant did not start: {said}. {_RUN_AGAIN}") from None
        return facts

    @staticmethod
    def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
        if stream is None:
            raise RuntimeError("the practice tenant was started without a pipe")
        return stream

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"it said nothing within {_READY_WITHIN} seconds."
