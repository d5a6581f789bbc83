"""`facealbum arms`: creating arms, and choosing what families see."""

from dataclasses import asdict
from math import isfinite
from typing import Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, open_world, say_result
from facealbum.errors import InvalidValueError

app = typer.Typer(name="arms", help="Create arms, and choose the one that families see.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A name that `facealbum arms list` shows.", metavar="NAME")]
Author = Annotated[str, typer.Option("--author", help="Who does this.")]


@app.command("list")
def arms_list(as_json: Json = False) -> None:
    """Every arm: algorithm, embedding space and parameters."""
    from facealbum.steps.arms import list_arms

    with open_world() as context:
        found = list_arms(context)
    if as_json:
        console.say_json([asdict(arm) for arm in found])
        return
    rows = [
        (arm.name, arm.algorithm, arm.space, arm.calibrator or "", arm.quality or "", shown, seen)
        for arm in found
        for similarity in [arm.parameters.get("clustering", {}).get("similarity")]
        for shown, seen in [(f"{similarity:g}" if similarity else "", "yes" if arm.installed else "")]
    ]
    heads = ("name", "algorithm", "space", "calibrator", "quality", "similarity", "families see it")
    console.table("", heads, rows)


@app.command("create")
def arms_create(  # noqa: PLR0913, PLR0917 - one for each option
    name: Annotated[str, typer.Argument(help="The new arm's name.", metavar="NAME")],
    algorithm: Annotated[str, typer.Option("--algorithm", help="constrained or hdbscan.")] = "constrained",
    space: Annotated[str | None, typer.Option("--space", help="The embedder; without it the one in use.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter, as similarity=.28 or linking.threshold=.9.")
    ] = None,
    calibrator: Annotated[
        str | None, typer.Option("--calibrator", help="A trained one, as NAME@VERSION, for ages and genders.")
    ] = None,
    quality: Annotated[
        str | None, typer.Option("--quality", help="A trained predictor, as NAME@VERSION, for qualities.")
    ] = None,
    author: Author = "operator",
    as_json: Json = False,
) -> None:
    """Make an arm; it never changes afterwards."""
    from facealbum.steps.arms import create_arm

    given = {key: number(value, key) for key, value in map(split_pair, changes or ())}
    with open_world() as context:
        arm = create_arm(
            context,
            name,
            algorithm=algorithm,
            space=space,
            changes=given,
            calibrator=calibrator,
            quality=quality,
            author=author,
        )
    say_result(asdict(arm), f"arm {name} is there; try it by `facealbum experiment create`", as_json=as_json)


@app.command("promote")
def arms_promote(name: Name, author: Author = "operator", as_json: Json = False) -> None:
    """Let families see this arm, each once the monthly job has brought it as far as what it sees now."""
    from facealbum.steps.arms import promote_arm

    with open_world() as context:
        promoted = promote_arm(context, name, author=author)
    text = f"promotion {promoted}: families move to {name} as the monthly job comes to them"
    say_result({"number": promoted, "arm": name}, text, as_json=as_json)


@app.command("rollback")
def arms_rollback(author: Author = "operator", as_json: Json = False) -> None:
    """Take the newest promotion back at once."""
    from facealbum.steps.arms import rollback_arm

    with open_world() as context:
        undone = rollback_arm(context, author=author)
    text = f"promotion {undone.number} of {undone.arm} is taken back; families see what they saw before"
    say_result(asdict(undone), text, as_json=as_json)


@app.command("history")
def arms_history(as_json: Json = False) -> None:
    """Every promotion and rollback, the newest first."""
    from facealbum.steps.arms import list_promotions

    with open_world() as context:
        found = list_promotions(context)
    if as_json:
        console.say_json([asdict(one) for one in found])
        return
    rows = [
        (one.number, one.arm, f"{one.at:%Y-%m-%d %H:%M}", one.author, f"takes {one.undoes} back" if one.undoes else "")
        for one in found
    ]
    console.table("", ("number", "arm", "at", "by", ""), rows)


def split_pair(text: str) -> tuple[str, str]:
    """Read "key=value"; raises InvalidValueError for anything else."""
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise InvalidValueError(f"this must be written NAME=VALUE, as coverage=.01; got {text!r}")
    return key.strip(), value.strip()


def number(text: str, what: str) -> float:
    """Read a number; raises InvalidValueError that names what it is."""
    try:
        value = float(text)
    except ValueError as error:
        raise InvalidValueError(f"{what} must be a number, got {text!r}") from error
    if not isfinite(value):
        raise InvalidValueError(f"{what} must be a finite number, got {text!r}")
    return value
