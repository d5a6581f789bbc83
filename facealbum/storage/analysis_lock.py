"""One `facealbum analyze` at a time: whoever holds this lock looks at every photo that waits."""

from sqlalchemy import Connection, text

_LOCK = 0x616E_6C7A  # any fixed number that nobody else takes an advisory lock on


def lock_analysis(connection: Connection) -> bool:
    """Take the lock until this transaction ends, or its process dies; tells whether nobody else holds it.

    Asking again is the way to wait: a statement that waits itself would keep deleted rows from being cleaned away.
    """
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))  # analysis may take days
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar_one())
