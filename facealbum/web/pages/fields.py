"""Fields of forms, which are text as it was written, so that a form can be shown again with what it held."""

from math import isfinite, nan

from facealbum.domain.sentences import Sentence
from facealbum.errors import InvalidValueError


def read_number(text: str, what: str) -> float:
    """The number that is written so; raises InvalidValueError that names what it is."""
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise InvalidValueError(
            Sentence("%(what)s must be a number, such as 0.5; got %(text)s", what=what, text=repr(text))
        )
    return value


def read_count(text: str, what: str) -> int:
    """The whole number that is written so; raises InvalidValueError that names what it is."""
    if not (text.strip().isdecimal() and len(text.strip()) < 10):  # noqa: PLR2004 - as the database counts
        raise InvalidValueError(
            Sentence("%(what)s must be a whole number below a billion; got %(text)s", what=what, text=repr(text))
        )
    return int(text)


def written(names: list[str], values: list[str]) -> dict[str, str]:
    """What is written beside each name, where anything is."""
    return {name: value for name, value in zip(names, values, strict=False) if value.strip()}
