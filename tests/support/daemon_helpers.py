"""Functions that the tests of graph_daemon.py share."""

import io
import json
import threading
from typing import Any

import requests
from graph_daemon import Graph
from practice import SECRET

PASSWORD = "open~sesame"
USERS = 2_100  # three pages
EVIL = "evil.example"
FILLED_IN = {"client_id": "x", "authority": "https://login.microsoftonline.com/x", "secret": "x"}


def settings(practice, **changes) -> dict[str, Any]:
    given = {
        "client_id": practice.facts["client_id"],
        "authority": practice.facts["authority"],
        "endpoint": f"{practice.facts['graph_endpoint']}/users",
        "secret": SECRET,  # quicker than opening a PFX; every kind of credential has a test of its own
    }
    return given | changes


class Waits(threading.Event):
    """Takes down how long the daemon would wait, and does not wait."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def wait(self, timeout=None):
        self.seconds.append(timeout)
        return False


def connected(graph: Graph, practice) -> Graph:
    graph.trust_env = False
    graph.verify = practice.facts["ca_certificate"]
    graph.session.stopping = Waits()
    return graph


def fast(wait):
    """Threads start with Event.wait() and no time; a wait for seconds becomes one for milliseconds."""
    return lambda event, timeout=None: wait(event, timeout and timeout / 1000)


def ids_of(users) -> list[str]:
    return [user["id"] for user in users]


def assert_whole(found: list[str], everyone: set[str]) -> None:
    assert len(found) == len(set(found)), "somebody comes twice"
    assert set(found) == everyone, "somebody is missing, or nobody's id came"


class Scripted(requests.adapters.HTTPAdapter):
    """Answers one request after the other, the last answer for ever, and takes down what was asked.

    An answer is a body (bytes, or JSON), or a status with a body and headers.
    """

    def __init__(self, *answers):
        super().__init__()
        self.answers = [one if isinstance(one, tuple) else (200, one, {}) for one in answers]
        self.asked = []

    def send(self, request, **options):
        status, body, headers = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append(request)
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = status, request.url, request
        answer.headers.update(headers)
        answer.raw = Raw(body if isinstance(body, bytes) else json.dumps(body).encode())
        return answer


class Raw(io.BytesIO):
    """A body as urllib3 hands it over."""

    def read1(self, size, decode_content=True):
        return super().read1(size)

    def release_conn(self):
        pass


def scripted(*answers, **changes) -> tuple[Graph, Scripted]:
    """A Graph in front of prepared answers, that never waits."""
    graph, adapter = Graph(FILLED_IN | changes), Scripted(*answers)
    graph.session.http.mount("https://", adapter)
    graph.session.http.mount("http://", adapter)
    graph.session.stopping = Waits()
    graph.token = lambda refused=None: "secret-token"
    return graph, adapter
