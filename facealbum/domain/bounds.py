"""Parameters that must lie between two numbers."""

from collections.abc import Mapping
from math import inf

from facealbum.domain.sentences import Sentence
from facealbum.errors import InvalidValueError


def check_bounds(parameters: object, bounds: Mapping[str, tuple[float, float]]) -> None:
    """Raises InvalidValueError for the first attribute in `bounds` that is not between its two numbers."""
    for name, (low, high) in bounds.items():
        value = getattr(parameters, name)
        if not low <= value <= high:
            told = {"name": name, "low": str(low), "value": str(value)}
            raise InvalidValueError(
                Sentence("%(name)s must be %(low)s or more, got %(value)s", **told)
                if high == inf
                else Sentence("%(name)s must be between %(low)s and %(high)s, got %(value)s", high=str(high), **told)
            )
