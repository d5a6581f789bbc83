"""Asking reviewers: what to ask next about a family, what an answer does, and taking the last one back.

Each call reads the family as it is and asks anew, so the next question is right at once.  An answer is one
transaction under the family's lock: it is carried out only if its question still stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from facealbum.clustering import ClusteringParameters
from facealbum.corrections import Album, Request, read_ledger
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId
from facealbum.domain.people import Child
from facealbum.errors import ChangedMeanwhileError, InvalidValueError, UndoError
from facealbum.linking import LinkParameters, plan_links
from facealbum.review import Answer, Asked, FamilyView, Progress, Question, Review, UnsureLink, plan_review
from facealbum.review.standing import SURE
from facealbum.steps.arm_models import evidence_of_arm, faces_of_arm
from facealbum.steps.context import Context
from facealbum.steps.correct import LOCK_SECONDS
from facealbum.steps.reading import arm_of_family
from facealbum.storage.corrections import load_people
from facealbum.storage.database import Transaction
from facealbum.storage.decisions import apply_request, apply_undo, load_past
from facealbum.storage.families import load_children, load_family
from facealbum.storage.observations import Arm, load_arm
from facealbum.storage.review import (
    Answered,
    FamilyProgress,
    delete_answer,
    load_broken,
    load_census,
    load_faces_to_review,
    load_last_answer,
    load_progress,
    load_unsure,
    save_answer,
    save_progress,
)
from facealbum.storage.runs import lock_family
from facealbum.storage.serving import load_served_arm

_MUCH = 1.5
"""By which factor the faces of whom was asked about must change, for a question to be asked again."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A question with its id, and how the persons and the child that it names are called."""

    question_id: UUID
    question: Question
    names: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reviewer says; wrong: of the faces that were asked about, those that are not the person."""

    answer: Answer
    wrong: tuple[FaceId, ...] = ()


@dataclass(frozen=True, slots=True)
class FamilyReview:
    """What to ask about a family now, the most telling first, and how far it is."""

    questions: tuple[Asking, ...]
    progress: Progress


def review_family(context: Context, family: FamilyId, *, limit: int) -> FamilyReview:
    """The first questions about the family; none before its first run.  Raises UnknownFamilyError."""
    with context.database.begin() as transaction:
        load_family(transaction, family)
        return _review(context, transaction, family, limit=limit)


def answer_question(
    context: Context, family: FamilyId, question: UUID, reply: Reply, *, author: str, limit: int = 2
) -> FamilyReview:
    """Carry the reply out, and tell what to ask next.

    Raises UnknownFamilyError, InvalidValueError, ContradictionError, FamilyBusyError, and ChangedMeanwhileError if the
    question no longer stands.
    """
    with context.database.begin() as transaction:
        _answer(context, transaction, family, question, reply, author)
        return _review(context, transaction, family, limit=limit)


def undo_answer(context: Context, family: FamilyId, *, author: str, limit: int = 2) -> FamilyReview:
    """Take back what the author answered last, and tell what to ask next.

    Raises UnknownFamilyError, FamilyBusyError, and UndoError if there is nothing, or later decisions build on it.
    """
    with context.database.begin() as transaction:
        _undo(context, transaction, family, author)
        return _review(context, transaction, family, limit=limit)


def note_answer(context: Context, family: FamilyId, question: UUID, reply: Reply, *, author: str) -> None:
    """Carry the reply out for a caller that asks anew by itself; raises what `answer_question` does."""
    with context.database.begin() as transaction:
        _answer(context, transaction, family, question, reply, author)


def forget_answer(context: Context, family: FamilyId, *, author: str) -> None:
    """Take back what the author answered last, likewise; raises what `undo_answer` does."""
    with context.database.begin() as transaction:
        _undo(context, transaction, family, author)


def families_to_review(
    context: Context, limit: int, *, after: tuple[float, UUID] | None = None
) -> Sequence[FamilyProgress]:
    """Families that have questions, as they were looked at last, those first whose next answer settles most."""
    with context.database.begin() as transaction:
        return load_progress(transaction, limit, after=after)


def _answer(
    context: Context, transaction: Transaction, family: FamilyId, question: UUID, reply: Reply, author: str
) -> None:
    lock_family(transaction, family, wait_seconds=LOCK_SECONDS)
    load_family(transaction, family)
    desk = _Desk.of(context, transaction, family)
    asked = desk.find(question) if desk else None
    if desk is None or asked is None:
        current = {"questions": len(desk.questions) if desk else 0}
        raise ChangedMeanwhileError("this is no longer a question, so nothing was done; ask anew", current=current)
    now = context.clock()
    done = [
        apply_request(transaction, family, one, arm_id=desk.arm.arm_id, author=author, now=now)
        for one in _requests(asked, reply)
    ]
    numbers = tuple(decision.number for decision, _ in done)
    save_answer(transaction, family, Answered(question, reply.answer, desk.faces_of(asked), numbers, author, now))


def _undo(context: Context, transaction: Transaction, family: FamilyId, author: str) -> None:
    lock_family(transaction, family, wait_seconds=LOCK_SECONDS)
    load_family(transaction, family)
    last = load_last_answer(transaction, family, author)
    if last is None:
        raise UndoError(f"{author} has answered nothing about this family that could be taken back")
    undone = {decision.number for decision in load_past(transaction, family) if decision.undone_at}
    for number in reversed(last.decisions):
        if number not in undone:
            apply_undo(transaction, family, number, author=author, now=context.clock())
    delete_answer(transaction, family, last.question_id)


def _review(context: Context, transaction: Transaction, family: FamilyId, *, limit: int) -> FamilyReview:
    desk = _Desk.of(context, transaction, family)
    if desk is None:
        return FamilyReview((), Progress(0, 0, 0, 0.0, 0))
    settles = max((one.settles for one in desk.questions[:1]), default=0.0)
    progress = replace(desk.review.progress, answers=len(desk.questions))
    save_progress(transaction, family, progress, settles=settles, now=context.clock())
    shown = map(desk.review.show, desk.questions[:limit])
    return FamilyReview(tuple(Asking(one.identify(family), one, desk.names(one)) for one in shown), progress)


@dataclass(frozen=True, slots=True, eq=False)
class _Desk:
    """A family as it is, with the questions that stand, without those that nobody could answer."""

    family: FamilyId
    arm: Arm
    album: Album
    view: FamilyView
    children: Mapping[ChildId, str]
    review: Review
    questions: Sequence[Question]

    @classmethod
    def of(cls, context: Context, transaction: Transaction, family: FamilyId) -> "_Desk | None":
        """None before the first run of the arm that the family is shown."""
        arm = load_arm(transaction, load_served_arm(transaction, family))
        if arm is None:
            return None
        arm = arm_of_family(transaction, context.settings, family, arm)
        album = load_people(transaction, family)
        ledger = read_ledger(load_past(transaction, family), album.merged())
        children = load_children(transaction, family)
        faces = load_faces_to_review(transaction, family, arm)
        photos = {one.photo_id for one in faces}
        view = FamilyView.of(
            album,
            load_census(transaction, family, arm.arm_id, photos=photos, some=ledger.faces()),
            ledger,
            faces_of_arm(context, transaction, family, arm, faces=faces),
            links=_unsure_links(context, transaction, family, arm, children) if children else (),
            broken=load_broken(transaction, family, arm.arm_id),
        )
        review = plan_review(view, ClusteringParameters.from_dict(arm.parameters["clustering"]))
        unsure = load_unsure(transaction, family)
        left = [
            one
            for one in review.questions
            if not unsure or not _about_as_many(_faces_of(view, one), unsure.get(one.identify(family)))
        ]
        names = {child.child_id: child.name for child in children}
        return cls(family, arm, album, view, names, review, left)

    def find(self, question: UUID) -> Question | None:
        """The question of this id, if it stands."""
        return next((one for one in self.questions if one.identify(self.family) == question), None)

    def faces_of(self, question: Question) -> int:
        """How many faces the persons have that it is about."""
        return _faces_of(self.view, question)

    def names(self, question: Question) -> tuple[str | None, ...]:
        """How the person, the other one and the child are called; a person without a name by its child."""
        child = None if question.child is None else self.children[question.child]
        return self._name(question.person), self._name(question.other), child

    def _name(self, person: PersonId | None) -> str | None:
        if person is None:
            return None
        link = self.album.links.get(person)
        return self.album.persons[person].name or (self.children[link.child_id] if link else None)


def _unsure_links(
    context: Context, transaction: Transaction, family: FamilyId, arm: Arm, children: Sequence[Child]
) -> list[UnsureLink]:
    """Of the persons whose child no user has told, those who may be one and may not."""
    evidence = evidence_of_arm(context, transaction, family, arm)
    plan = plan_links(evidence, children, LinkParameters.from_dict(arm.parameters["linking"]))
    told = {one.person_id for one in evidence if one.confirmed}
    likely = [UnsureLink(one.person_id, one.child_id, one.probability) for one in plan.links]
    likely += [UnsureLink(one.person_id, one.child_id, one.probability) for one in plan.open if one.child_id]
    return [one for one in likely if one.person not in told and 1 - SURE < one.chance < SURE]


def _faces_of(view: FamilyView, question: Question) -> int:
    return sum(view.sizes[who] for who in (question.person, question.other) if who is not None)


def _about_as_many(faces: int, before: int | None) -> bool:
    return before is not None and 1 / _MUCH < faces / before < _MUCH


def _requests(question: Question, reply: Reply) -> tuple[Request, ...]:
    marks = question.kind in (Asked.THEIRS, Asked.JOINS) and reply.answer is Answer.NO
    if reply.wrong and not (marks and set(reply.wrong) <= set(question.faces)):
        raise InvalidValueError("`wrong` may name faces that were asked about, and only where the answer is no")
    return question.requests(reply.answer, reply.wrong)
