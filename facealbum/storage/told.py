"""A face's age and gender: what a user says of it, else what the models say, as columns to select.

NaN is how a user's "not what the models say" is kept; no model says it.
"""

from sqlalchemy import REAL, Column, ColumnElement, func, literal

from facealbum.storage.schema import faces

UNKNOWN = float("nan")


def _known(told: Column[float], estimated: Column[float]) -> ColumnElement[float | None]:
    return func.nullif(func.coalesce(told, estimated), literal(UNKNOWN, REAL))


AGE = _known(faces.c.told_age, faces.c.age)
"""In years; NULL where a user says that the models are wrong, and no more."""
P_FEMALE = _known(faces.c.told_p_female, faces.c.p_female)
"""0 to 1; NULL likewise."""
LIKELY_AGE = func.coalesce(AGE, faces.c.age)
"""For counts that put every face into some band: a wrong estimate is closer than none."""
LIKELY_P_FEMALE = func.coalesce(P_FEMALE, faces.c.p_female)
