#!/usr/bin/env bash
# Check every template: check.sh lint (cfn-lint) | check.sh policies (checkov).
#
# The checkers live in an environment of their own, .venv-templates, because one of them pins the SDK. It is made the
# first time (half a minute, 420 MB) and when the lock changes.
set -euo pipefail
cd "$(dirname "$0")/../../.."

lock=deploy/aws/checks/requirements.txt
environment=.venv-templates
python=${PYTHON:-python3}
# The programs of a virtual environment name its folder, so a copy of it elsewhere is not done.
locked=$({ pwd; cat "$lock" deploy/aws/checks/check.sh; } | cksum)
if [ ! -f "$environment/.locked" ] || [ "$(cat "$environment/.locked")" != "$locked" ]; then
    echo "templates: installing the locked checkers into $environment; the first time takes half a minute or more"
    "$python" -m venv --clear "$environment"
    "$environment/bin/python" -m pip --disable-pip-version-check -qq install --require-hashes --no-deps --only-binary :all: -r "$lock"
    "$environment/bin/python" -m pip --disable-pip-version-check check > /dev/null
    echo "$locked" > "$environment/.locked"
fi

case ${1:-} in
    lint)
        # No rule is left out and no severity forgiven; the regions stand for old and large, and for the rest.
        "$environment/bin/cfn-lint" --regions us-east-1 eu-west-1 --non-zero-exit-code informational -- deploy/aws/*.yaml
        ;;
    policies)
        # Nothing is downloaded. A policy is left out in the template alone, beside the resource and with its reason.
        "$environment/bin/checkov" --framework cloudformation --directory deploy/aws --quiet --compact --skip-download
        ;;
    *)
        echo "usage: check.sh lint | policies" >&2
        exit 2
        ;;
esac
