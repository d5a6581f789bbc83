"""What the dashboard's pages cost when there is a lot: fills a database, refreshes its aggregates, times every page.

    python -m eval.dashboard_load --faces 5000000 [--keep FOLDER] [--out docs/dashboard-views.md]

The database is an embedded one of its own that is thrown away, unless --keep names a folder for it: the next call
finds it there, and only measures.  PostgreSQL itself draws the families (eval/dashboard_load.sql).  Pages are timed
twice: what their queries take, and what a reader waits for, from `facealbum web` in a process of its own.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.request import urlopen
from uuid import UUID

from eval.bench import write_table
from eval.delays import answers
from eval.stage.servers import free_ports
from facealbum.storage.dashboard.pages import PAGES, load_page
from facealbum.storage.dashboard.refresh import refresh_days, refresh_families
from facealbum.storage.database import Database, Transaction, open_database

_SCRIPT = Path(__file__).with_suffix(".sql")
_TIMES = 5
_PORTION = 50  # families a transaction, as the product counts them
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHOWN = (
    "/",
    "/runs",
    "/runs/{number}",
    "/jobs",
    "/models",
    "/drift",
    "/signals",
    "/experiments",
    "/annotation",
    "/breakage",
    "/families",
    "/families/{family}",
    "/families/{family}/decisions",
    "/families/{family}/changes",
    "/families/{family}/waiting",
    "/families/{family}/persons/{person}",
)
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


def measure(database: Database, asked: Mapping[str, object]) -> dict[str, tuple[float, float]]:
    """Milliseconds of each page with all its queries: the first time that it is asked for, and the median after it."""

    def ask(page: str) -> None:
        with database.begin() as transaction:
            load_page(transaction, page, **asked)

    return {page: _time(partial(ask, page)) for page in PAGES}


def _time(ask: Callable[[], None]) -> tuple[float, float]:
    times = []
    for _ in range(1 + _TIMES):
        start = perf_counter()
        ask()
        times.append(1000 * (perf_counter() - start))
    return times[0], median(times[1:])


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address of `facealbum web` on this folder's database."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "facealbum", "web", "--port", str(port)]
    with subprocess.Popen(command, env=os.environ | {"FACEALBUM_DATA": str(folder)}, stderr=subprocess.DEVNULL) as web:  # noqa: S603 - ourselves
        try:
            while not answers(f"http://127.0.0.1:{port}"):
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            web.terminate()


def browse(address: str, asked: Mapping[str, object]) -> dict[str, tuple[float, float]]:
    """Milliseconds to each page's last byte: the first time that it is asked for, and the median after it."""

    def ask(page: str) -> None:
        with urlopen(address + page.format(**asked)) as answer:  # noqa: S310 - our own server
            answer.read()

    return {page: _time(partial(ask, page)) for page in SHOWN}


def prepare(database: Database, faces: int) -> str:
    """Fill and refresh the database unless that is done, and tell how long it took."""
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
    return ", ".join(steps)


def load(folder: Path, faces: int) -> str:
    """Measure the pages with so many faces, and tell it as Markdown."""
    with open_database(None, folder) as database:
        steps = prepare(database, faces)
        with database.begin() as transaction:
            asked = given(transaction)
        queries = measure(database, asked)
        with serve(folder) as address:
            pages = browse(address, asked)
    lines = [f"{steps}.", "", "| queries of | number | first, ms | later, ms |", "|---|---:|---:|---:|"]
    lines += [
        f"| {page} | {len(PAGES[page])} | {first:.0f} | {later:.0f} |" for page, (first, later) in queries.items()
    ]
    lines += ["", "| page over HTTP | first, ms | later, ms |", "|---|---:|---:|"]
    lines += [f"| `{page}` | {first:.0f} | {later:.0f} |" for page, (first, later) in pages.items()]
    return "\n".join(lines)


def main() -> None:
    """Parse the command line, and print or write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a folder for the database")
    parser.add_argument("--out", type=Path, help="the document that holds the table between its marks")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(TemporaryDirectory()))
        told = load(folder, options.faces)
    if options.out is None:
        print(told)  # noqa: T201 - what this program is for
        return
    write_table(options.out, f"{told}\n", marks=_MARKS)


if __name__ == "__main__":
    main()
