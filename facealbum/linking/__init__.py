"""Pure linking of persons to registered children by age and gender.

`plan_links` says which persons show which registered child, with the probability and its evidence, or why
that stays open; `doubt_birth_dates` says which registered birth dates their faces contradict.  Nothing is written and
nothing else is read.
"""

from facealbum.linking.assignment import plan_links
from facealbum.linking.attribution import INPUTS, Attribution
from facealbum.linking.births import BirthDoubt, doubt_birth_dates
from facealbum.linking.evidence import FaceEvidence, PersonEvidence
from facealbum.linking.parameters import LinkParameters
from facealbum.linking.plan import Link, LinkPlan, OpenPerson, OpenReason

__all__ = [
    "INPUTS",
    "Attribution",
    "BirthDoubt",
    "FaceEvidence",
    "Link",
    "LinkParameters",
    "LinkPlan",
    "OpenPerson",
    "OpenReason",
    "PersonEvidence",
    "doubt_birth_dates",
    "plan_links",
]
