"""What every request passes: where it comes from, who is signed in, how much is left of a limit,
and what it gives back.
"""

from __future__ import annotations

from collections.abc import Callable

from asgiref.sync import sync_to_async
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from accounts import origin, throttles
from accounts.authentication import user_of
from accounts.connections import give_back
from accounts.models import User

Answer = Callable[[HttpRequest], HttpResponseBase]


class GiveBackMiddleware:
    """An answer that is made needs the database no more. Django would keep the connection until the
    last byte is sent: as many slow readers as there are connections would stop everybody.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Go on, and give the connection back."""
        response = self.get_response(request)
        give_back()
        return response


class OriginMiddleware:
    """Audit entries and logins made during the request know its address."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Go on, under the client's address."""
        agent = request.META.get("HTTP_USER_AGENT", "")
        with origin.coming_from(origin.client_address(request), agent):
            return self.get_response(request)


class LoginMiddleware(AuthenticationMiddleware):
    """Django's, but a session counts only as long as its login is live."""

    def process_request(self, request: HttpRequest) -> None:
        """Ask who it is when somebody wants to know, and then in one query."""

        async def auser() -> User | AnonymousUser:
            return await sync_to_async(user_of)(request)

        request.user = SimpleLazyObject(lambda: user_of(request))  # type: ignore[assignment]
        request.auser = auser


class RateLimitHeaders:
    """Tell callers of the API what is left, before they run into it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Go on, and put the tightest limit into the headers."""
        response = self.get_response(request)
        allowance = throttles.tightest(request)
        if allowance is not None:
            response["RateLimit-Limit"] = str(allowance.limit)
            response["RateLimit-Remaining"] = str(allowance.remaining)
            response["RateLimit-Reset"] = str(allowance.reset)
        return response
