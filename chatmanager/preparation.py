"""What must be there before serving: sound settings, tables, static files, perhaps a demo."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core import checks
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor

# Any number will do, as long as everybody who prepares uses the same.
ADVISORY_LOCK = 0x43484154
# Of libraries: pages of theirs that we do not show.
UNUSED_STATIC_FILES = ["redoc", "rest_framework"]

OLDER_SHAPE = (
    "The database was made by an earlier version that was not released yet, and does not fit this "
    "one. Move CHAT_DATA_DIR away (by default the folder var/), or name a new database in "
    "DATABASE_URL, and start again."
)


class Refused(Exception):
    """The server will not start as asked. The text says why, and what to do."""


def refuse_mistakes() -> None:
    """Raises Refused with a sentence for each mistake in the settings."""
    found = checks.run_checks()
    for message in found:
        if not message.is_silenced() and not message.is_serious():
            print(f"Warning: {_sentence(message)}")
    mistakes = [message for message in found if message.is_serious() and not message.is_silenced()]
    if mistakes:
        raise Refused("\n".join(f"{message.id}: {_sentence(message)}" for message in mistakes))


def prepare() -> None:
    """Make what is missing; quick when nothing is. Raises Refused: the database is away."""
    try:
        _reach_database()
        with _alone():
            _migrate()
            _refuse_an_older_shape()
            _collect_static_files()
            if settings.CHAT_DEMO:
                _make_demo()
    except (OperationalError, psycopg.OperationalError) as error:
        raise Refused(
            f"The database cannot be used: {str(error).strip()}. DATABASE_URL says where it is."
        ) from error


def _reach_database() -> None:
    """Ask once and plainly: the pool tries for ten seconds, then does not say what was wrong."""
    if connection.vendor == "postgresql":
        its = connection.settings_dict
        psycopg.connect(
            host=its["HOST"] or None,
            port=its["PORT"] or None,
            user=its["USER"] or None,
            password=its["PASSWORD"] or None,
            dbname=its["NAME"],
            connect_timeout=10,
        ).close()


@contextmanager
def _alone() -> Iterator[None]:
    """Two servers that start at once prepare one after the other."""
    with open(settings.CHAT_DATA_DIR / "preparing.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            # The other one may well take longer than a chat message may wait.
            cursor.execute("SET lock_timeout = 0")
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
                cursor.execute("RESET lock_timeout")
                cursor.execute("RESET idle_in_transaction_session_timeout")
            connection.close()


def _make_demo() -> None:
    # Imports models, so it waits until Django is set up.
    from chatmanager import demo

    if demo.is_wanted():
        demo.make()


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("Preparing the database ...", flush=True)
        call_command("migrate", interactive=False, verbosity=0)


def _refuse_an_older_shape() -> None:
    """Before the first release each app has one migration, which is made anew as the app grows."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in apps.get_models():
            table = model._meta.db_table
            wanted = {column.column for column in model._meta.local_concrete_fields}
            if table not in tables or not wanted <= _columns(cursor, table):
                raise Refused(OLDER_SHAPE)


def _columns(cursor: CursorWrapper, table: str) -> set[str]:
    """As an empty answer tells them: on SQLite, Django's introspection parses the statement that
    made the table, which for all of them takes a fifth of a second at every start.
    """
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)} LIMIT 0")  # noqa: S608
    return {column[0] for column in cursor.description}


def _collect_static_files() -> None:
    if settings.DEBUG:
        return
    stamp = settings.STATIC_ROOT / ".stamp"
    now = _fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return
    print("Collecting static files ...", flush=True)
    call_command(
        "collectstatic",
        interactive=False,
        clear=True,
        verbosity=0,
        ignore_patterns=UNUSED_STATIC_FILES,
    )
    stamp.write_text(now)


def _fingerprint() -> str:
    """Changes with any static file's path, size or time."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(ignore_patterns=None):
            stat = Path(storage.path(path)).stat()
            digest.update(f"{path}:{stat.st_size}:{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _sentence(message: checks.CheckMessage) -> str:
    return f"{message.msg} {message.hint}" if message.hint else str(message.msg)
