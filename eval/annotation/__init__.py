"""Truth from people: which items to ask about, how far annotators agree, and what their answers say of everything.

Pure.  docs/annotation.md tells which question estimates what.
"""

from eval.annotation.agreement import Agreement, measure_agreement
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
    "estimate_sample",
    "item_id",
    "make_label",
    "measure_agreement",
    "offer_family",
    "paired",
    "settle",
]
