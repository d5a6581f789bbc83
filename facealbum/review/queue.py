"""The questions of one family, ordered by how many faces an answer settles, and how far the family is.

Pure, and made anew after every answer from the rows as they are then, so no answer has to wait for a monthly run.
Guarantee: nothing that can't be is asked: two persons whom one photo shows, or who are said to be two people, are
never asked to be one, nor is a face asked to be whom its photo shows already or whom it was said not to be.
Price: a person with very many faces is judged by a part of them.

Note: settles.  An answer is worth the way that faces come by it, on average over the answers: from their chance of
being right now to the one after it, both as a degree (facealbum.review.standing).  A face that is put right goes the
whole way.  Who may be two people is asked that before any of the faces are confirmed, and its worth includes theirs.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from facealbum.clustering import ClusteringParameters
from facealbum.domain.ids import FaceId, PersonId
from facealbum.review.likeness import MIXED, Array, Likeness, compare
from facealbum.review.question import Asked, Question
from facealbum.review.sides import cut_in_two
from facealbum.review.standing import SURE, Rows, Standing, degree
from facealbum.review.view import FamilyView

SHOWN, BESIDE = 12, 4
"""Faces that are asked about at once, and shown to compare them with, at most."""
WORTH = 0.1
"""How many faces an answer must settle for its question to be asked."""
_CUT_FIRST = 0.1  # chance of being two people
_BROKEN_ODDS = 3.0
_SIDE = 2  # faces that a side has at least


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a family is: its faces, those settled, those told by users, and how many are expected to be wrong.

    answers: how many questions are left.
    """

    faces: int
    settled: int
    told: int
    wrong: float
    answers: int


@dataclass(frozen=True, slots=True)
class Review:
    """The questions, those first whose answers settle most, the faces that are settled, and how far the family is.

    show: gives a question about two persons the faces that tell, which most of very many are never looked at for.
    """

    questions: tuple[Question, ...]
    settled: frozenset[FaceId]
    progress: Progress
    show: Callable[[Question], Question] = field(default=lambda question: question, compare=False, repr=False)


def plan_review(view: FamilyView, parameters: ClusteringParameters) -> Review:
    """All questions of the family that are worth an answer; none before it has a person."""
    if not view.sizes:
        return Review((), frozenset(), Progress(len(view.faces), 0, 0, 0.0, 0))
    desk = _Desk(view, parameters)
    theirs = {one.person: one for one in desk.theirs()}
    cuts = [replace(cut, settles=cut.settles + theirs.pop(cut.person).settles) for cut in desk.cuts()]
    asked = [*desk.same(), *cuts, *theirs.values(), *desk.joins(), *desk.children()]
    worth = [one for one in asked if one.settles >= WORTH]
    worth.sort(key=lambda one: (-one.settles, one.kind, one.person, one.other or one.person))
    return desk.review(tuple(worth))


class _Desk:
    """Where the questions of one family are made."""

    def __init__(self, view: FamilyView, parameters: ClusteringParameters) -> None:
        self._view, self._parameters = view, parameters
        self._like = Likeness.of(view, parameters)
        self._standing = Standing.of(view, self._like)
        self._quality = np.array([one.face.quality for one in view.faces])

    def review(self, questions: tuple[Question, ...]) -> Review:
        """The questions with how far the family is."""
        right, told = self._standing.right, self._standing.told
        settled = frozenset(self._standing.named(np.flatnonzero(right >= SURE)))
        wrong = float((1 - right).sum())
        return Review(
            questions, settled, Progress(len(right), len(settled), int(told.sum()), wrong, len(questions)), self.show
        )

    def same(self) -> Iterator[Question]:
        """Two persons who may be one; which faces tell is left to `show`, as there may be tens of thousands."""
        at, persons = self._standing, self._like.persons
        one, other = np.nonzero(np.triu(at.same >= WORTH / at.sizes.max()))
        small, large = np.where(at.sizes[one] <= at.sizes[other], (one, other), (other, one))
        for who in np.unique(small).tolist():
            rows, partners = at.rows(who), large[small == who]
            if not len(rows):
                continue
            chances, before = at.same[who, partners, None], at.right[rows]
            come = chances + (1 - chances) * degree(np.minimum(before / (1 - chances), 1.0)) - degree(before)
            worth = self._in_all(who, come.sum(axis=1))
            kept = persons[who] in self._view.kept
            for it in np.flatnonzero(worth >= WORTH).tolist():
                pair = persons[who], persons[partners[it]]
                goes, stays = pair if not kept or pair[1] in self._view.kept else reversed(pair)
                yield Question(Asked.SAME, goes, (), (), float(chances[it, 0]), float(worth[it]), other=stays)

    def show(self, question: Question) -> Question:
        """With the faces that tell whether two persons are one."""
        if question.kind is not Asked.SAME or question.other is None:
            return question
        goes, stays = (bisect_left(self._like.persons, who) for who in (question.person, question.other))
        mine, its = self._standing.rows(goes), self._standing.rows(stays)
        faces = self._telling(mine, near=self._like.to[mine, stays])
        return replace(question, faces=faces, beside=self._telling(its, near=self._like.to[its, goes]))

    def cuts(self) -> Iterator[Question]:
        """Persons who may be two people, unless users confirmed faces of both sides."""
        at = self._standing
        for who, person in enumerate(self._like.persons):
            rows = at.rows(who)
            if len(rows) < 2 * _SIDE:
                continue
            large, small, similarity = cut_in_two(self._like.vectors[rows])
            sides = sorted((rows[small], rows[large]), key=lambda side: bool(at.told[side].any()))
            part, stays = sides
            chance = self._chance_of_two(person, similarity)
            if len(small) < _SIDE or chance < _CUT_FIRST or at.told[part].any():
                continue
            yield Question(
                Asked.BROKEN if person in self._view.broken else Asked.ONE,
                person,
                self._telling(part, near=self._likeness(part, stays)),
                self._telling(stays, near=self._likeness(stays, part)),
                chance,
                float(self._in_all(who, chance * len(small))),
                part=at.named(part),
            )

    def theirs(self) -> Iterator[Question]:
        """The least sure faces of each person, with its surest beside them."""
        at = self._standing
        for who, person in enumerate(self._like.persons):
            rows = at.rows(who)
            rows = rows[np.argsort(at.fits[rows], kind="stable")]
            asked = rows[~at.told[rows]][:SHOWN]
            if not len(asked) or len(rows) == 1:
                continue
            others = np.setdiff1d(rows, asked, assume_unique=True)
            vouched = np.where(at.told[others], 1.0, 1 - (1 - at.fits[others]) / (1 + len(asked)))
            after = np.concatenate([np.ones(len(asked)), vouched]) * at.single[who]
            before = at.right[np.concatenate([asked, others])]
            yield Question(
                Asked.THEIRS,
                person,
                at.named(asked),
                at.named(others[np.argsort(-at.fits[others], kind="stable")][:BESIDE]),
                chance=float(1 - at.fits[asked].prod()),
                settles=float(self._in_all(who, (degree(after) - degree(before)).clip(0).sum())),
            )

    def joins(self) -> Iterator[Question]:
        """Faces of nobody, with whom they are most like; of each photo one."""
        at = self._standing
        rows = np.flatnonzero(at.joins > WORTH)
        asked: dict[int, list[int]] = defaultdict(list)
        shown = set()
        for row in rows[np.argsort(-at.joins[rows], kind="stable")].tolist():
            who = int(self._like.to[row].argmax())
            photo = self._view.faces[row].face.photo_id
            if (who, photo) not in shown and len(asked[who]) < SHOWN:
                shown.add((who, photo))
                asked[who].append(row)
        for who, those in asked.items():
            faces = np.array(those, np.intp)
            joins, stay = at.joins[faces], degree(at.fits[faces])
            yield Question(
                Asked.JOINS,
                self._like.persons[who],
                at.named(faces),
                self._telling(at.rows(who), near=at.fits[at.rows(who)]),
                chance=float(1 - (1 - joins).prod()),
                settles=float((joins + (1 - joins) * (1 - stay)).sum()),
            )

    def children(self) -> Iterator[Question]:
        """Persons of whom it is unsure which child they are."""
        for link in self._view.links:
            if link.person in self._view.sizes:
                who = bisect_left(self._like.persons, link.person)
                rows = self._standing.rows(who)
                yield Question(
                    Asked.CHILD,
                    link.person,
                    self._telling(rows, near=self._standing.fits[rows]),
                    (),
                    link.chance,
                    settles=float(self._standing.sizes[who] * min(link.chance, 1 - link.chance)),
                    child=link.child,
                )

    def _chance_of_two(self, person: PersonId, similarity: float) -> float:
        chance = float(MIXED(np.array(similarity - self._parameters.similarity)))
        odds = _BROKEN_ODDS if person in self._view.broken else 1.0
        return odds * chance / (1 + (odds - 1) * chance)

    def _in_all(self, who: int, settles: Array | float) -> Array:
        """For all faces of the person, where a part of them is looked at."""
        whole: Array = np.multiply(settles, self._standing.sizes[who]) / len(self._standing.rows(who))
        return whole

    def _likeness(self, rows: Rows, others: Rows) -> Array:
        """Of each of these faces to the mean of the others."""
        vectors = self._like.vectors
        return compare(vectors[rows], vectors[others].mean(axis=0, keepdims=True))[:, 0]

    def _telling(self, rows: Rows, *, near: Array) -> tuple[FaceId, ...]:
        """Few of these faces: in turns the best one, and the one that is nearest."""
        orders = (np.argsort(-worth, kind="stable")[:BESIDE].tolist() for worth in (self._quality[rows], near))
        chosen = dict.fromkeys(row for turn in zip(*orders, strict=True) for row in turn)
        return self._standing.named(rows[list(chosen)[:BESIDE]])
