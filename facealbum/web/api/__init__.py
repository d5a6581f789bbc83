"""The HTTP API, `/v1/...`: a module for each kind of thing.  Bodies are JSON, errors are problem+json."""

from fastapi import APIRouter

from facealbum.web.api import decisions, photos, pictures, signals, uploads

ROUTERS: tuple[APIRouter, ...] = (
    decisions.router,
    photos.router,
    pictures.router,
    signals.router,
    uploads.router,
)
