"""What users may say of an album."""

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of decisions."""

    CONFIRM = "confirm"
    """The faces are the person."""
    REJECT = "reject"
    """The faces are not the person."""
    MOVE = "move"
    """The faces are not the person but the other one."""
    SPLIT = "split"
    """The faces of the person are somebody else, a new person."""
    MERGE = "merge"
    """The person is the other one."""
    DIFFERENT = "different"
    """Two faces, or two persons, are two people."""
    SAME = "same"
    """Two faces are one person, in one photo (a mirror, a collage) or in two."""
    LINK = "link"
    """The person is the child."""
    UNLINK = "unlink"
    """The person is not the child."""
    NAME = "name"
    """The person is called so; no name takes its name away."""
    HIDE = "hide"
    """The person is not to be shown."""
    UNHIDE = "unhide"
    """The person is to be shown again."""
    NOT_A_FACE = "not_a_face"
    """The faces are none."""
