"""What a test has committed is taken away again: only rows, and not those that a migration makes.

Django's flush makes every permission and group anew, which takes longer than most tests do, and
has PostgreSQL truncate every table, which takes longer still.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

MADE_BY_MIGRATING = {
    model._meta.db_table for model in (ContentType, Permission, Group, Group.permissions.through)
}


def empty_tables(*_: Any) -> None:
    """Instead of TransactionTestCase's own teardown."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    connection.ops.execute_sql_flush(
        [
            f"DELETE FROM {connection.ops.quote_name(table)}"
            for table in tables
            if table not in MADE_BY_MIGRATING
        ]
    )
