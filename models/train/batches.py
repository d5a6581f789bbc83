"""Batches: in any order, or of whole families, so that parents and siblings are each other's negatives."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.train.parts import Columns, Rows


@dataclass(frozen=True, slots=True)
class Shuffled:
    """Batches of about this size, every row once an epoch."""

    size: int = 256

    def __call__(self, columns: Columns, draw: np.random.Generator) -> Iterator[Rows]:
        """One epoch."""
        count = len(columns["inputs"])
        yield from np.array_split(draw.permutation(count), max(1, -(-count // self.size)))


@dataclass(frozen=True, slots=True)
class WholeFamilies:
    """Every family once an epoch, `families` to a batch, beside growing ones drawn anew for each batch.

    growing: that many more, of those in which somebody is seen over `years` or more.
    most: faces of one family; a random choice stands for a larger one.
    """

    families: int = 16
    growing: int = 8
    years: float = 8.0
    most: int = 40

    def __call__(self, columns: Columns, draw: np.random.Generator) -> Iterator[Rows]:
        """One epoch, by the columns families, persons and ages."""
        _, family = np.unique(columns["families"], return_inverse=True)
        members = [np.flatnonzero(family == number) for number in range(family.max() + 1)]
        growing = np.array([number for number, rows in enumerate(members) if self._grows(columns, rows)], int)
        order = draw.permutation(len(members))
        for chosen in np.array_split(order, max(1, len(order) // self.families)):
            more = draw.permutation(np.setdiff1d(growing, chosen))[: self.growing]
            yield np.concatenate([self._some(members[number], draw) for number in (*chosen, *more)])

    def _grows(self, columns: Columns, rows: Rows) -> bool:
        persons, ages = columns["persons"][rows], columns["ages"][rows]
        return any(np.ptp(ages[persons == person]) >= self.years for person in np.unique(persons))

    def _some(self, rows: Rows, draw: np.random.Generator) -> Rows:
        return rows if len(rows) <= self.most else np.sort(draw.choice(rows, self.most, replace=False))
