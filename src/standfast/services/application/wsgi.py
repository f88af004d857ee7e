"""The application as granian serves it."""

import os

from django.core.wsgi import get_wsgi_application

from standfast.platform.body_places import BodyPlaces
from standfast.platform.children import end_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "standfast.settings")
end_with_parent()
application = BodyPlaces(get_wsgi_application(), most=6, of_address=3)  # of eight threads
