"""Measuring: what a family's month came to, written in the transaction that ends it, and the sums over all families."""

from dataclasses import replace
from datetime import datetime

from eval.metrics.facts import Companies, count_churn, count_month
from facealbum.storage.database import Transaction
from facealbum.storage.family_metrics import (
    MeasuredMonth,
    load_companies,
    load_merged,
    load_month_facts,
    save_month,
)
from facealbum.storage.runs import Run


def measure_month(transaction: Transaction, run: Run, before: Companies, *, now: datetime) -> None:
    """Count what the run left of its month; before: the companies when it began."""
    measured = MeasuredMonth(
        run.family_id, run.arm.arm_id, run.month, run.run_id, run.models["embedder"], run.code_version
    )
    facts = load_month_facts(transaction, measured)
    after = load_companies(transaction, run.family_id, run.arm.arm_id, before_run=run.run_id)
    merged = {} if after == before else load_merged(transaction, run.family_id, run.arm.arm_id)
    parts = {**facts.parts, "churn": count_churn(before, after, merged)}
    save_month(transaction, measured, count_month(replace(facts, parts=parts)), now=now)
