"""How long the tests of hypothesis look for an input that breaks something."""

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# Every character that UTF-8 has, as `st.text()` has them by itself; but it finds them out by encoding a million.
LETTERS = st.characters(exclude_categories=["Cs"])

# Plain `pytest` looks at a few examples of each kind, always the same ones. .ci/run asks for many, and by hand any
# number can be asked for: ``HYPOTHESIS_EXAMPLES=20000 pytest tests/tenant/test_odata_fuzz.py``.
HUNT = settings(
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "25")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
