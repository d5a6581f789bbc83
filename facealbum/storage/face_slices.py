"""The slices of faces as the database tells them, and whether what is estimated of a face is its registered child's."""

from typing import Any

from sqlalchemy import REAL, ColumnElement, alias, case, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, array

from eval.metrics.slices import (
    AGE_EDGES,
    AGES,
    BOY,
    GIRL,
    PHOTO,
    POSES,
    QUALITIES,
    QUALITY_EDGES,
    SIZES,
    TURN_EDGES,
    VIDEO,
)
from facealbum.storage.feature_values import CHILD_AGE
from facealbum.storage.schema import children, faces
from facealbum.storage.told import LIKELY_AGE, LIKELY_P_FEMALE

AGE_TOLERANCE = 2.0
"""Years by which an age that is right may be off."""
FEMALE = 0.5
"""P(female) from which a face counts as that of a girl or woman."""


def band_of(column: ColumnElement[Any], edges: tuple[float, ...]) -> ColumnElement[int]:
    """Between which of the edges a value is, from 0."""
    return func.width_bucket(column, literal(edges, ARRAY(REAL)))


def _named(names: tuple[str, ...], band: ColumnElement[int]) -> ColumnElement[str]:
    return case(dict(enumerate(names)), value=band)


def size_of(family: ColumnElement[Any]) -> ColumnElement[str]:
    """The slice of a family by the number of its registered children."""
    registered = alias(children)
    number = select(func.count()).where(registered.c.family_id == family).scalar_subquery()
    return _named(SIZES, func.least(number, len(SIZES) - 1))


def child_slices(age: ColumnElement[Any]) -> tuple[ColumnElement[str], ColumnElement[str]]:
    """The slices of a row of `children` at this age in years."""
    return _named(AGES, band_of(age, AGE_EDGES)), "gender:" + children.c.gender


_PICTURE = (
    _named(QUALITIES, band_of(faces.c.quality, QUALITY_EDGES)),
    _named(POSES, band_of(func.abs(faces.c.yaw), TURN_EDGES)),
    case((faces.c.track.is_not(None), VIDEO), else_=PHOTO),
    size_of(faces.c.family_id),
)
FACE_SLICES = array(
    [
        _named(AGES, band_of(LIKELY_AGE, AGE_EDGES)),
        case((LIKELY_P_FEMALE >= FEMALE, GIRL), else_=BOY),
        *_PICTURE,
    ]
)
"""Of a face, by what is estimated or told of it, and of its family."""
CHILD_SLICES = array([*child_slices(CHILD_AGE), *_PICTURE])
"""Of a face by the registered child that its person is, at the photo's date."""
AGE_RIGHT = func.abs(faces.c.age - CHILD_AGE) <= AGE_TOLERANCE
"""Whether the models in production are right about the registered child."""
GENDER_RIGHT = case(
    (children.c.gender == "female", faces.c.p_female >= FEMALE),
    (children.c.gender == "male", faces.c.p_female < FEMALE),
    else_=literal_column("NULL::boolean"),
)
"""Likewise; NULL where no gender is registered."""
