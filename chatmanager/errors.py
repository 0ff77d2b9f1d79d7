"""How what goes wrong is answered: one JSON shape on the API, one page for people."""

import errno
import math
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from django.conf import settings
from django.core import exceptions as django_errors
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template import TemplateDoesNotExist, loader
from django.utils.html import escape
from rest_framework import exceptions as drf_errors
from rest_framework.response import Response
from rest_framework_simplejwt.exceptions import InvalidToken

from accounts.errors import (
    DomainError,
    Forbidden,
    Invalid,
    NotAuthenticated,
    NotFound,
    RateLimited,
    TokenInvalid,
    TooLarge,
    Unavailable,
)
from accounts.throttles import CallThrottle, slow_down

logger = structlog.get_logger(__name__)

API_PREFIX = "/api/"

NO_SPACE = (
    "There is no space left here to keep this. Try again later, or tell those who run this chat."
)


class MethodNotAllowed(DomainError):
    """This address has no such verb."""

    code = "method_not_allowed"
    status = 405
    message = "This address does not take that method."


class NotAcceptable(DomainError):
    """The client accepts nothing we can send."""

    code = "not_acceptable"
    status = 406
    message = "This address answers in JSON alone."


class UnsupportedMediaType(DomainError):
    """Neither JSON nor a form with files."""

    code = "unsupported_media_type"
    status = 415
    message = "Send JSON, or multipart where a file is sent."


class Failed(DomainError):
    """A fault of ours."""

    code = "internal_error"
    status = 500
    message = "Something went wrong on our side. It has been written down."


def as_domain_error(error: Exception) -> DomainError | None:
    """`error` in our own words, or None where it is a fault of ours."""
    match error:
        case DomainError():
            return error
        case OperationalError():
            # A lock not had in time, a pool run dry, a database away: none of them the caller's
            # doing.
            return Unavailable(retry_after=1)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            logger.error("disk_full", problem=str(error))
            return Unavailable(NO_SPACE, retry_after=10)
        case DataError() if "NUL" in str(error):
            # PostgreSQL's texts hold no zero byte: what has one was not typed by anybody.
            return Invalid("This request holds characters that are not text.")
        case drf_errors.ValidationError():
            return Invalid(details=_by_field(error.detail))
        case django_errors.ValidationError():
            return Invalid(
                details=error.message_dict
                if hasattr(error, "error_dict")
                else {"all": error.messages}
            )
        case drf_errors.ParseError():
            return Invalid(str(error.detail))
        case InvalidToken():
            return TokenInvalid()
        case drf_errors.NotAuthenticated():
            return NotAuthenticated()
        case drf_errors.AuthenticationFailed():
            return NotAuthenticated(str(error.detail))
        case drf_errors.PermissionDenied():
            return Forbidden(str(error.detail))
        case django_errors.PermissionDenied():
            return Forbidden()
        case drf_errors.NotFound() | Http404():
            return NotFound()
        case drf_errors.MethodNotAllowed():
            return MethodNotAllowed()
        case drf_errors.NotAcceptable():
            return NotAcceptable()
        case drf_errors.UnsupportedMediaType():
            return UnsupportedMediaType()
        case drf_errors.Throttled():
            return RateLimited(retry_after=getattr(error, "wait", None))
        case django_errors.RequestDataTooBig():
            return TooLarge()
        case django_errors.SuspiciousOperation():
            return Invalid("This request could not be understood.")
    return None


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """For REST framework: the one shape of errors. None lets the error go on to become a 500."""
    known = as_domain_error(error)
    if known is None:
        return None
    headers = _headers(known)
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    return Response(known.body(), status=known.status, headers=headers)


class DomainErrorPages:
    """Middleware: a domain error that leaves a page's view becomes its page; so does what keeps a
    form from its view.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """What is done by forms counts as calls of the API do."""
        if request.method != "POST" or request.path.startswith(API_PREFIX):
            return None
        try:
            slow_down(CallThrottle, request)
        except RateLimited as error:
            return answer(request, error)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, DomainError | OperationalError | DataError | OSError):
            known = as_domain_error(error)
            return answer(request, known) if known else None
        return None


def answer(request: HttpRequest, error: DomainError) -> HttpResponse:
    """`error` as JSON to programs and as a page to people."""
    response: HttpResponse
    if wants_json(request):
        response = JsonResponse(error.body(), status=error.status)
    else:
        response = HttpResponse(_page(request, error), status=error.status)
    for name, value in _headers(error).items():
        response[name] = value
    return response


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIX) or (
        request.accepts("application/json") and not request.accepts("text/html")
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(
        request, as_domain_error(exception) or Invalid("This request could not be understood.")
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, as_domain_error(exception) or Forbidden())


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    return answer(request, Failed())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(
        request,
        Forbidden("This form had grown too old, or came from another site. Load the page again."),
    )


def locked_out(
    request: HttpRequest, response: Any = None, credentials: Any = None, *_: Any
) -> HttpResponse:
    """For django-axes: too many wrong passwords for one name from one address."""
    wait = settings.AXES_COOLOFF_TIME.total_seconds()
    return answer(
        request,
        RateLimited("Too many wrong passwords. Try again in a few minutes.", retry_after=wait),
    )


def _headers(error: DomainError) -> dict[str, str]:
    return (
        {}
        if error.retry_after is None
        else {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    )


def _by_field(detail: Any) -> dict[str, Any]:
    if isinstance(detail, Mapping):
        return {
            "all" if name == "non_field_errors" else str(name): value
            for name, value in detail.items()
        }
    return {"all": detail}


def _page(request: HttpRequest, error: DomainError) -> str:
    """The status' own page, or the one that shows an error's own sentence.

    A page that fails in its turn gives the bare sentence, never a second error.
    """
    try:
        own = error.message == type(error).message
        page = loader.select_template(
            [*([f"{error.status}.html"] if own else []), "errors/other.html"]
        )
        html: str = page.render({"error": error}, request)
        return html
    except TemplateDoesNotExist:
        return _bare(error)
    except Exception:
        logger.exception("error_page_failed")
        return _bare(error)


def _bare(error: DomainError) -> str:
    title = f"<!doctype html><title>{error.status}</title><h1>{error.status}</h1>"
    return f"{title}<p>{escape(error.message)}</p>"
