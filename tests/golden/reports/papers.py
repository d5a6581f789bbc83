"""A paper of each kind from fixed figures; run as a program it writes the golden files anew.

    python -m tests.golden.reports.papers

Look at every page in a browser before the new files are kept.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from eval.annotation.agreement import Agreement
from eval.annotation.estimate import AnnotationEstimate, Figure, StratumAnswers
from eval.compat.report import Check, CompatReport, Limits
from eval.drift.attribution import Contribution
from eval.drift.distributions import DISTRIBUTIONS
from eval.drift.report import Change as Shift
from eval.drift.report import DriftReport
from eval.experiments import Guardrail, GuardrailVerdict, Outcome, Plan, Verdict
from eval.metrics import Estimate
from eval.metrics.change import Change
from eval.metrics.control import MonthPoint, TrackedMonth
from eval.metrics.control import Side as Where
from eval.report.kinds.annotation import write_annotation
from eval.report.kinds.comparison import Comparison, Difference, Side, write_comparison
from eval.report.kinds.compatibility import write_compatibility
from eval.report.kinds.drift import write_drift
from eval.report.kinds.experiment import ExperimentFigures, LookBack, write_experiment
from eval.report.kinds.month import MonthHistory, SliceValue, write_month
from eval.report.paper import Paper
from eval.report.render_paper import render_paper
from facealbum.domain.months import Month

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 2, 7, 30, tzinfo=UTC)
OCTOBER = Month(2026, 10)


def estimate(total: float, cases: float, *, half: float, families: int = 412) -> Estimate:
    """A share or mean with an interval of this half width."""
    value = total / cases
    return Estimate(value, max(0.0, value - half), value + half, total, cases, families, 0.95)


NOTHING = Estimate(None, 0.0, 1.0, 0, 0, 0, 0.95)

# --- Month ----------------------------------------------------------------------------------------------------

_COVERED = (6912, 6950, 6931, 6980, 7004, 6990, 7051, 7012, 7033, 7040, 7029, 6544)
_BROKEN = (41, 44, 39, 43, 40, 45, 38, 42, 41, 71, 68, 66)
_SPREAD = (11_020, 11_150, 11_080, 11_230, 11_190, 11_260, 11_140, 11_300, 11_210, 11_170, 11_250, 11_190)


def tracked(metric: str, totals: tuple[int, ...], cases: int, *, half: float, width: float) -> tuple[TrackedMonth, ...]:
    """A year up to October 2026; limits from the seventh month on, a new model in August."""
    first = Month(2025, 11)
    found = []
    for at, (month, total) in enumerate(zip(first.through(OCTOBER), totals, strict=True)):
        models = ("fused-512",) if at < 9 else ("family-512",)
        point = MonthPoint(month, estimate(total, cases, half=half), models)
        changed = ("fused-512",) if at == 9 else ()
        if at < 6:
            found.append(TrackedMonth(metric, point, Where.UNKNOWN, at, changed_from=changed))
            continue
        centre = sum(totals[:at]) / at / cases
        low, high, value = centre - width, centre + width, total / cases
        side = Where.ABOVE if value > high else Where.BELOW if value < low else Where.WITHIN
        found.append(TrackedMonth(metric, point, side, at, centre, low, high, changed))
    return tuple(found)


MONTH = MonthHistory(
    month=OCTOBER,
    arm="default",
    families=412,
    tracked=(
        tracked("coverage", _COVERED, 8013, half=0.011, width=0.02),
        tracked("breakage", _BROKEN, 1377, half=0.009, width=0.012),
        tracked("age_spread", _SPREAD, 7100, half=0.06, width=0.09),
        (TrackedMonth("corrections", MonthPoint(OCTOBER, estimate(0, 6544, half=0.0006)), Where.UNKNOWN),),
    ),
    slices=tuple(
        SliceValue(name, metric, one)
        for name, metrics in {
            "age:0-2": {
                "coverage": estimate(1711, 2266, half=0.022, families=301),
                "breakage": estimate(31, 402, half=0.02),
            },
            "age:3-5": {
                "coverage": estimate(1804, 2042, half=0.017, families=280),
                "breakage": estimate(11, 377, half=0.012),
            },
            "gender:female": {
                "coverage": estimate(3290, 3902, half=0.014),
                "association": estimate(2102, 3902, half=0.02),
            },
            "given:region=north": {"coverage": NOTHING},
        }.items()
        for metric, one in metrics.items()
    ),
)

# --- Comparison -----------------------------------------------------------------------------------------------


def difference(metric: str, first: Estimate, second: Estimate, half: float) -> Difference:
    """With an interval of this half width."""
    assert first.value is not None
    assert second.value is not None
    value = second.value - first.value
    change = Change(first.value, second.value, value, value - half, value + half, 412, 0.95)
    return Difference(metric, first, second, change)


COMPARISON = Comparison(
    first=Side("default", OCTOBER, ("fused-512",)),
    second=Side("light", OCTOBER, ("light-128",)),
    differences=(
        difference("coverage", estimate(7029, 8013, half=0.011), estimate(6890, 8013, half=0.012), 0.006),
        difference("association", estimate(4210, 8013, half=0.02), estimate(4190, 8013, half=0.02), 0.005),
        difference("breakage", estimate(41, 1377, half=0.009), estimate(66, 1352, half=0.011), 0.008),
        difference("cluster_size", estimate(70_290, 2108, half=1.2), estimate(68_900, 2190, half=1.1), 0.4),
        difference("age_spread", estimate(11_250, 7100, half=0.06), estimate(10_690, 6980, half=0.06), 0.021),
        Difference(
            "provisional_confirmed",
            NOTHING,
            estimate(3, 4, half=0.25, families=1),
            Change(None, 0.75, None, -inf, inf, 1, 0.95),
        ),
    ),
)

# --- Experiment -----------------------------------------------------------------------------------------------

PLAN = Plan(
    metric="breakage",
    higher_is_better=False,
    minimum_effect=0.005,
    months=3,
    families=800,
    guardrails=(Guardrail("coverage", higher_is_better=True, tolerated=0.01), Guardrail("collisions", False, 0.002)),
)
EXPERIMENT = ExperimentFigures(
    name="family-512",
    mode="served",
    status="concluded",
    control="default",
    plan=PLAN,
    families={"default": 421, "family-512": 408, "holdout": 90},
    verdicts={
        "family-512": Verdict(
            Outcome.UNDECIDED,
            "breakage is better, but harm to coverage is not ruled out",
            "breakage",
            3,
            (421, 408),
            0.6522,
            0.95,
            control=0.0312,
            treatment=0.0214,
            effect=-0.0098,
            low=-0.0151,
            high=-0.0045,
            p=0.000312,
            guardrails=(
                GuardrailVerdict("coverage", 0.01, -0.0041, -0.0122, 0.004, None),
                GuardrailVerdict("collisions", 0.002, 0.0001, -0.0006, 0.0008, passed=True),
            ),
            more_families=212,
        )
    },
    before=(LookBack("family-512", 3, 0.0011, 0.5871),),
)

# --- Compatibility --------------------------------------------------------------------------------------------

COMPATIBILITY = CompatReport(
    source="fused-512",
    target="family-512",
    remedy="family-512-linear",
    families=63,
    faces=9120,
    persons=611,
    true_pairs=182_440,
    false_pairs=1_204_118,
    hit_rates={
        "far_1": {
            "old": estimate(150_513, 182_440, half=0.031, families=63),
            "new": estimate(158_723, 182_440, half=0.027, families=63),
            "cross": estimate(147_776, 182_440, half=0.034, families=63),
        },
        "far_01": {
            "old": estimate(107_640, 182_440, half=0.04, families=63),
            "new": estimate(116_762, 182_440, half=0.038, families=63),
            "cross": NOTHING,
        },
    },
    neighbours={
        "new": estimate(33_744, 45_600, half=0.012, families=63),
        "mixed": estimate(30_096, 45_600, half=0.016, families=63),
    },
    centroids=estimate(583, 607, half=0.019, families=63),
    shift=Estimate(17.2, 16.1, 18.4, 10_509.2, 611, 63, 0.95),
    broken={
        run: {kind: estimate(hits, 611, half=0.014, families=63) for kind, hits in zip(kinds, counts, strict=True)}
        for kinds in [("any", "mixing", "disappearance", "splitting")]
        for run, counts in {"old": (19, 9, 2, 9), "new": (15, 6, 2, 8), "mixed": (38, 12, 4, 25)}.items()
    },
    checks=(
        Check("hit_rate", -0.015, -0.038, 0.008, -0.05, True, 182_440),
        Check("neighbours", -0.08, -0.094, -0.066, -0.1, True, 45_600),
        Check("centroids", 583 / 607, 0.942, 0.977, 0.9, True, 607),
        Check("broken", 19 / 611, 0.012, 0.058, 0.05, False, 611),
    ),
    limits=Limits(),
)

REEMBEDDED = replace(
    COMPATIBILITY,
    remedy="reembedding",
    checks=(*COMPATIBILITY.checks[:3], Check("broken", 4 / 611, -0.011, 0.024, 0.05, False, 611)),
)

# --- Drift ----------------------------------------------------------------------------------------------------


def histogram(key: str, *, shift: int = 0) -> tuple[int, ...]:
    """A hill over all bins, moved by so many."""
    bins = DISTRIBUTIONS[key].bins
    return tuple(40 + 3 * max(0, 60 - (at - bins // 3 - shift) ** 2 * 4) * 25 for at in range(bins))


DRIFT = tuple(
    DriftReport(
        month=OCTOBER,
        analyzer="5d41402abc4b2a76",
        models={"detector": "yunet-2023", "embedder": "family-512"},
        against=against,
        months=months,
        false_alarms=0.005,
        changes=(
            Shift(
                "quality",
                0.211,
                0.034,
                histogram("quality", shift=2),
                histogram("quality"),
                (
                    Contribution("camera:Acme Phone 3", "share", 0.62, 0.04, 0.21),
                    Contribution("format:HEIC", "within", 0.31, 0.4, 0.44),
                ),
            ),
            Shift("age", 0.012, 0.041, histogram("age"), tuple(3 * count for count in histogram("age"))),
            Shift("yaw", 0.02, None, (1,) * 13, (2,) * 13, unjudged="fewer than 500 cases"),
        ),
    )
    for against, months in (
        ("baseline", (Month(2026, 5), Month(2026, 6), Month(2026, 7))),
        ("before", (Month(2026, 9),)),
    )
)

# --- Annotation -----------------------------------------------------------------------------------------------

ANNOTATION = AnnotationEstimate(
    sample="autumn",
    kind="pairs",
    drawn=400,
    answered=391,
    unsure=12,
    unsettled=2,
    disputed=17,
    response=391 / 400,
    settled_by="the word of maria where there is one, else the majority",
    strata=tuple(
        StratumAnswers(name, population, drawn, gone, answers)
        for name, population, drawn, gone, *answers_ in (
            ("apart similarity:above", 9120.0, 120, 0, 31, 80, 7, 0, 1, 1),
            ("apart similarity:far-below", 1_204_118.0, 40, 1, 0, 39, 0, 0, 0, 0),
            ("together similarity:above", 40_211.0, 160, 0, 151, 4, 3, 0, 1, 1),
            ("together similarity:below", 3110.0, 80, 0, 61, 13, 2, 0, 0, 4),
        )
        for answers in [dict(zip(("yes", "no", "unsure", "not_a_face", "unsettled", "none"), answers_, strict=True))]
    ),
    figures=(
        Figure("pairwise_precision", "default", 231, estimate(41_240.5, 43_321, half=0.017, families=98), 0.939, 0.961),
        Figure("pairwise_recall", "default", 246, estimate(41_240.5, 43_702.25, half=0.04, families=101), 0.921, 0.953),
    ),
    agreement=(
        Agreement("krippendorff_alpha", "", 200, 71, 2, 0.955, 0.902, 0.851, 0.944),
        Agreement("cohen_kappa", "", 200, 71, 2, 0.955, 0.901, 0.85, 0.943),
        Agreement("krippendorff_alpha", "apart similarity:far-below", 20, 18, 2, 1.0, None, None, None),
    ),
)

PAPERS: Mapping[str, Paper] = {
    paper.kind: paper
    for paper in (
        write_month(MONTH, now=NOW),
        write_comparison(COMPARISON, now=NOW),
        write_experiment(EXPERIMENT, now=NOW),
        write_compatibility([REEMBEDDED, COMPATIBILITY], now=NOW),
        write_drift(DRIFT, now=NOW),
        write_annotation(ANNOTATION, now=NOW),
    )
}


def files(paper: Paper) -> dict[str, str]:
    """Both files of a paper, by name."""
    return {
        f"{paper.kind}.html": render_paper(paper),
        f"{paper.kind}.json": json.dumps(paper.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
    }


if __name__ == "__main__":
    for paper in PAPERS.values():
        for name, text in files(paper).items():
            (HERE / name).write_text(text, encoding="utf-8", newline="")
