"""Which persons are which registered children.

The surest link is made first; whoever is in a photo together with that person is somebody else, which often tells
siblings apart.  Guarantee: earlier links persist (a confirmed one always, another one unless the person meets
somebody with a surer earlier link to the same child), and the order of persons, faces and children does not matter.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from facealbum.domain.ids import ChildId, PersonId
from facealbum.domain.people import Child
from facealbum.errors import InvalidValueError
from facealbum.linking.candidate import Candidate, weigh
from facealbum.linking.evidence import PersonEvidence
from facealbum.linking.parameters import LinkParameters
from facealbum.linking.plan import LinkPlan, OpenPerson, OpenReason


def plan_links(persons: Sequence[PersonEvidence], children: Sequence[Child], parameters: LinkParameters) -> LinkPlan:
    """The plan for all persons of one family."""
    ordered = sorted(persons, key=lambda person: person.person_id)
    for one, other in pairwise(ordered):
        if one.person_id == other.person_id:
            raise InvalidValueError(f"each person must be given once, with all its faces, got {one.person_id} twice")
    registered = {child.child_id: child for child in children}
    if not children:
        reason = OpenReason.NO_CHILDREN
        return LinkPlan(open=tuple(OpenPerson(person.person_id, reason, None, 0.0) for person in ordered))
    candidates = [weigh(person, children, parameters) for person in ordered]
    meets = _both_ways(ordered)
    linked = _keep_earlier(candidates, registered, meets)
    _link_surest(candidates, linked, meets, parameters)
    return LinkPlan(
        links=tuple(
            one.link_to(registered[linked[one.person_id]], taken=_taken(one, linked, meets))
            for one in candidates
            if one.person_id in linked
        ),
        open=tuple(
            one.left_open(taken=_taken(one, linked, meets), parameters=parameters)
            for one in candidates
            if one.person_id not in linked
        ),
    )


def _keep_earlier(
    candidates: Sequence[Candidate],
    registered: Mapping[ChildId, Child],
    meets: Mapping[PersonId, set[PersonId]],
) -> dict[PersonId, ChildId]:
    """The earlier links that hold: the confirmed ones first, then the surest."""
    earlier = [
        (not one.evidence.confirmed, -one.probabilities().get(child, 0.0), one.person_id, child)
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


def _link_surest(
    candidates: Sequence[Candidate],
    linked: dict[PersonId, ChildId],
    meets: Mapping[PersonId, set[PersonId]],
    parameters: LinkParameters,
) -> None:
    """Add the surest possible link to `linked` until none is sure enough."""
    waiting = {
        one.person_id: one
        for one in candidates
        if one.person_id not in linked and len(one.evidence.faces) >= parameters.min_faces
    }
    best = {person: _best(one, linked, meets) for person, one in waiting.items()}
    while best:
        person = min(best, key=lambda one: (-best[one][0], one))
        probability, child = best.pop(person)
        if child is None or probability < parameters.threshold:
            return
        linked[person] = child
        for other in meets[person] & best.keys():
            best[other] = _best(waiting[other], linked, meets)


def _best(
    one: Candidate, linked: Mapping[PersonId, ChildId], meets: Mapping[PersonId, set[PersonId]]
) -> tuple[float, ChildId | None]:
    for child, probability in one.probabilities(without=_taken(one, linked, meets)).items():
        return probability, child
    return 0.0, None


def _taken(
    one: Candidate, linked: Mapping[PersonId, ChildId], meets: Mapping[PersonId, set[PersonId]]
) -> frozenset[ChildId]:
    """The children whom the person can't be, because they are in a photo with it as somebody else."""
    return frozenset(linked[other] for other in meets[one.person_id] if other in linked)


def _both_ways(persons: Sequence[PersonEvidence]) -> dict[PersonId, set[PersonId]]:
    """Who meets whom; it is enough that one of the two says so."""
    meets: dict[PersonId, set[PersonId]] = defaultdict(set)
    for person in persons:
        for other in person.meets - {person.person_id}:
            meets[person.person_id].add(other)
            meets[other].add(person.person_id)
    return meets
