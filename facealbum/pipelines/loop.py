"""The whole loop in one call: train, register, try in the shadow, report, promote what passes the gates, take it back.

It is how an installation shows that the loop works from end to end; everything it does can be done alone by its own
command.  Cut short, it goes on when called again, for each part finds what it did before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facealbum.domain.model_versions import ModelKind, ModelVersion, Stage
from facealbum.domain.months import Month
from facealbum.errors import IncompatibleError, RefusedError
from facealbum.pipelines.run import Finished, run_training
from facealbum.pipelines.training import load_training
from facealbum.steps.cluster import cluster_families
from facealbum.steps.compat import evaluate_change
from facealbum.steps.context import Context
from facealbum.steps.embedder_release import fetch_embedder
from facealbum.steps.embedders import installed_space
from facealbum.steps.model_trials import end_trials
from facealbum.steps.reembed import start as start_reembedding
from facealbum.steps.releases import Release, Wish, promote_model, rollback_model
from facealbum.steps.reports import Kind as Report
from facealbum.steps.reports import Subject, write_figures

TRAININGS = ("calibrator", "embedding_head")


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one model.  cached: the steps of its training that were done before.

    report: the page that compares it with what families see.  refused: what the gates before production ask for, None
    where it was promoted, and taken back at once.  serves: what does since then.
    """

    model: str
    run: str
    cached: tuple[str, ...]
    experiment: str
    report: Path
    refused: str | None
    serves: str | None


def run_loop(
    context: Context, wish: Wish, *, source: str, through: Month, out: Path, trainings: Sequence[str] = TRAININGS
) -> list[Tried]:
    """Do it for these trainings, on the families in the database up to a month that is over; reports go into `out`.

    Raises what each part raises.
    """
    trained = [run_training(context, load_training(name), source=source) for name in trainings]
    for one in trained:
        if one.model.kind is ModelKind.EMBEDDER:
            _embed(context, one.model, accept=wish.accept)
    begun = [promote_model(context, str(one.model.model_id), Stage.SHADOW, wish) for one in trained]
    cluster_families(context, through)
    for release in begun:
        end_trials(context, release.model, author=wish.author)
    out.mkdir(parents=True, exist_ok=True)
    return [_try(context, one, release, wish, out) for one, release in zip(trained, begun, strict=True)]


def _embed(context: Context, model: ModelVersion, *, accept: bool) -> None:
    """Have every face in the model's space, from stored vectors, and measure what albums would become in it."""
    fetch_embedder(context, model)
    start_reembedding(context, model.name, accept_research_only=accept)
    with context.database.begin() as transaction:
        before = installed_space(transaction)
    evaluate_change(context, before, model.name)


def _try(context: Context, trained: Finished, release: Release, wish: Wish, out: Path) -> Tried:
    """The report, then production as far as the gates let it, and back."""
    experiment = str(release.experiment)
    report = out / f"{experiment}.html"
    write_figures(context, report, Report.EXPERIMENT, Subject(experiment=experiment))
    refused, serves = None, None
    try:
        promote_model(context, str(release.model.model_id), Stage.PRODUCTION, wish)
    except (RefusedError, IncompatibleError) as error:
        refused = str(error)
    else:
        before = rollback_model(context, release.model.slot, author=wish.author, reason=wish.reason)
        serves = None if before is None else before.label
    return Tried(release.model.label, trained.run, trained.cached, experiment, report, refused, serves)
