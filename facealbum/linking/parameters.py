"""How much an estimated age or gender says; stored with every run, and belonging to one age model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from facealbum.domain.bounds import check_bounds
from facealbum.errors import InvalidValueError

BOUNDS: Mapping[str, tuple[float, float]] = {
    "threshold": (0.51, 1),
    "min_faces": (1, float("inf")),
    "before_birth_days": (0, 366),
    "prior_child": (0.01, 0.99),
    "prior_adult": (0, 1),
    "correlation": (0, 1),
    "error_freedom": (1, float("inf")),
    "gender_limit": (0.5, 0.999),
    "prior_wrong_birth": (1e-6, 0.5),
    "doubt_threshold": (0.5, 1),
}
"""The least and the most that each may be."""


@dataclass(frozen=True, slots=True)
class LinkParameters:
    """How sure a link must be, and how far estimates are off.

    threshold: probability from which a person is linked; above one half, so equal candidates never are.
    min_faces: faces a person needs to be linked.
    before_birth_days: how long before a child's birth a photo may be dated before that counts against the child.
    prior_child: probability that a person nobody looked at is a given child rather than nobody registered; the same for
    each child, so registering another one changes nothing for this one.
    prior_adult: of somebody else, the probability of being 18 or older in the first photo.
    correlation: of the errors of one person's faces, 0 to 1; n faces count as n / (1 + (n - 1) x correlation).
    error_ages, error_bias, error_spread: at these true ages in years, by how much an estimated age is too high and
    how far it is off around that, both in years; straight lines in between.  error_freedom: degrees of freedom of
    Student's t, the shape of that error; few make single large errors likely.
    gender_limit: the most that all faces together can say of one gender, as a probability.
    prior_wrong_birth: probability that a birth date that nobody looked at is wrong.
    doubt_threshold: probability from which a birth date is doubted.
    """

    threshold: float = 0.8
    min_faces: int = 3
    before_birth_days: int = 21
    prior_child: float = 0.5
    prior_adult: float = 0.85
    correlation: float = 0.2
    error_ages: tuple[float, ...] = (0.0, 3.0, 6.0, 13.0, 18.0, 40.0)
    error_bias: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    error_spread: tuple[float, ...] = (1.2, 1.8, 2.5, 4.0, 5.0, 8.0)
    error_freedom: float = 4.0
    gender_limit: float = 0.9
    prior_wrong_birth: float = 0.05
    doubt_threshold: float = 0.9

    def __post_init__(self) -> None:
        check_bounds(self, BOUNDS)
        if not self.error_ages or list(self.error_ages) != sorted(set(self.error_ages)):
            raise InvalidValueError(f"error_ages must be ages in rising order, got {self.error_ages}")
        count = len(self.error_ages)
        for name in ("error_bias", "error_spread"):
            values = getattr(self, name)
            if len(values) != count:
                raise InvalidValueError(f"{name} must have {count} values, as error_ages has, got {values}")
        if not min(self.error_spread) > 0:
            raise InvalidValueError(f"error_spread must be above 0 everywhere, got {self.error_spread}")

    @classmethod
    def measured(cls, numbers: Mapping[str, tuple[float, ...]]) -> Self:
        """Defaults, with the error that an age model's calibration says it has (its numbers error_...)."""
        return cls(
            error_ages=numbers["error_ages"],
            error_bias=numbers["error_bias"],
            error_spread=numbers["error_spread"],
            error_freedom=numbers["error_freedom"][0],
        )

    def to_dict(self) -> dict[str, float | int | list[float]]:
        """As plain numbers and lists of them, for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave; a missing name keeps its default, an unknown one is refused."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InvalidValueError(f"link parameters must be among {sorted(known)}, got {unknown}")
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**given)
