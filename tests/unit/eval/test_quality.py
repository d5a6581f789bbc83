"""How quality is judged: by matches with good faces of the same person, and by the errors left when the worst go."""

from pathlib import Path

import numpy as np
import pytest

from eval.attributes import calibration_error, error_by_chance, interval
from eval.faults import FAULTS, Fault, cut_out
from eval.quality import error_after_rejecting, judge
from eval.worse_faces import Seen, Truth
from facealbum.domain.faces import Box

RNG = np.random.default_rng(8)
PEOPLE = np.linalg.qr(RNG.normal(size=(512, 30)))[0].T


def seen(person: int, photo: str, *, fault: str = "", good: bool = True, years: float = 0.0) -> Seen:
    """A face that shows its person exactly, or nobody at all if it has a fault."""
    truth = Truth("made", Path(photo), f"family {person}", f"person {person}", years, (0.0, 0.0))
    vector = RNG.normal(size=512) if fault else PEOPLE[person]
    return Seen(truth, fault, good, np.ones(4), (vector / np.linalg.norm(vector)).astype(np.float32))


def test_a_face_matches_what_shows_its_person_and_a_spoilt_one_does_not() -> None:
    faces = [seen(person, f"{person} {number}") for person in range(30) for number in range(2)]
    judged = judge([*faces, seen(0, "0 0", fault="dark")])
    assert judged.matches.tolist() == [1.0] * 60 + [0.0]


def test_only_good_faces_of_other_photos_and_of_about_the_same_age_are_matched() -> None:
    others = [seen(person, f"{person} {number}") for person in range(1, 30) for number in range(2)]
    alone = [seen(0, "a"), seen(0, "b", good=False), seen(0, "c", years=20.0)]
    judged = judge([*others, *alone])
    assert (judged.family == "made family 0").sum() == 1  # only "b" has somebody to match: "a"


def test_leaving_out_the_worst_first_leaves_fewer_errors() -> None:
    matches = np.repeat([0.0, 1.0], [25, 75])
    assert error_after_rejecting(matches, matches)[[0, 25]].tolist() == [0.25, 0.0]
    assert error_after_rejecting(-matches, matches)[25] > 0.25


def test_calibration_error_is_the_distance_of_what_was_said_from_what_happened() -> None:
    happened = np.tile([0.0, 1.0], 400)
    assert calibration_error(np.full(800, 0.5), happened) == pytest.approx(0, abs=0.01)
    assert calibration_error(np.full(800, 0.9), happened) == pytest.approx(0.4, abs=0.01)
    assert error_by_chance(np.full(80, 0.5)) > error_by_chance(np.full(8000, 0.5)) > 0


def test_an_interval_draws_subjects_and_not_faces() -> None:
    values = np.repeat([0.0, 1.0], 50)
    by_face, by_subject = (interval(values, names) for names in ([str(n) for n in range(100)], ["a"] * 50 + ["b"] * 50))
    assert by_subject[1] - by_subject[0] > 3 * (by_face[1] - by_face[0])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_the_picture_in_the_same_way_every_time(fault: Fault) -> None:
    picture = cut_out(RNG.integers(0, 255, (300, 300, 3), np.uint8), Box(100, 100, 200, 200))
    worse, again = (fault(picture, np.random.default_rng(1)) for _ in range(2))
    assert worse.dtype == np.uint8
    assert worse.tobytes() == again.tobytes() != picture.tobytes()
