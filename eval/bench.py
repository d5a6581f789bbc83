"""The main job on albums with known truth, from the outside: the command line in, the albums' own scorer out.

    python -m eval.bench ALBUMS [--album fiw ...] [--out docs/benchmarks.md] [--keep FOLDER]

ALBUMS holds score.py and, in visible/, a folder an album with photos.csv, families.csv and truth.csv.  Every album
runs in a data folder of its own, so an embedded database is part of what is timed.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from eval.rows import read_rows
from facealbum.domain.months import Month

MONTHLY = ("stream",)
"""Albums whose photos arrive month by month, each month with an export, so that churn can be scored."""

MEASURES = {
    "detection recall": ("detection", "recall"),
    "false faces a photo": ("detection", "false_per_photo"),
    "B-cubed precision": ("clustering", "bcubed_precision"),
    "B-cubed recall": ("clustering", "bcubed_recall"),
    "B-cubed F": ("clustering", "bcubed_f"),
    "pairwise F": ("clustering", "pair_f"),
    "same-photo collisions": ("clustering", "same_photo_collisions"),
    "unassigned or missed": ("clustering", "unassigned_or_missed"),
    "B-cubed precision, ages 0-2": ("bcubed_precision", "0-2"),
    "B-cubed recall, ages 0-2": ("bcubed_recall", "0-2"),
    "child link precision": ("child_link", "precision"),
    "child link recall": ("child_link", "recall"),
    "sibling confusion": ("child_link", "sibling_confusion"),
    "age MAE, ages 0-2 (years)": ("age_mae", "0-2"),
    "age MAE, ages 3-5 (years)": ("age_mae", "3-5"),
    "age MAE, ages 6-12 (years)": ("age_mae", "6-12"),
    "age MAE, ages 13-17 (years)": ("age_mae", "13-17"),
    "age MAE, adults (years)": ("age_mae", "18+"),
    "gender accuracy, ages 3-5": ("gender_accuracy", "3-5"),
    "gender accuracy, ages 6-12": ("gender_accuracy", "6-12"),
    "companions changed by a later month": ("churn, all steps", "mates_changed"),
}


@dataclass(slots=True)
class AlbumScore:
    """One album's scores, and the seconds of each command."""

    name: str
    photos: int
    scores: Mapping[str, Any]
    seconds: dict[str, float] = field(default_factory=dict)


class Bench:
    """One album in a data folder of its own."""

    def __init__(self, albums: Path, name: str, folder: Path) -> None:
        self.albums = albums
        self.name = name
        self.album = albums / "visible" / name
        self.folder = folder
        self.seconds: dict[str, float] = {}

    def run(self) -> AlbumScore:
        """Import, analyse, cluster, export and score; raises CalledProcessError if a command fails."""
        photos = read_rows(self.album / "photos.csv")
        by_month: dict[Month, list[dict[str, str]]] = defaultdict(list)
        last = max(_month(photo) for photo in photos)
        for photo in photos:
            by_month[_month(photo) if self.name in MONTHLY else last].append(photo)
        exports = [self._upload(month, by_month[month]) for month in sorted(by_month)]
        return AlbumScore(self.name, len(photos), score_exports(self.albums, self.name, exports), self.seconds)

    def _upload(self, month: Month, photos: Sequence[Mapping[str, str]]) -> Path:
        """The main job on photos that arrive together, up to the export of everything known by then."""
        manifest, out = self.folder / "photos.csv", self.folder / f"{month}.csv"
        with manifest.open("w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, photos[0])
            rows.writeheader()
            rows.writerows({**photo, "path": str(self.album / photo["path"])} for photo in photos)
        self._facealbum("import", str(manifest), "--families", str(self.album / "families.csv"))
        self._facealbum("analyze")
        self._facealbum("cluster", "--through", str(month))
        self._facealbum("export", "faces", str(out))
        return out

    def _facealbum(self, *arguments: str) -> None:
        start = perf_counter()
        environment = os.environ | {"FACEALBUM_DATA": str(self.folder / "data")}
        subprocess.run(  # noqa: S603 - our own program
            [Path(sys.executable).with_name("facealbum"), *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        self.seconds[arguments[0]] = self.seconds.get(arguments[0], 0) + perf_counter() - start


def score_exports(albums: Path, name: str, exports: Sequence[Path]) -> Mapping[str, Any]:
    """What the albums' own scorer says of the last export; several, oldest first, tell of churn as well."""
    report, truth = exports[-1].with_suffix(".json"), albums / "visible" / name / "truth.csv"
    command = [sys.executable, "score.py", str(truth), str(exports[-1]), "--json", str(report)]
    if len(exports) > 1:
        command += ["--by-month", *map(str, exports)]
    subprocess.run(command, cwd=albums, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - the albums' scorer
    scores: Mapping[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return scores


def _month(photo: Mapping[str, str]) -> Month:
    return Month.of(datetime.fromisoformat(photo["taken_at"]))


def render_table(albums: Sequence[AlbumScore]) -> str:
    """A Markdown table: a row a measure, a column an album, each value with its number of cases."""
    lines = ["| | " + " | ".join(album.name for album in albums) + " |", "|---|" + "---|" * len(albums)]
    lines.append("| photos | " + " | ".join(str(album.photos) for album in albums) + " |")
    for title, (section, name) in MEASURES.items():
        cells = [_cell(album.scores.get(section, {}).get(name)) for album in albums]
        if any(cells):
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    intervals = [_interval(album.scores.get("bcubed_f_interval")) for album in albums]
    lines.append("| B-cubed F, 95 % interval over families | " + " | ".join(intervals) + " |")
    for command in albums[0].seconds:
        cells = [f"{album.seconds.get(command, 0):.1f}" for album in albums]
        lines.append(f"| `facealbum {command}`, seconds | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(metric: Mapping[str, Any] | None) -> str:
    if not metric or metric["value"] is None:
        return ""
    return f"{metric['value']:.3f} (n={metric['n']})"


def _interval(interval: Sequence[float] | None) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else ""


START, END = "<!-- albums: start -->", "<!-- albums: end -->"


def write_table(path: Path, table: str, *, marks: tuple[str, str] = (START, END)) -> None:
    """Put the table between the two marks of a document; the rest of it stays."""
    start, end = marks
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{start}\n{table}{end}{after}", encoding="utf-8")


def main() -> None:
    """Run the albums and print the table."""
    parser = argparse.ArgumentParser(description="Score the main job on albums with known truth.")
    parser.add_argument("albums", type=Path)
    parser.add_argument("--album", action="append", help="only this album; may be given more than once")
    parser.add_argument("--out", type=Path, help="the document whose table is replaced")
    parser.add_argument("--keep", type=Path, help="keep data and exports in this folder")
    args = parser.parse_args()
    names = args.album or sorted(path.parent.name for path in args.albums.glob("visible/*/photos.csv"))
    done = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in names:
            folder = (args.keep or Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            done.append(Bench(args.albums.absolute(), name, folder.absolute()).run())
            sys.stdout.write(render_table(done[-1:]) + "\n")
    if args.out:
        write_table(args.out, render_table(done))


if __name__ == "__main__":
    main()
