"""How extreme a result must be to decide at each look, so that all looks together err as seldom as one would.

Group-sequential: Lan and DeMets' spending function of O'Brien and Fleming's kind (Discrete sequential boundaries for
clinical trials, Biometrika 1983), by Armitage, McPherson and Rowe's recursion.  Early looks spend almost nothing, so
the last one decides almost as a single look would.  Each look is taken to add as much information as the others;
families that differ for good make the looks resemble each other more, which only makes the rule stricter.
"""

from collections.abc import Callable
from functools import cache
from math import log, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp, ndtr, ndtri

from facealbum.errors import InvalidValueError

_NODES = 201
_MOST_LOOKS = 36


@cache
def critical_values(looks: int, alpha: float) -> tuple[float, ...]:
    """For each of the looks the |z| from which it decides; alpha: two-sided, over all of them.

    Raises InvalidValueError beyond 36 looks or for an alpha that is no probability.
    """
    if not 1 <= looks <= _MOST_LOOKS:
        raise InvalidValueError(f"an experiment must take 1 to {_MOST_LOOKS} months, got {looks}")
    if not 0 < alpha < 1:
        raise InvalidValueError(f"alpha must be between 0 and 1, got {alpha}")
    spent = [4 * float(ndtr(ndtri(alpha / 4) / sqrt(look / looks))) for look in range(1, looks + 1)]
    bounds = [-float(ndtri(spent[0] / 2))]
    # The sum of `look` independent standard normal steps, where no look has decided yet.
    points, weights = _quadrature(bounds[0])
    density = weights * _normal(points)
    for look in range(2, looks + 1):
        bound = _solve(_crossing(points, density), spent[look - 1] - spent[look - 2], 20 * sqrt(look))
        bounds.append(bound / sqrt(look))
        following, weights = _quadrature(bound)
        density = weights * (_normal(following[:, None] - points) @ density)
        points = following
    return tuple(bounds)


def _normal(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard normal density."""
    density: NDArray[np.float64] = np.exp(-(points**2) / 2) / sqrt(2 * pi)
    return density


def _quadrature(bound: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss and Legendre's points and weights between -bound and bound."""
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    return points * bound, weights * bound


def _crossing(points: NDArray[np.float64], density: NDArray[np.float64]) -> Callable[[float], float]:
    """The logarithm of the probability that the next step leads beyond a bound on either side."""

    def crossing(bound: float) -> float:
        beyond = np.logaddexp(log_ndtr(points - bound), log_ndtr(-points - bound))
        return float(logsumexp(beyond, b=density))

    return crossing


def _solve(crossing: Callable[[float], float], probability: float, most: float) -> float:
    from scipy.optimize import brentq  # noqa: PLC0415 - a third of a second, which starting need not pay

    return float(brentq(lambda bound: crossing(bound) - log(probability), 0, most))
