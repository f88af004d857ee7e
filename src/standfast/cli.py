"""The command `standfast`."""

from __future__ import annotations

import argparse
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standfast.settings")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors a person can mend are one sentence, not a traceback."""
    parser = argparse.ArgumentParser(prog="standfast", description="A marketing cloud that keeps working.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("migrate", help="bring the database to this version's shape")
    given = parser.parse_args(arguments)
    if given.command == "migrate":
        from standfast.platform import config, schema

        schema.migrate(config.load())
    return 0


if __name__ == "__main__":
    sys.exit(main())
