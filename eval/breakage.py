"""How well breakage, which needs no labels, bounds accuracy, where the truth is known.

A pseudo-label is the person of faces that take part in a month's run as nodes.  By the truth it is mixed if it holds
another member's faces, at least two and a tenth; split if another person shows more of the same member; else right.
These are the thresholds of breakage itself, so both speak of the same faults.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from eval.truth import Members, PersonOf
from facealbum.clustering import BreakageThresholds, LabelBreakage
from facealbum.domain.ids import PersonId


class Fault(StrEnum):
    """What is wrong with a pseudo-label by the truth."""

    NONE = "right"
    MIXED = "mixed"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class JudgedLabel:
    """A pseudo-label: what became of it in the unpinned clustering, and what is true of it.

    faces: how many of its person's faces have a true member.  right: how many of these show the member that most
    do, if no other person shows more of that member; else 0.
    """

    broken: LabelBreakage
    fault: Fault
    faces: int
    right: int


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The labels of some runs together: 1 - breakage beside accuracy, by labels and by their faces."""

    labels: Sequence[JudgedLabel]

    @property
    def bound(self) -> float:
        """1 - breakage rate."""
        return 1 - sum(one.broken.broken for one in self.labels) / len(self.labels)

    @property
    def accuracy(self) -> float:
        """The share of labels that are right."""
        return sum(one.fault is Fault.NONE for one in self.labels) / len(self.labels)

    @property
    def face_accuracy(self) -> float:
        """The share of their faces that are with the right person."""
        return sum(one.right for one in self.labels) / sum(one.faces for one in self.labels)

    @property
    def violated(self) -> bool:
        """Whether accuracy by labels is above the bound: fewer labels are wrong than broke."""
        wrong = sum(one.fault is not Fault.NONE for one in self.labels)
        return wrong < sum(one.broken.broken for one in self.labels)

    def false_alarms(self) -> Counter[str]:
        """How the labels broke that are right."""
        kinds: Counter[str] = Counter()
        for one in self.labels:
            if one.broken.broken and one.fault is Fault.NONE:
                kinds[kind_of(one.broken)] += 1
        return kinds


def kind_of(label: LabelBreakage) -> str:
    """The kinds in which a label broke, joined by "+"."""
    kinds = {"mixing": label.mixing, "disappearance": label.disappearance, "splitting": label.splitting}
    return "+".join(kind for kind, happened in kinds.items() if happened)


_DEFAULT = BreakageThresholds()


def judge_labels(
    labels: Iterable[LabelBreakage],
    person_of: PersonOf,
    members: Members,
    thresholds: BreakageThresholds = _DEFAULT,
) -> tuple[JudgedLabel, ...]:
    """The labels of a month's runs by the truth; `person_of` as it was before them.

    Labels none of whose faces have a member are left out.
    """
    holds: dict[PersonId, Counter[str]] = defaultdict(Counter)
    for face, person in person_of.items():
        if face in members:
            holds[person][members[face]] += 1
    main: dict[PersonId, tuple[str, int]] = {}
    largest: dict[str, tuple[int, PersonId]] = {}
    for person, inside in holds.items():
        member, count = min(inside.items(), key=lambda item: (-item[1], item[0]))
        main[person] = member, count
        largest[member] = max(largest.get(member, (0, person)), (count, person))
    return tuple(
        _judge(
            label, holds[label.person_id], leads=largest[main[label.person_id][0]][1] == label.person_id, by=thresholds
        )
        for label in labels
        if label.person_id in holds
    )


def _judge(label: LabelBreakage, inside: Counter[str], *, leads: bool, by: BreakageThresholds) -> JudgedLabel:
    (_, own), *others = inside.most_common(2)
    strangers = others[0][1] if others else 0
    if strangers >= max(by.min_nodes, by.mixing_share * inside.total()):
        fault = Fault.MIXED
    else:
        fault = Fault.NONE if leads else Fault.SPLIT
    return JudgedLabel(label, fault, inside.total(), own if leads else 0)
