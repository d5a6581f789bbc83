"""What goes wrong on purpose from a month on, so that metrics and alarms can be held to what they promise to see."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from eval.synthetic.families import Faces, Family

_NOISE = 0.6  # length of what is added to an embedding of length 1
_YEARS = 2.0
_LOST = 0.1
_OTHER_SPACE = 0.3  # share of the faces


class Fault(StrEnum):
    """One thing that goes wrong."""

    NOISE = "embedding noise"
    SWAP = "sibling swap"
    AGE = "age bias"
    RECALL = "detector recall"
    SPACES = "mixed spaces"
    MONTH = "lost month"
    DOUBLE = "doubled upload"


def damage(family: Family, fault: Fault, *, since: int) -> Family:
    """The family as it would be seen with the fault from month `since` on; a lost or doubled month is that one.

    SWAP changes no face: it happens to the albums (eval.synthetic.living).
    """
    hit = family.faces.month == since if fault in _ONCE else family.faces.month >= since
    if fault not in _DAMAGES:
        return family
    draw = np.random.default_rng([family.seed, family.number, since, list(Fault).index(fault)])
    untouched, touched = family.faces[~hit], _DAMAGES[fault](family.faces[hit], draw)
    joined = Faces.joined([untouched, touched])
    photos = family.photos.copy()
    if fault in _ONCE:
        photos[since] *= 0 if fault is Fault.MONTH else 2
    return replace(family, photos=photos, faces=joined[np.argsort(joined.month, kind="stable")])


def _noisy(faces: Faces, draw: np.random.Generator) -> Faces:
    """Noise of length 0.6 on every embedding."""
    width = faces.embedding.shape[1]
    noisy = faces.embedding + draw.normal(0, _NOISE / np.sqrt(width), faces.embedding.shape)
    return replace(faces, embedding=_unit(noisy))


def _older(faces: Faces, _draw: np.random.Generator) -> Faces:
    """Everybody looks two years older."""
    return replace(faces, age=faces.age + _YEARS)


def _missed(faces: Faces, draw: np.random.Generator) -> Faces:
    """A tenth of the faces isn't found."""
    return faces[draw.uniform(size=len(faces)) >= _LOST]


def _mixed(faces: Faces, draw: np.random.Generator) -> Faces:
    """Three tenths of the vectors are of another space, in which all angles are the same."""
    width = faces.embedding.shape[1]
    space = np.random.default_rng(width)
    order, signs = space.permutation(width), space.choice((-1, 1), width)
    other = draw.uniform(size=len(faces)) < _OTHER_SPACE
    vectors = faces.embedding.copy()
    vectors[other] = vectors[other][:, order] * signs
    return replace(faces, embedding=vectors)


def _none(faces: Faces, _draw: np.random.Generator) -> Faces:
    """The month's photos never come."""
    return faces[:0]


def _twice(faces: Faces, _draw: np.random.Generator) -> Faces:
    """The month's photos come again as other files."""
    again = replace(faces, photo=faces.photo + _AGAIN)
    return Faces.joined([faces, again])


_AGAIN = 1_000_000  # added to the number of a photo that comes again
_ONCE = frozenset({Fault.MONTH, Fault.DOUBLE})
_DAMAGES: Mapping[Fault, Callable[[Faces, np.random.Generator], Faces]] = MappingProxyType(
    {
        Fault.NOISE: _noisy,
        Fault.AGE: _older,
        Fault.RECALL: _missed,
        Fault.SPACES: _mixed,
        Fault.MONTH: _none,
        Fault.DOUBLE: _twice,
    }
)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit
