"""The optional training of a backbone: a compact network that learns to say what the default space says.

It learns from pictures, which confirmed albums lend to nobody, so its source is always one of the visible sets.  On a
GPU it computes in half precision.  What it gives is an embedder of a space of its own, as LiteRT runs it.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from eval.head_data import HeadData, gather_chips
from eval.head_figures import judge_space
from facealbum.errors import InvalidValueError
from facealbum.pipelines.dataset import Manifest, check_split, split_groups
from facealbum.pipelines.step import Values, Work
from facealbum.pipelines.trainings.files import (
    BENCH_LICENCE,
    bench_folder,
    plot_figures,
    read_sides,
    write_collected,
    write_figures,
    write_model,
)
from models.network import open_network
from models.train.backbone import (
    BackboneRecipe,
    Chips,
    as_network,
    backbone_recipe,
    choose_precision,
    find_device,
)
from models.train.recipe import train
from models.trained_network import save_network


class Backbone:
    """See facealbum.pipelines.training.Training."""

    name = "backbone"
    kind = "embedder"
    version = 2
    defaults: Values = {  # noqa: RUF012 - never changed
        "name": "own-backbone",
        "split_held_out": 0.3,
        "epochs": 20,
        "width": 32,
        "batch": 128,
        "learning_rate": 1e-3,
    }

    def collect(self, work: Work) -> None:
        """Aligned faces of the visible sets, with what the default space says of them."""
        folder = bench_folder(work)
        if folder is None:
            raise InvalidValueError(
                "a backbone learns from pictures, which confirmed albums don't lend; give bench:FOLDER"
            )
        data, groups, pixels = gather_chips(folder)
        data.save(work.out / "data.npz")
        np.save(work.out / "pixels.npy", pixels)
        write_collected(work, data, groups, query="aligned faces", ours=False)

    def split(self, work: Work) -> None:
        """A share of the groups is held out."""
        manifest = Manifest.read(work.inputs["collect"])
        split = split_groups(manifest, held_out=float(work.parameters["split_held_out"]), seed=work.seed)
        check_split(manifest, split)
        split.write(work.out)

    def train(self, work: Work) -> None:
        """The network of the other groups, from its last checkpoint."""
        _, side = read_sides(work)
        device = find_device()
        work.log(f"training on the {device}")
        recipe = choose_precision(_recipe(work.parameters), half=device == "GPU")
        chips = _chips(work).only(side >= 0)
        report = partial(_report, work)
        trained = train(recipe, chips, seed=work.seed, checkpoint=work.scratch / "backbone.checkpoint", report=report)
        about = {"licence": BENCH_LICENCE, "research_only": True, "maps": "aligned faces to the default space"}
        network = as_network(trained.model, width=int(work.parameters["width"]), side=chips.pixels.shape[1])
        write_model(work, network, {**about, "device": device})

    def evaluate(self, work: Work) -> None:
        """Children and growing people held out, as it serves, beside the default space that it learnt from."""
        _, side = read_sides(work)
        if not (side < 0).any():
            raise InvalidValueError(
                "no group is held out to judge the backbone by; raise split_held_out, now too small"
            )
        content = (work.inputs["train"] / "model.bin").read_bytes()
        spec = save_network(work.scratch, "judged", content, licence=BENCH_LICENCE, research_only=True)
        network = open_network(spec.backbones[0].model)
        seen = np.array([network.run(chip) for chip in _chips(work).only(side < 0).pixels], np.float32)
        data = HeadData.load(work.inputs["collect"] / "data.npz").only(side < 0)
        write_figures(work, *judge_space(data, seen))

    def plot(self, work: Work) -> None:
        """Every figure beside that of the default space."""
        plot_figures(work)


TRAINING = Backbone()


def _recipe(parameters: Values) -> BackboneRecipe:
    return backbone_recipe(
        epochs=int(parameters["epochs"]),
        width=int(parameters["width"]),
        batch=int(parameters["batch"]),
        learning_rate=float(parameters["learning_rate"]),
    )


def _chips(work: Work) -> Chips:
    pixels: NDArray[np.uint8] = np.load(work.inputs["collect"] / "pixels.npy", mmap_mode="r", allow_pickle=False)
    return Chips(pixels, HeadData.load(work.inputs["collect"] / "data.npz").faces.embeddings)


def _report(work: Work, epoch: int, loss: float) -> None:
    work.log(f"epoch {epoch}: loss {loss:.4f}")
