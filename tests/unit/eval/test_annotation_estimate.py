"""What labels say: right on average, with intervals that hold as often as they claim, against looking at everything."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from eval.annotation import (
    Answer,
    Design,
    Item,
    Kind,
    Label,
    Sample,
    StratumSize,
    estimate_sample,
    make_label,
    measure_agreement,
    settle,
)
from eval.annotation.agreement import alpha
from facealbum.domain.ids import FaceId, FamilyId
from facealbum.errors import InvalidValueError
from tests.unit.eval.annotated import annotate, draw, majority, rates, simulate, true_rates

FAMILIES, TRUTH = simulate(40, seed=1)
WHO = majority(FAMILIES, TRUTH)


@pytest.mark.parametrize("kind", Kind)
def test_a_sample_of_everything_is_the_truth_without_any_doubt(kind: Kind) -> None:
    few = FAMILIES[:8]
    sample = draw(few, Design("all", kind, 1_000_000, 0, ("default",)))
    found = rates(sample, annotate(sample, TRUTH, WHO))
    true = true_rates(few, TRUTH, kind)
    if kind is Kind.CLUSTERS:  # of large ones, only some faces are shown
        true["pure_clusters"] = found["pure_clusters"][0]
        assert found["cluster_precision"][0] == pytest.approx(true["cluster_precision"], abs=0.02)
        return
    for measure, value in true.items():
        assert found[measure] == pytest.approx((value, value, value))


@pytest.mark.parametrize(("kind", "size"), [(Kind.FACES, 120), (Kind.PAIRS, 160), (Kind.CLUSTERS, 90)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(kind: Kind, size: int) -> None:
    true, draws = true_rates(FAMILIES, TRUTH, kind), 50
    held, values = Counter[str](), dict[str, list[float]]()
    for seed in range(draws):
        sample = draw(FAMILIES, Design("some", kind, size, seed, ("default",)))
        for measure, (value, low, high) in rates(sample, annotate(sample, TRUTH, WHO)).items():
            held[measure] += low <= true[measure] <= high
            values.setdefault(measure, []).append(value)
    for measure, share in true.items():
        assert held[measure] >= 42, measure  # of 50 at 95 %, fewer happen once in 300 times, and the seeds are fixed
        assert np.mean(values[measure]) == pytest.approx(share, abs=4 * np.std(values[measure]) / draws**0.5)


def test_one_sample_of_pairs_tells_of_both_arms() -> None:
    sample = draw(FAMILIES, Design("two", Kind.PAIRS, 1_000_000, 0, ("default", "other"), ("band", "disagreement")))
    found = estimate_sample(sample, settle(annotate(sample, TRUTH, WHO).values()))
    for figure in found.figures:
        true = true_rates(FAMILIES, TRUTH, Kind.PAIRS, figure.arm)[figure.measure]
        assert figure.estimate.value == pytest.approx(true)
    assert {figure.arm for figure in found.figures} == {"default", "other"}


# --- By hand ----------------------------------------------------------------------------------------------------


def items(count: int, *, stratum: str = "s", families: int = 10**6, probability: float = 0.1) -> list[Item]:
    return [
        Item(
            FamilyId(UUID(int=1 + number % families)),
            UUID(int=hash(stratum) % 10**6 * 10**6 + number),
            stratum,
            probability,
            (FaceId(UUID(int=number)),),
            "default",
        )
        for number in range(count)
    ]


def sample_of(*strata: list[Item]) -> Sample:
    sizes = [StratumSize(one[0].stratum, len(one) / one[0].probability, len(one)) for one in strata]
    return Sample("made", Kind.FACES, ("default",), tuple(sizes), tuple(item for one in strata for item in one))


def say(some: list[Item], yes: int, *, unsure: int = 0, silent: int = 0) -> list[Label]:
    answers = [Answer.YES] * yes + [Answer.UNSURE] * unsure
    answers += [Answer.NO] * (len(some) - silent - len(answers))
    return [Label(item.item_id, "ann", answer) for item, answer in zip(some, answers, strict=False)]


def test_the_worked_example_of_the_documentation() -> None:
    easy, hard = items(50, stratum="easy", probability=0.05), items(50, stratum="hard", probability=0.5)
    found = estimate_sample(sample_of(easy, hard), settle(say(easy, 49) + say(hard, 30)))
    (figure,) = found.figures
    assert figure.estimate.total == pytest.approx(49 * 20 + 30 * 2)
    assert figure.estimate.cases == pytest.approx(1100)
    assert figure.estimate.value == pytest.approx(0.9455, abs=1e-4)
    # The textbook's stratified variance: sum of (N_h / N)^2 (1 - n_h / N_h) s_h^2 / n_h.
    parts = [(1000, 0.05, 49 / 50), (100, 0.5, 30 / 50)]
    variance = sum((size / 1100) ** 2 * (1 - f) * p * (1 - p) / 49 for size, f, p in parts)
    half = (figure.estimate.high - figure.estimate.low) / 2
    assert half == pytest.approx(1.98 * variance**0.5, rel=0.15)  # Wilson's is not quite symmetric


def test_faces_of_one_family_that_are_wrong_together_widen_the_interval() -> None:
    alone, crowded = items(200, probability=0.01), items(200, families=10, probability=0.01)
    together = [
        Label(item.item_id, "ann", Answer.NO if item.family_id.int <= 2 else Answer.YES) for item in crowded
    ]  # two of ten families are wrong altogether
    (wide,) = estimate_sample(sample_of(crowded), settle(together)).figures
    (narrow,) = estimate_sample(sample_of(alone), settle(say(alone, 160))).figures
    assert wide.estimate.value == narrow.estimate.value == 0.8
    assert wide.estimate.high - wide.estimate.low > 3 * (narrow.estimate.high - narrow.estimate.low)


def test_a_single_family_tells_nothing_of_others() -> None:
    some = items(100, families=1)
    (figure,) = estimate_sample(sample_of(some), settle(say(some, 80))).figures
    assert figure.estimate.value == pytest.approx(0.8)
    assert figure.estimate.high - figure.estimate.low > 0.7


def test_all_right_leaves_room_for_some_wrong() -> None:
    some = items(100, probability=0.01)
    (figure,) = estimate_sample(sample_of(some), settle(say(some, 100))).figures
    assert figure.estimate.high == 1
    assert 0.95 < figure.estimate.low < 0.98


def test_items_without_an_answer_are_like_the_others_of_their_stratum() -> None:
    easy, hard = items(50, stratum="easy"), items(50, stratum="hard")
    all_answered = estimate_sample(sample_of(easy, hard), settle(say(easy, 50) + say(hard, 30))).figures[0].estimate
    part = estimate_sample(sample_of(easy, hard), settle(say(easy, 50) + say(hard, 24, silent=10))).figures[0].estimate
    assert (part.value, part.cases) == (pytest.approx(all_answered.value), pytest.approx(all_answered.cases))
    assert part.high - part.low > all_answered.high - all_answered.low


def test_too_few_answers_are_refused() -> None:
    some = items(100)
    with pytest.raises(InvalidValueError, match="79 of the 100"):
        estimate_sample(sample_of(some), settle(say(some, 79, silent=21)))
    assert estimate_sample(sample_of(some), settle(say(some, 79, silent=21)), min_response=0.5).response == 0.79
    none = items(10, stratum="t")
    with pytest.raises(InvalidValueError, match="stratum t has a sure answer"):
        estimate_sample(sample_of(some, none), settle(say(some, 90)))


def test_unsure_is_no_answer_and_what_it_could_change_is_told() -> None:
    some = items(100)
    found = estimate_sample(sample_of(some), settle(say(some, 80, unsure=10)))
    (figure,) = found.figures
    assert figure.estimate.value == pytest.approx(80 / 90)
    assert (figure.if_unsure_wrong, figure.if_unsure_right) == (pytest.approx(0.8), pytest.approx(0.9))
    assert (found.unsure, found.answered, figure.items) == (10, 100, 90)


def test_items_of_deleted_families_count_as_not_answered() -> None:
    some = items(100)
    whole = sample_of(some)
    found = estimate_sample(replace(whole, items=whole.items[:90]), settle(say(some[:90], 90)))
    assert (found.response, found.strata[0].gone) == (0.9, 10)


# --- Several annotators -----------------------------------------------------------------------------------------


def votes(*answers: str, odd: tuple[int, ...] = ()) -> list[Label]:
    return [Label(UUID(int=1), f"annotator {number}", Answer(one), odd) for number, one in enumerate(answers)]


def test_most_annotators_settle_an_item_and_the_arbiter_does_above_all() -> None:
    item = UUID(int=1)
    settled = settle(votes("yes", "no", "yes"))[item]
    assert settled is not None
    assert (settled.answer, settled.labels, settled.disputed) == (Answer.YES, 2, True)
    assert settle(votes("yes", "no"))[item] is None
    arbitrated = settle(votes("yes", "yes", "no"), arbiter="annotator 2")[item]
    assert arbitrated is not None
    assert arbitrated.answer is Answer.NO


def test_a_face_is_odd_if_most_of_those_who_say_no_name_it() -> None:
    said = [Label(UUID(int=1), name, Answer.NO, odd) for name, odd in (("a", (1, 2)), ("b", (2,)), ("c", (2, 3)))]
    (settled,) = settle(said).values()
    assert settled is not None
    assert settled.odd == (2,)
    assert settle([replace(said[0], odd=(1,)), replace(said[1], odd=(2,))])[UUID(int=1)] is None


def test_agreement_is_that_of_the_library_for_two_annotators() -> None:
    rng, some = np.random.default_rng(3), items(80, families=20)
    first = [str(one) for one in rng.choice(["yes", "no", "unsure"], 80, p=[0.6, 0.3, 0.1])]
    second = [one if rng.random() < 0.8 else "no" for one in first]
    labels = [
        Label(item.item_id, name, Answer(answer))
        for name, answers in (("ann", first), ("ben", second))
        for item, answer in zip(some, answers, strict=True)
    ]
    by = {one.measure: one for one in measure_agreement(some, labels)}
    kappa = by["cohen_kappa"]
    assert kappa.value == pytest.approx(cohen_kappa_score(first, second))
    assert kappa.low is not None
    assert kappa.high is not None
    assert kappa.low < cohen_kappa_score(first, second) < kappa.high
    assert (kappa.items, kappa.families, kappa.annotators) == (80, 20, 2)
    assert by["krippendorff_alpha"].value == pytest.approx(kappa.value, abs=0.02)


def test_krippendorff_s_own_example_gives_his_value() -> None:
    """Krippendorff, Computing Krippendorff's alpha-reliability, 2011, C: nominal data, four observers with gaps."""
    coincidences = np.array(
        [[7, 4 / 3, 1 / 3, 1 / 3, 0], [4 / 3, 10, 4 / 3, 1 / 3, 0], [1 / 3, 4 / 3, 8, 1 / 3, 0],
         [1 / 3, 1 / 3, 1 / 3, 4, 0], [0, 0, 0, 0, 3]]
    )  # fmt: skip
    assert alpha(coincidences) == pytest.approx(0.743, abs=5e-4)


def test_agreement_is_not_told_where_nobody_ever_said_anything_else() -> None:
    some = items(5)
    labels = [Label(item.item_id, name, Answer.YES) for item in some for name in ("ann", "ben")]
    assert {(one.value, one.observed) for one in measure_agreement(some, labels)} == {(None, 1.0)}
    assert measure_agreement(some, labels[::2]) == []


@given(st.lists(st.sampled_from(list(Answer)), min_size=4, max_size=40), st.integers(0, 100))
def test_agreement_does_not_depend_on_who_is_called_what(answers: list[Answer], seed: int) -> None:
    some = items(len(answers) // 2, families=3)
    labels = [
        Label(item.item_id, name, answers[2 * index + turn])
        for index, item in enumerate(some)
        for turn, name in enumerate(("ann", "ben"))
    ]
    swapped = [replace(one, annotator={"ann": "ben", "ben": "ann"}[one.annotator]) for one in labels]
    order = np.random.default_rng(seed).permutation(len(labels))
    there, back = (measure_agreement(some, said) for said in (labels, [swapped[index] for index in order]))
    assert [(one.value, one.observed) for one in there] == [
        (pytest.approx(one.value, nan_ok=True) if one.value is not None else None, pytest.approx(one.observed))
        for one in back
    ]


@pytest.mark.parametrize(
    ("kind", "answer", "odd"),
    [
        (Kind.FACES, "maybe", ()),
        (Kind.FACES, "no", (1,)),
        (Kind.CLUSTERS, "no", ()),
        (Kind.CLUSTERS, "no", (2,)),
        (Kind.CLUSTERS, "yes", (1,)),
        (Kind.CLUSTERS, "not_a_face", ()),
    ],
)
def test_an_answer_that_the_item_can_not_have_is_refused(kind: Kind, answer: str, odd: tuple[int, ...]) -> None:
    (item,) = items(1)
    with pytest.raises(InvalidValueError):
        make_label(kind, item, annotator="ann", answer=answer, odd=odd)
    assert make_label(Kind.CLUSTERS, item, annotator="ann", answer="no", odd=(1, 1)).odd == (1,)
