"""Which persons are which registered children.

All persons are judged together: whoever is in a photo with a child is somebody else, which often tells siblings apart.
A link is made where it is probable enough over everything that the others may be; the rest stays open with its reason.
Guarantee: earlier links persist (a confirmed one always, another one unless the person meets somebody with a surer
earlier link to the same child), and the order of persons, faces and children does not matter.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from facealbum.domain.ids import ChildId, PersonId
from facealbum.domain.people import Child
from facealbum.errors import InvalidValueError
from facealbum.linking.candidate import Candidate, likeliest_first, weigh
from facealbum.linking.evidence import PersonEvidence
from facealbum.linking.labelling import Meetings, Shares, marginals, shares
from facealbum.linking.parameters import LinkParameters
from facealbum.linking.plan import LinkPlan, OpenPerson, OpenReason


def plan_links(persons: Sequence[PersonEvidence], children: Sequence[Child], parameters: LinkParameters) -> LinkPlan:
    """The plan for all persons of one family; raises InvalidValueError for a person that is given twice."""
    ordered = sorted(persons, key=lambda person: person.person_id)
    for one, other in pairwise(ordered):
        if one.person_id == other.person_id:
            raise InvalidValueError(f"each person must be given once, with all its faces, got {one.person_id} twice")
    if not children:
        reason = OpenReason.NO_CHILDREN
        return LinkPlan(open=tuple(OpenPerson(person.person_id, reason, None, 0.0) for person in ordered))
    registered = {child.child_id: child for child in children}
    candidates = [weigh(person, children, parameters) for person in ordered]
    meets = _both_ways(ordered)
    earlier = _keep_earlier(candidates, registered, meets)
    together = _judge_together(candidates, earlier, meets)
    probabilities = {person: likeliest_first(of) for person, of in together.items()}
    linked = earlier | _link_the_sure(candidates, earlier, probabilities, parameters)
    return LinkPlan(
        links=tuple(
            one.link_to(registered[child], children, together[one.person_id], parameters)
            for one in candidates
            if (child := linked.get(one.person_id)) is not None
        ),
        open=tuple(
            one.left_open(
                probabilities[one.person_id], taken=_taken(one.person_id, linked, meets), parameters=parameters
            )
            for one in candidates
            if one.person_id not in linked
        ),
    )


def _keep_earlier(
    candidates: Sequence[Candidate],
    registered: Mapping[ChildId, Child],
    meets: Meetings,
) -> dict[PersonId, ChildId]:
    """The earlier links that hold: the confirmed ones first, then the surest."""
    earlier = [
        (not one.evidence.confirmed, -likeliest_first(shares(one.odds)).get(child, 0.0), one.person_id, child)
        for one in candidates
        if (child := one.evidence.linked) is not None
        and child in registered
        and child not in one.evidence.rejected_children
    ]
    linked: dict[PersonId, ChildId] = {}
    for unconfirmed, _, person, child in sorted(earlier):
        if unconfirmed and any(linked.get(other) == child for other in meets[person]):
            continue
        linked[person] = child
    return linked


def _judge_together(
    candidates: Sequence[Candidate], earlier: Mapping[PersonId, ChildId], meets: Meetings
) -> dict[PersonId, Shares]:
    """The probability of each child, and of nobody, for each person, with the earlier links as they are.

    Of a person with such a link: what its own faces say, beside the other earlier links.
    """
    odds = {one.person_id: one.free(_taken(one.person_id, earlier, meets)) for one in candidates}
    found = {person: shares(odds.pop(person)) for person in earlier}
    return found | marginals(odds, meets)


def _link_the_sure(
    candidates: Sequence[Candidate],
    earlier: Mapping[PersonId, ChildId],
    probabilities: Mapping[PersonId, Mapping[ChildId, float]],
    parameters: LinkParameters,
) -> dict[PersonId, ChildId]:
    """The new links; two persons who meet are never both sure of one child, as the threshold is above one half."""
    return {
        one.person_id: child
        for one in candidates
        if one.person_id not in earlier and len(one.evidence.faces) >= parameters.min_faces
        for child, probability in probabilities[one.person_id].items()
        if probability >= parameters.threshold
    }


def _taken(person: PersonId, linked: Mapping[PersonId, ChildId], meets: Meetings) -> frozenset[ChildId]:
    """The children whom the person can't be, because they are in a photo with it as somebody else."""
    return frozenset(linked[other] for other in meets[person] if other in linked)


def _both_ways(persons: Sequence[PersonEvidence]) -> dict[PersonId, set[PersonId]]:
    """Who meets whom; it is enough that one of the two says so."""
    meets: dict[PersonId, set[PersonId]] = defaultdict(set)
    for person in persons:
        for other in person.meets - {person.person_id}:
            meets[person.person_id].add(other)
            meets[other].add(person.person_id)
    return meets
