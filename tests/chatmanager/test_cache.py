"""The cache on Redis: nothing but speed and rate limits may depend on it."""

import os

import pytest

from chatmanager.cache import ForgivingRedisCache

AWAY = ForgivingRedisCache(
    "redis://127.0.0.1:1/0", {"OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1}}
)


def test_it_is_empty_while_redis_is_away() -> None:
    AWAY.set("name", 1)
    AWAY.set_many({"name": 1})
    AWAY.clear()
    assert AWAY.get("name") is None
    assert AWAY.get("name", "other") == "other"
    assert AWAY.get_many(["name"]) == {}
    assert AWAY.add("name", 1)
    assert not AWAY.has_key("name")
    assert not AWAY.delete("name")


@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="needs a Redis")
def test_clearing_leaves_what_others_keep_in_the_same_redis() -> None:
    url = os.environ["REDIS_URL"]
    mine = ForgivingRedisCache(url, {"KEY_PREFIX": f"mine-{os.getpid()}"})
    theirs = ForgivingRedisCache(url, {"KEY_PREFIX": f"theirs-{os.getpid()}"})
    mine.set("name", "mine")
    theirs.set("name", "theirs")
    mine.clear()
    assert mine.get("name") is None
    assert theirs.get("name") == "theirs"
    theirs.clear()
