"""Run a module of this folder for a moment, and read its report."""

from __future__ import annotations

import json
import os
import subprocess
import sys


def run(module: str, *arguments: str) -> dict[str, object]:
    """In a process of its own: it sets up Django for another installation than the other tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STANDFAST_")}
    line = [sys.executable, "-m", f"tests.chaos.{module}", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])
