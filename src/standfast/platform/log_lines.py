"""How the services' log lines look: plain tracebacks, for those with the values of variables show people's data and passwords,
and fill a disk that is full already."""

import structlog


def set_up() -> None:
    """Call once at the start of a process, before anything is logged."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
