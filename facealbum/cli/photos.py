"""`facealbum photo`: delete one photo or video."""

from dataclasses import asdict
from typing import Annotated

import typer

from facealbum.cli.command import Json, count_of, open_world, say_result

app = typer.Typer(name="photo", help="Delete one photo or video.", no_args_is_help=True)


@app.callback()
def photo() -> None:
    """Delete one photo or video."""


@app.command("delete")
def photo_delete(
    key: Annotated[str, typer.Argument(help="As photos.csv calls it, or its path below an imported folder.")],
    family: Annotated[str, typer.Option("--family", help="The family it belongs to.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a photo or video with its file and its faces, for ever."""
    from facealbum.steps.photos import find_photo, forget_photo

    with open_world() as context:
        find_photo(context, family, key)
        if not yes:
            typer.confirm(f"Delete {key!r} of family {family!r} with its faces?", abort=True, err=True)
        gone = forget_photo(context, family, key)
    people = f", and {count_of(gone.persons, 'person', 'people')} without any other face" if gone.persons else ""
    say_result(asdict(gone), f"{key!r} is deleted{people}", as_json=as_json)
