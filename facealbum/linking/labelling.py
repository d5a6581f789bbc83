"""The joint probability of who is which child, when persons who meet can't be the same one.

A labelling gives every person one of its children or nobody.  It is allowed when no two persons who meet share a child,
and as probable as the product of its persons' odds.  `marginals` sums over all allowed labellings exactly, in each
connected component of the persons who meet and might be the same child: by variable elimination, with a second pass
for the share of every person (Lauritzen and Spiegelhalter 1988).  Price: a table over the labels of all persons who
must be looked at together.  Where that passes a bound, the surest person is decided first, by its own faces alone.

Two persons who meet never both have more than one half for the same child, so links above one half never clash.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, prod

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.ids import ChildId, PersonId

Odds = Mapping[ChildId, float]
Shares = dict[ChildId | None, float]
"""How probable each child is, and under None that the person is nobody of them; together 1."""
Meetings = Mapping[PersonId, set[PersonId]]
Table = NDArray[np.float64]

_NEGLIGIBLE = -18.0  # log odds; such a child is less probable than 2e-8, whoever the others are
_LARGEST = 1 << 16  # entries of a table; components in need of more are rare and decided surest first


def shares(odds: Odds) -> Shares:
    """The probability of each child for one person alone; `odds` are logs, against nobody of them."""
    every = with_nobody(odds)
    top = max(every.values())
    total = fsum(exp(value - top) for value in every.values())
    return {child: exp(value - top) / total for child, value in every.items()}


def with_nobody(odds: Odds) -> dict[ChildId | None, float]:
    """The log odds of each child, and of nobody, who is what they are against."""
    return {None: 0.0, **{child: value for child, value in odds.items()}}  # noqa: C416 - another type of key


def marginals(odds: Mapping[PersonId, Odds], meets: Meetings) -> dict[PersonId, Shares]:
    """The probability of each child for each person, over all allowed labellings.

    odds: log odds of each child that a person may be, against nobody of them.  meets: both ways.
    """
    found: dict[PersonId, Shares] = {}
    might = {
        person: {child: value for child, value in sorted(of.items()) if value > _NEGLIGIBLE}
        for person, of in odds.items()
    }
    waiting = _components(might, meets)
    while waiting:
        component = waiting.pop()
        cliques = _eliminate(component)
        if cliques is not None:
            found |= _sum_labellings(component, cliques)
            continue
        person = min(component.odds, key=lambda one: (-_surest(component.odds[one])[0], one))
        found[person] = shares(component.odds[person])
        rest = _decide(component, person)
        waiting += _components(rest, meets)
    return found


@dataclass(frozen=True, slots=True)
class _Component:
    """Persons that are connected by meetings in which they might be the same child."""

    odds: Mapping[PersonId, Odds]
    rivals: Mapping[PersonId, frozenset[PersonId]]


@dataclass(frozen=True, slots=True)
class _Clique:
    """A person, and those who must be looked at together with it once the persons before it are summed out.

    others: in the order in which they are summed out themselves, so the axes of every table are in that order.
    """

    person: PersonId
    others: tuple[PersonId, ...]

    @property
    def scope(self) -> tuple[PersonId, ...]:
        """The axes of its table."""
        return (self.person, *self.others)

    def spread(self, table: Table, scope: Sequence[PersonId]) -> Table:
        """A table over some of the axes, in their order, ready to be multiplied with one over all."""
        sizes = iter(table.shape)
        return table.reshape([next(sizes) if one in scope else 1 for one in self.scope])

    def sum_to(self, table: Table, scope: Sequence[PersonId]) -> Table:
        """The sums of a table over all axes but these."""
        total: Table = table.sum(axis=tuple(place for place, one in enumerate(self.scope) if one not in scope))
        return total


def _components(odds: Mapping[PersonId, Odds], meets: Meetings) -> list[_Component]:
    rivals = {
        person: frozenset(
            other for other in meets.get(person, ()) if other in odds and odds[other].keys() & odds[person].keys()
        )
        for person in odds
    }
    found, seen = [], set[PersonId]()
    for start in sorted(rivals):
        if start in seen:
            continue
        reached, queue = {start}, [start]
        while queue:
            new = rivals[queue.pop()] - reached
            reached |= new
            queue += new
        seen |= reached
        mine = sorted(reached)
        found.append(_Component({one: odds[one] for one in mine}, {one: rivals[one] for one in mine}))
    return found


def _surest(odds: Odds) -> tuple[float, ChildId | None]:
    """What one person alone most probably is."""
    alone = shares(odds)
    nobody = alone.pop(None)
    best = max(alone, key=lambda child: (alone[child], child), default=None)
    return (nobody, None) if best is None or nobody >= alone[best] else (alone[best], best)


def _decide(component: _Component, person: PersonId) -> dict[PersonId, dict[ChildId, float]]:
    """The odds of the others once this person is what it most probably is."""
    _, taken = _surest(component.odds[person])
    return {
        other: {child: v for child, v in of.items() if child != taken or other not in component.rivals[person]}
        for other, of in component.odds.items()
        if other != person
    }


def _eliminate(component: _Component) -> list[_Clique] | None:
    """An order in which to sum the persons out, smallest table first; None if a table would be too large."""
    labels = {person: len(of) + 1 for person, of in component.odds.items()}
    left = {person: set(rivals) for person, rivals in component.rivals.items()}
    order = []
    while left:
        size, person = min((prod((labels[one], *(labels[other] for other in left[one]))), one) for one in left)
        if size > _LARGEST:
            return None
        others = left.pop(person)
        for other in others:
            left[other] |= others
            left[other] -= {person, other}
        order.append((person, others))
    place = {person: number for number, (person, _) in enumerate(order)}
    return [_Clique(person, tuple(sorted(others, key=place.__getitem__))) for person, others in order]


def _sum_labellings(component: _Component, cliques: Sequence[_Clique]) -> dict[PersonId, Shares]:
    """Each person's shares: one pass sums person after person out, a second brings the answer back to each."""
    clique_of = {clique.person: clique for clique in cliques}
    heard: dict[PersonId, list[tuple[Table, _Clique]]] = defaultdict(list)
    tables: dict[PersonId, Table] = {}
    for clique in cliques:
        tables[clique.person] = table = _joint(component, clique, heard[clique.person])
        if clique.others:
            heard[clique.others[0]].append((table.sum(axis=0), clique))
    found: dict[PersonId, Shares] = {}
    for clique in reversed(cliques):
        table = tables[clique.person]
        if clique.others:
            told = clique_of[clique.others[0]]
            answer, said = told.sum_to(tables[told.person], clique.others), table.sum(axis=0)
            table = table * np.divide(answer, said, out=np.zeros_like(said), where=said > 0)
        tables[clique.person] = table = table / table.sum()
        each = clique.sum_to(table, (clique.person,))
        found[clique.person] = dict(zip((None, *component.odds[clique.person]), map(float, each), strict=True))
    return found


def _joint(component: _Component, clique: _Clique, heard: Iterable[tuple[Table, _Clique]]) -> Table:
    """How probable each labelling of the clique is, by this person's odds, its meetings and what it has heard."""
    person, odds = clique.person, component.odds
    alone = np.array([0.0, *odds[person].values()])
    parts: list[tuple[Table, tuple[PersonId, ...]]] = [(np.exp(alone - alone.max()), (person,))]
    parts += [(message, sender.others) for message, sender in heard]
    rivals = [other for other in clique.others if other in component.rivals[person]]
    parts += [(_allowed(odds[person], odds[other]), (person, other)) for other in rivals]
    table = np.ones([len(odds[one]) + 1 for one in clique.scope])
    for part, scope in parts:
        table *= clique.spread(part, scope)
    table /= table.max()
    return table


def _allowed(one: Odds, other: Odds) -> Table:
    """1 where two persons who meet may have these labels together, 0 where they would be the same child."""
    return np.array([[float(a is None or a != b) for b in (None, *other)] for a in (None, *one)])
