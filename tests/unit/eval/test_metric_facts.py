"""Facts of a month become counts once each, and churn is what eval.truth.count_changed calls it."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import METRICS
from eval.metrics.agreement import count_agreement
from eval.metrics.facts import Count, FaceGroup, LabelFacts, MonthFacts, Part, PersonFacts, count_churn, count_month
from eval.metrics.slices import AGE_EDGES, AGES, age_slice, child_slices, size_slice
from eval.truth import bcubed, count_changed
from facealbum.domain.ids import FaceId, PersonId

FACTS = MonthFacts(
    has_children=True,
    faces=(
        FaceGroup(("age:0-2", "gender:female"), faces=10, assigned=8, linked=5),
        FaceGroup(("age:20+", "gender:female"), faces=6, assigned=6, linked=0),
    ),
    persons=(PersonFacts(("age:0-2", "gender:female"), faces=20, spread=0.5), PersonFacts((), faces=1, spread=0)),
    labels=(
        LabelFacts(("age:0-2",), mixing=True, disappearance=False, splitting=True),
        LabelFacts((), mixing=False, disappearance=False, splitting=False),
    ),
    parts={"waiting": Part(3, 24), "churn": Part(0, 0)},
)
COUNTS = {(one.metric, one.slice): (one.total, one.cases) for one in count_month(FACTS)}

assigned = st.dictionaries(
    st.integers(0, 30).map(lambda number: FaceId(UUID(int=number))),
    st.integers(100, 105).map(lambda number: PersonId(UUID(int=number))),
    min_size=1,
)


@pytest.mark.parametrize(
    ("metric", "part", "total", "cases"),
    [
        ("coverage", "", 14, 16),
        ("coverage", "gender:female", 14, 16),
        ("coverage", "age:0-2", 8, 10),
        ("association", "", 5, 16),
        ("cluster_size", "", 21, 2),
        ("age_spread", "", 10, 20),
        ("breakage", "", 1, 2),
        ("mixing", "age:0-2", 1, 1),
        ("disappearance", "", 0, 2),
        ("splitting", "", 1, 2),
        ("waiting", "", 3, 24),
    ],
)
def test_each_fact_counts_once_in_all_and_once_in_its_slices(metric: str, part: str, total: int, cases: int) -> None:
    assert COUNTS[metric, part] == (total, cases)


def test_what_has_no_case_has_no_row_and_every_row_has_a_metric() -> None:
    assert ("churn", "") not in COUNTS
    assert {metric for metric, _ in COUNTS} <= METRICS.keys()


def test_families_without_children_have_no_association() -> None:
    assert not [one for one in count_month(MonthFacts(has_children=False, faces=FACTS.faces)) if "assoc" in one.metric]


@given(assigned, st.randoms(use_true_random=False))
def test_churn_counts_the_faces_whose_companions_changed(before: dict[FaceId, PersonId], random: object) -> None:
    after = dict(before)
    for face in before:
        if random.random() < 0.2:  # type: ignore[attr-defined]
            after[face] = PersonId(UUID(int=random.randint(100, 106)))  # type: ignore[attr-defined]
    found = count_churn(companies(before), companies(after), {})
    assert found.cases == len(before)
    assert found.total >= count_changed(before, after, before)
    assert (found.total == 0) == (count_changed(before, after, before) == 0 and before == after)


def companies(person_of: dict[FaceId, PersonId]) -> dict[PersonId, tuple[int, Decimal]]:
    found: dict[PersonId, tuple[int, Decimal]] = {}
    for face, person in person_of.items():
        faces, mark = found.get(person, (0, Decimal(0)))
        found[person] = faces + 1, mark + Decimal(2**face.int)
    return found


def test_persons_that_a_run_merged_for_a_recorded_reason_are_no_churn() -> None:
    a, b, c = (PersonId(UUID(int=number)) for number in (1, 2, 3))
    before = {a: (3, Decimal(7)), b: (2, Decimal(24)), c: (1, Decimal(32))}
    after = {b: (5, Decimal(31)), c: (1, Decimal(32))}
    assert count_churn(before, after, {a: b}) == Part(0, 6)
    assert count_churn(before, after, {}) == Part(5, 6)


@given(assigned, st.randoms(use_true_random=False))
def test_agreement_is_what_the_scores_are_made_of(person_of: dict[FaceId, PersonId], random: object) -> None:
    members = {face: random.choice("ab") for face in person_of}  # type: ignore[attr-defined]
    value = {one.metric: one.total / one.cases for one in count_agreement(person_of, members)}
    scores = bcubed(person_of, members)
    assert (value["bcubed_precision"], value["bcubed_recall"]) == pytest.approx((scores.precision, scores.recall))


def test_pairwise_counts_pairs() -> None:
    p, q = PersonId(UUID(int=1)), PersonId(UUID(int=2))
    person_of = {FaceId(UUID(int=number)): person for number, person in enumerate([p, p, p, q, q])}
    members = dict(zip(person_of, "aabba", strict=True))
    found = {one.metric: one for one in count_agreement(person_of, members)}
    assert found["pairwise_precision"] == Count("pairwise_precision", "", 1, 4)
    assert found["pairwise_recall"] == Count("pairwise_recall", "", 1, 4)


def test_bands_meet_without_gap() -> None:
    assert [age_slice(edge) for edge in (0, *AGE_EDGES)] == list(AGES)
    assert [age_slice(edge - 0.001) for edge in AGE_EDGES] == list(AGES[:-1])
    assert child_slices(2.9, "unknown") == ("age:0-2", "gender:unknown")
    assert [size_slice(children) for children in (0, 2, 3, 4, 9)] == [
        "size:0",
        "size:2",
        "size:3-4",
        "size:3-4",
        "size:5+",
    ]
