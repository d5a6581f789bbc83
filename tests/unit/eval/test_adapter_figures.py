"""An adapter is judged by what a family keeps of its neighbours and hits when its space changes."""

from dataclasses import replace

import numpy as np

from eval.adapter_figures import Judged, judge
from tests.unit.eval.test_head_figures import data


def turned() -> tuple[Judged, np.ndarray, np.ndarray]:
    """Faces in a space that is the old one turned, their old vectors, and the turn."""
    made = data(families=12).faces
    turn, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((512, 512)))
    new = (made.embeddings @ turn).astype(np.float32)
    return Judged(new, made.families, made.persons, made.photos), made.embeddings, turn.astype(np.float32)


def test_a_perfect_adapter_keeps_every_neighbour_and_none_keeps_hardly_any() -> None:
    faces, old, turn = turned()
    figures = judge(faces, adapted=old @ turn, old=old)
    kept = figures["neighbours_kept"]
    assert kept.value == 1
    assert kept.baseline.value < 0.5
    assert kept.n == 5 * len(old)
    assert figures["cross_tar_far_1"].better


def test_an_adapter_that_changes_nothing_gains_nothing() -> None:
    faces, old, _ = turned()
    figures = judge(faces, adapted=old, old=old)
    assert all(figure.better is None and figure.difference.value == 0 for figure in figures.values())


def test_families_too_small_for_neighbours_have_no_figure() -> None:
    faces, old, turn = turned()
    few = np.concatenate([rows[:4] for rows in faces.by_family()])
    some = replace(faces, **{name: getattr(faces, name)[few] for name in ("new", "families", "persons", "photos")})
    assert "neighbours_kept" not in judge(some, adapted=old[few] @ turn, old=old[few])
