"""In which space a family is read while its installation changes spaces (dual reads).

Two spaces are never compared: a family is read in one of them, and changes over once every face that stands for
somebody has a vector in the new one.  Until then its runs and matches go on in the space that knows most of these
faces; a new face without a vector there waits meanwhile, as any face does that a run can't read.
"""

from collections.abc import Iterable
from dataclasses import replace

from facealbum.domain.ids import FamilyId
from facealbum.settings import Settings
from facealbum.steps.arm_plans import ArmPlan, Side
from facealbum.steps.embedders import models_of_space
from facealbum.steps.makers import ensure_clusterer
from facealbum.storage.database import Transaction
from facealbum.storage.observations import Arm, load_arm
from facealbum.storage.reembeddings import load_lacking
from facealbum.storage.serving import load_installed_arm
from facealbum.storage.spaces import load_fullest_space, load_space_name


def load_lacking_spaces(transaction: Transaction, family: FamilyId, sides: Iterable[Side]) -> list[int]:
    """The spaces of arms beside the installation's in which faces of the family have no vector, and could have one.

    Analysis fills the installation's space only; no arm is to see fewer faces than that.
    """
    here = load_arm(transaction, load_installed_arm(transaction))
    others = dict.fromkeys(side.arm.space_id for side in sides if here and side.arm.space_id != here.space_id)
    return [space for space in others if load_lacking(transaction, family, space, adapted=False)]


def side_of_family(transaction: Transaction, settings: Settings, family: FamilyId, side: Side) -> Side:
    """The arm as the family is to be read under it: in its own space, or in the one that the family comes from.

    Raises ModelNotInstalledError if nobody here knows that space any more.
    """
    space = load_fullest_space(transaction, family, arm_id=side.arm.arm_id, wanted=side.arm.space_id)
    if space == side.arm.space_id:
        return side
    models = models_of_space(load_space_name(transaction, space), settings)
    plan = replace(side.plan, clustering=ArmPlan.of_space(models.embedder).clustering)
    arm = replace(side.arm, space_id=space, parameters=plan.parameters())
    maker = ensure_clusterer(transaction, models, space, trained=plan.trained)
    return Side(arm, plan, models.versions, maker)


def arm_of_family(transaction: Transaction, settings: Settings, family: FamilyId, arm: Arm) -> Arm:
    """The same for who needs no more than the arm."""
    return side_of_family(transaction, settings, family, Side(arm, ArmPlan.of_arm(arm), {})).arm
