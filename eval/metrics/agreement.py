"""Counts of agreement with the truth, family by family: B-cubed and pairwise, where it is known who is who."""

from collections import Counter
from collections.abc import Hashable, Mapping
from math import comb

from eval.metrics.facts import Count
from eval.metrics.slices import EVERYTHING
from facealbum.domain.ids import FaceId, PersonId


def count_agreement(person_of: Mapping[FaceId, PersonId], members: Mapping[FaceId, str]) -> tuple[Count, ...]:
    """One family's counts of B-cubed (Bagga and Baldwin 1998) and pairwise precision and recall.

    members: who each face really shows; faces without are left out.  A face without a person is alone in its group.
    """
    group: dict[FaceId, Hashable] = {face: person_of.get(face, face) for face in members}
    of_group, of_member = Counter(group.values()), Counter(members.values())
    both = Counter((group[face], member) for face, member in members.items())
    right = sum(comb(count, 2) for count in both.values())
    found = (
        ("bcubed_precision", sum(count**2 / of_group[one] for (one, _), count in both.items()), len(members)),
        ("bcubed_recall", sum(count**2 / of_member[one] for (_, one), count in both.items()), len(members)),
        ("pairwise_precision", right, sum(comb(count, 2) for count in of_group.values())),
        ("pairwise_recall", right, sum(comb(count, 2) for count in of_member.values())),
    )
    return tuple(Count(metric, EVERYTHING, total, cases) for metric, total, cases in found if cases)
