#!/usr/bin/env bash
# Resolves requirements.txt again, for all systems and Python versions at once, and rewrites tests/constraints.txt.
set -euo pipefail
cd "$(dirname "$0")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install -q uv # it alone resolves for systems other than the one it runs on

grep -v '^-c ' requirements.txt > "$scratch/requirements.in"
# From 4.25 on, jsonschema's checks of formats, which JupyterLab asks for, compile 38 grammars at every import
# (rfc3987-syntax): each start of JupyterLab and of pytest would take two and a half seconds of a processor longer.
echo 'jsonschema<4.25' > "$scratch/ceilings.txt"
"$scratch/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
    --constraint "$scratch/ceilings.txt" "$scratch/requirements.in" > "$scratch/pins.txt"
{
    echo "# The whole tree that requirements.txt needs, pinned for Linux, macOS and Windows, Python 3.11 to 3.14."
    echo "# Made, not written: tests/tools/bake_constraints.sh resolves requirements.txt again and rewrites this file."
    cat "$scratch/pins.txt"
} > tests/constraints.txt
