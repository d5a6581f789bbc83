"""Registered birth dates that the faces contradict: a child looks some years older, or younger, in all its photos.

Bayes on the shift of a birth date: nearly always none, else any within six years.  The faces of a linked child are
those of its persons.  A child whom nobody is linked to is sought among the persons left open: every way in which these
may be the children without a person counts, and that a registered child is in no photo is improbable.  A doubt is
raised where a shift of one date explains the faces and nothing else does.  It is a question to the family and changes
nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import log, prod

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.ids import ChildId, PersonId
from facealbum.domain.people import Child
from facealbum.linking.evidence import PersonEvidence
from facealbum.linking.likelihood import Judge
from facealbum.linking.parameters import LinkParameters
from facealbum.linking.plan import LinkPlan

Years = NDArray[np.float64]

_STEP = 0.25
_SHIFTS: Years = np.arange(-6, 6 + _STEP, _STEP)
_NONE = len(_SHIFTS) // 2
_WRONG = np.abs(_SHIFTS) >= 1  # a smaller shift can't be told from a child that looks a little older than it is
_WIDEST = 5.0  # years; an interval beyond that is no explanation
_ABSENT = log(0.02)  # a registered child who is in no photo
_UNLIKELY = -4.0  # log odds of a person at the best shift, below which it is not looked at
_MOST_WAYS = 1024
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class BirthDoubt:
    """A child whose faces look as if it was born at another time than registered.

    years: by how much they look older than they should, negative for younger; low, high: 95 % interval of that.
    probability: that the date is wrong by a year or more.  persons: whose faces say so; faces: how many these are.
    linked: whether these persons are linked to the child, or to nobody.
    """

    child_id: ChildId
    years: float
    low: float
    high: float
    probability: float
    persons: tuple[PersonId, ...]
    faces: int
    linked: bool


def doubt_birth_dates(
    persons: Sequence[PersonEvidence], children: Sequence[Child], plan: LinkPlan, parameters: LinkParameters
) -> tuple[BirthDoubt, ...]:
    """The doubts about one family's children, sorted by child; `plan` is what linking said of the same persons."""
    evidence = {person.person_id: person for person in persons if person.faces}
    shown: dict[ChildId, list[PersonEvidence]] = defaultdict(list)
    for link in plan.links:
        if link.person_id in evidence:
            shown[link.child_id].append(evidence[link.person_id])
    ordered = sorted(children, key=lambda child: child.child_id)
    missing = [child for child in ordered if child.child_id not in shown]
    open_persons = [evidence[one.person_id] for one in plan.open if one.person_id in evidence]
    strays = [_Stray(one, _odds(one, missing, parameters)) for one in open_persons]
    alone = [[_linked(child, shown[child.child_id], parameters)] for child in ordered if child not in missing]
    doubts = [doubt for rivals in (*alone, _missing(missing, strays)) for doubt in _judge(rivals, parameters)]
    return tuple(sorted(doubts, key=lambda doubt: doubt.child_id))


@dataclass(frozen=True, slots=True, eq=False)
class _Profile:
    """How well each shift of one child's birth date explains faces, as a log likelihood, and whose they are then."""

    child: Child
    found: Years
    who: tuple[tuple[PersonEvidence, ...], ...]
    linked: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Stray:
    """A person left open, with its log odds of each child without a person at each shift of that child's date."""

    person: PersonEvidence
    odds: Mapping[ChildId, Years]


def _linked(child: Child, persons: Sequence[PersonEvidence], parameters: LinkParameters) -> _Profile:
    judge = Judge([face for person in persons for face in person.faces], parameters)
    return _Profile(child, judge.shifted(child, _SHIFTS), (tuple(persons),) * len(_SHIFTS), linked=True)


def _odds(person: PersonEvidence, missing: Sequence[Child], parameters: LinkParameters) -> dict[ChildId, Years]:
    if len(person.faces) < parameters.min_faces:
        return {}
    judge = Judge(person.faces, parameters)
    against = log(parameters.prior_child / (1 - parameters.prior_child)) - judge.somebody_else()
    found = {child.child_id: against + judge.shifted(child, _SHIFTS) for child in missing}
    return {
        child: odds for child, odds in found.items() if child not in person.rejected_children and odds.max() > _UNLIKELY
    }


def _missing(children: Sequence[Child], strays: Sequence[_Stray]) -> list[_Profile]:
    """Of each child without a person, over all ways in which strays may be these children."""
    ways = list(_ways(strays))
    absent = np.array(
        [[_ABSENT * len({one.child_id for one in children} - {label for _, label in way})] for way in ways]
    )
    found = []
    for child in children:
        odds = absent + np.array(
            [
                sum((one.odds[label][... if label == child.child_id else _NONE] for one, label in way), 0 * _SHIFTS)
                for way in ways
            ]
        )
        who = [
            tuple(one.person for one, label in ways[best] if label == child.child_id) for best in odds.argmax(axis=0)
        ]
        found.append(_Profile(child, np.logaddexp.reduce(odds, axis=0), tuple(who), linked=False))
    return found


def _ways(strays: Sequence[_Stray]) -> Iterator[tuple[tuple[_Stray, ChildId], ...]]:
    """Each way in which no two who meet are one child; of very many strays, those with most faces take part."""
    likely = sorted((one for one in strays if one.odds), key=lambda one: (-len(one.person.faces), one.person.person_id))
    while prod(len(one.odds) + 1 for one in likely) > _MOST_WAYS:
        likely.pop()
    for labels in product(*([None, *one.odds] for one in likely)):
        way = tuple((one, label) for one, label in zip(likely, labels, strict=True) if label is not None)
        if not any(a == b and _meet(one.person, other.person) for (one, a), (other, b) in combinations(way, 2)):
            yield way


def _meet(one: PersonEvidence, other: PersonEvidence) -> bool:
    return other.person_id in one.meets or one.person_id in other.meets


def _judge(rivals: Sequence[_Profile], parameters: LinkParameters) -> Iterator[BirthDoubt]:
    """The doubts about profiles of the same faces: at most one of these dates is taken to be wrong."""
    if not rivals:
        return
    wrong = parameters.prior_wrong_birth
    prior = np.full(len(_SHIFTS), log(wrong / (len(_SHIFTS) - 1)))
    prior[_NONE] = log(1 - wrong)
    scores = np.array([prior + profile.found for profile in rivals])
    scores[1:, _NONE] = -np.inf  # that no date is wrong is one hypothesis, not one for each child
    share = np.exp(scores - scores.max())
    for profile, of_shift in zip(rivals, share / share.sum(), strict=True):
        if of_shift[_WRONG].sum() >= parameters.doubt_threshold:
            doubt = _doubt(profile, np.where(_WRONG, of_shift, 0))
            if doubt.persons and doubt.high - doubt.low <= _WIDEST:
                yield doubt


def _doubt(profile: _Profile, share: Years) -> BirthDoubt:
    """What is to be said of a child, by the probability of each shift of a year or more."""
    probability = float(share.sum())
    low, high = np.searchsorted(share.cumsum(), (0.025 * probability, 0.975 * probability))
    persons = profile.who[int(share.argmax())]
    return BirthDoubt(
        child_id=profile.child.child_id,
        years=round(float(share @ _SHIFTS) / probability, 1),
        low=float(_SHIFTS[low]),
        high=float(_SHIFTS[high]),
        probability=round(probability, _DIGITS),
        persons=tuple(sorted(one.person_id for one in persons)),
        faces=sum(len(one.faces) for one in persons),
        linked=profile.linked,
    )
