"""The dashboard: pages that the server renders, a module for each."""

from fastapi import APIRouter

from facealbum.web.pages import annotation, experiments, look

ROUTERS: tuple[APIRouter, ...] = (
    annotation.router,
    experiments.router,
    look.router,
)
