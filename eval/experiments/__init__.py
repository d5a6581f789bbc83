"""Experiments, as far as they can be computed: who is in which arm, how many are needed, and what may be concluded.

Pure and by family: a family is assigned, counted and resampled as a whole, never a face of it.
"""

from eval.experiments.assignment import HOLDOUT, Split, assign
from eval.experiments.boundaries import critical_values
from eval.experiments.effects import Counts, Effect, compare
from eval.experiments.mismatch import arms_mismatch, pairs_mismatch
from eval.experiments.plan import Guardrail, Kind, Plan
from eval.experiments.power import Spread, families_needed, family_spread, smallest_effect
from eval.experiments.verdict import FEWEST_FAMILIES, GuardrailVerdict, Outcome, Verdict, Wait, judge

__all__ = [
    "FEWEST_FAMILIES",
    "HOLDOUT",
    "Counts",
    "Effect",
    "Guardrail",
    "GuardrailVerdict",
    "Kind",
    "Outcome",
    "Plan",
    "Split",
    "Spread",
    "Verdict",
    "Wait",
    "arms_mismatch",
    "assign",
    "compare",
    "critical_values",
    "families_needed",
    "family_spread",
    "judge",
    "pairs_mismatch",
    "smallest_effect",
]
