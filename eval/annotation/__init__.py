"""Truth from people: which items to ask about, how far annotators agree, and what their answers say of everything.

Pure.  docs/annotation.md tells which question estimates what.
"""

from eval.annotation.agreement import Agreement, measure_agreement
from eval.annotation.by_slice import Asked, compare_arms, estimate_slices
from eval.annotation.design import STRATA, Design, Reservoir, StratumSize
from eval.annotation.estimate import MIN_RESPONSE, AnnotationEstimate, Figure, Sample, estimate_sample
from eval.annotation.items import Answer, Item, Kind, Label, item_id, make_label
from eval.annotation.population import FamilyFaces, Picture, Place, offer_family, paired
from eval.annotation.settle import Settled, settle

__all__ = [
    "MIN_RESPONSE",
    "STRATA",
    "Agreement",
    "AnnotationEstimate",
    "Answer",
    "Asked",
    "Design",
    "FamilyFaces",
    "Figure",
    "Item",
    "Kind",
    "Label",
    "Picture",
    "Place",
    "Reservoir",
    "Sample",
    "Settled",
    "StratumSize",
    "compare_arms",
    "estimate_sample",
    "estimate_slices",
    "item_id",
    "make_label",
    "measure_agreement",
    "offer_family",
    "paired",
    "settle",
]
