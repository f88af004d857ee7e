"""Django's settings for the REST service: the platform's, with its own addresses and nothing of sessions or forms."""

from standfast.settings import *  # noqa: F403

ROOT_URLCONF = "standfast.services.rest_api.urls"
WSGI_APPLICATION = "standfast.services.rest_api.wsgi.application"
MIDDLEWARE = [
    "standfast.services.rest_api.middleware.calls",
    "allauth.account.middleware.AccountMiddleware",  # its app will not start without
]
APPEND_SLASH = False
ALLOWED_HOSTS = ["*"]  # clients change the host name; a key decides, not a cookie
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
