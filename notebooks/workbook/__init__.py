"""The learner's bench: opens a tenant, shows what goes over the wire, checks answers. It holds no lesson."""

from .bench import Bench, open_bench
from .keys import PASSPHRASE, write_private
from .problems import WorkbookProblem
from .verdicts import check

__all__ = ["PASSPHRASE", "Bench", "WorkbookProblem", "check", "open_bench", "write_private"]
