"""What reviewers are asked, in which order, and what their answers come to."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.clustering.ages import age_weights
from facealbum.clustering.vectors import SCALE
from facealbum.corrections import Request
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import PersonId
from facealbum.review import Answer, Asked, Question, UnsureLink, plan_review
from facealbum.review.likeness import Likeness
from facealbum.review.view import FamilyView
from tests.unit.clustering.family import child_id, face_id, person_id
from tests.unit.review.small_family import FAMILY, PARAMETERS, Small, named, small

ANN: Mapping[int, float] = {0: 0.8}
LIKE_ANN: Mapping[int, float] = {0: 0.3, 1: 0.6}
BEN: Mapping[int, float] = {2: 0.8}


def asked(family: Small, kind: Asked) -> list[Question]:
    review = family.review()
    return [review.show(one) for one in review.questions if one.kind is kind]


@st.composite
def families(draw: st.DrawFn) -> Small:
    """Up to four persons and waiting faces with any looks, some of them in one photo, and a few decisions."""
    look = st.fixed_dictionaries({axis: st.floats(0, 0.55) for axis in range(3)})
    held = draw(st.lists(st.lists(look, min_size=1, max_size=6), min_size=1, max_size=4))
    waiting = draw(st.lists(look, max_size=4))
    count = sum(map(len, held)) + len(waiting)
    photos = draw(st.dictionaries(st.integers(0, count - 1), st.integers(0, 2), max_size=count))
    own, shown = dict[int, int](), set[tuple[int, int]]()
    holder = [person for person, looks in enumerate(held) for _ in looks] + [-1 - one for one in range(len(waiting))]
    for face, photo in photos.items():
        if (holder[face], photo) not in shown:
            shown.add((holder[face], photo))
            own[face] = 1000 + photo
    return small(dict(enumerate(held)), waiting=waiting, photos=own)


def test_two_persons_who_look_alike_are_asked_about_and_two_who_do_not_are_not() -> None:
    family = small({0: [ANN] * 4, 1: [LIKE_ANN] * 3, 2: [BEN] * 5})
    (question,) = asked(family, Asked.SAME)
    assert (question.person, question.other) == (person_id(1), person_id(0))


def test_the_smaller_person_is_merged_into_the_larger_one_but_for_one_that_has_a_name() -> None:
    family = small({0: [ANN] * 4, 1: [LIKE_ANN] * 3})
    named(family, 1, "Ann")
    (question,) = asked(family, Asked.SAME)
    assert (question.person, question.other) == (person_id(0), person_id(1))


def test_an_answer_ends_its_question() -> None:
    for answer, persons in ((Answer.YES, {0}), (Answer.NO, {0, 1})):
        family = small({0: [ANN] * 4, 1: [LIKE_ANN] * 3})
        (question,) = asked(family, Asked.SAME)
        family.decide(*question.requests(answer))
        assert not asked(family, Asked.SAME)
        assert set(family.view().sizes) == {person_id(one) for one in persons}


def test_persons_with_two_names_are_not_asked_to_be_one() -> None:
    family = small({0: [ANN] * 4, 1: [LIKE_ANN] * 3})
    named(family, 0, "Ann")
    named(family, 1, "Eve")
    assert not asked(family, Asked.SAME)


def test_a_waiting_face_is_asked_to_be_whom_it_is_most_like_and_after_a_no_another() -> None:
    family = small({0: [ANN] * 4, 1: [BEN] * 3}, waiting=[{0: 0.3, 2: 0.28}])
    (first,) = asked(family, Asked.JOINS)
    assert first.person == person_id(0)
    family.decide(*first.requests(Answer.NO))
    (second,) = asked(family, Asked.JOINS)
    assert second.person == person_id(1)
    assert second.chance < first.chance
    family.decide(*second.requests(Answer.NO))
    assert not asked(family, Asked.JOINS)


def test_the_faces_that_are_marked_wrong_leave_and_the_others_are_confirmed() -> None:
    family = small({0: [*[ANN] * 4, {0: 0.4}, BEN]})
    (question,) = asked(family, Asked.THEIRS)
    family.decide(*question.requests(Answer.NO, {face_id(5)}))
    view = family.view()
    assert [one.person for one in view.faces] == [person_id(0)] * 5 + [None]
    assert [one.told for one in view.faces[:5]] == [True] * 5


def test_the_least_sure_faces_of_a_person_are_asked_about_with_the_surest_beside_them() -> None:
    family = small({0: [*[ANN] * 20, *[{0: 0.45}] * 3]})
    (question,) = asked(family, Asked.THEIRS)
    assert set(question.faces) > {face_id(20), face_id(21), face_id(22)}
    assert not set(question.faces) & set(question.beside)


def test_faces_confirmed_by_a_user_vouch_for_those_that_fit_better() -> None:
    family = small({0: [*[{0: 0.55}] * 20, *[{0: 0.45}] * 12]})
    before = family.review()
    (question,) = asked(family, Asked.THEIRS)
    family.decide(*question.requests(Answer.YES))
    after = family.review()
    assert len(before.settled) == 0
    assert after.settled == {one.face_id for one in family.faces}
    assert after.progress.told == 12


def test_a_person_of_two_people_is_asked_to_be_one_before_any_face_is_confirmed() -> None:
    family = small({0: [*[ANN] * 5, *[LIKE_ANN] * 3]})
    (question,) = family.review().questions
    assert question.kind is Asked.ONE
    assert set(question.part) == {face_id(number) for number in (5, 6, 7)}
    family.decide(*question.requests(Answer.NO))
    assert sorted(family.view().sizes.values()) == [3, 5]


def test_a_person_that_is_one_by_a_users_word_is_not_asked_to_be_two_again() -> None:
    family = small({0: [*[ANN] * 5, *[LIKE_ANN] * 3]})
    (question,) = family.review().questions
    family.decide(*question.requests(Answer.YES))
    assert not asked(family, Asked.ONE)


def test_a_broken_label_is_asked_about_first() -> None:
    family = small({0: [*[ANN] * 5, *[LIKE_ANN] * 3], 1: [*[BEN] * 5, *[{2: 0.3, 3: 0.6}] * 3]})
    family.broken = frozenset({person_id(1)})
    first, second = (one for one in family.review().questions if one.part)
    assert (first.kind, first.person) == (Asked.BROKEN, person_id(1))
    assert (second.kind, second.person) == (Asked.ONE, person_id(0))
    assert first.chance > second.chance


def test_who_may_be_a_child_is_asked_by_the_faces_that_hang_on_it() -> None:
    family = small({0: [ANN] * 4, 1: [BEN] * 8})
    family.links = tuple(UnsureLink(person_id(one), child_id(1), 0.6) for one in (0, 1))
    questions = asked(family, Asked.CHILD)
    assert [one.person for one in questions] == [person_id(1), person_id(0)]
    assert questions[0].settles == pytest.approx(2 * questions[1].settles)
    (request,) = questions[0].requests(Answer.NO)
    assert request == Request(Kind.UNLINK, person=person_id(1), child=child_id(1))


def test_an_answer_that_cannot_tell_decides_nothing() -> None:
    family = small({0: [ANN] * 4, 1: [LIKE_ANN] * 3}, waiting=[{0: 0.4}])
    assert {one.requests(Answer.UNSURE) for one in family.review().questions} == {()}


@given(families())
def test_nothing_impossible_is_asked(family: Small) -> None:
    for _ in range(4):
        view = family.view()
        questions = plan_review(view, PARAMETERS).questions
        photo_of = {one.face.face_id: one.face.photo_id for one in view.faces}
        for one in questions:
            if one.other is not None:
                assert not any({one.person, one.other} <= persons for persons in view.shown.values())
                assert frozenset((one.person, one.other)) not in view.apart
            if one.kind is Asked.JOINS:
                photos = [photo_of[face] for face in one.faces]
                assert len(set(photos)) == len(photos)
                assert not any(one.person in view.shown.get(photo, ()) for photo in photos)
                assert view.rejected.isdisjoint((face, one.person) for face in one.faces)
        if not questions:
            return
        family.decide(*questions[0].requests(Answer.NO, questions[0].faces[:1]))


@given(families())
def test_a_truthful_no_to_everything_comes_to_an_end(family: Small) -> None:
    for _ in range(60):
        questions = family.review().questions
        if not questions:
            return
        family.decide(*questions[0].requests(Answer.NO, questions[0].faces[:1]))
    pytest.fail(f"60 answers, and still {len(questions)} questions")


@given(families(), st.integers(0, 9))
def test_the_order_of_faces_has_no_say(family: Small, seed: int) -> None:
    before = family.review()
    order = np.random.default_rng(seed).permutation(len(family.faces))
    family.faces = tuple(family.faces[row] for row in order)
    after = family.review()
    assert after == before
    assert [after.show(one) for one in after.questions] == [before.show(one) for one in before.questions]


@given(families())
def test_questions_are_told_apart_and_come_by_what_they_settle(family: Small) -> None:
    questions = family.review().questions
    assert len({one.identify(FAMILY) for one in questions}) == len(questions)
    assert [one.settles for one in questions] == sorted((one.settles for one in questions), reverse=True)
    assert all(0 <= one.chance <= 1 for one in questions)


@given(families())
def test_likeness_is_the_mean_over_the_other_faces_less_what_ages_ask(family: Small) -> None:
    view = family.view()
    like = Likeness.of(view, PARAMETERS)
    for row, seen in enumerate(view.faces):
        for column, person in enumerate(like.persons):
            if not _barred(view, row, person):
                mates = [one for number, one in enumerate(view.faces) if one.person == person and number != row]
                faces = [seen.face, *(one.face for one in mates)]
                ages = age_weights(faces, PARAMETERS).astype(np.float64) / SCALE
                asks = ages[1:] @ ages[0]
                cosines = [float(seen.face.embedding.astype(float) @ mate.face.embedding) for mate in mates]
                expected = np.mean(np.array(cosines) - asks) - PARAMETERS.similarity if mates else np.nan
                assert like.to[row, column] == pytest.approx(expected, abs=1e-9, nan_ok=True)


def _barred(view: FamilyView, row: int, person: PersonId) -> bool:
    seen = view.faces[row]
    return seen.person != person and person in view.shown.get(seen.face.photo_id, ())
