"""The report of a labelled sample: what people's answers say of all faces, and how far the annotators agree."""

from datetime import datetime

from eval.annotation.agreement import Agreement
from eval.annotation.estimate import AnnotationEstimate, Figure
from eval.report.charts import Cell, DotChart, Table
from eval.report.measured import Measured, Scale
from eval.report.paper import Mood, Paper, Section

_MEASURES = {
    "assignment_precision": "faces that are of their person",
    "link_precision": "faces of children that are of that child",
    "pairwise_precision": "pairwise precision",
    "pairwise_recall": "pairwise recall",
    "cluster_precision": "faces that are of their cluster's person",
    "pure_clusters": "clusters without an odd one out",
}
_AGREEMENTS = {"krippendorff_alpha": "Krippendorff's alpha", "cohen_kappa": "Cohen's kappa"}


def write_annotation(found: AnnotationEstimate, *, now: datetime) -> Paper:
    """The paper of one sample."""
    return Paper(
        kind="annotation",
        title="What annotators saw",
        subtitle=f"sample {found.sample} of {found.kind}",
        generated_at=now,
        mood=Mood.OPEN,
        verdict=(
            *(_sentence(one) for one in found.figures),
            f"{found.answered:,} of {found.drawn:,} items have an answer; {found.unsure:,} of these say unsure.",
        ),
        totals=(
            (found.drawn, "item drawn", "items drawn"),
            (found.answered, "answered", "answered"),
            (found.disputed, "disputed", "disputed"),
        ),
        sections=(_estimates(found), _strata(found), _agreement(found)),
        figures=found.to_dict(),
    )


def _name(one: Figure) -> str:
    return f"{_MEASURES[one.measure]}, arm {one.arm}"


def _sentence(one: Figure) -> str:
    measured = Measured.of(one.estimate, Scale.SHARE)
    name = _name(one)
    return f"{name[0].upper()}{name[1:]}: {measured.said} ({measured.interval}, {one.items:,} items)."


def _estimates(found: AnnotationEstimate) -> Section:
    if not found.figures:
        return Section("Estimates", ("No item of this sample tells of any rate.",))
    chart = DotChart(
        "Rates of everything the sample stands for",
        "Each answer counts for as many as its item was drawn from; the counts are such weighted sums.",
        tuple((_name(one), Measured.of(one.estimate, Scale.SHARE)) for one in found.figures),
    )
    rows = tuple(
        (
            _name(one),
            one.items,
            Measured(one.if_unsure_wrong, None, None, Scale.SHARE),
            Measured(one.if_unsure_right, None, None, Scale.SHARE),
        )
        for one in found.figures
    )
    bounds = Table("What unsure answers could make of it", ("", "Items", "all wrong", "all right"), rows)
    return Section(
        "Estimates", (f"Different answers to one item were settled by {found.settled_by}.",), (chart, bounds)
    )


def _strata(found: AnnotationEstimate) -> Section:
    answers = tuple(found.strata[0].answers) if found.strata else ()
    rows: list[tuple[Cell, ...]] = [
        (one.stratum, one.population, one.drawn, one.gone, *(one.answers[answer] for answer in answers))
        for one in found.strata
    ]
    columns = ("Stratum", "Population", "Drawn", "Deleted since", *answers)
    words = "An item without an answer is taken to be like the answered ones of its stratum."
    return Section("Answers by stratum", (words,), (Table("Items", columns, tuple(rows)),))


def _agreement(found: AnnotationEstimate) -> Section:
    if not found.agreement:
        return Section("Agreement", ("No item has answers of two annotators, so nobody knows how far they agree.",))
    columns = ("Stratum", "Measure", "Agreement beyond chance", "Items", "Annotators", "Same answers")
    return Section(
        "Agreement",
        ("1 is full agreement, 0 what chance alone would give; of the sampled items as they are, hard ones first.",),
        (Table("Between annotators", columns, tuple(map(_agreed, found.agreement))),),
    )


def _agreed(one: Agreement) -> tuple[Cell, ...]:
    return (
        one.stratum or "all",
        _AGREEMENTS[one.measure],
        Measured(one.value, one.low, one.high, Scale.PLAIN, families=one.families),
        one.items,
        one.annotators,
        Measured(one.observed, None, None, Scale.SHARE),
    )
