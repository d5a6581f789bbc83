"""What clustering costs is measured on families that are drawn, and told as a table."""

import numpy as np
import pytest

from eval.cost import Cost, draw_family, exponent, measure, measure_months, render


def cost(faces: int, plan: float) -> Cost:
    return Cost(faces, product=1.0, plan=plan, unpinned=plan, both=1.5 * plan, hdbscan=None, megabytes=plan)


def test_a_drawn_family_resembles_itself_as_real_ones_do() -> None:
    faces, who = draw_family(300)
    similar = np.stack([face.embedding for face in faces]) @ np.stack([face.embedding for face in faces]).T
    same = np.equal.outer(who, who) & ~np.eye(len(who), dtype=bool)
    assert similar[same].mean() == pytest.approx(0.6, abs=0.1)
    assert similar[np.not_equal.outer(who, who)].mean() == pytest.approx(0.13, abs=0.05)


def test_the_exponent_of_a_square_is_two() -> None:
    power, error = exponent([cost(n, n * n / 1000) for n in (100, 200, 400, 800)], lambda one: one.plan)
    assert power == pytest.approx(2)
    assert error == pytest.approx(0, abs=1e-6)


def test_every_size_and_every_month_is_measured() -> None:
    found = measure(40)
    assert found.faces == 40
    assert found.hdbscan is not None
    assert min(found.product, found.plan, found.unpinned, found.both, found.hdbscan) >= 0
    assert len(measure_months(3)) == 3


def test_the_table_has_a_row_for_each_size_and_tells_how_cost_grows() -> None:
    text = render([cost(n, n * n / 1000) for n in (100, 200, 400, 800)], [10.0] * 24)
    assert text.count("\n|") == 5
    assert "faces^2.00" in text
    assert "10 ms in the first year, 10 ms in the last of 2; +0.00 ms" in text
