"""What an experiment promises before it begins: one metric, what counts as a difference, and when it is decided."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import inf
from typing import Any, Self

from scipy.special import ndtri

from eval.experiments.boundaries import critical_values
from facealbum.errors import InvalidValueError


class Kind(StrEnum):
    """When an experiment may be decided."""

    FIXED = "fixed"
    """Once, when its months are over and its families are there; the result is not shown before."""
    SEQUENTIAL = "sequential"
    """After any of its months, by limits that allow for looking after each."""


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A metric that must not get worse by more than `tolerated`, in its unit; it is shown not to (non-inferiority)."""

    metric: str
    higher_is_better: bool
    tolerated: float

    def __post_init__(self) -> None:
        if not 0 < self.tolerated < inf:
            raise InvalidValueError(
                f"the harm that {self.metric} tolerates must be above 0 and finite, got {self.tolerated}"
            )


@dataclass(frozen=True, slots=True)
class Plan:
    """Fixed when the experiment is created.

    minimum_effect: the smallest difference that matters, in the metric's unit.  alpha: two-sided probability of a
    difference where there is none; power: that of finding the minimum effect.  months, families: the horizon;
    families in control and treatment together, or pairs.  paired: both arms computed for each family.  shares: of
    control and treatment.  comparisons: how many treatments share the alpha.
    """

    metric: str
    higher_is_better: bool
    minimum_effect: float
    months: int
    families: int
    kind: Kind = Kind.FIXED
    paired: bool = False
    alpha: float = 0.05
    power: float = 0.8
    shares: tuple[float, float] = (0.5, 0.5)
    comparisons: int = 1
    guardrails: tuple[Guardrail, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.minimum_effect < inf:
            raise InvalidValueError(f"the minimum effect must be above 0 and finite, got {self.minimum_effect}")
        if not (0 < self.alpha < 0.5 and 0.5 < self.power < 1):  # noqa: PLR2004 - halves
            raise InvalidValueError(f"alpha must be below and power above one half, got {self.alpha} and {self.power}")
        if self.families < 2 or self.comparisons < 1:  # noqa: PLR2004 - one in each arm
            raise InvalidValueError(f"an experiment must have 2 families or more, got {self.families}")
        if not all(share > 0 for share in self.shares):
            raise InvalidValueError(f"shares must be above 0, got {self.shares}")
        critical_values(self.months, self.alpha)

    @property
    def level(self) -> float:
        """Of the interval of each comparison."""
        return 1 - self.alpha / self.comparisons

    def critical(self, look: int) -> float:
        """The |z| from which the look after so many months decides; the first is 1."""
        looks = self.months if self.kind is Kind.SEQUENTIAL else 1
        return critical_values(looks, self.alpha / self.comparisons)[min(look, looks) - 1]

    @property
    def reach(self) -> float:
        """By how many standard errors the minimum effect must lie from none, for the plan's power at its last look."""
        return self.critical(self.months) + -float(ndtri(1 - self.power))

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        guardrails = tuple(Guardrail(**one) for one in values["guardrails"])
        read = {"kind": Kind(values["kind"]), "shares": tuple(values["shares"]), "guardrails": guardrails}
        return cls(**{**values, **read})
