"""docs/metrics.md says of each metric what the code says, and its examples come out as they stand there."""

import doctest
from pathlib import Path

import pytest

from eval.metrics import METRICS

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.key)
def test_each_metric_is_described_as_it_is_defined(metric: object) -> None:
    key, formula, unit, better = (getattr(metric, name) for name in ("key", "formula", "unit", "better"))
    assert f"| `{key}` | {formula} | {unit} | {better} | " in TEXT
    assert f"| `{key}` | {'. '.join(metric.fails)} |" in TEXT  # type: ignore[attr-defined]


def test_the_worked_examples_come_out() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert found.attempted >= 10
    assert not found.failed
