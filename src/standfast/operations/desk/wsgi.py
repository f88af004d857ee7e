"""The desk as granian serves it; its letters go out from a thread beside the requests."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standfast.operations.desk.settings")
application = get_wsgi_application()

from standfast.operations.desk import confirmations  # noqa: E402  # needs the settings

confirmations.start()
