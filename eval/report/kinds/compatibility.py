"""The report of a change of embedding space: what it would cost, and whether that is within its limits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from eval.compat.report import Check, CompatReport
from eval.metrics import Estimate
from eval.report.charts import Cell, DotChart, Table, Whisker, WhiskerChart
from eval.report.measured import Measured, Scale
from eval.report.paper import Mood, Paper, Section
from eval.report.words import count
from facealbum.errors import InvalidValueError

_CHECKS = {
    "hit_rate": "hit rate lost",
    "neighbours": "neighbours lost",
    "centroids": "persons nearest to themselves",
    "broken": "more broken labels",
}
_SIDES = {"old": "old with old", "new": "new with new", "cross": "stored with new"}
_RUNS = {"old": "old space", "new": "new space", "mixed": "new on old nodes"}
_FARS = {"far_1": "1%", "far_01": "0.1%"}


def write_compatibility(reports: Sequence[CompatReport], *, now: datetime) -> Paper:
    """The paper of one pair of spaces, by each way in which known faces may come to have new vectors.

    Raises InvalidValueError without any report, or of different pairs.
    """
    if len({(one.source, one.target) for one in reports}) != 1:
        raise InvalidValueError("a compatibility report must be of one pair of spaces; give the reports on it only")
    first = reports[0]
    return Paper(
        kind="compatibility",
        title="Embedding compatibility",
        subtitle=f"{first.source} to {first.target}",
        generated_at=now,
        mood=Mood.GOOD if any(one.passed for one in reports) else Mood.BAD,
        verdict=(*map(_sentence, reports), *{_certainty(one): None for one in reports}),
        totals=(
            (first.families, "family", "families"),
            (first.faces, "face", "faces"),
            (first.persons, "person", "persons"),
        ),
        sections=tuple(section for one in reports for section in _sections(one, alone=len(reports) == 1)),
        figures={"reports": [one.to_dict() for one in reports]},
    )


def _sections(report: CompatReport, *, alone: bool) -> Iterator[Section]:
    for one in (_checks(report), _verification(report), _neighbours(report), _breakage(report)):
        yield one if alone else replace(one, title=f"{one.title}, {_how(report)}")


def _how(report: CompatReport) -> str:
    return "by embedding again" if report.remedy == "reembedding" else f"through the adapter {report.remedy}"


def _sentence(report: CompatReport) -> str:
    failed = [_CHECKS[check.key] for check in report.checks if not check.passed]
    if failed:
        return f"{report.target} can't take the place of {report.source} {_how(report)}: {', '.join(failed)}."
    return f"{report.target} may take the place of {report.source} {_how(report)}: every check is within its limit."


def _certainty(report: CompatReport) -> str:
    if report.families < report.limits.families:
        families = count(report.families, "family", "families")
        return (
            f"With {families}, fewer than {report.limits.families}, intervals say nothing and values alone were judged."
        )
    return "A check passes only if its whole interval keeps the limit."


def _checks(report: CompatReport) -> Section:
    rows = tuple(
        Whisker(
            _CHECKS[check.key],
            _measured(check, report.families),
            centre=check.limit,
            lower_is_better=not check.at_least,
            word="kept" if check.passed else "not kept",
        )
        for check in report.checks
    )
    chart = WhiskerChart(
        "Checks", "Right of the line keeps the limit. Every row has a scale of its own.", rows, centre_name="limit"
    )
    return Section("What a change would cost", blocks=(chart,))


def _measured(check: Check, families: int) -> Measured:
    scale = Scale.SHARE if check.key == "centroids" else Scale.POINTS
    return Measured(check.value, check.low, check.high, scale, cases=check.cases, families=families)


def _verification(report: CompatReport) -> Section:
    words = f"How many of {report.true_pairs:,} pairs of one person are told from {report.false_pairs:,} pairs of two."
    charts = tuple(
        DotChart(f"Hit rate at {_FARS[far]} false accepts", "", _rows(sides, _SIDES))
        for far, sides in report.hit_rates.items()
    )
    return Section("Verification across versions", (words,), charts)


def _neighbours(report: CompatReport) -> Section:
    rows = (
        ("neighbours kept, all new", Measured.of(report.neighbours["new"], Scale.SHARE)),
        ("neighbours kept, new among stored", Measured.of(report.neighbours["mixed"], Scale.SHARE)),
        ("persons nearest to themselves", Measured.of(report.centroids, Scale.SHARE)),
    )
    shift = Measured.of(report.shift, Scale.PLAIN)
    return Section(
        "Neighbours and centroids",
        blocks=(
            DotChart("What stays where it was", "", rows),
            Table("Shift of centroids", ("", "Degrees a person"), (("stored to new centroid", shift),)),
        ),
    )


def _breakage(report: CompatReport) -> Section:
    runs = {run: kinds["any"] for run, kinds in report.broken.items()}
    kinds = tuple(report.broken["old"])
    rows: list[tuple[Cell, ...]] = [
        (_RUNS[run], *(Measured.of(of_kind[kind], Scale.SHARE) for kind in kinds))
        for run, of_kind in report.broken.items()
    ]
    return Section(
        "Breakage of a shadow run",
        ("Labels of known persons that did not survive an unpinned clustering; no truth is needed.",),
        (DotChart("Labels broken in any way", "", _rows(runs, _RUNS)), Table("By kind", ("Run", *kinds), tuple(rows))),
    )


def _rows(found: Mapping[str, Estimate], names: Mapping[str, str]) -> tuple[tuple[str, Measured], ...]:
    return tuple((names[key], Measured.of(one, Scale.SHARE)) for key, one in found.items())
