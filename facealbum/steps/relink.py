"""Links follow what a family registers: whatever a run has linked is judged again by a child that was corrected.

Links that users made stay, and nobody is linked whom they ruled out.
"""

from facealbum.domain.ids import FamilyId
from facealbum.linking import plan_links
from facealbum.steps.arm_models import evidence_of_arm
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.context import Context
from facealbum.storage.database import Transaction
from facealbum.storage.families import load_children
from facealbum.storage.observations import expect_whole_families, load_arms
from facealbum.storage.origins import load_arms_of
from facealbum.storage.runs import apply_links
from facealbum.storage.serving import load_served_arm


def relink_family(context: Context, transaction: Transaction, family: FamilyId) -> int:
    """Link the family's persons anew, under every arm that it was clustered under.

    The caller's transaction holds `lock_family`.  Tells how many persons got, lost or changed their child under the arm
    that the family is shown.
    """
    children = load_children(transaction, family)
    shown = load_served_arm(transaction, family)
    changed = 0
    expect_whole_families(transaction)
    known = load_arms_of(transaction, family)
    for arm in (arm for arm in load_arms(transaction) if arm.name in known):
        persons = [one.afresh() for one in evidence_of_arm(context, transaction, family, arm)]
        plan = plan_links(persons, children, ArmPlan.of_arm(arm).linking)
        links = apply_links(transaction, family, plan, run=None, now=context.clock())
        changed += links if arm.name == shown else 0
    return changed
