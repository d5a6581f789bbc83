"""From the bytes of a photo to its faces: decode, detect, place landmarks, estimate pose, align, age, gender, embed.

The same bytes give the same result, bit for bit.  One Analyzer belongs to one thread; it holds about 100 MB and is
ready in well under a second.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from facealbum.domain.faces import Box, Face
from models.age_gender import AgeGenderEstimator, judge
from models.alignment import Pyramid
from models.calibration import calibration_versions, load_calibrations
from models.decode import Photo, decode
from models.detection import Detection
from models.detector import Detector
from models.embedder import Embedder, aligned
from models.landmarks import place_landmarks
from models.limits import Limits
from models.network import open_network
from models.pose import estimate_pose
from models.quality import estimate_quality
from models.registry import FOLDER, EmbedderSpec, ModelSpec, load_embedders, load_specs

_LIMITS = Limits()
_PHASES = ("decode", "detect", "landmarks", "age_gender", "embed")
_SHARP = 64.0  # pixels of a face's longer side from which more of them tell little more
_LARGEST = 12_500_000  # pixels, and up to four times as many as sizes go by halves, that a sharper look may take


@dataclass(frozen=True, slots=True, eq=False)
class PhotoAnalysis:
    """width and height of the whole upright photo in pixels; taken_at is aware, None if the photo does not say.

    camera: its make and model, None if the photo does not say.
    seconds: wall time by phase (decode, detect, landmarks, age_gender, embed).
    """

    width: int
    height: int
    format: str
    taken_at: datetime | None
    faces: tuple[Face, ...]
    seconds: Mapping[str, float]
    camera: str | None = None


class Analyzer:
    """The models, ready to run; make one per thread with `Analyzer.load()`."""

    def __init__(self, specs: dict[str, ModelSpec], embedder: EmbedderSpec, *, limits: Limits = _LIMITS) -> None:
        cv2.setNumThreads(1)  # workers run one process per core
        self.space = embedder.space
        self.model_versions = {
            **{role: spec.version for role, spec in specs.items()},
            "embedder": embedder.version,
            **calibration_versions(),
        }
        self._limits = limits
        self._landmarks = open_network(specs["landmarks"])
        self._detector = Detector(specs["detector"], self._landmarks)
        self._embedder = Embedder(embedder)
        self._age_gender = AgeGenderEstimator(specs)
        self._calibrations = load_calibrations()

    @classmethod
    def load(cls, folder: Path = FOLDER, *, embedder: EmbedderSpec | None = None, limits: Limits = _LIMITS) -> Self:
        """The packaged models, with this embedder or the default one; raises ModelError if one can't be used."""
        return cls(load_specs(folder), embedder or next(iter(load_embedders(folder).values())), limits=limits)

    def analyze(self, data: bytes) -> PhotoAnalysis:
        """Everything that is known of the photo in `data`; raises a PhotoError if it can't be decoded."""
        seconds = dict.fromkeys(_PHASES, 0.0)
        return self._describe(*self.find(data, seconds), seconds)

    def find(self, data: bytes, seconds: dict[str, float]) -> tuple[Photo, list[Detection]]:
        """The photo in `data`, as sharp as its faces need, and where they are in its pixels.

        What the phases take is added to `seconds`; raises a PhotoError.
        """
        with _timed(seconds, "decode"):
            photo = decode(data, limits=self._limits)
        with _timed(seconds, "detect"):
            found = self._detector.detect(photo.pixels)
            seen = found or self._detector.glimpse(photo.pixels)
        side = sharp_side(photo, seen)
        if side > max(photo.pixels.shape):
            with _timed(seconds, "decode"):
                photo, found = _enlarged(photo, found, decode(data, limits=self._limits, working_side=side))
        with _timed(seconds, "detect"):
            return photo, self._detector.search(photo.pixels, found) if seen else []

    def analyze_picture(self, photo: Photo, *, decoding: float = 0.0) -> PhotoAnalysis:
        """The same for what is decoded already, such as a frame of a video; `decoding` is the time that took.

        Where no face is found, none is searched for: a frame can wait for the next one, where people may be nearer.
        """
        seconds = dict.fromkeys(_PHASES, 0.0) | {"decode": decoding}
        with _timed(seconds, "detect"):
            found = self._detector.detect(photo.pixels)
            found = self._detector.search(photo.pixels, found) if found else []
        return self._describe(photo, found, seconds)

    def _describe(self, photo: Photo, found: Sequence[Detection], seconds: dict[str, float]) -> PhotoAnalysis:
        pyramid = Pyramid(photo.pixels)
        faces = tuple(self._face(pyramid, face, photo.scale, seconds) for face in found)
        return PhotoAnalysis(photo.width, photo.height, photo.format, photo.taken_at, faces, seconds, photo.camera)

    def _face(self, pyramid: Pyramid, face: Detection, scale: tuple[float, float], seconds: dict[str, float]) -> Face:
        with _timed(seconds, "landmarks"):
            placed = place_landmarks(self._landmarks, pyramid, face)
            face, pose = placed.face, estimate_pose(placed)
        with _timed(seconds, "age_gender"):
            opinions = self._age_gender.ask(pyramid, face)
            who = judge(opinions, self._calibrations["age_gender"])
        with _timed(seconds, "embed"):
            chip = aligned(pyramid, face.landmarks)
            embedding, norm = self._embedder.embed_with_norm(pyramid, face, chip)
            quality = estimate_quality(placed, chip, self._calibrations["quality"])
        return Face(
            box=scaled(face.box, scale),
            landmarks=face.landmarks * np.array(scale, np.float32),
            yaw=pose.yaw,
            pitch=pose.pitch,
            roll=pose.roll,
            age=who.age,
            p_female=who.p_female,
            quality=quality,
            score=face.score,
            embedding=embedding,
            embedding_norm=norm,
        )


def sharp_side(photo: Photo, found: Sequence[Detection]) -> int:
    """The longer side that the photo needs to be decoded at for its smallest face, of its pixels, to be sharp."""
    side: int = max(photo.pixels.shape)
    smallest = min((max(face.box.width, face.box.height) for face in found), default=_SHARP)
    largest = max(photo.width, photo.height) * min(1.0, math.sqrt(_LARGEST / (photo.width * photo.height)))
    return min(round(side * max(1.0, _SHARP / smallest)), math.floor(largest))


def _enlarged(photo: Photo, found: Sequence[Detection], larger: Photo) -> tuple[Photo, list[Detection]]:
    """The larger picture of the same photo, with the faces where they are in it."""
    across, down = (small / large for small, large in zip(photo.scale, larger.scale, strict=True))
    scale = np.array([across, down], np.float32)
    return larger, [Detection(scaled(face.box, (across, down)), face.landmarks * scale, face.score) for face in found]


def scaled(box: Box, scale: tuple[float, float]) -> Box:
    """The box in pixels that are so many times smaller, across and down."""
    across, down = scale
    return Box(box.x1 * across, box.y1 * down, box.x2 * across, box.y2 * down)


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] += time.perf_counter() - start
