#!/usr/bin/env bash
# Compile every requirements file anew, all from one resolution, so that the images and the
# development environment agree on each version. Needs uv, which the development environment has.
set -euo pipefail
cd "$(dirname "$0")/.."

own_packages=(ddb2aurora stream-processor firehose-transformer aurora-loader operator-cli local-aws deploy-aws)
options=(--universal --python-version 3.11 --generate-hashes --no-header --quiet --upgrade)
for package in "${own_packages[@]}"; do options+=(--no-emit-package "$package"); done

# Universal: one file serves Python 3.11 and later on every platform. The hashes name files, never hosts.
uv pip compile "${options[@]}" images/*/pyproject.toml deploy/*/pyproject.toml requirements-dev.in \
    --all-extras --output-file requirements-dev.txt
# What compiles the pipeline files while an image is built; no image keeps it but the operator's.
uv pip compile "${options[@]}" images/common/pyproject.toml --extra pipeline-files --constraint requirements-dev.txt \
    --output-file images/common/requirements.txt
for folder in images/*/ deploy/local/; do
    [ "$folder" = images/common/ ] && continue
    uv pip compile "${options[@]}" "${folder}pyproject.toml" --constraint requirements-dev.txt \
        --output-file "${folder}requirements.txt"
done
# The checkers of the templates agree with nothing else: one of them pins the SDK.
uv pip compile "${options[@]}" deploy/aws/checks/requirements.in --output-file deploy/aws/checks/requirements.txt
# The benchmark measures with the packages that the rest is tested with.
uv pip compile "${options[@]}" tests/bench/requirements.in --constraint requirements-dev.txt \
    --output-file tests/bench/requirements.txt
# npm's lock names no registry either. Node is only there for what we are compared with.
if command -v npm > /dev/null; then
    npm --prefix tests/bench/node install --package-lock-only --omit-lockfile-registry-resolved --silent --no-audit --no-fund
fi
