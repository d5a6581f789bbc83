"""Faces with labels for age, gender and pose, and what the models say of each.

ALBUMS/growth_faces/labels.csv gives age in completed years, gender, and roll and yaw by hand-placed landmarks;
ALBUMS/visible/age one face a photo with age and gender.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from eval.rows import read_rows
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
class _Row:
    source: str
    subject: str
    path: Path
    centre: tuple[float, float]
    years: float
    female: bool
    roll: float
    yaw: float


def load_faces(albums: Path) -> list[Labelled]:
    """Every labelled face that the detector finds."""
    cv2.setNumThreads(1)
    specs = load_specs()
    detector, mesh, estimator = Detector(specs["detector"]), open_network(specs["landmarks"]), AgeGenderEstimator(specs)
    faces = []
    for row in (*_growth_faces(albums / "growth_faces"), *_one_a_photo(albums / "visible" / "age")):
        pixels = decode(row.path.read_bytes()).pixels
        x, y = row.centre
        found = [
            face for face in detector.detect(pixels) if face.box.x1 < x < face.box.x2 and face.box.y1 < y < face.box.y2
        ]
        if found:
            pyramid = Pyramid(pixels)
            placed = place_landmarks(mesh, pyramid, found[0])
            opinions = estimator.ask(pyramid, placed.face)
            pose = estimate_pose(placed)
            faces.append(Labelled(row.source, row.subject, row.years, row.female, row.roll, row.yaw, pose, opinions))
    return faces


def _growth_faces(folder: Path) -> Iterator[_Row]:
    for row in read_rows(folder / "labels.csv"):
        nose = float(row["nx"]), float(row["ny"])
        roll, yaw = float(row["roll_deg"]), float(row["yaw_proxy"])
        female = row["gender_hand"] == "f"
        yield _Row("growth_faces", row["subject"], folder / row["file"], nose, float(row["age"]), female, roll, yaw)


def _one_a_photo(folder: Path) -> Iterator[_Row]:
    paths = {row["photo"]: folder / row["path"] for row in read_rows(folder / "photos.csv")}
    for row in read_rows(folder / "truth.csv"):
        left, top, right, bottom = (float(row[name]) for name in ("x1", "y1", "x2", "y2"))
        centre = (left + right) / 2, (top + bottom) / 2
        female = row["gender"] == "female"
        path, years = paths[row["photo"]], float(row["age"])
        yield _Row("age", row["photo"], path, centre, years, female, float("nan"), float("nan"))
