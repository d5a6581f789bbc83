"""How fast features of faces are exported, beside what a copy out of PostgreSQL and a file take by themselves.

    python -m eval.feature_read --faces 300000 [--out docs/benchmarks.md]

PostgreSQL draws the faces (eval/feature_read.sql) in an embedded database that is thrown away, and vacuums them, as an
installation's does by itself: else it would in the middle of what is measured.  The export is
`facealbum features export` with all features; its start is taken off by exporting a family without faces, too.
"""

import argparse
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval.bench import write_table
from facealbum.domain.ids import FamilyId
from facealbum.features import Entity, find_features
from facealbum.storage.database import Database, Transaction, open_database
from facealbum.storage.embedded import EmbeddedPostgres
from facealbum.storage.families import save_family
from facealbum.storage.feature_rows import AS_ONE_PROCESS, Lens, copy_faces, face_queries, load_face_counts

_SCRIPT = Path(__file__).with_suffix(".sql")
_NAMES = [one.name for one in find_features(Entity.FACE)]
_FAMILIES = 8  # of 1,000 faces, as many as a group of the product has
_EMPTY = "without faces"
_PARQUET, _ARROW = "faces.parquet", "faces.arrow"
_Group: TypeAlias = tuple[FamilyId, FamilyId]
_MARKS = "<!-- features: start -->", "<!-- features: end -->"


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds for so many faces by what was done: by the clock, of our processors, of PostgreSQL's."""

    faces: int
    rounds: int
    megabytes: float
    seconds: Mapping[str, NDArray[np.float64]]


class _Clock:
    """Measures seconds by the clock, of processors in our processes, and in those of the PostgreSQL server."""

    def __init__(self, server: int) -> None:
        self._server = server

    def time(self, act: Callable[[], object]) -> NDArray[np.float64]:
        """float64[3]: what the act took."""
        began = self._now()
        act()
        return self._now() - began

    def _now(self) -> NDArray[np.float64]:
        ours = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return np.array([perf_counter(), ours, self._server_ticks() / os.sysconf("SC_CLK_TCK")])

    def _server_ticks(self) -> int:
        """Of the server with all that it waited for, and of its processes that live."""
        ticks = sum(_stat(self._server)[_TICKS])
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):
                one = _stat(int(place.name))
                ticks += sum(one[_TICKS]) if one[_PARENT] == self._server else 0
        return ticks


_PARENT, _TICKS = 0, slice(10, 14)  # user's and system's, of itself and of ended children


def _stat(process: int) -> list[int]:
    """What Linux counts of a process, from its parent on."""
    told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    return [int(one) for one in told.rsplit(")", 1)[1].split()[1:]]


def measure(data: Path, faces: int, *, rounds: int) -> Measured:
    """Fill a database under the folder and measure in turns; medians of the rounds."""
    with open_database(None, data) as database:
        with database.begin() as transaction:
            transaction.exec_driver_sql(_SCRIPT.read_text(encoding="utf-8"), {"faces": faces})
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")
            connection.exec_driver_sql("CHECKPOINT")
        now = datetime.now(UTC)  # noqa: TID251 - the database's own clock is what is asked about
        with database.begin() as transaction:
            save_family(transaction, _EMPTY, now=now)
        times = [_round(database, data, now) for _ in range(rounds)]
        seconds = {name: np.median([one[name] for one in times], axis=0) for name in times[0]}
        return Measured(faces, rounds, (data / _PARQUET).stat().st_size / 1e6, seconds)


def _round(database: Database, data: Path, now: datetime) -> dict[str, NDArray[np.float64]]:
    clock = _Clock(EmbeddedPostgres(data / "postgres").status().pid or 0)
    start = clock.time(partial(_export, data, data / _PARQUET, "--family", _EMPTY))
    times = {
        "`features export`, as Parquet": clock.time(partial(_export, data, data / _PARQUET)) - start,
        "`features export`, as Arrow": clock.time(partial(_export, data, data / _ARROW)) - start,
        "as Parquet with `--as-of`": clock.time(partial(_export, data, data / _PARQUET, "--as-of", str(now))) - start,
    }
    with database.begin() as transaction:
        families = [family for family, _ in load_face_counts(transaction)]
        groups = list(zip(families[::_FAMILIES], [*families[_FAMILIES - 1 :: _FAMILIES], families[-1]], strict=False))
        transaction.execute(AS_ONE_PROCESS)
        times["binary `COPY` to `/dev/null`"] = clock.time(partial(_copy_to_nowhere, transaction, groups))
        times["binary `COPY` to this process"] = clock.time(partial(_copy_here, transaction, groups))
    file = clock.time(partial(_write_bytes, data / _ARROW, data / "again"))
    return times | {"writing as many bytes": file}


def _export(data: Path, out: Path, *more: str) -> None:
    command = [sys.executable, "-m", "facealbum", "features", "export", str(out), *more]
    subprocess.run(command, env={**os.environ, "FACEALBUM_DATA": str(data)}, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command


def _copy_to_nowhere(transaction: Transaction, groups: Sequence[_Group]) -> None:
    for between in groups:
        for rows in face_queries(_NAMES, between, Lens(1, 1)):
            transaction.exec_driver_sql(f"COPY ({rows}) TO '/dev/null' (FORMAT binary)")


def _copy_here(transaction: Transaction, groups: Sequence[_Group]) -> None:
    for between in groups:
        copy_faces(transaction, _NAMES, between, Lens(1, 1))


def _write_bytes(like: Path, out: Path) -> None:
    rest = like.stat().st_size
    with out.open("wb") as file:
        while rest:
            rest -= file.write(bytes(min(rest, 1 << 24)))


def report(one: Measured) -> Iterator[str]:
    """Lines of Markdown."""
    yield f"{one.faces:,} drawn faces with all features, {one.megabytes:,.0f} MB of Parquet, median of {one.rounds}:"
    yield ""
    yield "| | s | faces/s | µs of a processor a face: ours | PostgreSQL's |"
    yield "|---|---|---|---|---|"
    for name, (clock, ours, server) in one.seconds.items():
        each = [f"{seconds / one.faces * 1e6:.1f}" for seconds in (ours, server)]
        yield f"| {name} | {clock:.2f} | {one.faces / clock:,.0f} | {' | '.join(each)} |"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        text = "\n".join(report(measure(Path(folder), args.faces, rounds=args.rounds)))
    if args.out is None:
        sys.stdout.write(text + "\n")
        return
    write_table(args.out, f"{text}\n", marks=_MARKS)


if __name__ == "__main__":
    main()
