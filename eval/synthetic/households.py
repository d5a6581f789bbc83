"""Who is in a simulated family's photos: grandparents, parents, children and visitors.

Times are years since the simulation starts.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from eval.synthetic.directions import Array
from eval.synthetic.parameters import Habits, Looks

_NOBODY = -1
_ELDEST = (0.5, 9.0)  # years before the start that the eldest child is born
_BETWEEN = (1.5, 4.5)  # years between births
_PARENT_AGE = (31.0, 4.5)  # mean and standard deviation at the eldest's birth
_YOUNG_VISITORS = 0.4


class Role(IntEnum):
    """What somebody is to the family."""

    GRANDPARENT = 0
    PARENT = 1
    CHILD = 2
    VISITOR = 3


@dataclass(frozen=True, slots=True, eq=False)
class Household:
    """The people of one family, a row a person; parents come before their children.

    born: years since the start, mostly negative.  mother, father: their rows, -1 where nobody shows them.
    twin: the row of the identical twin that came first, else -1.
    """

    role: NDArray[np.intp]
    born: Array
    female: NDArray[np.bool_]
    mother: NDArray[np.intp]
    father: NDArray[np.intp]
    twin: NDArray[np.intp]
    registered: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.role)


def draw_household(habits: Habits, draw: np.random.Generator) -> Household:
    """One family."""
    eldest = -draw.uniform(*_ELDEST)
    parents = eldest - np.clip(draw.normal(*_PARENT_AGE, 2), 19, 50)
    elders = np.repeat(parents, 2) - np.clip(draw.normal(29, 4, 4), 18, 45)
    births, twins = _births(eldest, habits, draw)
    visitors = _visitors(habits, draw)
    children, first = len(births), 6
    born = np.concatenate([elders, parents, births, visitors])
    role = np.repeat(np.array(Role, np.intp), [4, 2, children, len(visitors)])
    female = np.concatenate([np.tile([True, False], 3), draw.uniform(size=children + len(visitors)) < 1 / 2])
    identical = (twins >= 0) & (draw.uniform(size=children) < habits.identical)
    twin = np.full(len(born), _NOBODY)
    twin[first : first + children][identical] = first + twins[identical]
    female[twin >= 0] = female[twin[twin >= 0]]
    mother, father = np.full(len(born), _NOBODY), np.full(len(born), _NOBODY)
    mother[4:6], father[4:6] = [0, 2], [1, 3]
    mother[role == Role.CHILD], father[role == Role.CHILD] = 4, 5
    registered = (role == Role.CHILD) & (draw.uniform(size=len(born)) < habits.registered)
    return Household(role, born, female, mother, father, twin, registered)


def _births(eldest: float, habits: Habits, draw: np.random.Generator) -> tuple[Array, NDArray[np.intp]]:
    """When the children are born, and for each the number of the sibling that it is a twin of, or -1."""
    count = 1 + int(draw.choice(len(habits.children), p=habits.children))
    gaps = draw.uniform(*_BETWEEN, count)
    twins = np.arange(count) - 1
    together = (draw.uniform(size=count) < habits.twins * 2) & (twins >= 0)
    gaps[together | (twins < 0)] = 0
    return eldest + np.cumsum(gaps), np.where(together, twins, _NOBODY)


def _visitors(habits: Habits, draw: np.random.Generator) -> Array:
    """When friends, cousins and others were born."""
    count = int(draw.poisson(draw.gamma(2, habits.visitors / 2)))
    young = draw.uniform(size=count) < _YOUNG_VISITORS
    return -np.where(young, draw.uniform(0, 10, count), draw.uniform(20, 75, count))


def draw_identities(
    people: Household, ages: Array, looks: Looks, *, likeness: float, draw: np.random.Generator
) -> Array:
    """What each person looks like at each of its ages, float64[n, months, dimensions] of length about 1.

    ages: float64[n, months], rising.  What is inherited and what is one's own are normal directions; identical twins
    share all genes, and the rest correlates by `likeness`.  With age everybody turns away from what it was
    (`Looks.ageing`), an Ornstein-Uhlenbeck process on the clock of growth.
    """
    size = looks.dimensions
    own = draw.standard_normal((len(people), size))
    genes = draw.standard_normal((len(people), size))
    for row in np.flatnonzero(people.mother >= 0):
        parents = (genes[people.mother[row]] + genes[people.father[row]]) / 2
        genes[row] = parents + genes[row] / np.sqrt(2)
    for row in np.flatnonzero(people.twin >= 0):
        genes[row] = genes[people.twin[row]]
        own[row] = likeness * own[people.twin[row]] + np.sqrt(1 - likeness**2) * own[row]
    identity = np.sqrt(looks.heredity) * genes + np.sqrt(1 - looks.heredity) * own
    kept = np.exp(-np.diff(looks.clock(ages), axis=1))
    path = [identity]
    for month in range(kept.shape[1]):
        stays = kept[:, month, None]
        path.append(stays * path[-1] + np.sqrt(1 - stays**2) * draw.standard_normal((len(people), size)))
    identities: Array = np.stack(path, axis=1) / np.sqrt(size)
    return identities
