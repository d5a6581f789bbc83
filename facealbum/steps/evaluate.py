"""What a monthly job came to: counts beside rates, and an alarm if too few faces have a person.

A batch is done once this is written, and never before each of its families has ended.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from facealbum.clustering.intervals import Rate
from facealbum.domain.ids import BatchId
from facealbum.domain.sentences import Sentence, Share
from facealbum.steps.context import Context
from facealbum.steps.drift import watch_month
from facealbum.steps.link_inputs import watch_mix
from facealbum.steps.metrics import metric_alarms, total_months
from facealbum.storage.batch_families import count_by_status, has_unfinished
from facealbum.storage.batch_figures import Figures, count_up_to_date, sum_figures
from facealbum.storage.batches import Batch, load_batch_before, lock_batch, update_batch
from facealbum.storage.database import Transaction

_SMALLEST_DROP = 0.02  # of coverage; with millions of faces any change is significant


def evaluate_batch(context: Context, identity: BatchId) -> None:
    """Sum up a batch whose families have all ended, compare it with the one before, and end it."""
    with context.database.begin() as transaction:
        batch = lock_batch(transaction, identity)
        if batch is None or not _is_due(transaction, batch):
            return
    drift = [alarm for report in watch_month(context, batch.through) for alarm in report.alarms]
    drift += watch_mix(context, batch.through, arm=batch.arm).alarms
    with context.database.begin() as transaction:
        batch = lock_batch(transaction, identity)
        if batch is None or not _is_due(transaction, batch):
            return
        now = context.clock()
        total_months(transaction, since=batch.created_at, through=batch.through, batch=batch.number, now=now)
        summary = _summarize(transaction, batch, drift, floor=context.settings.coverage_alarm)
        update_batch(transaction, identity, status="done", summary=summary, finished_at=now)


def _is_due(transaction: Transaction, batch: Batch) -> bool:
    return batch.status == "evaluating" and not has_unfinished(transaction, batch.batch_id)


def _summarize(transaction: Transaction, batch: Batch, drift: Sequence[Sentence], *, floor: float) -> dict[str, Any]:
    families = count_by_status(transaction, batch.batch_id)
    done, failed = (sum_figures(transaction, batch.batch_id, status) for status in ("done", "failed"))
    coverage = Rate(done.assigned, done.faces + failed.faces)
    before = load_batch_before(transaction, batch)
    earlier = read_coverage(before.summary) if before else None
    alarms = [
        *coverage_alarms(coverage, earlier, floor=floor),
        *metric_alarms(transaction, batch.arm, batch.through),
        *drift,
    ]
    return {
        "families": {
            "done": families.get("done", 0),
            "failed": families.get("failed", 0),
            "up_to_date": count_up_to_date(transaction, batch.batch_id),
        },
        "faces": {"assigned": done.assigned, "unassigned": done.faces - done.assigned, "failed": failed.faces},
        "coverage": plain_rate(coverage),
        "coverage_before": plain_rate(earlier) | {"run": before.number} if before and earlier else None,
        "runs": done.runs,
        "persons_created": done.persons_created,
        "links": done.links,
        "breakage": breakage_rates(done),
        "alarms": alarms,
        "sentences": [alarm.to_dict() for alarm in alarms],
    }


def breakage_rates(figures: Figures) -> dict[str, dict[str, Any]]:
    """How many of the labels broke, by kind and in all."""
    kinds = {kind: getattr(figures, kind) for kind in ("broken", "mixing", "disappearance", "splitting")}
    return {kind: plain_rate(Rate(hits, figures.labels)) for kind, hits in kinds.items()}


def coverage_alarms(coverage: Rate, before: Rate | None, *, floor: float) -> list[Sentence]:
    """Why somebody must look: coverage below the floor, or surely and clearly below that of the batch before."""
    if coverage.value is None:
        return []
    alarms = []
    if coverage.value < floor:
        alarms.append(
            Sentence(
                "only %(share)s of %(faces)s faces have a person, less than %(floor)s",
                share=Share(coverage.value),
                faces=coverage.cases,
                floor=Share(floor, 0),
            )
        )
    if before is not None and before.value is not None:
        falls = before.value - coverage.value
        if falls >= _SMALLEST_DROP and coverage.interval[1] < before.interval[0]:
            alarms.append(
                Sentence(
                    "%(share)s of %(faces)s faces have a person, after %(before)s",
                    share=Share(coverage.value),
                    faces=coverage.cases,
                    before=Share(before.value),
                )
            )
    return alarms


def plain_rate(rate: Rate) -> dict[str, Any]:
    """A rate as JSON: its counts, its value and the interval around it."""
    low, high = rate.interval
    return {"hits": rate.hits, "cases": rate.cases, "value": rate.value, "low": low, "high": high}


def read_coverage(summary: Mapping[str, Any] | None) -> Rate | None:
    """The coverage that a summary tells."""
    return Rate(summary["coverage"]["hits"], summary["coverage"]["cases"]) if summary else None


def read_alarms(summary: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The alarms that a summary tells; those of releases that kept no sentences are English alone."""
    if summary is None:
        return ()
    kept = summary.get("sentences")
    return tuple(summary["alarms"]) if kept is None else tuple(Sentence.from_dict(one) for one in kept)
