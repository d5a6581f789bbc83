"""How alike faces and persons are, and the chance that goes with it.

Everything is measured from what the arm asks: 0 is just enough for two groups to be one (similarity, and what their
ages ask beyond it).  The chances are logistic curves over that, fitted on albums with known truth (docs/review.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from facealbum.clustering import ClusteringParameters
from facealbum.clustering.ages import age_weights
from facealbum.clustering.items import is_sound
from facealbum.clustering.vectors import SCALE
from facealbum.domain.ids import PersonId
from facealbum.review.view import FamilyView

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """The chance of a likeness: 1 / (1 + exp(-(level + slope x likeness)))."""

    level: float
    slope: float

    def __call__(self, likeness: Array) -> Array:
        """The chance, 0 to 1; 0 for -inf."""
        return np.asarray(1 / (1 + np.exp(-np.clip(self.level + self.slope * likeness, -50, 50))), np.float64)


SAME = Curve(-0.75, 17.0)
"""That two persons are one, by the likeness of their means."""
JOINS = Curve(1.9, 16.8)
"""That a face of nobody is the person that it is most like; a stranger if it was said not to be others."""
BELONGS = Curve(1.75, 11.0)
"""That a face is its person, by its likeness to the person's other faces."""
MIXED = Curve(-1.4, -10.0)
"""That the two sides into which a person falls most easily are two people, by the likeness of their means."""


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """The likeness of each face to each person, and of persons to each other.

    vectors: float64[faces, 514], embeddings and the weights of ages; two rows are compared as `compare` does.
    persons: in the order of columns.  owner: intp[faces], the column of whom each face is shown with, -1 for nobody.
    to: float64[faces, persons], of a face to the others of its own person; NaN where there is no other.
    between: float64[persons, persons].  Both are -inf where two can't be one, by a photo or a user's word.
    """

    vectors: Array
    persons: tuple[PersonId, ...]
    owner: NDArray[np.intp]
    to: Array
    between: Array

    @classmethod
    def of(cls, view: FamilyView, parameters: ClusteringParameters) -> Self:
        """A person stands for its sound faces, or for all where none is sound."""
        persons = tuple(sorted(view.sizes))
        column = {person: number for number, person in enumerate(persons)}
        owner = np.array([-1 if one.person is None else column[one.person] for one in view.faces], np.intp)
        vectors = _vectors(view, parameters)
        founding = _founding(view, owner, parameters)
        sums = np.zeros((len(persons), vectors.shape[1]))
        np.add.at(sums, owner[founding], vectors[founding])
        counts = np.bincount(owner[founding], minlength=len(persons))[None, :].repeat(len(owner), axis=0)
        to = compare(vectors, sums)
        to[founding, owner[founding]] -= np.einsum("ij,ij->i", _turned(vectors[founding]), vectors[founding])
        counts[founding, owner[founding]] -= 1
        to = np.divide(to, counts, out=np.full_like(to, np.nan), where=counts > 0) - parameters.similarity
        means = sums / np.maximum(np.bincount(owner[founding], minlength=len(persons)), 1)[:, None]
        between = compare(means, means) - parameters.similarity
        _bar(view, column, to, between)
        return cls(vectors, persons, owner, to, between)


def compare(rows: Array, columns: Array) -> Array:
    """Cosine similarity of each row to each column, less what their ages ask."""
    return np.asarray(_turned(rows) @ columns.T, np.float64)


def _turned(rows: Array) -> Array:
    """With the ages' weights, the last two numbers, negative, so that a product takes them away."""
    return np.concatenate([rows[:, :-2], -rows[:, -2:]], axis=1)


def _vectors(view: FamilyView, parameters: ClusteringParameters) -> Array:
    faces = [one.face for one in view.faces]
    embeddings = np.array([face.embedding for face in faces], np.float64).reshape(len(faces), -1)
    return np.concatenate([embeddings, age_weights(faces, parameters).astype(np.float64) / SCALE], axis=1)


def _founding(view: FamilyView, owner: NDArray[np.intp], parameters: ClusteringParameters) -> NDArray[np.bool_]:
    """The faces that stand for their person."""
    sound = np.array([is_sound(one.face, parameters) for one in view.faces], np.bool_)
    return (owner >= 0) & (sound | ~np.isin(owner, owner[sound]))


def _bar(view: FamilyView, column: Mapping[PersonId, int], to: Array, between: Array) -> None:
    """Who can't be one: two of one photo, and what users said."""
    beside = [
        (row, column[person])
        for row, seen in enumerate(view.faces)
        for person in view.shown.get(seen.face.photo_id, ())
        if person != seen.person
    ]
    to[_places(beside)] = -np.inf
    pairs = [[column[person] for person in pair if person in column] for pair in view.apart]
    one, other = _places([pair for pair in pairs if len(pair) == 2])  # noqa: PLR2004 - both have faces
    between[one, other] = between[other, one] = -np.inf
    np.fill_diagonal(between, -np.inf)
    row_of = {seen.face.face_id: row for row, seen in enumerate(view.faces)}
    for face, person in view.rejected:
        if face in row_of and person in column:
            to[row_of[face], column[person]] = -np.inf


def _places(pairs: Sequence[Sequence[int]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The pairs as an index."""
    rows, columns = np.array(pairs, np.intp).reshape(-1, 2).T
    return rows, columns
