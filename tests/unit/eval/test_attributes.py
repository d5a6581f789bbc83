"""What all faces of a person say together."""

import numpy as np
import pytest

from eval.attributes import by_person


def test_faces_that_err_to_both_sides_are_right_together() -> None:
    off, right = by_person(
        np.array([2.0, -2.0, 3.0]), np.array([0.9, 0.3, 0.6]), np.array([1.0, 1.0, 0.0]), ["a", "a", "b"]
    )
    assert off == pytest.approx([0, 3])
    assert right.tolist() == [1, 0]


def test_no_single_face_outshouts_two_others() -> None:
    _, right = by_person(np.zeros(3), np.array([1.0, 0.05, 0.05]), np.zeros(3), ["a"] * 3)
    assert right.tolist() == [1]
