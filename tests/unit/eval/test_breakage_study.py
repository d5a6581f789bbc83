"""Pseudo-labels judged by the truth, with the thresholds of breakage."""

from uuid import UUID

from eval.breakage import Ceiling, Fault, JudgedLabel, judge_labels, kind_of
from facealbum.clustering import LabelBreakage
from facealbum.domain.ids import FaceId, PersonId


def judge(**people: str) -> dict[str, JudgedLabel]:
    """The labels of persons whose faces show these members, a letter a face."""
    ids = {name: PersonId(UUID(int=number)) for number, name in enumerate(people)}
    faces = [(name, member) for name, shown in people.items() for member in shown]
    person_of = {FaceId(UUID(int=n)): ids[name] for n, (name, _) in enumerate(faces)}
    members = {FaceId(UUID(int=n)): member for n, (_, member) in enumerate(faces)}
    labels = [LabelBreakage(ids[name], len(shown), False, False, False, ()) for name, shown in people.items()]
    found = {one.broken.person_id: one for one in judge_labels(labels, person_of, members)}
    return {name: found[identity] for name, identity in ids.items()}


def test_one_stray_face_does_not_make_a_label_wrong_but_two_and_a_tenth_do() -> None:
    assert judge(one="aaab")["one"].fault is Fault.NONE
    assert judge(one="aaabb")["one"].fault is Fault.MIXED
    assert judge(one="a" * 30 + "bb")["one"].fault is Fault.NONE


def test_of_two_persons_that_show_one_member_the_smaller_is_wrong() -> None:
    found = judge(one="aaa", other="aa")
    assert (found["one"].fault, found["one"].right) == (Fault.NONE, 3)
    assert (found["other"].fault, found["other"].right) == (Fault.SPLIT, 0)


def test_accuracy_above_the_bound_is_a_violation_and_its_kind_is_told() -> None:
    broken = LabelBreakage(PersonId(UUID(int=1)), 2, False, True, True, (1, 1))
    whole = LabelBreakage(PersonId(UUID(int=2)), 2, False, False, False, (2,))
    ceiling = Ceiling([JudgedLabel(broken, Fault.NONE, 2, 2), JudgedLabel(whole, Fault.MIXED, 4, 2)])
    assert (ceiling.bound, ceiling.accuracy, ceiling.face_accuracy) == (0.5, 0.5, 4 / 6)
    assert not ceiling.violated
    worse = Ceiling([*ceiling.labels, JudgedLabel(whole, Fault.NONE, 2, 2), JudgedLabel(broken, Fault.NONE, 2, 2)])
    assert worse.violated
    assert worse.false_alarms() == {"disappearance+splitting": 2}
    assert kind_of(broken) == "disappearance+splitting"
