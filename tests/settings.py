"""The settings of the tests: the real ones, without what only costs time."""

import os
import tempfile

# Set before the real settings are read, and inherited by the workers of pytest-xdist.
if "CHAT_TESTS_DIR" not in os.environ:
    os.environ["CHAT_TESTS_DIR"] = tempfile.mkdtemp(prefix="chat-tests-")
os.environ["CHAT_DATA_DIR"] = os.environ["CHAT_TESTS_DIR"]
os.environ["CHAT_READ_DOT_ENV"] = "0"
# A wake that is lost is not made good by itself: however long a test waits, it learns of it.
os.environ["CHAT_HEAD_CHECK_INTERVAL"] = "3600"
# Each worker, and the servers it starts, have channels and a cache of their own in one Redis.
os.environ["CHAT_REDIS_PREFIX"] = f"tests-{os.getpid()}"
os.environ.setdefault("CHAT_LOG_LEVEL", "WARNING")

from chatmanager.settings import *  # noqa: F403
from chatmanager.settings import CHAT_DATA_DIR, CHAT_ON_SQLITE, DATABASES, STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT = CHAT_DATA_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

CHAT_EMBEDDED_WORKER = False

# What a test commits need not outlive a power cut: no commit waits for the disk.
if CHAT_ON_SQLITE:
    DATABASES["default"]["OPTIONS"]["init_command"] += ";PRAGMA synchronous=OFF"
    # A file: several threads on one shared-cache memory database would lock each other out.
    DATABASES["default"]["TEST"] = {"NAME": CHAT_DATA_DIR / "tests.sqlite3"}
else:
    DATABASES["default"]["OPTIONS"]["options"] += " -c synchronous_commit=off"
    # A test is one transaction, and may wait long for something else.
    DATABASES["default"]["OPTIONS"]["options"] += " -c idle_in_transaction_session_timeout=0"
    # Nor do those who race fail for having waited while others had the machine.
    DATABASES["default"]["OPTIONS"]["options"] += " -c lock_timeout=60000"
