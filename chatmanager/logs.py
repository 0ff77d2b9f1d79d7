"""What is written to the log, and what never is: query strings, bodies, tokens in paths."""

import re
import sys
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

# Paths whose last part is a secret.
_SECRET_PATHS = re.compile(r"^(?P<open>/join/)[^/]+")
# Asked every few seconds by machines.
PROBES = {"/healthz", "/readyz", "/metrics"}
# Names whose values are secrets wherever they turn up in an event.
_SECRET_NAMES = re.compile(
    r"password|secret|token|ticket|authorization|cookie|api_?key", re.IGNORECASE
)

_Event = structlog.typing.EventDict


def presentable(path: str) -> str:
    """`path` without what must not be kept."""
    return _SECRET_PATHS.sub(r"\g<open>***", path)


def hide_secrets(_logger: Any, _method: str, event: _Event) -> _Event:
    """A structlog processor: blank the values of names that sound secret."""
    for name in event:
        if _SECRET_NAMES.search(name):
            event[name] = "***"
    return event


class RequestLog(RequestMiddleware):
    """One line for each request, by method and path alone; none for a probe that went well."""

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        if request.path in PROBES and response.status_code < 400:
            structlog.contextvars.clear_contextvars()
        else:
            super().handle_response(request, response)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Shadow django-structlog's, which keeps the query string."""
        return f"{request.method} {presentable(request.path)}"


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.UnicodeDecoder(),
    hide_secrets,
]


def configure(level: str, style: str) -> dict[str, Any]:
    """Set structlog up; the return value is Django's LOGGING.

    `style` is text, json or auto (text on a terminal).
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    text = style == "text" or (style == "auto" and sys.stderr.isatty())
    renderer: list[Any] = (
        [structlog.dev.ConsoleRenderer()]
        if text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Every request is told once, by RequestLog; these would tell it again, some with the
            # query string.
            "django.request": {"level": "CRITICAL"},
            "django.channels.server": {"level": "CRITICAL"},
            "django.server": {"level": "CRITICAL"},
            "uvicorn": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "celery": {"level": "WARNING"},
            "kombu": {"level": "ERROR"},
            "asyncio": {"level": "WARNING"},
            "psycopg.pool": {"level": "ERROR"},
            "httpx": {"level": "WARNING"},
        },
    }
