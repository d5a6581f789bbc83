"""What all faces of a person say together, and the labels that they are held against."""

import numpy as np
import pytest

from eval.attributes import by_person
from eval.labelled import lifted


def test_faces_that_err_to_both_sides_are_right_together() -> None:
    off, right = by_person(
        np.array([2.0, -2.0, 3.0]), np.array([0.9, 0.3, 0.6]), np.array([1.0, 1.0, 0.0]), ["a", "a", "b"]
    )
    assert off == pytest.approx([0, 3])
    assert right.tolist() == [1, 0]


def test_no_single_face_outshouts_two_others() -> None:
    _, right = by_person(np.zeros(3), np.array([1.0, 0.05, 0.05]), np.zeros(3), ["a"] * 3)
    assert right.tolist() == [1]


@pytest.mark.parametrize("turn", [0.0, 30.0, 200.0])
def test_a_nose_that_is_lifted_comes_nearer_to_the_eyes_however_the_head_is_tilted(turn: float) -> None:
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    level = np.array([[-30, 0], [30, 0], [4, 40], [-20, 60], [20, 60]]) @ np.array([[c, s], [-s, c]])
    assert lifted(level) == pytest.approx(1 / 3)
    assert lifted(level - np.eye(5, 1, -2) * level[3:].mean(axis=0) / 6) == pytest.approx(1 / 2)
