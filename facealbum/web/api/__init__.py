"""The HTTP API, `/v1/...`: a module for each kind of thing.  Bodies are JSON, errors are problem+json."""

from fastapi import APIRouter

from facealbum.web.api import photos, signals, uploads

ROUTERS: tuple[APIRouter, ...] = (
    photos.router,
    signals.router,
    uploads.router,
)
