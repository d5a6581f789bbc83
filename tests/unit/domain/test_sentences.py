"""Sentences: their English, and what they remember of it."""

import json
import pickle
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.domain.months import Month
from facealbum.domain.sentences import Number, Sentence, Share, Term, join_sentences

LEAVES = st.one_of(
    st.text(),
    st.integers(),
    st.builds(Number, st.floats(-1e6, 1e6), st.integers(0, 4)),
    st.builds(Share, st.floats(0, 1), st.integers(0, 4)),
    st.builds(Month, st.integers(1, 9999), st.integers(1, 12)),
    st.builds(Term, st.text()),
)
VALUES = st.recursive(LEAVES, lambda inner: st.builds(lambda one: Sentence("100%% of %(one)s", one=one), inner))


def test_a_sentence_is_its_english() -> None:
    said = Sentence(
        "%(who)s: %(share)s of %(number)s in %(month)s",
        who="Hana",
        share=Share(0.125),
        number=Number(2),
        month=Month(2026, 10),
    )
    assert said == "Hana: 12.5% of 2.00 in 2026-10"
    assert json.dumps([said]) == '["Hana: 12.5% of 2.00 in 2026-10"]'


@pytest.mark.parametrize(("num", "expected"), [(0, "0 faces"), (1, "1 face"), (2, "2 faces")])
def test_a_counted_sentence_is_plural_but_for_one(num: int, expected: str) -> None:
    assert Sentence.counted("%(num)s face", "%(num)s faces", num) == expected


@given(VALUES)
def test_what_is_read_is_the_sentence_that_was_kept(value: object) -> None:
    said = Sentence("so: %(value)s", value=value)  # type: ignore[arg-type]
    for read in (
        Sentence.from_dict(json.loads(json.dumps(said.to_dict()))),
        deepcopy(said),
        pickle.loads(pickle.dumps(said)),  # noqa: S301 - our own
    ):
        assert (read, read.text, read.many, read.values) == (said, said.text, said.many, said.values)


def test_joined_sentences_are_one() -> None:
    one, other = Sentence("%(num)s is left", num=1), "all of 100%"
    said = join_sentences([one, other])
    assert said == "1 is left; all of 100%"
    assert join_sentences([one]) is one
