"""How right albums and models are in each slice, as people said.

A sample is drawn by chance, so it tells of everything.  Users say what they look at, which is not drawn: their figures
tell of that, and stand beside it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from eval.fairness.slices import Standing, judge_parts
from eval.metrics.definitions import Better
from eval.metrics.estimates import Estimate, Sums
from facealbum.steps.context import Context
from facealbum.steps.metrics import find_arm
from facealbum.storage.accuracy import sum_told
from facealbum.storage.database import Transaction
from facealbum.storage.samples import load_samples

USERS = "users"
MEASURES = {
    "assignment_precision": "faces that are with the right person",
    "link_precision": "linked faces that are with the right person, or persons linked to the right child",
    "pairwise_precision": "pairs held together that are one person",
    "pairwise_recall": "pairs of one person that are held together",
    "age_right": "ages within two years",
    "gender_right": "genders that are right",
}
"""What is told of slices, in words."""


@dataclass(frozen=True, slots=True)
class SliceAccuracy:
    """How often something is right in a slice, empty for all; source: the sample, or USERS.  drawn: by chance."""

    source: str
    drawn: bool
    measure: str
    slice: str
    items: int
    estimate: Estimate
    standing: Standing

    def about(self) -> dict[str, Any]:
        """All but the estimate, as JSON."""
        names = ("source", "drawn", "measure", "slice", "items")
        return {name: getattr(self, name) for name in names} | {"standing": self.standing.value}


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Every slice under an arm, by source, measure and slice."""

    arm: str
    rows: tuple[SliceAccuracy, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"arm": self.arm, "slices": [one.about() | one.estimate.to_dict() for one in self.rows]}


def load_accuracy(context: Context, *, arm: str | None = None) -> Accuracy:
    """Of the newest concluded samples of the arm, and of all that users decided.  Raises InvalidValueError."""
    with context.database.begin() as transaction:
        chosen = find_arm(transaction, arm)
        rows = [*_sampled(transaction, chosen.name), *_told(transaction, chosen.arm_id)]
    return Accuracy(chosen.name, tuple(sorted(rows, key=lambda one: (one.source, one.measure, one.slice))))


def _sampled(transaction: Transaction, arm: str) -> Iterator[SliceAccuracy]:
    """Each measure as the newest sample tells it."""
    told: set[str] = set()
    for sample in load_samples(transaction):
        mine = [one for one in (sample.estimate or {}).get("slices", ()) if one["arm"] == arm]
        for one in mine:
            if one["measure"] not in told:
                estimate, standing = Estimate.from_dict(one["estimate"]), Standing(one["standing"])
                about = (one["measure"], one["slice"], one["items"])
                yield SliceAccuracy(sample.design.name, True, *about, estimate, standing)
        told |= {one["measure"] for one in mine}


def _told(transaction: Transaction, arm_id: int) -> Iterator[SliceAccuracy]:
    parts: dict[str, dict[str, Sums]] = defaultdict(dict)
    for (measure, part), sums in sum_told(transaction, arm_id).items():
        parts[measure][part] = sums
    for measure, of in parts.items():
        for one in judge_parts(measure, of, Better.HIGHER):
            about = (measure, one.slice, int(one.estimate.cases))
            yield SliceAccuracy(USERS, False, *about, one.estimate, one.standing)
