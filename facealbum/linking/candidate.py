"""One person before the children: how probable each of them is by its own faces, and how that reads in a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, log

from facealbum.domain.ids import ChildId, PersonId
from facealbum.domain.people import Child
from facealbum.linking.attribution import attribute
from facealbum.linking.evidence import PersonEvidence
from facealbum.linking.labelling import Shares, shares
from facealbum.linking.likelihood import Judge
from facealbum.linking.parameters import LinkParameters
from facealbum.linking.plan import Link, OpenPerson, OpenReason

_DIGITS = 6  # of a probability: finer differences mean nothing and are ties


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A person with what was found of it.

    odds: of the children that nothing rules out, the log odds against everybody who is not registered.
    """

    evidence: PersonEvidence
    judge: Judge | None
    odds: Mapping[ChildId, float]

    @property
    def person_id(self) -> PersonId:
        """Whom it is about."""
        return self.evidence.person_id

    def free(self, taken: frozenset[ChildId]) -> dict[ChildId, float]:
        """The odds of the children that are not those of persons whom this one meets."""
        return {child: value for child, value in self.odds.items() if child not in taken}

    def link_to(self, child: Child, children: Sequence[Child], seen: Shares, parameters: LinkParameters) -> Link:
        """The link to one of the children, with its evidence; seen: how probable each is beside the other persons."""
        identity = child.child_id
        return Link(
            person_id=self.person_id,
            child_id=identity,
            probability=round(seen.get(identity, 0.0), _DIGITS),
            faces=len(self.evidence.faces),
            age_error=round(self.judge.age_error(child), _DIGITS) if self.judge else 0.0,
            p_female=round(self.judge.p_female, _DIGITS) if self.judge else 0.5,
            kept=self.evidence.linked == identity,
            inputs=attribute(self.judge, identity, children, prior=_prior(parameters), left=self.odds, seen=seen)
            if self.judge
            else None,
        )

    def left_open(
        self, among_all: Mapping[ChildId, float], *, taken: frozenset[ChildId], parameters: LinkParameters
    ) -> OpenPerson:
        """Why the person is linked to nobody.

        among_all: probability of each child beside the other persons, likeliest first.  taken: the children of
        those whom it meets.
        """
        alone = likeliest_first(shares(self.odds))
        wanted, chance = next(iter(alone.items()), (None, 0.0))
        best, probability = next(iter(among_all.items()), (None, 0.0))
        registered = fsum(among_all.values())
        contested = chance >= parameters.threshold > probability
        if self.judge is None:
            reason = OpenReason.NO_FACES
        elif contested and wanted in taken:
            reason, best, probability = OpenReason.TAKEN, wanted, chance
        elif contested or probability < parameters.threshold <= registered:
            reason = OpenReason.AMBIGUOUS
        elif registered < 1 / 2:
            reason = OpenReason.SOMEBODY_ELSE
        else:
            reason = OpenReason.UNSURE
        return OpenPerson(self.person_id, reason, best, probability)


def likeliest_first(probabilities: Mapping[ChildId | None, float]) -> dict[ChildId, float]:
    """The children's, rounded, highest first, ties by id."""
    rounded = {child: round(value, _DIGITS) for child, value in probabilities.items() if child is not None}
    return dict(sorted(rounded.items(), key=lambda share: (-share[1], share[0])))


def _prior(parameters: LinkParameters) -> float:
    """Log odds of each child against nobody registered, before faces are looked at."""
    return log(parameters.prior_child / (1 - parameters.prior_child))


def weigh(evidence: PersonEvidence, children: Sequence[Child], parameters: LinkParameters) -> Candidate:
    """Compare a person with every registered child and with somebody else."""
    if not evidence.faces:
        return Candidate(evidence, None, {})
    judge = Judge(evidence.faces, parameters)
    against = _prior(parameters) - judge.somebody_else()
    odds = {
        child.child_id: against + judge.child(child)
        for child in sorted(children, key=lambda child: child.child_id)
        if child.child_id not in evidence.rejected_children and not judge.rules_out(child)
    }
    return Candidate(evidence, judge, odds)
