"""Experiments from an agreement to a verdict."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat

from eval.experiments import Kind
from facealbum.domain.access import Right
from facealbum.steps import experiments as steps
from facealbum.steps.context import Context
from facealbum.steps.experiment_results import show_experiment
from facealbum.storage.experiments import Experiment as Stored
from facealbum.web.api.audit import Entry
from facealbum.web.api.lists import Keys, Page, Paging
from facealbum.web.api.values import MonthText, Name, Shown, Text, month_of
from facealbum.web.problems import responses
from facealbum.web.rights import Known, requires
from facealbum.web.world import World

router = APIRouter(prefix="/v1/experiments", tags=["experiments"])
_BY_AGE = Keys(tuple[int])
_SEE = [requires(Right.SEE_FIGURES)]
_CHANGED: dict[str, Any] = {"responses": responses(HTTPStatus.CONFLICT)}
_LONGEST, _MOST = 60, 10**8  # months, families
Admin = Annotated[Known, requires(Right.MANAGE)]
Share = Annotated[float, Field(ge=0, le=1)]


class Side(Shown):
    """An arm, and its share of the families that take part."""

    name: Text = Field(examples=["default"])
    share: Share = Field(examples=[0.5])


class ExperimentArm(Side):
    """The same; control: what the others are compared with."""

    control: bool


class Guardrail(BaseModel):
    """A metric that must not get worse by more than is tolerated, in its unit."""

    metric: str = Field(examples=["coverage"])
    higher_is_better: bool
    tolerated: float = Field(examples=[0.01])


class Plan(BaseModel):
    """What was agreed before anything was known."""

    metric: str = Field(examples=["breakage"])
    higher_is_better: bool
    minimum_effect: float = Field(examples=[0.01])
    months: int = Field(examples=[3])
    families: int = Field(examples=[400])
    kind: str = Field(examples=["fixed"])
    paired: bool
    alpha: float = Field(examples=[0.05])
    power: float = Field(examples=[0.8])
    guardrails: list[Guardrail]


class Power(Shown):
    """What past months say: families that were counted, that there are, that it needs, and what these would find."""

    past: int = Field(examples=[380])
    available: int = Field(examples=[1000])
    needed: int | None = Field(examples=[412])
    smallest_effect: float | None = Field(examples=[0.006])
    paired: bool


class NewExperiment(BaseModel):
    """What is to be agreed: the first arm is the control; guardrails: tolerated harm by metric.

    families: without it, as many as past months say that it needs.  dry_run: only tell, and keep nothing.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "sharper",
                    "arms": [{"name": "default", "share": 0.5}, {"name": "stricter", "share": 0.5}],
                    "metric": "breakage",
                    "minimum_effect": 0.01,
                    "months": 3,
                    "families": 400,
                }
            ]
        }
    )

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")
    mode: Literal["served", "shadow"] = "shadow"
    arms: list[Side] = Field(min_length=2, max_length=10)
    metric: Text
    minimum_effect: float = Field(gt=0, le=1e6)
    months: int = Field(ge=1, le=_LONGEST)
    families: int | None = Field(default=None, ge=2, le=_MOST)
    kind: Literal["fixed", "sequential"] = "fixed"
    guardrails: dict[Text, FiniteFloat] = {}
    holdout: Share = 0.0
    traffic: Share = 1.0
    alpha: float = Field(default=0.05, ge=1e-6, lt=0.5)
    power: float = Field(default=0.8, gt=0.5, lt=1)
    salt: Text | None = None
    dry_run: bool = False

    def draft(self) -> steps.Draft:
        """As the step takes it."""
        shares = tuple((one.name, one.share) for one in self.arms)
        given = self.model_dump(exclude={"arms", "dry_run", "kind"})
        return steps.Draft(**given, shares=shares, kind=Kind(self.kind))


class Agreed(BaseModel):
    """The plan, and what past months say of its power."""

    plan: Plan
    power: Power


class Experiment(BaseModel):
    """An experiment: `draft`, `running`, `stopped`, `concluded` or `rolled_back`."""

    name: str = Field(examples=["sharper"])
    mode: str = Field(examples=["shadow"])
    status: str = Field(examples=["running"])
    arms: list[ExperimentArm]
    holdout: float
    traffic: float
    plan: Plan
    first_month: MonthText | None
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None

    @classmethod
    def of(cls, one: Stored) -> "Experiment":
        """As it is kept."""
        return cls(
            name=one.name,
            mode=one.mode,
            status=one.status,
            arms=[ExperimentArm.model_validate(arm) for arm in one.arms],
            holdout=one.holdout,
            traffic=one.traffic,
            plan=Plan(**one.plan),
            first_month=str(one.first_month) if one.first_month else None,
            created_at=one.created_at,
            started_at=one.started_at,
            ended_at=one.ended_at,
        )


class Difference(BaseModel):
    """A treatment less the control, with its interval; null while it may not be told."""

    metric: str = Field(examples=["breakage"])
    effect: float | None = Field(examples=[-0.012])
    low: float | None = Field(examples=[-0.019])
    high: float | None = Field(examples=[-0.005])


class GuardrailVerdict(Difference):
    """passed: whether it is shown to be no worse than tolerated; null while that is open."""

    tolerated: float = Field(examples=[0.01])
    passed: bool | None


class Verdict(Difference):
    """What may be said of a treatment by now; mismatch: how likely chance alone made its families so few or many.

    waits: why no effect is told: `months` or `families` are still missing, or `cases` (see with_cases).
    """

    outcome: str = Field(examples=["better"])
    reason: str
    look: int = Field(examples=[3])
    families: tuple[int, int] = Field(examples=[[201, 204]])
    mismatch: float = Field(examples=[0.88])
    level: float = Field(examples=[0.95])
    control: float | None = Field(examples=[0.05])
    treatment: float | None = Field(examples=[0.038])
    p: float | None = Field(examples=[0.001])
    guardrails: list[GuardrailVerdict]
    more_families: int | None
    waits: str | None = Field(default=None, examples=["months"])
    with_cases: tuple[int, int] | None = None


class Before(Shown):
    """How a treatment's families differed before it began, when all were under one arm."""

    arm: str
    months: int
    effect: float
    p: float


class Unseen(Shown):
    """Faces that an arm can't see: not yet embedded for its space, and lost to it for good."""

    without: int
    lost: int


class Status(BaseModel):
    """An experiment as far as it may be told; assigned: families by arm; trail: what was done to it, by whom."""

    experiment: Experiment
    assigned: dict[str, int]
    months_over: int
    before: list[Before]
    verdicts: dict[str, Verdict]
    unseen: dict[str, Unseen]
    trail: list[Entry]


class Start(BaseModel):
    """first_month: the first that counts; without it this month."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"first_month": "2026-11"}]})

    first_month: MonthText | None = None


class Grow(BaseModel):
    """The share of families that takes part from now on."""

    traffic: Share = Field(examples=[0.5])


class Conclude(BaseModel):
    """promote: the arm that is better becomes what families see."""

    promote: bool = False


@router.get("", dependencies=_SEE, responses=responses(), summary="Experiments")
def list_experiments(world: World, wanted: Paging) -> Page[Experiment]:
    """List the experiments, the newest first."""
    rows, following = _BY_AGE.part(steps.list_experiments(world), wanted, lambda one: (-one.experiment_id,))
    return Page(items=[Experiment.of(one) for one in rows], next=following)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses={
        **responses(HTTPStatus.CONFLICT),
        HTTPStatus.OK: {"model": Agreed, "description": "What it would be; nothing was kept"},
    },
    summary="Agree on an experiment",
)
def create_experiment(new: NewExperiment, world: World, known: Admin, response: Response) -> Agreed:
    """Agree on what decides, before anything is known; tells how many families that needs."""
    plan, power = steps.create_experiment(world, new.draft(), author=known.caller.name, dry_run=new.dry_run)
    if new.dry_run:
        response.status_code = HTTPStatus.OK
    return Agreed(plan=Plan(**plan.to_dict()), power=Power.model_validate(power))


@router.get("/{name}", dependencies=_SEE, responses=responses(), summary="An experiment and its verdicts")
def experiment_status(name: Name, world: World) -> Status:
    """Tell how far an experiment is, and what may be said of it by now."""
    return _status(world, name)


@router.post("/{name}/start", **_CHANGED, summary="Start an experiment")
def start_experiment(name: Name, body: Start, world: World, known: Admin) -> Status:
    """Let families take part, as the monthly job comes to them."""
    first = month_of(body.first_month)
    steps.start_experiment(world, name, author=known.caller.name, first_month=first)
    return _status(world, name)


@router.post("/{name}/grow", **_CHANGED, summary="Let more families take part")
def grow_experiment(name: Name, body: Grow, world: World, known: Admin) -> Status:
    """Let more families take part; nobody changes sides."""
    steps.grow_experiment(world, name, body.traffic, author=known.caller.name)
    return _status(world, name)


@router.post("/{name}/stop", **_CHANGED, summary="Stop without a verdict")
def stop_experiment(name: Name, world: World, known: Admin) -> Status:
    """End it without a verdict; families see the installation's arm again at once."""
    steps.stop_experiment(world, name, author=known.caller.name)
    return _status(world, name)


@router.post("/{name}/conclude", **_CHANGED, summary="Conclude with verdicts")
def conclude_experiment(name: Name, body: Conclude, world: World, known: Admin) -> Status:
    """End it with its verdicts, and promote the arm that is better if asked."""
    steps.conclude_experiment(world, name, author=known.caller.name, promote=body.promote)
    return _status(world, name)


@router.post("/{name}/rollback", **_CHANGED, summary="Roll an experiment back")
def rollback_experiment(name: Name, world: World, known: Admin) -> Status:
    """Put families back on what they saw before it, at once; what users corrected meanwhile stays."""
    steps.rollback_experiment(world, name, author=known.caller.name)
    return _status(world, name)


@router.post("/{name}/release", **_CHANGED, summary="Release families that were held out")
def release_holdout(name: Name, world: World, known: Admin) -> Status:
    """Let the families that were held out see what all others do."""
    steps.release_holdout(world, name, author=known.caller.name)
    return _status(world, name)


def _status(world: Context, name: str) -> Status:
    found = show_experiment(world, name)
    return Status(
        experiment=Experiment.of(found.experiment),
        assigned=dict(found.assigned),
        months_over=found.months_over,
        before=[Before.model_validate(one) for one in found.before],
        verdicts={arm: Verdict(**verdict) for arm, verdict in found.verdicts.items()},
        unseen={arm: Unseen.model_validate(one) for arm, one in found.unseen.items()},
        trail=[Entry.model_validate(one) for one in found.trail],
    )
