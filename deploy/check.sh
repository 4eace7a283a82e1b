#!/usr/bin/env bash
# Run every static check, then report which failed; one failure does not hide the next.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
failed=()
check() {
    local name=$1
    shift
    echo "== $name"
    "$@" || failed+=("$name")
}

check format "$bin/ruff" format --check --quiet .
check lint "$bin/ruff" check .
check types "$bin/mypy"
check "import contracts" "$bin/lint-imports"
check yaml "$bin/yamllint" --strict --config-file deploy/yamllint.yaml docker-compose.yml pipelines tests deploy
check "templates: cfn-lint" deploy/aws/checks/check.sh lint
check "templates: policies" deploy/aws/checks/check.sh policies
# What is locked is installed without resolving anything, so that nothing may be missing in the lock.
check "installed packages" "$bin/python" -m pip --disable-pip-version-check check
check shell bash -c 'for script in $(git ls-files "*.sh" .ci/run); do bash -n "$script" || exit 1; done'

if [ ${#failed[@]} -gt 0 ]; then
    echo "check: failed: ${failed[*]}" >&2
    exit 1
fi
echo "check: all passed"
