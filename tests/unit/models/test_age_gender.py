"""What the calibration makes of the networks' opinions on age and gender."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.errors import ModelError
from models.age_gender import AgeGender, Opinions, judge
from models.calibration import load_calibrations

CALIBRATION = load_calibrations()["age_gender"]
ages, odds = st.floats(0, 100), st.floats(-7, 7)


def judged(first: float, second: float, *, female_odds: float = 0.0) -> AgeGender:
    """Two estimated ages in years, and log odds that both networks agree on."""
    log_ages = math.log1p(first), math.log1p(second)
    return judge(Opinions(log_ages, (female_odds, female_odds)), CALIBRATION)


@given(first=ages, second=ages, female_odds=odds)
def test_every_pair_of_opinions_gives_an_age_and_a_probability(first: float, second: float, female_odds: float) -> None:
    result = judged(first, second, female_odds=female_odds)
    assert 0 <= result.age <= 100
    assert 0 < result.p_female < 1


@given(st.lists(ages, min_size=2, max_size=2).map(sorted))
def test_of_two_faces_the_networks_agree_on_the_older_is_never_judged_younger(pair: list[float]) -> None:
    younger, older = pair
    if younger >= 1:
        assert judged(younger, younger).age <= judged(older, older).age + 1e-9


@given(first=ages, second=ages, pair=st.lists(odds, min_size=2, max_size=2).map(sorted))
def test_more_female_opinions_never_lower_the_probability(first: float, second: float, pair: list[float]) -> None:
    less, more = (judged(first, second, female_odds=one).p_female for one in pair)
    assert less <= more


def test_the_age_lies_between_two_opinions_that_differ_moderately() -> None:
    assert 4 < judged(4, 12).age < 12
    assert 25 < judged(50, 25).age < 50
    assert judged(40, 40).age == pytest.approx(40, abs=4)


def test_the_younger_a_child_the_less_its_gender_is_believed() -> None:
    def says(age: float) -> float:
        girl, boy = (judged(age, age, female_odds=sign * 3.0).p_female for sign in (1, -1))
        return girl - boy

    assert says(0.5) < says(3) < says(8)


def test_a_manifest_without_calibrations_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"models": {}}', encoding="utf-8")
    with pytest.raises(ModelError, match=r"calibrations.*reinstall"):
        load_calibrations(tmp_path)
