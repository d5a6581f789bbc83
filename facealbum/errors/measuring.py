"""Runs, and what is measured, compared and searched over them."""

from facealbum.errors.root import FacealbumError, InvalidValueError


class UnknownRunError(InvalidValueError):
    """No monthly job has this number, or the family no run with this id."""

    code = "unknown_run"


class UnknownArmError(InvalidValueError):
    """No arm is called so."""

    code = "unknown_arm"


class UnknownExperimentError(InvalidValueError):
    """No experiment is called so."""

    code = "unknown_experiment"


class UnknownSearchError(InvalidValueError):
    """No search over parameters is called so."""

    code = "unknown_search"


class UnknownSampleError(FacealbumError):
    """No sample was drawn under this name."""

    code = "unknown_sample"


class UnknownItemError(InvalidValueError):
    """The sample has no such item."""

    code = "unknown_item"


class NothingMeasuredError(InvalidValueError):
    """No month was measured that the question is about."""

    code = "nothing_measured"
