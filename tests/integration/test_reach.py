"""What is read of a family to decide and to undo: the whole family's rows, the slow oracle, give the same."""

from collections.abc import Callable
from datetime import date
from typing import Any, TypeAlias, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facealbum.corrections import (
    Album,
    Correction,
    Request,
    Signature,
    correct_album,
    plan_correction,
    plan_undo,
)
from facealbum.corrections.anchors import choose_anchors
from facealbum.corrections.decision import CHOICES, NEEDS
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import child_id, decision_id
from facealbum.domain.people import Child, Gender
from facealbum.errors import FacealbumError
from facealbum.review import Census
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.storage.corrections import load_album, load_anchors
from facealbum.storage.database import Transaction
from facealbum.storage.decisions import apply_request, apply_undo, load_records
from facealbum.storage.families import save_child
from facealbum.storage.review import load_census
from tests.conftest import NOW
from tests.integration.album import FAMILY_ID, add, shots
from tests.integration.test_decisions import YEAR

CHILDREN = [Child(child_id(FAMILY_ID, name), name, date(2020, 1, 1), Gender.UNKNOWN) for name in ("Hana", "Ken")]
HOME = 1
Planned = TypeVar("Planned")
Step: TypeAlias = tuple[Kind | None, tuple[int, int, int]]
any_number = st.integers(0, 2**16)
any_kind = st.one_of(st.sampled_from(Kind), st.none())
steps = st.lists(st.tuples(any_kind, st.tuples(any_number, any_number, any_number)), min_size=5, max_size=10)


@pytest.fixture
def told(context: Context) -> Context:
    """Four people under two arms, some of them photographed together, and two registered children."""
    add(context, shots(months=1, a_month=12))
    with context.database.begin() as transaction:
        for one in CHILDREN:
            save_child(transaction, FAMILY_ID, one, now=NOW)
    cluster_families(context, YEAR)
    cluster_families(context, YEAR, arm=ArmPlan(name="shadow", algorithm="hdbscan"))
    return context


def asked(album: Album, kind: Kind, picks: tuple[int, int, int]) -> Request:
    """Something of this kind about what is there; it may be refused."""
    faces, persons = sorted(album.faces), sorted(who for who, row in album.persons.items() if row.arm_id == HOME)
    first, second = picks[0] % len(faces), 1 + picks[1] % (len(faces) - 1)
    some = (faces[first], faces[(first + second) % len(faces)])
    place = album.places.get((HOME, some[0]))
    person = place.person_id if place and kind is Kind.SPLIT else persons[picks[2] % len(persons)]
    values = {
        "faces": some if kind in (Kind.SAME, Kind.DIFFERENT) else some[: 1 + picks[1] % 2],
        "person": person,
        "other": next(who for who in persons[picks[1] % len(persons) :] + persons if who != person),
        "child": CHILDREN[picks[0] % 2].child_id,
        "name": "Hana",
        "age": 2.5,
        "gender": Gender.FEMALE,
    }
    choices = CHOICES.get(kind) or (NEEDS[kind],)
    return Request(kind, **{part: values[part] for part in choices[picks[0] % len(choices)]})  # type: ignore[arg-type]


def outcome(plan: Callable[[], Planned]) -> Planned | tuple[type[Exception], str]:
    """What it gives, or how it refuses."""
    try:
        return plan()
    except FacealbumError as error:
        return type(error), str(error)


def take(transaction: Transaction, step: Step) -> None:
    """Decide, or undo any decision, by what is in reach; by all rows it must be the same, and nothing else changes."""
    kind, picks = step
    whole = load_album(transaction, FAMILY_ID)
    records = [(one.decision, one.correction) for one in load_records(transaction, FAMILY_ID)]
    if kind is None:
        number = 1 + picks[0] % (len(records) + 1)
        expected: Any = outcome(lambda: plan_undo(whole, records, number))
        done: Any = outcome(lambda: apply_undo(transaction, FAMILY_ID, number, author="ben", now=NOW)[1])
    else:
        request, number = asked(whole, kind, picks), len(records) + 1
        signed = Signature(decision_id(FAMILY_ID, number), number, HOME, "ann", NOW)
        past = [decision for decision, _ in records]
        expected = outcome(lambda: plan_correction(whole, past, request, signed=signed)[1])
        done = outcome(lambda: apply_request(transaction, FAMILY_ID, request, arm_id=HOME, author="ann", now=NOW)[1])
    assert done == expected
    after = correct_album(whole, done) if isinstance(done, Correction) else whole
    assert load_album(transaction, FAMILY_ID) == after


def expect_same_census(transaction: Transaction) -> None:
    """What a review reads of some photos and faces is what all rows of the family tell."""
    album = load_album(transaction, FAMILY_ID)
    photos, some = {row.photo_id for row in [*album.faces.values()][::2]}, {*[*album.faces][::3]}
    whole, found = Census.of(album, HOME), load_census(transaction, FAMILY_ID, HOME, photos=photos, some=some)
    assert (found.sizes, found.met) == (whole.sizes, whole.met)
    assert found.shown == {photo: whole.shown.get(photo, frozenset()) for photo in photos}
    asked = some | {face for face, row in album.faces.items() if row.photo_id in photos}
    assert found.person_of == {face: person for face, person in whole.person_of.items() if face in asked}


def test_what_is_in_reach_decides_and_undoes_as_all_rows_of_the_family_do(told: Context) -> None:
    @settings(max_examples=8)
    @given(steps)
    def any_words(said: list[Step]) -> None:
        with told.database.begin(trial=True) as transaction:
            for step in said:
                take(transaction, step)
            expect_same_census(transaction)

    any_words()


def test_the_faces_that_stand_for_a_person_are_the_best_of_its_stretches_of_time(told: Context) -> None:
    with told.database.begin() as transaction:
        album = load_album(transaction, FAMILY_ID)
        for person, row in album.persons.items():
            its = [one for (_, one), place in sorted(album.places.items()) if place.person_id == person]
            for without in ([], its[:1], its[:3], its):
                expected = choose_anchors(album, person, without=without)
                assert load_anchors(transaction, FAMILY_ID, row.arm_id, person, without=without) == expected
