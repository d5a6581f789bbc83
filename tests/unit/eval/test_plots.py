"""Calibration plots show what was said beside what happened, and nothing is hidden in a bin."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eval.plots import plot_calibration, reliability


def test_what_was_said_stands_beside_what_happened() -> None:
    said = np.repeat([0.2, 0.8], 50)
    happened = np.tile([1.0, 0.0, 0.0, 0.0, 0.0], 20)
    bins = reliability(said, happened)
    assert bins[:, 0] == pytest.approx(np.repeat([0.2, 0.8], 5))
    assert bins[:, 1] == pytest.approx(0.2)
    assert (bins[:, 2] > 0).all()


def test_few_cases_make_few_bins() -> None:
    assert reliability(np.array([0.5, 0.1]), np.array([1.0, 0.0])).tolist() == [[0.1, 0, 0], [0.5, 1, 0]]


@pytest.mark.parametrize("groups", [1, 2])
def test_a_plot_is_a_picture_with_a_column_for_each_group(tmp_path: Path, groups: int) -> None:
    said = np.linspace(0, 1, 30)
    plot_calibration([("some", said, said)] * groups, tmp_path / "new" / "plot.png", label="quality")
    with Image.open(tmp_path / "new" / "plot.png") as picture:
        assert picture.format == "PNG"
        assert picture.width == pytest.approx(picture.height * groups, rel=0.01)
