"""The files that trainings of faces have in common: what was collected, its fold of each face, figures and models."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.head_data import HeadData
from eval.paired import Figure
from eval.plots import plot_gains
from facealbum.errors import InvalidValueError
from facealbum.pipelines.dataset import Item, Manifest, Split
from facealbum.pipelines.step import Work
from facealbum.steps.context import Context

BENCH_LICENCE = "non-commercial research only: learnt from FG-NET and Families In the Wild"


def bench_folder(work: Work) -> Path | None:
    """The folder of the visible sets, None if the families' own albums are asked for; raises InvalidValueError."""
    kind, _, folder = (work.source or "").partition(":")
    if kind == "bench" and folder:
        return Path(folder)
    if work.source != "confirmed":
        raise InvalidValueError(f"a source must be bench:FOLDER or confirmed, got {work.source!r}")
    return None


def database_of(work: Work) -> Context:
    """Where the families' albums are; raises InvalidValueError without."""
    if work.context is None:
        raise InvalidValueError("confirmed albums lie in a database, and there is none; give bench:FOLDER")
    return work.context


def write_collected(work: Work, data: HeadData, groups: Sequence[str], *, query: str, ours: bool) -> None:
    """The manifest of the faces; ours: whether groups are the ids of our families."""
    digests = [hashlib.sha256(one.tobytes()).hexdigest() for one in data.faces.embeddings]
    families: Sequence[str | None] = groups if ours else [None] * len(groups)
    Manifest(query, tuple(map(Item, data.ids.tolist(), digests, groups, families))).write(work.out)
    work.log(f"{len(groups)} faces of {len(set(groups))} groups")


def read_sides(work: Work) -> tuple[Manifest, NDArray[np.int64]]:
    """The manifest, and the fold of each face, -1 if it is held out."""
    manifest, split = Manifest.read(work.inputs["collect"]), Split.read(work.inputs["split"])
    return manifest, np.array([split.side(item.group) for item in manifest.items], np.int64)


def write_model(work: Work, content: bytes, about: Mapping[str, Any]) -> None:
    """model.bin and model.json; a name ends in its content's checksum, so that no two spaces have one name."""
    name = f"{work.parameters['name']}-{hashlib.sha256(content).hexdigest()[:8]}"
    (work.out / "model.bin").write_bytes(content)
    write_json(work.out / "model.json", {"name": name, **about})


def read_about(work: Work) -> dict[str, Any]:
    """What training wrote into model.json."""
    about: dict[str, Any] = json.loads((work.inputs["train"] / "model.json").read_bytes())
    return about


def write_figures(
    work: Work, figures: Mapping[str, Figure], slices: Mapping[str, Mapping[str, Figure]] | None = None
) -> None:
    """metrics.json and slices.json."""
    write_json(work.out / "metrics.json", _plain(figures))
    write_json(work.out / "slices.json", {name: _plain(some) for name, some in (slices or {}).items()})


def plot_figures(work: Work) -> None:
    """Every figure beside its baseline, over all and by slice."""
    figures = json.loads((work.inputs["evaluate"] / "metrics.json").read_bytes())
    slices = json.loads((work.inputs["evaluate"] / "slices.json").read_bytes())
    of_slices = {f"{name}: {metric}": one for name, some in slices.items() for metric, one in some.items()}
    for name, some in (("metrics", figures), ("slices", of_slices)):
        if some:
            plot_gains(some, work.out / "plots" / f"{name}.png")


def write_json(path: Path, content: object) -> None:
    """The same content gives the same bytes."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _plain(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: figure.to_dict() for name, figure in figures.items()}
