"""The application as granian serves it."""

import os

from django.core.wsgi import get_wsgi_application

from standfast.platform.children import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standfast.settings")
end_with_parent()
application = get_wsgi_application()
