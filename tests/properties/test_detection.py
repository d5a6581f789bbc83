"""What holds whenever candidates of several looks become faces."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.yunet import OVERLAP, SCORE, Candidates, distinct, turned_back

CORNER, SIDE = st.integers(0, 200), st.integers(1, 80)


def _place(row: tuple[int, ...]) -> tuple[int, ...]:
    """What orders candidates: one look never gives two of the same score and corner."""
    return row[0], row[1], row[4]


@st.composite
def candidates(draw: st.DrawFn) -> Candidates:
    """Up to 20 boxes; several often share a score or a corner."""
    rows = draw(st.lists(st.tuples(CORNER, CORNER, SIDE, SIDE, st.integers(1, 9)), max_size=20, unique_by=_place))
    result = np.zeros((len(rows), SCORE + 1), np.float32)
    for row, (left, top, width, height, score) in zip(result, rows, strict=True):
        row[:4], row[SCORE] = (left, top, left + width, top + height), score / 10
    return result


def overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Intersection over union."""
    across, down = (min(one[edge + 2], other[edge + 2]) - max(one[edge], other[edge]) for edge in (0, 1))
    shared = max(0.0, float(across)) * max(0.0, float(down))
    areas = sum(float((box[2] - box[0]) * (box[3] - box[1])) for box in (one, other))
    return shared / (areas - shared)


@settings(deadline=None)
@given(candidates())
def test_faces_do_not_depend_on_the_order_of_candidates(rows: Candidates) -> None:
    assert distinct(rows[::-1]).tobytes() == distinct(rows).tobytes()


@settings(deadline=None)
@given(candidates())
def test_faces_never_overlap_and_every_candidate_left_out_overlaps_a_better_one(rows: Candidates) -> None:
    faces = distinct(rows)
    assert distinct(faces).tobytes() == faces.tobytes()
    for number, face in enumerate(faces):
        assert all(overlap(face, other) <= OVERLAP + 1e-6 for other in faces[:number])
    kept = {row.tobytes() for row in faces}
    for row in rows:
        if row.tobytes() not in kept:
            assert any(overlap(row, face) > OVERLAP - 1e-6 and face[SCORE] >= row[SCORE] for face in faces)


@settings(deadline=None)
@given(st.data(), st.integers(1, 20), st.integers(1, 20), st.integers(0, 3))
def test_what_a_turned_picture_shows_is_where_the_picture_has_it(
    data: st.DataObject, rows: int, columns: int, turns: int
) -> None:
    row, column = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    picture = np.zeros((rows, columns), np.uint8)
    picture[row, column] = 1
    (top, left), *_ = np.argwhere(np.rot90(picture, turns))
    seen = np.full((1, SCORE + 1), 0.5, np.float32)
    seen[0, :4], seen[0, 4:SCORE] = (left, top, left + 1, top + 1), np.tile((left + 0.5, top + 0.5), 5)
    (back,) = turned_back(seen, turns, (rows, columns))
    assert back[:4].tolist() == [column, row, column + 1, row + 1]
    assert back[4:].tolist() == [*([column + 0.5, row + 0.5] * 5), 0.5]
