"""What can go wrong, told once: every door (page, API, socket) shows the same code and sentence."""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """A rule was broken. Models nest their own kinds: `class Closed(Conflict)`.

    `status` is the HTTP status, `retryable` whether the same call may work later,
    `retry_after` in how many seconds (sent as Retry-After).
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    message: str = "That cannot be done."
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str | None = None,
        *,
        details: dict[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = message or type(self).message
        self.details = details or {}
        self.retry_after = retry_after
        super().__init__(self.message)

    def body(self) -> dict[str, Any]:
        """The one shape of an error, on HTTP and socket."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "retryable": self.retryable,
                "details": self.details,
            }
        }


class Invalid(DomainError):
    """The input does not fit. `details` maps each field to its list of sentences."""

    code = "invalid"
    status = 400
    message = "Some of what was sent is not valid."


class NotAuthenticated(DomainError):
    """Nobody is signed in."""

    code = "not_authenticated"
    status = 401
    message = "Sign in first."


class TokenInvalid(NotAuthenticated):
    """The token, or the login behind it, is not (or no longer) good."""

    code = "token_invalid"
    message = "This token is not valid, or its login has ended."


class Forbidden(DomainError):
    """The thing is seen, but this may not be done to it."""

    code = "forbidden"
    status = 403
    message = "You may not do that."


class NotFound(DomainError):
    """It does not exist, or not for you: the answer is the same."""

    code = "not_found"
    status = 404
    message = "There is no such thing here."


class Conflict(DomainError):
    """What is asked for does not go together with how things stand."""

    code = "conflict"
    status = 409
    message = "That does not go together with how things stand."


class TooLarge(DomainError):
    """More bytes than are taken."""

    code = "too_large"
    status = 413
    message = "That is too large."


class RateLimited(DomainError):
    """Too much, too fast."""

    code = "rate_limited"
    status = 429
    message = "Too many requests. Wait a little."
    retryable = True


class Unavailable(DomainError):
    """Something needed is busy or away."""

    code = "unavailable"
    status = 503
    message = "This is not available at the moment. Try again."
    retryable = True
