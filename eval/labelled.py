"""Faces with labels for age, gender and pose, and what the models say of each.

ALBUMS/growth_faces/labels.csv gives age in completed years, gender, and roll and yaw by hand-placed landmarks;
ALBUMS/visible/age one face a photo with age and gender.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from eval.rows import read_rows
from facealbum.domain.faces import Box
from models.age_gender import AgeGenderEstimator, Opinions
from models.alignment import Pyramid
from models.decode import decode
from models.detector import Detector
from models.landmarks import place_landmarks
from models.network import open_network
from models.pose import Pose, estimate_pose
from models.registry import load_specs


@dataclass(frozen=True, slots=True)
class Labelled:
    """One face with its labels; roll (degrees) and yaw (no unit) are of hand-placed landmarks, NaN where unknown."""

    source: str
    subject: str
    years: float
    female: bool
    roll: float
    yaw: float
    pose: Pose
    opinions: Opinions


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """Where a labelled face is, and its labels; centre: a point of it, in pixels."""

    source: str
    subject: str
    path: Path
    centre: tuple[float, float]
    years: float
    female: bool
    roll: float
    yaw: float

    def is_in(self, box: Box) -> bool:
        """Whether the box is around the face."""
        x, y = self.centre
        return box.x1 < x < box.x2 and box.y1 < y < box.y2


def labelled_rows(albums: Path) -> list[LabelledRow]:
    """Every face with labels, in a fixed order."""
    return [*_growth_faces(albums / "growth_faces"), *_one_a_photo(albums / "visible" / "age")]


def load_faces(albums: Path) -> list[Labelled]:
    """Every labelled face that the detector finds."""
    cv2.setNumThreads(1)
    specs = load_specs()
    detector, mesh, estimator = Detector(specs["detector"]), open_network(specs["landmarks"]), AgeGenderEstimator(specs)
    faces = []
    for row in labelled_rows(albums):
        pixels = decode(row.path.read_bytes()).pixels
        found = [face for face in detector.detect(pixels) if row.is_in(face.box)]
        if found:
            pyramid = Pyramid(pixels)
            placed = place_landmarks(mesh, pyramid, found[0])
            opinions = estimator.ask(pyramid, placed.face)
            pose = estimate_pose(placed)
            faces.append(Labelled(row.source, row.subject, row.years, row.female, row.roll, row.yaw, pose, opinions))
    return faces


def _growth_faces(folder: Path) -> Iterator[LabelledRow]:
    for row in read_rows(folder / "labels.csv"):
        nose = float(row["nx"]), float(row["ny"])
        roll, yaw = float(row["roll_deg"]), float(row["yaw_proxy"])
        female = row["gender_hand"] == "f"
        yield LabelledRow(
            "growth_faces", row["subject"], folder / row["file"], nose, float(row["age"]), female, roll, yaw
        )


def _one_a_photo(folder: Path) -> Iterator[LabelledRow]:
    paths = {row["photo"]: folder / row["path"] for row in read_rows(folder / "photos.csv")}
    for row in read_rows(folder / "truth.csv"):
        left, top, right, bottom = (float(row[name]) for name in ("x1", "y1", "x2", "y2"))
        centre = (left + right) / 2, (top + bottom) / 2
        female = row["gender"] == "female"
        path, years = paths[row["photo"]], float(row["age"])
        yield LabelledRow("age", row["photo"], path, centre, years, female, float("nan"), float("nan"))
