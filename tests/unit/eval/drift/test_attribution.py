"""The parts of a change add up to the change, and the group that changed is the one that is named."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from eval.drift.attribution import Contribution, contributions, top_contributions
from eval.drift.counts import Counts

tables = arrays(np.int64, (4, 5), elements=st.integers(0, 1000))


def groups(table: Counts, kind: str = "camera") -> dict[str, Counts]:
    return {f"{kind}:{number}": row for number, row in enumerate(table)}


@given(tables, tables)
def test_the_parts_of_each_kind_of_group_add_up_to_the_change(before: Counts, now: Counts) -> None:
    assume(before.any() and now.any())
    change = now.sum(axis=0) / now.sum() - before.sum(axis=0) / before.sum()
    assume(np.abs(change).max() > 1e-3)
    found = contributions(groups(before) | groups(before, "format"), groups(now) | groups(now, "format"))
    for kind in ("camera", "format"):
        assert sum(one.part for one in found if one.group.startswith(kind)) == pytest.approx(1)


@given(tables, st.integers(1, 5))
def test_groups_that_keep_shares_and_shapes_add_nothing(table: Counts, factor: int) -> None:
    assert all(abs(one.part) < 1e-6 for one in contributions(groups(table), groups(table * factor))) or not table.any()


def test_one_camera_that_looks_different_is_all_of_the_change() -> None:
    old, new = np.array([500, 300, 200]), np.array([200, 300, 500])
    before = {"camera:A": old, "camera:B": 9 * old}
    now = {"camera:A": new, "camera:B": 9 * old}
    (top,) = top_contributions(contributions(before, now))
    assert (top.group, top.how, top.part) == ("camera:A", "within", pytest.approx(1))
    assert top.words() == "camera:A: 100% of the change within 10% of all"


def test_a_camera_that_becomes_frequent_is_named_for_its_share() -> None:
    young, old = np.array([80, 20]), np.array([20, 80])
    before = {"camera:A": young, "camera:B": 9 * old}
    now = {"camera:A": 10 * young, "camera:B": 9 * old}
    found = {(one.group, one.how): one.part for one in contributions(before, now)}
    assert found["camera:A", "share"] + found["camera:B", "share"] == pytest.approx(1)
    assert found["camera:A", "within"] == pytest.approx(0, abs=1e-12)
    assert {one.how for one in top_contributions(contributions(before, now))} == {"share"}


def test_a_camera_that_was_not_there_before_counts_for_its_share() -> None:
    before = {"camera:B": np.array([500, 500])}
    now = {"camera:A": np.array([0, 400]), "camera:B": np.array([500, 500])}
    top = top_contributions(contributions(before, now))[0]
    assert (top.group, top.how, top.share_before) == ("camera:A", "share", 0)
    assert top.part == pytest.approx(1, abs=0.15)


def test_where_all_changed_alike_nobody_is_named() -> None:
    before, now = np.array([600, 400]), np.array([400, 600])
    shares = (1, 2, 3, 4)
    found = contributions(
        {f"camera:{share}": share * before for share in shares}, {f"camera:{share}": share * now for share in shares}
    )
    assert top_contributions(found) == ()


def test_a_part_against_the_change_is_negative() -> None:
    flat, up, down = np.array([500, 500]), np.array([300, 700]), np.array([600, 400])
    found = contributions({"camera:A": 4 * flat, "camera:B": flat}, {"camera:A": 4 * up, "camera:B": down})
    parts = {one.group: one.part for one in found if one.how == "within"}
    assert parts["camera:B"] < 0
    assert parts["camera:A"] > 1


def test_words_say_how_a_share_changed() -> None:
    one = Contribution("format:heic", "share", 0.6, 0.03, 0.2)
    assert one.words() == "format:heic: 60% of the change by going from 3% to 20%"
    assert one.to_dict()["words"] == one.words()
