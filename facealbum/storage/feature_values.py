"""What a face's features are, as columns to select: those that the product reads by itself, too."""

from sqlalchemy import Date, Float, cast, func

from facealbum.storage.schema import assignments, children, faces

_DAYS_A_YEAR = 365.25

SIZE = func.least(faces.c.box[3] - faces.c.box[1], faces.c.box[4] - faces.c.box[2])
"""In pixels: the shorter side of the box."""
SIMILARITY = assignments.c.score
"""To the person that the arm shows the face with; NULL with nobody."""
CHILD_AGE = cast(cast(faces.c.taken_at, Date) - children.c.birth_date, Float) / _DAYS_A_YEAR
"""In years: of the child that the face's person is, at the photo's date; NULL for anybody else."""
