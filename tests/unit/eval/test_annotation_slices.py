"""What labels say of each slice and of two arms in it, against looking at everything."""

from uuid import UUID

import numpy as np
import pytest

from eval.annotation import (
    Answer,
    Asked,
    Design,
    Kind,
    Label,
    Sample,
    Settled,
    compare_arms,
    estimate_sample,
    estimate_slices,
    settle,
)
from eval.fairness.gate import Bounds, Verdict, judge_worst_slice
from eval.fairness.slices import Standing
from facealbum.domain.ids import FaceId
from tests.unit.eval.annotated import annotate, draw, majority, simulate

FAMILIES, TRUTH = simulate(40, seed=1)
WHO = majority(FAMILIES, TRUTH)
ARMS = ("default", "other")
Answers = dict[UUID, Settled | None]


def slice_of(face: FaceId) -> str:
    return "odd" if face.int % 3 == 0 else "even"


def ask(sample: Sample) -> dict[UUID, Asked]:
    shown = 2 if sample.kind is Kind.PAIRS else 1
    return {item.item_id: Asked(tuple({slice_of(face) for face in item.faces[:shown]})) for item in sample.items}


def look(kind: Kind, size: int, *, seed: int = 0, arms: tuple[str, ...] = ARMS) -> tuple[Sample, Answers]:
    sample = draw(FAMILIES, Design("some", kind, size, seed, arms))
    return sample, settle(annotate(sample, TRUTH, WHO).values())


def right_in(part: str) -> float:
    """The slow oracle: the share of right faces of persons with several, under the first arm."""
    right = []
    for family in FAMILIES:
        places = family.places["default"]
        held = [place.person_id for place in places.values()]
        right += [
            TRUTH[face] == WHO[place.person_id]
            for face, place in places.items()
            if slice_of(face) == part and held.count(place.person_id) > 1
        ]
    return float(np.mean(right))


def test_each_slice_of_a_sample_of_everything_is_the_truth_without_any_doubt() -> None:
    sample, settled = look(Kind.FACES, 1_000_000)
    found = {
        one.slice: one.estimate
        for one in estimate_slices(sample, settled, ask(sample))
        if (one.measure, one.arm) == ("assignment_precision", "default")
    }
    for part in ("odd", "even"):
        value = right_in(part)
        assert (found[part].value, found[part].low, found[part].high) == pytest.approx((value, value, value))
    assert found[""].cases == pytest.approx(found["odd"].cases + found["even"].cases)


def test_a_slice_is_right_on_average_and_its_interval_holds_as_often_as_it_says() -> None:
    true, draws, held, values = right_in("odd"), 20, 0, []
    for seed in range(draws):
        sample, settled = look(Kind.FACES, 150, seed=seed, arms=("default",))
        (found,) = (
            one.estimate
            for one in estimate_slices(sample, settled, ask(sample))
            if (one.measure, one.slice) == ("assignment_precision", "odd")
        )
        assert found.value is not None
        held += found.low <= true <= found.high
        values.append(found.value)
    assert held >= 17  # of 20 at 97.5 %, and the seeds are fixed
    assert np.mean(values) == pytest.approx(true, abs=4 * np.std(values) / draws**0.5)


@pytest.mark.parametrize("kind", [Kind.FACES, Kind.PAIRS])
def test_the_difference_of_two_arms_is_that_of_their_rates_whichever_comes_first(kind: Kind) -> None:
    sample, settled = look(kind, 300)
    asked = ask(sample)
    values = {(one.measure, one.arm, one.slice): one.estimate.value for one in estimate_slices(sample, settled, asked)}
    for measure, changes in compare_arms(sample, settled, asked).items():
        for one in changes:
            before, after = (values[measure, arm, one.slice] for arm in ARMS)
            assert before is not None
            assert after is not None
            assert (one.worse, one.wrong) == pytest.approx((before - after, 1 - before))
            assert one.low < one.worse < one.high
            back = one.reversed()
            assert (back.worse, back.low, back.high, back.wrong) == pytest.approx(
                (-one.worse, -one.high, -one.low, 1 - after)
            )


def test_an_arm_that_is_worse_in_one_slice_fails_by_it() -> None:
    sample, settled = look(Kind.FACES, 1500)
    asked = ask(sample)
    of = {item.item_id: item for item in sample.items}
    spoilt = settle(
        Label(item, "ann", Answer.NO if of[item].arm == "other" and "odd" in asked[item].slices else Answer.YES)
        for item in settled
    )
    found = judge_worst_slice(compare_arms(sample, spoilt, asked)["assignment_precision"], Bounds(fewest=10))
    assert found.worst is not None
    assert (found.verdict, found.worst.slice) == (Verdict.FAIL, "odd")
    standing = {(one.arm, one.slice): one.standing for one in estimate_slices(sample, spoilt, asked)}
    assert (standing["other", "odd"], standing["default", "odd"]) == (Standing.WORSE, Standing.ALIKE)


def test_ages_are_judged_of_confirmed_faces_alone_and_by_the_registered_child() -> None:
    sample, _ = look(Kind.FACES, 60, arms=("default",))
    ids = [item.item_id for item in sample.items]
    said = [Answer.YES if number % 2 else Answer.NO for number in range(len(ids))]
    settled = settle(Label(item, "ann", answer) for item, answer in zip(ids, said, strict=True))
    asked = {item: Asked(("estimated",), ("registered",), number % 4 == 1) for number, item in enumerate(ids)}
    found = {one.slice: one for one in estimate_slices(sample, settled, asked) if one.measure == "age_right"}
    assert set(found) == {"", "registered"}
    assert found["registered"].items == said.count(Answer.YES)
    assert 0 < found["registered"].estimate.low < (found["registered"].estimate.value or 0) < 1


def test_a_slice_of_few_items_that_are_all_right_is_no_surer_than_these_few() -> None:
    sample, settled = look(Kind.FACES, 200, arms=("default",))
    right = settle(Label(item, "ann", Answer.YES) for item in settled)
    few = {item: Asked(("few" if number < 10 else "many",)) for number, item in enumerate(right)}
    width = {
        one.slice: one.estimate.high - one.estimate.low
        for one in estimate_slices(sample, right, few)
        if one.measure == "assignment_precision"
    }
    assert width["few"] > 0.1 > width["many"] > 0


def test_where_no_pair_is_one_person_nothing_is_known_of_recall() -> None:
    sample, settled = look(Kind.PAIRS, 160)
    apart = settle(Label(item, "ann", Answer.NO) for item in settled)
    figures = {one.measure: one for one in estimate_sample(sample, apart).figures}
    assert figures["pairwise_recall"].estimate.value is figures["pairwise_recall"].if_unsure_right is None
    assert figures["pairwise_precision"].estimate.value == 0
    assert {one.slice for one in estimate_slices(sample, apart, ask(sample))} == {"", "odd", "even"}


def test_clusters_have_no_slices() -> None:
    sample, settled = look(Kind.CLUSTERS, 60)
    assert not list(estimate_slices(sample, settled, ask(sample)))
    assert compare_arms(sample, settled, ask(sample)) == {}
