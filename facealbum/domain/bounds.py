"""Parameters that must lie between two numbers."""

from collections.abc import Mapping

from facealbum.errors import InvalidValueError


def check_bounds(parameters: object, bounds: Mapping[str, tuple[float, float]]) -> None:
    """Raises InvalidValueError for the first attribute in `bounds` that is not between its two numbers."""
    for name, (low, high) in bounds.items():
        value = getattr(parameters, name)
        if not low <= value <= high:
            raise InvalidValueError(f"{name} must be between {low} and {high}, got {value}")
