"""What the product says of what it found: English that remembers its text and its values, to be said in any language.

Pure code gives a `Sentence`.  It is a str, so commands, the API and logs have its English; pages say it again by the
same text, as gettext does, with numbers, shares and months as the reader writes them.  A test finds every text that a
language lacks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Self, Union

from facealbum.domain.months import Month


@dataclass(frozen=True, slots=True)
class Number:
    """A number with so many digits after the point."""

    value: float
    digits: int = 2

    def __str__(self) -> str:
        """As English without a reader has it."""
        return f"{self.value:.{self.digits}f}"


@dataclass(frozen=True, slots=True)
class Share:
    """A share of 1, in percent with so many digits after the point."""

    value: float
    digits: int = 1

    def __str__(self) -> str:
        """As English without a reader has it."""
        return f"{self.value:.{self.digits}%}"


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the product, such as a metric's title, which languages have as it stands."""

    word: str

    def __str__(self) -> str:
        """The word itself."""
        return self.word


Value = Union[str, int, Number, Share, Month, Term, "Sentence"]
"""What fills in a text; a plain str, such as a name, is the same in every language."""


class Sentence(str):
    """English made of a text, whose `%(name)s` are filled in; `many` is the text for all counts `num` but one."""

    __slots__ = ("many", "text", "values")
    text: str
    many: str
    values: Mapping[str, Value]

    def __new__(cls, text: str, /, many: str = "", **values: Value) -> Self:
        """Raises KeyError if the text has a name without a value."""
        said = super().__new__(cls, (many if many and values["num"] != 1 else text) % values)
        said.text, said.many, said.values = text, many, values
        return said

    @classmethod
    def counted(cls, one: str, many: str, num: int, /, **values: Value) -> Self:
        """The text for one or for many, `%(num)s` being how many."""
        return cls(one, many, num=num, **values)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"text": self.text, "many": self.many, "values": {k: _plain(v) for k, v in self.values.items()}}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        return cls(given["text"], given["many"], **{name: _read(value) for name, value in given["values"].items()})

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles remember, too."""
        return type(self).from_dict, (self.to_dict(),)


def join_sentences(said: Sequence[str]) -> Sentence:
    """All of them as one, of at least one."""
    first, *others = (one if isinstance(one, Sentence) else Sentence("%(said)s", said=one) for one in said)
    return reduce(lambda one, other: Sentence("%(one)s; %(other)s", one=one, other=other), others, first)


def _plain(value: Value) -> Any:  # noqa: ANN401 - JSON
    match value:
        case Number():
            return {"number": value.value, "digits": value.digits}
        case Share():
            return {"share": value.value, "digits": value.digits}
        case Month():
            return {"month": str(value)}
        case Term():
            return {"term": value.word}
        case Sentence():
            return value.to_dict()
    return value


def _read(value: Any) -> Value:  # noqa: ANN401 - JSON
    match value:
        case {"number": number, "digits": digits}:
            return Number(number, digits)
        case {"share": share, "digits": digits}:
            return Share(share, digits)
        case {"month": month}:
            return Month.parse(month)
        case {"term": word}:
            return Term(word)
        case {"text": _}:
            return Sentence.from_dict(value)
    plain: str | int = value
    return plain
