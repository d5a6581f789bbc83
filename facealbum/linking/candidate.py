"""One person before the children: how probable each of them is, and how that reads in a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, log

from facealbum.domain.ids import ChildId, PersonId
from facealbum.domain.people import Child
from facealbum.linking.evidence import PersonEvidence
from facealbum.linking.likelihood import Judge
from facealbum.linking.parameters import LinkParameters
from facealbum.linking.plan import Link, OpenPerson, OpenReason

_DIGITS = 6  # of a probability: finer differences mean nothing and are ties


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A person with what was found of it.

    possible: the children that nothing rules out, with the log of prior times likelihood, by id.
    somebody_else: the same for everybody who is not registered.
    """

    evidence: PersonEvidence
    judge: Judge | None
    possible: tuple[tuple[Child, float], ...]
    somebody_else: float

    @property
    def person_id(self) -> PersonId:
        """Whom it is about."""
        return self.evidence.person_id

    def probabilities(self, *, without: frozenset[ChildId] = frozenset()) -> dict[ChildId, float]:
        """Of each possible child that is not in `without`, likeliest first."""
        left = {child.child_id: score for child, score in self.possible if child.child_id not in without}
        top = max([*left.values(), self.somebody_else])
        total = fsum([*(exp(score - top) for score in left.values()), exp(self.somebody_else - top)])
        shares = {child: round(exp(score - top) / total, _DIGITS) for child, score in left.items()}
        return dict(sorted(shares.items(), key=lambda share: (-share[1], share[0])))

    def link_to(self, child: Child, *, taken: frozenset[ChildId]) -> Link:
        """The link to this child, with its evidence; `taken` are the children of those whom the person meets."""
        return Link(
            person_id=self.person_id,
            child_id=child.child_id,
            probability=self.probabilities(without=taken - {child.child_id}).get(child.child_id, 0.0),
            faces=len(self.evidence.faces),
            age_error=round(self.judge.age_error(child), _DIGITS) if self.judge else 0.0,
            p_female=round(self.judge.p_female, _DIGITS) if self.judge else 0.5,
            kept=self.evidence.linked == child.child_id,
        )

    def left_open(self, *, taken: frozenset[ChildId], parameters: LinkParameters) -> OpenPerson:
        """Why the person is linked to nobody; `taken` are the children of those whom it meets."""
        free, every = self.probabilities(without=taken), self.probabilities()
        best, probability = next(iter(free.items()), (None, 0.0))
        wanted, chance = next(iter(every.items()), (None, 0.0))
        registered = fsum(free.values())
        if self.judge is None:
            reason = OpenReason.NO_FACES
        elif wanted in taken and chance >= parameters.threshold:
            reason, best, probability = OpenReason.TAKEN, wanted, chance
        elif registered < 1 / 2:
            reason = OpenReason.SOMEBODY_ELSE
        elif probability < parameters.threshold <= registered:
            reason = OpenReason.AMBIGUOUS
        else:
            reason = OpenReason.UNSURE
        return OpenPerson(self.person_id, reason, best, probability)


def weigh(evidence: PersonEvidence, children: Sequence[Child], parameters: LinkParameters) -> Candidate:
    """Compare a person with every registered child and with somebody else."""
    rest = log(1 - parameters.prior_registered)
    if not evidence.faces:
        return Candidate(evidence, None, (), rest)
    judge = Judge(evidence.faces, parameters)
    prior = log(parameters.prior_registered / max(1, len(children)))
    possible = tuple(
        (child, prior + judge.child(child))
        for child in sorted(children, key=lambda child: child.child_id)
        if child.child_id not in evidence.rejected_children and not judge.rules_out(child)
    )
    return Candidate(evidence, judge, possible, rest + judge.somebody_else())
