"""What a test has committed is taken away again: only rows, and not those that a migration makes.

Django's flush makes every permission and group anew, which takes longer than most tests do, and
has PostgreSQL truncate every table, which takes longer still. Most tables are empty anyway: asking
all of them at once costs less than to delete nothing from each.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection

MADE_BY_MIGRATING = {
    model._meta.db_table for model in (ContentType, Permission, Group, Group.permissions.through)
}


def empty_tables(*_: Any) -> None:
    """Instead of TransactionTestCase's own teardown."""
    with connection.cursor() as cursor:
        cursor.execute(_which_hold_rows())
        tables = [table for (table,) in cursor.fetchall()]
    connection.ops.execute_sql_flush(
        [f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables]
    )


@cache
def _which_hold_rows() -> str:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})"
        for table in tables
        if table not in MADE_BY_MIGRATING
    )
