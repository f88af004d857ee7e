"""The REST service as granian serves it."""

import os

from django.core.wsgi import get_wsgi_application

from standfast.platform.children import end_with_parent

os.environ["DJANGO_SETTINGS_MODULE"] = "standfast.services.rest_api.settings"
end_with_parent()
application = get_wsgi_application()
