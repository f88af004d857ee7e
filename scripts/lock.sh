#!/usr/bin/env bash
# Writes the hashed lock files from pyproject.toml. They name versions and hashes, never an address: whatever index a
# machine is set up with serves them, and a hash that differs is refused.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
    local output=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
        ${UPGRADE:+--upgrade} "$@" --output-file "$output" >/dev/null
    echo "$output: $(grep -c '==' "$output") packages"
}

lock requirements-dev.lock pyproject.toml --group dev
# The two smaller locks take their versions from the large one, so that no machine ever installs a package twice.
lock requirements.lock pyproject.toml --group build --constraints requirements-dev.lock
lock requirements-uv.lock --group uv --constraints requirements-dev.lock
