"""How a person is suggested to be split."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facealbum.clustering import ClusteringParameters, Constraints, Halves, Observation, halve
from facealbum.clustering import halves as module
from facealbum.domain.ids import FaceId
from tests.unit.corrections.small_album import NOW, face, photo

PARAMETERS, NOTHING = ClusteringParameters(), Constraints()


def seen(number: int, look: list[float], *, shown_in: int | None = None, quality: float = 0.9) -> Observation:
    vector = np.array(look) / np.linalg.norm(look)
    where = photo(number if shown_in is None else shown_in)
    return Observation(face(number), where, NOW, quality, 0.0, 100.0, vector.astype(np.float32))


def numbers(some: tuple[FaceId, ...]) -> list[int]:
    return [one.int for one in some]


def sides(found: Halves | None) -> tuple[list[int], list[int]]:
    assert found is not None
    return numbers(found.stays), numbers(found.leaves)


LOOKS = [[1, 0.1, 0], [1, 0, 0.1], [1, 0.1, 0.1], [0, 1, 0.1], [0.1, 1, 0]]
FACES = [seen(number, look) for number, look in enumerate(LOOKS)]


def test_two_people_are_told_apart_and_the_smaller_side_leaves() -> None:
    found = halve(FACES, PARAMETERS, constraints=NOTHING)
    assert sides(found) == ([0, 1, 2], [3, 4])
    assert found is not None
    across = [float(one.embedding @ other.embedding) for one in FACES[:3] for other in FACES[3:]]
    assert found.similarity == pytest.approx(np.mean(across), abs=1e-3)


def test_faces_that_users_called_one_are_on_one_side() -> None:
    together = Constraints(must_link=frozenset({(face(0), face(3)), (face(3), face(4))}))
    stays, leaves = sides(halve(FACES, PARAMETERS, constraints=together))
    assert {0, 3, 4} <= set(stays) or {0, 3, 4} <= set(leaves)
    everything = Constraints(must_link=frozenset((face(0), face(number)) for number in range(1, 5)))
    assert halve(FACES, PARAMETERS, constraints=everything) is None


def test_faces_of_one_photo_and_those_called_different_are_on_two_sides() -> None:
    twice = [seen(0, [1, 0.1, 0], shown_in=9), seen(1, [1, 0, 0.1], shown_in=9), *FACES[2:3]]
    for found in (
        halve(twice, PARAMETERS, constraints=NOTHING),
        halve(FACES[:3], PARAMETERS, constraints=Constraints(cannot_link=frozenset({(face(0), face(1))}))),
    ):
        _, leaves = sides(found)
        assert (0 in leaves) != (1 in leaves)


def test_a_poor_face_follows_whom_it_resembles() -> None:
    poor = [seen(5, [0.2, 1, 0.3], quality=0.1), seen(6, [1, 0.3, 0.3], quality=0.1)]
    assert sides(halve([*FACES, *poor], PARAMETERS, constraints=NOTHING)) == ([0, 1, 2, 6], [3, 4, 5])


def test_of_many_faces_some_lead_and_the_others_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(3)
    many = [seen(number, list(draw.normal([0, 1, 0] if number % 7 < 3 else [1, 0, 0], 0.1))) for number in range(60)]
    whole = halve(many, PARAMETERS, constraints=NOTHING)
    monkeypatch.setattr(module, "LEADING", 20)
    assert sides(halve(many, PARAMETERS, constraints=NOTHING)) == sides(whole)
    assert sides(whole)[1] == [number for number in range(60) if number % 7 < 3]


looks = st.lists(st.floats(-1, 1), min_size=3, max_size=3).filter(lambda look: np.linalg.norm(look) > 0.1)


@given(
    drawn=st.lists(st.tuples(looks, st.integers(0, 6), st.sampled_from([0.1, 0.9])), min_size=1, max_size=9),
    apart=st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=3),
    together=st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=3),
)
@settings(max_examples=150)
def test_every_face_is_on_one_side_no_word_is_broken_and_order_does_not_matter(
    drawn: list[tuple[list[float], int, float]], apart: set[tuple[int, int]], together: set[tuple[int, int]]
) -> None:
    faces = [seen(number, look, shown_in=where, quality=q) for number, (look, where, q) in enumerate(drawn)]
    told = Constraints(
        must_link=frozenset((face(a), face(b)) for a, b in together if a < b),
        cannot_link=frozenset((face(a), face(b)) for a, b in apart if a < b),
    )
    found = halve(faces, PARAMETERS, constraints=told)
    assert halve(faces[::-1], PARAMETERS, constraints=told) == found
    if found is None:
        return
    ids = {one.face_id for one in faces}
    assert sorted([*found.stays, *found.leaves]) == sorted(ids)
    assert 0 < len(found.leaves) < len(faces)
    left = set(found.leaves)
    if not together:
        barred = {frozenset(pair) for pair in told.cannot_link}
        for one, other in combinations([one for one in faces if one.face_id in left], 2):
            assert one.photo_id != other.photo_id
            assert frozenset((one.face_id, other.face_id)) not in barred
    if not apart:
        assert all((one in left) == (other in left) for one, other in told.must_link if {one, other} <= ids)
