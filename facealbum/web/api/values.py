"""Values that many bodies and questions hold, and what they may be."""

from typing import Annotated, Any, Self

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from eval.metrics.estimates import Estimate
from facealbum.domain.months import Month

LARGEST = 2**31 - 1
"""Of the numbers that the database gives."""
_PRINTABLE = r"^[^\u0000-\u001f]*$"

Text = Annotated[str, Field(max_length=200, pattern=_PRINTABLE)]
MonthText = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-10"])]

Name = Annotated[str, Path(max_length=200, pattern=_PRINTABLE, description="Its name")]
Number = Annotated[int, Path(ge=1, le=LARGEST, description="Its number")]
OfArm = Annotated[Text | None, Query(description="The arm; without it the installation's")]
OfMonth = Annotated[MonthText | None, Query(description="The month; without it the newest")]
OfSlice = Annotated[Text, Query(alias="slice", description="One slice, as `age:0-2`; empty for all")]


def month_of(text: str | None) -> Month | None:
    """The month that is written so; raises InvalidValueError."""
    return Month.parse(text) if text else None


class Shown(BaseModel):
    """A body that is read from what a step tells."""

    model_config = ConfigDict(from_attributes=True)


class Figure(Shown):
    """A ratio `total` / `cases` over so many families, with the interval that holds the true one as often as `level`.

    An end that nothing is known of is null.
    """

    value: float | None = Field(examples=[0.034])
    low: float | None = Field(examples=[0.021])
    high: float | None = Field(examples=[0.055])
    total: float = Field(examples=[17])
    cases: float = Field(examples=[500])
    families: int = Field(examples=[120])
    level: float = Field(examples=[0.95])

    @classmethod
    def of(cls, estimate: Estimate, **more: Any) -> Self:  # noqa: ANN401 - what a subclass has besides, as it checks it
        """The figure, with what a subclass has besides."""
        return cls(**estimate.to_dict(), **more)
