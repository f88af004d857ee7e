"""The desk as granian serves it; its letters go out from a thread beside the requests."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standfast.operations.desk.settings")
application = get_wsgi_application()

from standfast.operations.desk import confirmations, settings  # noqa: E402  # Django first

confirmations.start(settings.MAP, settings.LOG_PATH, settings.DESK_URL, allow_private=settings.ALLOW_PRIVATE_WEBHOOKS)
