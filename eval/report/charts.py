"""Tables and charts of a report, as values.

PURE.  Each chart makes its own table, so no number is drawn that can't be read as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from eval.report.measured import Measured
from facealbum.domain.months import Month
from facealbum.errors import InvalidValueError

Cell: TypeAlias = str | int | float | Measured | None
"""Text, a count, another number, a value with its interval, or nothing known."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of as many cells as there are columns; the first cell names its row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if odd := [row[0] for row in self.rows if len(row) != len(self.columns)]:
            raise InvalidValueError(f"a row must have {len(self.columns)} cells as its table has, look at {odd[0]!r}")


@dataclass(frozen=True, slots=True)
class MonthValue:
    """A month's value under a model version; limits: between which it should lie, where that is known."""

    month: Month
    measured: Measured
    limits: tuple[float, float] | None = None
    model: str = ""

    @property
    def outside(self) -> bool:
        """Whether the value is beyond its limits."""
        value = self.measured.value
        return value is not None and self.limits is not None and not self.limits[0] <= value <= self.limits[1]


@dataclass(frozen=True, slots=True)
class MonthChart:
    """A line over months with the band of its intervals, its control limits and the changes of model; oldest first."""

    title: str
    note: str
    points: tuple[MonthValue, ...]

    def __post_init__(self) -> None:
        months = [point.month for point in self.points]
        if not months or sorted(set(months)) != months:
            raise InvalidValueError(
                f"months must be there, each once and the oldest first, got {list(map(str, months))}"
            )

    @property
    def table(self) -> Table:
        """The same numbers; limits and models only where there are any."""
        limits = any(point.limits for point in self.points)
        models = any(point.model for point in self.points)
        columns = ("Month", "Value", *(("Limits", "") if limits else ()), *(("Model",) if models else ()))
        return Table(self.title, columns, tuple(_month_cells(one, limits=limits, models=models) for one in self.points))


def _month_cells(point: MonthValue, *, limits: bool, models: bool) -> tuple[Cell, ...]:
    low, high = point.limits or (None, None)
    between = Measured(None, low, high, point.measured.scale)
    word = "outside" if point.outside else "inside" if point.limits else ""
    return (
        str(point.month),
        point.measured,
        *((between, word) if limits else ()),
        *((point.model,) if models else ()),
    )


@dataclass(frozen=True, slots=True)
class Whisker:
    """One effect with its interval, drawn around `centre`.

    mark: the distance from the centre that matters, such as a minimum effect or a tolerated harm, with its sign.
    lower_is_better: turned round when drawn, so that right is better.  word: what is concluded.
    """

    label: str
    measured: Measured
    centre: float = 0.0
    mark: float | None = None
    lower_is_better: bool = False
    word: str = ""

    @property
    def limit(self) -> float | None:
        """What the value is held against: the mark, or a centre that is not nothing."""
        return self.centre or None if self.mark is None else self.centre + self.mark


@dataclass(frozen=True, slots=True)
class WhiskerChart:
    """Effects of different metrics: each row has a scale of its own, right of the line is better."""

    title: str
    note: str
    rows: tuple[Whisker, ...]
    centre_name: str = "no difference"
    limit_name: str = "Limit"

    @property
    def table(self) -> Table:
        """The same numbers; limits only where there are any."""
        limited = any(row.limit is not None for row in self.rows)
        columns = ("Metric", "Value", *((self.limit_name,) if limited else ()), "Conclusion")
        rows = ((row.label, row.measured, *((_limit(row),) if limited else ()), row.word or None) for row in self.rows)
        return Table(self.title, columns, tuple(rows))


def _limit(row: Whisker) -> Measured:
    return Measured(row.limit, None, None, row.measured.scale)


@dataclass(frozen=True, slots=True)
class DotChart:
    """Values of one unit on one scale, with their intervals."""

    title: str
    note: str
    rows: tuple[tuple[str, Measured], ...]

    def __post_init__(self) -> None:
        if not self.rows:
            raise InvalidValueError(f"{self.title} must have a row to be drawn, got none")

    @property
    def table(self) -> Table:
        """The same numbers."""
        return Table(self.title, ("", "Value"), self.rows)


@dataclass(frozen=True, slots=True)
class BarChart:
    """Two histograms over the same bins, as shares of their sums."""

    title: str
    note: str
    bins: tuple[str, ...]
    before: tuple[int, ...]
    now: tuple[int, ...]
    names: tuple[str, str] = ("before", "now")

    def __post_init__(self) -> None:
        if not len(self.bins) == len(self.before) == len(self.now):
            raise InvalidValueError(
                f"{self.title} must have as many counts as bins, got {len(self.before)} and {len(self.now)} of"
                f" {len(self.bins)}"
            )

    @property
    def table(self) -> Table:
        """The same counts, with their shares."""
        first, second = (f"{name} (n = {sum(counts):,})" for name, counts in self.series)
        columns = ("Bin", first, "share", second, "share")
        rows = zip(
            self.bins, self.before, map(_percent, shares(self.before)), self.now, map(_percent, shares(self.now)),
            strict=True,
        )  # fmt: skip
        return Table(self.title, columns, tuple(rows))

    @property
    def series(self) -> tuple[tuple[str, tuple[int, ...]], tuple[str, tuple[int, ...]]]:
        """Both histograms by name."""
        return (self.names[0], self.before), (self.names[1], self.now)


def shares(counts: Sequence[int]) -> list[float]:
    """Each count by their sum; zeros where nothing was counted."""
    return [count / (sum(counts) or 1) for count in counts]


def _percent(share: float) -> str:
    return f"{share:.1%}"


@dataclass(frozen=True, slots=True)
class Faces:
    """Rows of face pictures (JPEG bytes), each with its caption; only for a reader who asked for them."""

    title: str
    rows: tuple[tuple[str, tuple[bytes, ...]], ...]


Chart: TypeAlias = MonthChart | WhiskerChart | DotChart | BarChart
