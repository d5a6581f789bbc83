"""`facealbum explain`: why each face of a photo is where it is."""

from dataclasses import asdict
from typing import Annotated

import typer

from facealbum import console
from facealbum.cli.command import Json, open_world, short_id

app = typer.Typer()


@app.command()
def explain(
    photo: Annotated[str, typer.Argument(help="The photo's name, as `facealbum export faces` writes it.")],
    family: Annotated[str, typer.Option("--family", help="The family of the photo.")],
    as_json: Json = False,
) -> None:
    """Tell whom each face of a photo shows, and why."""
    from facealbum.steps.explain import explain_photo

    with open_world() as context:
        faces = explain_photo(context, photo, family=family)
    if as_json:
        console.say_json([asdict(face) for face in faces])
        return
    for number, face in enumerate(faces, 1):
        left, top, right, bottom = face.box
        who = f"{face.person or 'nobody yet'}{' (provisional)' if face.provisional else ''}"
        where = f"{left:.0f}, {top:.0f} to {right:.0f}, {bottom:.0f}"
        console.say(f"{number}. {who}: face {short_id(face.face_id)} at {where}")
        console.say(f"   {face.why}")
