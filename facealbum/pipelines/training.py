"""What every training is: five steps from data to figures, each a function from files to files.

A training puts parts of `models.train` and `eval` together and decides nothing else; where it runs, what is kept and
what is recorded is the pipeline's.  Each lives in `facealbum/pipelines/trainings/<name>.py`, as `TRAINING` there.
"""

from importlib import import_module
from typing import Protocol

from facealbum.errors import InvalidValueError
from facealbum.pipelines.step import Step, Values, Work

STEPS = ("collect", "split", "train", "evaluate", "plot")
NAMES = ("calibrator", "quality_predictor", "embedding_head", "space_adapter", "backbone")


class Training(Protocol):
    """One training.

    name: as its file.  kind: the registry's kind of model.  version: raised when its code changes what it gives.
    defaults: every parameter that may be set, with the value that it has otherwise, whose type it keeps.  One that
    starts with a step's name, as `collect_limit`, is that step's alone, and all others go to every step but collect, so
    that another number of epochs collects nothing anew; collect has no seed for the same reason.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - as above
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> int: ...  # noqa: D102
    @property
    def defaults(self) -> Values: ...  # noqa: D102

    def collect(self, work: Work) -> None:
        """From `work.source`: data.npz, and manifest.json as `facealbum.pipelines.dataset.Manifest` writes it."""
        ...

    def split(self, work: Work) -> None:
        """From collect: split.json, as `facealbum.pipelines.dataset.Split` writes it; raises LeakageError."""
        ...

    def train(self, work: Work) -> None:
        """From collect and split: model.bin, and model.json with name, licence, research_only and what it maps.

        Where they have any: `primary`, the metric that decides, and `slot`, its place in production.

        Checkpoints lie in `work.scratch`; a training that was killed goes on from them to the same bits.
        """
        ...

    def evaluate(self, work: Work) -> None:
        """From collect, split and train: metrics.json and slices.json, on groups that were not learnt from.

        metrics.json: {metric: {value, low, high, n, baseline: {value, low, high}, difference: {value, low, high},
        better: true, false or null}}; slices.json: {slice: the same}.
        """
        ...

    def plot(self, work: Work) -> None:
        """From all before: plots/*.png."""
        ...


def training_steps(training: Training, *, asks: bool) -> tuple[Step, ...]:
    """The training as the steps of a pipeline; asks: whether its source is a database, which no key can name."""
    judged = ("collect", "split", "train")
    needs = {
        "collect": (),
        "split": ("collect",),
        "train": judged[:2],
        "evaluate": judged,
        "plot": (*judged, "evaluate"),
    }
    return tuple(
        Step(
            name,
            getattr(training, name),
            needs[name],
            training.version,
            _parameters_of(training, name),
            seeded=name != "collect",
            asks=asks and name == "collect",
        )
        for name in STEPS
    )


def load_training(name: str) -> Training:
    """The training of this name, or of any module that can be imported, as `package.module:`.

    Raises InvalidValueError that lists ours.
    """
    if name not in NAMES and not name.endswith(":"):
        raise InvalidValueError(f"a training is one of {', '.join(NAMES)}, or a module as `mine.ages:`, not {name!r}")
    module = name.removesuffix(":") if name.endswith(":") else f"facealbum.pipelines.trainings.{name}"
    try:
        training: Training = import_module(module).TRAINING
    except (ModuleNotFoundError, AttributeError) as error:
        raise InvalidValueError(f"the module {module} must be there and have a TRAINING: {error}") from error
    return training


def chosen_parameters(training: Training, chosen: Values) -> dict[str, int | float | str]:
    """The training's defaults with these in their place, each read as the type of its default.

    Raises InvalidValueError for a name that the training has not, or a value of another type.
    """
    unknown = chosen.keys() - training.defaults.keys()
    if unknown:
        known = ", ".join(sorted(training.defaults))
        raise InvalidValueError(f"{training.name} has the parameters {known}, not {', '.join(sorted(unknown))}")
    found = dict(training.defaults)
    for name, value in chosen.items():
        kind = type(training.defaults[name])
        try:
            found[name] = kind(value)
        except ValueError as error:
            raise InvalidValueError(f"{name} must be of type {kind.__name__}, got {value!r}") from error
    return found


def _parameters_of(training: Training, step: str) -> tuple[str, ...]:
    owners = {
        name: next((owner for owner in STEPS if name.startswith(f"{owner}_")), None) for name in training.defaults
    }
    shared = step != "collect"
    return tuple(sorted(name for name, owner in owners.items() if owner == step or (shared and owner is None)))
