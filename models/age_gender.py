"""Age in years and the probability of female, from two independent networks.

Two opinions err less than one, and how far they are apart tells children from adults: a quadratic of six numbers makes
an age of both.  Four more numbers make P(female) hold at every age.  All stand in the manifest; eval.calibrate fits
them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.alignment import Pyramid, cut, dlib_template, similarity, upright_square
from models.calibration import Calibration
from models.detection import Detection
from models.landmarks import roll_of
from models.network import open_network
from models.registry import ModelSpec

_CROP = 1.25
_AGES = 100  # classes of faceres: 1 to 100 years; male follows
_FACERES_AGES = np.arange(1, _AGES + 1, dtype=np.float32)
_DLIB_LOG_AGES = np.log1p(np.arange(81, dtype=np.float32))  # classes of dlib: 0 to 80 years
_OLDEST = 100.0
_OLD_ENOUGH = 30.0  # from this age on, gender shows equally well
_GROWING_UP = (10.0, 20.0)  # over these years the networks begin to take women for men
_SURE = 1e-3  # no network is trusted beyond this


@dataclass(frozen=True, slots=True)
class AgeGender:
    """age in years; p_female from 0 to 1."""

    age: float
    p_female: float


@dataclass(frozen=True, slots=True)
class Opinions:
    """What faceres and dlib's networks say, in this order.

    log_ages: log(1 + years).  female_odds: log odds of female.
    """

    log_ages: tuple[float, float]
    female_odds: tuple[float, float]


class AgeGenderEstimator:
    """The three networks, ready to run; not to be shared between threads."""

    def __init__(self, specs: dict[str, ModelSpec]) -> None:
        self._both, self._age, self._gender = (open_network(specs[role]) for role in ("age_gender", "age", "gender"))

    def ask(self, pyramid: Pyramid, face: Detection) -> Opinions:
        """What the networks say of one face in an RGB picture."""
        square = upright_square(face.box, roll_of(face.landmarks), scale=_CROP, size=self._both.size)
        both = self._both.run(cut(pyramid, square, self._both.size))
        ages, genders = (
            network.run(cut(pyramid, similarity(face.landmarks, dlib_template(network.size)), network.size))
            for network in (self._age, self._gender)
        )
        return Opinions(
            log_ages=(float(np.log1p(_likeliest_two(both[:_AGES]))), float(ages @ _DLIB_LOG_AGES / ages.sum())),
            female_odds=(-_log_odds(both[_AGES]), -_log_odds(genders[1])),
        )


def judge(opinions: Opinions, calibration: Calibration) -> AgeGender:
    """Age and gender from what the networks say."""
    age = to_years(float(age_terms(opinions, calibration) @ calibration["age"]))
    odds = float(gender_terms(opinions, age, calibration) @ calibration["gender"])
    return AgeGender(age, 1 / (1 + math.exp(-odds)))


def age_terms(opinions: Opinions, calibration: Calibration) -> NDArray[np.float64]:
    """float64[6], what log(1 + age) is linear in; a gap between the networks beyond its limit was hardly ever seen.

    Ages are compared as logarithms, since an error of one year means more for a baby than for an adult.
    """
    first, second = opinions.log_ages
    (limit,) = calibration["age_gap"]
    mean, gap = (first + second) / 2, min(limit, max(-limit, second - first))
    return np.array([1, mean, gap, mean**2, mean * gap, gap**2])


def to_years(log_age: float) -> float:
    """The age whose log(1 + age) is given, within what people reach."""
    return min(_OLDEST, max(0.0, math.expm1(log_age)))


def gender_terms(opinions: Opinions, age: float, calibration: Calibration) -> NDArray[np.float64]:
    """float64[4], what the log odds of female are linear in: the younger, the less is believed."""
    (share,) = calibration["faceres_share"]
    odds = share * opinions.female_odds[0] + (1 - share) * opinions.female_odds[1]
    grown = float(np.interp(age, _GROWING_UP, (0.0, 1.0)))
    return np.array([1, odds, odds * math.log1p(min(age, _OLD_ENOUGH)), grown])


def _log_odds(probability: np.float32) -> float:
    limited = min(1 - _SURE, max(_SURE, float(probability)))
    return math.log(limited / (1 - limited))


def _likeliest_two(probabilities: NDArray[np.float32]) -> np.float32:
    """The mean of the two likeliest ages, weighted; the long tails of the rest would pull towards adults."""
    best = np.argsort(probabilities)[-2:]
    weights = probabilities[best]
    result: np.float32 = weights @ _FACERES_AGES[best] / weights.sum()
    return result
