"""The cache on Redis, of which nothing but speed and rate limits may depend."""

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

Result = TypeVar("Result")


class ForgivingRedisCache(RedisCache):
    """Answers as an empty cache does while Redis is away: people talk on, unthrottled."""

    def clear(self) -> None:
        """Empty what is ours: the same Redis may hold the broker's queues."""
        self._forgive(self._unlink_ours, None)

    def _unlink_ours(self) -> None:
        client = self._cache.get_client(None, write=True)
        ours = [*client.scan_iter(match=self.make_key("*"), count=1000)]
        if ours:
            client.unlink(*ours)

    def _forgive(self, ask: Callable[[], Result], without: Result) -> Result:
        try:
            return ask()
        except RedisError as error:
            logger.warning("cache_away", error=type(error).__name__)
            return without

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return self._forgive(lambda: super(ForgivingRedisCache, self).add(*args, **kwargs), True)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._forgive(
            lambda: super(ForgivingRedisCache, self).get(key, default, version), default
        )

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._forgive(lambda: super(ForgivingRedisCache, self).set(*args, **kwargs), None)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return self._forgive(lambda: super(ForgivingRedisCache, self).touch(*args, **kwargs), False)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return self._forgive(
            lambda: super(ForgivingRedisCache, self).delete(*args, **kwargs), False
        )

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return self._forgive(lambda: super(ForgivingRedisCache, self).get_many(keys, version), {})

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return self._forgive(
            lambda: super(ForgivingRedisCache, self).has_key(*args, **kwargs), False
        )

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return self._forgive(
            lambda: super(ForgivingRedisCache, self).incr(key, delta, version), delta
        )

    def set_many(self, *args: Any, **kwargs: Any) -> list[Any]:
        return self._forgive(lambda: super(ForgivingRedisCache, self).set_many(*args, **kwargs), [])

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._forgive(lambda: super(ForgivingRedisCache, self).delete_many(*args, **kwargs), None)
