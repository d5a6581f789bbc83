"""Embedding faces again where analysis has found them, without looking for them.

The chips are cut by the stored landmarks from the same pixels that analysis decoded, so a space's own vectors come out
again but for the rounding of what is stored.  It costs decoding and the embedder's networks, no detector, mesh or age.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from facealbum.domain.faces import Box, Embedding
from facealbum.errors import DamagedVideoError
from models.alignment import Points, Pyramid
from models.analyzer import scaled, sharp_side
from models.containers import is_video
from models.decode import Photo, decode
from models.detection import Detection
from models.embedder import Embedder, aligned
from models.limits import Limits
from models.registry import EmbedderSpec
from models.video import read_frames


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a face is, in pixels of the whole upright picture; ms: of its frame in a video, None in a photo."""

    box: Box
    landmarks: Points
    score: float
    ms: int | None = None


class Reembedder:
    """An embedder, ready to run; not to be shared between threads."""

    def __init__(self, spec: EmbedderSpec, *, limits: Limits) -> None:
        cv2.setNumThreads(1)  # workers run one process per core
        self._embedder = Embedder(spec)
        self._limits = limits

    def embed(self, data: bytes, places: Sequence[Place]) -> list[Embedding]:
        """The embeddings of all faces that an upload shows, in their order; raises a PhotoError."""
        rows: dict[int | None, list[int]] = defaultdict(list)
        for row, place in enumerate(places):
            rows[place.ms].append(row)
        found: dict[int, Embedding] = {}
        for ms, photo in self._pictures(data, places):
            its = [_within(places[row], photo.scale) for row in rows[ms]]
            found |= dict(zip(rows[ms], self._look(photo, its), strict=True))
        if len(found) < len(places):
            raise DamagedVideoError("the video must have the frames that its faces are from; upload it again")
        return [found[row] for row in range(len(places))]

    def _pictures(self, data: bytes, places: Sequence[Place]) -> Iterator[tuple[int | None, Photo]]:
        if is_video(data):
            yield from read_frames(data, {place.ms for place in places if place.ms is not None})
            return
        photo = decode(data, limits=self._limits)
        side = sharp_side(photo, [_within(place, photo.scale) for place in places])
        larger = side > max(photo.pixels.shape)
        yield None, decode(data, limits=self._limits, working_side=side) if larger else photo

    def _look(self, photo: Photo, faces: Sequence[Detection]) -> list[Embedding]:
        pyramid = Pyramid(photo.pixels)
        return [self._embedder.embed(pyramid, face, aligned(pyramid, face.landmarks)) for face in faces]


def _within(place: Place, scale: tuple[float, float]) -> Detection:
    """The face in a picture whose pixels are so many times larger, across and down."""
    across, down = scale
    landmarks = np.divide(place.landmarks, np.array(scale, np.float32), dtype=np.float32)
    return Detection(scaled(place.box, (1 / across, 1 / down)), landmarks, place.score)
