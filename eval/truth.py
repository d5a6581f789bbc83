"""Who the faces of an album really show, and how well a grouping agrees with that.

The albums' own scorer (eval.bench) gives the figures that are published; these are for what it does not see: every
month of a run, single persons, and thresholds that are searched for.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from eval.albums import Album, AlbumFace
from eval.rows import read_rows
from facealbum.domain.faces import Box
from facealbum.domain.ids import FaceId, PersonId

PersonOf = Mapping[FaceId, PersonId]
"""The person of every face that has one."""

Members = Mapping[FaceId, str]
"""The true member of every face that fits one, "family/name"."""


class Scores(NamedTuple):
    """Precision, recall and their harmonic mean, 0 to 1."""

    precision: float
    recall: float
    f: float


def load_members(album: Album) -> Members:
    """The true member of every face; a face and a true box of its photo fit if one holds the other's middle."""
    truth: dict[tuple[str, str], list[tuple[Box, str]]] = defaultdict(list)
    for row in read_rows(album.folder / "truth.csv"):
        box = Box(*(float(row[edge]) for edge in ("x1", "y1", "x2", "y2")))
        if row["member"]:
            truth[row["family"], row["photo"]].append((box, f"{row['family']}/{row['member']}"))
    photos: dict[tuple[str, str], list[AlbumFace]] = defaultdict(list)
    for face in album.faces:
        photos[face.family, face.photo].append(face)
    found: dict[FaceId, str] = {}
    for photo, faces in photos.items():
        found |= _fit(faces, truth[photo])
    return found


def bcubed(person_of: PersonOf, members: Members) -> Scores:
    """B-cubed over all faces with a member (Bagga and Baldwin 1998); a face without a person is alone in its group."""
    group: dict[FaceId, Hashable] = {face: person_of.get(face, face) for face in members}
    of_group, of_member = Counter(group.values()), Counter(members.values())
    both = Counter((group[face], member) for face, member in members.items())
    precision = sum(count**2 / of_group[one] for (one, _), count in both.items()) / len(members)
    recall = sum(count**2 / of_member[member] for (_, member), count in both.items()) / len(members)
    return Scores(precision, recall, 2 * precision * recall / (precision + recall))


def count_changed(before: PersonOf, after: PersonOf, faces: Iterable[FaceId]) -> int:
    """How many of the faces do not have the same companions among them after as before; nobody's faces are alone."""
    groups = [(before.get(face, face), after.get(face, face)) for face in faces]
    both, earlier, later = Counter(groups), Counter(one for one, _ in groups), Counter(one for _, one in groups)
    return sum(both[one, other] < max(earlier[one], later[other]) for one, other in groups)


def _fit(faces: list[AlbumFace], truth: list[tuple[Box, str]]) -> dict[FaceId, str]:
    """One member a face, nearest middles first."""
    pairs = sorted(
        (_apart(face.face.box, box), number, place)
        for number, face in enumerate(faces)
        for place, (box, _) in enumerate(truth)
        if _holds(face.face.box, box) or _holds(box, face.face.box)
    )
    fits: dict[int, int] = {}
    for _, number, place in pairs:
        if number not in fits and place not in fits.values():
            fits[number] = place
    return {faces[number].observation.face_id: truth[place][1] for number, place in fits.items()}


def _middle(box: Box) -> tuple[float, float]:
    return (box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2


def _apart(one: Box, other: Box) -> float:
    (x, y), (across, down) = _middle(one), _middle(other)
    return (x - across) ** 2 + (y - down) ** 2


def _holds(box: Box, other: Box) -> bool:
    x, y = _middle(other)
    return box.x1 <= x <= box.x2 and box.y1 <= y <= box.y2
