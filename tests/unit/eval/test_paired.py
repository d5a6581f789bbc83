"""Two figures on the same cases are compared by drawing their groups again."""

import numpy as np

from eval.paired import Weights, compare


def share(hits: np.ndarray) -> object:
    """The share of hits, one case a group."""

    def measure(weights: Weights) -> float:
        return float(weights @ hits / weights.sum())

    return measure


def test_what_is_better_in_every_group_is_better_however_much_groups_differ() -> None:
    easy = np.random.default_rng(1).uniform(0.1, 0.8, 20)
    figure = compare(share(easy + 0.05), share(easy), groups=20, n=20)  # type: ignore[arg-type]
    assert figure is not None
    assert figure.better is True
    assert abs(figure.difference.low - 0.05) < 1e-9
    assert figure.high - figure.low > 0.1
    assert figure.low < figure.value < figure.high


def test_what_differs_by_chance_is_neither() -> None:
    draw = np.random.default_rng(2)
    figure = compare(share(draw.random(20)), share(draw.random(20)), groups=20, n=20)  # type: ignore[arg-type]
    assert figure is not None
    assert figure.better is None
    assert figure.to_dict()["better"] is None


def test_what_is_worse_is_said_to_be() -> None:
    figure = compare(share(np.zeros(20)), share(np.ones(20)), groups=20, n=20)  # type: ignore[arg-type]
    assert figure is not None
    assert figure.better is False


def test_without_a_case_there_is_no_figure() -> None:
    assert compare(lambda _weights: float("nan"), lambda _weights: 1.0, groups=3, n=0) is None
