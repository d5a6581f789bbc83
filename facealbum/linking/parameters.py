"""How much an estimated age or gender says; stored with every run, and belonging to one age model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

from facealbum.errors import InvalidValueError

_BOUNDS: dict[str, tuple[float, float]] = {
    "threshold": (0.5, 1),
    "min_faces": (1, float("inf")),
    "before_birth_days": (0, 366),
}


@dataclass(frozen=True, slots=True)
class LinkParameters:
    """How sure a link must be.

    threshold: probability from which a person is linked.  min_faces: faces a person needs to be linked.
    before_birth_days: how long before a child's birth a photo may be dated before it rules the child out.
    """

    threshold: float = 0.8
    min_faces: int = 2
    before_birth_days: int = 21

    def __post_init__(self) -> None:
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InvalidValueError(f"{name} must be between {low} and {high}, got {value}")

    def to_dict(self) -> dict[str, float | int]:
        """As plain numbers, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, float | int]) -> Self:
        """Read what `to_dict` gave; a missing name keeps its default, an unknown one is refused."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise InvalidValueError(f"link parameters must be among {sorted(_BOUNDS)}, got {unknown}")
        return cls(**values)  # type: ignore[arg-type]
