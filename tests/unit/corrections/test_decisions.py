"""What each kind of decision changes, what it rules out, and that undoing restores."""

from itertools import pairwise
from typing import Any

import pytest

from facealbum.corrections import ArmWords, Decision, Fact, LinkRow, Request, constrain_decisions, read_ledger
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import PersonId
from facealbum.domain.people import Gender
from facealbum.errors import ContradictionError, InvalidValueError, UndoError, UnknownDecisionError
from tests.unit.corrections.small_album import HOME, NOW, OTHER, RUN, Told, album, child, elsewhere, face, person, photo

HANA, REN, MIO = person(1), person(2), person(3)


def of(told: Told, who: PersonId, *, arm: int = HOME) -> set[int]:
    """The numbers of the person's faces."""
    return {one.int for (its, one), place in told.album.places.items() if (its, place.person_id) == (arm, who)}


def about(kind: Kind, *faces: int, to: PersonId | None = None, other: PersonId | None = None) -> Request:
    return Request(kind, tuple(map(face, faces)), to, other)


@pytest.fixture
def told() -> Told:
    """Hana, Ren and Mio at home; under the other arm the same three, faces 3 and 6 misplaced, 7 and 8 waiting."""
    held = {1: [1, 2, 3], 2: [4, 5, 6], 3: [9, 10, 11]}
    return Told(album(held, others={1: [1, 2, 6], 2: [4, 5, 3], 3: [9, 10, 11]}, waiting=[7, 8]))


def test_a_confirmed_face_joins_its_person_under_every_arm(told: Told) -> None:
    told.say(about(Kind.CONFIRM, 7, to=HANA))
    assert of(told, HANA) == {1, 2, 3, 7}
    assert of(told, elsewhere(1), arm=OTHER) == {1, 2, 6, 7}


def test_a_confirmed_face_leaves_whoever_had_it(told: Told) -> None:
    told.say(about(Kind.CONFIRM, 4, to=HANA))
    assert (of(told, HANA), of(told, REN)) == ({1, 2, 3, 4}, {5, 6})


def test_a_rejected_face_waits(told: Told) -> None:
    told.say(about(Kind.REJECT, 3, to=HANA))
    assert of(told, HANA) == {1, 2}
    assert (HOME, face(3)) not in told.album.places


def test_moved_faces_change_their_person(told: Told) -> None:
    told.say(about(Kind.MOVE, 2, 3, to=HANA, other=REN))
    assert (of(told, HANA), of(told, REN)) == ({1}, {2, 3, 4, 5, 6})


def test_merged_persons_are_one_under_every_arm(told: Told) -> None:
    told.say(Request(Kind.NAME, person=HANA, name="Hana"))
    told.say(Request(Kind.MERGE, person=HANA, other=REN))
    assert of(told, REN) == {1, 2, 3, 4, 5, 6}
    assert told.album.persons[REN].name == "Hana"
    assert of(told, elsewhere(2), arm=OTHER) == {1, 2, 3, 4, 5, 6}


def test_split_faces_are_a_new_person(told: Told) -> None:
    told.say(about(Kind.SPLIT, 2, 3, to=HANA))
    (new,) = {place.person_id for (_, one), place in told.album.places.items() if one == face(3)} - {elsewhere(2)}
    assert of(told, new) == {2, 3}
    assert told.album.persons[new].run_id is None
    assert of(told, elsewhere(1), arm=OTHER) == {1, 6}


def test_of_two_faces_that_differ_the_second_leaves_unless_it_alone_is_confirmed(told: Told) -> None:
    told.say(about(Kind.DIFFERENT, 1, 2))
    assert of(told, HANA) == {1, 3}
    told.say(about(Kind.CONFIRM, 5, to=REN))
    told.say(about(Kind.DIFFERENT, 4, 5))
    assert of(told, REN) == {5, 6}


def test_same_faces_are_together_and_go_together(told: Told) -> None:
    told.say(about(Kind.SAME, 7, 4))
    assert of(told, REN) == {4, 5, 6, 7}
    told.say(about(Kind.MOVE, 4, to=REN, other=HANA))
    assert of(told, HANA) == {1, 2, 3, 4, 7}


def test_two_faces_of_a_photo_are_one_person_by_a_users_word_alone() -> None:
    told = Told(album({1: [1, 2], 2: [3, 4]}, photos={1: 1, 3: 1}))
    told.say(about(Kind.CONFIRM, 3, to=HANA))
    assert of(told, HANA) == {2, 3}
    told.say(about(Kind.SAME, 3, 1))
    assert of(told, HANA) == {1, 2, 3}


def test_merging_keeps_one_face_of_a_photo_the_confirmed_one() -> None:
    told = Told(album({1: [1, 2, 3], 2: [4, 5, 6]}, photos={1: 1, 4: 1, 2: 2, 5: 2}))
    told.say(about(Kind.CONFIRM, 2, to=HANA))
    told.say(Request(Kind.MERGE, person=HANA, other=REN))
    assert of(told, REN) == {2, 3, 4, 6}


def test_what_is_no_face_belongs_to_nobody_under_any_arm(told: Told) -> None:
    told.say(about(Kind.NOT_A_FACE, 3))
    assert of(told, HANA) == {1, 2}
    assert of(told, elsewhere(2), arm=OTHER) == {4, 5}
    assert told.album.excluded == {face(3): True}
    with pytest.raises(InvalidValueError, match="no face"):
        told.say(about(Kind.CONFIRM, 3, to=HANA))


def test_a_face_is_of_the_age_and_gender_that_a_user_says_whoever_it_is(told: Told) -> None:
    before = told.album
    told.say(Request(Kind.AGE, (face(3), face(4)), age=0.0))
    told.say(Request(Kind.GENDER, (face(3),), gender=Gender.MALE))
    told.say(about(Kind.AGE, 4))
    told.say(about(Kind.MOVE, 3, to=HANA, other=REN))
    told.say(about(Kind.GENDER, 3))
    assert told.album.facts == {
        (face(3), Kind.AGE): Fact(0.0),
        (face(3), Kind.GENDER): Fact(None),
        (face(4), Kind.AGE): Fact(None),
    }
    with pytest.raises(UndoError, match=r"5 \(gender\)"):
        told.undo(2)
    told.undo(4)  # who it is and how old it is don't build on each other
    for number in (5, 3, 2, 1):
        told.undo(number)
    assert told.album == before


@pytest.mark.parametrize(
    "parts", [{"age": -1.0}, {"age": 121.0}, {"age": float("nan")}, {"gender": Gender.FEMALE}, {"person": HANA}]
)
def test_an_age_is_one_that_people_have_and_of_a_face(parts: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="age"):
        Request(Kind.AGE, (face(1),), **parts)
    with pytest.raises(InvalidValueError, match="female or male"):
        Request(Kind.GENDER, (face(1),), gender=Gender.UNKNOWN)


def test_names_hiding_and_children_follow_the_anchors(told: Told) -> None:
    told.say(Request(Kind.NAME, person=HANA, name="Hana"))
    told.say(Request(Kind.HIDE, person=REN))
    told.say(Request(Kind.LINK, person=MIO, child=child(1)))
    assert (told.album.persons[elsewhere(1)].name, told.album.persons[elsewhere(2)].hidden) == ("Hana", True)
    assert told.album.links[elsewhere(3)].confirmed
    told.say(Request(Kind.UNHIDE, person=REN))
    told.say(Request(Kind.NAME, person=HANA))
    told.say(Request(Kind.UNLINK, person=MIO, child=child(1)))
    assert (told.album.persons[HANA].name, told.album.persons[REN].hidden, told.album.links) == (None, False, {})


def test_a_linked_child_is_nobody_else_in_the_photo() -> None:
    told = Told(album({1: [1, 2], 2: [3, 4], 3: [5]}, photos={1: 1, 3: 1}))
    told.album.links = {who: LinkRow(child(1), RUN, 0.9, {}, confirmed=False, linked_at=NOW) for who in (REN, MIO)}
    told.say(Request(Kind.LINK, person=HANA, child=child(1)))
    assert told.album.links.keys() == {HANA, MIO}


def test_a_later_word_on_the_same_two_counts(told: Told) -> None:
    told.say(about(Kind.REJECT, 3, to=HANA))
    told.say(about(Kind.CONFIRM, 3, to=HANA))
    assert of(told, HANA) == {1, 2, 3}
    told.say(Request(Kind.DIFFERENT, person=HANA, other=REN))
    told.say(Request(Kind.MERGE, person=HANA, other=REN))
    assert of(told, REN) == {1, 2, 3, 4, 5, 6}


def test_a_contradiction_by_way_of_others_names_the_decisions(told: Told) -> None:
    told.say(about(Kind.CONFIRM, 3, to=HANA))
    told.say(Request(Kind.NAME, person=REN, name="Ren"))
    told.say(about(Kind.SAME, 3, 7))
    with pytest.raises(ContradictionError, match=r"1 \(confirm\), 3 \(same\)") as refused:
        told.say(about(Kind.REJECT, 7, to=HANA))
    assert refused.value.numbers == (1, 3)
    told.say(about(Kind.CONFIRM, 4, to=REN))
    with pytest.raises(ContradictionError, match=r"4 \(confirm\)"):
        told.say(about(Kind.SAME, 7, 4))


def test_merged_persons_are_not_different_nor_two_children(told: Told) -> None:
    told.say(Request(Kind.LINK, person=HANA, child=child(1)))
    told.say(Request(Kind.LINK, person=REN, child=child(2)))
    with pytest.raises(ContradictionError, match=r"1 \(link\), 2 \(link\)"):
        told.say(Request(Kind.MERGE, person=HANA, other=REN))
    told.say(Request(Kind.MERGE, person=HANA, other=MIO))
    with pytest.raises(ContradictionError, match=r"3 \(merge\)"):
        told.say(Request(Kind.DIFFERENT, person=HANA, other=MIO))


@pytest.mark.parametrize(
    "request_",
    [
        about(Kind.CONFIRM, 99, to=HANA),
        about(Kind.CONFIRM, 1, to=person(99)),
        about(Kind.SPLIT, 4, to=HANA),
        about(Kind.MOVE, 1, to=HANA, other=elsewhere(1)),
        Request(Kind.LINK, person=HANA, child=child(99)),
    ],
    ids=str,
)
def test_what_is_not_there_is_refused(told: Told, request_: Request) -> None:
    with pytest.raises(InvalidValueError):
        told.say(request_)


@pytest.mark.parametrize(
    ("kind", "faces", "persons"),
    [(Kind.SAME, (1,), ()), (Kind.SAME, (1, 1), ()), (Kind.DIFFERENT, (1, 2, 3), ()), (Kind.MERGE, (), (HANA, HANA)),
     (Kind.CONFIRM, (), (HANA,)), (Kind.HIDE, (1,), (HANA,)), (Kind.MERGE, (), (HANA,))],
)  # fmt: skip
def test_a_request_says_what_its_kind_needs(kind: Kind, faces: tuple[int, ...], persons: tuple[PersonId, ...]) -> None:
    with pytest.raises(InvalidValueError, match=str(kind)):
        Request(kind, tuple(map(face, faces)), *persons)


def test_undoing_restores_every_row_in_any_order_that_is_not_refused(told: Told) -> None:
    start = told.album
    numbers = [
        told.say(about(Kind.SPLIT, 2, 3, to=HANA)),
        told.say(about(Kind.MOVE, 4, to=REN, other=MIO)),
        told.say(Request(Kind.LINK, person=MIO, child=child(1))),
        told.say(Request(Kind.HIDE, person=HANA)),
    ]
    for number in numbers:
        told.undo(number)
    assert told.album == start


def test_what_later_decisions_build_on_is_not_undone_before_them(told: Told) -> None:
    told.say(about(Kind.CONFIRM, 7, to=HANA))
    told.say(Request(Kind.MERGE, person=HANA, other=REN))
    with pytest.raises(UndoError, match=r"2 \(merge\)") as refused:
        told.undo(1)
    assert refused.value.numbers == (2,)
    told.undo(2)
    told.undo(1)
    with pytest.raises(UndoError, match="already"):
        told.undo(1)
    with pytest.raises(UnknownDecisionError, match="no decision 9"):
        told.undo(9)


def test_a_place_that_a_later_decision_took_is_not_given_back() -> None:
    told = Told(album({1: [1, 2], 2: [3, 4]}, photos={1: 1, 3: 1}))
    told.say(about(Kind.MOVE, 1, to=HANA, other=REN))
    told.say(about(Kind.CONFIRM, 3, to=HANA))
    with pytest.raises(UndoError, match=r"2 \(confirm\)"):
        told.undo(1)


def test_an_undone_split_leaves_no_face_with_a_person_that_is_gone(told: Told) -> None:
    split = told.say(about(Kind.SPLIT, 2, 3, to=HANA))
    new = told.recorded[0][0].new_person
    told.album.places[HOME, face(8)] = told.album.places[HOME, face(2)]
    told.undo(split)
    assert of(told, HANA) == {1, 2, 3}
    assert (HOME, face(8)) not in told.album.places
    assert new not in told.album.persons


def test_up_to_ten_anchors_are_spread_over_the_time_of_a_person() -> None:
    told = Told(album({1: range(40), 2: [50]}))
    told.say(about(Kind.REJECT, 39, to=HANA))
    decision: Decision = told.recorded[0][0]
    anchors = sorted(one.int for one in decision.anchors[HANA])
    assert len(anchors) == 10
    assert 39 not in anchors
    assert max(b - a for a, b in pairwise(anchors)) <= 8


def test_a_merge_has_faces_that_are_the_same_leave_together() -> None:
    told = Told(album({1: [1, 2], 2: [3, 4]}, photos={4: 1}))
    told.say(about(Kind.SAME, 3, 4))
    told.say(Request(Kind.MERGE, person=REN, other=HANA))
    assert of(told, HANA) == {1, 2}
    assert not {(HOME, face(3)), (HOME, face(4))} & told.album.places.keys()


def test_faces_that_are_the_same_wait_together_where_a_confirmed_face_takes_their_room() -> None:
    told = Told(album({1: [1, 2]}, waiting=[3], photos={3: 1}))
    told.say(about(Kind.CONFIRM, 1, to=HANA))
    told.say(about(Kind.SAME, 2, 3))
    assert of(told, HANA) == {1}


def test_faces_of_nobody_may_be_the_same_though_one_is_not_a_person_that_is_nobody_elsewhere() -> None:
    told = Told(album({1: [1, 2]}, others={2: [9]}, waiting=[3, 4]))
    told.say(about(Kind.REJECT, 3, to=HANA))
    told.say(about(Kind.SAME, 3, 4))
    assert of(told, HANA) == {1, 2}


def test_a_stand_in_never_brings_its_person_into_a_photo_twice() -> None:
    told = Told(album({1: [1, 2], 2: [3]}, others={1: [1], 2: [3, 4]}, waiting=[5], photos={5: 4}))
    told.say(about(Kind.CONFIRM, 5, to=REN))
    ledger = read_ledger([decision for decision, _ in told.recorded], {})
    words = ArmWords(ledger, OTHER, {face(3): elsewhere(2)})
    here = {face(5): photo(4)}, {elsewhere(2): face(3)}
    free = constrain_decisions(words, *here, {elsewhere(2): {photo(3)}})
    assert (free.constraints.must_link, free.withheld) == ({(face(3), face(5))}, frozenset())
    crowded = constrain_decisions(words, *here, {elsewhere(2): {photo(3), photo(4)}})
    assert (crowded.constraints.must_link, crowded.withheld) == (frozenset(), {face(5)})


def test_stand_ins_of_a_merged_person_bring_their_likes_into_a_photo_once() -> None:
    told = Told(album({1: [1], 2: [2]}, waiting=[3], photos={3: 1}))
    told.say(about(Kind.SAME, 2, 3))
    told.say(Request(Kind.MERGE, person=HANA, other=REN))
    ledger = read_ledger([decision for decision, _ in told.recorded], told.album.merged())
    waiting = {one: row.photo_id for one, row in told.album.faces.items()}
    demanded = constrain_decisions(ArmWords(ledger, OTHER, {}), waiting, {}, {}).constraints
    assert demanded.must_link == {(face(2), face(3))}


def test_a_word_that_lets_a_later_face_into_its_photo_is_not_undone_before_that() -> None:
    told = Told(album({1: [1, 2]}, waiting=[3], photos={3: 1}))
    first = told.say(about(Kind.CONFIRM, 1, to=HANA))
    second = told.say(about(Kind.CONFIRM, 3, to=HANA))
    with pytest.raises(UndoError) as refused:
        told.undo(first)
    assert refused.value.numbers == (second,)
    told.undo(second)
    told.undo(first)
    assert of(told, HANA) == {1, 2}
