"""Keeping the aggregates of the schema `dashboard` as new as what they count.

Triggers note each transaction that changes a family's photos, faces or assignments.  A family that has such notes is
counted anew and the notes go, in one transaction: cut short it is as before, and done twice it changes nothing.  What
commits meanwhile has a note of its own that this transaction doesn't see.  The price is that a change of one face
counts the whole family again, by a few reads of its rows.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Connection, TextClause, Uuid, bindparam, text

from facealbum.storage.observations import expect_whole_families

_LOCK = 0x6461_7368  # "dash": any fixed number that nobody else takes an advisory lock on


def _of_families(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("some", type_=ARRAY(Uuid)))


_TAKE = text("""
    DELETE FROM dashboard.changes
    WHERE family_id IN (SELECT family_id FROM dashboard.changes ORDER BY xact, family_id LIMIT :limit)
    RETURNING family_id
""")
_HOLD = _of_families("SELECT family_id FROM families WHERE family_id = ANY(:some) ORDER BY family_id FOR KEY SHARE")

_TOTALS = _of_families("""
    INSERT INTO dashboard.family_totals
    SELECT one.family_id, coalesce(p.photos, 0), coalesce(p.pending, 0), coalesce(p.failed, 0), coalesce(f.faces, 0),
           p.first_photo_at, p.last_photo_at, :now
    FROM unnest(:some) one (family_id)
    LEFT JOIN (
        SELECT family_id, count(*) AS photos, min(taken_at) AS first_photo_at, max(taken_at) AS last_photo_at,
               count(*) FILTER (WHERE status = 'pending') AS pending,
               count(*) FILTER (WHERE status = 'failed') AS failed
        FROM photos WHERE family_id = ANY(:some) AND frame_ms IS NULL GROUP BY family_id
    ) p USING (family_id)
    LEFT JOIN (
        SELECT family_id, count(*) AS faces FROM faces WHERE family_id = ANY(:some) AND NOT excluded GROUP BY family_id
    ) f USING (family_id)
    ON CONFLICT (family_id) DO UPDATE SET
        photos = excluded.photos, pending = excluded.pending, failed = excluded.failed, faces = excluded.faces,
        first_photo_at = excluded.first_photo_at, last_photo_at = excluded.last_photo_at,
        refreshed_at = excluded.refreshed_at
""")
_FORGET_MONTHS = _of_families("DELETE FROM dashboard.person_months WHERE family_id = ANY(:some)")
_MONTHS = _of_families("""
    INSERT INTO dashboard.person_months
    SELECT a.family_id, a.arm_id, a.person_id, date_trunc('month', f.taken_at AT TIME ZONE 'UTC')::date AS month,
           count(*), count(*) FILTER (WHERE a.state = 'confirmed'), count(DISTINCT f.photo_id),
           coalesce(avg(nullif(coalesce(f.told_age, f.age), 'NaN')), avg(f.age))
    FROM assignments a JOIN faces f USING (family_id, face_id)
    WHERE a.family_id = ANY(:some) AND f.family_id = ANY(:some)
    GROUP BY a.family_id, a.arm_id, a.person_id, month
""")
_FORGET_PAIRS = _of_families("DELETE FROM dashboard.person_pairs WHERE family_id = ANY(:some)")
_PAIRS = _of_families("""
    INSERT INTO dashboard.person_pairs
    WITH shown AS MATERIALIZED (
        SELECT DISTINCT a.family_id, a.arm_id, f.photo_id, a.person_id
        FROM assignments a JOIN faces f USING (family_id, face_id)
        WHERE a.family_id = ANY(:some) AND f.family_id = ANY(:some)
    )
    SELECT one.family_id, one.arm_id, one.person_id, other.person_id, count(*)
    FROM shown one JOIN shown other USING (family_id, arm_id, photo_id)
    WHERE one.person_id < other.person_id
    GROUP BY one.family_id, one.arm_id, one.person_id, other.person_id
""")
_SINCE = text("""
    SELECT coalesce(max(day)::timestamp AT TIME ZONE 'UTC' - interval '2 days', '-infinity')::text
    FROM dashboard.photo_days
""")  # more than any transaction that writes photos takes
_FORGET_DAYS = text(
    "DELETE FROM dashboard.photo_days WHERE day >= (CAST(:since AS timestamptz) AT TIME ZONE 'UTC')::date"
)
_DAYS = text("""
    INSERT INTO dashboard.photo_days
    SELECT (happened_at AT TIME ZONE 'UTC')::date AS day, event, reason, count(*) FROM (
        SELECT created_at AS happened_at, 'received' AS event, '' AS reason
        FROM photos WHERE created_at >= CAST(:since AS timestamptz) AND frame_ms IS NULL
        UNION ALL
        SELECT analysed_at, 'analysed', ''
        FROM photos WHERE analysed_at >= CAST(:since AS timestamptz) AND frame_ms IS NULL AND status = 'analysed'
        UNION ALL
        SELECT noticed_at, stage || ' problem', code
        FROM photo_problems WHERE noticed_at >= CAST(:since AS timestamptz)
    ) events GROUP BY day, event, reason
""")


def refresh_families(connection: Connection, *, limit: int, now: datetime) -> int:
    """Count up to `limit` families anew, the longest waiting first; tells how many, 0 while somebody else does it."""
    if not _is_alone(connection):
        return 0
    taken = sorted(set(connection.execute(_TAKE, {"limit": limit}).scalars()))
    there = connection.execute(_HOLD, {"some": taken}).scalars().all()
    if there:
        _count(connection, there, now)
    return len(taken)


def _count(connection: Connection, some: Sequence[UUID], now: datetime) -> None:
    expect_whole_families(connection)
    connection.execute(_TOTALS, {"some": some, "now": now})
    for forget, count in ((_FORGET_MONTHS, _MONTHS), (_FORGET_PAIRS, _PAIRS)):
        connection.execute(forget, {"some": some})
        connection.execute(count, {"some": some})


def _is_alone(connection: Connection) -> bool:
    """Whether nobody else refreshes until this transaction ends."""
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar_one())


def refresh_days(connection: Connection) -> None:
    """Count the photos of the last days anew, and of every day since the newest that was counted; the first time all.

    A day that is over stays as it was counted, whatever becomes of its photos later.
    """
    if not _is_alone(connection):
        return
    since = {"since": connection.execute(_SINCE).scalar_one()}
    connection.execute(_FORGET_DAYS, since)
    connection.execute(_DAYS, since)


def note_every_family(connection: Connection) -> None:
    """Have each family counted anew."""
    connection.execute(text("INSERT INTO dashboard.changes SELECT family_id, 0 FROM families ON CONFLICT DO NOTHING"))
