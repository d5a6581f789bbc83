"""The schema `dashboard`: what it promises others, that its aggregates are what they say, and what its pages read."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine, delete, make_url, select, text
from sqlalchemy.exc import ProgrammingError
from typer.testing import CliRunner

from eval.dashboard_load import fill, given
from facealbum.cli.commands import app as commands
from facealbum.domain.ids import FamilyId, family_id
from facealbum.domain.months import Month
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.dashboard import describe_views, list_views, refresh
from facealbum.steps.families import forget_family
from facealbum.steps.photos import forget_photo
from facealbum.storage import database as databases
from facealbum.storage.dashboard.pages import PAGES, load_page
from facealbum.storage.dashboard.refresh import refresh_days, refresh_families
from facealbum.storage.database import Database, migrate, open_database
from facealbum.storage.schema import assignments, faces, families, photos
from tests.conftest import NOW, copied
from tests.integration.album import FAMILY, FAMILY_ID, add, shots
from workers.maintenance import JOBS

ROOT = Path(__file__).parents[2]
PROMISED = ROOT / "tests" / "golden" / "dashboard.txt"
PAGE = ROOT / "docs" / "dashboard-views.md"
YEAR = Month(2026, 12)
AGGREGATES = ("family_signals", "family_totals", "person_months", "person_pairs", "photo_days")


def everything(context: Context) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the aggregates, but for when they were refreshed."""
    with context.database.begin() as transaction:
        return {
            name: sorted(
                tuple(str(value) for key, value in row.items() if key != "refreshed_at")
                for row in transaction.execute(text(f"SELECT * FROM dashboard.{name}")).mappings()  # noqa: S608 - a name of ours
            )
            for name in AGGREGATES
        }


def changed(context: Context) -> set[FamilyId]:
    """The families that are to be counted anew."""
    with context.database.begin() as transaction:
        return set(transaction.execute(text("SELECT family_id FROM dashboard.changes")).scalars())


@pytest.fixture
def clustered(context: Context) -> None:
    """Two clustered months of four people, refreshed."""
    add(context, shots(months=2, a_month=10))
    cluster_families(context, YEAR)
    refresh(context)


# --- What is promised ------------------------------------------------------------------------------------------


def test_no_relation_or_column_goes_away_or_changes_its_type(context: Context) -> None:
    found = {f"{view.name}.{column.name} {column.kind}" for view in list_views(context) for column in view.columns}
    promised = set(PROMISED.read_text(encoding="utf-8").splitlines())
    assert not promised - found, "others read these: add a new one beside it, and drop it in a later release"
    assert not found - promised, f"add these to {PROMISED.name}: from now on they stay"


def test_every_relation_and_column_says_what_it_is(context: Context) -> None:
    views = list_views(context)
    assert {view.name for view in views if view.aggregate} == set(AGGREGATES)
    assert not [view.name for view in views if not view.about]
    assert not [(view.name, column.name) for view in views for column in view.columns if not column.about]


def test_the_document_says_what_the_database_says(context: Context) -> None:
    told = PAGE.read_text(encoding="utf-8").split("<!-- views: start -->\n")[1].split("<!-- views: end -->")[0]
    assert told == describe_views(list_views(context)), "write what `facealbum dashboard views` prints into it"


def test_only_views_that_say_so_hold_names(context: Context) -> None:
    add(context, shots(months=1, a_month=2), family="Unmistakable")
    cluster_families(context, YEAR)
    refresh(context)
    with context.database.begin() as transaction:
        holding = {
            view.name
            for view in list_views(context)
            if "Unmistakable" in str(transaction.execute(text(f"SELECT * FROM dashboard.{view.name}")).all())  # noqa: S608 - a name of ours
        }
    assert holding == {"family_names"}


# --- Aggregates ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("clustered")
def test_aggregates_are_what_counting_every_row_says(context: Context) -> None:
    with context.database.begin() as transaction:
        query = select(assignments.c.person_id, faces.c.photo_id, faces.c.taken_at).join(
            faces, assignments.c.face_id == faces.c.face_id
        )
        shown = [tuple(row) for row in transaction.execute(query)]
        months = transaction.execute(text("SELECT person_id, month, faces FROM dashboard.person_months")).all()
        pairs = transaction.execute(text("SELECT person_id, other_id, photos FROM dashboard.person_pairs")).all()
        totals = transaction.execute(text("SELECT photos, faces FROM dashboard.family_totals")).one()
        all_faces = len(transaction.execute(select(faces.c.face_id)).all())
    assert {(row[0], row[1]): row[2] for row in months} == Counter(
        (person, date(taken.year, taken.month, 1)) for person, _, taken in shown
    )
    persons_of: dict[object, set[Any]] = {}
    for person, photo, _ in shown:
        persons_of.setdefault(photo, set()).add(person)
    together = Counter(pair for persons in persons_of.values() for pair in combinations(sorted(persons), 2))
    assert {(row[0], row[1]): row[2] for row in pairs} == together
    assert together, "somebody is seen with somebody"
    assert tuple(totals) == (20, all_faces)


@pytest.mark.usefixtures("clustered")
def test_counting_again_changes_nothing(context: Context) -> None:
    before = everything(context)
    assert refresh(context).families == 0
    assert refresh(context, everything=True).families == 1
    assert everything(context) == before


@pytest.mark.usefixtures("clustered")
def test_whatever_changes_a_family_has_it_counted_again(context: Context) -> None:
    key = shots(months=1, a_month=1)[0].key
    forget_photo(context, FAMILY, key)
    assert changed(context) == {FAMILY_ID}
    before = everything(context)
    refresh(context)
    fresh = everything(context)
    assert fresh["family_totals"] != before["family_totals"]
    refresh(context, everything=True)
    assert everything(context) == fresh


def test_an_upgrade_has_the_families_counted_that_are_there(context: Context) -> None:
    add(context, shots(months=1, a_month=2))
    with context.database.begin() as connection:
        command.downgrade(databases._alembic(connection), "0014")
    migrate(context.database)
    assert refresh(context).families == 1
    assert everything(context)["family_totals"][0][1] == "2"


def test_only_families_that_changed_are_counted(context: Context) -> None:
    add(context, shots(months=1, a_month=2), family="Abe")
    add(context, shots(months=1, a_month=2))
    assert refresh(context).families == 2
    add(context, [replace(shot, key=f"late-{shot.key}") for shot in shots(months=1, a_month=1)])
    assert changed(context) == {FAMILY_ID}
    assert refresh(context).families == 1


def test_who_changed_first_is_counted_first(context: Context) -> None:
    names = ["Mori", "Abe", "Ito", "Ueda"]
    for name in names:
        add(context, shots(months=1, a_month=1), family=name)
    for count in range(1, len(names) + 1):
        with context.database.begin() as transaction:
            assert refresh_families(transaction, limit=1, now=NOW) == 1
        assert changed(context) == {family_id(name) for name in names[count:]}


def test_a_change_that_commits_while_its_family_is_counted_is_counted_next(context: Context) -> None:
    add(context, shots(months=1, a_month=2))
    with context.database.begin() as writer:
        writer.execute(delete(photos).where(photos.c.key == shots(months=1, a_month=2)[0].key))
        assert refresh(context).families == 1
        assert not changed(context)
    assert changed(context) == {FAMILY_ID}
    refresh(context)
    assert everything(context)["family_totals"][0][1] == "1"


def test_a_refresh_that_is_cut_short_is_done_again(context: Context) -> None:
    add(context, shots(months=1, a_month=2))
    with context.database.begin(trial=True) as transaction:
        assert refresh_families(transaction, limit=10, now=NOW) == 1
    assert changed(context) == {FAMILY_ID}
    assert not any(everything(context)[name] for name in AGGREGATES)
    refresh(context)
    assert everything(context)["family_totals"]


def test_two_who_refresh_at_once_count_each_family_once(context: Context) -> None:
    for name in ("Abe", "Ito", "Mori"):
        add(context, shots(months=1, a_month=2), family=name)
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda _: refresh(context, seconds=None).families, range(2)))
    assert sum(done) == 3
    before = everything(context)
    refresh(context, everything=True)
    assert everything(context) == before


def test_a_deleted_family_leaves_nothing_but_sums_over_days(context: Context) -> None:
    add(context, shots(months=2, a_month=6))
    cluster_families(context, YEAR)
    refresh(context)
    forget_family(context, FAMILY)
    found = everything(context)
    assert [name for name in AGGREGATES if found[name]] == ["photo_days"]
    assert not changed(context)


def test_days_that_are_over_stay_as_they_were_counted(context: Context) -> None:
    add(context, shots(months=1, a_month=3))
    refresh(context)
    later = replace(context, clock=lambda: NOW + timedelta(days=10))
    add(later, [replace(shot, key=f"late-{shot.key}") for shot in shots(months=1, a_month=2)])
    refresh(later)
    with context.database.begin() as transaction:
        transaction.execute(delete(families))
        days = transaction.execute(
            text("SELECT day, event, photos FROM dashboard.photo_days ORDER BY day, event")
        ).all()
    first, last = NOW.date(), (NOW + timedelta(days=10)).date()
    assert [tuple(row) for row in days] == [
        *((first, "analysed", 3), (first, "received", 3)),
        *((last, "analysed", 2), (last, "received", 2)),
    ]
    refresh(later)
    kept = [row[:3] for row in everything(context)["photo_days"]]
    assert [row[0] for row in kept] == [str(first), str(first)], "the newest days are counted again"


def test_the_queue_maintenance_refreshes(context: Context) -> None:
    add(context, shots(months=1, a_month=2))
    JOBS["dashboard"](context)
    assert everything(context)["family_totals"]


# --- Pages -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(server: str) -> Iterator[Database]:
    """A refreshed database with 60,000 faces of 60 families."""
    with copied(server, "template", "many") as url, open_database(url, Path()) as database:
        with database.begin() as transaction:
            fill(transaction, 60_000)
            refresh_days(transaction)
            while refresh_families(transaction, limit=20, now=NOW):
                pass
        with database.begin() as transaction:
            transaction.exec_driver_sql("ANALYZE")
        yield database


def scanned(plan: dict[str, Any]) -> Iterator[str]:
    """The tables that a plan reads from their beginning to their end."""
    if plan["Node Type"] == "Seq Scan":
        yield re.sub(r"_p\d+$", "", plan["Relation Name"])
    for inner in plan.get("Plans", []):
        yield from scanned(inner)


@pytest.mark.parametrize(("page", "part"), [(page, part) for page, parts in PAGES.items() for part in parts])
def test_no_page_reads_all_of_a_table_that_grows_with_faces(many: Database, page: str, part: str) -> None:
    query = text(f"EXPLAIN (FORMAT JSON) {PAGES[page][part]}")
    with many.begin() as transaction:
        asked = {name: value for name, value in given(transaction).items() if f":{name}" in PAGES[page][part]}
        plan = transaction.execute(query, asked).scalar_one()[0]["Plan"]
    large = {"photos", "faces", "face_embeddings", "assignments", "person_months", "person_pairs", "family_metrics"}
    assert not large & set(scanned(plan)), json.dumps(plan, indent=1)


def test_every_page_finds_something(many: Database) -> None:
    with many.begin() as transaction:
        asked = given(transaction)
        found = {page: load_page(transaction, page, **asked) for page in PAGES}
    empty = {(page, part) for page, parts in found.items() for part, rows in parts.items() if not rows}
    assert empty == {
        *(("drift", "months"), ("jobs", "parked")),
        *(("models", part) for part in ("promotions", "reembeddings", "compatibility")),
    }
    assert {row["arm"] for row in found["models"]["arms"] if row["installed"]} == {"default"}


# --- For others ------------------------------------------------------------------------------------------------


def test_the_role_of_the_document_reads_every_view_but_names_and_no_table(context: Context, database_url: str) -> None:
    (granting,) = re.findall(r"```sql\n(CREATE ROLE .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    name = "facealbum_dashboard"
    with context.database.begin() as transaction:
        transaction.exec_driver_sql(granting)
    engine = create_engine(make_url(database_url))
    try:
        with engine.connect() as connection:
            connection.execute(text(f"SET ROLE {name}"))
            allowed = {}
            for relation in [f"dashboard.{view.name}" for view in list_views(context)] + ["faces", "families"]:
                with connection.begin_nested() as point:
                    try:
                        connection.execute(text(f"SELECT * FROM {relation}"))  # noqa: S608 - a name of ours
                        allowed[relation] = True
                    except ProgrammingError:
                        allowed[relation] = False
                        point.rollback()
    finally:
        engine.dispose()
        with context.database.begin() as transaction:
            transaction.exec_driver_sql(f"DROP OWNED BY {name}; DROP ROLE {name}")
    refused = {relation for relation, may in allowed.items() if not may}
    assert refused == {"faces", "families", *(f"dashboard.{who}_names" for who in ("family", "child", "person"))}


def test_the_commands_refresh_and_tell_the_views(
    context: Context, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url)
    monkeypatch.setenv("FACEALBUM_DATA", str(context.settings.data_folder))
    add(context, shots(months=1, a_month=2))
    refreshed = CliRunner().invoke(commands, ["dashboard", "refresh", "--json"])
    assert json.loads(refreshed.stdout)["families"] == 1
    assert "0 families counted anew" in CliRunner().invoke(commands, ["dashboard", "refresh"]).stdout
    views = json.loads(CliRunner().invoke(commands, ["dashboard", "views", "--json"]).stdout)
    assert {"breakage", "coverage", "queue"} <= {view["name"] for view in views}
