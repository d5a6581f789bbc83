"""Fitting adapters that have a closed form, and what all adapters are fitted to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes
from sklearn.linear_model import Ridge

from facealbum.errors import InvalidValueError
from models.adapter import Adapter, Kind, Vectors

MIN_FACES = 100
_RIDGE = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """n faces with vectors in both spaces, float32[n, d] each, and int64[n] whose album each is from.

    Raises InvalidValueError if there are too few to learn a map from, or the parts don't fit.
    """

    old: Vectors
    new: Vectors
    families: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.old.shape != self.new.shape or self.families.shape != self.old.shape[:1]:
            raise InvalidValueError(f"each face needs two vectors, got {self.old.shape} and {self.new.shape}")
        if len(self.old) < MIN_FACES:
            raise InvalidValueError(
                f"an adapter must be learnt from {MIN_FACES} faces with vectors in both spaces, got {len(self.old)}"
                " beside those held out; embed more families again: facealbum reembed start SPACE --families N"
            )


def fit_adapter(kind: Kind, pairs: Pairs, *, seed: int = 0) -> Adapter:
    """An adapter of this kind; raises ModelError for the network without the extra `train`."""
    match kind:
        case "orthogonal":
            return fit_orthogonal(pairs)
        case "linear":
            return fit_linear(pairs)
        case "mlp":
            from models.adapter_mlp import fit_mlp  # noqa: PLC0415 - only this kind needs TensorFlow

            return fit_mlp(pairs, start=fit_linear(pairs), seed=seed)


def fit_orthogonal(pairs: Pairs) -> Adapter:
    """The turn that brings the old vectors nearest to the new ones (Schönemann 1966)."""
    matrix, _ = orthogonal_procrustes(pairs.old.astype(np.float64), pairs.new.astype(np.float64))
    return Adapter.straight("orthogonal", matrix, np.zeros(len(matrix), np.float32))


def fit_linear(pairs: Pairs) -> Adapter:
    """Least squares with a ridge: the old vectors have length 1, so few faces are pulled towards no map at all."""
    found = Ridge(alpha=_RIDGE).fit(pairs.old.astype(np.float64), pairs.new.astype(np.float64))
    return Adapter.straight("linear", found.coef_.T, found.intercept_)
