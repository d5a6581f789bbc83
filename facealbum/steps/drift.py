"""Watching what analysis finds: a month is counted, then compared with quiet months, the month before and training.

Counting takes some families of each bucket and leaves only sums; it costs the same however large an installation is.
Each model version is compared with itself alone.  A month counted or checked again takes the place of what was there.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from eval.drift.check import FALSE_ALARMS, MOST_MONTHS, compare_with_months, compare_with_training, is_judged
from eval.drift.counts import BUCKETS, Counts, MonthCounts
from eval.drift.distributions import DIRECTIONS, DISTRIBUTIONS, direction
from eval.drift.report import Against, Change, DriftReport
from eval.drift.thresholds import FEWEST_MONTHS
from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError
from facealbum.steps.context import Context
from facealbum.storage.database import Transaction
from facealbum.storage.drift import (
    Baseline,
    load_analyzer,
    load_baselines,
    load_counted_analyzers,
    load_counted_months,
    load_counts,
    load_loud_months,
    load_reports,
    save_baseline,
    save_counts,
    save_report,
)
from facealbum.storage.drift_counts import count_camera_families, count_faces, count_photos, load_sample
from facealbum.storage.observations import load_arm
from facealbum.storage.serving import load_installed_arm

FAMILIES_PER_BUCKET = 400
FEWEST_FAMILIES = 20
"""A camera of fewer families is counted among the others, so that no group speaks of a few."""
_MOST_CAMERAS = 30
_FAMILIES_AT_ONCE = 4000
_FACE_EDGES = {key: one.edges for key, one in DISTRIBUTIONS.items() if not one.per_photo}
_DIRECTIONS = {f"direction {number}": direction(number) for number in range(1, DIRECTIONS + 1)}
_OTHER, _UNKNOWN = "camera:other", "camera:unknown"


def watch_month(context: Context, month: Month) -> list[DriftReport]:
    """Count the month and compare it; the month before is counted too where it wasn't yet."""
    with context.database.begin() as transaction:
        counted = bool(load_counted_analyzers(transaction, month.before()))
    for one in [month] if counted else [month.before(), month]:
        count_month(context, one)
    return check_month(context, month)


def count_month(context: Context, month: Month) -> None:
    """Count what is known of photos taken in the month, bucket by bucket, and write the sums."""
    with context.database.begin() as transaction:
        some = load_sample(transaction, FAMILIES_PER_BUCKET)
        arm = load_arm(transaction, load_installed_arm(transaction))
    tally = _Tally(month, arm.arm_id if arm else None)
    context.progress.begin(f"Counting {month}", len(some))
    for start in range(0, len(some), _FAMILIES_AT_ONCE):
        with context.database.begin() as transaction:
            tally.add(transaction, some[start : start + _FAMILIES_AT_ONCE])
        context.progress.advance(min(_FAMILIES_AT_ONCE, len(some) - start))
    with context.database.begin() as transaction:
        for analyzer, counts in tally.results().items():
            save_counts(transaction, analyzer, counts, now=context.clock())


def check_month(context: Context, month: Month) -> list[DriftReport]:
    """Compare a counted month, analyzer by analyzer, with all that there is to compare it with."""
    with context.database.begin() as transaction:
        for analyzer in load_counted_analyzers(transaction, month):
            _check(context, transaction, analyzer, month)
        return load_reports(transaction, month)


def load_drift(context: Context, month: Month | None = None) -> list[DriftReport]:
    """What the last check of the month, or of the newest month, found."""
    with context.database.begin() as transaction:
        return load_reports(transaction, month)


def list_baselines(context: Context) -> list[Baseline]:
    """All of them, the newest first."""
    with context.database.begin() as transaction:
        return load_baselines(transaction)


def choose_baseline(context: Context, first: Month, last: Month) -> list[Baseline]:
    """Take these months for the quiet ones from now on, for each analyzer that has faces in enough of them.

    Counts those that weren't.  Raises InvalidValueError if no analyzer has FEWEST_MONTHS of them.
    """
    months = list(first.through(last))
    for month in months:
        with context.database.begin() as transaction:
            counted = load_counted_analyzers(transaction, month)
        if not counted:
            count_month(context, month)
    with context.database.begin() as transaction:
        found: dict[int, list[Month]] = defaultdict(list)
        for month in months:
            for analyzer in load_counted_analyzers(transaction, month):
                found[analyzer].append(month)
        chosen = [
            save_baseline(transaction, analyzer, "chosen", months=its, now=context.clock())
            for analyzer, its in found.items()
            if len(its) >= FEWEST_MONTHS
        ]
    if not chosen:
        raise InvalidValueError(
            f"a baseline needs {FEWEST_MONTHS} months with faces of one model version, got {first} to {last}; give more"
        )
    return chosen


def _check(context: Context, transaction: Transaction, analyzer: int, month: Month) -> None:
    now = context.clock()
    names = load_analyzer(transaction, analyzer)
    (counts,) = load_counts(transaction, analyzer, [month])
    kinds = _newest(load_baselines(transaction), analyzer)
    baseline = kinds.get("chosen") or _automatic(transaction, analyzer, month, kinds.get("automatic"), context)
    quiet = load_counts(transaction, analyzer, baseline.months) if baseline else []

    def save(against: Against, months: tuple[Month, ...], changes: tuple[Change, ...], number: int | None) -> None:
        rate = None if against == "training" else FALSE_ALARMS / 2
        report = DriftReport(month, *names, against, months, rate, changes)
        save_report(transaction, analyzer, report, baseline=number, now=now)

    others = [one for one in quiet if one.month != month]
    if baseline and others:
        months = tuple(one.month for one in others)
        save("baseline", months, compare_with_months(counts, others, others), baseline.number)
    before = load_counts(transaction, analyzer, [month.before()])
    if before:
        save("before", (month.before(),), compare_with_months(counts, before, quiet), None)
    if training := kinds.get("training"):
        save("training", (), compare_with_training(counts, training.training), training.number)


def _newest(baselines: Sequence[Baseline], analyzer: int) -> dict[str, Baseline]:
    """The analyzer's newest baseline of each kind."""
    return {one.kind: one for one in reversed(baselines) if one.analyzer_id == analyzer}


def _automatic(
    transaction: Transaction, analyzer: int, month: Month, known: Baseline | None, context: Context
) -> Baseline | None:
    """The first months before this one that raised no alarm; it grows until it has MOST_MONTHS."""
    if known and (len(known.months) >= MOST_MONTHS or month <= known.months[-1]):
        return known
    loud = load_loud_months(transaction, analyzer)
    earlier = [one for one in load_counted_months(transaction, analyzer) if one < month and one not in loud]
    counted = load_counts(transaction, analyzer, earlier[:MOST_MONTHS])
    months = tuple(one.month for one in counted if any(is_judged(one, key) for key in DISTRIBUTIONS))
    if len(months) < FEWEST_MONTHS or (known and months == known.months):
        return known
    return save_baseline(transaction, analyzer, "automatic", months=months, now=context.clock())


@dataclass(slots=True)
class _Sums:
    """One analyzer's counts: by distribution int64[buckets, bins], and by distribution and group int64[1, bins]."""

    buckets: dict[str, Counts]
    groups: dict[tuple[str, str], Counts]


class _Tally:
    """Adds up what families have of a month."""

    def __init__(self, month: Month, arm_id: int | None) -> None:
        self._month, self._arm_id = month, arm_id
        self._sums: dict[int, _Sums] = defaultdict(lambda: _Sums({}, {}))
        self._families: dict[str, int] = defaultdict(int)

    def add(self, transaction: Transaction, some: Sequence[FamilyId]) -> None:
        """Count these families."""
        of_faces = count_faces(
            transaction, some, self._month, edges=_FACE_EDGES, directions=_DIRECTIONS, arm_id=self._arm_id
        )
        of_photos = count_photos(transaction, some, self._month, edges=DISTRIBUTIONS["faces"].edges)
        for one in chain(of_faces, of_photos):
            bins, sums = DISTRIBUTIONS[one.distribution].bins, self._sums[one.analyzer_id]
            if one.group:
                counts = sums.groups.setdefault((one.distribution, one.group), np.zeros((1, bins), np.int64))
            else:
                counts = sums.buckets.setdefault(one.distribution, np.zeros((BUCKETS, bins), np.int64))
            counts[one.bucket, one.place] += one.cases
        for camera, families in count_camera_families(transaction, some, self._month).items():
            self._families[camera] += families

    def results(self) -> dict[int, MonthCounts]:
        """The sums by analyzer, without a camera that few families use."""
        often = sorted(self._families, key=lambda name: (-self._families[name], name))[:_MOST_CAMERAS]
        named = {name for name in often if self._families[name] >= FEWEST_FAMILIES} | {_UNKNOWN}
        found = {}
        for analyzer, sums in self._sums.items():
            groups: dict[str, dict[str, Counts]] = defaultdict(dict)
            for (distribution, name), counts in sums.groups.items():
                group = _OTHER if name.startswith("camera:") and name not in named else name
                groups[distribution][group] = groups[distribution].get(group, 0) + counts[0]
            found[analyzer] = MonthCounts(self._month, sums.buckets, groups)
        return found
