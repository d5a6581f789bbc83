"""Pure: what users decide, the rows that it changes, how it is undone, and what it demands of every later run.

`plan_correction` turns a request into a decision and the rows before and after; `plan_undo` turns it back; both are
given the faces that `reach_of_request`, `company_of_request` and their like ask for, or all;
`constrain_decisions`, `kept_persons` and `describe_persons` tell an arm what is in force; `find_heirs` tells in which
new faces old ones go on.
"""

from facealbum.corrections.anchors import ANCHORS
from facealbum.corrections.decision import Decision, Request, check_name
from facealbum.corrections.heirs import find_heirs
from facealbum.corrections.ledger import Ledger, read_ledger
from facealbum.corrections.plan import Signature, plan_correction
from facealbum.corrections.reach import (
    Anchors,
    Company,
    Reach,
    company_of_request,
    company_of_undoing,
    reach_of_request,
    reach_of_undoing,
)
from facealbum.corrections.state import (
    Album,
    Change,
    Correction,
    FaceRow,
    Fact,
    LinkRow,
    PersonRow,
    Place,
    compare_albums,
    correct_album,
)
from facealbum.corrections.undo import find_in_force, plan_undo
from facealbum.corrections.words import (
    ArmWords,
    Demands,
    PersonWords,
    constrain_decisions,
    describe_persons,
    kept_persons,
    outrank,
)

__all__ = [
    "ANCHORS",
    "Album",
    "Anchors",
    "ArmWords",
    "Change",
    "Company",
    "Correction",
    "Decision",
    "Demands",
    "FaceRow",
    "Fact",
    "Ledger",
    "LinkRow",
    "PersonRow",
    "PersonWords",
    "Place",
    "Reach",
    "Request",
    "Signature",
    "check_name",
    "company_of_request",
    "company_of_undoing",
    "compare_albums",
    "constrain_decisions",
    "correct_album",
    "describe_persons",
    "find_heirs",
    "find_in_force",
    "kept_persons",
    "outrank",
    "plan_correction",
    "plan_undo",
    "reach_of_request",
    "reach_of_undoing",
    "read_ledger",
]
