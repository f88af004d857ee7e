"""The REST service as granian serves it."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from standfast.platform.body_places import BodyPlaces
from standfast.platform.children import end_with_parent

os.environ["DJANGO_SETTINGS_MODULE"] = "standfast.services.rest_api.settings"
end_with_parent()
application = BodyPlaces(get_wsgi_application(), most=18, of_address=12)  # of twenty-four threads

# What is loaded by now stays, and a batch of a thousand rows makes many objects and no cycles: collect less often.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 100)
