"""Business signals: taken in once each, all of a batch or none, and shown by arm and month."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eval.signals import SignalFigures, rate_signals
from facealbum.domain.ids import family_id
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError, ManifestError
from facealbum.steps.context import Context
from facealbum.steps.rows import read_rows, tell_problems
from facealbum.storage.signals import (
    Signal,
    load_known_families,
    load_lags,
    load_served_families,
    load_signal_months,
    load_told_totals,
    save_signals,
)

KINDS = ("support_ticket:misclassification", "support_ticket:other", "album_view", "conversion")
COLUMNS = ("family", "external_id", "kind", "happened_at")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,49}(:[a-z0-9_]{1,50})?")
_LONGEST = 200
_AT_A_TIME = 1000
_RECENT = timedelta(days=92)  # how late signals are is told of these days: that changes, and older ones are many


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch: signals that are new, that were told before, and that are of no family here."""

    new: int
    known: int
    of_unknown_families: int


def take_in(context: Context, told: Sequence[Signal]) -> Taken:
    """Keep the signals that are new.

    Raises InvalidValueError, with each bad one's place counted from 1 and the reason, and then none was kept.
    """
    now = context.clock()
    return _take_in(
        context, told, [f"signal {place}: {why}" for place, one in enumerate(told, 1) if (why := wrong(one, now))]
    )


def import_signals(context: Context, path: Path, *, source: str) -> Taken:
    """The same from a CSV file of one source, by the names of families.

    Raises ManifestError, with each bad row's line and reason, and then nothing was kept.
    """
    now, told, problems = context.clock(), [], []
    for where, row in read_rows(path, COLUMNS):
        try:
            one = _signal(row, source)
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        told.append(one)
        if why := wrong(one, now):
            problems.append(f"{where}: {why}")
    try:
        return _take_in(context, told, problems)
    except InvalidValueError as error:
        raise ManifestError(f"nothing was taken in: {error}") from error


def show_signals(context: Context, *, month: Month | None = None) -> SignalFigures:
    """Rates of each kind for each served family, by arm and month: of one month, or of all that was told of."""
    now = context.clock()
    with context.database.begin() as transaction:
        lags = load_lags(transaction, since=now - _RECENT)
        months = [month] if month else load_signal_months(transaction)
        rates = [
            rate
            for one in months
            for rate in rate_signals(
                one,
                load_served_families(transaction, one, now=now),
                load_told_totals(transaction, one, now=now),
                lags,
                now=now,
            )
        ]
    return SignalFigures(tuple(rates), tuple(lags))


def wrong(signal: Signal, now: datetime) -> str | None:
    """Why the signal can't be taken in, if it can't."""
    if not 0 < len(signal.external_id) <= _LONGEST or not 0 < len(signal.source) <= _LONGEST:
        return f"source and external_id must have 1 to {_LONGEST} characters"
    known = signal.kind in KINDS or not signal.kind.startswith("support_ticket")
    if not (known and _KIND.fullmatch(signal.kind)):
        return f"kind must be one of {', '.join(KINDS)}, or your own as letter_digits:more, got {signal.kind!r}"
    if signal.happened_at > now:
        return f"happened_at must not be in the future, got {signal.happened_at:%Y-%m-%dT%H:%MZ}"
    if not (math.isfinite(signal.value) and signal.value >= 0):
        return f"value must be a number of 0 or more, got {signal.value}"
    return None


def _take_in(context: Context, told: Sequence[Signal], problems: Sequence[str]) -> Taken:
    first: dict[tuple[object, str, str], Signal] = {}
    for one in told:
        if first.setdefault((one.family_id, one.source, one.external_id), one) != one:
            problems = [*problems, f"{one.external_id!r} stands there twice with different content"]
    if problems:
        raise InvalidValueError(tell_problems(problems))
    with context.database.begin() as transaction:
        families = load_known_families(transaction, {one.family_id for one in told})
        ours = [one for one in first.values() if one.family_id in families]
        new = sum(
            save_signals(transaction, ours[start : start + _AT_A_TIME], now=context.clock())
            for start in range(0, len(ours), _AT_A_TIME)
        )
    unknown = sum(one.family_id not in families for one in told)
    return Taken(new, len(told) - unknown - new, unknown)


def _signal(row: Mapping[str, str], source: str) -> Signal:
    """Raises ValueError for what can't be read."""
    if not row["family"]:
        raise ValueError("family must be the name of one, got nothing")
    try:
        moment = datetime.fromisoformat(row["happened_at"])
    except ValueError:
        raise ValueError(f"happened_at must be as 2026-10-31T12:00:00Z, got {row['happened_at']!r}") from None
    try:
        value = float(row.get("value") or 1)
    except ValueError:
        raise ValueError(f"value must be a number, got {row['value']!r}") from None
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Signal(family_id(row["family"]), source, row["external_id"], row["kind"], at, value)
