"""The dashboard: pages that the server renders, a module for each."""

from fastapi import APIRouter

from facealbum.web.pages import annotation, breakage, decisions, experiments, families, look, persons

ROUTERS: tuple[APIRouter, ...] = (
    annotation.router,
    breakage.router,
    decisions.router,
    experiments.router,
    families.router,
    look.router,
    persons.router,
)
