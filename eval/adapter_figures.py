"""What an adapter keeps of a family when its space changes, beside what is kept without one.

Known faces are there by stored vectors, later ones by the new network's.  Without an adapter the stored vectors are the
old ones, which a new network's vectors are then compared with as they are.
"""

from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from eval.head_figures import tar
from eval.paired import Figure, Weights, compare
from eval.verification import Pairs

Vectors: TypeAlias = NDArray[np.float32]
NEIGHBOURS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """n faces of families that the adapter has not seen: their vectors float32[n, 512] in the new space, and labels."""

    new: Vectors
    families: NDArray[np.int64]
    persons: NDArray[np.int64]
    photos: NDArray[np.int64]

    def by_family(self) -> list[NDArray[np.int64]]:
        """The rows of each family."""
        return [np.flatnonzero(self.families == family) for family in np.unique(self.families)]


def judge(faces: Judged, *, adapted: Vectors, old: Vectors) -> dict[str, Figure]:
    """Hit rate of stored with new vectors within families, and neighbours kept; what has no case is left out."""
    groups = faces.by_family()
    pairs = [_crossed(faces, stored) for stored in (adapted, old)]
    figures: dict[str, Figure | None] = {}
    if (~pairs[0].same).sum() >= 1 / 0.01 and pairs[0].same.any():
        n = int(pairs[0].same.sum())
        figures["cross_tar_far_1"] = compare(tar(pairs[0], 0.01), tar(pairs[1], 0.01), groups=len(groups), n=n)
    kept = [np.array([_neighbours(faces, stored, rows) for rows in groups]) for stored in (adapted, old)]
    new, before = (partial(_share, one) for one in kept)
    figures["neighbours_kept"] = compare(new, before, groups=len(groups), n=int(kept[0][:, 1].sum()))
    return {name: figure for name, figure in figures.items() if figure}


def _crossed(faces: Judged, stored: Vectors) -> Pairs:
    """Each face by its stored vector with each other one of its family over photos by its new one."""
    similarities, same, groups = [], [], []
    for number, rows in enumerate(faces.by_family()):
        cosines = np.einsum("ae,be->ab", stored[rows], faces.new[rows])
        apart = faces.photos[rows][:, None] != faces.photos[rows]
        similarities.append(cosines[apart])
        same.append((faces.persons[rows][:, None] == faces.persons[rows])[apart])
        groups.append(np.full(apart.sum(), number))
    group = np.concatenate(groups)
    return Pairs(np.concatenate(similarities), np.concatenate(same), group, group)


def _neighbours(faces: Judged, stored: Vectors, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """float64[2]: of the nearest by new vectors, those that are nearest among stored ones too; and all."""
    if len(rows) <= NEIGHBOURS:
        return np.zeros(2)
    nearest = [_nearest(faces.new[rows], among) for among in (faces.new[rows], stored[rows])]
    both = sum(len(np.intersect1d(*pair)) for pair in zip(*nearest, strict=True))
    return np.array([both, NEIGHBOURS * len(rows)], np.float64)


def _nearest(asked: Vectors, among: Vectors) -> NDArray[np.int64]:
    """int64[n, NEIGHBOURS]: of each, the others that are nearest to it."""
    cosines = np.einsum("ae,be->ab", asked, among)
    np.fill_diagonal(cosines, -np.inf)
    found: NDArray[np.int64] = np.argsort(-cosines, axis=1, kind="stable")[:, :NEIGHBOURS]
    return found


def _share(counts: NDArray[np.float64], weights: Weights) -> float:
    hits, cases = weights @ counts
    return float(hits / cases) if cases else float("nan")
