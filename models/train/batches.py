"""Batches of whole families, so that parents and siblings are each other's negatives."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.train.faces import LabelledFaces

Rows = NDArray[np.int64]
"""int64[n]: places in LabelledFaces."""


@dataclass(frozen=True, slots=True)
class Batching:
    """families: of a batch.  growing: that many more, of those in which somebody is seen over `years` or more.

    most: faces of one family; a random choice stands for a larger one.
    """

    families: int = 16
    growing: int = 8
    years: float = 8.0
    most: int = 40


def batches(faces: LabelledFaces, batching: Batching, draw: np.random.Generator) -> Iterator[Rows]:
    """One epoch: every family once, beside growing ones drawn anew for each batch."""
    _, family = np.unique(faces.families, return_inverse=True)
    members = [np.flatnonzero(family == number) for number in range(family.max() + 1)]
    growing = np.array([number for number, rows in enumerate(members) if _grows(faces, rows, batching.years)], int)
    order = draw.permutation(len(members))
    for chosen in np.array_split(order, max(1, len(order) // batching.families)):
        more = draw.permutation(np.setdiff1d(growing, chosen))[: batching.growing]
        yield np.concatenate([_some(members[number], batching.most, draw) for number in (*chosen, *more)])


def _grows(faces: LabelledFaces, rows: Rows, years: float) -> bool:
    persons, ages = faces.persons[rows], faces.ages[rows]
    return any(np.ptp(ages[persons == person]) >= years for person in np.unique(persons))


def _some(rows: Rows, most: int, draw: np.random.Generator) -> Rows:
    return rows if len(rows) <= most else np.sort(draw.choice(rows, most, replace=False))
