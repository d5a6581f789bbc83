"""How good ages and genders are beside those of the packaged models, on the same faces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval.attributes import BANDS, CHILDREN, calibration_error
from eval.calibrate import Array
from eval.paired import Figure, Measure, Weights, compare

Mask: TypeAlias = NDArray[np.bool_]
Figures: TypeAlias = dict[str, Figure]

PRIMARY = "age_error_0_12"
_GENDERED = "3-12"
_HALF, _GOOD = 0.5, 0.8
_CERTAIN = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is known of n faces.  years: true ages.  female: 1, 0, or NaN where unknown.  quality: 0 to 1."""

    years: Array
    female: Array
    quality: Array
    groups: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What somebody says of n faces: ages in years and P(female)."""

    ages: Array
    p_female: Array


def judge_estimates(truth: Truth, new: Said, old: Said) -> tuple[Figures, dict[str, Figures]]:
    """Figures over all, and by slice; errors and losses are better where they are lower, shares of right where higher.

    Ages are judged by mean absolute error in years at each band of age, genders by the share that is right, log loss
    and calibration error, above all at 3 to 12 years: a baby's is a guess.
    """
    everyone = np.ones(len(truth.years), bool)
    figures = _figures(truth, new, old, everyone)
    slices = {
        name: {
            key: one for key, one in _figures(truth, new, old, some).items() if key in {PRIMARY, "gender_right_3_12"}
        }
        for name, some in _slices(truth).items()
    }
    return figures, {name: some for name, some in slices.items() if some}


def _slices(truth: Truth) -> dict[str, Mask]:
    bands = {f"years {name}": _between(truth.years, *BANDS[name]) for name in ("0-2", "3-5", "6-12")}
    good = truth.quality >= _GOOD
    return bands | {
        "female": truth.female == 1,
        "male": truth.female == 0,
        f"quality from {_GOOD}": good,
        f"quality below {_GOOD}": ~good,
    }


def _figures(truth: Truth, new: Said, old: Said, some: Mask) -> Figures:
    _, place = np.unique(truth.groups, return_inverse=True)
    known = some & ~np.isnan(truth.female)
    aged = {
        f"age_error_{_name(band)}": some & _between(truth.years, *span) for band, span in (BANDS | CHILDREN).items()
    }
    found = {
        name: _lower(_means(place, here, _age_error(truth, new), _age_error(truth, old))) for name, here in aged.items()
    }
    children = known & _between(truth.years, *CHILDREN[_GENDERED])
    found["gender_right_3_12"] = _means(place, children, _right(truth, new), _right(truth, old))
    for name, here in {"gender_log_loss": known, "gender_log_loss_3_12": children}.items():
        found[name] = _lower(_means(place, here, _log_loss(truth, new), _log_loss(truth, old)))
    found["gender_calibration_error_3_12"] = _lower(_calibration(place, children, truth, new, old))
    return {name: one for name, one in found.items() if one is not None}


def _means(place: NDArray[np.intp], here: Mask, new: Array, old: Array) -> Figure | None:
    """Both means over these faces, groups drawn again."""
    groups = int(place.max()) + 1
    counts = np.bincount(place[here], minlength=groups)

    def mean(values: Array) -> Measure:
        sums = np.bincount(place[here], values[here], minlength=groups)
        return lambda weights: float(weights @ sums / total) if (total := weights @ counts) else float("nan")

    return compare(mean(new), mean(old), groups=groups, n=int(here.sum()))


def _calibration(place: NDArray[np.intp], here: Mask, truth: Truth, new: Said, old: Said) -> Figure | None:
    def error(said: Said) -> Measure:
        def measure(weights: Weights) -> float:
            rows = np.repeat(np.flatnonzero(here), weights[place[here]])
            return calibration_error(said.p_female[rows], truth.female[rows]) if len(rows) else float("nan")

        return measure

    return compare(error(new), error(old), groups=int(place.max()) + 1, n=int(here.sum()))


def _lower(figure: Figure | None) -> Figure | None:
    """The figure where lower is better."""
    return figure if figure is None or figure.better is None else replace(figure, better=not figure.better)


def _age_error(truth: Truth, said: Said) -> Array:
    error: Array = np.abs(said.ages - truth.years)
    return error


def _right(truth: Truth, said: Said) -> Array:
    right: Array = ((said.p_female > _HALF) == (truth.female > _HALF)).astype(np.float64)
    return right


def _log_loss(truth: Truth, said: Said) -> Array:
    chance = np.clip(np.where(truth.female > _HALF, said.p_female, 1 - said.p_female), _CERTAIN, 1)
    loss: Array = -np.log(chance)
    return loss


def _between(years: Array, low: float, high: float) -> Mask:
    here: Mask = (low <= years) & (years < high)
    return here


def _name(band: str) -> str:
    return band.replace("-", "_").replace("+", "_up")
