"""The serving process needs the folder and nothing else: no map, no log, no environment, no other process."""

import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

from standfast.operations.status_page.render import render
from standfast.operations.status_page.tests import scenes


def command(folder, port):
    return [
        sys.executable,
        "-m",
        "standfast.operations.status_page.serve",
        "--folder",
        str(folder),
        "--port",
        str(port),
    ]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_two_processes_serve_a_folder_that_was_copied_somewhere(tmp_path):
    the_map = scenes.a_map()
    render(the_map, scenes.fold(the_map, scenes.outage(the_map)), tmp_path / "made", now=scenes.NOW)
    shutil.copytree(tmp_path / "made", tmp_path / "elsewhere", symlinks=True)
    shutil.rmtree(tmp_path / "made")
    ports = [free_port(), free_port()]
    running = [subprocess.Popen(command(tmp_path / "elsewhere", port), env={}, cwd="/") for port in ports]
    try:
        for port in ports:
            assert b"Major system outage" in fetched(port)
        running[0].kill()
        assert b"Major system outage" in fetched(ports[1])
        running[1].send_signal(signal.SIGTERM)
        assert running[1].wait(20) == 0
    finally:
        for process in running:
            process.kill()
            process.wait(20)


def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(command(tmp_path, port), capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1 and f"127.0.0.1:{port}" in ended.stderr and "Traceback" not in ended.stderr


def fetched(port):
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
