#!/usr/bin/env bash
# Makes the virtual environment that holds the reference, wptserve 4.0.3. Without a network it cannot: one loud line then,
# and a failure when CI=true.
#   tests/reference_venv.sh DIRECTORY
set -euo pipefail
venv=$1
requirements=$(dirname "$0")/differential/requirements.txt
if [ -f "$venv/made-from" ] && cmp -s "$venv/made-from" "$requirements"; then exit 0; fi
rm -rf "$venv"
if log=$(python3 -m venv "$venv" 2>&1 && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" 2>&1); then
    cp "$requirements" "$venv/made-from"
    exit 0
fi
echo "$log" | tail -5
rm -rf "$venv"
if [ "${CI:-}" = true ]; then
    echo "FAILED: the reference (wptserve 4.0.3) could not be installed"
    exit 1
fi
echo "SKIPPED, the comparison with the reference does not run: wptserve 4.0.3 could not be installed"
