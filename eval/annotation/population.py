"""What may be drawn of one family: its assigned faces, its pairs of faces, its persons.

Left out are persons of a single face, of whom nothing can be asked, and pairs within one photo, which are two people
by rule.  Of a family with more than PAIRED_FACES faces the pairs of a random part are offered, with the probability
that this gives each of them.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from eval.annotation.design import BANDS, Design, Reservoir, Stratum, Words, band_of, bands, priorities, words_of
from eval.annotation.items import Item, Kind, item_id
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId, PhotoId

REFERENCES = 5
SHOWN_OF_CLUSTER = 12
PAIRED_FACES = 200
AGES = ("0-2", "3-6", "7-12", "13-17", "18+")
NOBODY = "none"
_AGE_ENDS = (3, 7, 13, 18)
_YEAR = 365.2425
_One = TypeVar("_One")


@dataclass(frozen=True, slots=True)
class Place:
    """The person of a face under one arm, how alike they are, and the child that the person is linked to."""

    person_id: PersonId
    score: float
    child_id: ChildId | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A face and its photo."""

    face_id: FaceId
    photo_id: PhotoId
    taken_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class FamilyFaces:
    """The faces of one family within the sample's month, and where each arm has them.

    thresholds: the similarity from which each arm takes two faces for one person.  embeddings: of unit length, in the
    first arm's space, of the `paired` faces; only pairs need them.
    """

    family_id: FamilyId
    faces: Sequence[Picture]
    places: Mapping[str, Mapping[FaceId, Place]]
    thresholds: Mapping[str, float]
    children: Mapping[ChildId, tuple[date, str]]
    embeddings: Mapping[FaceId, NDArray[np.float32]] = field(default_factory=dict)


def offer_family(reservoir: Reservoir, family: FamilyFaces) -> None:
    """Offer everything of the family that the design asks for."""
    match reservoir.design.kind:
        case Kind.FACES:
            _offer_faces(reservoir, family)
        case Kind.PAIRS:
            _offer_pairs(reservoir, family)
        case Kind.CLUSTERS:
            _offer_clusters(reservoir, family)


def pick_spread(ordered: Sequence[_One], count: int) -> tuple[_One, ...]:
    """Up to `count`, spread evenly."""
    if len(ordered) <= count:
        return tuple(ordered)
    return tuple(ordered[round(index * (len(ordered) - 1) / (count - 1))] for index in range(count))


def _persons(family: FamilyFaces, arm: str) -> dict[PersonId, list[Picture]]:
    """The faces of each person of at least two, oldest first."""
    of: dict[PersonId, list[Picture]] = defaultdict(list)
    for face in sorted(family.faces, key=lambda one: (one.taken_at, one.face_id)):
        if place := family.places[arm].get(face.face_id):
            of[place.person_id].append(face)
    return {person: faces for person, faces in of.items() if len(faces) > 1}


def _slices(design: Design, family: FamilyFaces, arm: str, child: ChildId | None, at: datetime) -> tuple[str, ...]:
    """The strata of an item by its child and arm."""
    born, gender = family.children[child] if child else (None, NOBODY)
    age = AGES[_age_band(born, at)] if born else NOBODY
    said = {"arm": f"arm:{arm}", "age": f"age:{age}", "gender": f"gender:{gender}"}
    return tuple(text for name, text in said.items() if name in design.strata)


def _age_band(born: date, at: datetime) -> int:
    return bisect_right(_AGE_ENDS, (at.date() - born).days / _YEAR)


def _matches(family: FamilyFaces, arms: Sequence[str]) -> Iterator[Mapping[PersonId, PersonId | None]]:
    """For each arm, whom most faces of each person are with under the other one; nothing where there is no other."""
    for one, other in zip(arms, reversed(arms), strict=True):
        shared: Counter[tuple[PersonId, PersonId]] = Counter()
        for face, place in family.places[one].items():
            if there := family.places[other].get(face):
                shared[place.person_id, there.person_id] += 1
        best: dict[PersonId, PersonId | None] = {}
        for (here, there_id), _ in sorted(shared.items(), key=lambda entry: (-entry[1], entry[0])):
            best.setdefault(here, there_id)
        yield best


def _offer_faces(reservoir: Reservoir, family: FamilyFaces) -> None:
    design = reservoir.design
    for arm, match in zip(design.arms, _matches(family, design.arms), strict=True):
        other = _other_places(family, design, arm)
        found: dict[Stratum, list[tuple[Sequence[Picture], int]]] = defaultdict(list)
        for person, faces in _persons(family, arm).items():
            for index, face in enumerate(faces):
                place = family.places[arm][face.face_id]
                there = other.get(face.face_id)
                differs = "disagreement" in design.strata and (there and there.person_id) != match.get(person)
                slices = _slices(design, family, arm, place.child_id, face.taken_at)
                band = _band(design, place.score, family.thresholds[arm])
                found[Stratum(True, band, slices, differs)].append((faces, index))
        for stratum, units in found.items():
            keys = priorities(design.seed, *_words(family, arm, [faces[index].face_id for faces, index in units]))
            reservoir.offer(stratum, keys, partial(_face_item, family, design, arm, units))


def _face_item(
    family: FamilyFaces, design: Design, arm: str, units: Sequence[tuple[Sequence[Picture], int]], number: int
) -> Item:
    faces, index = units[number]
    asked = faces[index].face_id
    place = family.places[arm][asked]
    shown = (asked, *(face.face_id for face in pick_spread([*faces[:index], *faces[index + 1 :]], REFERENCES)))
    identity = item_id(family.family_id, design.name, arm, shown[:1])
    return Item(family.family_id, identity, "", 1, shown, arm, place.person_id, place.child_id)


def _offer_clusters(reservoir: Reservoir, family: FamilyFaces) -> None:
    design = reservoir.design
    for arm, match in zip(design.arms, _matches(family, design.arms), strict=True):
        other = _other_places(family, design, arm)
        found: dict[Stratum, list[Sequence[Picture]]] = defaultdict(list)
        for person, faces in _persons(family, arm).items():
            places = [family.places[arm][face.face_id] for face in faces]
            there = {(place and place.person_id) for place in (other.get(face.face_id) for face in faces)}
            differs = "disagreement" in design.strata and there != {match.get(person)}
            slices = _slices(design, family, arm, places[0].child_id, faces[-1].taken_at)
            mean = sum(place.score for place in places) / len(places)
            found[Stratum(True, _band(design, mean, family.thresholds[arm]), slices, differs)].append(faces)
        for stratum, units in found.items():
            keys = priorities(design.seed, *_words(family, arm, [faces[0].face_id for faces in units]))
            reservoir.offer(stratum, keys, partial(_cluster_item, family, design, arm, units))


def _cluster_item(
    family: FamilyFaces, design: Design, arm: str, units: Sequence[Sequence[Picture]], number: int
) -> Item:
    faces = units[number]
    place = family.places[arm][faces[0].face_id]
    order = np.argsort(priorities(design.seed, words_of(face.face_id for face in faces)), kind="stable")
    shown = tuple(faces[index].face_id for index in order[:SHOWN_OF_CLUSTER])
    identity = item_id(family.family_id, design.name, arm, shown)
    return Item(family.family_id, identity, "", 1, shown, arm, place.person_id, place.child_id, size=len(faces))


def _other_places(family: FamilyFaces, design: Design, arm: str) -> Mapping[FaceId, Place]:
    """Where the other arm has the faces; the same one where there is no other."""
    return family.places[design.arms[-1] if arm == design.arms[0] else design.arms[0]]


def _words(family: FamilyFaces, arm: str, faces: Sequence[FaceId]) -> tuple[Words, Words]:
    """What a face's priority is made of: the face, and its person, who belongs to the arm."""
    return words_of(faces), words_of(family.places[arm][face].person_id for face in faces)


def _band(design: Design, score: float, threshold: float) -> str:
    return BANDS[band_of(score, threshold)] if "band" in design.strata else ""


def paired(seed: int, faces: Sequence[Picture]) -> list[Picture]:
    """The faces of a family whose pairs are offered: all of them, or a random PAIRED_FACES, in the order of ids."""
    order = np.argsort(priorities(seed, words_of(face.face_id for face in faces)), kind="stable")
    return sorted((faces[index] for index in order[:PAIRED_FACES]), key=lambda face: face.face_id)


def _offer_pairs(reservoir: Reservoir, family: FamilyFaces) -> None:
    design, count = reservoir.design, len(family.faces)
    if count < 2:  # noqa: PLR2004 - a pair
        return
    faces = paired(design.seed, family.faces)
    words = words_of(face.face_id for face in faces)
    vectors = np.array([family.embeddings[face.face_id] for face in faces])
    first = len(faces) * (len(faces) - 1) / (count * (count - 1))
    left, right = np.triu_indices(len(faces), 1)
    photos = np.unique([str(face.photo_id) for face in faces], return_inverse=True)[1]
    apart = photos[left] != photos[right]
    left, right = left[apart], right[apart]
    held = {arm: _held_together(family, faces, arm)[left, right] for arm in design.arms}
    similarity = (vectors @ vectors.T)[left, right].astype(np.float64)
    codes, strata = _pair_strata(family, design, faces, (left, right), held, similarity)
    keys = priorities(design.seed, words[left], words[right])
    for code, stratum in strata.items():
        where = np.flatnonzero(codes == code)

        def make(index: int, where: NDArray[np.intp] = where) -> Item:
            pair = int(where[index])
            two = (faces[left[pair]].face_id, faces[right[pair]].face_id)
            together = tuple(arm for arm in design.arms if held[arm][pair])
            identity = item_id(family.family_id, design.name, None, two)
            return Item(family.family_id, identity, "", 1, two, together=together)

        reservoir.offer(stratum, keys[where], make, first=first)


def _held_together(family: FamilyFaces, faces: Sequence[Picture], arm: str) -> NDArray[np.bool_]:
    """bool[faces, faces]: whether the arm gives both to one person."""
    number: dict[PersonId, int] = {}
    places = [family.places[arm].get(face.face_id) for face in faces]
    of = np.array(
        [number.setdefault(place.person_id, len(number)) if place else -1 - index for index, place in enumerate(places)]
    )
    return np.asarray(of[:, None] == of[None, :])


def _pair_strata(
    family: FamilyFaces,
    design: Design,
    faces: Sequence[Picture],
    pairs: tuple[NDArray[np.intp], NDArray[np.intp]],
    held: Mapping[str, NDArray[np.bool_]],
    similarity: NDArray[np.float64],
) -> tuple[NDArray[np.intp], dict[int, Stratum]]:
    """A code for the stratum of each pair, and the stratum of each code; a pair's child is the youngest of its two."""
    per_arm = np.array([held[arm] for arm in design.arms])
    together: NDArray[np.bool_] = np.logical_or.reduce(per_arm)
    differs = together & ~np.logical_and.reduce(per_arm) & ("disagreement" in design.strata)
    by_band = bands(similarity, family.thresholds[design.arms[0]]) if "band" in design.strata else 0 * pairs[0]
    of_face = [_child_of(family, design, face) for face in faces]
    kinds = sorted(set(of_face))
    rank = np.array([kinds.index(one) for one in of_face])
    others = np.minimum(rank[pairs[0]], rank[pairs[1]])
    codes = ((others * len(BANDS) + by_band) * 2 + together) * 2 + differs
    strata = {}
    for code in np.unique(codes):
        pair = int(np.argmax(codes == code))
        band = BANDS[by_band[pair]] if "band" in design.strata else ""
        slices = tuple(text for text in kinds[int(others[pair])][1:] if text)
        strata[int(code)] = Stratum(bool(together[pair]), band, slices, bool(differs[pair]))
    return codes, strata


def _child_of(family: FamilyFaces, design: Design, face: Picture) -> tuple[int, str, str]:
    """The strata of a face by its child under the first arm, the youngest band first."""
    place = family.places[design.arms[0]].get(face.face_id)
    child = place.child_id if place else None
    band = _age_band(family.children[child][0], face.taken_at) if child else len(AGES)
    slices = [name for name in ("age", "gender") if name in design.strata]
    said = {"age": f"age:{AGES[band] if child else NOBODY}"}
    said["gender"] = f"gender:{family.children[child][1] if child else NOBODY}"
    texts = [said[name] if name in slices else "" for name in ("age", "gender")]
    return (band if slices else 0, texts[0], texts[1])
