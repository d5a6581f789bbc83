"""What the dashboard's pages cost when there is a lot: fills a database, refreshes its aggregates, times each query.

    python -m eval.dashboard_load --faces 5000000 [--keep FOLDER] [--out docs/dashboard-views.md]

The database is an embedded one of its own that is thrown away, unless --keep names a folder for it: the next call
finds it there, and only measures.  PostgreSQL itself draws the families (eval/dashboard_load.sql).
"""

import argparse
import re
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import UUID

from facealbum.storage.dashboard.pages import PAGES, load_page
from facealbum.storage.dashboard.refresh import refresh_days, refresh_families
from facealbum.storage.database import Database, Transaction, open_database

_SCRIPT = Path(__file__).with_suffix(".sql")
_TIMES = 5
_PORTION = 50  # families a transaction, as the product counts them
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_MARKS = "<!-- load: start -->", "<!-- load: end -->"


def fill(transaction: Transaction, faces: int) -> None:
    """Write so many faces, of 1,000 a family, with all that belongs to them; aggregates are left to be refreshed."""
    transaction.exec_driver_sql(_SCRIPT.read_text(encoding="utf-8"), {"faces": faces})


def given(transaction: Transaction) -> Mapping[str, object]:
    """What the pages are asked for: a family in the middle, the last month."""
    families = load_page(transaction, "families", after=UUID(int=1 << 127))["families"]
    asked = {"arm": "default", "month": date(2025, 12, 1), "family": families[0]["family_id"]}
    persons = load_page(transaction, "family", **asked)["timeline"]
    return {
        **asked,
        "person": persons[0]["person_id"],
        "first": families[0]["family_id"],
        "last": families[1]["family_id"],
        "day": date(2025, 12, 20),
        "number": 3,
        "after": UUID(int=1 << 127),
    }


def refresh(database: Database) -> int:
    """Bring the aggregates up to date; tells how many families were counted."""
    families = 0
    with database.begin() as transaction:
        refresh_days(transaction)
    while True:
        with database.begin() as transaction:
            counted = refresh_families(transaction, limit=_PORTION, now=_NOW)
        families += counted
        if not counted:
            return families


def measure(database: Database) -> dict[str, tuple[float, float]]:
    """Milliseconds of each page with all its queries: the first time that it is asked for, and the median after it."""
    found = {}
    with database.begin() as transaction:
        asked = given(transaction)
    for page in PAGES:
        times = []
        for _ in range(1 + _TIMES):
            start = perf_counter()
            with database.begin() as transaction:
                load_page(transaction, page, **asked)
            times.append(1000 * (perf_counter() - start))
        found[page] = times[0], median(times[1:])
    return found


def load(database: Database, faces: int) -> str:
    """Fill and refresh the database unless that is done, measure the pages, and tell it as Markdown."""
    steps = [f"{faces:,} faces in {faces // 1000:,} families"]
    with database.begin() as transaction:
        empty = not load_page(transaction, "families", after=UUID(int=0))["families"]
    if empty:
        start = perf_counter()
        with database.begin() as transaction:
            fill(transaction, faces)
        with database.begin() as transaction:
            transaction.exec_driver_sql("ANALYZE")
        steps.append(f"written in {perf_counter() - start:.0f} s")
    start = perf_counter()
    if families := refresh(database):
        steps.append(f"{families:,} of them counted in {perf_counter() - start:.0f} s")
        with database.begin() as transaction:
            transaction.exec_driver_sql("ANALYZE")
    rows = [
        f"| {page} | {len(PAGES[page])} | {first:.0f} | {later:.0f} |"
        for page, (first, later) in measure(database).items()
    ]
    head = ["| page | queries | first, ms | later, ms |", "|---|---:|---:|---:|"]
    return "\n".join([f"{', '.join(steps)}.", "", *head, *rows])


def main() -> None:
    """Parse the command line, and print or write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a folder for the database")
    parser.add_argument("--out", type=Path, help="the document that holds the table between its marks")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(TemporaryDirectory()))
        told = load(stack.enter_context(open_database(None, folder)), options.faces)
    if options.out is None:
        print(told)  # noqa: T201 - what this program is for
        return
    text = options.out.read_text(encoding="utf-8")
    between = re.compile(f"{_MARKS[0]}.*{_MARKS[1]}", re.DOTALL)
    options.out.write_text(between.sub(f"{_MARKS[0]}\n{told}\n{_MARKS[1]}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
