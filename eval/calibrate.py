"""Fits of the few numbers in models/manifest.json that turn what networks say into ages and probabilities.

Each fit is deterministic; `out_of_fold` applies one so that nobody is judged by numbers fitted to themselves.
Ages are fitted as logarithms by least absolute errors, genders by logistic regression, and the error of an age by
maximum likelihood of Student's t, whose place and spread depend on the true age.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln

Array: TypeAlias = NDArray[np.float64]
Fit: TypeAlias = Callable[[Array, Array, Array], Array]
"""Coefficients float64[terms] for terms float64[faces, terms], targets and weights float64[faces]."""

FOLDS = 5
ERROR_AGES = (1.0, 4.0, 8.0, 13.0, 18.0, 30.0, 60.0)
_ROUNDS, _LEAST_ERROR = 40, 0.08
_WITHIN_YEAR = (0.1, 0.3, 0.5, 0.7, 0.9)


def equal_shares(groups: Sequence[str]) -> Array:
    """Weights float64[faces] with mean 1 under which every group counts the same."""
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weights: Array = len(groups) / len(counts) / counts[place]
    return weights


def folds(subjects: Sequence[str]) -> NDArray[np.intp]:
    """The fold of each face, 0 to FOLDS - 1; all faces of a subject are in one."""
    names, place = np.unique(subjects, return_inverse=True)
    return np.random.default_rng(3).permutation(len(names))[place] % FOLDS


def out_of_fold(fit: Fit, data: tuple[Array, Array, Array], fold: NDArray[np.intp]) -> Array:
    """What each face comes to, terms @ coefficients as float64[faces], by coefficients that the other folds gave."""
    terms, target, weights = data
    result = np.empty(len(target))
    for number in range(FOLDS):
        held, rest = fold == number, fold != number
        result[held] = terms[held] @ fit(terms[rest], target[rest], weights[rest])
    return result


def fit_least_absolute(terms: Array, target: Array, weights: Array) -> Array:
    """The coefficients with the smallest weighted sum of absolute errors, by reweighted least squares."""
    share: Array = weights
    for _ in range(_ROUNDS):
        weighted = terms * share[:, None]
        coefficients = np.linalg.solve(terms.T @ weighted, weighted.T @ target).astype(np.float64)
        share = weights / np.maximum(np.abs(terms @ coefficients - target), _LEAST_ERROR)
    return coefficients


def fit_logistic(terms: Array, target: Array, weights: Array) -> Array:
    """The likeliest coefficients of log odds; target is 0 to 1."""

    def cost(coefficients: Array) -> tuple[float, Array]:
        odds = terms @ coefficients
        slope = weights * (1 / (1 + np.exp(-odds)) - target)
        return float(weights @ (np.logaddexp(0, odds) - target * odds)), terms.T @ slope

    return _smallest(cost, np.zeros(terms.shape[1]), jac=True)


def fit_error(estimated: Array, completed: Array, weights: Array) -> dict[str, list[float]]:
    """P(estimate | true age) as bias and spread at ERROR_AGES and degrees of freedom, from ages in completed years."""
    true = np.add.outer(np.array(_WITHIN_YEAR), completed).ravel()
    off, share = np.tile(estimated, len(_WITHIN_YEAR)) - true, np.tile(weights, len(_WITHIN_YEAR))
    count = len(ERROR_AGES)

    def cost(numbers: Array) -> float:
        bias, spread = np.interp(true, ERROR_AGES, numbers[:count]), np.exp(numbers[count:-1])
        scale, freedom = np.interp(true, ERROR_AGES, spread), 2 + np.exp(numbers[-1])
        return -float(share @ log_density((off - bias) / scale, freedom) - share @ np.log(scale))

    start = np.concatenate([np.zeros(count), np.log(np.linspace(1, 10, count)), [1.0]])
    best = _smallest(cost, start)
    return {
        "ages": list(ERROR_AGES),
        "bias": best[:count].tolist(),
        "spread": np.exp(best[count:-1]).tolist(),
        "freedom": [2 + float(np.exp(best[-1]))],
    }


def log_density(error: Array, freedom: float) -> Array:
    """The logarithm of Student's t density at each standardised error."""
    scale = gammaln((freedom + 1) / 2) - gammaln(freedom / 2) - np.log(freedom * np.pi) / 2
    density: Array = scale - (freedom + 1) / 2 * np.log1p(error**2 / freedom)
    return density


def _smallest(cost: Callable[[Array], Any], start: Array, **options: bool) -> Array:
    best: Array = minimize(cost, start, method="L-BFGS-B", **options).x
    return best
