"""The pages of experiments: what was agreed, what may be told of it by now, and what an admin can do about it.

Whatever is done is asked about first, on a page that says what it would change; the steps are those of the command.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from math import sqrt
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response

from eval.experiments import FEWEST_FAMILIES, Kind, Outcome, Plan, Verdict
from facealbum.domain.access import Right
from facealbum.domain.months import Month
from facealbum.domain.sentences import Sentence
from facealbum.steps.dashboard import read_page
from facealbum.steps.experiment_history import History, trace_experiment
from facealbum.steps.experiment_outlook import foresee
from facealbum.steps.experiment_results import show_experiment
from facealbum.steps.experiments import (
    ALLOWED,
    conclude_experiment,
    grow_experiment,
    release_holdout,
    rollback_experiment,
    start_experiment,
    stop_experiment,
)
from facealbum.storage.experiments import Experiment
from facealbum.web.charts import Point, Series, draw_effects, draw_lines
from facealbum.web.languages import language_of
from facealbum.web.pages.fields import read_number
from facealbum.web.pages.metric_words import MetricWords
from facealbum.web.pages.page import Sure, expect_sure, lead_back, render
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/experiments", include_in_schema=False)

Viewer = Annotated[Known, requires(Right.SEE_FIGURES)]
Manager = Annotated[Known, requires(Right.MANAGE)]
Field = Annotated[str, Form()]
_MOST_ARMS = 4  # that can be told apart in a drawing


class Action(StrEnum):
    """What can be done to an experiment from its page."""

    START = "start"
    STOP = "stop"
    GROW = "grow"
    CONCLUDE = "conclude"
    RELEASE = "release"
    ROLLBACK = "rollback"


_DONE: Mapping[Action, str] = {
    Action.START: "%(name)s runs; families take part as the monthly job comes to them.",
    Action.STOP: "%(name)s is stopped.",
    Action.GROW: "More families take part in %(name)s as the monthly job comes to them.",
    Action.CONCLUDE: "%(name)s is concluded.",
    Action.RELEASE: "%(name)s holds no family out any more.",
    Action.ROLLBACK: "%(name)s is rolled back.",
}


@router.get("")
def experiments(request: Request, world: World, known: Viewer) -> Response:
    """Every experiment with its arms."""
    found = read_page(world, "experiments")
    arms: dict[str, list[object]] = {}
    for row in found["arms"]:
        arms.setdefault(row["experiment"], []).append(row)
    words = MetricWords(language_of(request))
    return render(request, known, "experiments.html", experiments=found["experiments"], arms=arms, words=words)


@router.get("/{name}")
def experiment(request: Request, world: World, known: Viewer, name: str) -> Response:
    """One experiment, as far as it may be told."""
    status = show_experiment(world, name)
    history = trace_experiment(world, status)
    plan, words = Plan.from_dict(status.experiment.plan), MetricWords(language_of(request))
    verdicts = {arm: Verdict.from_dict(one) for arm, one in status.verdicts.items()}
    return render(
        request,
        known,
        "experiment.html",
        shown=status,
        experiment=status.experiment,
        plan=plan,
        sequential=plan.kind is Kind.SEQUENTIAL,
        words=words,
        verdicts=verdicts,
        fewest=FEWEST_FAMILIES,
        looks=history.looks,
        effects={arm: _draw_effect(words, plan, arm, looks) for arm, looks in history.looks.items()},
        months=history.months,
        lines=_draw_months(words, history),
        actions=[action for action in Action if _helps(action, status.experiment)],
    )


@router.get("/{name}/{action}")
def ask(request: Request, world: World, known: Manager, name: str, action: Action) -> Response:
    """What the action would change, before anything is."""
    outlook = foresee(world, name, action)
    verdicts = show_experiment(world, name).verdicts
    better = [arm for arm, verdict in verdicts.items() if verdict["outcome"] == Outcome.BETTER]
    return render(
        request,
        known,
        "experiment_action.html",
        action=action,
        outlook=outlook,
        experiment=outlook.experiment,
        verdicts=verdicts,
        better=better[0] if len(better) == 1 else None,
    )


@router.post("/{name}/{action}")
def act(  # noqa: PLR0913, PLR0917 - a field of the form each
    request: Request,
    world: World,
    known: Manager,
    name: str,
    action: Action,
    sure: Sure = "",
    promote: Field = "",
    first: Field = "",
    traffic: Field = "",
) -> Response:
    """Do it, in the name of whoever asks."""
    expect_sure(sure)
    steps: Mapping[Action, Callable[..., object]] = {
        Action.START: partial(start_experiment, first_month=Month.parse(first) if first else None),
        Action.STOP: stop_experiment,
        Action.GROW: lambda world, name, author: grow_experiment(
            world, name, read_number(traffic, Sentence("the share that takes part")), author=author
        ),
        Action.CONCLUDE: partial(conclude_experiment, promote=bool(promote)),
        Action.RELEASE: release_holdout,
        Action.ROLLBACK: rollback_experiment,
    }
    steps[action](world, name, author=known.caller.name)
    return lead_back(request, f"{router.prefix}/{quote(name, safe='')}", _DONE[action], name=name)


def _helps(action: Action, experiment: Experiment) -> bool:
    """Whether it is allowed and would change something."""
    changes = {Action.GROW: experiment.traffic < 1, Action.RELEASE: experiment.holdout > 0}
    return experiment.status in ALLOWED[action] and changes.get(action, True)


def _draw_effect(words: MetricWords, plan: Plan, arm: str, looks: tuple[Verdict, ...]) -> str:
    """The effect at each look with its interval, over the plan's months, between the bounds beyond which it decides."""
    told = {verdict.look: verdict for verdict in looks if verdict.effect is not None}
    if not told:
        return ""
    points = [_point(str(look), told.get(look)) for look in range(1, plan.months + 1)]
    title = words.spoken.say("%(arm)s less the control in %(metric)s", arm=arm, metric=words.title(plan.metric))
    matters = plan.minimum_effect if plan.higher_is_better else -plan.minimum_effect
    bounds = [_bound(plan, told, look) for look in range(1, plan.months + 1)]
    return draw_effects(
        title, points, write=partial(words.difference, plan.metric, unit=False), bounds=bounds, mark=matters
    )


def _bound(plan: Plan, told: Mapping[int, Verdict], look: int) -> float | None:
    """How far from 0 the effect must lie at the look to decide; of later ones as the last one's error lets expect."""
    last = max(told)
    known = told.get(min(look, last))
    if known is None or known.low is None or known.high is None:
        return None
    half = (known.high - known.low) / 2
    return half if look <= last else half * plan.critical(look) / plan.critical(last) * sqrt(last / look)


def _point(label: str, verdict: Verdict | None) -> Point:
    return Point(label, verdict.effect, verdict.low, verdict.high) if verdict else Point(label, None)


def _draw_months(words: MetricWords, history: History) -> Mapping[str, str]:
    """Each metric's months as a line for each arm."""
    known = {(one.metric, one.arm, one.month): one.estimate.to_dict() for one in history.months}
    months = sorted({one.month for one in history.months})
    arms = list(dict.fromkeys(one.arm for one in history.months))[:_MOST_ARMS]
    drawn = {}
    for metric in dict.fromkeys(one.metric for one in history.months):
        series = [
            Series(arm, [_month(words, month, known.get((metric, arm, month))) for month in months]) for arm in arms
        ]
        drawn[metric] = draw_lines(words.title(metric), series, write=partial(words.value, metric), from_zero=False)
    return drawn


def _month(words: MetricWords, month: Month, estimate: Mapping[str, Any] | None) -> Point:
    label = words.spoken.month(month.start().date())
    if estimate is None or estimate["value"] is None:
        return Point(label, None)
    return Point(label, estimate["value"], estimate["low"], estimate["high"])
