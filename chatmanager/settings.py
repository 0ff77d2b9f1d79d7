"""Every setting, read from the environment, with defaults that run on a bare checkout.

Ours begin with CHAT_. Lifetimes and windows are timedeltas (given in seconds), intervals of the
socket are seconds.
Mistakes are told by `chatmanager/checks.py`; docs/operations.md lists what an operator may set.
"""

import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.templatetags.static import static
from kombu import Exchange, Queue

from chatmanager import logs, secret_key
from chatmanager.schedule import schedule

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent


class Env(environ.Env):
    """Says which variable cannot be read; django-environ tells only that something cannot."""

    asked: ClassVar[set[str]] = set()
    """The names of all that were read here."""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        self.asked.add(var)
        try:
            return super().get_value(var, *args, **kwargs)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} cannot be read: {error}.") from error


env = Env()
if env.bool("CHAT_READ_DOT_ENV", default=True):
    env.read_env(str(BASE_DIR / ".env"))


def seconds(name: str, default: float) -> timedelta:
    """A length of time, given as a number of seconds."""
    return timedelta(seconds=env.float(name, default=default))


# Where things are kept ----------------------------------------------------------------------------

CHAT_DATA_DIR = (
    Path(env.str("CHAT_DATA_DIR", default="") or BASE_DIR / "var").expanduser().absolute()
)
try:
    CHAT_DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    SECRET_KEY = env.str("SECRET_KEY", default="") or secret_key.read_or_make(
        CHAT_DATA_DIR / "secret_key"
    )
except OSError:
    # chat.E001 says so and stops everything; until then something unguessable must stand here.
    SECRET_KEY = secrets.token_urlsafe(64)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# Who may reach it ---------------------------------------------------------------------------------

DEBUG = env.bool("CHAT_DEBUG", default=False)
# The address people use, such as https://chat.example.org: it decides hosts, origins, secure
# cookies and HSTS.
CHAT_URL = env.str("CHAT_URL", default="").rstrip("/")
_url = urlsplit(CHAT_URL)
CHAT_HTTPS = _url.scheme == "https"
# How many proxies of ours stand before us: so many of the last X-Forwarded-For addresses are
# believed.
CHAT_TRUSTED_PROXIES = env.int("CHAT_TRUSTED_PROXIES", default=0)

ALLOWED_HOSTS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    *([_url.hostname] if _url.hostname else []),
    *env.list("CHAT_HOSTS", default=[]),
]
CSRF_TRUSTED_ORIGINS = [*([CHAT_URL] if CHAT_URL else []), *env.list("CHAT_ORIGINS", default=[])]
INTERNAL_IPS = ["127.0.0.1", "::1"]

# The pieces ---------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # Only `runserver` needs daphne, and it costs every process half a second.
    *(["daphne"] if "runserver" in sys.argv[1:2] else []),
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "csp",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "accounts",
    "rooms",
    "messages",
    "live",
    "notifications",
    "threads",
    "robots",
    "chatmanager",
]

MIDDLEWARE = [
    "accounts.middleware.GiveBackMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "accounts.middleware.OriginMiddleware",
    "accounts.middleware.RateLimitHeaders",
    "chatmanager.content_policy.ContentPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.LoginMiddleware",
    "chatmanager.logs.RequestLog",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "chatmanager.errors.DomainErrorPages",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "chatmanager.urls"
ASGI_APPLICATION = "chatmanager.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]

# The database -------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default="") or f"sqlite:///{CHAT_DATA_DIR / 'chat.sqlite3'}"
_database = env.db_url_config(DATABASE_URL)
CHAT_ON_SQLITE = _database.get("ENGINE") == "django.db.backends.sqlite3"
# How many server processes share the port: more than one needs PostgreSQL and Redis.
CHAT_PROCESSES = env.int("WEB_CONCURRENCY", default=1)
# How many connections one process keeps to PostgreSQL.
CHAT_DATABASE_POOL = env.int("CHAT_DATABASE_POOL", default=16)

if CHAT_ON_SQLITE:
    _database["OPTIONS"] = {
        # Writers queue for the lock at BEGIN; without it a transaction that reads first fails when
        # it comes to write.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL;"
            "PRAGMA synchronous=FULL;"
            "PRAGMA foreign_keys=ON;"
            "PRAGMA temp_store=MEMORY;"
            "PRAGMA mmap_size=134217728;"
            "PRAGMA journal_size_limit=67108864"
        ),
        **_database.get("OPTIONS", {}),
    }
elif _database.get("ENGINE") == "django.db.backends.postgresql":
    _database["ENGINE"] = "accounts.postgresql"
    _database["OPTIONS"] = {
        "pool": {
            "min_size": 1,
            "max_size": CHAT_DATABASE_POOL,
            "timeout": 10,
            # What gives up trying is tried anew by who asks next: it is not waited for twice as
            # long each time.
            "reconnect_timeout": 3,
        },
        "options": (
            # A process that hangs holds no room up for longer than that.
            "-c lock_timeout=3000 -c idle_in_transaction_session_timeout=5000 "
            # The planner's costs of a disk that turns, and what is compiled for what it then takes
            # to be long: with these two the unread of 50 rooms are counted in a third to a half
            # less time.
            "-c random_page_cost=1.1 -c jit=off"
        ),
        **_database.get("OPTIONS", {}),
    }
_database["CONN_MAX_AGE"] = 0

DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The channel layer, the cache and the broker are hints; the database is the truth -----------------

REDIS_URLS = env.list("REDIS_URL", default=[])
CHAT_REDIS_PREFIX = env.str("CHAT_REDIS_PREFIX", default="chat")

if REDIS_URLS:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # Redis' publish and subscribe know no database number: it is part of the prefix, or two
            # chats would meet.
            "CONFIG": {
                "hosts": [{"address": url, "socket_connect_timeout": 2} for url in REDIS_URLS],
                "prefix": f"{CHAT_REDIS_PREFIX}{urlsplit(REDIS_URLS[0]).path}",
            },
        }
    }
    CACHES = {
        "default": {
            "BACKEND": "chatmanager.cache.ForgivingRedisCache",
            "LOCATION": REDIS_URLS[0],
            "KEY_PREFIX": CHAT_REDIS_PREFIX,
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
    }
else:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            "CONFIG": {"capacity": 10_000},
        }
    }
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="") or "memory://"
# Without a broker the worker and the beat run inside the server.
CHAT_EMBEDDED_WORKER = CELERY_BROKER_URL.startswith("memory:")
CHAT_WORKER_THREADS = env.int("CHAT_WORKER_THREADS", default=4)
# Words to workers are given up soon where the broker is away: a sweeper repeats them.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"polling_interval": 0.01}
    if CHAT_EMBEDDED_WORKER
    else {
        "visibility_timeout": 6 * 3600,
        "socket_connect_timeout": 2,
        "socket_timeout": 10,
        "max_retries": 1,
        "interval_start": 0,
    }
)
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker told nothing else takes from both.
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), name) for name in ("celery", "replies")]
CELERY_TASK_ROUTES = {
    "robots.tasks.run_reply": {"queue": "replies"},
    "robots.tasks.advance_autopilot": {"queue": "replies"},  # which may ask a moderator's model
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(CHAT_DATA_DIR / "beat")

# Signing in ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in [
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    ]
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

CHAT_SESSION_LIFETIME = seconds("CHAT_SESSION_LIFETIME", 14 * 24 * 3600)
CHAT_ACCESS_LIFETIME = seconds("CHAT_ACCESS_LIFETIME", 30 * 60)
CHAT_REFRESH_LIFETIME = seconds("CHAT_REFRESH_LIFETIME", 30 * 24 * 3600)
CHAT_TICKET_LIFETIME = seconds("CHAT_TICKET_LIFETIME", 30)
CHAT_INVITATION_LIFETIME = seconds("CHAT_INVITATION_LIFETIME", 7 * 24 * 3600)
# Guests have no password to sign in with again: their sign-in lasts as long as a refresh token.
CHAT_GUEST_LIFETIME = seconds("CHAT_GUEST_LIFETIME", 30 * 24 * 3600)

SESSION_COOKIE_AGE = int(CHAT_SESSION_LIFETIME.total_seconds())
SESSION_COOKIE_NAME = "chat_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CHAT_HTTPS
CSRF_COOKIE_NAME = "chat_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = CHAT_HTTPS
CSRF_FAILURE_VIEW = "chatmanager.errors.csrf_failure"

AXES_FAILURE_LIMIT = env.int("CHAT_LOGIN_FAILURES", default=10)
AXES_COOLOFF_TIME = seconds("CHAT_LOGIN_COOLOFF", 15 * 60)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "chatmanager.errors.locked_out"
# Else it is USERNAME_FIELD, and the check of whether a name is locked out finds none.
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "accounts.authentication.username_tried"
AXES_CLIENT_IP_CALLABLE = "accounts.origin.client_address"
# Tries during a lockout are refused unread: they neither lengthen it nor fill the table.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_VERBOSE = False

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": CHAT_ACCESS_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": CHAT_REFRESH_LIFETIME,
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": False,
    "SIGNING_KEY": SECRET_KEY,
    "ALGORITHM": "HS256",
    "AUTH_HEADER_TYPES": ("Bearer",),
}

# Rates. CHAT_THROTTLES=0 lifts rate limits and flood guards, for load tests.
CHAT_THROTTLES = env.bool("CHAT_THROTTLES", default=True)
CHAT_POST_RATE = env.float("CHAT_POST_RATE", default=10)  # a second and user
CHAT_POST_BURST = env.int("CHAT_POST_BURST", default=30)
CHAT_CALL_RATE = env.float("CHAT_CALL_RATE", default=50)  # a second and user
CHAT_CALL_BURST = env.int("CHAT_CALL_BURST", default=200)
CHAT_SEARCH_RATE = env.float("CHAT_SEARCH_RATE", default=5)  # a second and user
CHAT_SEARCH_BURST = env.int("CHAT_SEARCH_BURST", default=20)
CHAT_LOGIN_RATE = env.float("CHAT_LOGIN_RATE", default=10)  # a minute, user and address
CHAT_DOOR_RATE = env.float("CHAT_DOOR_RATE", default=120)  # a minute and address

# Rooms --------------------------------------------------------------------------------------------

CHAT_ROOM_MAX_PARTICIPANTS = env.int("CHAT_ROOM_MAX_PARTICIPANTS", default=10_000)
CHAT_PERSON_MAX_ROOMS = env.int("CHAT_PERSON_MAX_ROOMS", default=1_000)
CHAT_ROOM_MESSAGES_WARN = env.int("CHAT_ROOM_MESSAGES_WARN", default=100_000)

# Messages -----------------------------------------------------------------------------------------

CHAT_MESSAGE_MAX_LENGTH = env.int("CHAT_MESSAGE_MAX_LENGTH", default=16_000)  # code points
CHAT_EDIT_WINDOW = seconds("CHAT_EDIT_WINDOW", 15 * 60)
CHAT_ATTACHMENT_MAX_SIZE = env.int("CHAT_ATTACHMENT_MAX_SIZE", default=25 * 1024 * 1024)  # bytes
CHAT_ATTACHMENTS_MAX = env.int("CHAT_ATTACHMENTS_MAX", default=10)  # a message
# What making a thumbnail of a picture may take; of what would take more there is none.
CHAT_THUMBNAIL_MAX_PIXELS = env.int("CHAT_THUMBNAIL_MAX_PIXELS", default=50_000_000)
CHAT_THUMBNAIL_MEMORY = env.int("CHAT_THUMBNAIL_MEMORY", default=768 * 1024 * 1024)  # bytes
CHAT_THUMBNAIL_SECONDS = env.int("CHAT_THUMBNAIL_SECONDS", default=5)  # of the processor
# Different ones on a message.
CHAT_REACTION_KINDS_MAX = env.int("CHAT_REACTION_KINDS_MAX", default=50)
CHAT_SIDEBARS_MAX = env.int("CHAT_SIDEBARS_MAX", default=500)  # of a room
CHAT_SHARED_AT_ONCE = env.int("CHAT_SHARED_AT_ONCE", default=50)  # messages, as one
CHAT_ATTACHMENT_KEEP_UNATTACHED = seconds("CHAT_ATTACHMENT_KEEP_UNATTACHED", 24 * 3600)
CHAT_AVATAR_MAX_SIZE = env.int("CHAT_AVATAR_MAX_SIZE", default=2 * 1024 * 1024)  # bytes
CHAT_PAGE_SIZE = env.int("CHAT_PAGE_SIZE", default=50)
CHAT_PAGE_MAX = env.int("CHAT_PAGE_MAX", default=200)

# Notifications ------------------------------------------------------------------------------------

# What rooms of a team tell of whom has chosen nothing: all, mentions or nothing.
CHAT_NOTIFY_DEFAULT = env.str("CHAT_NOTIFY_DEFAULT", default="mentions")
CHAT_NOTIFICATION_KEEP = seconds("CHAT_NOTIFICATION_KEEP", 30 * 24 * 3600)
# Mail for people who are away: after how long, and how long nothing follows one.
CHAT_MAIL_AFTER = seconds("CHAT_MAIL_AFTER", 120)
CHAT_MAIL_PAUSE = seconds("CHAT_MAIL_PAUSE", 15 * 60)
# Browsers of people who are there wait so long; private push services, as host:port.
CHAT_PUSH_AFTER = seconds("CHAT_PUSH_AFTER", 20)
CHAT_PUSH_CONTENT = env.bool("CHAT_PUSH_CONTENT", default=True)
CHAT_PUSH_HOSTS = env.list("CHAT_PUSH_HOSTS", default=[])
# Whether mail says who said what, and where.
CHAT_MAIL_CONTENT = env.bool("CHAT_MAIL_CONTENT", default=True)
DEFAULT_FROM_EMAIL = env.str(
    "CHAT_MAIL_FROM", default=f"Chat Manager <chat@{_url.hostname or 'localhost'}>"
)
# The console's, until an operator names a server.
globals().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 20

# The live socket ----------------------------------------------------------------------------------

CHAT_HEAD_CHECK_INTERVAL = env.float("CHAT_HEAD_CHECK_INTERVAL", default=15)
CHAT_PRESENCE_LEASE = env.float("CHAT_PRESENCE_LEASE", default=60)
CHAT_PRESENCE_RENEW = env.float("CHAT_PRESENCE_RENEW", default=25)
# People; larger rooms show none.
CHAT_PRESENCE_MAX_ROOM = env.int("CHAT_PRESENCE_MAX_ROOM", default=200)
# Visible changes; beyond them a `reset`.
CHAT_CATCH_UP_MAX = env.int("CHAT_CATCH_UP_MAX", default=1_000)
CHAT_SOCKET_FRAME_MAX = env.int("CHAT_SOCKET_FRAME_MAX", default=256 * 1024)  # bytes
CHAT_SOCKET_THREADS = env.int("CHAT_SOCKET_THREADS", default=4)  # for sockets' database work
CHAT_SOCKETS_PER_USER = env.int("CHAT_SOCKETS_PER_USER", default=100)  # in one process
# Groups that processes listen to. Each that a batch touches is a word of its own to Redis, whose
# sending and hearing costs more than all that it says: only hosts that share them want several.
CHAT_LAYER_SHARDS = env.int("CHAT_LAYER_SHARDS", default=8 if len(REDIS_URLS) > 1 else 1)
# Then `bye too_slow`.
CHAT_SOCKET_QUEUE_BYTES = env.int("CHAT_SOCKET_QUEUE_BYTES", default=1024 * 1024)
# A minute; then `bye misbehaving`.
CHAT_SOCKET_REFUSALS = env.int("CHAT_SOCKET_REFUSALS", default=10)
# Bytes, or 0 for the system's.
CHAT_SOCKET_KERNEL_BUFFER = env.int("CHAT_SOCKET_KERNEL_BUFFER", default=256 * 1024)
CHAT_WS_DEFLATE = env.bool("CHAT_WS_DEFLATE", default=False)

# Robots -------------------------------------------------------------------------------------------

# Which environment variables may hold a robot's key. None of the server's own ever does.
CHAT_ROBOT_KEY_PATTERN = env.str("CHAT_ROBOT_KEY_PATTERN", default=r"^[A-Z0-9_]+_KEY$")
# Whose models agents may choose: asked at one public address, with a key of their own. Models of
# others are for site admins: they are within one's own network, or take what this host may do.
CHAT_ROBOT_PROVIDERS = env.list(
    "CHAT_ROBOT_PROVIDERS",
    default=[
        *("anthropic", "cerebras", "cohere", "deepseek", "fireworks_ai", "gemini", "groq"),
        *("mistral", "openai", "openrouter", "perplexity", "together_ai", "xai"),
    ],
)
CHAT_REPLY_LEASE = seconds("CHAT_REPLY_LEASE", 15)
CHAT_REPLY_RENEW = seconds("CHAT_REPLY_RENEW", 5)
CHAT_REPLY_SWEEP_INTERVAL = seconds("CHAT_REPLY_SWEEP_INTERVAL", 5)
CELERY_BEAT_SCHEDULE = schedule(replies=CHAT_REPLY_SWEEP_INTERVAL)
CHAT_REPLIES_PER_WORKER = env.int("CHAT_REPLIES_PER_WORKER", default=256)  # at once
CHAT_REPLY_TRIES = env.int("CHAT_REPLY_TRIES", default=3)  # of a model, before its first word
CHAT_REPLY_BACKOFF = seconds("CHAT_REPLY_BACKOFF", 0.5)
CHAT_REPLY_RETRY_AFTER_MAX = seconds("CHAT_REPLY_RETRY_AFTER_MAX", 20)
CHAT_REPLY_FIRST_TOKEN_TIMEOUT = seconds("CHAT_REPLY_FIRST_TOKEN_TIMEOUT", 60)
CHAT_REPLY_SILENCE_TIMEOUT = seconds("CHAT_REPLY_SILENCE_TIMEOUT", 30)
CHAT_REPLY_TIMEOUT = seconds("CHAT_REPLY_TIMEOUT", 300)
# Shares of a robot's window: beyond the first it is compacted, to the second word for word, and a
# summary of what was before of at most the third.
CHAT_CONTEXT_FULL = env.float("CHAT_CONTEXT_FULL", default=0.8)
CHAT_CONTEXT_VERBATIM = env.float("CHAT_CONTEXT_VERBATIM", default=0.3)
CHAT_CONTEXT_SUMMARY = env.float("CHAT_CONTEXT_SUMMARY", default=0.2)
CHAT_PARROT_PACE = env.int("CHAT_PARROT_PACE", default=20)  # words a second
CHAT_GUARD_DEPTH = env.int("CHAT_GUARD_DEPTH", default=4)
CHAT_GUARD_PAIR = env.int("CHAT_GUARD_PAIR", default=3)
CHAT_GUARD_PAIR_WINDOW = seconds("CHAT_GUARD_PAIR_WINDOW", 300)
CHAT_GUARD_MESSAGES = env.int("CHAT_GUARD_MESSAGES", default=12)  # since the last human one
CHAT_AUTOPILOT_TURNS = env.int("CHAT_AUTOPILOT_TURNS", default=12)
CHAT_AUTOPILOT_PAUSE = seconds("CHAT_AUTOPILOT_PAUSE", 2)  # between turns
CHAT_AUTOPILOT_TYPING_HOLD = seconds("CHAT_AUTOPILOT_TYPING_HOLD", 10)
CHAT_AUTOPILOT_LIFETIME = seconds("CHAT_AUTOPILOT_LIFETIME", 1800)

# Files --------------------------------------------------------------------------------------------

MEDIA_ROOT = CHAT_DATA_DIR / "uploads"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
# What a request may carry beside its file; a larger body is refused before it is read.
CHAT_REQUEST_MAX_SIZE = CHAT_ATTACHMENT_MAX_SIZE + 1024 * 1024

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("CHAT_STATIC_ROOT", default="") or BASE_DIR / "var" / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "chatmanager.whole_files.WholeFiles"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "chatmanager.static_files.StaticFiles"
    },
}
# Source maps are large, and asked for by developers alone.
SERVESTATIC_SKIP_COMPRESS_EXTENSIONS = [
    "gif",
    "gz",
    "ico",
    "jpg",
    "map",
    "png",
    "svgz",
    "webp",
    "woff",
    "woff2",
    "zip",
]
SERVESTATIC_KEEP_ONLY_HASHED_FILES = True

# Headers ------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # The nonce is for the import map, the one inline script there is.
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = env.int("CHAT_HSTS_SECONDS", default=365 * 24 * 3600 if CHAT_HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("CHAT_HSTS_SUBDOMAINS", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CHAT_TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = CHAT_HTTPS and CHAT_TRUSTED_PROXIES > 0
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]

# The API ------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "chatmanager.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttles.CallThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "chatmanager.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "UNICODE_JSON": True,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Chat Manager",
    "DESCRIPTION": "Rooms in which people and robots talk, and see exactly what they may.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "UserKind": "accounts.models.User.Kind",
        "NotifyLevel": "rooms.models.Participant.Notify",
        "MessageKind": "messages.models.Message.Kind",
        "RoomState": "rooms.models.Room.State",
        "RoomVisibility": "rooms.models.Room.Visibility",
        "NewVisibility": "rooms.api.rooms.VISIBILITIES",
    },
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}


def _icon(request: HttpRequest) -> str:
    return static("img/icon.svg")


# The green of our pages (static/css/tokens.css), from the lightest to the darkest.
_GREENS = {
    "50": "oklch(97.5% 0.015 165)",
    "100": "oklch(94.5% 0.032 165)",
    "200": "oklch(89% 0.055 165)",
    "300": "oklch(82% 0.09 167)",
    "400": "oklch(72% 0.11 168)",
    "500": "oklch(60% 0.11 168)",
    "600": "oklch(50% 0.098 168)",
    "700": "oklch(43% 0.088 168)",
    "800": "oklch(37% 0.08 168)",
    "900": "oklch(31% 0.065 170)",
    "950": "oklch(24% 0.045 170)",
}

UNFOLD = {
    "SITE_TITLE": "Chat Manager",
    "SITE_HEADER": "Chat Manager",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "SHOW_HISTORY": False,
    "COLORS": {"primary": _GREENS},
    "SIDEBAR": {"show_search": True, "show_all_applications": True},
}

# Language, time, log ------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
# What the server reckons in; people see their own, or else CHAT_TIME_ZONE.
TIME_ZONE = "UTC"
CHAT_TIME_ZONE = env.str("CHAT_TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = False

CHAT_METRICS_TOKEN = env.str("CHAT_METRICS_TOKEN", default="")
# Whether an empty database is filled with a demo, and the password of its people (a random one
# where there is none).
CHAT_DEMO = env.bool("CHAT_DEMO", default=False)
CHAT_DEMO_PASSWORD = env.str("CHAT_DEMO_PASSWORD", default="")
CHAT_STOP_TIMEOUT = env.int("CHAT_STOP_TIMEOUT", default=20)  # seconds to finish requests in

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logs.configure(
    env.str("CHAT_LOG_LEVEL", default="INFO"), env.str("CHAT_LOG_STYLE", default="auto")
)
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = 10
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

# What was read above belongs to the server, and is no key of a robot's.
CHAT_VARIABLES_READ = frozenset(Env.asked)
