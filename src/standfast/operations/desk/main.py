"""Start the desk, or print a link with which a person chooses a password: the first one, or one who forgot it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from standfast.operations.map import MapError, load

MAP_VARIABLE = "STANDFAST_OPERATIONS_MAP"
THREADS = 4


def main(arguments: list[str]) -> int:
    """Serve until stopped; exit status 2 with one sentence where it cannot start."""
    parser = argparse.ArgumentParser(prog="standfast operations desk", description=__doc__)
    parser.add_argument("--map", type=Path, required=True, metavar="FILE")
    links = parser.add_mutually_exclusive_group()
    links.add_argument("--first-link", action="store_true", help="print the link for the first person, and end")
    links.add_argument(
        "--link-for", metavar="NAME", help="print a link with which NAME chooses a new password, and end"
    )
    given = parser.parse_args(arguments)
    try:
        the_map = load(given.map)
    except MapError as error:
        sys.stderr.write(f"{given.map}:\n" + "".join(f"  {line}\n" for line in error.problems))
        return 2
    os.environ[MAP_VARIABLE] = str(given.map.resolve())
    os.environ["DJANGO_SETTINGS_MODULE"] = "standfast.operations.desk.settings"
    try:
        _set_up()
        if given.first_link or given.link_for:
            return _print_link(given.link_for)
        table = the_map.status_page
        _serve(str(table.get("desk_host", "127.0.0.1")), int(table.get("desk_port", 8121)))
    except OSError as error:
        sys.stderr.write(f"The desk cannot start: {error}\n")
        return 2
    return 0


def _set_up() -> None:
    """The tables of people and sessions; made or brought up to date at every start."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def _print_link(name: str | None) -> int:
    from standfast.operations.desk import people

    link = people.link_for(name) if name else people.first_link()
    if link is None:
        known = (
            f"There is no person {name!r}."
            if name
            else "Somebody can log in already: they invite others, or use --link-for NAME."
        )
        sys.stderr.write(known + "\n")
        return 1
    print(link)
    return 0


def _serve(host: str, port: int) -> None:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings

    Granian(
        "standfast.operations.desk.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        backlog=128,
        http1_settings=HTTP1Settings(max_buffer_size=64 * 1024, header_read_timeout=10_000),
        respawn_failed_workers=True,
        log_access=False,
    ).serve()
