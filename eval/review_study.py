"""How many answers a review takes, in memory: a reviewer who knows the truth answers the product's own questions.

    python -m eval.review_study ALBUMS --cache FOLDER [--album fiw ...] [--order settles ...] [--errs 0.02]
    python -m eval.review_study --simulated 12

ALBUMS is as in eval.bench; the families of an album are lived through by the product's months, then share one queue.
Answers become decisions by the product's own rules.  A face is right if it is with the person that holds most faces of
whom it shows, and most faces of that person show the same; a face of nobody is right if it is the only one of whom it
shows.  Settled is the product's word, which the truth checks.  Whom no truth names is a
stranger to all, and not counted.
"""

import argparse
import sys
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from eval.albums import load_album
from eval.months import Household, TrialArm, live_through
from eval.synthetic.families import draw_family
from eval.synthetic.living import calendar, children_of, observe
from eval.synthetic.parameters import load_world
from eval.truth import Members, load_members
from facealbum.clustering import ClusteringParameters, Observation
from facealbum.corrections import (
    Album,
    Decision,
    FaceRow,
    LinkRow,
    PersonRow,
    Place,
    Request,
    Signature,
    correct_album,
    plan_correction,
    read_ledger,
)
from facealbum.domain.ids import FaceId, FamilyId, PersonId, decision_id, family_id
from facealbum.errors import ContradictionError
from facealbum.review import Answer, Asked, Census, FamilyView, Question, Review, plan_review

Chance: TypeAlias = np.random.Generator
_ARM, _NOW = 1, datetime(2026, 1, 1, tzinfo=UTC)
_MARKS = (0, 10, 25, 50, 100, 150, 200, 250)
_PAIRS = (Asked.SAME, Asked.JOINS)

ORDERS = ("settles", "largest", "similar", "random")
"""The product's order, and those that it is compared with."""


def worth(order: str, question: Question, view: FamilyView, chance: Chance) -> float:
    """What comes first is worth most: the largest person, the likeliest pair, or anything."""
    match order:
        case "settles":
            return question.settles
        case "largest":
            return view.sizes[question.person]
        case "similar":
            return question.chance if question.kind in _PAIRS else -1
        case _:
            return chance.random()


@dataclass(slots=True)
class Family:
    """A family under review.

    refused: questions whose answer earlier decisions rule out.  impossible: pairs asked about that can't be one.
    """

    identity: FamilyId
    faces: Sequence[Observation]
    album: Album
    past: list[Decision] = field(default_factory=list)
    refused: set[UUID] = field(default_factory=set)
    impossible: int = 0

    @classmethod
    def of(cls, household: Household) -> "Family":
        """As the months have left it."""
        faces = [one.observation for one in household.faces.values()]
        held = set(household.person_of.values())
        links = {
            person: LinkRow(child, None, 1.0, {}, confirmed=False, linked_at=_NOW)
            for person, child in household.child_of.items()
            if person in held
        }
        places = {
            (_ARM, face): Place(person, None, "confirmed", 1.0, _NOW) for face, person in household.person_of.items()
        }
        album = Album(
            faces={face.face_id: FaceRow(face.photo_id, face.taken_at, face.quality) for face in faces},
            persons={person: PersonRow(_ARM, None) for person in held},
            places=places,
            links=links,
            children=frozenset(link.child_id for link in links.values()),
        )
        return cls(family_id(household.name), faces, album)

    def view(self) -> FamilyView:
        """What the review sees."""
        ledger = read_ledger(self.past, self.album.merged())
        return FamilyView.of(self.album, Census.of(self.album, _ARM), ledger, self.faces)

    def questions(self, review: Review) -> list[Question]:
        """Those that no earlier decision refused an answer to."""
        return [one for one in review.questions if one.identify(self.identity) not in self.refused]

    def take(self, question: Question, requests: Iterable[Request]) -> None:
        """Carry an answer out."""
        self.impossible += _is_impossible(question, self.view())
        try:
            for request in requests:
                number = len(self.past) + 1
                signed = Signature(decision_id(self.identity, number), number, _ARM, "reviewer", _NOW)
                decision, correction = plan_correction(self.album, self.past, request, signed=signed)
                self.past.append(decision)
                self.album = correct_album(self.album, correction)
        except ContradictionError:
            self.refused.add(question.identify(self.identity))

    def right(self, members: Members) -> set[FaceId]:
        """The faces that are where they belong."""
        person_of = {face: place.person_id for (_, face), place in self.album.places.items()}
        shown = Counter(members[face.face_id] for face in self.faces if face.face_id in members)
        held: dict[PersonId, Counter[str]] = defaultdict(Counter)
        for face, person in person_of.items():
            if face in members:
                held[person][members[face]] += 1
        mostly = {person: its.most_common(1)[0] for person, its in held.items()}
        main: dict[str, PersonId] = {}
        for person, (member, _) in sorted(mostly.items(), key=lambda one: (-one[1][1], one[0])):
            main.setdefault(member, person)
        right = set()
        for face in (one.face_id for one in self.faces if one.face_id in members):
            member, who = members[face], person_of.get(face)
            alone = who is None and shown[member] == 1
            if alone or (who is not None and mostly[who][0] == member and main[member] == who):
                right.add(face)
        return right


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Answers by the truth, but for a share of errors."""

    members: Members
    errs: float
    chance: Chance

    def answer(self, question: Question) -> tuple[Answer, tuple[FaceId, ...]]:
        """What is said, and which faces are marked as wrong."""
        whom = self._mostly(question.beside or question.faces)
        of_faces = question.kind in (Asked.THEIRS, Asked.JOINS)
        wrong = tuple(face for face in question.faces if of_faces and self._member(face) != whom)
        yes = not wrong if of_faces else self._mostly(question.faces) == whom
        if self.chance.random() < self.errs:
            yes, wrong = not yes, question.faces[:1] if yes and of_faces else ()
        return Answer.YES if yes else Answer.NO, wrong

    def _mostly(self, faces: Sequence[FaceId]) -> str:
        return Counter(map(self._member, faces)).most_common(1)[0][0]

    def _member(self, face: FaceId) -> str:
        return self.members.get(face, str(face))


@dataclass(slots=True)
class Tally:
    """The state after some answers: int[families, 4] of labelled faces, right, settled, and both; and the effort."""

    answers: int
    counts: NDArray[np.int64]
    marks: int


@dataclass(slots=True)
class Curve:
    """A review from its beginning to its end; asked: by kind, and those answered yes."""

    tallies: list[Tally]
    asked: Counter[str]
    agreed: Counter[str]
    impossible: int


def review_all(families: Sequence[Family], members: Members, order: str, *, errs: float, most: int) -> Curve:
    """One queue over the families, from which the first question is answered until none or `most` are."""
    chance = np.random.default_rng(7)
    reviewer = Reviewer(members, errs, chance)
    heads: list[tuple[float, Question] | None] = []
    counts = np.zeros((len(families), 4), np.int64)
    for number, family in enumerate(families):
        head, counts[number] = _look(family, members, order, chance)
        heads.append(head)
    curve, marked = Curve([Tally(0, counts.copy(), 0)], Counter(), Counter(), 0), 0
    for answers in range(1, most + 1):
        waiting = [(head[0], -number) for number, head in enumerate(heads) if head]
        if not waiting:
            break
        number = -max(waiting)[1]
        head = heads[number]
        assert head is not None, "only heads that are there are compared"  # noqa: S101
        answer, wrong = reviewer.answer(head[1])
        families[number].take(head[1], head[1].requests(answer, wrong))
        curve.asked[head[1].kind] += 1
        curve.agreed[head[1].kind] += answer is Answer.YES
        marked += len(wrong)
        heads[number], counts[number] = _look(families[number], members, order, chance)
        if answers in _MARKS:
            curve.tallies.append(Tally(answers, counts.copy(), marked))
    if curve.tallies[-1].answers != (done := curve.asked.total()):
        curve.tallies.append(Tally(done, counts.copy(), marked))
    curve.impossible = sum(family.impossible for family in families)
    return curve


def _look(
    family: Family, members: Members, order: str, chance: Chance
) -> tuple[tuple[float, Question] | None, tuple[int, int, int, int]]:
    """The family's first question with its worth, and how far it is."""
    view = family.view()
    review = plan_review(view, ClusteringParameters())
    heads = [(worth(order, one, view, chance), one) for one in family.questions(review)]
    known = {face.face_id for face in family.faces if face.face_id in members}
    right, settled = family.right(members), review.settled & known
    counts = len(known), len(right), len(settled), len(settled & right)
    head = max(heads, key=lambda one: one[0], default=None)
    return head and (head[0], review.show(head[1])), counts


def _is_impossible(question: Question, view: FamilyView) -> bool:
    """Whether a photo shows both of the two that are asked to be one."""
    if question.kind is Asked.JOINS:
        photo_of = {one.face.face_id: one.face.photo_id for one in view.faces}
        return any(question.person in view.shown.get(photo_of[face], ()) for face in question.faces)
    return any({question.person, question.other} <= persons for persons in view.shown.values())


def simulated(count: int, *, months: int = 12, seed: int = 77) -> tuple[list[Household], Members]:
    """Families that never were, lived through; with whom each face shows."""
    households, members = [], dict[FaceId, str]()
    for number in range(count):
        family = draw_family(seed, number, months=months, world=load_world())
        household = Household(family.name, TrialArm(), children_of(family))
        for month in range(months):
            faces = family.faces[family.faces.month == month]
            if seen := observe(family, faces):
                household.live(calendar(month), seen)
            whom = (f"{family.name}/{who}" for who in faces.person.tolist())
            members |= dict(zip((one.observation.face_id for one in seen), whom, strict=True))
        households.append(household)
    return households, members


def lived(folder: Path, cache: Path) -> tuple[list[Household], Members]:
    """The families of an album after its last month; with whom each face shows."""
    album = load_album(folder, cache)
    _, households, _ = deque(live_through(album, TrialArm()), maxlen=1)[0]
    return list(households.values()), load_members(album)


def _interval(counts: NDArray[np.int64], column: int) -> tuple[float, float, float]:
    """A share of the labelled faces with its 95 % interval, from drawing the families again 2,000 times."""
    draws = np.random.default_rng(1).integers(0, len(counts), (2000, len(counts)))
    shares = counts[:, column][draws].sum(axis=1) / counts[:, 0][draws].sum(axis=1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return float(counts[:, column].sum() / counts[:, 0].sum()), float(low), float(high)


def _tell(name: str, order: str, curve: Curve) -> None:
    asked = ", ".join(f"{kind} {count} (yes {curve.agreed[kind]})" for kind, count in sorted(curve.asked.items()))
    pairs = sum(curve.asked[kind] for kind in _PAIRS)
    sys.stdout.write(f"{name} by {order}: {asked}; impossible {curve.impossible} of {pairs}\n")
    for tally in curve.tallies:
        total = tally.counts.sum(axis=0)
        share, low, high = _interval(tally.counts, 3)
        sys.stdout.write(
            f"  {tally.answers:4} answers, {tally.marks:3} marks: right {total[1] / total[0]:.3f}, settled"
            f" {total[2] / total[0]:.3f}, settled and right {share:.3f} ({low:.3f} to {high:.3f}),"
            f" of settled right {total[3] / max(total[2], 1):.4f} (n {total[0]})\n"
        )
    sys.stdout.flush()


def main() -> None:
    """Review every album by every order and print the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("albums", type=Path, nargs="?")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--album", nargs="+", default=["fiw", "growth", "stream"])
    parser.add_argument("--order", nargs="+", default=["settles"], choices=ORDERS)
    parser.add_argument("--errs", type=float, default=0.0)
    parser.add_argument("--most", type=int, default=250)
    parser.add_argument("--simulated", type=int, default=0)
    args = parser.parse_args()
    worlds = {}
    if args.albums:
        if args.cache is None:
            parser.error("albums need --cache")
        worlds = {name: lived(args.albums / "visible" / name, args.cache) for name in args.album}
    if args.simulated:
        worlds["simulated"] = simulated(args.simulated)
    for name, (households, members) in worlds.items():
        for order in args.order:
            families = [Family.of(household) for household in households]
            _tell(name, order, review_all(families, members, order, errs=args.errs, most=args.most))


if __name__ == "__main__":
    main()
