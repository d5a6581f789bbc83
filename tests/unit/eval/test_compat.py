"""How a change of embedding space is measured: a turned space fails, one that an exact map turns back passes."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eval.compat import CompatReport, FamilyFaces, FamilyMeasures, Limits, Reading, compare, measure_family
from facealbum.clustering import Observation
from facealbum.domain.ids import FaceId, FamilyId, PersonId, PhotoId
from facealbum.errors import InvalidValueError

SPACE = UUID("6d2bd2b5-3a4c-4d3e-8f21-9d1c1c1f4e11")
START = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = 512

Vectors = NDArray[np.float32]


def unit(vectors: NDArray[np.float64]) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def turn(seed: int = 9) -> Vectors:
    """A random orthogonal map."""
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((SIZE, SIZE)))[0].astype(np.float32)


TURN = turn()


def family(number: int, *, persons: int = 3, faces: int = 6, noise: float = 0.7) -> FamilyFaces:
    """Everybody alone in each photo; the new space is the old one."""
    draw = np.random.default_rng(number)
    centres = unit(draw.standard_normal((persons, SIZE)))
    spread = draw.standard_normal((persons * faces, SIZE)) * noise / np.sqrt(SIZE)
    vectors = unit(np.tile(centres, (faces, 1)) + spread)
    key = uuid5(SPACE, str(number))
    observations = tuple(
        Observation(
            FaceId(uuid5(key, f"face {row}")),
            PhotoId(uuid5(key, f"photo {row}")),
            START + timedelta(days=row),
            0.9,
            0.0,
            100.0,
            vector,
        )
        for row, vector in enumerate(vectors)
    )
    who = tuple(PersonId(uuid5(key, f"person {row % persons}")) for row in range(len(vectors)))
    return FamilyFaces(FamilyId(key), observations, who, vectors, vectors)


def changed(one: FamilyFaces, *, new: Vectors, stored: Vectors) -> FamilyFaces:
    return FamilyFaces(one.family_id, one.observations, one.persons, new, stored)


def measured(one: FamilyFaces) -> FamilyMeasures:
    return measure_family(one, Reading(), Reading())


def report(*families: FamilyFaces, judged_from: int = 10) -> CompatReport:
    return compare(map(measured, families), source="old", target="new", limits=Limits(families=judged_from))


def failed(found: CompatReport) -> set[str]:
    return {check.key for check in found.checks if not check.passed}


def test_a_space_is_as_good_as_itself() -> None:
    found = report(*(family(number) for number in range(12)))
    assert found.passed
    assert found.hit_rates["far_1"]["cross"] == found.hit_rates["far_1"]["old"]
    assert found.neighbours["new"].value == found.neighbours["mixed"].value == 1
    assert (found.centroids.value, found.centroids.cases) == (1, 36)
    assert found.shift.value == pytest.approx(0, abs=0.1)
    assert found.broken["mixed"] == found.broken["old"]
    assert (found.families, found.faces, found.persons) == (12, 216, 36)


def test_vectors_of_two_spaces_side_by_side_fail_everything() -> None:
    found = report(*(changed(one, new=one.new @ TURN, stored=one.old) for one in map(family, range(12))))
    assert failed(found) == {"hit_rate", "neighbours", "centroids", "broken"}
    assert found.hit_rates["far_1"]["new"] == found.hit_rates["far_1"]["old"]
    assert found.shift.value == pytest.approx(90, abs=5)


def test_an_adapter_that_turns_the_old_space_onto_the_new_one_passes() -> None:
    found = report(*(changed(one, new=one.new @ TURN, stored=one.old @ TURN) for one in map(family, range(12))))
    assert found.passed


def test_the_worse_end_of_the_interval_is_judged_where_there_are_families_enough() -> None:
    some = [family(number, noise=1.6) for number in range(12)]
    worse = [
        changed(
            one, new=unit(one.new + 0.4 * np.random.default_rng(7).standard_normal(one.new.shape) / 16), stored=one.old
        )
        for one in some
    ]
    many, few = report(*worse), report(*worse, judged_from=13)
    for check, alone in zip(many.checks, few.checks, strict=True):
        assert check.value == alone.value
        assert (alone.low, alone.high) == (None, None)
        assert check.low is not None
        assert check.high is not None
        assert check.low <= check.value <= check.high


def test_where_nobody_is_known_nobody_can_be_lost() -> None:
    one = family(0)
    nobody = FamilyFaces(one.family_id, one.observations, (None,) * len(one.persons), one.new @ TURN, one.new @ TURN)
    found = report(nobody)
    assert found.passed
    assert [check.cases for check in found.checks if check.key != "neighbours"] == [0, 0, 0]
    assert compare([], source="old", target="new").passed


def test_a_rate_that_too_few_pairs_can_show_is_not_shown() -> None:
    found = report(family(0, persons=2, faces=3))
    assert found.false_pairs == 9
    assert found.hit_rates["far_1"]["old"].value is None


def test_a_report_is_plain_json() -> None:
    plain = report(family(0), family(1)).to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["passed"] is True
    assert {check["key"] for check in plain["checks"]} == {"hit_rate", "neighbours", "centroids", "broken"}


def test_every_face_needs_its_vectors() -> None:
    one = family(0)
    with pytest.raises(InvalidValueError, match="18 faces"):
        changed(one, new=one.new[1:], stored=one.stored)


@settings(max_examples=15)
@given(st.integers(0, 5), st.permutations(range(8)))
def test_the_order_of_faces_does_not_matter(number: int, order: list[int]) -> None:
    one = family(number, persons=2, faces=4)
    one = changed(one, new=one.new @ TURN, stored=one.old)
    other = FamilyFaces(
        one.family_id,
        tuple(one.observations[row] for row in order),
        tuple(one.persons[row] for row in order),
        one.new[order],
        one.stored[order],
    )
    first, second = measured(one), measured(other)
    for name in FamilyMeasures.__dataclass_fields__:
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


def test_hit_rates_equal_those_of_sorted_pairs() -> None:
    some = [family(number, noise=2.5) for number in range(8)]
    similarities, same = [], []
    for one in some:
        for i, j in zip(*np.triu_indices(len(one.persons), 1), strict=True):
            similarities.append(float(one.old[i] @ one.old[j]))
            same.append(one.persons[i] == one.persons[j])
    scores, labels = np.array(similarities), np.array(same)
    others = np.sort(scores[~labels])[::-1]
    threshold = others[int(0.01 * len(others))]
    found = report(*some).hit_rates["far_1"]["old"]
    assert found.value == pytest.approx((scores[labels] > threshold).mean(), abs=0.02)
    assert found.low <= found.value <= found.high
    assert found.cases == labels.sum()


def test_a_worked_example() -> None:
    """Two people in three photos each; the new model confuses them in the last photos, so a centroid moves."""
    one = family(3, persons=2, faces=3, noise=0.2)
    swapped = one.new.copy()
    swapped[2:] = one.new[[3, 2, 5, 4]]
    found = measured(changed(one, new=swapped, stored=one.old))
    assert found.centroids.tolist() == [0, 2]
    assert found.pairs.sum(axis=2).tolist() == [[9, 6]] * 3
    assert found.neighbours_new.tolist() == [0, 0]
    assert found.broken[0, 0].tolist() == [0, 2]
