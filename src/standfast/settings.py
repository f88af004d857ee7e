"""Django's settings for the platform. Operations have their own."""

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import conninfo

from standfast.platform import config as installation
from standfast.platform import postgres
from standfast.protocols.keys import derive

CONFIG = installation.load()
ROOT = Path(__file__).parent
NINJA = Path(str(find_spec("ninja").origin)).parent  # type: ignore[union-attr]
"""Files of the API's explorer. As an app, django-ninja would be loaded by every process of the platform: a tenth of a second."""

SECRET_KEY = derive(CONFIG.secret(), "django").hex()
DEBUG = CONFIG.debug
ALLOWED_HOSTS = [host for host in os.environ.get("STANDFAST_ALLOWED_HOSTS", "").split(",") if host] or (
    ["*"]
    if CONFIG.debug
    else ["127.0.0.1", "localhost", "[::1]", CONFIG.host, urlsplit(CONFIG.application_url).hostname or ""]
)
CSRF_TRUSTED_ORIGINS = [CONFIG.application_url]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.forms",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "procrastinate.contrib.django",
    "standfast.platform",
    "standfast.components.accounts",
    "standfast.components.tables",
    "standfast.components.audience",
    "standfast.components.content",
    "standfast.components.delivery",
    "standfast.components.tracking",
    "standfast.components.webhooks",
    "standfast.components.commerce",
    "standfast.components.campaigns",
    "standfast.components.transactional",
    "standfast.services.application",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "standfast.services.application.content_security.content_security",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "standfast.components.accounts.access.accounts_of_user",
]

FORM_RENDERER = "standfast.services.application.form_look.HouseRenderer"
CSRF_FAILURE_VIEW = "standfast.services.application.errors.forbidden"
ROOT_URLCONF = "standfast.services.application.urls"
WSGI_APPLICATION = "standfast.services.application.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "services/application/templates", NINJA / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "standfast.services.application.shell.shell",
            ],
            "builtins": [
                "standfast.services.application.templatetags.look",
                "standfast.services.application.templatetags.figures",
            ],
        },
    }
]

# The application runs as the role that owns nothing; migrations as the owner; the worker as the loader.
_ROLE: postgres.Role = os.environ.get("STANDFAST_DATABASE_ROLE", "app")  # type: ignore[assignment]
_DSN = conninfo.conninfo_to_dict(postgres.dsn(CONFIG, _ROLE))
DATABASES = {
    "default": {
        "ENGINE": "standfast.platform.database",
        "NAME": _DSN.pop("dbname", postgres.DATABASE),
        "USER": _DSN.pop("user", ""),
        "PASSWORD": _DSN.pop("password", ""),
        "HOST": _DSN.pop("host", ""),
        "PORT": _DSN.pop("port", ""),
        "OPTIONS": _DSN,
        "CONN_MAX_AGE": 600,  # a new one takes ten times as long for each statement that it meets first
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_ADAPTER = "standfast.components.accounts.sign_in.ByInvitation"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {
    "change_password": "standfast.components.accounts.password_forms.Change",
    "reset_password": "standfast.components.accounts.password_forms.Reset",
    "reset_password_from_key": "standfast.components.accounts.password_forms.ResetByLink",
    "reauthenticate": "standfast.components.accounts.password_forms.Again",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Browsers treat http://localhost as secure.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not CONFIG.application_url.startswith("https:")
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses come from invitations, not from sign-ups
MFA_TOTP_ISSUER = "Standfast"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [NINJA / "static"]
STATIC_ROOT = CONFIG.var / "static"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.application_url.startswith("https:")
if os.environ.get("STANDFAST_BEHIND_TLS") == "1":
    # Only when a proxy of yours sets the header itself and strips the client's: else anybody could claim to speak TLS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    # The same proxy says who asks; without that all would share the limits of its address, and one could shut all out.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"  # previews are frames of our own
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_HANDLERS = [
    "standfast.components.audience.upload_limit.UploadLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
EMAIL_HOST = CONFIG.host
EMAIL_PORT = CONFIG.inbox_port
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = "Standfast <no-reply@standfast.test>"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SILENCED_SYSTEM_CHECKS: list[str] = []

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
