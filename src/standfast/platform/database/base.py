"""What Django looks for by the name of an engine."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base
from psycopg import pq


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, whose connection is asked whether it lives only where there is a sign that it does not."""

    def is_usable(self) -> bool:
        """Whether a connection that has rested still leads to the server; asked once in every request (CONN_HEALTH_CHECKS).

        A server that ends, or ends the connection, closes its side of the socket, which can then be read. Where nothing is to
        be read Django's own question, a round trip, would tell no more. Other things come unasked too, as a changed setting
        does: so what can be read makes us ask.
        """
        if self.connection is None or self.connection.pgconn.status != pq.ConnStatus.OK:
            return False
        if self.connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            return super().is_usable()
        waiting = select.poll()
        waiting.register(self.connection.pgconn.socket, select.POLLIN)
        return not waiting.poll(0) or super().is_usable()
