#!/usr/bin/env bash
# Make .venv hold exactly what requirements-dev.txt locks, and the project's own packages in editable form.
# Does only what has changed since the last time; nothing, most times.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=${PYTHON:-python3}
packages=(images/*/pyproject.toml deploy/*/pyproject.toml)
# The programs of a virtual environment name its folder, so a copy of it elsewhere is not done.
sum() { { pwd; cat "$@"; } | cksum; }
locked=$(sum requirements-dev.txt deploy/local/set-up.sh)
own=$(sum "${packages[@]}")
is_done() { [ -f ".venv/.$1" ] && [ "$(cat ".venv/.$1")" = "$2" ]; }
pip() { .venv/bin/python -m pip --disable-pip-version-check -qq "$@"; }

if ! is_done locked "$locked"; then
    if ! "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
        echo "set-up: '$python' is missing or older than Python 3.11; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2
        exit 1
    fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "set-up: '$python' has no venv module; on Debian or Ubuntu: apt-get install python3-venv" >&2
        exit 1
    fi
    echo "set-up: installing the locked packages into .venv; the first time takes half a minute or more"
    "$python" -m venv --clear .venv
    # The lock is whole, so nothing is resolved: a resolver may stumble over a release that is newer than the lock.
    pip install --require-hashes --no-deps --only-binary :all: -r requirements-dev.txt
    echo "$locked" > .venv/.locked
fi
if ! is_done own "$own"; then
    # Our own packages need no resolving, and their build back end is already locked.
    editable=()
    for package in "${packages[@]}"; do editable+=(-e "$(dirname "$package")"); done
    pip install --no-deps --no-build-isolation "${editable[@]}"
    echo "$own" > .venv/.own
fi
