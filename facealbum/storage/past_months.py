"""The months of the past: `past_rows` is partitioned by when rows ceased to hold, so that what is old goes whole.

What belongs to no month that was made ahead lies in `past_rows_p0`.  Price: making or dropping a month stops writers
for a moment; whoever would have to wait long for them gives up instead, as DatabaseUnavailableError.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text, update

from facealbum.domain.months import Month
from facealbum.storage.features_schema import past_rows, past_starts

_REST = "past_rows_p0"
_PARTS = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'public.past_rows'::regclass")


def load_past_months(connection: Connection) -> tuple[list[Month], datetime]:
    """The months that are there, the oldest first, and the instant that it is; both of the database."""
    names = sorted(name for name in connection.execute(_PARTS).scalars() if name != _REST)
    years = [name.removeprefix("past_rows_p") for name in names]
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return [Month(int(one[:4]), int(one[4:])) for one in years], now


def add_past_months(connection: Connection, months: Collection[Month]) -> None:
    """Make months that have not begun."""
    _wait_briefly(connection)
    for month in months:
        first, end = (one.start().isoformat() for one in (month, month.next()))
        connection.execute(
            text(f"CREATE TABLE {_part(month)} PARTITION OF past_rows FOR VALUES FROM ('{first}') TO ('{end}')")
        )


def drop_past_months(connection: Connection, months: Collection[Month], *, since: Month) -> None:
    """Forget what ceased to hold before `since`, in these months and in no month; earlier instants are refused."""
    _wait_briefly(connection)
    for month in months:
        connection.execute(text(f"DROP TABLE {_part(month)}"))
    connection.execute(delete(past_rows).where(past_rows.c.known_until < since.start()))
    began = func.greatest(past_starts.c.began_at, since.start())
    connection.execute(update(past_starts).values(began_at=began))


def _part(month: Month) -> str:
    return f"past_rows_p{month.year:04d}{month.month:02d}"


def _wait_briefly(connection: Connection) -> None:
    connection.execute(text("SET LOCAL lock_timeout = '2s'"))
