"""The report of an experiment: what was agreed before, what may be concluded, and the effect behind it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from eval.experiments import FEWEST_FAMILIES, GuardrailVerdict, Kind, Outcome, Plan, Verdict, Wait
from eval.metrics import METRICS
from eval.report.charts import Table, Whisker, WhiskerChart
from eval.report.measured import Measured, Scale
from eval.report.paper import Mood, Paper, Section

_MOODS = {
    Outcome.BETTER: Mood.GOOD,
    Outcome.WORSE: Mood.BAD,
    Outcome.REFUSED: Mood.BAD,
    Outcome.SAME: Mood.OPEN,
    Outcome.UNDECIDED: Mood.OPEN,
}
_UNTOLD: Mapping[Wait | None, str] = {
    Wait.MONTHS: "No effect may be shown yet, as looking early would make chance look like an effect.",
    Wait.FAMILIES: "No effect may be shown before as many families took part as were agreed on.",
    Wait.CASES: f"No effect can be computed of fewer than {FEWEST_FAMILIES} families with a case in an arm.",
    None: "No effect is shown, for the reason above.",
}
_PASSED = {True: "harm is ruled out", False: "harmed", None: "open"}


@dataclass(frozen=True, slots=True)
class LookBack:
    """A treatment's effect where there could be none: over so many months before the experiment began."""

    arm: str
    months: int
    effect: float
    p: float


@dataclass(frozen=True, slots=True)
class ExperimentFigures:
    """An experiment as it stands.

    families: assigned, by arm, the holdout among them.  verdicts: by treatment; the plan is that of each of them.
    before: how treatments' families differed from the control's before it began, when all were under one arm.
    """

    name: str
    mode: str
    status: str
    control: str
    plan: Plan
    families: Mapping[str, int]
    verdicts: Mapping[str, Verdict]
    before: tuple[LookBack, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "name": self.name,
            "mode": self.mode,
            "status": self.status,
            "control": self.control,
            "plan": self.plan.to_dict(),
            "families": dict(self.families),
            "before": [asdict(one) for one in self.before],
            "verdicts": {
                arm: verdict.to_dict() | {"counted": self.counted(verdict)} for arm, verdict in self.verdicts.items()
            },
        }

    def counted(self, verdict: Verdict) -> int:
        """How many families are behind a verdict."""
        return verdict.families[0] if self.plan.paired else sum(verdict.families)


def write_experiment(found: ExperimentFigures, *, now: datetime) -> Paper:
    """The paper of an experiment; what its plan does not allow to be told yet is not in it."""
    moods = {_MOODS[verdict.outcome] for verdict in found.verdicts.values()}
    mood = next((mood for mood in (Mood.BAD, Mood.OPEN, Mood.GOOD) if mood in moods), Mood.OPEN)
    return Paper(
        kind="experiment",
        title=f"Experiment {found.name}",
        subtitle=f"{found.mode}, {found.status}; compared with {found.control}",
        generated_at=now,
        mood=mood,
        verdict=tuple(_sentence(arm, verdict) for arm, verdict in found.verdicts.items()) or ("No month is over yet.",),
        totals=tuple((count, f"family in {arm}", f"families in {arm}") for arm, count in found.families.items()),
        sections=(*(_effects(found, arm, one) for arm, one in found.verdicts.items()), _agreed(found), _checks(found)),
        figures=found.to_dict(),
    )


def _sentence(arm: str, verdict: Verdict) -> str:
    said = f"{arm}: {verdict.outcome.value}. {verdict.reason[:1].upper()}{verdict.reason[1:]}."
    if verdict.more_families:
        said += f" {verdict.more_families:,} more families would tell."
    return said


def _effects(found: ExperimentFigures, arm: str, verdict: Verdict) -> Section:
    title = f"{arm} against {found.control}"
    if verdict.effect is None:
        return Section(title, (_UNTOLD[verdict.waits],))
    plan, families = found.plan, found.counted(verdict)
    primary = Whisker(
        METRICS[plan.metric].title,
        _difference(plan.metric, verdict.effect, verdict.low, verdict.high, verdict.level, families),
        mark=plan.minimum_effect if plan.higher_is_better else -plan.minimum_effect,
        lower_is_better=not plan.higher_is_better,
        word=_seen(plan, verdict),
    )
    rails = (_guardrail(one, verdict.level, families) for one in verdict.guardrails)
    chart = WhiskerChart(
        f"{arm} less {found.control}",
        "Right of the line is better. Dashed: the minimum effect, or the harm that a guardrail tolerates. "
        "Every row has a scale of its own.",
        (primary, *rails),
        limit_name="Minimum effect or tolerated harm",
    )
    value = Table(
        f"{METRICS[plan.metric].title} itself",
        ("Arm", "Value", "Families"),
        (
            (found.control, _value(plan.metric, verdict.control), verdict.families[0]),
            (arm, _value(plan.metric, verdict.treatment), verdict.families[1]),
        ),
    )
    return Section(title, blocks=(chart, value))


def _seen(plan: Plan, verdict: Verdict) -> str:
    """What the interval of the primary metric says by itself."""
    low, high = verdict.low or 0.0, verdict.high or 0.0
    if low <= 0 <= high:
        return "no difference seen"
    return "better" if (low > 0) == plan.higher_is_better else "worse"


def _guardrail(one: GuardrailVerdict, level: float, families: int) -> Whisker:
    lower = METRICS[one.metric].better == "lower"
    return Whisker(
        METRICS[one.metric].title,
        _difference(one.metric, one.effect, one.low, one.high, level, families),
        mark=one.tolerated if lower else -one.tolerated,
        lower_is_better=lower,
        word=_PASSED[one.passed],
    )


def _difference(
    metric: str, value: float | None, low: float | None, high: float | None, level: float, families: int
) -> Measured:
    scale = Scale.POINTS if METRICS[metric].share else Scale.CHANGE
    return Measured(value, low, high, scale, families=families, level=level)


def _value(metric: str, value: float | None) -> Measured:
    return Measured(value, None, None, Scale.SHARE if METRICS[metric].share else Scale.PLAIN)


def _agreed(found: ExperimentFigures) -> Section:
    plan = found.plan
    looks = "after each month, by limits that allow for it" if plan.kind is Kind.SEQUENTIAL else "once, at the end"
    scale = Scale.POINTS if METRICS[plan.metric].share else Scale.CHANGE
    rows = (
        ("primary metric", METRICS[plan.metric].title),
        ("smallest difference that matters", Measured(plan.minimum_effect, None, None, scale)),
        ("decided", looks),
        ("months", plan.months),
        ("families", plan.families),
        ("both arms in each family", "yes" if plan.paired else "no"),
        ("alpha, two-sided", plan.alpha),
        ("power", plan.power),
        ("treatments that share the alpha", plan.comparisons),
    )
    return Section("What was agreed before it began", blocks=(Table("Plan", ("", ""), rows),))


def _checks(found: ExperimentFigures) -> Section:
    rows = tuple(
        (arm, verdict.look, *verdict.families, float(verdict.mismatch), _p(verdict))
        for arm, verdict in found.verdicts.items()
    )
    columns = ("Arm", "Months over", "Families in control", "in treatment", "p of the sample ratio", "p of the effect")
    words = ["A sample ratio with p below 0.001 means that families are missing, and nothing is concluded."]
    tables = [Table("Families that were counted", columns, rows)]
    if found.before:
        words.append("Before it began all families were under one arm, so a small p there is chance or a mistake.")
        tables.append(_before(found))
    return Section("Checks", tuple(words), tuple(tables))


def _before(found: ExperimentFigures) -> Table:
    scale = Scale.POINTS if METRICS[found.plan.metric].share else Scale.CHANGE
    rows = ((one.arm, one.months, Measured(one.effect, None, None, scale), one.p) for one in found.before)
    return Table("A/A check", ("Arm", "Months before", "Difference", "p"), tuple(rows))


def _p(verdict: Verdict) -> float | str:
    return "not shown" if verdict.p is None else verdict.p
