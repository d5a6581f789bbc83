"""The study of review: a truthful reviewer brings families to an end, and the product's word holds."""

import pytest

from eval.review_study import Curve, Family, review_all, simulated
from tests.unit.review.small_family import small


@pytest.fixture(scope="module")
def curve() -> Curve:
    """A family of half a year, reviewed to the end."""
    households, members = simulated(1, months=6)
    return review_all([Family.of(one) for one in households], members, "settles", errs=0.0, most=150)


def test_a_truthful_reviewer_settles_nearly_all_and_asks_nothing_impossible(curve: Curve) -> None:
    labelled, right, settled, both = curve.tallies[-1].counts.sum(axis=0)
    assert curve.impossible == 0
    assert settled >= 0.95 * labelled
    assert both >= 0.99 * settled
    assert right >= curve.tallies[0].counts.sum(axis=0)[1]


def test_a_face_is_right_with_the_person_that_holds_most_of_whom_it_shows() -> None:
    drawn = small({0: [{0: 0.8}] * 4, 1: [{0: 0.8}] * 2, 2: [{1: 0.8}] * 3}, waiting=[{2: 0.8}])
    faces = [one.face_id for one in drawn.faces]
    whom = ["ann", "ann", "ann", "ben", "ann", "ann", "ben", "ben", "ben", "eve"]
    family = Family(next(iter(drawn.album.persons)), drawn.faces, drawn.album)  # type: ignore[arg-type]
    right = family.right(dict(zip(faces, whom, strict=True)))
    assert right == {*faces[:3], *faces[6:]}
