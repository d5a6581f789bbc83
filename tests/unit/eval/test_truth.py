"""Scores against truth, worked out by hand."""

from pathlib import Path
from uuid import UUID

import pytest

from eval.albums import Album
from eval.truth import bcubed, count_changed, load_members
from facealbum.domain.ids import FaceId, PersonId
from tests.unit.eval.small_album import FAMILY, PEOPLE, small_album


def face(number: int) -> FaceId:
    return FaceId(UUID(int=number))


def persons(*groups: str) -> dict[FaceId, PersonId]:
    """A person a character; a dot is nobody."""
    return {face(n): PersonId(UUID(int=ord(one))) for n, one in enumerate("".join(groups)) if one != "."}


def test_bcubed_counts_a_face_without_a_person_as_a_group_of_its_own() -> None:
    members = {face(n): member for n, member in enumerate("aaab")}
    found = bcubed(persons("x.xx"), members)
    assert found.precision == pytest.approx((2 / 3 + 1 + 2 / 3 + 1 / 3) / 4)
    assert found.recall == pytest.approx((2 / 3 + 1 / 3 + 2 / 3 + 1) / 4)


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("xxy", "xxy", 0),
        ("xxy", "aab", 0),  # other names, same companions
        ("xxyy", "xxyz", 2),
        ("xx.", "xxx", 3),  # somebody waited and joins: all three have new company
        ("x.", "x.", 0),
    ],
)
def test_a_face_is_changed_if_its_companions_are(before: str, after: str, changed: int) -> None:
    faces = [face(n) for n in range(len(before))]
    assert count_changed(persons(before), persons(after), faces) == changed


def test_new_faces_change_nobody() -> None:
    faces = [face(0), face(1)]
    assert count_changed(persons("xx"), persons("xxxx"), faces) == 0


def test_faces_are_given_the_member_whose_box_they_fit(tmp_path: Path) -> None:
    album, members = small_album(months=1, a_month=2)
    rows = [
        f"{FAMILY},{photo},{100 * place + 5},3,{100 * place + 85},95,{name}"
        for photo in ("1-0", "1-1")
        for place, name in enumerate(PEOPLE)
    ]
    (tmp_path / "truth.csv").write_text("family,photo,x1,y1,x2,y2,member\n" + "\n".join(rows[:-1]), encoding="utf-8")
    found = load_members(Album(tmp_path, album.faces, {}))
    assert found.items() <= members.items()
    assert len(found) == len(members) - 1
