"""The page on which an experiment is agreed on: a form, then what it comes to, then the tick that makes it.

Nothing is kept before the tick.  Fields are text as they were written, so that whatever can't be is told above a form
that still holds them; the steps are those of the command.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel

from eval.experiments import Kind
from facealbum.domain.access import Right
from facealbum.domain.sentences import Sentence
from facealbum.errors import InvalidValueError
from facealbum.steps.arm_plans import FOLLOWING
from facealbum.steps.arms import list_arms
from facealbum.steps.context import Context
from facealbum.steps.experiments import DECIDING, Draft, create_experiment
from facealbum.web.languages import language_of
from facealbum.web.pages.fields import read_count, read_number, written
from facealbum.web.pages.metric_words import MetricWords
from facealbum.web.pages.page import expect_sure, lead_back, render
from facealbum.web.problems import problem_of
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/new-experiment", include_in_schema=False)
Manager = Annotated[Known, requires(Right.MANAGE)]


class Wanted(BaseModel):
    """The form as it was filled in: a share beside each arm, and a tolerated harm beside each metric, or nothing.

    step: "check" to tell what it comes to, "change" for the form again, "create" to make it.
    """

    step: str = "check"
    sure: str = ""
    name: str = ""
    mode: str = "shadow"
    control: str = ""
    arm: list[str] = []
    share: list[str] = []
    metric: str = "breakage"
    minimum_effect: str = ""
    months: str = "3"
    families: str = ""
    kind: str = Kind.FIXED.value
    rail: list[str] = []
    harm: list[str] = []
    holdout: str = "0"
    traffic: str = "1"
    alpha: str = "0.05"
    power: str = "0.8"
    salt: str = ""

    @property
    def shares(self) -> Mapping[str, str]:
        """What is written by arm, the control first."""
        pairs = written(self.arm, self.share)
        return dict(sorted(pairs.items(), key=lambda pair: pair[0] != self.control))

    @property
    def guardrails(self) -> Mapping[str, str]:
        """What is written by metric."""
        return written(self.rail, self.harm)

    def draft(self) -> Draft:
        """As the step takes it; raises InvalidValueError for what is no number, and for a control without a share."""
        shares = [
            (arm, read_number(share, Sentence("the share of %(arm)s", arm=arm))) for arm, share in self.shares.items()
        ]
        if not shares or shares[0][0] != self.control:
            raise InvalidValueError("the arm that is chosen as the control must have a share")
        return Draft(
            name=self.name.strip(),
            mode=self.mode,
            shares=tuple(shares),
            metric=self.metric,
            minimum_effect=read_number(self.minimum_effect, Sentence("the minimum effect")),
            months=read_count(self.months, Sentence("months")),
            families=read_count(self.families, Sentence("families")) if self.families.strip() else None,
            kind=Kind.SEQUENTIAL if self.kind == Kind.SEQUENTIAL else Kind.FIXED,
            guardrails={
                key: read_number(harm, Sentence("the harm to %(metric)s", metric=key))
                for key, harm in self.guardrails.items()
            },
            holdout=read_number(self.holdout, Sentence("the share that is held out")),
            traffic=read_number(self.traffic, Sentence("the share that takes part")),
            alpha=read_number(self.alpha, Sentence("alpha")),
            power=read_number(self.power, Sentence("power")),
            salt=self.salt.strip() or None,
        )

    def fields(self) -> list[tuple[str, str]]:
        """Name and value of each, to be sent again as they are."""
        values = self.model_dump(exclude={"step", "sure"})
        return [(name, one) for name, told in values.items() for one in ([told] if isinstance(told, str) else told)]


@router.get("")
def blank(request: Request, world: World, known: Manager) -> Response:
    """The form, with what is usual filled in."""
    arms = _arms(world)
    installed = next((one.name for one in list_arms(world) if one.installed), arms[0])
    return _form(request, known, Wanted(control=installed, arm=arms, share=["0.5"] + [""] * (len(arms) - 1)), arms)


@router.post("")
def agree(request: Request, world: World, known: Manager, wanted: Annotated[Wanted, Form()]) -> Response:
    """Tell what it comes to; then, once that is ticked, make it."""
    arms = _arms(world)
    if wanted.step == "change":
        return _form(request, known, wanted, arms)
    making = wanted.step == "create"
    if making:
        expect_sure(wanted.sure)
    try:
        draft = wanted.draft()
        plan, power = create_experiment(world, draft, author=known.caller.name, dry_run=not making)
    except InvalidValueError as error:
        return _form(request, known, wanted, arms, error)
    if making:
        to = f"/experiments/{quote(draft.name, safe='')}"
        return lead_back(request, to, "%(name)s is agreed on. It begins when somebody starts it.", name=draft.name)
    words = MetricWords(language_of(request))
    return render(
        request, known, "new_experiment_check.html", draft=draft, plan=plan, power=power, wanted=wanted, words=words
    )


def _arms(world: Context) -> list[str]:
    """Those that can be tried: what follows the release is there before its first run, too."""
    return list(dict.fromkeys((*FOLLOWING, *(one.name for one in list_arms(world)))))


def _form(
    request: Request, known: Known, wanted: Wanted, arms: Sequence[str], error: InvalidValueError | None = None
) -> Response:
    """The form as it was filled in; error: what can't be."""
    found = problem_of(error) if error else None
    return render(
        request,
        known,
        "new_experiment.html",
        status=found.status if found else HTTPStatus.OK,
        wanted=wanted,
        arms=arms,
        metrics=DECIDING,
        problem=found,
        words=MetricWords(language_of(request)),
    )
