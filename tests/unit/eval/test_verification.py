"""A hit rate counts what it says, and its interval knows how few the subjects are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.verification import Faces, Pairs, children, everybody, hit_rate, rate, relatives, spaces, strangers


def faces(*, seed: int = 1, people: int = 8, each: int = 5, noise: float = 0.5) -> Faces:
    """Two people to a family; the two first faces of everybody in one family are in one photo."""
    draw = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), each)
    embeddings = draw.standard_normal((people, 512))[who] + noise * draw.standard_normal((len(who), 512))
    number = np.tile(np.arange(each), people)
    families = who // 2
    photos = np.array([f"{family} {max(1, one)}" for family, one in zip(families, number, strict=True)])
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return Faces(embeddings.astype(np.float32), who.astype(str), families.astype(str), photos, 4 * number)


def slow_hit_rate(pairs: Pairs, far: float) -> float:
    """By the words of the definition."""
    false = sorted(pairs.similarities[~pairs.same].tolist(), reverse=True)
    limit = false[int(far * len(false))]
    return float(np.mean([one > limit for one in pairs.similarities[pairs.same].tolist()]))


@given(seed=st.integers(0, 1000), far=st.sampled_from((0.01, 0.1, 0.5)))
def test_the_hit_rate_is_the_share_of_true_pairs_above_the_false_ones(seed: int, far: float) -> None:
    pairs = everybody(faces(seed=seed, noise=2.0))
    assert hit_rate(pairs, far) == pytest.approx(slow_hit_rate(pairs, far))


def test_a_group_that_is_drawn_twice_counts_like_two_groups() -> None:
    pairs = strangers(faces(noise=5.0))
    even = hit_rate(pairs, 0.1, np.full(4, 1))
    assert hit_rate(pairs, 0.1, np.array([1, 1, 0, 0])) != even
    assert hit_rate(pairs, 0.1, np.full(4, 3)) == pytest.approx(even)


def test_the_interval_holds_the_rate_and_is_wider_for_fewer_subjects() -> None:
    few, many = (rate(everybody(faces(people=people, noise=3.0)), 0.05, draws=100) for people in (6, 60))
    assert few.low <= few.value <= few.high
    assert many.low <= many.value <= many.high
    assert few.high - few.low > many.high - many.low


def test_pairs_are_of_two_photos_and_of_the_kind_asked_for() -> None:
    some = faces()
    for kind in (everybody, strangers, relatives):
        assert (~kind(some).same).any()
    assert len(children(some).same) < len(everybody(some).same)
    false = relatives(some)
    assert (false.first[~false.same] == false.second[~false.same]).all()
    false = strangers(some)
    assert (false.first[~false.same] != false.second[~false.same]).all()


def test_the_default_space_is_itself_among_the_spaces() -> None:
    some = faces()
    maps = spaces()
    assert list(maps)[:3] == ["SFace", "MobileFaceNet", "fused-512"]
    packaged = some.embeddings @ maps["fused-512"]
    np.testing.assert_allclose(packaged[:, :384], some.embeddings[:, :384], atol=5e-3)
