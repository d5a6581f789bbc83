"""Which faces are found, by size and tilt and in groups, and what is found where no face is.

    python -m eval.detection ALBUMS [--empty FOLDER] [--out docs/benchmarks.md]

ALBUMS holds detection/noses.csv beside whole photos, and albums in visible/ with the boxes of all faces.  A face of a
photo counts as found if a box holds its nose, a face of an album if the middle of a box lies near its own.  Size and
tilt are those of faces pasted into made photos of 12 megapixels, bare or covered.  `--empty` names pictures without any
face.
"""

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import TypeAlias

import numpy as np

from eval.bench import write_table
from eval.covers import COVERS, covered
from eval.pasted_faces import Match, Sample, album, collage, grouped, load_samples, near
from facealbum.clustering.intervals import Rate
from facealbum.domain.faces import Box
from models.analyzer import Analyzer, scaled
from models.detector import Detector

Find: TypeAlias = Callable[[bytes], list[Box]]
"""From the bytes of a picture to the faces found, in its pixels."""

SIZES = (20, 32, 48, 64, 96, 128, 200, 400)
"""Pixels of the longer side of a face in a photo of 4000 x 3000."""
TILTS = (0, 20, 45, 90, 135, 180)
COMPANY = ((20, 0), (1, 0), (1, 90))
"""So many faces in a picture and their tilt, beside the sixes of every tilt."""
GROUPS = (20, 28, 40, 56, 80, 160)
"""Bounds of the sizes that faces of a mixed group are told apart by."""
_GROUP, _GROUP_PHOTOS = 12, 30  # faces of a mixed group
SMALL = (20, 28, 40, 56)
"""Bounds of the sizes of groups whose faces are all small."""
_SIX, _SMALL_PHOTOS = 6, 16
COVERED = (96, 200, 400)
"""Pixels of a face that wears something."""
_MARKS = ("<!-- detection: start -->", "<!-- detection: end -->")


@dataclass(slots=True)
class Count:
    """Faces that were found of those that are there, boxes elsewhere, and CPU milliseconds, over some pictures."""

    found: int = 0
    faces: int = 0
    extra: int = 0
    pictures: int = 0
    milliseconds: float = 0.0

    @property
    def recall(self) -> Rate:
        """The share of faces that was found."""
        return Rate(self.found, self.faces)

    def add(self, data: bytes, find: Find, matches: Sequence[Match]) -> list[bool]:
        """Look at one picture whose faces are told by `matches`; tells which of them were found."""
        start = process_time()
        boxes = find(data)
        self.milliseconds += (process_time() - start) * 1000
        seen = [any(match(box) for box in boxes) for match in matches]
        self.found += sum(seen)
        self.faces += len(matches)
        self.extra += sum(not any(match(box) for match in matches) for box in boxes)
        self.pictures += 1
        return seen


def holds(across: float, down: float) -> Match:
    """Whether a box holds a point."""
    return lambda box: box.x1 <= across <= box.x2 and box.y1 <= down <= box.y2


def count_noses(folder: Path, find: Find) -> Count:
    """The photos of noses.csv."""
    noses = grouped(folder / "noses.csv", "file")
    count = Count()
    for path in sorted(folder.glob("*.jpg")):
        matches = [holds(float(nose["x"]), float(nose["y"])) for nose in noses.get(path.name, [])]
        count.add(path.read_bytes(), find, matches)
    return count


def count_album(folder: Path, find: Find) -> Count:
    """Every photo of an album."""
    count = Count()
    for path, boxes in album(folder):
        count.add(path.read_bytes(), find, [near(box) for box in boxes])
    return count


def count_empty(folder: Path, find: Find) -> Count:
    """Pictures without any face."""
    count = Count()
    for path in sorted(folder.iterdir()):
        count.add(path.read_bytes(), find, [])
    return count


def count_collages(samples: Sequence[Sample], find: Find, *, size: int, tilt: int, each: int) -> Count:
    """Faces of `size` pixels, turned clockwise by `tilt` degrees, `each` of them in a photo."""
    draw = np.random.default_rng([size, tilt, each])
    count = Count()
    for begin in range(0, len(samples), each):
        some = samples[begin : begin + each]
        data, boxes = collage(some, draw, sides=[size] * len(some), tilt=tilt)
        count.add(data, find, [near(box) for box in boxes])
    return count


def count_groups(samples: Sequence[Sample], find: Find, *, photos: int) -> tuple[Count, list[Rate]]:
    """Groups of upright faces of many sizes, equally many of 20 as of 160 pixels by ratio; the rates by GROUPS."""
    draw = np.random.default_rng(8)
    count, seen, sizes = Count(), [], []
    for _ in range(photos):
        data, boxes, sides = _group(samples, draw, faces=_GROUP, low=GROUPS[0], high=GROUPS[-1])
        seen += count.add(data, find, [near(box) for box in boxes])
        sizes += sides
    groups = np.digitize(sizes, GROUPS[1:-1])
    found = [np.array(seen)[groups == group] for group in range(len(GROUPS) - 1)]
    return count, [Rate(int(some.sum()), len(some)) for some in found]


def count_small(samples: Sequence[Sample], find: Find, *, photos: int, low: float, high: float) -> tuple[int, Count]:
    """Groups of upright faces of `low` to `high` pixels and no others; in how many photos one was found, and all."""
    draw = np.random.default_rng([9, int(low)])
    some_found, count = 0, Count()
    for _ in range(photos):
        data, boxes, _ = _group(samples, draw, faces=_SIX, low=low, high=high)
        some_found += any(count.add(data, find, [near(box) for box in boxes]))
    return some_found, count


def _group(
    samples: Sequence[Sample], draw: np.random.Generator, *, faces: int, low: float, high: float
) -> tuple[bytes, list[Box], list[float]]:
    """Some upright faces in a photo, where they are, and their sizes, equally many of `low` as of `high` by ratio."""
    some = [samples[number] for number in draw.choice(len(samples), faces, replace=False)]
    sides = np.exp(draw.uniform(math.log(low), math.log(high), faces)).tolist()
    return *collage(some, draw, sides=sides, tilt=0), sides


def count_covered(samples: Sequence[Sample], find: Find) -> list[Count]:
    """Upright faces that wear something, of each size of COVERED."""
    return [count_collages(samples, find, size=size, tilt=0, each=_SIX) for size in COVERED]


def render(pictures: dict[str, Count], sizes: Iterable[tuple[int, Sequence[Count]]], groups: Sequence[Rate]) -> str:
    """Markdown tables: sets of pictures; recall by size (rows), by tilt and in other company; in mixed groups."""
    lines = ["| pictures | n | found (95 %) | boxes elsewhere | CPU ms a picture |", "|---|---|---|---|---|"]
    for name, count in pictures.items():
        milliseconds = count.milliseconds / count.pictures
        lines.append(f"| {name} | {count.pictures} | {_told(count.recall)} | {count.extra} | {milliseconds:.1f} |")
    tilts = " | ".join(f"{tilt}°" for tilt in TILTS)
    company = " | ".join(f"{each} in a picture, {tilt}°" for each, tilt in COMPANY)
    lines += ["", f"| pixels | {tilts} | {company} |", "|---" * (len(TILTS) + len(COMPANY) + 1) + "|"]
    for size, counts in sizes:
        lines.append(f"| {size} | " + " | ".join(f"{count.recall.value or 0:.2f}" for count in counts) + " |")
    lines += ["", "| pixels, in a mixed group | found (95 %) |", "|---|---|"]
    lines += [f"| {low}-{high} | {_told(rate)} |" for (low, high), rate in zip(pairwise(GROUPS), groups, strict=True)]
    return "\n".join(lines) + "\n"


def render_small(groups: Iterable[tuple[int, Count]]) -> str:
    """A Markdown table of groups whose faces are all small."""
    lines = ["", "| pixels, all faces | photos with one found | found (95 %) | boxes elsewhere | CPU ms a picture |"]
    lines.append("|---|---|---|---|---|")
    for (low, high), (photos, count) in zip(pairwise(SMALL), groups, strict=True):
        found, milliseconds = f"{photos} of {count.pictures}", count.milliseconds / count.pictures
        lines.append(f"| {low}-{high} | {found} | {_told(count.recall)} | {count.extra} | {milliseconds:.1f} |")
    return "\n".join(lines) + "\n"


def render_covers(covers: dict[str, list[Count]]) -> str:
    """A Markdown table of faces that wear something, by size."""
    lines = ["", "| upright, with | " + " | ".join(f"{size} pixels" for size in COVERED) + " |"]
    lines.append("|---" * (len(COVERED) + 1) + "|")
    for kind, counts in covers.items():
        lines.append(f"| {kind} | " + " | ".join(_told(count.recall) for count in counts) + " |")
    return "\n".join(lines) + "\n"


def _told(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.hits} of {rate.cases} ({low:.3f} to {high:.3f})" if rate.cases else ""


def measure(albums: Path, find: Find, *, empty: Path | None = None, each: int = 10) -> str:
    """All tables; `each` faces of every album are pasted."""
    pictures = {"whole photos": count_noses(albums / "detection", find)}
    for folder in sorted(path.parent for path in albums.glob("visible/*/truth.csv")):
        pictures[f"album {folder.name}"] = count_album(folder, find)
    if empty:
        pictures["without a face"] = count_empty(empty, find)
    samples = load_samples(albums, each)
    pictures["mixed groups"], groups = count_groups(samples, find, photos=_GROUP_PHOTOS)
    sizes = []
    for size in SIZES:
        turned = [count_collages(samples, find, size=size, tilt=tilt, each=_SIX) for tilt in TILTS]
        company = [count_collages(samples, find, size=size, tilt=tilt, each=each) for each, tilt in COMPANY]
        sizes.append((size, turned + company))
    small = [count_small(samples, find, photos=_SMALL_PHOTOS, low=low, high=high) for low, high in pairwise(SMALL)]
    detector = Detector.load()
    covers = {kind: count_covered(covered(samples, detector, kind), find) for kind in COVERS}
    return render(pictures, sizes, groups) + render_small(small) + render_covers(covers)


def finder(analyzer: Analyzer) -> Find:
    """What analysis finds."""

    def find(data: bytes) -> list[Box]:
        photo, faces = analyzer.find(data, defaultdict(float))
        return [scaled(face.box, photo.scale) for face in faces]

    return find


def main() -> None:
    """Measure the packaged detector and print the tables."""
    parser = argparse.ArgumentParser(description="Recall and false boxes of the packaged detector.")
    parser.add_argument("albums", type=Path)
    parser.add_argument("--empty", type=Path, help="a folder of pictures without any face")
    parser.add_argument("--out", type=Path, help="the document whose tables are replaced")
    args = parser.parse_args()
    table = measure(args.albums, finder(Analyzer.load()), empty=args.empty)
    sys.stdout.write(table)
    if args.out:
        write_table(args.out, table, marks=_MARKS)


if __name__ == "__main__":
    main()
