"""Where a learner's browser finds the portal: on a laptop, a hub, in Codespaces, in Colab, and behind anything else."""

import sys
import types

import pytest
from practice_tenant.portal.door import is_loopback
from workbook.bench import PracticeOptions, practice_bench
from workbook.portal_address import SETTING, is_forwarded, portal_address

OWN = "http://127.0.0.1:4711/abcdefghijklmnopqrstuv/"
FOLDER = "/abcdefghijklmnopqrstuv/"


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, OWN),
        ({SETTING: ""}, OWN),
        ({"JUPYTERHUB_SERVICE_PREFIX": "/user/jane/"}, f"/user/jane/proxy/4711{FOLDER}"),
        ({"CODESPACE_NAME": "fuzzy-lamp"}, f"https://fuzzy-lamp-4711.app.github.dev{FOLDER}"),
        (
            {"CODESPACE_NAME": "lamp", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "dev.example"},
            f"https://lamp-4711.dev.example{FOLDER}",
        ),
        (
            {SETTING: "https://lab.example/ports/{port}/", "JUPYTERHUB_SERVICE_PREFIX": "/user/jane/"},
            f"https://lab.example/ports/4711{FOLDER}",
        ),
    ],
)
def test_the_address_is_the_one_that_works_where_the_learner_is(monkeypatch, environment, address):
    for name in (SETTING, "JUPYTERHUB_SERVICE_PREFIX", "CODESPACE_NAME", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert portal_address(OWN) == address
    assert is_forwarded() is (address != OWN)


def test_colab_is_asked_for_its_own_address(monkeypatch):
    asked = []
    output = types.ModuleType("google.colab.output")
    output.eval_js = lambda script: asked.append(script) or "https://4711-colab.example/"
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    assert portal_address(OWN) == f"https://4711-colab.example{FOLDER}"
    assert asked == ["google.colab.kernel.proxyPort(4711)"]


def test_a_bench_with_the_portal_has_its_address():
    bench = practice_bench(PracticeOptions(portal=True))
    try:
        assert is_loopback(bench.practice.portal_url.split("/")[2])
        assert "App registrations" in bench.session.get(bench.practice.portal_url, timeout=10).text
    finally:
        bench.practice.close()


def test_behind_a_proxy_the_portal_takes_its_host(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/jane/")
    bench = practice_bench(PracticeOptions(portal=True))
    try:
        port, _, folder = bench.practice.portal_url.removeprefix("/user/jane/proxy/").partition("/")
        answer = bench.session.get(f"http://127.0.0.1:{port}/{folder}apps", headers={"Host": "hub.example"}, timeout=10)
        assert answer.status_code == 200
    finally:
        bench.practice.close()
