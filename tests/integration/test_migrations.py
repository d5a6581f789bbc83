"""The schema goes up and down, equals the models, and keeps families together."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from facealbum.storage import database as databases
from facealbum.storage.database import Database, migrate, newest_revision, schema_revision
from facealbum.storage.schema import PARTITIONED
from facealbum.storage.tables import metadata

SHARED = {
    *("embedding_spaces", "analyzers", "arms", "batches", "adapters", "reembeddings", "compat_reports"),
    *("experiments", "experiment_arms", "promotions", "audit"),
    *("drift_histograms", "drift_baselines", "drift_results"),
    *("samples", "metric_totals"),
    *("users", "sessions", "service_tokens", "login_attempts"),
    *("secrets", "idempotency_keys"),
    "searches",
    *("model_versions", "model_changes"),
    "data_snapshots",
    "past_starts",
    "makers",
    "fairness_slices",
    "link_mixes",
}


def test_models_equal_migrations(database: Database) -> None:
    with database.begin() as connection:
        command.check(databases._alembic(connection))


def test_down_leaves_nothing_and_up_works_again(database: Database) -> None:
    with database.begin() as connection:
        command.downgrade(databases._alembic(connection), "base")
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
        assert schema_revision(connection) is None
    migrate(database)
    with database.begin() as connection:
        assert schema_revision(connection) == newest_revision()
        command.check(databases._alembic(connection))


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrate(database)
    migrate(database)
    with database.begin() as connection:
        assert schema_revision(connection) == newest_revision()


def test_revisions_are_named_by_their_files_in_order() -> None:
    scripts = ScriptDirectory.from_config(databases._alembic())
    named = [Path(script.path).name[:4] for script in scripts.walk_revisions()]
    assert named == [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(named)) == databases._revisions()


@pytest.fixture
def family_keys(database: Database) -> Iterator[list[tuple[str, str, list[str]]]]:
    """Table, name and columns of every key and index of the tables of families."""
    with database.begin() as connection:
        inspector = inspect(connection)
        found = []
        for table in set(metadata.tables) - SHARED:
            found.append((table, "primary key", inspector.get_pk_constraint(table)["constrained_columns"]))
            found += [
                (table, str(i["name"]), [str(c) for c in i["column_names"]]) for i in inspector.get_indexes(table)
            ]
        yield found


def test_family_id_leads_every_key_and_index(family_keys: list[tuple[str, str, list[str]]]) -> None:
    wrong = {name for _, name, columns in family_keys if columns[0] != "family_id"}
    # Over all families: how far a batch is, a month's sums, what is to be sent next, photos and signals by day, and
    # how long photos wait.
    assert wrong == {
        "batch_families_batch_id_status_idx",
        "family_metrics_sums_idx",
        "outbox_number_idx",
        "photos_analysed_at_idx",
        "photos_created_at_idx",
        "photos_pending_since_idx",
        "signals_happened_at_idx",
    }
    assert len(family_keys) > len(metadata.tables) - len(SHARED)


def test_the_large_tables_are_partitioned(database: Database) -> None:
    with database.begin() as connection:
        tables = inspect(connection).get_table_names()
    assert {table.name for table in PARTITIONED} == {"faces", "face_embeddings", "assignments"}
    for table in PARTITIONED:
        assert sum(name.startswith(f"{table.name}_p") for name in tables) == 16
