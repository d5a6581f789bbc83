"""Whether a new embedding space can take the place of an old one while albums go on.  Pure; docs/compatibility.md.

`measure_family` counts in one family what `compare` sums up over all of them to a `CompatReport`, with limits by which
it passes or not.  Nobody is compared with anybody of another family, here as everywhere.
"""

from eval.compat.faces import FamilyFaces, Reading
from eval.compat.measures import FamilyMeasures, measure_family
from eval.compat.report import Check, CompatReport, Limits, compare

__all__ = [
    "Check",
    "CompatReport",
    "FamilyFaces",
    "FamilyMeasures",
    "Limits",
    "Reading",
    "compare",
    "measure_family",
]
