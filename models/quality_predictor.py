"""A trained predictor of quality: the probability that a face matches, from what is stored of it.

It corrects the packaged quality by size, pose, the detector's score and age; logistic regression.  It is not served:
it did not beat the packaged quality (docs/trainings.md).
"""

import json
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import Face
from facealbum.errors import ModelError

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
        odds = self.level + (terms.astype(np.float64) * np.array(self.weights)).sum(axis=1)
        result: NDArray[np.float64] = 1 / (1 + np.exp(-odds))
        return result


def stored_terms(face: Face) -> NDArray[np.float32]:
    """float32[7], by `TERMS`: what the log odds of a match are linear in."""
    turned = [abs(angle) / _DEGREES for angle in (face.yaw, face.pitch, face.roll)]
    height, age = np.log(max(1.0, face.box.height)), np.log1p(face.age)
    return np.array([_odds(face.quality), height, *turned, _odds(face.score), age], np.float32)


def _odds(chance: float) -> float:
    limited = min(1 - _SURE, max(_SURE, chance))
    return float(np.log(limited / (1 - limited)))
