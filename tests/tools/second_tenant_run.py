"""Runs every chapter with a .env that names the second tenant, and says where one reads differently.

    python tests/tools/second_tenant_run.py [--keep DIR] [name ...]

The second tenant is another implementation of the same protocols (tests/support/second_tenant), with other people, ids
and habits. Parts that follow .env are compared by structure, and chapter 02 registers an app there and undoes it. Parts
for the practice tenant must not notice the .env at all. What a chapter shows of the second tenant's people must be
recognised by tests/tools/outputs_guard.py. A name picks chapters; `--keep` stores the notebooks as they were run.
Ends with status 1 when anything is not as it should be.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "tools"), str(TESTS.parent / "notebooks")]

import live
import nbformat
import outputs_guard
from chapters import CHAPTERS, keys_folder, read
from cryptography import x509
from second_tenant import SecondTenant
from workbook import PASSPHRASE
from workbook.keys import practice_pair

CHAPTER_WITH_QUESTIONS = "02"  # it asks before it creates an app, and whether to delete it again


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help="part of a chapter's file name, for example 06")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="store the notebooks as they were run, with their data"
    )
    options = parser.parse_args(arguments)
    chosen = [c for c in CHAPTERS if not options.names or any(name in c.stem for name in options.names)]
    with tempfile.TemporaryDirectory(prefix="workbook-second-", ignore_cleanup_errors=True) as scratch:
        os.environ["WORKBOOK_KEYS"] = str(keys_folder(Path(scratch), "daemon"))
        good = [run(chapter, Path(scratch), options.keep) for chapter in chosen]
    return 0 if chosen and all(good) else 1


def run(chapter: Path, scratch: Path, keep: Path | None) -> bool:
    """Runs one chapter on a second tenant of its own and prints what was found; whether all is well."""
    began = time.monotonic()
    pair = practice_pair()
    notebook, stored = read(chapter), read(chapter)
    if chapter.stem.startswith(CHAPTER_WITH_QUESTIONS):
        live.with_answers(notebook, "yes", "undo")
    certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
    with SecondTenant(certificate, signs_in=True) as tenant:
        own = tenant.network() | tenant.settings(pair.pfx_path.as_posix(), PASSPHRASE)
        found = live.run_and_compare(notebook, stored, live.live_environment(scratch, chapter.stem) | own)
        if len(tenant.directory.apps) != 1:
            found.append("an app that the chapter created is still there")
        if bool(tenant.seen) != bool(live.following(stored)):
            found.append(f"{len(tenant.seen)} requests arrived at the tenant of .env")
    recognised = outputs_guard.foreign(json.loads(nbformat.writes(notebook)))
    if bool(recognised) != bool(live.following(stored)):
        found.append(f"the guard recognises {len(recognised)} outputs as not the practice tenant's")
    print(
        f"{chapter.stem}: {'as it should be' if not found else 'not good'}, {time.monotonic() - began:.0f} s",
        flush=True,
    )
    print(*(f"  {line}\n" for line in found), sep="", end="", flush=True)
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, keep / chapter.name)
    return not found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
