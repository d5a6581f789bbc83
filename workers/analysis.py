"""The queue `analysis`."""

from typing import Any

from facealbum.settings import load_settings
from facealbum.steps.context import open_context
from facealbum.steps.families import family_name
from workers.app import app
from workers.messages import AnalyzeFamily


@app.task(name="workers.analysis.analyze_family")
def analyze_family(message: dict[str, Any]) -> None:
    """Analyse what is pending in one family; the analysis is imported here, after the pool has forked."""
    from facealbum.steps.analyze import analyze_pending  # noqa: PLC0415 - models must load after the fork

    order = AnalyzeFamily.from_json(message)
    with open_context(load_settings()) as context:
        analyze_pending(context, family=family_name(context, order.family_id), in_process=True)
