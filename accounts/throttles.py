"""How fast one may go: a token bucket, and the API's throttles made of it."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import origin
from accounts.errors import RateLimited

if TYPE_CHECKING:
    # REST framework's views import the throttles.
    from rest_framework.views import APIView

ROUNDING = 1e-5  # what adding up seconds since 1970 may be out by

Clock = Callable[[], float]


class TokenBucket:
    """Holds up to `burst` tokens and gains `rate` of them a second. It begins full.

    All it knows is `full_at`, the moment at which it would be full again, so it can be kept as
    one number and rebuilt from it (the generic cell rate algorithm of ATM Forum TM 4.0).
    """

    __slots__ = ("burst", "clock", "full_at", "rate")

    def __init__(
        self, rate: float, burst: float, *, clock: Clock = time.monotonic, full_at: float = 0.0
    ) -> None:
        self.rate = rate
        self.burst = burst
        self.clock = clock
        self.full_at = full_at

    def take(self, tokens: float = 1) -> bool:
        """Take that many, or, if there are fewer, none."""
        if self.wait(tokens) > 0:
            return False
        self.full_at = self.clock() + self.until_full() + tokens / self.rate
        return True

    def wait(self, tokens: float = 1) -> float:
        """Seconds until that many are there; 0 if they are."""
        seconds = self.until_full() - (self.burst - tokens) / self.rate
        return seconds if seconds > ROUNDING else 0.0

    def remaining(self) -> int:
        """Whole tokens there are now."""
        return math.floor(self.burst - self.until_full() * self.rate + ROUNDING)

    def until_full(self) -> float:
        """Seconds until nothing is missing. Where more seems to be than it ever holds, the clock
        was set back: nothing is known, and nobody is kept waiting for the time that was.
        """
        seconds = self.full_at - self.clock()
        return max(0.0, seconds) if seconds <= self.burst / self.rate + ROUNDING else 0.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of one limit, for the headers of draft-ietf-httpapi-ratelimit-headers."""

    limit: int
    remaining: int
    reset: int  # seconds until all of it is there again


ALLOWANCES = "rate_allowances"  # the attribute of a request that collects them


class Throttle(BaseThrottle):
    """A bucket for each caller, kept in Django's cache, where processes share it.

    Two requests at the very same moment may both take the last token: a limit is no lock.
    """

    scope = ""

    def rate(self) -> tuple[float, int]:
        """Tokens a second, and the most at once."""
        raise NotImplementedError

    def caller(self, request: Request) -> str:
        """Whose bucket it is: the user's, or for nobody the address's."""
        return whose(request.user, request._request)

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Take a token of the caller's."""
        return not settings.CHAT_THROTTLES or self.take(self.caller(request), request._request)

    def take(self, caller: str, request: HttpRequest) -> bool:
        """Take a token from this bucket. The time to wait is kept for `wait()`."""
        rate, burst = self.rate()
        key = f"throttle:{self.scope}:{caller}"
        bucket = TokenBucket(rate, burst, clock=time.time, full_at=cache.get(key, 0.0))
        allowed = bucket.take()
        if allowed:
            cache.set(key, bucket.full_at, timeout=math.ceil(bucket.until_full()) + 1)
        self._seconds = bucket.wait()
        _note(request, bucket)
        return allowed

    def wait(self) -> float:
        """Seconds until the next token."""
        return self._seconds


def whose(user: Any, request: HttpRequest) -> str:
    """The bucket of a user, or of the address of nobody."""
    if user and user.is_authenticated:
        return f"user:{user.pk}"
    return f"address:{origin.client_address(request)}"


def slow_down(throttle: type[Throttle], request: HttpRequest) -> None:
    """What a form of a page does counts like a call of the API. Raises RateLimited."""
    asked = throttle()
    if settings.CHAT_THROTTLES and not asked.take(whose(request.user, request), request):
        raise RateLimited(retry_after=asked.wait())


def _note(request: HttpRequest, bucket: TokenBucket) -> None:
    noted: list[Allowance] = request.__dict__.setdefault(ALLOWANCES, [])
    reset = math.ceil(bucket.until_full())
    noted.append(Allowance(int(bucket.burst), max(0, bucket.remaining()), reset))


def tightest(request: HttpRequest) -> Allowance | None:
    """Of the limits this request was counted against, the one nearest its end."""
    noted: list[Allowance] = getattr(request, ALLOWANCES, [])
    return min(noted, key=lambda allowance: allowance.remaining, default=None)


class CallThrottle(Throttle):
    """Every call of the API."""

    scope = "call"

    def rate(self) -> tuple[float, int]:
        """As the settings say."""
        return settings.CHAT_CALL_RATE, settings.CHAT_CALL_BURST


class PostThrottle(Throttle):
    """Posting and editing messages; reading a list of them is neither."""

    scope = "post"

    def rate(self) -> tuple[float, int]:
        """As the settings say."""
        return settings.CHAT_POST_RATE, settings.CHAT_POST_BURST

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count what has text rendered."""
        return request.method not in ("POST", "PATCH") or super().allow_request(request, view)


class SearchThrottle(Throttle):
    """Searching through all that was said."""

    scope = "search"

    def rate(self) -> tuple[float, int]:
        """As the settings say."""
        return settings.CHAT_SEARCH_RATE, settings.CHAT_SEARCH_BURST


class LoginThrottle(Throttle):
    """Tries at a password, for a user name and address; or for oneself, at one's own."""

    scope = "login"

    def rate(self) -> tuple[float, int]:
        """The setting is a number a minute."""
        return settings.CHAT_LOGIN_RATE / 60, int(settings.CHAT_LOGIN_RATE)

    def caller(self, request: Request) -> str:
        """The name as tried, whether somebody has it or not; who is signed in is known already."""
        if request.user and request.user.is_authenticated:
            return whose(request.user, request._request)
        data: Any = request.data
        username = data.get("username", "") if hasattr(data, "get") else ""
        address = origin.client_address(request._request)
        return f"{address}:{hash_of(str(username).lower())}"


class DoorThrottle(Throttle):
    """Coming in from an address, as a guest or by any password: each costs a row, or a hashing."""

    scope = "door"

    def rate(self) -> tuple[float, int]:
        """The setting is a number a minute."""
        return settings.CHAT_DOOR_RATE / 60, int(settings.CHAT_DOOR_RATE)

    def caller(self, request: Request) -> str:
        """The address's."""
        return whose(None, request._request)


def hash_of(text: str) -> str:
    """Short and fit for a cache key, whatever was typed."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
