"""Carrying out what a user said, under one arm of an album that is a copy.

Whatever a user said of a face outweighs what an algorithm decided: where two faces can't both stay with a person,
the one that no user confirmed leaves, and waits for the next run.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from facealbum.corrections.anchors import find_person
from facealbum.corrections.ledger import Ledger
from facealbum.corrections.state import Album, Fact, LinkRow, PersonRow, Place
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import ChildId, FaceId, PersonId, PhotoId


class Draft:
    """One arm of `album`, which the methods change; persons are those of the arm, `who` is one as users named it."""

    def __init__(self, album: Album, ledger: Ledger, arm_id: int, *, now: datetime) -> None:
        self.album, self.ledger, self.arm_id, self.now = album, ledger, arm_id, now
        self.held = {face: place.person_id for (arm, face), place in album.places.items() if arm == arm_id}
        self.sure = ledger.sure_faces()

    def find(self, who: PersonId) -> PersonId | None:
        """Who that is under this arm."""
        return find_person(self.ledger, who, self.held, arm_id=self.arm_id)

    def put(self, faces: Iterable[FaceId], person: PersonId | None) -> None:
        """The faces, and those that are the same as they, join the person; who can't be beside them leaves."""
        if person is None:
            return
        group = self._groups(faces) - self.ledger.excluded
        for face in group:
            old = self.album.places.get((self.arm_id, face))
            if old is not None and old.person_id == person:
                self._place(face, replace(old, state="confirmed"))
            else:
                self._place(face, Place(person, None, "confirmed", 1.0, self.now))
        self._settle(group, self._faces_of(person) - group)

    def take(self, faces: Iterable[FaceId], person: PersonId | None) -> None:
        """The faces, and those that are the same as they, leave the person."""
        for face in self._groups(faces):
            if person is not None and self.held.get(face) == person:
                self._remove(face)

    def add_person(self, person: PersonId) -> None:
        """A person without faces."""
        self.album.persons[person] = PersonRow(self.arm_id, None)

    def merge(self, gone: PersonId, kept: PersonId) -> None:
        """The person's faces, its name and its child go to the one that is kept."""
        if (kept, False) in self.ledger.said_of(gone):
            return
        own, incoming = self._faces_of(kept), self._faces_of(gone)
        for face in incoming:
            self._place(face, replace(self.album.places[self.arm_id, face], person_id=kept))
        source, target = self.album.persons[gone], self.album.persons[kept]
        self.album.persons[gone] = replace(source, merged_into=kept)
        self.album.persons[kept] = replace(target, name=target.name or source.name)
        bars = self._bars(gone, kept)
        for face in (own | incoming) & bars:
            self._remove(face)
        self._settle(own - bars, incoming - bars)
        self._merge_links(gone, kept)

    def part(self, one: FaceId, other: FaceId) -> None:
        """The second face leaves the person that both have, or the first if only the second is confirmed."""
        if self.held.get(one) == self.held.get(other):
            leaves = one if other in self.sure and one not in self.sure else other
            self.take([leaves], self.held.get(leaves))

    def join(self, one: FaceId, other: FaceId) -> None:
        """The faces become one person: the one they are confirmed for, else the first's, else the second's.

        They wait together if neither is confirmed and nobody of these has room for both.
        """
        group = self.ledger.together(one)
        said = [(self.find(who), same) for who, same in self.ledger.persons_of(group)]
        barred = {person for person, same in said if not same}
        held = [self.held.get(face) for face in (one, other, *group)]
        choices = [person for person, same in said if same]
        choices += [person for person in held if person not in barred and self._has_room(person, group)]
        person = next((person for person in choices if person is not None), None)
        for face in group:
            if face in self.held and self.held[face] != person:
                self._remove(face)
        self.put(group, person)

    def separate(self, who: PersonId, other: PersonId) -> None:
        """Two persons of another arm are two people: if they are one here, the faces of the second leave."""
        here = self.find(who)
        if here is not None and here == self.find(other):
            self.take(self.ledger.stand_ins(self.ledger.root(other)), here)

    def link(self, person: PersonId | None, child: ChildId) -> None:
        """The person is the child; nobody who is in a photo with it is that, unless a user said so."""
        if person is None:
            return
        old = self.album.links.get(person)
        if old is not None and old.child_id == child:
            self.album.links[person] = replace(old, confirmed=True, probability=1.0)
        else:
            self.album.links[person] = LinkRow(child, None, 1.0, {}, confirmed=True, linked_at=self.now)
        photos = self._photos(self._faces_of(person))
        met = {self.held[face] for face in self.held if self.album.faces[face].photo_id in photos} - {person}
        for rival in met:
            link = self.album.links.get(rival)
            if link is not None and link.child_id == child and not link.confirmed:
                del self.album.links[rival]

    def unlink(self, person: PersonId | None, child: ChildId) -> None:
        """The person is not the child."""
        if person is not None and (link := self.album.links.get(person)) and link.child_id == child:
            del self.album.links[person]

    def call(self, person: PersonId | None, name: str | None) -> None:
        """The person has this name, or none."""
        if person is not None:
            self.album.persons[person] = replace(self.album.persons[person], name=name)

    def hide(self, person: PersonId | None, *, hidden: bool) -> None:
        """The person is hidden, or shown."""
        if person is not None:
            self.album.persons[person] = replace(self.album.persons[person], hidden=hidden)

    def exclude(self, faces: Iterable[FaceId]) -> None:
        """The faces are none, and belong to nobody."""
        for face in faces:
            self.album.excluded[face] = True
            if face in self.held:
                self._remove(face)

    def tell(self, faces: Iterable[FaceId], kind: Kind, value: float | None) -> None:
        """The faces are of this age or gender, whatever the models say."""
        for face in faces:
            self.album.facts[face, kind] = Fact(value)

    def _has_room(self, person: PersonId | None, group: Collection[FaceId]) -> bool:
        """Whether no face that a user confirmed keeps the group away from the person who has it."""
        photos, apart = self._photos(group), {rival for face in group for rival in self.ledger.apart(face)}
        return not any(
            self.held.get(face) == person and (face in apart or self.album.faces[face].photo_id in photos)
            for face in self.sure.difference(group)
        )

    def _settle(self, stay: Collection[FaceId], come: Collection[FaceId]) -> None:
        """Of each two faces that are two people the second leaves, the first if only the second is confirmed.

        Two that users confirmed both stay.  Faces that are the same leave together.
        """
        at: dict[PhotoId, list[FaceId]] = defaultdict(list)
        for face in sorted(stay):
            at[self.album.faces[face].photo_id].append(face)
        for face in sorted(come):
            rivals = {*at[self.album.faces[face].photo_id], *self.ledger.apart(face)} & set(stay)
            for rival in sorted(rivals - set(self.ledger.together(face))):
                if face not in self.held or rival not in self.held:
                    continue
                if face not in self.sure:
                    self.take([face], self.held[face])
                elif rival not in self.sure:
                    self.take([rival], self.held[rival])

    def _bars(self, *persons: PersonId) -> set[FaceId]:
        """The faces that users said are none of these persons, and those that are the same as they."""
        named = [who for who in self.ledger.homes if self.find(who) in persons]
        return self._groups(face for who in named for face in self.ledger.faces_of(who, same=False)) - self.sure

    def _merge_links(self, gone: PersonId, kept: PersonId) -> None:
        ruled_out = {
            word.child
            for word in self.ledger.children.values()
            if not word.same and self.find(word.person) in (gone, kept)
        }
        links = [self.album.links.pop(person, None) for person in (kept, gone)]
        good = [link for link in links if link is not None and (link.confirmed or link.child_id not in ruled_out)]
        if good:
            self.album.links[kept] = max(good, key=lambda link: link.confirmed)

    def _groups(self, faces: Iterable[FaceId]) -> set[FaceId]:
        return {one for face in faces for one in self.ledger.together(face)}

    def _faces_of(self, person: PersonId) -> set[FaceId]:
        return {face for face, holder in self.held.items() if holder == person}

    def _photos(self, faces: Iterable[FaceId]) -> set[PhotoId]:
        return {self.album.faces[face].photo_id for face in faces}

    def _place(self, face: FaceId, place: Place) -> None:
        self.album.places[self.arm_id, face] = place
        self.held[face] = place.person_id

    def _remove(self, face: FaceId) -> None:
        del self.album.places[self.arm_id, face]
        del self.held[face]
