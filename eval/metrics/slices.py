"""The parts of an album, or of all families, for which metrics are told apart, by names such as "age:0-2".

A part must not depend on what the arm decided, or arms would be compared on different faces: faces go by the age and
gender estimated for each, by quality, turn and source, families by what they registered, how long they have been there,
or what the operator supplied.  Persons can only go by the child that they are linked to, at its age in that month.
"""

from bisect import bisect_right

EVERYTHING = ""
AGE_EDGES = (3.0, 7.0, 13.0, 20.0)
"""Where one band of ages ends and the next begins, in years."""
AGES = ("age:0-2", "age:3-6", "age:7-12", "age:13-19", "age:20+")
GIRL, BOY = "gender:female", "gender:male"
QUALITY_EDGES = (0.3, 0.6)
QUALITIES = ("quality:low", "quality:middle", "quality:high")
TURN_EDGES = (20.0, 45.0)
"""Where one band of turns to either side ends and the next begins, in degrees."""
POSES = ("pose:frontal", "pose:half", "pose:side")
PHOTO, VIDEO = "from:photo", "from:video"
NEAR_DAYS = 731
"""Siblings born less than so many days apart are near in age."""
NO_SIBLINGS, NEAR_SIBLINGS, FAR_SIBLINGS = "siblings:none", "siblings:near", "siblings:apart"
HISTORY_MONTHS = (3, 12)
"""The last month of a family's history that counts to one band of it, and to the next."""
HISTORIES = ("history:1-3", "history:4-12", "history:13+")

SIZES = ("size:0", "size:1", "size:2", "size:3-4", "size:3-4", "size:5+")
"""By the number of registered children, the last of five and more."""


def age_slice(age: float) -> str:
    """The band of an age in years."""
    return AGES[bisect_right(AGE_EDGES, age)]


def size_slice(children: int) -> str:
    """A family by the number of its registered children, which no arm changes."""
    return SIZES[min(children, 5)]


def child_slices(age: float, gender: str) -> tuple[str, ...]:
    """A person who is a registered child, by its age in years and its gender as registered."""
    return age_slice(age), f"gender:{gender}"
