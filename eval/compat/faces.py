"""What a comparison of two spaces is made of: a family's faces that have vectors in both."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering import ClusteringParameters, Observation
from facealbum.domain.ids import FamilyId, PersonId
from facealbum.errors import InvalidValueError

Vectors = NDArray[np.float32]
"""float32[n, d] of length 1."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a space is read: the algorithm and its parameters there."""

    algorithm: str = "constrained"
    parameters: ClusteringParameters = field(default_factory=ClusteringParameters)


@dataclass(frozen=True, eq=False)
class FamilyFaces:
    """One family's faces, in any order; raises InvalidValueError if the parts don't fit each other.

    observations: with their vectors of the old space.  persons: whom each shows by the album, None if nobody.
    new: the vectors that the new model gives.  stored: those that the new space would hold of a face that is known
    already: `new` after embedding all again, what an adapter makes of the old vector, or the old vector itself.
    """

    family_id: FamilyId
    observations: tuple[Observation, ...]
    persons: tuple[PersonId | None, ...]
    new: Vectors
    stored: Vectors

    def __post_init__(self) -> None:
        count = len(self.observations)
        if not len(self.persons) == len(self.new) == len(self.stored) == count:
            found = len(self.persons), len(self.new), len(self.stored)
            raise InvalidValueError(f"there must be a person and vectors for each of {count} faces, got {found}")

    @cached_property
    def old(self) -> Vectors:
        """The vectors of the old space."""
        return np.array([one.embedding for one in self.observations], np.float32)

    @cached_property
    def photos(self) -> NDArray[np.int64]:
        """int64[n]: equal numbers mean the same photo."""
        return _numbered([one.photo_id for one in self.observations])

    @cached_property
    def people(self) -> NDArray[np.int64]:
        """int64[n]: equal numbers mean the same person, -1 nobody."""
        return _numbered(self.persons)

    def by_time(self, *, most: int | None = None) -> Self:
        """The same faces, the oldest first; of more than `most`, that many spread evenly over their time."""
        order = sorted(range(len(self.persons)), key=self._moment)
        if most is not None and len(order) > most:
            order = [order[row] for row in np.linspace(0, len(order) - 1, most).round().astype(int)]
        return replace(
            self,
            observations=tuple(self.observations[row] for row in order),
            persons=tuple(self.persons[row] for row in order),
            new=self.new[order],
            stored=self.stored[order],
        )

    def _moment(self, row: int) -> tuple[float, int]:
        one = self.observations[row]
        return one.taken_at.timestamp(), one.face_id.int


def _numbered(names: Iterable[UUID | None]) -> NDArray[np.int64]:
    """A number for each distinct name, -1 for None."""
    numbers: dict[UUID | None, int] = {None: -1}
    return np.array([numbers.setdefault(name, len(numbers) - 1) for name in names], np.int64)
