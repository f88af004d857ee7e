"""The REST service as granian serves it."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from standfast.platform.children import end_with_parent

os.environ["DJANGO_SETTINGS_MODULE"] = "standfast.services.rest_api.settings"
end_with_parent()
application = get_wsgi_application()

# What is loaded by now stays, and a batch of a thousand rows makes many objects and no cycles: collect less often.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 100)
