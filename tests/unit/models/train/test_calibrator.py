"""A calibrator is learnt from stored faces of known age and gender, and starts from what the packaged models say."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.errors import InvalidValueError
from models.calibrator import Calibrator, Stored
from models.train.calibrator import (
    BENDS,
    CalibratorRecipe,
    LabelledEstimates,
    absolute_and_log_loss,
    calibrator_recipe,
    train_calibrator,
)

pytest.importorskip("keras")


@cache
def faces(count: int = 400) -> LabelledEstimates:
    """Faces whose ages are overestimated, the more so the more they look like one direction; their gender shows."""
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(count, EMBEDDING_SIZE))
    vectors[:, 0] *= 8
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    years, female = draw.uniform(0, 60, count), draw.integers(2, size=count)
    ages = np.expm1(np.log1p(years) * 1.05 + 0.5 * vectors[:, 0] + draw.normal(scale=0.05, size=count))
    odds = np.where(female, 0.5, -0.5) + draw.normal(scale=0.5, size=count)
    stored = Stored(np.float32(ages.clip(0, 100)), np.float32(1 / (1 + np.exp(-odds))), np.float32(vectors))
    return LabelledEstimates(stored, np.float32(years), np.float32(female), np.ones(count, np.float32))


def learn(recipe: CalibratorRecipe | None = None, data: LabelledEstimates | None = None, **how: Path) -> Calibrator:
    return train_calibrator(data or faces(), recipe or quick(), space="fused-512", **how)


def quick(epochs: int = 60, **pulls: float) -> CalibratorRecipe:
    loose = {"age_pull": 0.01, "gender_pull": 0.01, "line_pull": 0.01}
    return calibrator_recipe(epochs=epochs, learning_rate=0.02, **loose | pulls)


def off(one: Calibrator) -> float:
    return float(np.abs(one.estimate(faces().stored).ages - faces().years).mean())


def test_ages_and_genders_come_nearer_to_the_truth() -> None:
    one = learn()
    before, after = (
        np.abs(ages - faces().years).mean() for ages in (faces().stored.ages, one.estimate(faces().stored).ages)
    )
    assert after < before / 2
    assert min(one.slopes) > 1


def test_no_epoch_leaves_the_packaged_estimates() -> None:
    start, unchanged = learn(quick(epochs=0)), Calibrator.unchanged("fused-512", BENDS)
    assert start.log_ages == pytest.approx(unchanged.log_ages, abs=1e-6)
    assert (start.slopes, start.levels) == (unchanged.slopes, unchanged.levels)
    assert not any(start.age_weights + start.gender_weights)


def test_the_spread_is_how_far_ages_are_off() -> None:
    found = learn(quick(epochs=150, age_pull=1.0)).estimate(faces().stored)
    assert found.spreads.mean() == pytest.approx(np.abs(found.ages - faces().years).mean(), rel=0.25)


def test_the_same_faces_and_seed_give_the_same_bits_also_after_a_kill(tmp_path: Path) -> None:
    whole = learn(quick(epochs=4))
    assert learn(quick(epochs=4)).content() == whole.content()

    class KilledError(Exception):
        pass

    def stop(epoch: int, _loss: float) -> None:
        if epoch == 2:
            raise KilledError

    with pytest.raises(KilledError):
        train_calibrator(faces(), quick(epochs=4), space="fused-512", checkpoint=tmp_path / "half", report=stop)
    assert learn(quick(epochs=4), checkpoint=tmp_path / "half").content() == whole.content()


def test_faces_of_unknown_gender_teach_ages_alone() -> None:
    unknown = replace(faces(), female=np.full(len(faces().stored), np.nan, np.float32))
    one = learn(data=unknown)
    assert one.slopes == pytest.approx((1,) * len(BENDS), abs=0.02)
    assert off(one) < off(learn(quick(epochs=0))) / 2


def test_a_part_is_exchanged_alone() -> None:
    def ages_alone(outputs: object, batch: object) -> object:
        return absolute_and_log_loss(outputs, batch | {"gender_weights": 0 * batch["weights"]})  # type: ignore[operator, index]

    one = learn(replace(quick(), loss=ages_alone))
    assert one.slopes == pytest.approx((1,) * len(BENDS), abs=0.02)


def test_too_few_faces_teach_nothing() -> None:
    with pytest.raises(InvalidValueError, match="confirm more"):
        learn(data=faces().only(np.arange(400) < 19))


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="years"):
        replace(faces(), years=faces().years[1:])
