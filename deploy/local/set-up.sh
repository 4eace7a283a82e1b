#!/usr/bin/env bash
# Make .venv hold exactly what requirements-dev.txt locks, and the project's own packages in editable form.
# Does nothing when the lock and the package files have not changed since the last time.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=${PYTHON:-python3}
stamp=.venv/.locked
wanted=$(cat requirements-dev.txt images/*/pyproject.toml deploy/local/pyproject.toml deploy/local/set-up.sh | sha256sum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then exit 0; fi

if ! "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "set-up: '$python' is missing or older than Python 3.11; install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "set-up: '$python' has no venv module; on Debian or Ubuntu: apt-get install python3-venv" >&2
    exit 1
fi
echo "set-up: installing the locked packages into .venv"
"$python" -m venv --clear .venv
pip() { .venv/bin/python -m pip --disable-pip-version-check -qq "$@"; }
pip install --require-hashes --only-binary :all: -r requirements-dev.txt
# Our own packages need no resolving, and their build back end is already locked.
editable=()
for package in images/*/pyproject.toml deploy/local/pyproject.toml; do editable+=(-e "$(dirname "$package")"); done
pip install --no-deps --no-build-isolation "${editable[@]}"
echo "$wanted" > "$stamp"
