"""The operating curve of the gate, in short."""

from eval.fairness.gate import Verdict
from eval.fairness.study import ChildFace, operate, plant


def test_what_changes_by_chance_alone_hardly_ever_fails_and_a_tenth_of_the_babies_lost_does() -> None:
    assert operate(300, lost=0.0, trials=60, seed=2)[Verdict.FAIL] <= 0.07
    assert operate(300, lost=0.1, trials=20, seed=2)[Verdict.FAIL] == 1


def test_babies_that_are_lost_fail_in_an_album_whose_other_faces_are_as_they_were() -> None:
    slices = (("", "age:0-2"), ("", "age:3-6"))
    faces = [ChildFace(f"F{number % 12}", slices[number % 7 == 0], True, True) for number in range(600)]
    assert plant(faces, every=3).startswith("fail; a slice gets worse: age:0-2")
    assert plant(faces, every=0).startswith("unknown"), "twelve families say little"
