"""Django's settings for the desk alone. Read from the map that STANDFAST_OPERATIONS_MAP names; nothing of the product's."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from standfast.operations.map import load


def _secret_key(path: Path) -> str:
    """Made once, readable by us alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text().strip()


MAP = load(Path(os.environ["STANDFAST_OPERATIONS_MAP"]))
LOG_PATH = MAP.file(str(MAP.controller.get("log", "operations.sqlite")))
_table = MAP.status_page
DESK_URL = str(_table.get("desk_url") or f"http://127.0.0.1:{_table.get('desk_port', 8121)}").rstrip("/")
PROXIES = frozenset(map(str, _table.get("desk_proxies", [])))  # whose X-Forwarded-For is believed
ALLOW_PRIVATE_WEBHOOKS = bool(_table.get("allow_private_webhooks", False))

_url = urlsplit(DESK_URL)
_https = _url.scheme == "https"

BASE_DIR = Path(__file__).parent
SECRET_KEY = _secret_key(LOG_PATH.with_name("desk.key"))
DEBUG = False
ALLOWED_HOSTS = [_url.hostname or "localhost", "127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = [f"{_url.scheme}://{_url.netloc}"]
ROOT_URLCONF = "standfast.operations.desk.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "standfast.operations.desk.security.headers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "standfast.operations.desk.ground.shared",
            ],
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": LOG_PATH.with_name("desk.sqlite"),
        "OPTIONS": {"timeout": 10, "transaction_mode": "IMMEDIATE", "init_command": "pragma journal_mode = wal"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login"
USE_TZ = True
TIME_ZONE = MAP.page.time_zone
USE_I18N = False
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "desk_session", "desk_csrf"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
LOGGING_CONFIG = None
