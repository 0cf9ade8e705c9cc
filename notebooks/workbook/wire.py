"""What went over the wire: every request and its answer, in order, and ways to look at them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import requests

from .drawing import SequenceDiagram, assertion_in_words, rows
from .exchange import Exchange, Places, asked, failure_in_words, fill_in
from .problems import ConnectionProblem, explain, is_no_answer

_TIMEOUT = 30  # seconds: requests itself would wait forever
_PATIENCE = 60  # seconds: as long as Entra ID asks for (microsoft-authentication-library-for-dotnet#2855)
_ATTEMPTS = 4


class Wire:
    """The exchanges so far, oldest first, and three ways to look at them: table, sequence, assertion."""

    def __init__(self, places: Places, exchanges: list[Exchange] | None = None):
        self._places = places
        self._exchanges = exchanges if exchanges is not None else []
        self._steps: list[Wire] = []

    def __len__(self) -> int:
        return len(self._exchanges)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(list(self._exchanges))

    def __getitem__(self, index: int) -> Exchange:
        return self._exchanges[index]

    def __repr__(self) -> str:
        return f"<Wire: {len(self)} exchange{'' if len(self) == 1 else 's'}>"

    @property
    def last(self) -> Exchange | None:
        """The newest exchange, None when nothing was sent."""
        return self._exchanges[-1] if self._exchanges else None

    @property
    def to_entra(self) -> Wire:
        """Only what was sent to Entra ID."""
        return self._only("Entra ID")

    @property
    def to_graph(self) -> Wire:
        """Only what was sent to Microsoft Graph."""
        return self._only("Microsoft Graph")

    def clear(self) -> None:
        """Forgets everything recorded so far."""
        self._exchanges.clear()

    @contextmanager
    def fresh(self) -> Iterator[Wire]:
        """``with wire.fresh() as step:`` gives a Wire that holds only what is sent inside the block."""
        step = Wire(self._places)
        self._steps.append(step)
        try:
            yield step
        finally:
            self._steps.remove(step)

    def table(self, *columns: str) -> Any:
        """A pandas.DataFrame, one row for each exchange; what differs from run to run (ports, ids, times) is left out.

        Args:
            columns: which to show, of ``#``, ``method``, ``host``, ``path``, ``status``, ``note``, ``sent`` and
                ``answered``. Without any: method, path, status and note, which is the one thing that matters: the
                error, else the scope that was asked for, else how much came.

        Raises:
            ValueError: there is no such column.
        """
        columns = columns or ("method", "path", "status", "note")
        lines = rows(self._exchanges, self._places, columns)
        tables = import_module("workbook.tables")  # brings pandas, which a chapter's first cell need not wait for
        return tables.WireTable(lines, columns=list(columns))

    def sequence(self) -> SequenceDiagram:
        """The same as a drawing: who asked whom, in order."""
        return SequenceDiagram(self._exchanges, self._places)

    def assertion(self, stable: bool = False) -> dict[str, dict[str, Any]] | None:
        """Header and claims of the last client assertion that was sent; None when none was. No signature is kept.

        Args:
            stable: replace what differs from run to run and tenant to tenant by words, ids and times included.
        """
        sent = [one.assertion for one in self._exchanges if one.assertion]
        if not sent:
            return None
        return assertion_in_words(sent[-1], self._places) if stable else sent[-1]

    def record(self, exchange: Exchange) -> None:
        """Appends one exchange, here and in every step that is open."""
        for wire in (self, *self._steps):
            wire._exchanges.append(exchange)

    def _only(self, party: str) -> Wire:
        return Wire(self._places, [one for one in self._exchanges if one.party == party])


class RecordingSession(requests.Session):
    """A requests.Session whose traffic a Wire keeps. MSAL takes it as ``http_client=``, Graph calls use it directly.

    Args:
        places: who is who.
        is_real: the session is for a real tenant. When no answer comes it raises `ConnectionProblem`, one sentence.
            After a 429 it waits as long as the answer asks, says so, and sends the request again, at most three times
            and never longer than a minute. In practice a lesson decides what to do about either.
    """

    def __init__(self, places: Places, is_real: bool = False):
        super().__init__()
        self.places = places
        self.wire = Wire(places)
        self._is_real = is_real

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Sends one request and records it; redirects come through here one by one."""
        response = self._send_once(request, **options)
        for _ in range(_ATTEMPTS - 1):
            seconds = _asked_to_wait(response) if self._is_real else None
            if seconds is None:
                break
            print(f"Wait     {self.wire[-1].party} is busy (429): the same request goes out again in {seconds} s")
            time.sleep(seconds)
            response = self._send_once(request, **options)  # a 429 comes before any work, so a POST does no harm
        return response

    def _send_once(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if options.get("timeout") is None:
            options["timeout"] = _TIMEOUT
        exchange = asked(request, self.places)
        self.wire.record(exchange)  # before it is sent: the order on the wire, and failures are kept too
        began = time.monotonic()
        try:
            response = super().send(request, **options)
        except (OSError, ValueError) as error:  # a RequestException, a CA bundle that is not there, half an address
            exchange.failure = failure_in_words(error)
            if self._is_real and is_no_answer(error, request.url or ""):
                raise ConnectionProblem(explain(error, exchange.host)) from None  # its text may hold a proxy's password
            raise
        finally:
            exchange.seconds = time.monotonic() - began
        fill_in(exchange, response.history[0] if response.history else response)
        return response


def _asked_to_wait(response: requests.Response) -> int | None:
    """The seconds of Retry-After in a 429; None for everything else, and for more than anybody waits for in a cell."""
    seconds = response.headers.get("Retry-After", "")
    if response.status_code != 429 or not seconds.isdecimal() or int(seconds) > _PATIENCE:
        return None
    return int(seconds)
