"""A training as a document of Kubeflow Pipelines 2, which Vertex AI runs too.

Each component runs `python -m facealbum pipelines step` in an image that has facealbum in it, so a cluster runs the
same code as this machine.  A component hands on what all before it made; kfp has no folders of many steps.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facealbum.errors import ModelError
from facealbum.pipelines.single import REGISTER
from facealbum.pipelines.training import STEPS, Training

ALL = (*STEPS, REGISTER)
_RETRIES = 2


def export_pipeline(training: Training, path: Path, *, address: str, image: str) -> None:
    """Write the document; `address` is how the image finds the training.  Raises ModelError without `kubeflow`."""
    try:
        from kfp import compiler  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ModelError("Kubeflow's SDK must be installed to export; pip install 'facealbum[kubeflow]'") from error
    compiler.Compiler().compile(build_pipeline(training, address=address, image=image), str(path))


def build_pipeline(training: Training, *, address: str, image: str, steps: Sequence[str] = ALL) -> Any:  # noqa: ANN401 - kfp's
    """The pipeline as kfp has it, with the arguments data, seed and parameters."""
    from kfp import dsl  # noqa: PLC0415 - an extra

    from facealbum.pipelines.components import begin, go_on  # noqa: PLC0415 - needs it too

    first = dsl.component(base_image=image, install_kfp_package=False)(begin)
    later = dsl.component(base_image=image, install_kfp_package=False)(go_on)
    defaults = dict(training.defaults)

    def pipeline(data: str, seed: int = 0, parameters: dict = defaults) -> None:  # type: ignore[type-arg] # as kfp reads it
        before = None
        for step in steps:
            given = {"training": address, "step": step, "data": data, "seed": seed, "parameters": parameters}
            task = first(**given) if before is None else later(**given, before=before)
            task.set_display_name(step).set_retry(_RETRIES)
            before = task.outputs["out"]

    description = f"The training {training.name} of facealbum"
    return dsl.pipeline(name=training.name.replace("_", "-"), description=description)(pipeline)
