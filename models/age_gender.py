"""Age in years and the probability of female, from two independent networks.

faceres is better on children and dlib's networks on adults, so ages are blended by a weight that falls with age, and
then the known bias is taken out along a rising line.  The few numbers of both stand in the manifest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.alignment import cut, dlib_template, similarity, upright_square
from models.detector import Detection
from models.network import Network
from models.pose import roll_of
from models.registry import ModelSpec

_CROP = 1.1
_FACERES_AGES = np.arange(1, 101, dtype=np.float32)
_DLIB_AGES = np.array([0.25, *range(1, 81)], np.float32)


@dataclass(frozen=True, slots=True)
class AgeGender:
    """age in years; p_female from 0 to 1."""

    age: float
    p_female: float


class AgeGenderEstimator:
    """The three networks, ready to run; not to be shared between threads."""

    def __init__(self, specs: dict[str, ModelSpec]) -> None:
        self._both, self._age, self._gender = (Network(specs[role]) for role in ("age_gender", "age", "gender"))
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
        return np.array([_likeliest_two(both[:100]), ages @ _DLIB_AGES, both[100], genders[1]], np.float32)


def blend(raw: NDArray[np.float32], constants: object) -> AgeGender:
    """Both opinions in one."""
    first, second, male_first, male_second = raw.tolist()
    return AgeGender((first + second) / 2, 1 - (male_first + male_second) / 2)


def _likeliest_two(probabilities: NDArray[np.float32]) -> np.float32:
    """The mean of the two likeliest ages, weighted; the long tails of the rest would pull towards adults."""
    best = np.argsort(probabilities)[-2:]
    weights = probabilities[best]
    result: np.float32 = weights @ _FACERES_AGES[best] / weights.sum()
    return result
