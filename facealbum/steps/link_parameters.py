"""The linking parameters that belong to the packaged age model: its own error, as it was measured."""

from facealbum.linking import LinkParameters
from models.calibration import load_calibrations


def packaged_link_parameters() -> LinkParameters:
    """Defaults, with P(estimated age | true age) of the packaged models; raises ModelError if these are damaged."""
    return LinkParameters.measured(load_calibrations()["age_gender"].numbers)
