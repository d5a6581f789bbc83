"""The HTML page of an album: who was found, how sure that is, and what went wrong.

PURE: values in, one string out.  The page is a single file that loads nothing from anywhere, so it can be opened
years from now and tells nobody that it was.
"""

from eval.report.crops import ROOM, crop_face, shrink_photo
from eval.report.page import (
    AlbumReport,
    FaceCrop,
    FamilyReport,
    PersonSection,
    Problem,
    RunRow,
    WaitingFaces,
)
from eval.report.render import render_report
from eval.report.words import pick_evenly

__all__ = [
    "ROOM",
    "AlbumReport",
    "FaceCrop",
    "FamilyReport",
    "PersonSection",
    "Problem",
    "RunRow",
    "WaitingFaces",
    "crop_face",
    "pick_evenly",
    "render_report",
    "shrink_photo",
]
