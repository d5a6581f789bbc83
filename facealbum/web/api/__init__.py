"""The HTTP API, `/v1/...`: a module for each kind of thing.  Bodies are JSON, errors are problem+json."""

from fastapi import APIRouter

from facealbum.web.api import decisions, faces, families, persons, photos, pictures, signals, suggestions, uploads

ROUTERS: tuple[APIRouter, ...] = (
    decisions.router,
    faces.router,
    families.router,
    persons.router,
    photos.router,
    pictures.router,
    signals.router,
    suggestions.router,
    uploads.router,
)
