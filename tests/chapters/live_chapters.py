"""`pytest --live` runs the chapters on the tenant in .env and compares structure, not people; see support/live.py.

Parts for the practice tenant run as well, because the parts after them need what they define. A part that asks
somebody to sign in as an administrator is left out, so nothing is created.
"""

import live
import pytest
from chapters import read


@pytest.mark.parametrize("chapter", live.following_chapters(), ids=lambda chapter: chapter.stem)
def test_what_follows_env_reads_the_same_there(chapter, pytestconfig, tmp_path):
    if not pytestconfig.option.live:
        pytest.exit(f"These chapters are for a tenant of your own. {live.NO_CREDENTIALS}", returncode=4)
    notebook = live.up_to_a_person(read(chapter))
    differences = live.run_and_compare(notebook, read(chapter), live.live_environment(tmp_path, chapter.stem))
    if differences:
        pytest.fail("\n".join(differences), pytrace=False)
