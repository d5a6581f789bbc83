"""The training of a head: a space of its own in which children are told apart as they grow.

Parents and siblings are the negatives, other ages of a person the positives.  A head learns from all that was
collected; it is judged by its twins, which the same recipe learnt without the people that they are judged by.
"""

import json
from dataclasses import asdict, replace
from functools import partial
from itertools import combinations
from statistics import median

import numpy as np
from numpy.typing import NDArray

from eval.cross_fit import Folds, Heads, learn_heads
from eval.head_data import HeadData, gather
from eval.head_figures import judge_heads
from eval.head_groups import best_similarities
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
    write_json,
    write_model,
)
from facealbum.steps.train_head import collect_rows
from models.heads import Terms, default_terms, pack_head
from models.train.batches import WholeFamilies
from models.train.head import MIN_PERSONS, HeadRecipe, count_known, head_recipe, train_head

_TWINS = "twins.npz"
_SIMILARITY = "similarity.json"


class EmbeddingHead:
    """See facealbum.pipelines.training.Training; without figures where too few people are left for twins."""

    name = "embedding_head"
    kind = "embedder"
    version = 1
    defaults: Values = {  # noqa: RUF012 - never changed
        "name": "own-head",
        "split_folds": 5,
        "epochs": 5,
        "learning_rate": 2e-4,
        "temperature": 0.07,
        "pull": 0.3,
        "families": 16,
        "growing": 8,
    }

    def collect(self, work: Work) -> None:
        """Faces with embeddings of the default space, of the visible sets or of the families' confirmed albums."""
        folder = bench_folder(work)
        if folder:
            data, groups = gather(folder)
        else:
            rows = collect_rows(database_of(work))
            data, groups = HeadData.of(rows), [row.family for row in rows]
        data.save(work.out / "data.npz")
        write_collected(work, data, groups, query="faces in the default space", ours=folder is None)

    def split(self, work: Work) -> None:
        """Groups into folds; every fold is judged by heads that have not seen it."""
        manifest = Manifest.read(work.inputs["collect"])
        split = split_groups(manifest, held_out=0.0, folds=int(work.parameters["split_folds"]), seed=work.seed)
        check_split(manifest, split)
        split.write(work.out)

    def train(self, work: Work) -> None:
        """The head of all faces, and its twins with the similarity that is best under them."""
        manifest, fold = read_sides(work)
        data = _load(work)
        learn = partial(_learn, work, data)
        twins: Heads = {}
        if _can_be_judged(data, fold):
            twins = dict(learn_heads(fold, lambda two, chosen: learn(chosen, f"without-{two[0]}-{two[1]}")))
        else:
            work.log("too few people to judge a head by those whom it does not know: there will be no figures")
        similarity = best_similarities(data, fold, twins) if twins else {}
        terms = replace(
            default_terms() if manifest.families else Terms(BENCH_LICENCE, research_only=True),
            similarity=median(similarity.values()) if similarity else None,
        )
        content = pack_head(learn(np.ones(len(data), bool), "all"), terms)
        write_model(work, content, {**asdict(terms), "maps": "the default space to one of its own"})
        named = {f"{one}-{other}": head for (one, other), head in twins.items()}
        np.savez(work.out / _TWINS, allow_pickle=False, **named)
        write_json(work.out / _SIMILARITY, similarity)

    def evaluate(self, work: Work) -> None:
        """Children, growing people, relatives and whole families that the twins have not seen, by the default space."""
        _, fold = read_sides(work)
        stored = json.loads((work.inputs["train"] / _SIMILARITY).read_bytes())
        similarity = {int(key): float(one) for key, one in stored.items()}
        with np.load(work.inputs["train"] / _TWINS, allow_pickle=False) as arrays:
            twins = {(int(key.split("-")[0]), int(key.split("-")[1])): arrays[key] for key in arrays.files}
        write_figures(work, *(judge_heads(_load(work), fold, twins, similarity=similarity) if twins else ({}, {})))

    def plot(self, work: Work) -> None:
        """Every figure beside that of the default space."""
        plot_figures(work)


TRAINING = EmbeddingHead()


def _load(work: Work) -> HeadData:
    return HeadData.load(work.inputs["collect"] / "data.npz")


def _can_be_judged(data: HeadData, fold: Folds) -> bool:
    """Whether enough people are left to learn from without any two folds; families that are few have few folds."""
    folds = np.unique(fold).tolist()
    without = (data.faces.only(~np.isin(fold, two)) for two in combinations(folds, 2))
    return len(folds) > 1 and all(count_known(faces) >= MIN_PERSONS for faces in without)


def _recipe(parameters: Values) -> HeadRecipe:
    return head_recipe(
        epochs=int(parameters["epochs"]),
        learning_rate=float(parameters["learning_rate"]),
        temperature=float(parameters["temperature"]),
        pull=float(parameters["pull"]),
        batches=WholeFamilies(int(parameters["families"]), int(parameters["growing"])),
    )


def _learn(work: Work, data: HeadData, chosen: NDArray[np.bool_], name: str) -> NDArray[np.float32]:
    """The head of the chosen faces; kept in the scratch folder, so that a kill costs an epoch at most."""
    kept = work.scratch / f"{name}.npy"
    if kept.exists():
        found: NDArray[np.float32] = np.load(kept)
        return found

    def report(epoch: int, loss: float) -> None:
        work.log(f"head {name}, epoch {epoch}: loss {loss:.4f}")

    checkpoint = work.scratch / f"{name}.checkpoint"
    faces = data.faces.only(chosen)
    head = train_head(faces, _recipe(work.parameters), seed=work.seed, checkpoint=checkpoint, report=report)
    part = kept.with_suffix(".part")
    with part.open("wb") as file:
        np.save(file, head)
    part.replace(kept)
    return head
