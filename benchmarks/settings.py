"""Our settings, but SQLite syncs as CHAT_BENCHMARK_SYNCHRONOUS says: as the peers have it."""

import os

from chatmanager.settings import *  # noqa: F403
from chatmanager.settings import DATABASES

DATABASES["default"]["OPTIONS"]["init_command"] += (
    f";PRAGMA synchronous={os.environ['CHAT_BENCHMARK_SYNCHRONOUS']}"
)
