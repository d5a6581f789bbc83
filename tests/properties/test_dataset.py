"""Whatever is drawn, what a model is judged by was never learnt from."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facealbum.errors import LeakageError
from facealbum.pipelines.dataset import Item, Manifest, Split, check_split, split_groups

contents = st.sampled_from("abcdefghijklmnop")
groups = st.integers(0, 30).map(lambda number: f"group-{number}")
manifests = st.lists(st.tuples(contents, groups), max_size=60).map(
    lambda rows: Manifest("all", tuple(Item(str(n), sha, group) for n, (sha, group) in enumerate(rows)))
)


@given(manifests, st.floats(0, 1), st.integers(1, 5), st.integers(0, 9))
def test_a_drawn_split_never_leaks(manifest: Manifest, held_out: float, folds: int, seed: int) -> None:
    split = split_groups(manifest, held_out=held_out, folds=folds, seed=seed)
    check_split(manifest, split)
    sides = {item.sha256: split.side(item.group) for item in manifest.items}
    assert all(sides[item.sha256] == split.side(item.group) for item in manifest.items)


@given(manifests, groups, st.integers(0, 9))
def test_a_new_group_moves_no_other(manifest: Manifest, group: str, seed: int) -> None:
    more = Manifest("all", (*manifest.items, Item("new", "an item that no other group has", f"{group}-new")))
    before = split_groups(manifest, held_out=0.3, folds=3, seed=seed)
    after = split_groups(more, held_out=0.3, folds=3, seed=seed)
    assert all(before.side(item.group) == after.side(item.group) for item in manifest.items)


@given(manifests)
def test_what_is_written_is_read_again(manifest: Manifest) -> None:
    split = split_groups(manifest, held_out=0.3, folds=3)
    with TemporaryDirectory() as folder:
        manifest.write(Path(folder))
        split.write(Path(folder))
        assert Manifest.read(Path(folder)) == manifest
        assert Split.read(Path(folder)) == split


def test_about_as_many_groups_are_held_out_as_were_asked_for() -> None:
    manifest = Manifest("all", tuple(Item(str(n), str(n), str(n)) for n in range(2000)))
    split = split_groups(manifest, held_out=0.3, folds=4)
    assert 500 < len(split.held_out) < 700
    assert set(split.folds.values()) == {0, 1, 2, 3}


def test_an_identical_item_on_both_sides_is_refused() -> None:
    manifest = Manifest("all", (Item("1", "same", "a"), Item("2", "same", "b")))
    with pytest.raises(LeakageError, match="2 of group b is 1 of group a"):
        check_split(manifest, Split(frozenset("a"), {"b": 0}))


def test_a_group_on_both_sides_is_refused() -> None:
    manifest = Manifest("all", (Item("1", "one", "a"),))
    with pytest.raises(LeakageError, match="both learnt from and held out"):
        check_split(manifest, Split(frozenset("a"), {"a": 0}))


def test_a_group_on_no_side_is_refused() -> None:
    manifest = Manifest("all", (Item("1", "one", "a"),))
    with pytest.raises(LeakageError, match="neither"):
        check_split(manifest, Split(frozenset()))
