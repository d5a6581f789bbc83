"""A chance rises with similarity and stays a chance."""

from hypothesis import given
from hypothesis import strategies as st

from facealbum.clustering.likeness import chance_of_face, chance_of_person

SIMILARITIES = st.floats(-1, 1)


@given(SIMILARITIES, SIMILARITIES)
def test_a_chance_lies_between_0_and_1_and_never_falls_with_similarity(one: float, other: float) -> None:
    for chance in (chance_of_face, chance_of_person):
        low, high = sorted((one, other))
        assert 0 < chance(low) <= chance(high) < 1


def test_odds_are_even_at_the_similarities_that_were_measured() -> None:
    assert chance_of_person(0.5) < 0.5 < chance_of_person(0.51)
    assert chance_of_face(0.35) < 0.5 < chance_of_face(0.36)
