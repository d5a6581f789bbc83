"""Faces with labels for age, gender and pose, and what the models say of each.

ALBUMS/growth_faces/labels.csv gives age in completed years, gender, roll and yaw by hand-placed landmarks,
and these (e1, e2, n, m1, m2, each with x and y); ALBUMS/visible/age one face a photo with age and gender.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from eval.rows import read_rows
from facealbum.domain.faces import Box
from models.age_gender import AgeGenderEstimator, Opinions
from models.alignment import Points, Pyramid
from models.analyzer import scaled
from models.decode import decode
from models.detector import Detector
from models.landmarks import place_landmarks
from models.network import open_network
from models.pose import Pose, estimate_pose
from models.registry import load_specs

_FIVE = ("e1", "e2", "n", "m1", "m2")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One face with its labels; roll (degrees), yaw and pitch are of hand-placed landmarks, NaN where unknown.

    yaw: without a unit.  pitch: how near the nose is to the eyes on the way from the mouth, 0 to 1;
    it hangs on the face as well.
    """

    source: str
    subject: str
    years: float
    female: bool
    roll: float
    yaw: float
    pitch: float
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
    pitch: float

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
    mesh, estimator = open_network(specs["landmarks"]), AgeGenderEstimator(specs)
    detector = Detector(specs["detector"], mesh)
    faces = []
    for row in labelled_rows(albums):
        photo = decode(row.path.read_bytes())
        found = [face for face in detector.detect(photo.pixels) if row.is_in(scaled(face.box, photo.scale))]
        if found:
            pyramid = Pyramid(photo.pixels)
            placed = place_landmarks(mesh, pyramid, found[0])
            opinions = estimator.ask(pyramid, placed.face)
            pose = estimate_pose(placed)
            label = row.source, row.subject, row.years, row.female, row.roll, row.yaw, row.pitch
            faces.append(Labelled(*label, pose, opinions))
    return faces


def _growth_faces(folder: Path) -> Iterator[LabelledRow]:
    for row in read_rows(folder / "labels.csv"):
        nose = _point(row, "n")
        roll, yaw = float(row["roll_deg"]), float(row["yaw_proxy"])
        female = row["gender_hand"] == "f"
        path, years, pitch = folder / row["file"], float(row["age"]), lifted(np.array([_point(row, n) for n in _FIVE]))
        yield LabelledRow("growth_faces", row["subject"], path, nose, years, female, roll, yaw, pitch)


def lifted(landmarks: Points) -> float:
    """The pitch of Labelled, of five landmarks as in facealbum.domain.faces.Face."""
    left, right, nose, *mouth = landmarks
    across, eyes, lips = right - left, (left + right) / 2, np.mean(mouth, axis=0)
    down = np.array([-across[1], across[0]])
    return 1 - float((nose - eyes) @ down / ((lips - eyes) @ down))


def _point(row: Mapping[str, str], name: str) -> tuple[float, float]:
    return float(row[f"{name}x"]), float(row[f"{name}y"])


def _one_a_photo(folder: Path) -> Iterator[LabelledRow]:
    paths = {row["photo"]: folder / row["path"] for row in read_rows(folder / "photos.csv")}
    for row in read_rows(folder / "truth.csv"):
        left, top, right, bottom = (float(row[name]) for name in ("x1", "y1", "x2", "y2"))
        centre = (left + right) / 2, (top + bottom) / 2
        female = row["gender"] == "female"
        path, years = paths[row["photo"]], float(row["age"])
        yield LabelledRow("age", row["photo"], path, centre, years, female, *[float("nan")] * 3)
