"""Pure linking of persons to registered children by age and gender.

`plan_links` says which persons show which registered child, with the probability and its evidence, or why
that stays open.  Nothing is written and nothing else is read.
"""

from facealbum.linking.assignment import plan_links
from facealbum.linking.evidence import FaceEvidence, PersonEvidence
from facealbum.linking.parameters import LinkParameters
from facealbum.linking.plan import Link, LinkPlan, OpenPerson, OpenReason

__all__ = [
    "FaceEvidence",
    "Link",
    "LinkParameters",
    "LinkPlan",
    "OpenPerson",
    "OpenReason",
    "PersonEvidence",
    "plan_links",
]
