"""Each metric once: what it counts, in which unit, which way is better and when it misleads.

Every metric is a ratio of sums over families, total / cases, so that sums may be taken in any order, counts stand
beside each value and one estimate serves all.  docs/metrics.md has the same with a worked example each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Better(StrEnum):
    """Which way a metric should move."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"
    """It says what an album is like, not how good it is."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A ratio total / cases; `fails`: when it moves though albums did not get better or worse, or the other way round.

    share: 0 to 1, as every total is a part of its cases.  steady: months of a steady arm are alike, so that one which
    is not is worth an alarm; others grow as albums do.  needs_truth: who a face really shows must be known.
    """

    key: str
    title: str
    total: str
    cases: str
    unit: str
    better: Better
    fails: tuple[str, ...]
    share: bool = True
    steady: bool = True
    needs_truth: bool = False

    @property
    def formula(self) -> str:
        """In words."""
        return f"{self.total} / {self.cases}"


_LABEL_FAILS = (
    "Fewer, surer persons break less: read it beside coverage",
    "A growing child's years may part though the person is right; a wrong person may hold together",
)

_ALL = (
    Metric(
        "association",
        "association rate",
        "the month's faces whose person is linked to a registered child",
        "the month's faces in families with a registered child",
        "share of faces",
        Better.HIGHER,
        (
            "Adults are among the cases, so its level is the families' habit and only its change speaks",
            "Links to the wrong child raise it",
        ),
    ),
    Metric(
        "coverage",
        "coverage",
        "the month's faces with a confirmed person",
        "the month's faces",
        "share of faces",
        Better.HIGHER,
        ("Giving faces to wrong persons raises it", "A detector that finds fewer poor faces raises it"),
    ),
    Metric(
        "breakage",
        "breakage",
        "pseudo-labels that mixed, vanished or split",
        "pseudo-labels",
        "share of persons",
        Better.LOWER,
        _LABEL_FAILS,
    ),
    Metric(
        "mixing",
        "mixing",
        "pseudo-labels that mixed",
        "pseudo-labels",
        "share of persons",
        Better.LOWER,
        (*_LABEL_FAILS, "Relatives and babies look alike without being confused in the album"),
    ),
    Metric(
        "disappearance",
        "disappearance",
        "pseudo-labels that vanished",
        "pseudo-labels",
        "share of persons",
        Better.LOWER,
        (*_LABEL_FAILS, "Persons of two or three nodes vanish by chance"),
    ),
    Metric(
        "splitting",
        "splitting",
        "pseudo-labels that split",
        "pseudo-labels",
        "share of persons",
        Better.LOWER,
        _LABEL_FAILS,
    ),
    Metric(
        "corrections",
        "corrections",
        "faces that users took from the person they were shown with",
        "these and all confirmed faces up to the month's end",
        "share of faces",
        Better.LOWER,
        (
            "Who doesn't look corrects nothing: read it beside album views",
            "A merge counts all faces of the person that was merged",
        ),
    ),
    Metric(
        "churn",
        "churn",
        "faces whose companions a run changed without a recorded reason",
        "faces that had a confirmed person before the run",
        "share of faces",
        Better.LOWER,
        ("Sees what changes during a run, not what a new detector or a deleted photo changes between two",),
    ),
    Metric(
        "provisional_confirmed",
        "provisional matches confirmed",
        "provisional matches that the run confirmed",
        "provisional matches that the run settled",
        "share of faces",
        Better.HIGHER,
        ("Matching and run share the embedding, so both may be wrong together", "Matching only sure faces raises it"),
    ),
    Metric(
        "cluster_size",
        "cluster size",
        "confirmed faces up to the month's end",
        "persons who have them",
        "faces a person",
        Better.NEITHER,
        ("Grows with the family's age", "Falls when children split and when strangers get persons of their own"),
        share=False,
        steady=False,
    ),
    Metric(
        "age_spread",
        "age spread",
        "confirmed faces times the standard deviation of their person's implied birth dates",
        "confirmed faces of persons with two or more",
        "years",
        Better.LOWER,
        ("Ages of adults are estimated poorly, so it grows with their share", "Small, split persons lower it"),
        share=False,
        steady=False,
    ),
    Metric(
        "collisions",
        "same-photo collisions",
        "the month's confirmed faces beyond a person's first in one photo",
        "the month's confirmed faces in photos with two or more",
        "share of faces",
        Better.LOWER,
        ("Mirrors and collages that a user confirmed count too",),
    ),
    Metric(
        "waiting",
        "faces waiting",
        "faces up to the month's end without a confirmed person",
        "faces up to the month's end",
        "share of faces",
        Better.LOWER,
        ("Passers-by should wait, and are most of it", "Years of earlier photos hide what this month did"),
        steady=False,
    ),
    Metric(
        "bcubed_precision",
        "B-cubed precision",
        "sum over faces of the share of their group that shows the same one",
        "faces with truth",
        "share of faces",
        Better.HIGHER,
        ("A group of one face is always right: read it beside recall",),
        steady=False,
        needs_truth=True,
    ),
    Metric(
        "bcubed_recall",
        "B-cubed recall",
        "sum over faces of the share of all faces of the one shown that are in their group",
        "faces with truth",
        "share of faces",
        Better.HIGHER,
        ("One group of all faces finds all: read it beside precision",),
        steady=False,
        needs_truth=True,
    ),
    Metric(
        "pairwise_precision",
        "pairwise precision",
        "pairs of faces that show the same one, of those in one group",
        "pairs of faces in one group",
        "share of pairs",
        Better.HIGHER,
        ("Large groups outweigh all others", "Has no value where nobody is put together"),
        steady=False,
        needs_truth=True,
    ),
    Metric(
        "pairwise_recall",
        "pairwise recall",
        "pairs of faces in one group, of those that show the same one",
        "pairs of faces that show the same one",
        "share of pairs",
        Better.HIGHER,
        ("People with many photos outweigh all others",),
        steady=False,
        needs_truth=True,
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.key: metric for metric in _ALL})
"""Every metric by its key."""
