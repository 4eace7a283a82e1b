#!/usr/bin/env bash
# Run the benchmark: bench.sh [PART]... (all unless told). What it needs beside the project's own packages, for Python
# and for Node, lives in an environment of its own, .venv-bench, which is made the first time and when its locks change.
# It sees the packages of .venv as well.
set -euo pipefail
cd "$(dirname "$0")/../.."

lock=tests/bench/requirements.txt
environment=.venv-bench
if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
    echo "bench: node or npm is missing; install Node 20 or newer: the transformer is compared with functions in it" >&2
    exit 1
fi
# The programs of a virtual environment name its folder, so a copy of it elsewhere is not done.
locked=$({ pwd; cat "$lock" tests/bench/node/package-lock.json; } | cksum)
if [ ! -f "$environment/.locked" ] || [ "$(cat "$environment/.locked")" != "$locked" ]; then
    echo "bench: installing the locked packages into $environment; the first time takes a minute"
    .venv/bin/python -m venv --clear "$environment"
    "$environment/bin/python" -m pip --disable-pip-version-check -qq install --require-hashes --no-deps --only-binary :all: -r "$lock"
    packages='import sysconfig; print(sysconfig.get_path("purelib"))'
    # addsitedir, not a bare path: our own packages are in .venv as .pth files themselves.
    .venv/bin/python -c "$packages" | sed 's/.*/import site; site.addsitedir("&")/' > "$("$environment/bin/python" -c "$packages")/project.pth"
    mkdir "$environment/node"
    cp tests/bench/node/package.json tests/bench/node/package-lock.json "$environment/node"
    npm --prefix "$environment/node" ci --silent --no-audit --no-fund
    echo "$locked" > "$environment/.locked"
fi

PYTHONPATH=$PWD/tests/support:$PWD/tests/bench exec "$environment/bin/python" tests/bench/run.py "$@"
