"""A file of arrays is read as it was written, or refused in one way, whatever has become of its bytes."""

from io import BytesIO

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.arrays import read_arrays


def written() -> bytes:
    file = BytesIO()
    np.savez_compressed(file, numbers=np.arange(2000), word=np.array("x"))
    return file.getvalue()


WRITTEN = written()


def test_arrays_come_back_by_their_names() -> None:
    arrays = read_arrays(WRITTEN)
    assert {name: array.tolist() for name, array in arrays.items()} == {"numbers": list(range(2000)), "word": "x"}


@given(st.integers(0, len(WRITTEN)), st.lists(st.tuples(st.integers(0, len(WRITTEN) - 1), st.integers(0, 255))))
def test_damaged_bytes_are_arrays_or_a_value_error(kept: int, changes: list[tuple[int, int]]) -> None:
    content = bytearray(WRITTEN)
    for place, value in changes:
        content[place] = value
    try:
        read_arrays(bytes(content[:kept]))
    except ValueError as error:
        assert "no whole .npz file" in str(error)  # noqa: PT017 - both endings are right
