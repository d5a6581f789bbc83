"""What heads gain on people that they have not seen, beside the default space, over all and by slice.

TAR at a FAR is the share of pairs of one person above the similarity that so many of the pairs of two people pass.  Of
relatives both pairs are of one family: parents and siblings are the hardest to tell apart.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval.cross_fit import Folds, Heads, unseen_similarities
from eval.head_data import HeadData
from eval.head_groups import bcubed_f, families_of, group_by_default, group_by_heads
from eval.paired import Figure, Measure, Weights, compare
from eval.verification import Pairs

Similar: TypeAlias = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""The similarities float32[m, m] of these rows."""

CHILD = 12.0
"""Years up to which somebody is a child."""
_APART = 8.0  # years between two pictures from which they are of two ages
_GOOD = 0.6  # quality from which both faces of a pair are good
_MOST = 3000  # faces whose pairs are all looked at
_CUTS = ("years", "younger", "worse", "female")
_BANDS = {"0-2": (0.0, 3.0), "3-5": (3.0, 6.0), "6-12": (6.0, CHILD + 1)}


@dataclass(frozen=True, slots=True, eq=False)
class TwoWays:
    """The same pairs by old and by new similarities, with what slices are cut by.

    years: between both faces.  younger: age of the younger.  worse: quality of the worse.  female: of the true ones.
    """

    old: Pairs
    new: Pairs
    years: NDArray[np.float32]
    younger: NDArray[np.float32]
    worse: NDArray[np.float32]
    female: NDArray[np.bool_]

    def only(self, chosen: NDArray[np.bool_]) -> Self:
        """The chosen ones."""
        cuts = {name: getattr(self, name)[chosen] for name in _CUTS}
        return type(self)(self.old.only(chosen), self.new.only(chosen), **cuts)

    def figure(self, far: float) -> Figure | None:
        """TAR at this FAR; None with fewer than 1 / FAR pairs of two people."""
        true, false = int(self.old.same.sum()), int((~self.old.same).sum())
        if not true or false < 1 / far:
            return None
        new, old = _renumbered(self.new), _renumbered(self.old)
        return compare(tar(new, far), tar(old, far), groups=int(max(new.first.max(), new.second.max())) + 1, n=true)

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """The pairs of all parts."""
        old, new = (
            Pairs(
                *(np.concatenate([getattr(getattr(part, side), one.name) for part in parts]) for one in fields(Pairs))
            )
            for side in ("old", "new")
        )
        return cls(old, new, **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _CUTS})


Judgement: TypeAlias = tuple[dict[str, Figure], dict[str, dict[str, Figure]]]
"""Figures by name, and figures by name and slice."""


def judge_heads(data: HeadData, fold: Folds, heads: Heads, *, similarity: Mapping[int, float]) -> Judgement:
    """All figures by name, and those of children by slice; what has too few pairs is left out."""
    figures, slices = _judge(data, lambda rows: unseen_similarities(data.faces.embeddings[rows], fold[rows], heads))
    families = families_of(data)
    if families:
        old = group_by_default(data, families)
        new = group_by_heads(data, families, fold, heads=heads, similarity=similarity)
        measures, faces = (partial(bcubed_f, new), partial(bcubed_f, old)), int(old[:, 2].sum())
        figures |= _known({"families_bcubed_f": compare(*measures, groups=len(families), n=faces)})
    return figures, slices


def judge_space(data: HeadData, embeddings: NDArray[np.float32]) -> Judgement:
    """The same, but for families clustered, of another space: float32[n, 512] of unit vectors."""
    return _judge(data, lambda rows: _cosines(embeddings[rows]))


def _judge(data: HeadData, similar: Similar) -> Judgement:
    grown = _pairs(data, similar, _drawn(np.flatnonzero(data.faces.sources == data.faces.sources.max())))
    children = grown.only(_both_young(grown))
    apart = grown.only(~grown.old.same | (grown.years >= _APART))
    figures = {
        "children_tar_far_0.1": children.figure(0.001),
        "children_tar_far_1": children.figure(0.01),
        "all_ages_tar_far_0.1": grown.figure(0.001),
        "cross_age_tar_far_1": apart.figure(0.01),
    }
    families = [_pairs(data, similar, rows) for rows in families_of(data)]
    if families:
        figures["relatives_tar_far_1"] = TwoWays.together(families).figure(0.01)
    slices = {
        name: _known({"children_tar_far_1": children.only(some).figure(0.01)}) for name, some in _slices(children)
    }
    return _known(figures), {name: kept for name, kept in slices.items() if kept}


def _slices(pairs: TwoWays) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for name, (low, high) in _BANDS.items():
        yield f"age {name}", (pairs.younger >= low) & (pairs.younger < high)
    for name, female in (("female", True), ("male", False)):
        yield f"gender {name}", ~pairs.old.same | (pairs.female == female)
    for name, good in (("good", True), ("poor", False)):
        yield f"quality {name}", (pairs.worse >= _GOOD) == good


def _known(figures: Mapping[str, Figure | None]) -> dict[str, Figure]:
    return {name: figure for name, figure in figures.items() if figure}


def _both_young(pairs: TwoWays) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pairs.younger + pairs.years < CHILD + 1
    return found


def _drawn(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most so many rows that all of their pairs fit into memory."""
    draw = np.random.default_rng(0)
    return rows if len(rows) <= _MOST else np.sort(draw.choice(rows, _MOST, replace=False))


def _pairs(data: HeadData, similar: Similar, rows: NDArray[np.int64]) -> TwoWays:
    """All pairs over photos of these faces."""
    faces = data.faces
    first, second = np.triu_indices(len(rows), 1)
    kept = faces.photos[rows[first]] != faces.photos[rows[second]]
    first, second = first[kept], second[kept]
    old, new = _cosines(faces.embeddings[rows]), similar(rows)
    one, other = rows[first], rows[second]
    same = faces.persons[one] == faces.persons[other]
    groups = faces.families[one], faces.families[other]
    return TwoWays(
        Pairs(old[first, second], same, *groups),
        Pairs(new[first, second], same, *groups),
        years=np.abs(faces.ages[one] - faces.ages[other]),
        younger=np.minimum(faces.ages[one], faces.ages[other]),
        worse=np.minimum(data.quality[one], data.quality[other]),
        female=(data.p_female[one] + data.p_female[other]) > 1,
    )


def _cosines(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.einsum("ae,be->ab", embeddings, embeddings)
    return found


def tar(pairs: Pairs, far: float) -> Measure:
    """TAR at the FAR for any weights, NaN where they leave no pair of one person, or none of two."""
    true = pairs.only(pairs.same)
    false = pairs.only(~pairs.same)
    false = false.only(np.argsort(-false.similarities, kind="stable"))

    def measure(weights: Weights) -> float:
        passed, counted = np.cumsum(_weight(false, weights)), _weight(true, weights)
        if not passed[-1] or not counted.any():
            return float("nan")
        limit = false.similarities[np.searchsorted(passed, far * passed[-1], side="right")]
        return float(counted[true.similarities > limit].sum() / counted.sum())

    return measure


def _renumbered(pairs: Pairs) -> Pairs:
    """The same with groups from 0, none of them without a pair."""
    groups = np.unique([pairs.first, pairs.second], return_inverse=True)[1].reshape(2, -1)
    return replace(pairs, first=groups[0], second=groups[1])


def _weight(pairs: Pairs, weights: Weights) -> Weights:
    """How often each pair is drawn: as often as its group, or as both of its groups."""
    within = pairs.first == pairs.second
    found: Weights = weights[pairs.first] * np.where(within, 1, weights[pairs.second])
    return found
