"""What the endpoints work with: the context that the application opened when it started."""

from typing import Annotated

from fastapi import Depends, Request

from facealbum.steps.context import Context


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


World = Annotated[Context, Depends(_context)]
