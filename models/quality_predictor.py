"""A trained predictor of quality: the probability that a face matches, from what is stored of it.

It corrects the packaged quality by size, pose, the detector's score and age; logistic regression.  The same stored face
gets the same answer bit for bit, alone or among others.
"""

import json
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Face
from facealbum.errors import ModelError

LOOKS = ("packaged quality", "height", "yaw", "pitch", "roll", "the detector's score", "packaged age")
"""What is read of a stored face: pixels, degrees, years."""
TERMS = ("packaged log odds", "log pixels", "yaw", "pitch", "roll", "log odds of the detector", "log age")
_SURE = 1e-4
_DEGREES = 30.0


@dataclass(frozen=True, slots=True)
class QualityPredictor:
    """weights: what each of `TERMS` adds to the log odds of a match; raises ModelError for another number of them."""

    level: float
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.weights) != len(TERMS) or not np.isfinite([self.level, *self.weights]).all():
            raise ModelError(f"a predictor of quality needs {len(TERMS)} finite weights, got {len(self.weights)}")

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read what `content` gave; raises ModelError for anything else."""
        try:
            given = json.loads(content)
            return cls(float(given["level"]), tuple(map(float, given["weights"])))
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(f"a predictor of quality must be the JSON that training wrote, {error!r}") from error

    def content(self) -> bytes:
        """As a file; the same numbers give the same bytes."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    def predict(self, terms: NDArray[np.float32]) -> NDArray[np.float64]:
        """float64[n]: the quality, 0 to 1, of faces whose terms float32[n, 7] are given."""
        odds = self.level + (np.ascontiguousarray(terms, np.float64) * np.array(self.weights)).sum(axis=1)
        result: NDArray[np.float64] = 1 / (1 + np.exp(-odds))
        return result


def looks_of(face: Face) -> tuple[float, ...]:
    """What is stored of a face, by `LOOKS`."""
    return face.quality, face.box.height, face.yaw, face.pitch, face.roll, face.score, face.age


def stored_terms(looks: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32[n, 7], by `TERMS`, of float32[n, 7], by `LOOKS`: what the log odds of a match are linear in."""
    quality, height, yaw, pitch, roll, score, age = np.ascontiguousarray(looks.T, np.float64)
    turned = [np.abs(angle) / _DEGREES for angle in (yaw, pitch, roll)]
    rest = _odds(score), np.log1p(age)
    terms = np.stack([_odds(quality), np.log(np.maximum(1.0, height)), *turned, *rest], axis=1)
    return terms.astype(np.float32)


def _odds(chance: NDArray[np.float64]) -> NDArray[np.float64]:
    limited = np.clip(chance, _SURE, 1 - _SURE)
    odds: NDArray[np.float64] = np.log(limited / (1 - limited))
    return odds
