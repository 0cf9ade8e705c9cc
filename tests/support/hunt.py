"""How long the tests of hypothesis look for an input that breaks something."""

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "workbook-hypothesis")  # its caches are no business of the repo

# Plain `pytest` looks at a few examples of each kind, always the same ones. .ci/run asks for many, and by hand any
# number can be asked for: ``HYPOTHESIS_EXAMPLES=20000 pytest tests/tenant/test_odata_fuzz.py``.
HUNT = settings(
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "25")),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
