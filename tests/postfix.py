"""A Postfix of one's own: configuration, queue and log in a directory that goes with it, on a free port of this machine.

`make test` brings the programs (scripts/mail-clients.sh). Its master changes users, and so starts as root only.
"""

from __future__ import annotations

import fcntl
import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.installation import free_ports

HOME = Path(__file__).resolve().parents[1] / "var/tools/mail-clients/postfix"
USERS, GROUPS = ("uucp", "lp", "games"), ("news", "proxy", "backup")  # of every Debian; Postfix wants a user of its own
QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace")
SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
smtp unix - - n - - smtp
retry unix - - n - - error
error unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


def why_not() -> str | None:
    """Why Postfix cannot run here; None where it can."""
    if os.geteuid():
        return "Postfix starts as root only: run the tests as root"
    if not HOME.exists():
        return "Postfix is not here: scripts/mail-clients.sh brings it where there is apt-get"
    return None


def program(name: str) -> str:
    """The path of one of its programs; it needs `environment()`."""
    return str(HOME / "usr/sbin" / name)


def environment() -> dict[str, str]:
    libraries = sorted({str(path.parent) for path in HOME.rglob("*.so*")})
    plugins = next(HOME.glob("usr/lib/*/sasl2"))
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": ":".join(libraries), "SASL_PATH": str(plugins)}


class Postfix:
    """One that runs: `port`, `pid` of its master, `log()`, `queued()`, `try_again()`."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory, self.port, self.pid = directory, port, 0

    def log(self) -> str:
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def queued(self) -> int:
        """Messages that it still has."""
        queue = self.directory / "queue"
        return sum(
            len(files) for name in ("incoming", "active", "deferred", "hold") for *_, files in os.walk(queue / name)
        )

    def try_again(self) -> None:
        """Try what was put off, unless somebody still works on it: a locked message would be left alone for minutes."""
        waiting = [path for path in (self.directory / "queue/deferred").rglob("*") if path.is_file()]
        if waiting and all(map(_unlocked, waiting)):
            subprocess.run([program("postqueue"), "-c", self.directory / "etc", "-f"], env=environment(), check=True)


def _unlocked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked, or gone
        return False
    return True


@contextmanager
def postfix(settings: Mapping[str, object]) -> Iterator[Postfix]:
    """A Postfix that takes mail from this machine; settings go over those of its main.cf. Stopped with all its children."""
    directory = Path(tempfile.mkdtemp(prefix="sf-postfix-"))
    directory.chmod(0o755)  # its daemons work as another user
    running = Postfix(directory, free_ports(1)[0])
    _write(running, settings)
    master = subprocess.Popen(
        [HOME / "usr/lib/postfix/sbin/master", "-c", directory / "etc", "-d"],
        env=environment(), stdout=subprocess.DEVNULL, stderr=(directory / "errors").open("wb"), start_new_session=True,
    )  # fmt: skip
    running.pid = master.pid
    try:
        while socket.socket().connect_ex(("127.0.0.1", running.port)):
            assert master.poll() is None, (directory / "errors").read_text() + running.log()
            time.sleep(0.02)
        yield running
    finally:
        master.terminate()  # it passes the signal on to its process group
        master.wait(20)
        shutil.rmtree(directory, ignore_errors=True)


def _write(running: Postfix, settings: Mapping[str, object]) -> None:
    directory = running.directory
    owner = next(name for name in USERS if _there(pwd.getpwnam, name))
    group = next(name for name in GROUPS if _there(grp.getgrnam, name))
    own = {
        "compatibility_level": "3.6", "queue_directory": directory / "queue", "data_directory": directory / "data",
        "daemon_directory": HOME / "usr/lib/postfix/sbin", "command_directory": HOME / "usr/sbin",
        "shlib_directory": HOME / "usr/lib/postfix", "meta_directory": directory / "etc",
        "mail_owner": owner, "setgid_group": group, "default_privs": "nobody",
        "import_environment": "MAIL_CONFIG LD_LIBRARY_PATH SASL_PATH",
        "maillog_file": directory / "log", "maillog_file_prefixes": directory,
        "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "mynetworks": "127.0.0.0/8",
        "smtp_host_lookup": "native", "smtp_dns_support_level": "disabled",
        "myhostname": "relay.shop.example", "mydestination": "", "alias_maps": "", "local_recipient_maps": "",
        **settings,
    }  # fmt: skip
    for name in ("etc", "data", "queue"):
        (directory / name).mkdir()
    for name in QUEUES:
        (directory / "queue" / name).mkdir(mode=0o700)
    (directory / "queue/pid").mkdir()
    for name, mode in (("public", 0o710), ("maildrop", 0o730)):
        (directory / "queue" / name).mkdir()
        (directory / "queue" / name).chmod(mode)
        shutil.chown(directory / "queue" / name, group=group)
    for path in (directory / "data", *(directory / "queue" / name for name in (*QUEUES, "public", "maildrop"))):
        shutil.chown(path, owner)
    (directory / "etc/main.cf").write_text("".join(f"{name} = {value}\n" for name, value in own.items()))
    (directory / "etc/master.cf").write_text(SERVICES.format(port=running.port))


def _there(look_up: object, name: str) -> bool:
    try:
        look_up(name)  # type: ignore[operator]
    except KeyError:
        return False
    return True
