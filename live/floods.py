"""How fast one person may send frames, over all their sockets in this process."""

from __future__ import annotations

from django.conf import settings

from accounts.errors import RateLimited
from accounts.throttles import TokenBucket

REMEMBERED = 10_000
"""Buckets, after which the full ones are forgotten."""


POST_SIZE = 4_000
"""Code points of a post that count as one frame."""


class FloodGuard:
    def __init__(self) -> None:
        self._buckets: dict[tuple[int, bool], TokenBucket] = {}

    def take(self, user: int, *, posting: bool, size: int = 0) -> None:
        """Count a frame; a post counts for more the more there is to render (`size`, code points).

        Raises RateLimited.
        """
        if not settings.CHAT_THROTTLES:
            return
        bucket = self._buckets.get((user, posting))
        if bucket is None:
            self._forget_full()
            bucket = self._buckets[user, posting] = _bucket(posting=posting)
        tokens = min(1 + size // POST_SIZE, bucket.burst)
        if not bucket.take(tokens):
            wait = bucket.wait(tokens)
            raise RateLimited(retry_after=wait, details={"retry_after": round(wait, 3)})

    def _forget_full(self) -> None:
        if len(self._buckets) > REMEMBERED:
            self._buckets = {k: b for k, b in self._buckets.items() if b.until_full()}


def _bucket(*, posting: bool) -> TokenBucket:
    if posting:
        return TokenBucket(settings.CHAT_POST_RATE, settings.CHAT_POST_BURST)
    return TokenBucket(settings.CHAT_CALL_RATE, settings.CHAT_CALL_BURST)
