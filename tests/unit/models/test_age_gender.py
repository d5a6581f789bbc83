"""What the calibration makes of the networks' opinions on age and gender."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.demo.portraits import load_pixels
from facealbum.errors import ModelError
from models.age_gender import AgeGender, AgeGenderEstimator, Opinions, gender_terms, judge
from models.alignment import Pyramid, cut, upright_square
from models.calibration import load_calibrations
from models.detector import Detector
from models.landmarks import place_landmarks, roll_of
from models.network import open_network
from models.registry import load_specs

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


def test_women_are_taken_for_men_more_and_more_from_ten_to_twenty_and_gender_shows_no_better_after_thirty() -> None:
    opinions = Opinions((3.0, 3.0), (1.0, 1.0))
    terms = {age: gender_terms(opinions, age, CALIBRATION) for age in (0.0, 10.0, 15.0, 20.0, 30.0, 80.0)}
    assert [one[3] for one in terms.values()] == pytest.approx([0, 0, 0.5, 1, 1, 1])
    assert terms[30.0].tolist() == terms[80.0].tolist()
    assert terms[0.0][2] < terms[10.0][2] < terms[20.0][2] < terms[30.0][2]


@pytest.mark.parametrize(("key", "sign"), [("collins-1998", 1), ("obama-2012", -1)])
def test_each_network_tells_a_woman_from_a_man_and_faceres_is_asked_for_its_two_likeliest_ages(
    key: str, sign: int
) -> None:
    specs = load_specs()
    pixels = load_pixels(key)
    (found,) = Detector.load().detect(pixels)
    face = place_landmarks(open_network(specs["landmarks"]), pyramid := Pyramid(pixels), found).face
    opinions = AgeGenderEstimator(specs).ask(pyramid, face)
    assert min(sign * odds for odds in opinions.female_odds) > 1
    faceres = open_network(specs["age_gender"])
    square = upright_square(face.box, roll_of(face.landmarks), scale=1.25, size=faceres.size)
    ages = faceres.run(cut(pyramid, square, faceres.size))[:100]
    low, high = sorted(1 + np.argsort(ages)[-2:])
    assert low < math.expm1(opinions.log_ages[0]) < high
    assert math.expm1(opinions.log_ages[1]) == pytest.approx(45, abs=20)


def test_a_manifest_without_calibrations_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"models": {}}', encoding="utf-8")
    with pytest.raises(ModelError, match=r"calibrations.*reinstall"):
        load_calibrations(tmp_path)
