"""Metrics as a page says them: in the reader's language, and in the unit that each has."""

from dataclasses import dataclass

from eval.metrics import METRICS
from facealbum.web.languages import NOTHING, Language

_LEAST = 0.0001  # p-values below are told as less than this


@dataclass(frozen=True, slots=True)
class MetricWords:
    """Titles, values and differences of metrics by their keys."""

    spoken: Language

    def title(self, metric: str) -> str:
        """What the metric is called."""
        return self.spoken.gettext(METRICS[metric].title)

    def value(self, metric: str, value: float | None) -> str:
        """A value: a share in percent, anything else as it is."""
        return self.spoken.percent(value) if METRICS[metric].share else self.spoken.number(value, 2)

    def difference(self, metric: str, value: float | None, *, unit: bool = True) -> str:
        """A difference of two values with its sign: of shares in percentage points, which an axis leaves out."""
        if value is None:
            return NOTHING
        share = METRICS[metric].share
        number = self.spoken.number(100 * value if share else value, 2)
        signed = f"+{number}" if value > 0 else number
        return self.spoken.say("%(number)s points", number=signed) if share and unit else signed

    def interval(self, metric: str, low: float | None, high: float | None) -> str:
        """The interval of a difference; nothing where it is not known."""
        if low is None or high is None:
            return ""
        ends = self.difference(metric, low), self.difference(metric, high)
        return self.spoken.say("%(low)s to %(high)s", low=ends[0], high=ends[1])

    def chance(self, p: float) -> str:
        """A p-value."""
        return f"< {self.spoken.number(_LEAST, 4)}" if p < _LEAST else self.spoken.number(p, 4)
