"""Labelled faces as they are and made worse on purpose, each with its embedding and what quality is made of.

ALBUMS/growth_faces/labels.csv has single faces with subject and age, ALBUMS/visible/fiw families with many faces a
photo.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from eval.calibrate import Array
from eval.faults import FAULTS, Picture, cut_out
from eval.rows import read_rows
from facealbum.domain.faces import Box, Embedding
from models.alignment import Pyramid
from models.analyzer import scaled
from models.decode import decode
from models.detection import Detection
from models.detector import Detector
from models.embedder import Embedder, aligned
from models.landmarks import place_landmarks
from models.network import open_network
from models.pose import estimate_pose
from models.quality import quality_terms, sharpness
from models.registry import load_embedders, load_specs

GOOD_EYES, GOOD_TURN = 20.0, 35.0  # pixels, degrees: what a face must have to judge others by
_CENTRAL = 0.25  # how far from the middle of its cut-out a face may be found, in shares of it
_COPIES = 3


@dataclass(frozen=True, slots=True)
class Truth:
    """What a face is known to be; `years` is 0 where the album does not say."""

    album: str
    path: Path
    family: str
    person: str
    years: float
    centre: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One face as it is (`fault` empty) or made worse."""

    truth: Truth
    fault: str
    good: bool
    terms: Array
    embedding: Embedding


class Models:
    """What sees a face."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        specs = load_specs()
        self._mesh = open_network(specs["landmarks"])
        self.detector = Detector(specs["detector"], self._mesh)
        self._embedder = Embedder(next(iter(load_embedders().values())))

    def see(self, truth: Truth, fault: str, picture: Picture, face: Detection) -> Seen:
        """The face in a picture."""
        pyramid = Pyramid(picture)
        placed = place_landmarks(self._mesh, pyramid, face)
        pose, points = estimate_pose(placed), placed.face.landmarks
        chip = aligned(pyramid, points)
        good = np.linalg.norm(points[1] - points[0]) >= GOOD_EYES and np.hypot(pose.yaw, pose.pitch) <= GOOD_TURN
        embedding = self._embedder.embed(pyramid, placed.face, chip)
        return Seen(truth, fault, bool(good), quality_terms(placed.presence, sharpness(chip)), embedding)


def see_faces(albums: Path, *, one_of: int = 1) -> Iterator[Seen]:
    """Every labelled face that is found, and `_COPIES` worse copies of it as far as they are still found.

    Of `one_of` families only one is looked at, for a quick look.
    """
    models, draw = Models(), np.random.default_rng(7)
    truths = known_faces(albums)
    families = sorted({truth.family for truth in truths})[::one_of]
    for truth in (truth for truth in truths if truth.family in families):
        photo = decode(truth.path.read_bytes())
        picture, (x, y) = photo.pixels, truth.centre
        found = [face for face in models.detector.detect(picture) if _holds(scaled(face.box, photo.scale), x, y)]
        for face in found[:1]:
            yield models.see(truth, "", picture, face)
            part = cut_out(picture, face.box)
            for number in draw.choice(len(FAULTS), _COPIES, replace=False):
                worse = FAULTS[number](part, draw)
                rows, columns, _ = worse.shape
                again = [one for one in models.detector.detect(worse) if _central(one, columns, rows)]
                for one in again[:1]:
                    yield models.see(truth, FAULTS[number].__name__, worse, one)


def known_faces(albums: Path) -> list[Truth]:
    """Every labelled face, in a fixed order."""
    return [*_growth_faces(albums / "growth_faces"), *_album(albums / "visible" / "fiw")]


def _holds(box: Box, x: float, y: float) -> bool:
    return box.x1 < x < box.x2 and box.y1 < y < box.y2


def _central(face: Detection, columns: int, rows: int) -> bool:
    x, y = (face.box.x1 + face.box.x2) / 2 / columns, (face.box.y1 + face.box.y2) / 2 / rows
    return max(abs(x - 0.5), abs(y - 0.5)) < _CENTRAL


def _growth_faces(folder: Path) -> Iterator[Truth]:
    for row in read_rows(folder / "labels.csv"):
        nose = float(row["nx"]), float(row["ny"])
        yield Truth("growth_faces", folder / row["file"], row["subject"], row["subject"], float(row["age"]), nose)


def _album(folder: Path) -> Iterator[Truth]:
    paths = {(row["family"], row["photo"]): folder / row["path"] for row in read_rows(folder / "photos.csv")}
    for row in read_rows(folder / "truth.csv"):
        left, top, right, bottom = (float(row[name]) for name in ("x1", "y1", "x2", "y2"))
        centre, family = ((left + right) / 2, (top + bottom) / 2), row["family"]
        yield Truth(folder.name, paths[family, row["photo"]], family, f"{family} {row['member']}", 0.0, centre)
