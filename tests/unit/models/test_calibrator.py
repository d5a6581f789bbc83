"""A calibrator gives each stored face one answer, rises with what the packaged models say, and is read as written."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.errors import ModelError
from models.calibrator import Calibrator, Stored

YEARS = (0.0, 5.0, 20.0, 100.0)
SEEDS = st.integers(0, 10_000)
AGES, CHANCES = (st.tuples(*(st.floats(0, top, width=32),) * 2) for top in (100, 1))


def calibrator(seed: int = 0) -> Calibrator:
    draw = np.random.default_rng(seed)

    def weights() -> tuple[float, ...]:
        return tuple(draw.normal(scale=0.3, size=EMBEDDING_SIZE).tolist())

    return replace(
        Calibrator.unchanged("fused-512", YEARS),
        log_ages=tuple(np.cumsum(draw.uniform(0, 1.5, 4)).tolist()),
        log_spreads=tuple(draw.normal(size=4).tolist()),
        slopes=tuple(draw.uniform(0, 2, 4).tolist()),
        levels=tuple(draw.normal(size=4).tolist()),
        age_weights=weights(),
        gender_weights=weights(),
    )


def faces(count: int, seed: int = 0) -> Stored:
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(count, EMBEDDING_SIZE))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ages, chances = draw.uniform(0, 90, count), draw.random(count)
    return Stored(ages.astype(np.float32), chances.astype(np.float32), vectors.astype(np.float32))


def test_the_unchanged_calibrator_says_what_the_packaged_models_say() -> None:
    stored = faces(50)
    found = Calibrator.unchanged("fused-512", YEARS).estimate(stored)
    assert found.ages == pytest.approx(stored.ages, abs=0.75)  # straight lines between bends of log(1 + age)
    assert found.p_female == pytest.approx(np.clip(stored.p_female, 1e-3, 1 - 1e-3), abs=1e-6)
    assert (found.spreads > 0).all()


def test_what_it_says_is_what_its_lines_and_weights_add_up_to() -> None:
    one, stored = calibrator(), faces(20)
    for number in range(len(stored)):
        age, vector = float(np.log1p(stored.ages[number])), stored.embeddings[number].astype(float)
        log_age = np.interp(age, np.log1p(YEARS), one.log_ages) + vector @ one.age_weights
        chance = float(stored.p_female[number])
        odds = np.interp(age, np.log1p(YEARS), one.slopes) * np.log(chance / (1 - chance))
        odds += np.interp(age, np.log1p(YEARS), one.levels) + vector @ one.gender_weights
        found = one.estimate(stored.only(slice(number, number + 1)))
        assert found.ages[0] == pytest.approx(min(100, max(0, np.expm1(log_age))), rel=1e-5)
        assert found.p_female[0] == pytest.approx(1 / (1 + np.exp(-odds)), rel=1e-5)
        spread = np.exp(np.interp(age, np.log1p(YEARS), one.log_spreads)) * (1 + found.ages[0])
        assert found.spreads[0] == pytest.approx(spread, rel=1e-5)


@given(SEEDS, st.integers(1, 40), st.integers(0, 39))
def test_a_face_gets_the_same_answer_alone_and_among_others(seed: int, count: int, place: int) -> None:
    one, stored = calibrator(seed), faces(count, seed)
    here = np.arange(count) == place % count
    alone, among = one.estimate(stored.only(here)), one.estimate(stored)
    for name in ("ages", "spreads", "p_female"):
        assert getattr(alone, name).tobytes() == getattr(among, name)[here].tobytes()


@given(
    SEEDS,
    st.floats(0, 100, width=32),
    st.floats(0, 100, width=32),
    st.floats(0, 1, width=32),
    st.floats(0, 1, width=32),
)
def test_it_never_falls_as_the_packaged_estimates_rise(seed: int, a: float, b: float, p: float, q: float) -> None:
    one, vectors = calibrator(seed), faces(1, seed).embeddings
    ages = np.sort(np.array([a, b], np.float32))
    older = one.estimate(Stored(ages, np.full(2, p, np.float32), vectors.repeat(2, axis=0)))
    assert older.ages[0] <= older.ages[1]
    chances = np.sort(np.array([p, q], np.float32))
    likelier = one.estimate(Stored(np.full(2, a, np.float32), chances, vectors.repeat(2, axis=0)))
    assert likelier.p_female[0] <= likelier.p_female[1]


@given(SEEDS, st.integers(0, 5))
def test_every_answer_is_an_age_and_a_probability(seed: int, count: int) -> None:
    found = calibrator(seed).estimate(faces(count, seed))
    assert len(found.ages) == len(found.p_female) == len(found.spreads) == count
    assert ((found.ages >= 0) & (found.ages <= 100)).all()
    assert ((found.p_female >= 0) & (found.p_female <= 1)).all()


def test_a_file_holds_all_of_it_and_always_the_same_bytes() -> None:
    error = {"error_ages": (1.0, 8.0), "error_bias": (0.0, 0.1), "error_spread": (1.0, 2.0), "error_freedom": 3.0}
    one = replace(calibrator(), **error)
    assert Calibrator.read(one.content()) == one
    assert Calibrator.read(one.content()).sha256 == one.sha256
    assert one.error() == error
    assert calibrator().error() == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("years", [0, 5, 5, 100]),
        ("log_ages", [0, 1, 0.5, 2]),
        ("slopes", [1, 1, -0.1, 1]),
        ("levels", [0, 0, 0]),
        ("gender_weights", [0] * 511),
        ("age_weights", [float("nan")] + [0] * 511),
        ("space", None),
        ("telescope", [1]),
    ],
)
def test_a_file_that_can_be_no_calibrator_is_refused(name: str, value: object) -> None:
    given = json.loads(calibrator().content()) | {name: value}
    with pytest.raises(ModelError):
        Calibrator.read(json.dumps(given).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"space": "fused-512"}'])
def test_a_file_of_something_else_is_refused(content: bytes) -> None:
    with pytest.raises(ModelError):
        Calibrator.read(content)
