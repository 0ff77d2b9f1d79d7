"""Django's PostgreSQL, whose pool gives nobody a connection on which the database has hung up.

Django could have each connection asked before it is given, which is a round trip a request; and
the pool then waits a second, two, four between one that is dead and the next. After a restart of
the database they all are.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from accounts.connections import is_hung_up


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raises OperationalError where none is to be had in time."""
        while True:
            connection = super().get_new_connection(conn_params)
            if self.pool is None or not is_hung_up(connection):
                return connection
            connection.close()
            self.pool.putconn(connection)
            self.pool.check()  # where one is dead, others are
