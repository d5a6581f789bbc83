"""What a component of an exported pipeline does; kfp copies the source of each function into the document.

So each is whole by itself.  Importing this needs the extra `kubeflow`.
"""

from typing import Any

from kfp import dsl


def begin(
    training: str, step: str, data: str, seed: int, parameters: dict[str, Any], out: dsl.Output[dsl.Dataset]
) -> None:
    """The first step."""
    import subprocess  # noqa: PLC0415 - kfp copies the body alone
    import sys  # noqa: PLC0415

    words = ["step", training, step, "--data", data, "--seed", str(seed), "--out", out.path]
    words += [word for name, value in parameters.items() for word in ("--set", f"{name}={value}")]
    subprocess.run([sys.executable, "-m", "facealbum", "pipelines", *words], check=True)  # noqa: S603 - our own program


def go_on(  # noqa: PLR0913, PLR0917 - what a component is given
    training: str,
    step: str,
    data: str,
    seed: int,
    parameters: dict[str, Any],
    before: dsl.Input[dsl.Dataset],
    out: dsl.Output[dsl.Dataset],
) -> None:
    """A step behind the one that gave `before`."""
    import subprocess  # noqa: PLC0415 - kfp copies the body alone
    import sys  # noqa: PLC0415

    words = ["step", training, step, "--data", data, "--seed", str(seed), "--out", out.path, "--before", before.path]
    words += [word for name, value in parameters.items() for word in ("--set", f"{name}={value}")]
    subprocess.run([sys.executable, "-m", "facealbum", "pipelines", *words], check=True)  # noqa: S603 - our own program
