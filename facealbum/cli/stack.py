"""Everything on one machine: stack."""

from typing import Annotated

import typer

from facealbum import console
from facealbum.settings import load_settings

app = typer.Typer()


@app.command()
def stack(
    s3: Annotated[bool, typer.Option("--s3", help="Start an S3 server for the photos, instead of a folder.")] = False,
    web_port: Annotated[int, typer.Option("--web-port", min=1, max=65535, help="Where web listens.")] = 8080,
) -> None:
    """Run all processes, and the servers that the settings don't name, until told to stop."""
    from facealbum.stack import run_stack

    run_stack(load_settings(), s3=s3, web_port=web_port, tell=console.say)
