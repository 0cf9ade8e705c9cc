"""A practice tenant that is forked is to whoever started it what one is that begins from nothing."""

import os
import sys

import psutil
import pytest
from practice import PATIENCE, SECRET, read_facts, start
from tenant_forks import with_forks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="plain pytest forks on Linux only")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    changed, end = with_forks(tmp_path_factory.mktemp("forks"), dict(os.environ))
    yield changed
    end()


@pytest.fixture
def ready(environment):
    """A process that stands for a practice tenant, and the practice tenant."""
    process, stderr = start("--secret", SECRET, env=environment)
    with process, stderr:
        yield process, psutil.Process(read_facts(process)["pid"])
        process.kill()


def test_it_is_another_process_and_ends_with_its_status(ready):
    process, tenant = ready
    assert tenant.pid != process.pid
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert not tenant.is_running()


@pytest.mark.parametrize("killed", [0, 1], ids=["the one that stands for it", "the practice tenant"])
def test_neither_outlives_the_other(ready, killed):
    process, tenant = ready
    ready[killed].kill()
    assert process.wait(PATIENCE) != 0
    tenant.wait(PATIENCE)


def test_a_mistake_is_one_line_and_status_2(environment):
    process, stderr = start("--users", "none", env=environment)
    with process, stderr:
        assert process.wait(PATIENCE) == 2
        assert process.stdout.read() == b""
        stderr.seek(0)
        assert stderr.read().decode().startswith("practice_tenant: argument --users: ")
