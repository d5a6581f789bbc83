"""How far annotators agree beyond chance, with intervals by family.

Krippendorff's alpha for nominal answers takes any number of annotators and gaps (K. Krippendorff, Content Analysis,
2004, 11.3); Cohen's kappa is told beside it where exactly two took part (J. Cohen, 1960).  `unsure` is an answer like
any other.  Both are of the sampled items as they are, unweighted: hard ones were drawn on purpose.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from eval.annotation.items import Answer, Item, Label

Matrices = NDArray[np.float64]

_DRAWS = 1000
_ANSWERS = tuple(Answer)


@dataclass(frozen=True, slots=True)
class Agreement:
    """One measure in one part of the sample; value is None where nobody ever answered otherwise, or no item is shared.

    observed: the share of pairs of answers to one item that are the same.
    """

    measure: str
    stratum: str
    items: int
    families: int
    annotators: int
    observed: float | None
    value: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def measure_agreement(items: Sequence[Item], labels: Iterable[Label], *, seed: int = 0) -> list[Agreement]:
    """Over all items that at least two annotators answered, and by stratum where there are several."""
    of: dict[UUID, list[Label]] = defaultdict(list)
    for label in labels:
        of[label.item_id].append(label)
    shared = [item for item in items if len(of[item.item_id]) > 1]
    strata = sorted({item.stratum for item in shared})
    parts = [("", shared)]
    if len(strata) > 1:
        parts += [(name, [item for item in shared if item.stratum == name]) for name in strata]
    return [one for name, part in parts if part for one in _measure(name, part, of, np.random.default_rng(seed))]


def _measure(
    stratum: str, items: Sequence[Item], of: Mapping[UUID, Sequence[Label]], rng: np.random.Generator
) -> list[Agreement]:
    annotators = sorted({label.annotator for item in items for label in of[item.item_id]})
    measures: dict[str, tuple[Callable[[Sequence[Label]], Matrices], Callable[[Matrices], Matrices]]] = {
        "krippendorff_alpha": (_coincidences, alpha)
    }
    if len(annotators) == 2:  # noqa: PLR2004 - Cohen's kappa is of two
        measures["cohen_kappa"] = (lambda said: _confusion(said, annotators[0]), kappa)
    families = sorted({item.family_id for item in items})
    found = []
    for name, (count, value) in measures.items():
        matrices = np.zeros((len(families), len(_ANSWERS), len(_ANSWERS)))
        for item in items:
            matrices[families.index(item.family_id)] += count(of[item.item_id])
        total = matrices.sum(axis=0)
        draws = rng.multinomial(len(families), np.full(len(families), 1 / len(families)), _DRAWS)
        resampled = value(np.tensordot(draws, matrices, axes=1))
        ends = np.quantile(resampled[np.isfinite(resampled)], (0.025, 0.975)) if np.isfinite(resampled).any() else ()
        here = float(value(total[None])[0])
        low, high = (float(end) for end in ends) if np.isfinite(here) and len(ends) else (None, None)
        found.append(
            Agreement(
                name,
                stratum,
                len(items),
                len(families),
                len(annotators),
                float(np.trace(total) / total.sum()),
                here if np.isfinite(here) else None,
                low,
                high,
            )
        )
    return found


def alpha(coincidences: Matrices) -> Matrices:
    """Krippendorff's alpha of each coincidence matrix, float64[..., answers, answers]; NaN without variation."""
    marginal = coincidences.sum(axis=-1)
    total = marginal.sum(axis=-1)
    disagreed = total - np.trace(coincidences, axis1=-2, axis2=-1)
    expected = (total**2 - (marginal**2).sum(axis=-1)) / np.maximum(total - 1, 1)
    return _one_minus(disagreed, expected)


def kappa(confusion: Matrices) -> Matrices:
    """Cohen's kappa of each confusion matrix, float64[..., answers, answers]; NaN without variation."""
    total = confusion.sum(axis=(-2, -1))
    same_by_chance = (confusion.sum(axis=-1) * confusion.sum(axis=-2)).sum(axis=-1) / np.maximum(total, 1)
    return _one_minus(total - np.trace(confusion, axis1=-2, axis2=-1), total - same_by_chance)


def _one_minus(observed: Matrices, expected: Matrices) -> Matrices:
    known = expected > 0
    return np.where(known, 1 - observed / np.where(known, expected, 1), np.nan)


def _coincidences(said: Sequence[Label]) -> Matrices:
    """How often each answer meets each other one in an item, every label counting once."""
    counts = np.bincount([_ANSWERS.index(label.answer) for label in said], minlength=len(_ANSWERS)).astype(np.float64)
    met: Matrices = (np.outer(counts, counts) - np.diag(counts)) / (len(said) - 1)
    return met


def _confusion(said: Sequence[Label], first: str) -> Matrices:
    matrix = np.zeros((len(_ANSWERS), len(_ANSWERS)))
    one, other = sorted(said, key=lambda label: label.annotator != first)
    matrix[_ANSWERS.index(one.answer), _ANSWERS.index(other.answer)] = 1
    return matrix
