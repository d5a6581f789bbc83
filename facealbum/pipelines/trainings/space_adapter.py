"""The training of an adapter: a map from an old embedding space into a new one, judged by families held out."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from eval.adapter_figures import Judged, judge
from eval.head_data import HeadData, gather
from eval.verification import spaces
from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.model_versions import slot_of_adapter
from facealbum.errors import InvalidValueError, UnknownModelError
from facealbum.pipelines.dataset import Manifest, check_split, split_groups
from facealbum.pipelines.step import Values, Work
from facealbum.pipelines.trainings.files import (
    BENCH_LICENCE,
    bench_folder,
    database_of,
    plot_figures,
    read_sides,
    write_collected,
    write_figures,
    write_model,
)
from facealbum.steps.context import Context
from facealbum.steps.embedders import find_embedder, models_folder
from facealbum.steps.train_head import collect_rows
from models.adapter import Adapter, kind_of
from models.adapter_fit import Pairs, fit_adapter
from models.registry import EmbedderSpec


class SpaceAdapter:
    """See facealbum.pipelines.training.Training."""

    name = "space_adapter"
    kind = "adapter"
    version = 2
    defaults: Values = {  # noqa: RUF012 - never changed
        "name": "own-adapter",
        "collect_from": "SFace",
        "collect_to": "fused-512",
        "held_out": 0.5,
        "form": "linear",
    }

    def collect(self, work: Work) -> None:
        """Faces with vectors in both spaces, those of the visible sets read off the default space."""
        folder = bench_folder(work)
        both = str(work.parameters["collect_from"]), str(work.parameters["collect_to"])
        if folder:
            data, groups = gather(folder)
            old, new = (_read_off(space, data.faces.embeddings) for space in both)
            licence, research_only = BENCH_LICENCE, True
        else:
            context = database_of(work)
            parents = _embedders(context, both)
            found = [{row.id: row for row in collect_rows(context, space=space)} for space in both]
            rows = [row for row in found[0].values() if row.id in found[1]]
            data, groups = HeadData.of(rows), [row.family for row in rows]
            old, new = data.faces.embeddings, _stacked([found[1][row.id].embedding for row in rows])
            licence = " and ".join(sorted({parent.licence for parent in parents}))
            research_only = any(parent.research_only for parent in parents)
        labels = {name: getattr(data.faces, name) for name in ("families", "persons", "photos")}
        terms = {"licence": np.array(licence), "research_only": np.array(research_only)}
        terms |= {"source": np.array(both[0]), "target": np.array(both[1])}
        np.savez(work.out / "data.npz", allow_pickle=False, old=old, new=new, **terms, **labels)
        write_collected(work, data, groups, query=f"faces in {both[0]} and {both[1]}", ours=folder is None)

    def split(self, work: Work) -> None:
        """A share of the groups is held out."""
        manifest = Manifest.read(work.inputs["collect"])
        split = split_groups(manifest, held_out=float(work.parameters["held_out"]), seed=work.seed)
        check_split(manifest, split)
        split.write(work.out)

    def train(self, work: Work) -> None:
        """The adapter of the other groups."""
        manifest, side = read_sides(work)
        learnt = side >= 0
        with np.load(work.inputs["collect"] / "data.npz", allow_pickle=False) as data:
            pairs = Pairs(data["old"][learnt], data["new"][learnt], data["families"][learnt])
            source, target = str(data["source"]), str(data["target"])
            terms = {"licence": str(data["licence"]), "research_only": bool(data["research_only"])}
        share = float(work.parameters["held_out"]) if manifest.families else 1.0
        adapter = replace(
            fit_adapter(kind_of(str(work.parameters["form"])), pairs, seed=work.seed),
            source=source,
            target=target,
            held_out=share,
            seed=work.seed,
        )
        about = {**terms, "maps": manifest.query, "slot": slot_of_adapter(source, target)}
        write_model(work, adapter.to_bytes(), about)

    def evaluate(self, work: Work) -> None:
        """Hit rate of adapted with new vectors and neighbours kept, beside the old vectors as they are."""
        _, side = read_sides(work)
        held_out = side < 0
        adapter = Adapter.from_bytes((work.inputs["train"] / "model.bin").read_bytes())
        with np.load(work.inputs["collect"] / "data.npz", allow_pickle=False) as data:
            some = {name: data[name][held_out] for name in ("old", "new", "families", "persons", "photos")}
        if not len(some["old"]):
            raise InvalidValueError("no group is held out to judge the adapter by; raise held_out, now too small")
        old = some.pop("old")
        write_figures(work, judge(Judged(**some), adapted=adapter.apply(old), old=old))

    def plot(self, work: Work) -> None:
        """Every figure beside that without an adapter."""
        plot_figures(work)


TRAINING = SpaceAdapter()


def _embedders(context: Context, both: tuple[str, str]) -> list[EmbedderSpec]:
    """Those of both spaces; raises InvalidValueError that names what to set."""
    try:
        return [find_embedder(space, models_folder(context.settings)) for space in both]
    except UnknownModelError as error:
        raise InvalidValueError(f"collect_from and collect_to must be spaces of confirmed albums: {error}") from error


def _read_off(space: str, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of a packaged space or single network, which follow from the default space; zeros fill them up."""
    known = spaces()
    if space not in known:
        raise InvalidValueError(f"a space of the visible sets must be one of {', '.join(known)}, got {space!r}")
    mapped = embeddings @ known[space]
    mapped = np.pad(mapped, ((0, 0), (0, EMBEDDING_SIZE - mapped.shape[1])))
    return _stacked(mapped / np.linalg.norm(mapped, axis=1, keepdims=True))


def _stacked(vectors: object) -> NDArray[np.float32]:
    return np.asarray(vectors, np.float32).reshape(-1, EMBEDDING_SIZE)
