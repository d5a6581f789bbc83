"""Who is who from one sampled frame of a video to the next; pure, and the same for the same faces.

A track is a promise that its faces are one person, so it breaks rather than joins two: where a face moved too far or
looks too different, or the scene was cut, a new track begins.  Clustering may still put both together.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Box, Face
from facealbum.domain.videos import Sighting, Track


@dataclass(frozen=True, slots=True)
class TrackParameters:
    """When two faces are one person, and how many faces of a track are kept.

    sure: cosine similarity from which a face belongs to a track wherever it is.  alike: the same where boxes overlap,
    by at least `overlap` (intersection over union), and the track was seen `near_ms` before at most.
    gap_ms: a track that was not seen for longer, and in two frames at least, has ended.
    most: faces kept of a track, one more for every `apart_ms` that it lasts.  least_quality: of a face that is kept.
    """

    sure: float = 0.6
    alike: float = 0.45
    overlap: float = 0.1
    near_ms: int = 2000
    gap_ms: int = 5000
    most: int = 3
    apart_ms: int = 4000
    least_quality: float = 0.1


DEFAULTS = TrackParameters()


@dataclass(frozen=True, slots=True, eq=False)
class SampledFrame:
    """The faces of one frame; scene: a number that changes at every cut."""

    ms: int
    scene: int
    faces: tuple[Face, ...]


@dataclass(slots=True, eq=False)
class _Open:
    """A track that may go on; direction: float64[512], the sum of its embeddings weighted by quality."""

    scene: int
    sightings: list[Sighting] = field(default_factory=list)
    direction: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))

    @property
    def last(self) -> Sighting:
        return self.sightings[-1]

    def add(self, sighting: Sighting) -> None:
        self.sightings.append(sighting)
        self.direction = self.direction + (sighting.face.quality + 1e-3) * sighting.face.embedding.astype(np.float64)


def track_faces(frames: Sequence[SampledFrame], parameters: TrackParameters = DEFAULTS) -> tuple[Track, ...]:
    """The tracks of a video's sampled frames, given in the order of time; sorted by their first sighting.

    From frame to frame the best one-to-one assignment of faces to tracks is taken (Kuhn 1955, by SciPy), of all pairs
    that may be one person.  A track without a face good enough to keep is left out.
    """
    tracks: list[_Open] = []
    step = (frames[-1].ms - frames[0].ms) // max(len(frames) - 1, 1) if frames else 0
    gap = max(parameters.gap_ms, 2 * step)
    for frame in frames:
        going = [track for track in tracks if track.scene == frame.scene and frame.ms - track.last.ms <= gap]
        owners = _assigned(going, frame, parameters)
        for number, face in enumerate(frame.faces):
            track = owners.get(number)
            if track is None:
                track = _Open(frame.scene)
                tracks.append(track)
            track.add(Sighting(frame.ms, number, face))
    followed = (Track(tuple(one.ms for one in track.sightings), _best(track, parameters)) for track in tracks)
    return tuple(track for track in followed if track.best)


def overlap(first: Box, second: Box) -> float:
    """Intersection over union, 0 to 1."""
    width = min(first.x2, second.x2) - max(first.x1, second.x1)
    height = min(first.y2, second.y2) - max(first.y1, second.y1)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (first.width * first.height + second.width * second.height - shared) if shared else 0.0


def _assigned(going: Sequence[_Open], frame: SampledFrame, parameters: TrackParameters) -> dict[int, _Open]:
    """The track of each face, by its number, that goes on one."""
    gains = np.array([[_gain(track, frame.ms, face, parameters) for face in frame.faces] for track in going])
    if not gains.size:
        return {}
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - half a second, which photos need not pay

    rows, columns = linear_sum_assignment(gains, maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {column: going[row] for row, column in pairs if gains[row, column] > 0}


def _gain(track: _Open, ms: int, face: Face, parameters: TrackParameters) -> float:
    """How well the face goes on with the track; 0 if it may not."""
    shared = overlap(track.last.face.box, face.box) if ms - track.last.ms <= parameters.near_ms else 0.0
    similar = float(track.direction @ face.embedding) / float(np.linalg.norm(track.direction))
    wanted = parameters.alike if shared >= parameters.overlap else parameters.sure
    return similar + shared if similar >= wanted else 0.0


def _best(track: _Open, parameters: TrackParameters) -> tuple[Sighting, ...]:
    """Of each of a few equal stretches of the track's time its best face, if that is good enough."""
    start, span = track.sightings[0].ms, track.last.ms - track.sightings[0].ms
    stretches = min(parameters.most, 1 + span // parameters.apart_ms)
    parts: dict[int, list[Sighting]] = defaultdict(list)
    for sighting in track.sightings:
        parts[min(stretches - 1, (sighting.ms - start) * stretches // max(span, 1))].append(sighting)
    best = [max(part, key=_quality) for part in parts.values()]
    enough = max(parameters.least_quality, max(map(_quality, best)) / 2)
    return tuple(sighting for sighting in best if _quality(sighting) >= enough)


def _quality(sighting: Sighting) -> float:
    return sighting.face.quality
