"""What drove links: of one link, and over months the mix of it beside quiet months.

What a run said of its links is kept in its plan.  A link that was made since is judged again as a run would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval.fairness.mix import compare_mix, quiet_months
from facealbum.domain.ids import FamilyId, PersonId
from facealbum.domain.months import Month
from facealbum.domain.sentences import Number, Sentence, Term
from facealbum.errors import UnknownPersonError
from facealbum.linking import Attribution, Link, plan_links
from facealbum.steps.arm_models import evidence_of_arm
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.context import Context
from facealbum.steps.drift import FAMILIES_PER_BUCKET
from facealbum.steps.metrics import find_arm
from facealbum.storage.database import Transaction
from facealbum.storage.drift_counts import load_sample
from facealbum.storage.fairness import (
    InputMonth,
    count_mix,
    load_input_months,
    load_last_link,
    load_mixes,
    save_mix,
)
from facealbum.storage.families import load_children, load_family
from facealbum.storage.metric_totals import ArmMonth
from facealbum.storage.observations import load_arm, load_links
from facealbum.storage.serving import load_installed_arm, load_served_arm


def explain_link(context: Context, family: FamilyId, person: PersonId) -> Link:
    """The person's link with what drove it, under the arm that the family is shown.

    Raises UnknownFamilyError, and UnknownPersonError if the person is linked to no child.
    """
    link = find_link(context, family, person)
    if link is None:
        raise UnknownPersonError(f"the family's person {person} is linked to no child, so nothing drove a link")
    return link


def find_link(context: Context, family: FamilyId, person: PersonId) -> Link | None:
    """The same; None without a link."""
    with context.database.begin() as transaction:
        load_family(transaction, family)
        arm = load_arm(transaction, load_served_arm(transaction, family))
        child = load_links(transaction, family, arm).get(person) if arm else None
        if arm is None or child is None:
            return None
        said = load_last_link(transaction, family, arm.arm_id, person)
        if said is not None and said.child_id == child and said.inputs is not None:
            return said
        evidence = evidence_of_arm(context, transaction, family, arm)
        children = load_children(transaction, family)
    plan = plan_links(evidence, children, ArmPlan.of_arm(arm).linking)
    return next((link for link in plan.links if link.person_id == person), None)


def describe_link(link: Link) -> dict[str, Any]:
    """As JSON; log_odds: the sum of what the inputs add."""
    inputs: Attribution | None = link.inputs
    return {
        "person": str(link.person_id),
        "child": str(link.child_id),
        "probability": link.probability,
        "faces": link.faces,
        "inputs": inputs.to_dict() | {"log_odds": inputs.log_odds} if inputs else None,
    }


@dataclass(frozen=True, slots=True)
class Mix:
    """What drove the links of each month under an arm, by month and input."""

    arm: str
    months: Sequence[InputMonth]

    @property
    def alarms(self) -> list[Sentence]:
        """Of the newest month: which inputs drive links differently than they did in quiet months."""
        newest = max((one.month for one in self.months), default=None)
        return [
            Sentence(
                "what drives links has changed: %(input)s is at distance %(distance)s to the quiet months, more than"
                " %(threshold)s (n = %(links)s links)",
                input=Term(f"input {one.input}"),
                distance=Number(one.distance or 0, 3),
                threshold=Number(one.threshold or 0, 3),
                links=one.links,
            )
            for one in self.months
            if one.month == newest and one.alarm
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        rows = [
            one._asdict() | {"month": str(one.month), "baseline": [str(month) for month in one.baseline]}
            for one in self.months
        ]
        return {"arm": self.arm, "inputs": rows, "alarms": self.alarms}


def load_mix(context: Context, *, arm: str | None = None) -> Mix:
    """Every month that was counted; raises InvalidValueError for an arm that never ran."""
    with context.database.begin() as transaction:
        return _load_mix(transaction, arm)


def watch_mix(context: Context, month: Month, *, arm: str | None = None) -> Mix:
    """Count the month, and the one before if it wasn't, and compare them with quiet months; tells of months up to it.

    Where the arm never ran there is nothing to tell.
    """
    with context.database.begin() as transaction:
        name = arm or load_installed_arm(transaction)
        chosen = load_arm(transaction, name)
        if chosen is None:
            return Mix(name, ())
        counted = {one.month for one in load_input_months(transaction, chosen.arm_id)}
        some = load_sample(transaction, FAMILIES_PER_BUCKET)
    for one in [*([month.before()] if month.before() not in counted else []), month]:
        with context.database.begin() as transaction:
            mix = count_mix(transaction, ArmMonth(chosen.arm_id, one), some)
            if not mix.links:
                continue
            known = load_input_months(transaction, chosen.arm_id)
            loud = {row.month for row in known if row.alarm}
            months = quiet_months([row.month for row in known if row.input == "age"], loud, before=one)
            changes = compare_mix(mix, load_mixes(transaction, chosen.arm_id, months))
            save_mix(transaction, chosen.arm_id, mix, changes, baseline=months, now=context.clock())
    with context.database.begin() as transaction:
        found = _load_mix(transaction, chosen.name)
    return Mix(found.arm, [one for one in found.months if one.month <= month])


def _load_mix(transaction: Transaction, arm: str | None) -> Mix:
    chosen = find_arm(transaction, arm)
    return Mix(chosen.name, load_input_months(transaction, chosen.arm_id))
