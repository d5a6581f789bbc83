"""The past is read as it was: by the same queries, at every instant, and only as long as nobody has it deleted."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, func, insert, inspect, select, text

from facealbum.domain.decisions import Kind
from facealbum.domain.ids import photo_id
from facealbum.domain.months import Month
from facealbum.errors import DatabaseUnavailableError, InvalidValueError, UnsettledError
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, undo
from facealbum.steps.families import forget_family
from facealbum.steps.past import PastPlan, tend_past
from facealbum.steps.photos import forget_photo
from facealbum.storage.database import Transaction
from facealbum.storage.families import save_family
from facealbum.storage.features_schema import past_rows, past_starts
from facealbum.storage.past import RECORDED, open_past
from facealbum.storage.past_months import drop_past_months, load_past_months
from facealbum.storage.schema import faces
from facealbum.storage.tables import metadata
from tests.integration.album import FAMILY, FAMILY_ID, add, shots

YEAR = Month(2026, 12)


def rows(transaction: Transaction) -> dict[str, list[str]]:
    """Every row of the recorded tables, but for what is no feature of photos."""
    return {
        table.name: sorted(
            str(row)
            for row in transaction.execute(
                select(*(c for c in table.c if table.name != "photos" or c.name in {"photo_id", "taken_at", "status"}))
            )
        )
        for table in RECORDED
    }


def known_now(context: Context) -> tuple[datetime, dict[str, list[str]]]:
    with context.database.begin() as transaction:
        now: datetime = transaction.execute(select(func.clock_timestamp())).scalar_one()
        return now, rows(transaction)


def test_each_instant_shows_what_was_known_then(context: Context) -> None:
    instants = [known_now(context)]
    add(context, shots(months=1, a_month=6))
    instants.append(known_now(context))
    cluster_families(context, YEAR)
    instants.append(known_now(context))
    add(context, shots(months=2, a_month=6))
    cluster_families(context, YEAR)
    instants.append(known_now(context))
    with context.database.begin() as transaction:
        person = transaction.execute(text("SELECT person_id FROM persons ORDER BY 1 LIMIT 1")).scalar_one()
    decided = decide(context, FAMILY, Said(Kind.NAME, person=str(person), name="Aki"), author="test")
    instants.append(known_now(context))
    undo(context, FAMILY, decided.number, author="test")
    instants.append(known_now(context))
    assert len({str(known) for _, known in instants}) == len(instants)
    for moment, known in instants:
        with open_past(context.database, moment) as transaction:
            assert rows(transaction) == known


def test_an_instant_that_nobody_can_tell_of_is_refused(context: Context) -> None:
    moment, _ = known_now(context)
    for other in (moment - timedelta(days=1), moment + timedelta(days=1)):
        with pytest.raises(InvalidValueError, match="the past is kept since"), open_past(context.database, other):
            pass


def test_nobody_looks_at_an_instant_before_which_something_is_still_being_written(context: Context) -> None:
    with context.database.begin() as transaction:
        save_family(transaction, "Tanaka", now=context.clock())
        moment, _ = known_now(context)
        with pytest.raises(UnsettledError), open_past(context.database, moment):
            pass
    with open_past(context.database, moment) as transaction:
        assert not any(rows(transaction).values())


def test_who_reads_the_past_writes_nothing_and_leaves_the_present_as_it_is(context: Context) -> None:
    add(context, shots(months=1, a_month=4))
    moment, known = known_now(context)
    with (
        pytest.raises(DatabaseUnavailableError, match="cannot delete from view"),
        open_past(context.database, moment) as transaction,
    ):
        transaction.execute(delete(faces))
    assert known_now(context)[1] == known


def test_analysing_again_with_the_same_result_is_no_change(context: Context) -> None:
    add(context, shots(months=1, a_month=4))
    add(context, shots(months=1, a_month=4))
    with context.database.begin() as transaction:
        assert set(transaction.execute(select(past_rows.c.relation)).scalars()) <= {"photos"}


def test_a_deleted_photo_is_gone_from_the_past_as_well(context: Context) -> None:
    album = shots(months=1, a_month=6)
    add(context, album)
    cluster_families(context, YEAR)
    moment, known = known_now(context)
    forget_photo(context, FAMILY, album[0].key)
    with open_past(context.database, moment) as transaction:
        left = rows(transaction)
    gone = str(photo_id(FAMILY_ID, album[0].key))
    assert gone in str(known["faces"])
    assert gone not in str(left)
    assert len(left["faces"]) == len(known["faces"]) - len(album[0].people) == len(left["face_embeddings"])


def test_of_a_deleted_family_nothing_is_kept(context: Context) -> None:
    add(context, shots(months=1, a_month=6))
    cluster_families(context, YEAR)
    forget_family(context, FAMILY)
    with context.database.begin() as transaction:
        assert transaction.execute(select(func.count()).select_from(past_rows)).scalar_one() == 0


def test_months_are_made_ahead_and_dropped_whole_with_the_instants_in_them(context: Context) -> None:
    with context.database.begin() as transaction:
        (begun,), now = load_past_months(transaction)
    assert begun == Month.of(now)
    coming = (begun.next(), begun.next().next())
    assert tend_past(context) == PastPlan(coming, (), None)
    assert tend_past(context) == PastPlan((), (), None)
    add(context, shots(months=1, a_month=4))
    ends = (now, coming[0].start(), coming[1].next().start())  # of rows in the first part, the second, and in none
    with context.database.begin() as transaction:
        for end in ends:
            row = {"relation": "faces", "known_since": now, "known_until": end, "row_values": {}}
            transaction.execute(insert(past_rows).values(family_id=FAMILY_ID, **row))
        parts = transaction.execute(text("SELECT tableoid::regclass::text FROM past_rows ORDER BY known_until"))
        assert [part.removeprefix("past_rows_p") for part in parts.scalars()] == [
            *(f"{month.year}{month.month:02d}" for month in (begun, coming[0])),
            "0",
        ]
        drop_past_months(transaction, [begun], since=coming[0])
        assert transaction.execute(select(past_rows.c.known_until).order_by("known_until")).scalars().all() == [
            *ends[1:]
        ]
        assert set(transaction.execute(select(past_starts.c.began_at)).scalars()) == {coming[0].start()}
    with pytest.raises(InvalidValueError, match="the past is kept since"), open_past(context.database, now):
        pass
    forget_family(context, FAMILY)
    with context.database.begin() as transaction:
        assert transaction.execute(select(func.count()).select_from(past_rows)).scalar_one() == 0


def test_the_past_is_kept_of_just_the_tables_that_are_read_in_it(context: Context) -> None:
    with context.database.begin() as transaction:
        started = set(transaction.execute(select(past_starts.c.relation)).scalars())
        kept = inspect(transaction)
        has = {name for name in metadata.tables if "known_since" in {c["name"] for c in kept.get_columns(name)}}
    assert started == {table.name for table in RECORDED} == has - {"past_rows"}
