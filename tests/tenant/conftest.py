"""What the tests of the practice tenant's command line share."""

import signal

import pytest


@pytest.fixture
def own_signals():
    """Puts back the handlers that the command line sets in this process."""
    before = {sent: signal.getsignal(sent) for sent in (signal.SIGTERM, signal.SIGINT)}
    yield
    for sent, handler in before.items():
        signal.signal(sent, handler)
