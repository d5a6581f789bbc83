"""Users' decisions, undone and made in any order, with runs of two arms between them: decisions always win."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid5

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from facealbum.clustering import ClusteringParameters, ClusteringProblem, Node, Observation, plan_clusters
from facealbum.corrections import (
    Album,
    ArmWords,
    FaceRow,
    Fact,
    Ledger,
    PersonRow,
    Place,
    Request,
    constrain_decisions,
    read_ledger,
)
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import FaceId, PersonId, PhotoId
from facealbum.domain.people import Gender
from facealbum.errors import ContradictionError, InvalidValueError, UndoError
from tests.unit.corrections.small_album import CHILDREN, HOME, NOW, OTHER, RUN, Told, child, face, photo

FACES = 14
PARAMETERS = ClusteringParameters(similarity=0.4, poor_similarity=0.45)
ARMS = {HOME: "constrained", OTHER: "hdbscan"}

kinds = st.sampled_from(sorted(set(Kind) - {Kind.NOT_A_FACE}))
some_faces = st.lists(st.integers(0, FACES - 1), min_size=1, max_size=3, unique=True)
any_number = st.integers(0, 2**16)


class Albums(RuleBasedStateMachine):
    """A family whose users decide and whose arms run; faces resemble each other at random."""

    told: Told
    vectors: np.ndarray

    @initialize(seed=any_number)
    def upload(self, seed: int) -> None:
        """Faces of few looks, some of them in one photo, clustered under both arms."""
        rng = np.random.default_rng(seed)
        vectors = rng.normal(size=(FACES, 4))
        self.vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        start = Album(children=frozenset(map(child, range(CHILDREN))))
        for number in range(FACES):
            start.faces[face(number)] = FaceRow(photo(int(rng.integers(0, FACES))), NOW, number / FACES)
        self.told = Told(start)
        for arm in ARMS:
            self.run(arm, "constrained")

    @rule(arm=st.sampled_from(sorted(ARMS)), algorithm=st.sampled_from(["constrained", "hdbscan"]))
    def run(self, arm: int, algorithm: str) -> None:
        """Cluster all that waits under one arm."""
        album, ledger = self.told.album.copy(), self.ledger()
        held = {one: place.person_id for (its, one), place in album.places.items() if its == arm}
        words = ArmWords(ledger, arm, held)
        waiting = {one for one in album.faces if one not in held and one not in album.excluded}
        photos_of = {who: frozenset(self._photos(held, who)) for who in held.values()}
        demands = constrain_decisions(
            words,
            {one: album.faces[one].photo_id for one in waiting},
            {who: one for one, who in sorted(held.items(), reverse=True)},
            photos_of,
        )
        plan = plan_clusters(
            ClusteringProblem(
                faces=tuple(self._seen(one) for one in sorted(waiting - demands.withheld)),
                nodes=tuple(Node(self._seen(one), who) for one, who in held.items()),
                constraints=demands.constraints,
                photos_of=photos_of,
            ),
            PARAMETERS,
            algorithm=algorithm,
        )
        joined = {one.face_id: one.person_id for one in plan.attach}
        for group in plan.create:
            who = PersonId(uuid5(RUN, f"{arm}/{group.founder}/{len(album.persons)}"))
            album.persons[who] = PersonRow(arm, RUN)
            joined |= dict.fromkeys(group.face_ids, who)
        for one, who in joined.items():
            album.places[arm, one] = Place(who, RUN, "confirmed", 0.5, NOW)
        for move in plan.move:
            album.persons[move.source] = replace(album.persons[move.source], merged_into=move.target)
            for key, place in list(album.places.items()):
                if place.person_id == move.source:
                    album.places[key] = replace(place, person_id=move.target)
        self.told.album = album

    @rule(kind=kinds, faces=some_faces, picks=st.tuples(any_number, any_number, any_number))
    def decide(self, kind: Kind, faces: list[int], picks: tuple[int, int, int]) -> None:
        """Something that a user might say; what is refused changes nothing, and undoing it at once restores."""
        before, recorded = self.told.album, len(self.told.recorded)
        request = self._request(kind, faces, picks)
        if request is None:
            return
        try:
            number = self.told.say(request)
        except (ContradictionError, InvalidValueError):
            assert (self.told.album, len(self.told.recorded)) == (before, recorded)
            return
        after = self.told.album
        self.told.undo(number)
        assert self.told.album == before
        self.told.recorded[-1] = (replace(self.told.recorded[-1][0], undone_at=None), self.told.recorded[-1][1])
        self.told.album = after

    @precondition(lambda self: self.told.recorded)
    @rule(pick=any_number)
    def undo(self, pick: int) -> None:
        """Take any decision back, if no later one builds on it."""
        number = 1 + pick % len(self.told.recorded)
        before = self.told.album
        try:
            self.told.undo(number)
        except UndoError:
            assert self.told.album == before

    @invariant()
    def decisions_win(self) -> None:
        """At home every word holds: whoever was confirmed is there, and whoever was rejected is not."""
        held = {one: place.person_id for (arm, one), place in self.told.album.places.items() if arm == HOME}
        ledger = self.ledger()
        for word in ledger.words.values():
            ends = [one if one in ledger.homes else held.get(FaceId(one)) for one in (word.one, word.other)]
            settled = None not in ends or (word.same and {word.one, word.other} & ledger.homes.keys())
            assert not settled or (ends[0] == ends[1]) == word.same, word

    @invariant()
    def one_person_is_once_in_a_photo(self) -> None:
        """But for faces that users confirmed."""
        sure, seen = self.ledger().sure_faces(), {}
        for (arm, one), place in sorted(self.told.album.places.items()):
            spot = (arm, place.person_id, self.told.album.faces[one].photo_id)
            other = seen.setdefault(spot, one)
            assert other == one or {one, other} <= sure or one in self.ledger().together(other)

    @invariant()
    def the_last_word_on_a_face_s_age_and_gender_holds(self) -> None:
        """Of those that are not undone."""
        said = {}
        for decision, _ in self.told.recorded:
            request = decision.request
            if decision.undone_at is None and request.kind in (Kind.AGE, Kind.GENDER):
                p_female = {None: None, Gender.FEMALE: 1.0, Gender.MALE: 0.0}[request.gender]
                value = request.age if request.kind is Kind.AGE else p_female
                said |= {(one, request.kind): Fact(value) for one in request.faces}
        assert self.told.album.facts == said

    @invariant()
    def nobody_belongs_to_a_person_that_is_gone(self) -> None:
        """Every place and link is of a person that stands for itself."""
        persons = self.told.album.persons
        for who in {*(place.person_id for place in self.told.album.places.values()), *self.told.album.links}:
            assert persons[who].merged_into is None

    def ledger(self) -> Ledger:
        return read_ledger([decision for decision, _ in self.told.recorded], self.told.album.merged())

    def _request(  # noqa: C901, PLR0911 - a return for each kind
        self, kind: Kind, faces: list[int], picks: tuple[int, int, int]
    ) -> Request | None:
        at_home = sorted(who for who, row in self.told.album.persons.items() if row.arm_id == HOME)
        if not at_home:
            return None
        person, other = (at_home[pick % len(at_home)] for pick in picks[:2])
        some = tuple(map(face, faces))
        held = self.told.album.places
        match kind:
            case Kind.MERGE | Kind.DIFFERENT if person != other:
                return Request(kind, person=person, other=other)
            case Kind.SAME | Kind.DIFFERENT if len(some) > 1:
                return Request(kind, some[:2])
            case Kind.MOVE if person != other:
                return Request(kind, some, person, other)
            case Kind.SPLIT:
                its = [one for one in some if (HOME, one) in held and held[HOME, one].person_id == person]
                return Request(kind, tuple(its), person) if its else None
            case Kind.CONFIRM | Kind.REJECT:
                return Request(kind, some, person)
            case Kind.LINK | Kind.UNLINK:
                return Request(kind, person=person, child=child(picks[2] % CHILDREN))
            case Kind.NAME:
                return Request(kind, person=person, name="Hana")
            case Kind.HIDE | Kind.UNHIDE:
                return Request(kind, person=person)
            case Kind.AGE:
                return Request(kind, some, age=picks[2] % 9 or None)
            case Kind.GENDER:
                return Request(kind, some, gender=(None, Gender.FEMALE, Gender.MALE)[picks[2] % 3])
        return None

    def _seen(self, one: FaceId) -> Observation:
        return Observation(
            face_id=one,
            photo_id=self.told.album.faces[one].photo_id,
            taken_at=NOW,
            quality=0.9,
            yaw=0.0,
            size=100.0,
            embedding=self.vectors[one.int],
        )

    def _photos(self, held: Mapping[FaceId, PersonId], who: PersonId) -> set[PhotoId]:
        return {self.told.album.faces[one].photo_id for one, its in held.items() if its == who}


TestAlbums = Albums.TestCase
TestAlbums.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
