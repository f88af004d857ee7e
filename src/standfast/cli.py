"""The command `standfast`."""

from __future__ import annotations

import argparse
import gc
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standfast.settings")

SERVICES = ("application", "rest_api", "smtp_api", "tracker", "mail_exchanger", "inbox", "worker")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. What a person can mend is one sentence, not a traceback."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["operations"]:  # has a parser of its own, and nothing of it is loaded for others
        return _operations(arguments[1:])
    if arguments[:1] == ["replay"]:
        return _replay(arguments[1:])
    given = _parser().parse_args(arguments)
    run = {
        "up": _up,
        "run": _run,
        "migrate": _migrate,
        "demo": _demo,
        "rebuild": _rebuild,
        "first-link": _first_link,
        "password-link": _password_link,
    }
    try:
        return run[given.command](given)
    except KeyboardInterrupt:
        return 130
    finally:
        gc.freeze()  # at its end Python would look through all that Django loaded, a quarter of a second of a core


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="standfast", description="A marketing cloud that keeps working.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start everything on this machine; Ctrl-C stops it")
    up.add_argument("--workers", type=int, default=1, help="sending processes (one core each)")
    up.add_argument(
        "--only", nargs="+", choices=SERVICES, metavar="SERVICE", help="the database and these services, nothing else"
    )
    run = commands.add_parser("run", help="run one service in the foreground")
    run.add_argument("service", choices=SERVICES)
    run.add_argument(
        "--part", choices=("send", "tend"), default="send", help="worker: send mail, or tend everything else"
    )
    run.add_argument(
        "--plan", default="", help="inbox: how it plays mailbox providers, e.g. seed:42,defer=0.02,refuse=0.01"
    )
    run.add_argument("--readers", default="", help="inbox: simulated readers, e.g. seed:42")
    migrate = commands.add_parser("migrate", help="bring the database to this version's shape")
    migrate.add_argument("--static", action="store_true", help="collect static files as well")
    migrate.add_argument("--first-link", action="store_true", help="print the first user's link when there is no user")
    commands.add_parser("first-link", help="print a new one-time link that makes the first user")
    password = commands.add_parser("password-link", help="print a link with which a user sets a new password")
    password.add_argument("email")
    demo = commands.add_parser("demo", help="import, send, open, click: the whole way, with a scoreboard")
    demo.add_argument("--contacts", type=int, default=5000)
    demo.add_argument("--json", action="store_true", help="print the scoreboard as JSON")
    demo.add_argument("--seed", type=int, default=42)
    rebuild = commands.add_parser("rebuild", help="make the roll-ups again from the event log and compare")
    rebuild.add_argument("--account", type=int, help="one account; all without it")
    rebuild.add_argument("--apply", action="store_true", help="keep the rebuilt roll-ups where they differ")
    commands.add_parser("operations", help="watch, fail over, and tell: monitor, status page, desk")
    commands.add_parser("replay", help="replay an outage on this machine, with real name servers and a scoreboard")
    return parser


def _operations(arguments: list[str]) -> int:
    from standfast.operations import commands

    return commands.main(arguments)


def _replay(arguments: list[str]) -> int:
    from standfast.operations.replay import command

    try:
        return command.main(arguments)
    except KeyboardInterrupt:
        return 130


def _up(given: argparse.Namespace) -> int:
    from standfast import supervisor
    from standfast.platform import config

    return supervisor.up(config.load(), workers=given.workers, only=given.only)


def _migrate(given: argparse.Namespace) -> int:
    from standfast.platform import config, schema

    settings = config.load()
    schema.migrate(settings)
    if given.static:
        from django.core.management import call_command

        call_command("collectstatic", interactive=False, verbosity=0)
    if given.first_link:
        _print_first_link()
    return 0


def _first_link(given: argparse.Namespace) -> int:
    import django

    django.setup()
    if not _print_first_link():
        print("There is a user already: sign in, or ask an administrator for an invitation.", file=sys.stderr)
        return 1
    return 0


def _password_link(given: argparse.Namespace) -> int:
    import django

    django.setup()
    from standfast.components.accounts.api import password_link
    from standfast.platform import config

    path = password_link(given.email)
    if path is None:
        print(f"There is no user {given.email}.", file=sys.stderr)
        return 1
    print(config.load().application_url + path)
    return 0


def _print_first_link() -> bool:
    from standfast.components.accounts.api import make_first_link
    from standfast.platform import config

    token = make_first_link()
    if token:
        print(f"{config.load().application_url}/welcome/{token}")
    return token is not None


def _run(given: argparse.Namespace) -> int:
    from standfast.platform import config, log_lines

    os.umask(0o077)  # people's data, mail and logs are for this user alone
    log_lines.set_up()
    settings = config.load()
    if given.service == "worker":
        os.environ["STANDFAST_DATABASE_ROLE"] = "loader"  # the worker sees every account and may COPY
        from standfast.services.worker import main as worker

        worker.main(settings, part=given.part)
    elif given.service == "inbox":
        from standfast.services.inbox import main as inbox

        inbox.run(
            host=settings.host,
            port=settings.inbox_port,
            directory=settings.inbox_dir,
            plan=given.plan or os.environ.get("STANDFAST_INBOX_PLAN", "accept"),
            readers=given.readers or os.environ.get("STANDFAST_INBOX_READERS", "off"),
            tracker_url=settings.tracker_url,
            exchanger=(settings.host, settings.exchanger_port),
        )
    elif given.service == "application":
        from standfast.services.application import main as application

        application.main(settings)
    elif given.service == "rest_api":
        os.environ["DJANGO_SETTINGS_MODULE"] = "standfast.services.rest_api.settings"
        from standfast.services.rest_api import main as rest_api

        rest_api.main(settings)
    elif given.service == "smtp_api":
        import django

        django.setup()  # its modules import models
        from standfast.services.smtp_api import main as smtp_api

        smtp_api.main(settings)
    elif given.service == "tracker":
        from standfast.services.tracker import main as tracker

        tracker.main()
    else:
        from standfast.services.mail_exchanger import main as mail_exchanger

        mail_exchanger.main()
    return 0


def _demo(given: argparse.Namespace) -> int:
    from standfast import demo

    return demo.run(contacts=given.contacts, as_json=given.json, seed=given.seed)


def _rebuild(given: argparse.Namespace) -> int:
    import django

    django.setup()
    from standfast.components.tracking.api import rebuild_command

    return rebuild_command(account_id=given.account, apply=given.apply)


if __name__ == "__main__":
    sys.exit(main())
