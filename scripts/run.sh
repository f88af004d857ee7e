#!/usr/bin/env bash
# Set-up, then the supervisor in the foreground, so that Ctrl-C and signals reach it and it alone.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
exec .venv/bin/python -I scripts/foreground.py .venv/bin/standfast up "$@"
