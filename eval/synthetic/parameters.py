"""What simulated families are made of: numbers fitted to albums with known truth, and numbers that nobody measured.

`fitted.json` holds the fitted ones with where they come from and how well they fit (eval.synthetic.fitting writes it).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FITTED = Path(__file__).with_name("fitted.json")


@dataclass(frozen=True, slots=True)
class Looks:
    """How embeddings lie; similarities are cosines.

    dimensions: of the space that is really used.  young, young_until, young_power: all small children share a
    direction, with weight `young` at birth, falling to 0 at `young_until` years.  common: what all faces share.
    heredity: of identity; a parent and child, and two siblings, share half of it (Falconer and Mackay 1996).
    ageing, settling: identity turns away from itself as exp(-|g(a) - g(b)|), g(a) = ageing x ln(1 + a / settling).
    sharp, sharp_quality, sharp_spread: the logit of a face's expected cosine with what its person looks like at that
    age: at quality .9, by unit of quality, and its standard deviation.
    """

    dimensions: int = 128
    young: float = 0.7
    young_until: float = 16.0
    young_power: float = 1.0
    common: float = 0.08
    heredity: float = 0.3
    ageing: float = 0.3
    settling: float = 3.0
    sharp: float = 1.5
    sharp_quality: float = 4.0
    sharp_spread: float = 0.4

    def youth(self, ages: NDArray[np.float64]) -> NDArray[np.float64]:
        """The weight of the direction that small children share, for ages in years, of any shape."""
        weight: NDArray[np.float64] = (
            np.sqrt(self.young) * np.clip(1 - ages / self.young_until, 0, 1) ** self.young_power
        )
        return weight

    def clock(self, ages: NDArray[np.float64]) -> NDArray[np.float64]:
        """g(a) above, for ages in years, of any shape."""
        time: NDArray[np.float64] = self.ageing * np.log1p(np.maximum(ages, 0) / self.settling)
        return time

    def sharpness(self, quality: NDArray[np.float64], chance: NDArray[np.float64]) -> NDArray[np.float64]:
        """A face's expected cosine with its person, for its quality and a standard normal `chance`, of one shape."""
        logit = self.sharp + self.sharp_quality * (quality - 0.9) + self.sharp_spread * chance
        cosine: NDArray[np.float64] = 1 / (1 + np.exp(-logit))
        return cosine


@dataclass(frozen=True, slots=True)
class Senses:
    """What analysis makes of a face.

    quality: 5 quantiles (0, 25, 50, 75 and 100 %) of the faces of the fitted albums.  error_*: of an estimated age, as
    facealbum.linking.LinkParameters has them.  gender_ages, gender_right: at these ages, how often gender is right.
    person_share: of the variance of an error of age or gender, what is the same for all faces of a person.
    missed: how often a face of median quality isn't found.
    """

    quality: tuple[float, ...] = (0.35, 0.86, 0.91, 0.94, 0.98)
    error_ages: tuple[float, ...] = (1.0, 8.0, 30.0)
    error_bias: tuple[float, ...] = (0.0, 0.0, 0.0)
    error_spread: tuple[float, ...] = (0.5, 1.8, 4.0)
    error_freedom: float = 4.0
    gender_ages: tuple[float, ...] = (1.5, 4.5, 9.0, 15.0, 20.0)
    gender_right: tuple[float, ...] = (0.59, 0.80, 0.86, 0.90, 0.95)
    person_share: float = 0.2
    missed: float = 0.03

    def misses(self, quality: NDArray[np.float64]) -> NDArray[np.float64]:
        """How likely a face of this quality isn't found."""
        chance: NDArray[np.float64] = np.clip(self.missed * np.exp(5 * (0.9 - quality)), 0, 0.9)
        return chance


@dataclass(frozen=True, slots=True)
class Habits:
    """How families live and take photos; nobody measured these.

    photos: median photos a month; photos_spread: of its logarithm between families, month_spread: between months.
    quiet: share of months without photos.  seasons, birthday: factors by calendar month, January first, and for a
    month with a child's birthday.  children: shares of families with 1, 2, ... children.  twins: share of births;
    identical: of twins; twin_likeness: how what identical twins don't inherit correlates.  registered: share of
    children that the family registers.  one_parent: share of parents whom no photo shows.  visitors: mean number.
    """

    photos: float = 16.0
    photos_spread: float = 0.8
    month_spread: float = 0.4
    quiet: float = 0.06
    seasons: tuple[float, ...] = (1.1, 0.8, 1.0, 1.05, 1.1, 0.8, 1.0, 1.3, 0.9, 1.0, 1.0, 1.3)
    birthday: float = 1.4
    children: tuple[float, ...] = (0.45, 0.4, 0.12, 0.03)
    twins: float = 0.015
    identical: float = 0.33
    twin_likeness: float = 0.9
    registered: float = 0.95
    one_parent: float = 0.1
    visitors: float = 5.0


@dataclass(frozen=True, slots=True)
class World:
    """All parameters of a simulation."""

    looks: Looks = field(default_factory=Looks)
    senses: Senses = field(default_factory=Senses)
    habits: Habits = field(default_factory=Habits)


def load_world(path: Path = FITTED) -> World:
    """The fitted world."""
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    senses: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in found["senses"].items()
    }
    return World(Looks(**found["looks"]), Senses(**senses))
