"""Reading the database as it was known at an instant, with the queries that read it as it is.

Each row of a recorded table holds since its `known_since`; what it held before lies in `past_rows` (migration 0022).
`open_past` has views of the same names hide these tables for one transaction, so that clustering, linking and metrics
read the past by the very functions that read the present: there is no second implementation that could differ.

Guarantee: a transaction is seen whole or not at all, and the same instant shows the same rows for ever, but for what
users have deleted: that is gone from the past as well.  The instants are those of the database's clock, not of
photos or of whoever calls.  Price: a changed or deleted row is kept as JSON, some 5 kB of it for an embedding.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarResult,
    Table,
    delete,
    func,
    or_,
    select,
    text,
)

from facealbum.domain.ids import FamilyId, PhotoId
from facealbum.errors import InvalidValueError, UnsettledError
from facealbum.storage.compat_schema import reembedding_problems
from facealbum.storage.database import Database, Transaction
from facealbum.storage.features_schema import past_rows, past_starts
from facealbum.storage.metric_schema import family_metrics
from facealbum.storage.schema import (
    assignments,
    children,
    decisions,
    face_embeddings,
    faces,
    links,
    persons,
    photos,
    tracks,
)

RECORDED = (
    *(assignments, children, decisions, face_embeddings, faces, family_metrics, links, persons, photos),
    *(reembedding_problems, tracks),
)
"""The tables whose past is kept; of `photos` only the columns that a feature is made of are kept without a gap."""

_WRITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend' AND backend_xid IS NOT NULL AND xact_start <= :moment"
)


@contextmanager
def open_past(database: Database, as_of: datetime | None) -> Iterator[Transaction]:
    """One snapshot of what was known at the instant, or of what is known now; nothing can be written in it.

    Raises InvalidValueError for an instant to come or of which nothing was kept, and UnsettledError while
    a transaction that began before it is still writing.
    """
    if as_of is not None:
        with database.begin() as transaction:
            _check(transaction, as_of)
    with database.begin(trial=True) as transaction:
        transaction.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        if as_of is not None:
            for table in RECORDED:
                transaction.execute(text(_view(table, as_of)))
        yield transaction


def _check(transaction: Transaction, as_of: datetime) -> None:
    began = transaction.execute(select(func.max(past_starts.c.began_at))).scalar_one()
    now = transaction.execute(select(func.clock_timestamp())).scalar_one()
    if not began <= as_of <= now:
        raise InvalidValueError(
            f"the past is kept since {began:%Y-%m-%dT%H:%M:%SZ}, and the instant must not be to come;"
            f" got {as_of:%Y-%m-%dT%H:%M:%SZ}"
        )
    if transaction.execute(_WRITING, {"moment": as_of}).scalar_one():
        raise UnsettledError("what began before that instant is still being written; try again in a moment")


def _view(table: Table, as_of: datetime) -> str:
    """A view that hides the table until the transaction ends, with the rows that held at the instant."""
    columns = [column.name for column in table.columns]
    name, moment = table.name, f"timestamptz '{as_of.isoformat()}'"
    kept = ", ".join("past.family_id" if one == "family_id" else f"held.{one}" for one in columns)
    return (  # names of our own tables and a date, nothing that anybody gives
        f"CREATE TEMPORARY VIEW {name} AS "  # noqa: S608 - as above
        f"SELECT {', '.join(columns)} FROM public.{name} WHERE known_since <= {moment} "
        f"UNION ALL SELECT {kept} FROM public.past_rows AS past, "
        f"LATERAL jsonb_populate_record(NULL::public.{name}, past.row_values) AS held "
        f"WHERE past.relation = '{name}' AND past.known_since <= {moment} AND past.known_until > {moment}"
    )


def forget_upload(connection: Connection, family: FamilyId, upload: PhotoId) -> None:
    """Delete what the past holds of a photo or video that was just deleted."""
    photos_gone = {str(upload), *_kept(connection, family, "photos", "photo_id", _held("video_id", {str(upload)}))}
    faces_gone = set(_kept(connection, family, "faces", "face_id", _held("photo_id", photos_gone)))
    of_it = or_(_held("photo_id", photos_gone), _held("video_id", {str(upload)}), _held("face_id", faces_gone))
    connection.execute(delete(past_rows).where(past_rows.c.family_id == family, of_it))


def _kept(
    connection: Connection, family: FamilyId, relation: str, key: str, where: ColumnElement[bool]
) -> ScalarResult[str]:
    query = select(past_rows.c.row_values[key].astext)
    return connection.execute(
        query.where(past_rows.c.family_id == family, past_rows.c.relation == relation, where)
    ).scalars()


def _held(key: str, some: Collection[str]) -> ColumnElement[bool]:
    held: ColumnElement[bool] = past_rows.c.row_values[key].astext.in_(some)
    return held
