"""Registered birth dates that the family should look at again, as its reports say it."""

from collections.abc import Sequence
from dataclasses import dataclass

from facealbum.domain.people import Child
from facealbum.linking import LinkParameters, PersonEvidence, doubt_birth_dates, plan_links
from facealbum.linking.plan import LinkPlan
from facealbum.steps.arm_models import evidence_of_arm
from facealbum.steps.context import Context
from facealbum.storage.database import Transaction
from facealbum.storage.families import Family, load_children
from facealbum.storage.observations import Arm


@dataclass(frozen=True, slots=True)
class DoubtedBirth:
    """A child whose faces look years older (negative: younger) than its birth date says; `low` to `high`: 95 %.

    linked: whether these faces are linked to the child already, or would be if the date were another.
    """

    family: str
    child: str
    born: str
    years: float
    low: float
    high: float
    faces: int
    linked: bool

    @property
    def sentence(self) -> str:
        """The question to the family."""
        near, far = sorted((abs(self.low), abs(self.high)))
        whose = (
            f"{self.faces} faces of {self.child} look"
            if self.linked
            else f"{self.faces} faces that may be {self.child} look"
        )
        older = "older" if self.years > 0 else "younger"
        return f"{whose} {near:g} to {far:g} years {older} than born on {self.born}: is the date right?"


def find_doubted_births(
    family: Family,
    children: Sequence[Child],
    *,
    persons: Sequence[PersonEvidence],
    plan: LinkPlan,
    parameters: LinkParameters,
) -> tuple[DoubtedBirth, ...]:
    """The doubts that a link plan of the family leaves, sorted by child."""
    named = {child.child_id: child for child in children}
    return tuple(
        DoubtedBirth(
            family=family.name,
            child=named[doubt.child_id].name,
            born=named[doubt.child_id].birth_date.isoformat(),
            years=doubt.years,
            low=doubt.low,
            high=doubt.high,
            faces=doubt.faces,
            linked=doubt.linked,
        )
        for doubt in doubt_birth_dates(persons, children, plan, parameters)
    )


def load_doubted_births(
    context: Context, transaction: Transaction, family: Family, arm: Arm, parameters: LinkParameters
) -> tuple[DoubtedBirth, ...]:
    """The doubts about the family as it is now."""
    persons = evidence_of_arm(context, transaction, family.family_id, arm)
    children = load_children(transaction, family.family_id)
    plan = plan_links(persons, children, parameters)
    return find_doubted_births(family, children, persons=persons, plan=plan, parameters=parameters)
