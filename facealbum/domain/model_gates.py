"""What stands between a version and its next stage: gates and their verdicts, and how two versions differ.  Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from facealbum.domain.model_versions import ModelVersion, Stage
from facealbum.domain.sentences import Sentence


class Outcome(StrEnum):
    """What a gate says; unknown: nobody has measured it."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """What a gate says of a version, and why; needed: unknown does not open it."""

    gate: str
    outcome: Outcome
    reason: Sentence
    figures: Mapping[str, Any] = field(default_factory=dict)
    needed: bool = True

    @property
    def refuses(self) -> bool:
        """Whether it keeps the version from its next stage."""
        return self.outcome is Outcome.FAIL or (self.needed and self.outcome is Outcome.UNKNOWN)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; said: the reason as pages say it."""
        return asdict(self) | {"said": self.reason.to_dict()}


def reason_kept(verdict: Mapping[str, Any]) -> str:
    """The reason of what `to_dict` gave; of releases that kept no sentence its English."""
    return Sentence.from_dict(verdict["said"]) if "said" in verdict else str(verdict["reason"])


ARTEFACT, LICENCE, COMPATIBILITY = "artefact", "licence", "compatibility"
BASELINE, FAIRNESS, SHADOW = "baseline", "fairness", "shadow comparison"

GATES: Mapping[Stage, tuple[str, ...]] = {
    Stage.SHADOW: (ARTEFACT, LICENCE),
    Stage.CANARY: (ARTEFACT, LICENCE, BASELINE, FAIRNESS, COMPATIBILITY),
    Stage.PRODUCTION: (ARTEFACT, LICENCE, BASELINE, FAIRNESS, COMPATIBILITY, SHADOW),
}
"""What is asked before each stage."""

MAY_BE_OVERRIDDEN = (BASELINE, FAIRNESS, SHADOW)
"""Gates that somebody may pass over, with a reason; the others guard what can't be made good."""


def refusing(verdicts: Iterable[GateVerdict], *, override: bool) -> list[GateVerdict]:
    """The gates that refuse; with `override` those alone that nobody may pass over."""
    return [one for one in verdicts if one.refuses and not (override and one.gate in MAY_BE_OVERRIDDEN)]


def judge_metrics(version: ModelVersion) -> GateVerdict:
    """Whether it is no worse than its baseline: in its primary metric, or without one in any.

    A version that nothing was measured of is let through if it wasn't trained here.
    """
    metrics = version.metrics if version.primary is None else {version.primary: version.metrics.get(version.primary)}
    judged = {name: one for name, one in metrics.items() if isinstance(one, Mapping) and "better" in one}
    if not judged:
        text = Sentence("its metric was not measured against a baseline; evaluate the training")
        return GateVerdict(BASELINE, Outcome.UNKNOWN, text, needed=version.training_run is not None)
    worse = sorted(name for name, one in judged.items() if one["better"] is False)
    if worse:
        text = Sentence(
            "it is worse than its baseline in %(metrics)s; train another, or override with a reason",
            metrics=", ".join(worse),
        )
        return GateVerdict(BASELINE, Outcome.FAIL, text, judged)
    better = sorted(name for name, one in judged.items() if one["better"])
    text = Sentence("no difference to its baseline is shown")
    if better:
        text = Sentence("better in %(metrics)s", metrics=", ".join(better))
    return GateVerdict(BASELINE, Outcome.PASS, text, judged)


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """A metric of two versions; difference: second - first, None where one lacks it.

    The intervals are each version's own: the two may have been measured on different data, as their snapshots tell.
    """

    metric: str
    first: Mapping[str, Any] | None
    second: Mapping[str, Any] | None
    difference: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Every field that is not the same, by name with both values, and every metric of either."""

    fields: Mapping[str, tuple[Any, Any]]
    metrics: tuple[MetricDifference, ...]


def diff(first: ModelVersion, second: ModelVersion) -> Difference:
    """How the second differs from the first."""
    names = [one.name for one in fields(ModelVersion) if one.name not in {"metrics", "slices", "gates"}]
    pairs = {name: (getattr(first, name), getattr(second, name)) for name in names}
    gates = sorted({*first.gates, *second.gates})
    pairs |= {f"gate {gate}": (_outcome(first, gate), _outcome(second, gate)) for gate in gates}
    metrics = dict.fromkeys([*first.metrics, *second.metrics])
    return Difference(
        {name: pair for name, pair in pairs.items() if pair[0] != pair[1]},
        tuple(_compare(name, first.metrics.get(name), second.metrics.get(name)) for name in metrics),
    )


def _outcome(version: ModelVersion, gate: str) -> str | None:
    return (version.gates.get(gate) or {}).get("outcome")


def _compare(name: str, first: Mapping[str, Any] | None, second: Mapping[str, Any] | None) -> MetricDifference:
    values = [None if one is None else one.get("value") for one in (first, second)]
    both = None not in values
    return MetricDifference(name, first, second, values[1] - values[0] if both else None)  # type: ignore[operator]
