"""The dashboard: pages that the server renders, a module for each."""

from fastapi import APIRouter

from facealbum.web.pages import (
    annotation,
    breakage,
    changes,
    decisions,
    drift,
    experiments,
    fairness,
    families,
    jobs,
    lineage,
    look,
    models,
    new_experiment,
    overview,
    persons,
    releases,
    review,
    runs,
    signals,
)

ROUTERS: tuple[APIRouter, ...] = (
    annotation.router,
    breakage.router,
    changes.router,
    decisions.router,
    drift.router,
    experiments.router,
    fairness.router,
    families.router,
    jobs.router,
    lineage.router,
    look.router,
    models.router,
    new_experiment.router,
    overview.router,
    persons.router,
    releases.router,
    review.router,
    runs.router,
    signals.router,
)
