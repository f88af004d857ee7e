"""The REST service as granian serves it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "standfast.services.rest_api.settings"
application = get_wsgi_application()
