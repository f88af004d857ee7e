"""A short run of the kill test; `make chaos` runs the long one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SHORT = """
import json
from tests.chaos.kills import run
result = run(people=3000, kills=10, seed=5)
print(json.dumps({**vars(result), "uncertain_max": result.uncertain_max}))
"""


@pytest.mark.timeout(300)
def test_nothing_is_lost_and_nothing_sent_twice():
    # In a process of its own: it sets up Django for another installation than the other tests.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STANDFAST_")}
    done = subprocess.run([sys.executable, "-c", SHORT], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert sum(result["kills"].values()) >= 10
    assert result["lost"] == result["duplicates"] == result["unfinished"] == 0
    assert result["books"].get("uncertain", 0) <= result["uncertain_max"]
    assert sum(result["books"].values()) == result["people"] * result["campaigns"]
