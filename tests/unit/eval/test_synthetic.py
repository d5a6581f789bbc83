"""Simulated families: what they promise of themselves, and that faults do what they are called."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, vonmises_fisher

from eval.metrics import METRICS
from eval.synthetic.directions import concentration, draw_around
from eval.synthetic.families import Family, draw_family
from eval.synthetic.faults import Fault, damage
from eval.synthetic.households import Role, draw_household, draw_identities
from eval.synthetic.living import Trial, live_families, live_family
from eval.synthetic.parameters import FITTED, Habits, Looks, load_world

WORLD = load_world()
SEEDS = st.integers(0, 2**32)


def _family(number: int = 0, *, months: int = 3) -> Family:
    return draw_family(1, number, months=months, world=WORLD)


def test_directions_lie_around_their_mean_as_scipys_do() -> None:
    size, mean = 8, np.eye(8)[:1]
    cosines = np.full(4000, 0.6)
    drawn = draw_around(np.repeat(mean, 4000, axis=0), cosines, np.random.default_rng(3))
    kappa = float(concentration(cosines[:1], size)[0])
    oracle = vonmises_fisher(mean[0], kappa).rvs(4000, random_state=np.random.default_rng(4))
    assert ks_2samp(drawn @ mean[0], oracle @ mean[0]).pvalue > 0.001
    assert np.allclose(np.linalg.norm(drawn, axis=1), 1)


@given(SEEDS, st.floats(0.05, 0.95))
@settings(max_examples=20)
def test_directions_have_the_cosine_that_was_asked_for(seed: int, cosine: float) -> None:
    means = np.tile(np.eye(64)[0], (2000, 1))
    drawn = draw_around(means, np.full(2000, cosine), np.random.default_rng(seed))
    assert drawn[:, 0].mean() == pytest.approx(cosine, abs=0.02)


def test_a_family_does_not_depend_on_how_many_months_follow() -> None:
    short, long = _family(months=2), _family(months=4)
    first = long.faces[long.faces.month < 2]
    assert np.array_equal(short.faces.embedding, first.embedding)
    assert np.array_equal(short.faces.age, first.age)


def test_families_of_a_seed_differ_and_come_again() -> None:
    assert np.array_equal(_family(3).faces.embedding, _family(3).faces.embedding)
    assert len(_family(3).faces) != len(_family(4).faces)


@given(SEEDS)
@settings(max_examples=30)
def test_nobody_is_older_than_a_parent_or_in_a_photo_before_birth(seed: int) -> None:
    people = draw_household(Habits(), np.random.default_rng(seed))
    child = np.flatnonzero(people.mother >= 0)
    assert (people.born[child] > people.born[people.mother[child]] + 15).all()
    family = draw_family(seed, 0, months=2, world=WORLD)
    assert (family.faces.true_age > 0).all()


def test_a_photo_shows_a_person_once_and_faces_are_in_the_order_of_photos() -> None:
    faces = _family().faces
    shown = list(zip(faces.photo.tolist(), faces.person.tolist(), strict=True))
    assert len(set(shown)) == len(shown)
    assert all(one <= other for (one, _), (other, _) in pairwise(shown))


def test_relatives_are_alike_as_much_as_they_inherit() -> None:
    habits, looks = Habits(children=(0.0, 1.0), twins=0.5, identical=0.5), Looks(dimensions=4000, heredity=0.4)
    found: dict[str, list[float]] = {"twins": [], "siblings": [], "parents": [], "spouses": []}
    for seed in range(40):
        draw = np.random.default_rng(seed)
        people = draw_household(habits, draw)
        ages = np.maximum(0.1, -people.born)[:, None]
        looked = draw_identities(people, ages, looks, likeness=0.9, draw=draw)[:, 0]
        first, second = np.flatnonzero(people.role == Role.CHILD)
        found["twins" if people.twin[second] >= 0 else "siblings"].append(looked[first] @ looked[second])
        found["parents"].append(looked[first] @ looked[people.mother[first]])
        found["spouses"].append(looked[people.mother[first]] @ looked[people.father[first]])
    expected = {"twins": 0.94, "siblings": 0.2, "parents": 0.2, "spouses": 0.0}
    assert {name: np.mean(values) for name, values in found.items()} == pytest.approx(expected, abs=0.03)


def test_simulated_similarities_lie_where_those_of_the_albums_do() -> None:
    """A guard against regression: what was fitted stays within what docs/studies.md says."""
    cells = json.loads(FITTED.read_text(encoding="utf-8"))["cells"]
    off = [
        abs(real - drawn)
        for cell in cells
        if cell["fitted"]
        for real, drawn in zip(cell["real"], cell["simulated"], strict=True)
    ]
    assert np.mean(off) < 0.035


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_changes_nothing_before_it_begins(fault: Fault) -> None:
    family = _family()
    damaged = damage(family, fault, since=2)
    before, after = family.faces[family.faces.month < 2], damaged.faces[damaged.faces.month < 2]
    assert np.array_equal(before.embedding, after.embedding)
    assert np.array_equal(before.age, after.age)


def test_each_fault_does_what_it_is_called() -> None:
    family = _family()
    faces = family.faces
    found = {fault: damage(family, fault, since=0).faces for fault in Fault}
    assert np.allclose(found[Fault.AGE].age, faces.age + 2)
    assert 0.8 < len(found[Fault.RECALL]) / len(faces) < 0.98
    assert len(found[Fault.MONTH][found[Fault.MONTH].month == 0]) == 0
    assert len(found[Fault.DOUBLE]) == len(faces) + (faces.month == 0).sum()
    noise = np.einsum("nd,nd->n", found[Fault.NOISE].embedding, faces.embedding)
    assert noise.mean() == pytest.approx(1 / np.sqrt(1.36), abs=0.02)
    same = np.einsum("nd,nd->n", found[Fault.SPACES].embedding, faces.embedding) > 0.99
    assert 0.5 < same.mean() < 0.9


def test_every_metric_is_counted_and_shares_are_shares() -> None:
    months = live_family(Trial(1, 3), 0)
    assert {*months[-1].counts, "corrections"} == set(METRICS)
    for month in months:
        for key, (total, cases) in month.counts.items():
            assert total >= 0
            assert not METRICS[key].share or total <= cases + 1e-9


def test_months_do_not_depend_on_the_number_of_processes() -> None:
    trial = Trial(2, 2)
    one, two = (live_families(trial, range(3), processes=processes) for processes in (1, 2))
    assert [(month.family, month.month, month.counts) for month in one] == [
        (month.family, month.month, month.counts) for month in two
    ]


def test_swapped_siblings_break_more_persons_and_are_less_right() -> None:
    numbers = [number for number in range(12) if (_family(number).people.registered).sum() > 1][:4]
    assert len(numbers) == 4
    months = live_families(Trial(1, 5, (Fault.SWAP,)), numbers)

    def last(fault: Fault | None, key: str) -> float:
        counts = [one.counts.get(key, (0, 0)) for one in months if one.month == 4 and one.fault is fault]
        return sum(total for total, _ in counts) / sum(cases for _, cases in counts)

    assert last(Fault.SWAP, "breakage") > last(None, "breakage")
    assert last(Fault.SWAP, "bcubed_precision") < last(None, "bcubed_precision") - 0.02
