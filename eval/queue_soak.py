"""Whether the workers stay as they are: memory, open files, connections and temporary files at full load, by time.

    python -m eval.queue_soak [--minutes 30]

Photos are uploaded as fast as they are analysed.  Every few seconds each process is looked at; a line is fitted to
each figure, without the first fifth of the time, in which the processes warm up.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy import stats

from eval.stage import Program, Stage
from eval.stage.photos import Shot, make_photos, write_photos_csv
from eval.stage.programs import open_files, resident_mb
from facealbum.storage.photos import count_photos
from facealbum.storage.snapshots import count_connections, count_waiting

_BURST = 100
_EVERY_SECONDS = 5.0
_WARM = 0.2
_MONTH = datetime(2026, 10, 1, tzinfo=UTC)
_PROGRAMS = {
    "analysis": ("worker", "--queues", "analysis", "--processes", "2"),
    "rest": ("worker", "--queues", "matching,clustering,evaluation,maintenance", "--processes", "1"),
    "relay": ("relay",),
    "beat": ("beat",),
}


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure over the minutes: where it began and ended, and the line's slope an hour with its standard error."""

    figure: str
    first: float
    last: float
    slope: float
    error: float


def soak(stage: Stage, shots: Sequence[Shot], *, minutes: float) -> tuple[list[float], list[dict[str, float]]]:
    """Minutes and figures, looked at every few seconds while photos are uploaded and analysed."""
    for name, arguments in _PROGRAMS.items():
        stage.start(name, *arguments)
    start, moments, figures, families = time.monotonic(), [], [], 0
    while (spent := (time.monotonic() - start) / 60) < minutes:
        waiting = stage.ask(count_waiting)
        if waiting is None or waiting.photos < _BURST:
            _import(stage, shots, f"soak-{families:05d}")
            families += 1
        moments.append(spent)
        figures.append(_look(stage))
        time.sleep(_EVERY_SECONDS)
    return moments, figures


def trends(moments: Sequence[float], figures: Sequence[Mapping[str, float]]) -> list[Trend]:
    """The line of each figure, after the warm-up."""
    warm = int(_WARM * len(moments))
    hours = np.array(moments[warm:]) / 60
    found = []
    for name in figures[-1]:
        values = [one[name] for one in figures[warm:]]
        fit = stats.linregress(hours, values)
        found.append(Trend(name, values[0], values[-1], float(fit.slope), float(fit.stderr)))
    return found


def render(found: Sequence[Trend], *, minutes: float, photos: int, looks: int) -> str:
    """As a table."""
    lines = [f"{minutes:.0f} minutes, {photos} photos, {looks} looks, slopes after the first fifth", ""]
    lines += ["| figure | first | last | slope an hour (standard error) |", "|---|---|---|---|"]
    lines += [
        f"| {one.figure} | {one.first:.0f} | {one.last:.0f} | {one.slope:+.2f} ({one.error:.2f}) |" for one in found
    ]
    return "\n".join(lines) + "\n"


def _look(stage: Stage) -> dict[str, float]:
    look: dict[str, float] = {}
    for name, program in stage.programs.items():
        look[f"{name}, MB"] = sum(map(resident_mb, _pids(program)))
        look[f"{name}, open files"] = float(sum(map(open_files, _pids(program))))
    look["connections of PostgreSQL"] = float(stage.ask(count_connections) or 0)
    look["connections of Valkey"] = float(stage.broker.connections())
    look["temporary files"] = float(sum(1 for _ in stage.temporary.rglob("*")))
    return look


def _pids(program: Program) -> list[int]:
    return [program.pid, *program.children()]


def _import(stage: Stage, shots: Sequence[Shot], family: str) -> None:
    manifest = write_photos_csv(stage.folder / "burst.csv", [replace(shot, family=family) for shot in shots])
    stage.run("import", str(manifest))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="facealbum-soak-") as folder, Stage(Path(folder) / "stage") as stage:
        shots = make_photos(stage.folder / "photos", ["soak"], _BURST, month=_MONTH, seed=30)
        moments, figures = soak(stage, shots, minutes=minutes)
        counts = stage.ask(count_photos) or {}
    photos = counts.get("analysed", 0)
    sys.stdout.write(render(trends(moments, figures), minutes=minutes, photos=photos, looks=len(moments)))


if __name__ == "__main__":
    main()
