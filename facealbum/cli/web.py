"""The dashboard with the HTTP API, and the events of the object store."""

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def web(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The port to listen on.")] = 8080,
) -> None:
    """Serve the dashboard and the HTTP API, until told to stop."""
    from facealbum.settings import load_settings
    from facealbum.web import serve

    serve(load_settings(), host, port)


@app.command()
def events() -> None:
    """Take in what other programs put into the bucket, as its events tell, until told to stop."""
    from facealbum.settings import load_settings
    from facealbum.web import run_events

    run_events(load_settings())
