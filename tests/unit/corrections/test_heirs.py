"""Faces go on in the ones that another detector finds in their place."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.corrections.heirs import OVERLAP, find_heirs
from facealbum.domain.faces import Box
from tests.unit.corrections.small_album import face


def box(left: float, *, width: float = 100.0, top: float = 0.0) -> Box:
    return Box(left, top, left + width, top + 100)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = max(0.0, min(one.x2, other.x2) - max(one.x1, other.x1))
    height = max(0.0, min(one.y2, other.y2) - max(one.y1, other.y1))
    return width * height / (one.width * one.height + other.width * other.height - width * height)


def test_a_face_goes_on_where_half_of_both_boxes_is_common() -> None:
    assert find_heirs({face(1): box(0)}, {face(2): box(0, width=200)}) == {face(1): face(2)}
    assert find_heirs({face(1): box(0)}, {face(2): box(0, width=202)}) == {}


def test_a_face_has_one_heir_and_the_other_face_none() -> None:
    assert find_heirs({face(1): box(0)}, {face(2): box(20), face(3): box(5)}) == {face(1): face(3)}
    assert find_heirs({face(1): box(0), face(2): box(20)}, {face(3): box(3)}) == {face(1): face(3)}


def test_the_best_pairing_counts_and_not_the_best_pair() -> None:
    old, new = {face(1): box(0), face(2): box(20)}, {face(3): box(11), face(4): box(32)}
    assert find_heirs(old, new) == {face(1): face(3), face(2): face(4)}


@pytest.mark.parametrize("some", [{}, {face(1): box(0)}])
def test_without_faces_there_are_no_heirs(some: dict) -> None:
    assert find_heirs(some, {}) == find_heirs({}, some) == {}


@given(st.lists(st.integers(0, 120), min_size=1, max_size=4), st.lists(st.integers(0, 120), min_size=1, max_size=4))
def test_no_other_pairing_overlaps_more(olds: list[int], news: list[int]) -> None:
    old = {face(number): box(left) for number, left in enumerate(olds)}
    new = {face(10 + number): box(left, top=7) for number, left in enumerate(news)}
    found = find_heirs(old, new)
    assert len(set(found.values())) == len(found)
    few, many = sorted((old, new), key=len)
    shares = (
        [overlap(few[one], many[other]) for one, other in zip(few, some, strict=True)]
        for some in permutations(many, len(few))
    )
    best = max(sum(share for share in of if share >= OVERLAP) for of in shares)
    assert np.isclose(sum(overlap(old[one], new[other]) for one, other in found.items()), best)
