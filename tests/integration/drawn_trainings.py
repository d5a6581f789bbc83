"""Every training of ours; of those that learn from pictures, which only visible sets have, what they collect is drawn.

Who imports this has imported what they all need.
"""

import numpy as np

from facealbum.pipelines.dataset import Item, Manifest
from facealbum.pipelines.step import Work
from facealbum.pipelines.training import NAMES, Training, load_training
from facealbum.pipelines.trainings.backbone import Backbone
from facealbum.pipelines.trainings.files import write_collected
from facealbum.pipelines.trainings.quality_predictor import QualityTraining
from tests.unit.eval.test_head_figures import data
from tests.unit.models.train.test_quality_predictor import faces
from tests.unit.pipelines.trainings.test_backbone import chips


class OfDrawnFaces(QualityTraining):
    """The training of a predictor of quality, on faces that match by their height."""

    def collect(self, work: Work) -> None:
        one = faces()
        one.save(work.out / "data.npz")
        items = (Item(name, name, group) for name, group in zip(one.ids.tolist(), one.groups.tolist(), strict=True))
        Manifest("drawn", tuple(items)).write(work.out)


class OfDrawnChips(Backbone):
    """The training of a backbone, on chips of sixteen pixels."""

    def collect(self, work: Work) -> None:
        made = data()
        made.save(work.out / "data.npz")
        np.save(work.out / "pixels.npy", chips(len(made)).pixels)
        write_collected(work, made, [str(one) for one in made.faces.families], query="drawn", ours=False)


TRAININGS: dict[str, Training] = {name: load_training(name) for name in NAMES} | {
    "quality_predictor": OfDrawnFaces(),
    "backbone": OfDrawnChips(),
}
