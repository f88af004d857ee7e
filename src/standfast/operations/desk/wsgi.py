"""The desk as granian serves it; its letters go out from a thread beside the requests."""

import ctypes
import multiprocessing
import os
import signal

from django.core.wsgi import get_wsgi_application

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """End when the process that started this worker is killed: a second desk beside an orphan would send letters twice."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent.pid:
        os._exit(1)


end_with_parent()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standfast.operations.desk.settings")
application = get_wsgi_application()

from standfast.operations.desk import confirmations, settings  # noqa: E402  # Django first

confirmations.start(settings.MAP, settings.LOG_PATH, settings.DESK_URL, allow_private=settings.ALLOW_PRIVATE_WEBHOOKS)
