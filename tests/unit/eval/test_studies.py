"""The studies: their numbers follow from their seeds, and what is simulated as equal is found equal."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.albums import Album
from eval.experiments import Kind
from eval.studies import __main__ as studies
from eval.studies.change import light, shadows
from eval.studies.experiments import Size, measure, plan_for, split
from eval.studies.pool import Pool
from eval.studies.swap import study_swap
from eval.synthetic.families import draw_family
from eval.synthetic.living import children_of, observe
from eval.synthetic.parameters import load_world


def _pool(*, families: int = 60, months: int = 3, seed: int = 1) -> Pool:
    """Families of different size and luck."""
    draw = np.random.default_rng(seed)
    cases = draw.poisson(draw.gamma(2, 10, (families, 1)), (families, months)) + 1
    hits = draw.binomial(cases, draw.beta(6, 4, (families, 1)))
    return Pool(hits, cases - hits, hits.sum(axis=0) / cases.sum(axis=0))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("paired", [False, True])
def test_equal_arms_are_told_apart_no_more_often_than_was_agreed(kind: Kind, paired: bool) -> None:  # noqa: FBT001
    found = measure("association", _pool(), 0.0, Size(200, 400), kind=kind, paired=paired)
    assert found.low <= 0.05, found


def test_a_larger_effect_is_found_more_often_and_the_planned_one_as_often_as_planned() -> None:
    rates = [
        measure("association", _pool(), effect, Size(60, 1000), kind=Kind.FIXED, paired=False)
        for effect in (0.0, 0.5, 1.0, 2.0)
    ]
    assert sorted(rate.found for rate in rates) == [rate.found for rate in rates]
    assert rates[2].low <= 0.8 <= rates[2].high


def test_the_planned_effect_of_a_shadow_arm_is_found_as_often_as_planned() -> None:
    rate = measure("association", _pool(), 1.0, Size(300, 1000), kind=Kind.FIXED, paired=True)
    assert rate.low <= 0.8 <= rate.high


def test_an_effect_on_a_metric_that_should_fall_makes_it_fall() -> None:
    pool = _pool()
    assert plan_for("breakage", pool, 100, kind=Kind.FIXED, paired=False).minimum_effect > 0
    assert measure("breakage", pool, 1.0, Size(1, 100), kind=Kind.FIXED, paired=False).effect < 0


@given(st.integers(0, 2**32), st.floats(-0.1, 0.1))
@settings(max_examples=20)
def test_an_improvement_moves_the_metric_by_its_effect_and_keeps_all_cases(seed: int, effect: float) -> None:
    pool = _pool(families=3000)
    moved = pool.improved(effect, np.random.default_rng(seed))
    assert (moved.hits + moved.misses == pool.hits + pool.misses).all()
    share = moved.hits.sum() / (moved.hits + moved.misses).sum()
    assert share - pool.hits.sum() / (pool.hits + pool.misses).sum() == pytest.approx(effect, abs=0.01)


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_disturbed_families_differ_by_chance_alone(seed: int) -> None:
    pool = _pool(families=3000)
    other = pool.disturbed(0.2, np.random.default_rng(seed))
    assert (other.hits >= 0).all()
    assert (other.misses >= 0).all()
    assert (other.hits != pool.hits).any()
    assert other.hits.sum() / pool.hits.sum() == pytest.approx(1, abs=0.01)


def test_a_skewed_split_of_twenty_thousand_families_is_refused_and_a_fair_one_is_not() -> None:
    assert split(20_000, 0.52, 200).refused > 190
    assert split(20_000, 0.5, 200).refused <= 2


def test_the_light_embedder_is_a_part_of_the_fused_one() -> None:
    faces = draw_family(1, 0, months=1, world=load_world()).faces
    assert np.array_equal(light(faces.embedding), faces.embedding[:, 128:])
    assert [one.name for one in shadows()][:2] == ["fused", "light"]


def test_the_short_study_writes_its_tables_into_the_document_and_finds_what_is_plain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("fit", "null", "power", "splits", "alarms")
    out = tmp_path / "studies.md"
    out.write_text("".join(f"# {name}\n<!-- {name}: start -->\n<!-- {name}: end -->\n" for name in names))
    options = ["--short", "--processes", "1", "--pool", str(tmp_path / "pool"), "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["eval.studies", *options])
    studies.main()
    written = out.read_text()
    assert capsys.readouterr().out.count("\n| ---") == len(names)
    assert [written.count(f"<!-- {name}: end -->") for name in names] == [1] * len(names)
    rows = {line.split(" | ")[0].strip("| "): line for line in written.partition("# alarms")[2].splitlines()}
    assert "none" in rows["none"]
    assert "**drift age**" in rows["age bias"]
    studies.main()
    assert out.read_text() == written


def test_vectors_of_another_space_are_refused_bare_and_let_in_once_embedded_again() -> None:
    world = load_world()
    families = [draw_family(3, number, months=2, world=world) for number in range(8)]
    faces = tuple(face for family in families for face in observe(family, family.faces))
    album = Album(Path(), faces, {family.name: children_of(family) for family in families})
    passed = {(one.report.source, one.report.remedy): one.report.passed for one in study_swap("simulated", album)}
    assert not passed["light", "none"]
    assert passed["light", "reembedding"]
