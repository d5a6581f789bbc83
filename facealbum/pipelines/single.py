"""One step alone, as a component of a cluster runs it: what earlier steps left goes in, the same and its own comes out.

Nothing is taken from our store or kept in it; caching, retries and records are the cluster's.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from facealbum.errors import InvalidValueError
from facealbum.pipelines.run import register_trained, snapshot_guard
from facealbum.pipelines.step import Values, Work
from facealbum.pipelines.training import STEPS, Training, chosen_parameters, training_steps
from facealbum.steps.context import Context
from facealbum.storage.outputs import digest_of, file_digests

REGISTER = "register"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a step is run with.  before: the folder that the step before gave, with a folder of each step so far."""

    source: str
    chosen: Values
    seed: int
    before: Path | None


def run_step(
    context: Context, training: Training, name: str, *, inputs: Inputs, out: Path, log: Callable[[str], None]
) -> None:
    """Run the step and leave its files in `out/<name>`, beside those of the steps before.

    Raises InvalidValueError for a step that there isn't, ChangedMeanwhileError if a family of the data is gone.
    """
    if name not in (*STEPS, REGISTER):
        raise InvalidValueError(f"a step is one of {', '.join((*STEPS, REGISTER))}, got {name!r}")
    if inputs.before is not None:
        shutil.copytree(inputs.before, out, dirs_exist_ok=True)
    (out / name).mkdir(parents=True)
    if name == REGISTER:
        _register(context, training, out)
    else:
        _run(context, training, name, inputs=inputs, out=out, log=log)
    data = digest_of(file_digests(out / "collect"))
    snapshot_guard(context)(name, out / name, [data])


def _run(
    context: Context, training: Training, name: str, *, inputs: Inputs, out: Path, log: Callable[[str], None]
) -> None:
    step = next(step for step in training_steps(training, asks=False) if step.name == name)
    parameters = chosen_parameters(training, inputs.chosen)
    with TemporaryDirectory() as scratch:
        step.run(
            Work(
                inputs={needed: out / needed for needed in step.needs},
                out=out / name,
                scratch=Path(scratch),
                parameters={parameter: parameters[parameter] for parameter in step.parameters},
                seed=inputs.seed if step.seeded else 0,
                source=None if step.needs else inputs.source,
                context=context,
                log=log,
            )
        )


def _register(context: Context, training: Training, out: Path) -> None:
    folders = {name: out / name for name in STEPS}
    data = digest_of(file_digests(out / "collect"))
    snapshot_guard(context)(REGISTER, out, [data])
    model = register_trained(context, training, folders, data=data, run=None)
    known = {"model": model.model_id, "kind": model.kind, "name": model.label, "sha256": model.sha256}
    (out / REGISTER / "registered.json").write_text(json.dumps(known) + "\n", encoding="utf-8")
