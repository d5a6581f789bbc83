"""Age in years and the probability of female, from two independent networks.

Two opinions err less than one; the bias that they share is then taken out along a rising line.  The shares and the
line's few knots stand in the manifest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.alignment import cut, dlib_template, similarity, upright_square
from models.detector import Detection
from models.landmarks import roll_of
from models.network import open_network
from models.registry import ModelSpec

_CROP = 1.25
_FACERES_AGES = np.arange(1, 101, dtype=np.float32)
_SURE = 1e-3  # no network is trusted beyond this


@dataclass(frozen=True, slots=True)
class AgeGender:
    """age in years; p_female from 0 to 1."""

    age: float
    p_female: float


class AgeGenderEstimator:
    """The three networks, ready to run; not to be shared between threads."""

    def __init__(self, specs: dict[str, ModelSpec]) -> None:
        self._both, self._age, self._gender = (open_network(specs[role]) for role in ("age_gender", "age", "gender"))
        self._constants = specs["age_gender"].constants

    def estimate(self, picture: NDArray[np.uint8], face: Detection) -> AgeGender:
        """Age and gender of one face in an RGB picture."""
        return blend(self.raw(picture, face), self._constants)

    def raw(self, picture: NDArray[np.uint8], face: Detection) -> NDArray[np.float32]:
        """What the networks say: float32[4], both ages, then both probabilities of male."""
        size = self._both.size
        square = upright_square(face.box, roll_of(face.landmarks), scale=_CROP, size=size)
        both = self._both.run(cut(picture, square, size))
        ages, genders = (
            network.run(cut(picture, similarity(face.landmarks, dlib_template(network.size)), network.size))
            for network in (self._age, self._gender)
        )
        return np.array([_likeliest_two(both[:100]), _median(ages), both[100], genders[1]], np.float32)


def blend(raw: NDArray[np.float32], constants: Mapping[str, tuple[float, ...]]) -> AgeGender:
    """Age and gender from what `raw` gives.

    Ages are averaged as logarithms, since an error of one year means more for a baby than for an adult.
    """
    first, second = np.log1p(raw[:2])
    share_of_age, share_of_gender = constants["faceres_share"]
    estimate = np.expm1(share_of_age * first + (1 - share_of_age) * second)
    age = np.interp(estimate, constants["age_estimated"], constants["age_true"])
    male_first, male_second = _logit(raw[2:])
    female = -(share_of_gender * male_first + (1 - share_of_gender) * male_second)
    return AgeGender(float(age), float(1 / (1 + np.exp(-female))))


def _logit(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    limited = np.clip(probabilities, _SURE, 1 - _SURE)
    result: NDArray[np.float32] = np.log(limited / (1 - limited))
    return result


def _median(probabilities: NDArray[np.float32]) -> float:
    """The age with half of the probability on either side; class n stands for ages n - 0.5 to n + 0.5."""
    below = np.cumsum(probabilities)
    index = min(int(np.searchsorted(below, below[-1] / 2)), len(below) - 1)
    rest = below[-1] / 2 - (below[index - 1] if index else 0)
    return max(0.0, float(index - 0.5 + rest / probabilities[index]))


def _likeliest_two(probabilities: NDArray[np.float32]) -> np.float32:
    """The mean of the two likeliest ages, weighted; the long tails of the rest would pull towards adults."""
    best = np.argsort(probabilities)[-2:]
    weights = probabilities[best]
    result: np.float32 = weights @ _FACERES_AGES[best] / weights.sum()
    return result
