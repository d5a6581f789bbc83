"""Preprocessing and start of training: an orthogonal projection that takes out how age shows, and what all share.

Pictures of two babies are alike because both show a baby.  These directions are found by regressing embeddings on
age and removed, as nuisance attribute projection does (Solomonoff, Campbell and Boardman, ICASSP 2005).  It is the
larger part of what a head gains (docs/models.md), and a closed form.
"""

import numpy as np
from numpy.typing import NDArray

from models.train.faces import LabelledFaces

_YEARS = (0, 4, 8, 12, 16, 20, 28, 40, 60)
"""The bends of the line by which each number of an embedding may follow age."""


def ageless(faces: LabelledFaces) -> NDArray[np.float32]:
    """float32[512, 512]: the symmetric projection along all directions that age or the mean of a source explain."""
    directions = [_directions(faces.only(faces.sources == source)) for source in np.unique(faces.sources)]
    basis, sizes, _ = np.linalg.svd(np.concatenate(directions, axis=1), full_matrices=False)
    basis = basis[:, sizes > 1e-6 * sizes[0]]
    result: NDArray[np.float32] = (np.eye(len(basis)) - basis @ basis.T).astype(np.float32)
    return result


def _directions(faces: LabelledFaces) -> NDArray[np.float64]:
    """float64[512, bends]: the change of an embedding with each bend of age, and the mean, each of length 1."""
    embeddings, ages = faces.embeddings.astype(np.float64), _bends(faces.ages)
    mean = embeddings.mean(axis=0)
    slopes = np.linalg.lstsq(ages - ages.mean(axis=0), embeddings - mean, rcond=None)[0]
    directions = np.vstack([slopes, mean])
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    result: NDArray[np.float64] = (directions / np.maximum(lengths, 1e-12)).T
    return result


def _bends(ages: NDArray[np.float32]) -> NDArray[np.float64]:
    """float64[n, len(_YEARS) - 1]: ages as hat functions, one for each bend but the first."""
    hats = np.eye(len(_YEARS))[1:]
    return np.stack([np.interp(ages, _YEARS, hat) for hat in hats], axis=1)
