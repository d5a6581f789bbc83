"""A face's age and gender: what a user says of it, else what the models say, as columns to select; and its quality.

Where a trained model is in production the models' word is its own; arms go by the packaged models, or name others.

NaN is how a user's "not what the models say" is kept; no model says it.
"""

from sqlalchemy import REAL, Column, ColumnElement, func, literal_column

from facealbum.storage.schema import faces

UNKNOWN = float("nan")


def _known(told: Column[float], estimated: ColumnElement[float]) -> ColumnElement[float | None]:
    return func.nullif(func.coalesce(told, estimated), literal_column("'NaN'::real", REAL))


AGE = _known(faces.c.told_age, faces.c.age)
"""In years; NULL where a user says that the models are wrong, and no more."""
P_FEMALE = _known(faces.c.told_p_female, faces.c.p_female)
"""0 to 1; NULL likewise."""
PACKAGED_AGE = func.coalesce(faces.c.packaged_age, faces.c.age)
"""As the packaged models estimate it, whatever calibrator is in production."""
PACKAGED_P_FEMALE = func.coalesce(faces.c.packaged_p_female, faces.c.p_female)
"""Likewise."""
PACKAGED_QUALITY = func.coalesce(faces.c.packaged_quality, faces.c.quality)
"""As the packaged models estimate it, whatever predictor is in production."""
ARM_AGE = _known(faces.c.told_age, PACKAGED_AGE)
"""As AGE, of an arm that names no calibrator."""
ARM_P_FEMALE = _known(faces.c.told_p_female, PACKAGED_P_FEMALE)
"""Likewise."""
LIKELY_AGE = func.coalesce(AGE, faces.c.age)
"""For counts that put every face into some band: a wrong estimate is closer than none."""
LIKELY_P_FEMALE = func.coalesce(P_FEMALE, faces.c.p_female)
