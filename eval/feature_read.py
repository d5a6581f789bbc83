"""How fast features of faces are exported, beside what a copy out of PostgreSQL and a Parquet file take by themselves.

    python -m eval.feature_read --faces 300000 [--out docs/benchmarks.md]

PostgreSQL draws the faces (eval/feature_read.sql) in an embedded database that is thrown away.  The export is
`facealbum features export` with all features; its start is taken off by exporting a family without faces, too.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import RawIOBase
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from pyarrow import parquet
from typing_extensions import override

from facealbum.features import Entity, find_features
from facealbum.storage.database import Database, open_database
from facealbum.storage.families import save_family
from facealbum.storage.feature_rows import Lens, copy_faces, load_face_counts

_SCRIPT = Path(__file__).with_suffix(".sql")
_NAMES = [one.name for one in find_features(Entity.FACE)]
_FAMILIES = 16  # of 1,000 faces, as many as a group of the product has
_EMPTY = "without faces"
_MARKS = "<!-- features: start -->", "<!-- features: end -->"


class _Sink(RawIOBase):
    """Takes bytes and counts them."""

    taken = 0

    @override
    def write(self, data: object) -> int:
        length = memoryview(data).nbytes  # type: ignore[arg-type] # of any buffer
        self.taken += length
        return length


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds for so many faces: the export without its start, the same as of an instant, the copy, the writing."""

    faces: int
    rounds: int
    megabytes: float
    export: float
    as_of: float
    copy: float
    write: float


def measure(data: Path, faces: int, *, rounds: int) -> Measured:
    """Fill a database under the folder and measure in turns; medians of the rounds."""
    out = data / "faces.parquet"
    with open_database(None, data) as database:
        with database.begin() as transaction:
            transaction.exec_driver_sql(_SCRIPT.read_text(encoding="utf-8"), {"faces": faces})
        with database.begin() as transaction:
            transaction.exec_driver_sql("ANALYZE")
        now = datetime.now(UTC)  # noqa: TID251 - the database's own clock is what is asked about
        with database.begin() as transaction:
            save_family(transaction, _EMPTY, now=now)
        times = [_round(database, data, out, now) for _ in range(rounds)]
        export, as_of, copy, write = (median(column) for column in zip(*times, strict=True))
        return Measured(faces, rounds, out.stat().st_size / 1e6, export, as_of, copy, write)


def _round(database: Database, data: Path, out: Path, now: datetime) -> tuple[float, float, float, float]:
    start = _export(data, out, "--family", _EMPTY)
    as_of = _export(data, out, "--as-of", now.isoformat()) - start
    export = _export(data, out) - start
    return export, as_of, _copy(database), _write(out, data / "again.parquet")


def _export(data: Path, out: Path, *more: str) -> float:
    began = perf_counter()
    command = [sys.executable, "-m", "facealbum", "features", "export", str(out), *more]
    subprocess.run(command, env={**os.environ, "FACEALBUM_DATA": str(data)}, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
    return perf_counter() - began


def _copy(database: Database) -> float:
    """The same rows, thrown away."""
    with database.begin() as transaction:
        families = [family for family, _ in load_face_counts(transaction)]
        began = perf_counter()
        for start in range(0, len(families), _FAMILIES):
            some = families[start : start + _FAMILIES]
            copy_faces(transaction, _NAMES, (some[0], some[-1]), Lens(1, 1), into=_Sink())
        return perf_counter() - began


def _write(out: Path, again: Path) -> float:
    """The same file from tables that are there; reading them is not counted."""
    seconds = 0.0
    with parquet.ParquetFile(out) as file:
        plain = [name for name in file.schema_arrow.names if name != "embedding"]
        kinds = {name: "NONE" if name == "embedding" else "ZSTD" for name in file.schema_arrow.names}
        with parquet.ParquetWriter(
            again, file.schema_arrow, compression=kinds, use_dictionary=["family_id"], write_statistics=plain
        ) as writer:
            for number in range(file.num_row_groups):
                table = file.read_row_group(number)
                began = perf_counter()
                writer.write_table(table)
                seconds += perf_counter() - began
    return seconds


def report(one: Measured) -> Iterator[str]:
    """Lines of Markdown."""
    yield f"{one.faces:,} drawn faces with all features, {one.megabytes:,.0f} MB of Parquet, median of {one.rounds}:"
    yield ""
    yield "| | s | faces/s | of the export |"
    yield "|---|---|---|---|"
    for name, seconds in (
        ("`features export`, without its start", one.export),
        ("the same with `--as-of`", one.as_of),
        ("binary `COPY` of the same rows alone", one.copy),
        ("writing the same Parquet alone", one.write),
    ):
        yield f"| {name} | {seconds:.2f} | {one.faces / seconds:,.0f} | {seconds / one.export:.2f} |"


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
    first, last = _MARKS
    told = args.out.read_text(encoding="utf-8")
    args.out.write_text(
        re.sub(f"{first}.*?{last}", f"{first}\n{text}\n{last}", told, flags=re.DOTALL), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
