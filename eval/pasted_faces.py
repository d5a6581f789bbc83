"""Faces of albums, pasted into made photos of 12 megapixels."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from eval.rows import read_rows
from facealbum.domain.faces import Box
from models.analyzer import scaled
from models.decode import decode

Picture: TypeAlias = NDArray[np.uint8]
Match: TypeAlias = Callable[[Box], bool]

_WIDTH, _HEIGHT = 4000, 3000
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 92]
_MARGIN = 1.5  # of a pasted disc around a face
_NEAR = 0.35  # of the longer side of the face


def near(truth: Box) -> Match:
    """Whether the middle of a box lies near that of the true one."""
    reach = _NEAR * max(truth.width, truth.height)

    def match(box: Box) -> bool:
        across, down = box.x1 + box.x2 - truth.x1 - truth.x2, box.y1 + box.y2 - truth.y1 - truth.y2
        return bool(np.hypot(across, down) / 2 < reach)

    return match


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One face of an album."""

    picture: Picture
    box: Box

    def is_at(self, box: Box) -> bool:
        """Whether a box found in the picture is of this face."""
        return near(self.box)(box)


def load_samples(albums: Path, each: int) -> list[Sample]:
    """Some faces of every album, the same ones each time."""
    draw = np.random.default_rng(3)
    samples = []
    for folder in sorted(path.parent for path in albums.glob("visible/*/truth.csv")):
        photos = list(album(folder))
        for number in draw.choice(len(photos), each, replace=False):
            path, boxes = photos[number]
            photo = decode(path.read_bytes())
            across, down = photo.scale
            samples.append(Sample(photo.pixels, scaled(boxes[0], (1 / across, 1 / down))))
    return samples


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


def album(folder: Path) -> Iterator[tuple[Path, list[Box]]]:
    """Each photo of an album with its true boxes."""
    truth = grouped(folder / "truth.csv", "family", "photo")
    for photo in read_rows(folder / "photos.csv"):
        faces = truth[photo["family"], photo["photo"]]
        yield folder / photo["path"], [Box(*(float(face[edge]) for edge in ("x1", "y1", "x2", "y2"))) for face in faces]


def grouped(path: Path, *names: str) -> dict[str | tuple[str, ...], list[dict[str, str]]]:
    """The rows of a table by the values of these columns."""
    groups = defaultdict(list)
    for row in read_rows(path):
        groups[tuple(row[name] for name in names) if len(names) > 1 else row[names[0]]].append(row)
    return groups
