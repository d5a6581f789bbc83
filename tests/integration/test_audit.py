"""What was done is on record for ever."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from facealbum.storage.audit import load_entries, save_entry
from facealbum.storage.database import Database

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_entries_are_told_in_their_order_with_who_and_when(database: Database) -> None:
    with database.begin() as transaction:
        save_entry(transaction, "promote", "arm new", author="ann", now=NOW, detail={"number": 2})
        save_entry(transaction, "start", "experiment sharper", author="ben", now=NOW)
    with database.begin() as transaction:
        assert [(one.author, one.action) for one in load_entries(transaction)] == [("ann", "promote"), ("ben", "start")]
        (promoted,) = load_entries(transaction, "arm new")
        assert (promoted.at, promoted.detail) == (NOW, {"number": 2})


@pytest.mark.parametrize("change", ["UPDATE audit SET author = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"])
def test_no_entry_can_be_changed_or_taken_away(database: Database, change: str) -> None:
    with database.begin() as transaction:
        save_entry(transaction, "promote", "arm new", author="ann", now=NOW)
    with pytest.raises(DatabaseError, match="append-only"), database.begin() as transaction:
        transaction.execute(text(change))
    with database.begin() as transaction:
        assert len(load_entries(transaction)) == 1
