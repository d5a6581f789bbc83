"""The report of a check for drift: which distributions moved, how far, and which photos did it."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from eval.drift.distributions import DISTRIBUTIONS, Distribution
from eval.drift.report import Change, DriftReport
from eval.report.charts import BarChart, Chart, Table
from eval.report.measured import Measured, Scale
from eval.report.paper import Mood, Paper, Section
from eval.report.words import month as month_words
from facealbum.errors import InvalidValueError

_ROLES = ("detector", "embedder")
_AGAINST = {"baseline": "quiet months", "before": "the month before", "training": "the training set"}


def write_drift(reports: Sequence[DriftReport], *, now: datetime) -> Paper:
    """The paper of one month, by each model version that it was analysed with and all that this was compared with.

    Raises InvalidValueError without any comparison, or of different months.
    """
    if len({one.month for one in reports}) != 1:
        raise InvalidValueError("a drift report must be of one month; give its comparisons only")
    first = reports[0]
    moved = {change.distribution for one in reports for change in one.changes if change.alarm}
    sections = [_section(one) for one in reports]
    for one in {one.analyzer: one for one in reversed(reports)}.values():
        still = tuple(_bars(one, change) for change in one.changes if change.distribution not in moved)
        sections += [Section("All other distributions", (f"Analysed with {_models(one)}.",), still)] if still else []
        sections.append(Section("Models", blocks=(_versions(one),)))
    return Paper(
        kind="drift",
        title="Drift and skew",
        subtitle=f"{month_words(first.month)}, {'; '.join(sorted({_models(one) for one in reports}))}",
        generated_at=now,
        mood=Mood.BAD if moved else Mood.GOOD if _is_judged(reports) else Mood.OPEN,
        verdict=tuple(_verdict(reports, moved)),
        totals=((_faces(first), "face", "faces"), (len(first.changes), "distribution", "distributions")),
        sections=tuple(sections),
        figures={"comparisons": [one.to_dict() for one in reports]},
    )


def _verdict(reports: Sequence[DriftReport], moved: set[str]) -> Sequence[str]:
    if not _is_judged(reports):
        return ("Nothing could be judged: there are too few quiet months or too few faces.",)
    if not moved:
        return ("No distribution is further away than quiet months are.",)
    names = ", ".join(DISTRIBUTIONS[key].about for key in DISTRIBUTIONS if key in moved)
    return (
        f"{len(moved)} of {len(reports[0].changes)} distributions moved: {names}.",
        *(line[0].upper() + line[1:] + "." for one in reports for line in one.alarms),
    )


def _is_judged(reports: Sequence[DriftReport]) -> bool:
    return any(change.threshold is not None for one in reports for change in one.changes)


def _models(report: DriftReport) -> str:
    """The two that everything else depends on; all of them are in a table."""
    return ", ".join(f"{role} {report.models[role]}" for role in _ROLES if role in report.models)


def _versions(report: DriftReport) -> Table:
    return Table(f"What {report.analyzer[:8]} analysed with", ("Role", "Model"), tuple(sorted(report.models.items())))


def _faces(report: DriftReport) -> int:
    """How many the largest distribution of faces has; some have no value of their own for each."""
    faces = (change for change in report.changes if not DISTRIBUTIONS[change.distribution].per_photo)
    return max((sum(change.counts) for change in faces), default=0)


def _section(report: DriftReport) -> Section:
    months = [month_words(month) for month in report.months]
    other = _AGAINST[report.against] + (f" ({', '.join(months)})" if months else "")
    words = [f"Analysed with {_models(report)}, compared with {other}."]
    if report.false_alarms is not None:
        words.append(f"A quiet month raises any alarm here in {report.false_alarms:.1%} of cases.")
    rows = tuple(
        (
            DISTRIBUTIONS[one.distribution].about,
            one.distance,
            one.threshold,
            sum(one.counts_before),
            sum(one.counts),
            "moved" if one.alarm else one.unjudged or "as before",
        )
        for one in report.changes
    )
    columns = ("Distribution", "Distance", "Threshold", "n before", "n now", "Conclusion")
    table = Table("Jensen-Shannon distance (0: equal shares, 1: nothing in common)", columns, rows)
    moved: list[Chart | Table] = []
    for change in report.changes:
        moved += [_bars(report, change), *_groups(change)] if change.alarm else []
    return Section(f"Against {_AGAINST[report.against]}", tuple(words), (table, *moved))


def _bars(report: DriftReport, change: Change) -> BarChart:
    about = DISTRIBUTIONS[change.distribution]
    unit = f" ({about.unit})" if about.unit else ""
    limit = "not judged" if change.threshold is None else f"threshold {change.threshold:.3f}"
    return BarChart(
        title=f"{about.about}{unit}".capitalize(),
        note=f"Distance {change.distance:.3f} to {_AGAINST[report.against]}, {limit}.",
        bins=bin_names(about),
        before=change.counts_before,
        now=change.counts,
        names=(_AGAINST[report.against], month_words(report.month)),
    )


def _groups(change: Change) -> Sequence[Table]:
    if not change.groups:
        return ()
    rows = tuple(
        (one.group, one.how, _share(one.part), _share(one.share_before), _share(one.share_now)) for one in change.groups
    )
    columns = ("Photos", "Change of", "Part of the change", "Share before", "Share now")
    return (Table(f"Where the change of {DISTRIBUTIONS[change.distribution].about} comes from", columns, rows),)


def _share(number: float) -> Measured:
    return Measured(number, None, None, Scale.SHARE)


def bin_names(about: Distribution) -> tuple[str, ...]:
    """What each bin holds, such as below 1, 1 to 2, 60 and more."""
    edges = [f"{edge:g}" for edge in about.edges]
    between = (f"{low} to {high}" for low, high in pairwise(edges))
    return (f"below {edges[0]}", *between, f"{edges[-1]} and more")
