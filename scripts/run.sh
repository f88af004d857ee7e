#!/usr/bin/env bash
# Set-up, then the supervisor in this very process, so that Ctrl-C and signals reach it.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
exec .venv/bin/standfast up "$@"
