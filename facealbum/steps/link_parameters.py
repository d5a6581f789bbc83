"""The linking parameters that belong to the packaged age model: its own error, as it was measured."""

from typing import Any

from facealbum.linking import LinkParameters
from models.calibration import load_calibrations

ERROR = ("error_ages", "error_bias", "error_spread", "error_freedom")
"""The parameters that tell P(estimated age | true age)."""


def packaged_error() -> dict[str, Any]:
    """The packaged models' own, by name."""
    return {name: getattr(packaged_link_parameters(), name) for name in ERROR}


def packaged_link_parameters() -> LinkParameters:
    """Defaults, with P(estimated age | true age) of the packaged models; raises ModelError if these are damaged."""
    return LinkParameters.measured(load_calibrations()["age_gender"].numbers)
