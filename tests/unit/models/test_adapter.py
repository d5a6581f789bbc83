"""Adapters find the map that there is, survive their file, and never take another file for theirs."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facealbum.errors import InvalidValueError, ModelError
from models.adapter import KINDS, Adapter, kind_of
from models.adapter_fit import Pairs, fit_adapter

SIZE = 16
Vectors = NDArray[np.float32]


def unit(vectors: NDArray[np.float64]) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def turned(count: int, seed: int = 0) -> tuple[Vectors, Vectors]:
    """Vectors, and the same turned by one and the same orthogonal map."""
    turn = np.linalg.qr(np.random.default_rng(99).standard_normal((SIZE, SIZE)))[0]
    old = unit(np.random.default_rng(seed).standard_normal((count, SIZE)))
    return old, unit(old @ turn)


def pairs(old: Vectors, new: Vectors) -> Pairs:
    return Pairs(old, new, np.arange(len(old)) // 10)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_finds_a_turn_from_faces_that_it_has_not_seen(kind: str) -> None:
    adapter = fit_adapter(kind_of(kind), pairs(*turned(400)))
    old, new = turned(50, seed=1)
    found = adapter.apply(old)
    assert (found * new).sum(axis=1).min() > 0.98
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_an_orthogonal_adapter_changes_no_similarity() -> None:
    adapter = fit_adapter("orthogonal", pairs(*turned(200)))
    old, _ = turned(20, seed=2)
    found = adapter.apply(old)
    assert found @ found.T == pytest.approx(old @ old.T, abs=1e-5)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(0, 8))
def test_the_network_is_what_its_formula_says(seed: int, hidden: int) -> None:
    draw = np.random.default_rng(seed)
    shapes = (SIZE, SIZE), (SIZE,), (SIZE, hidden), (hidden,), (hidden, SIZE)
    matrix, offset, inner, bias, outer = (draw.standard_normal(shape).astype(np.float32) for shape in shapes)
    vector = turned(1, seed=seed)[0][0]
    seen = [max(0.0, sum(vector[i] * inner[i, h] for i in range(SIZE)) + bias[h]) for h in range(hidden)]
    expected = [
        sum(vector[i] * matrix[i, e] for i in range(SIZE))
        + offset[e]
        + sum(seen[h] * outer[h, e] for h in range(hidden))
        for e in range(SIZE)
    ]
    found = Adapter("mlp", matrix, offset, inner, bias, outer).apply(vector[None])[0]
    assert found == pytest.approx(np.array(expected) / np.linalg.norm(expected), abs=1e-4)


def test_a_file_gives_the_adapter_back_and_another_one_is_refused() -> None:
    adapter = replace(fit_adapter("linear", pairs(*turned(200))), source="old", target="new", held_out=0.2, seed=3)
    old, _ = turned(10, seed=3)
    found = Adapter.from_bytes(adapter.to_bytes())
    assert found.apply(old) == pytest.approx(adapter.apply(old), abs=2e-3)
    assert (found.source, found.target, found.held_out, found.seed) == ("old", "new", 0.2, 3)
    changed = bytearray(adapter.to_bytes())
    changed[len(changed) // 2] ^= 255
    for content in (b"", b"no arrays", adapter.to_bytes()[:-1], bytes(changed)):
        with pytest.raises(ModelError, match="must hold its arrays"):
            Adapter.from_bytes(content)


def test_what_can_teach_nothing_is_refused() -> None:
    old, new = turned(99)
    with pytest.raises(InvalidValueError, match=r"100 faces.*got 99"):
        pairs(old, new)
    with pytest.raises(InvalidValueError, match="two vectors"):
        pairs(old, new[1:])
    with pytest.raises(InvalidValueError, match="orthogonal, linear, mlp"):
        kind_of("cubic")
