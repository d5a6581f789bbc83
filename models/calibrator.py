"""A trained calibrator: better ages and P(female) from what is stored of a face, without its photo.

It reads the packaged estimate and the embedding of one space.  The same stored face gets the same answer bit for bit,
alone or among others, so what analysis writes is what an arm computes later.  Given the embedding, age never falls
as the packaged age rises, nor does P(female) as the packaged one rises.  Costs about 10 microseconds a face.

Between bends of log(1 + packaged age) everything is a straight line: the age itself, how far it is off, and how much
the packaged log odds of female count (Platt scaling by age: Platt, 1999).  The embedding shifts both linearly.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.errors import ModelError

Array: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = tuple[float, ...]

SURE = 1e-3
"""No probability is trusted beyond this."""
_OLDEST = 100.0
_ROWS = 4096  # faces at once: 16 MB


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What is stored of n faces; raises ModelError if the arrays do not fit each other.

    ages: float32[n] in years and p_female: float32[n], as the packaged models estimate them.
    embeddings: float32[n, 512] of the calibrator's space; zeros for a face that has none.
    """

    ages: NDArray[np.float32]
    p_female: NDArray[np.float32]
    embeddings: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.ages)
        shapes = (self.ages.shape, self.p_female.shape, self.embeddings.shape)
        if shapes != ((count,), (count,), (count, EMBEDDING_SIZE)):
            raise ModelError(f"ages, P(female) and embeddings must be [n], [n], [n, {EMBEDDING_SIZE}], got {shapes}")

    def __len__(self) -> int:
        return len(self.ages)

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Self:
        """The chosen ones."""
        return type(self)(self.ages[chosen], self.p_female[chosen], self.embeddings[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Of n faces: ages float32[n] in years, the mean error to be expected of each, and P(female) float32[n]."""

    ages: NDArray[np.float32]
    spreads: NDArray[np.float32]
    p_female: NDArray[np.float32]


@dataclass(frozen=True)
class Calibrator:
    """The numbers of a calibrator; raises ModelError if they can't be one.

    space: whose embeddings it reads.  years: the packaged ages at which lines bend, rising.
    log_ages: log(1 + age) there, never falling.  log_spreads: the logarithm of the mean error of that there.
    slopes (0 or more), levels: of the log odds of female there.
    age_weights, gender_weights: what each number of an embedding adds to log(1 + age), and to the log odds.
    error_...: P(estimate | true age) as linking reads it (`LinkParameters`).
    """

    space: str
    years: Numbers
    log_ages: Numbers
    log_spreads: Numbers
    slopes: Numbers
    levels: Numbers
    age_weights: Numbers
    gender_weights: Numbers
    error_ages: Numbers = ()
    error_bias: Numbers = ()
    error_spread: Numbers = ()
    error_freedom: float = 0.0

    def __post_init__(self) -> None:
        bends = len(self.years)
        sizes = {name: len(getattr(self, name)) for name in ("log_ages", "log_spreads", "slopes", "levels")}
        weights = {name: len(getattr(self, name)) for name in ("age_weights", "gender_weights")}
        if bends < 2 or set(sizes.values()) != {bends} or set(weights.values()) != {EMBEDDING_SIZE}:  # noqa: PLR2004
            raise ModelError(f"a calibrator needs 2 bends, {EMBEDDING_SIZE} weights; got {bends}, {sizes | weights}")
        if not self.space or not all(
            np.isfinite(getattr(self, field.name)).all() for field in fields(self) if field.name != "space"
        ):
            raise ModelError("a calibrator needs a space, and finite numbers alone; train it again")
        if min(np.diff(self.years)) <= 0 or min(np.diff(self.log_ages)) < 0 or min(self.slopes) < 0:
            raise ModelError("ages of a calibrator must rise, and slopes be 0 or more; train it again")

    @classmethod
    def unchanged(cls, space: str, years: Numbers) -> Self:
        """The calibrator that leaves packaged estimates as they are: where training starts."""
        bends, none = len(years), (0.0,) * EMBEDDING_SIZE
        return cls(
            space,
            years,
            tuple(np.log1p(years).tolist()),
            (-2.0,) * bends,
            (1.0,) * bends,
            (0.0,) * bends,
            none,
            none,
        )

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read what `content` gave; raises ModelError for anything else."""
        try:
            given = json.loads(content)
            lists = {name: tuple(map(float, value)) for name, value in given.items() if isinstance(value, list)}
            return cls(**given | lists)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"a calibrator must be the JSON that training wrote, {error!r}") from error

    def content(self) -> bytes:
        """As a file; the same numbers give the same bytes."""
        return json.dumps(asdict(self), sort_keys=True, indent=1).encode()

    @cached_property
    def sha256(self) -> str:
        """Of its file."""
        return hashlib.sha256(self.content()).hexdigest()

    def error(self) -> dict[str, Any]:
        """P(estimate | true age) by the names that linking has for it; empty where it was not measured."""
        names = ("error_ages", "error_bias", "error_spread", "error_freedom")
        return {name: getattr(self, name) for name in names} if self.error_ages else {}

    def estimate(self, stored: Stored) -> Estimates:
        """The estimates of these faces."""
        parts = [self._some(stored.only(slice(start, start + _ROWS))) for start in range(0, len(stored), _ROWS)]
        ages, spreads, odds = np.concatenate([np.zeros((3, 0)), *parts], axis=1)
        chance = 1 / (1 + np.exp(-odds))
        return Estimates(ages.astype(np.float32), spreads.astype(np.float32), chance.astype(np.float32))

    def _some(self, stored: Stored) -> Array:
        """float64[3, n]: ages, spreads, log odds of female."""
        log_ages, odds = np.log1p(stored.ages.astype(np.float64)), log_odds(stored.p_female)
        vectors = np.ascontiguousarray(stored.embeddings, np.float64)
        bends = np.log1p(self.years)
        years = np.interp(log_ages, bends, self.log_ages) + _weighted(vectors, self.age_weights)
        ages = np.clip(np.expm1(years), 0, _OLDEST)
        spreads = np.exp(np.interp(log_ages, bends, self.log_spreads)) * (1 + ages)
        slopes, levels = (np.interp(log_ages, bends, line) for line in (self.slopes, self.levels))
        return np.stack([ages, spreads, slopes * odds + levels + _weighted(vectors, self.gender_weights)])


def log_odds(p_female: NDArray[np.float32]) -> Array:
    """float64[n]: log odds of probabilities, none beyond `SURE`."""
    limited = np.clip(p_female.astype(np.float64), SURE, 1 - SURE)
    odds: Array = np.log(limited / (1 - limited))
    return odds


def _weighted(vectors: Array, weights: Numbers) -> Array:
    """float64[n]: each row's weighted sum, which does not depend on the other rows as a product of matrices may."""
    result: Array = (vectors * np.array(weights)).sum(axis=1)
    return result
