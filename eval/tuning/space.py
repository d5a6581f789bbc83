"""What a search may change: each parameter with its bounds and unit, in groups that are changed or left as they are.

A parameter is named as `facealbum arms create --set` names it.  Each trial first draws which groups it changes, and
only then their parameters: with all of them drawn at once hardly a trial would keep what matters.  Changing none is
the arm that the search began with.  What is not in the table (error curves of age models, node counts, breakage
thresholds) is measured elsewhere, costs time only, or defines what is measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from eval.months import TrialArm
from facealbum.clustering import ClusteringParameters
from facealbum.linking import LinkParameters

Values: TypeAlias = dict[str, float]
"""What an arm has other than the one that the search began with, by parameter."""

_DIGITS = 4  # that are kept of a drawn value: more make no difference, and nobody can read them
_LINKING = "linking."


@dataclass(frozen=True, slots=True)
class Parameter:
    """One dimension: its bounds, in `unit`, and the group that must be changed for it to be drawn."""

    name: str
    low: float
    high: float
    unit: str
    group: str
    whole: bool = False


SPACE = (
    Parameter("similarity", 0.18, 0.36, "cosine", "likeness"),
    Parameter("child_similarity", 0.05, 0.25, "cosine", "likeness"),
    Parameter("young_likeness", 0.1, 0.5, "cosine", "likeness by age"),
    Parameter("young_until", 6.0, 16.0, "years", "likeness by age"),
    Parameter("grown_likeness", 0.0, 0.16, "cosine", "likeness by age"),
    Parameter("min_faces", 2, 4, "faces", "founders", whole=True),
    Parameter("min_quality", 0.2, 0.5, "quality, 0 to 1", "founders"),
    Parameter("min_size", 12.0, 40.0, "pixels", "founders"),
    Parameter("max_yaw", 45.0, 90.0, "degrees", "founders"),
    Parameter("poor_similarity", 0.18, 0.36, "cosine", "founders"),
    Parameter("linking.threshold", 0.65, 0.95, "probability", "links"),
    Parameter("linking.min_faces", 2, 5, "faces", "links", whole=True),
    Parameter("linking.prior_child", 0.3, 0.7, "probability", "evidence of links"),
    Parameter("linking.prior_adult", 0.6, 0.95, "probability", "evidence of links"),
    Parameter("linking.correlation", 0.05, 0.5, "correlation", "evidence of links"),
    Parameter("linking.gender_limit", 0.7, 0.98, "probability", "evidence of links"),
)
"""Every parameter that is searched."""

GROUPS = tuple(dict.fromkeys(one.group for one in SPACE))


class Draws(Protocol):
    """What values are drawn by; a trial of Optuna is one."""

    def suggest_float(self, name: str, low: float, high: float) -> float:
        """A value between the bounds."""
        ...

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """A whole number between the bounds."""
        ...

    def suggest_categorical(self, name: str, choices: tuple[bool, bool]) -> bool:
        """One of both."""
        ...


def draw_values(draws: Draws) -> Values:
    """A point of the space: the parameters of the groups that are changed."""
    changed = {group for group in GROUPS if draws.suggest_categorical(f"change {group}", (False, True))}
    return {one.name: _draw(draws, one) for one in SPACE if one.group in changed}


def place_of_nothing() -> dict[str, bool]:
    """What must be drawn to change nothing."""
    return {f"change {group}": False for group in GROUPS}


def arm_with(arm: TrialArm, values: Mapping[str, float]) -> TrialArm:
    """The arm with these values; raises InvalidValueError for one that no arm can have."""
    linking = {name.removeprefix(_LINKING): value for name, value in values.items() if name.startswith(_LINKING)}
    clustering = {name: value for name, value in values.items() if not name.startswith(_LINKING)}
    return replace(
        arm,
        clustering=ClusteringParameters.from_dict(arm.clustering.to_dict() | clustering),
        linking=LinkParameters.from_dict(arm.linking.to_dict() | linking),
    )


def _draw(draws: Draws, one: Parameter) -> float:
    if one.whole:
        return draws.suggest_int(one.name, int(one.low), int(one.high))
    return round(draws.suggest_float(one.name, one.low, one.high), _DIGITS)
