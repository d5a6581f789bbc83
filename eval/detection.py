"""Which faces are found, by size and tilt and in groups, and what is found where no face is.

    python -m eval.detection ALBUMS [--empty FOLDER] [--out docs/benchmarks.md]

ALBUMS holds detection/noses.csv beside whole photos, and albums in visible/ with the boxes of all faces.  A face of a
photo counts as found if a box holds its nose, a face of an album if the middle of a box lies near its own.  Size and
tilt are those of faces pasted into made photos of 12 megapixels.  `--empty` names pictures without any face.
"""

import argparse
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from eval.bench import write_table
from eval.rows import read_rows
from facealbum.clustering.intervals import Rate
from facealbum.domain.faces import Box
from models.analyzer import Analyzer, scaled
from models.decode import decode

Picture: TypeAlias = NDArray[np.uint8]
Find: TypeAlias = Callable[[bytes], list[Box]]
"""From the bytes of a picture to the faces found, in its pixels."""
Match: TypeAlias = Callable[[Box], bool]

SIZES = (20, 32, 48, 64, 96, 128, 200, 400)
"""Pixels of the longer side of a face in a photo of 4000 x 3000."""
TILTS = (0, 20, 45, 90, 135, 180)
COMPANY = (20, 1)
"""So many faces in a picture, beside the sixes of every tilt."""
GROUPS = (20, 28, 40, 56, 80, 160)
"""Bounds of the sizes that faces of a mixed group are told apart by."""
_GROUP, _GROUP_PHOTOS = 12, 30  # faces of a mixed group
_WIDTH, _HEIGHT = 4000, 3000
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 92]
_NEAR = 0.35  # of the longer side of the face
_MARGIN = 1.5  # of a pasted disc around a face
_MARKS = ("<!-- detection: start -->", "<!-- detection: end -->")


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One face of an album."""

    picture: Picture
    box: Box


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


def near(truth: Box) -> Match:
    """Whether the middle of a box lies near that of the true one."""
    reach = _NEAR * max(truth.width, truth.height)

    def match(box: Box) -> bool:
        across, down = box.x1 + box.x2 - truth.x1 - truth.x2, box.y1 + box.y2 - truth.y1 - truth.y2
        return bool(np.hypot(across, down) / 2 < reach)

    return match


def holds(across: float, down: float) -> Match:
    """Whether a box holds a point."""
    return lambda box: box.x1 <= across <= box.x2 and box.y1 <= down <= box.y2


def count_noses(folder: Path, find: Find) -> Count:
    """The photos of noses.csv."""
    noses = _grouped(folder / "noses.csv", "file")
    count = Count()
    for path in sorted(folder.glob("*.jpg")):
        matches = [holds(float(nose["x"]), float(nose["y"])) for nose in noses.get(path.name, [])]
        count.add(path.read_bytes(), find, matches)
    return count


def count_album(folder: Path, find: Find) -> Count:
    """Every photo of an album."""
    count = Count()
    for path, boxes in _album(folder):
        count.add(path.read_bytes(), find, [near(box) for box in boxes])
    return count


def count_empty(folder: Path, find: Find) -> Count:
    """Pictures without any face."""
    count = Count()
    for path in sorted(folder.iterdir()):
        count.add(path.read_bytes(), find, [])
    return count


def load_samples(albums: Path, each: int) -> list[Sample]:
    """Some faces of every album, the same ones each time."""
    draw = np.random.default_rng(3)
    samples = []
    for folder in sorted(path.parent for path in albums.glob("visible/*/truth.csv")):
        photos = list(_album(folder))
        for number in draw.choice(len(photos), each, replace=False):
            path, boxes = photos[number]
            samples.append(Sample(decode(path.read_bytes()).pixels, boxes[0]))
    return samples


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
        some = [samples[number] for number in draw.choice(len(samples), _GROUP, replace=False)]
        sides = np.exp(draw.uniform(math.log(GROUPS[0]), math.log(GROUPS[-1]), _GROUP)).tolist()
        data, boxes = collage(some, draw, sides=sides, tilt=0)
        seen += count.add(data, find, [near(box) for box in boxes])
        sizes += sides
    groups = np.digitize(sizes, GROUPS[1:-1])
    found = [np.array(seen)[groups == group] for group in range(len(GROUPS) - 1)]
    return count, [Rate(int(some.sum()), len(some)) for some in found]


def collage(
    samples: Sequence[Sample], draw: np.random.Generator, *, sides: Sequence[float], tilt: float
) -> tuple[bytes, list[Box]]:
    """The faces, `sides` pixels large and turned, on soft shapes with a sensor's grain, as JPEG; and where they are."""
    shapes = cv2.resize(draw.integers(0, 255, (12, 16, 3), np.uint8), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    grain = cv2.resize(draw.normal(0, 7, (_HEIGHT // 2, _WIDTH // 2)).astype(np.float32), (_WIDTH, _HEIGHT))
    picture = shapes + grain[..., np.newaxis]
    cell = int(max(sides) * _MARGIN) + 3
    columns, rows = _WIDTH // cell, _HEIGHT // cell
    boxes = []
    places = draw.choice(columns * rows, len(samples), replace=False)
    for sample, side, place in zip(samples, sides, places, strict=True):
        disc = int(side * _MARGIN) | 1
        top, left = cell * (place // columns), cell * (place % columns)
        face, cover = _disc(sample, side=side, tilt=tilt, size=disc)
        under = picture[top : top + disc, left : left + disc]
        under[:] = under + cover * (face - under)
        middle = np.array([left, top, left, top]) + disc / 2
        boxes.append(Box(*(middle + side / 2 * np.array([-1, -1, 1, 1])).tolist()))
    _, content = cv2.imencode(".jpg", picture.clip(0, 255).astype(np.uint8)[..., ::-1], _JPEG)
    return content.tobytes(), boxes


def _disc(sample: Sample, *, side: float, tilt: float, size: int) -> tuple[Picture, NDArray[np.float64]]:
    """A face, turned and `side` pixels large, and how much of each pixel it covers: a disc with a soft edge."""
    picture, box = sample.picture, sample.box
    middle = np.array([box.x1 + box.x2, box.y1 + box.y2]) / 2
    factor = side / max(box.width, box.height)
    while factor <= 0.5:  # noqa: PLR2004 - halves, so that warping does not alias
        picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
        middle, factor = middle / 2, factor * 2
    turn = np.array(cv2.getRotationMatrix2D(middle.tolist(), -tilt, factor), np.float64)
    turn[:, 2] += size / 2 - middle
    face = cv2.warpAffine(picture, turn, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rows, columns = np.mgrid[:size, :size] + 0.5 - size / 2
    cover = np.clip(8 - 16 * np.hypot(rows, columns) / size, 0, 1)[..., np.newaxis]
    return face.astype(np.uint8), cover


def _album(folder: Path) -> Iterator[tuple[Path, list[Box]]]:
    """Each photo of an album with its true boxes."""
    truth = _grouped(folder / "truth.csv", "family", "photo")
    for photo in read_rows(folder / "photos.csv"):
        faces = truth[photo["family"], photo["photo"]]
        yield folder / photo["path"], [Box(*(float(face[edge]) for edge in ("x1", "y1", "x2", "y2"))) for face in faces]


def _grouped(path: Path, *names: str) -> dict[str | tuple[str, ...], list[dict[str, str]]]:
    groups = defaultdict(list)
    for row in read_rows(path):
        groups[tuple(row[name] for name in names) if len(names) > 1 else row[names[0]]].append(row)
    return groups


def render(pictures: dict[str, Count], sizes: Iterable[tuple[int, Sequence[Count]]], groups: Sequence[Rate]) -> str:
    """Markdown tables: sets of pictures; recall by size (rows), by tilt and in other company; in mixed groups."""
    lines = ["| pictures | n | found (95 %) | boxes elsewhere | CPU ms a picture |", "|---|---|---|---|---|"]
    for name, count in pictures.items():
        milliseconds = count.milliseconds / count.pictures
        lines.append(f"| {name} | {count.pictures} | {_told(count.recall)} | {count.extra} | {milliseconds:.1f} |")
    tilts = " | ".join(f"{tilt}°" for tilt in TILTS)
    company = " | ".join(f"{each} in a picture, 0°" for each in COMPANY)
    lines += ["", f"| pixels | {tilts} | {company} |", "|---" * (len(TILTS) + len(COMPANY) + 1) + "|"]
    for size, counts in sizes:
        lines.append(f"| {size} | " + " | ".join(f"{count.recall.value or 0:.2f}" for count in counts) + " |")
    lines += ["", "| pixels, in a mixed group | found (95 %) |", "|---|---|"]
    lines += [f"| {low}-{high} | {_told(rate)} |" for (low, high), rate in zip(pairwise(GROUPS), groups, strict=True)]
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
        turned = [count_collages(samples, find, size=size, tilt=tilt, each=6) for tilt in TILTS]
        sizes.append((size, turned + [count_collages(samples, find, size=size, tilt=0, each=each) for each in COMPANY]))
    return render(pictures, sizes, groups)


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
