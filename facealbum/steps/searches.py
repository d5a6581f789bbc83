"""Searching for better parameters on what families' albums hold already, and proposing what was found.

A search lives past months through again in memory and changes nothing that anybody sees.  Families are split by a
salted hash: some are searched on, the others are looked at when trials are over.  The study in the database holds sums
over families and nothing of one.  What was found is served only after an experiment (facealbum.steps.propose_search).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from multiprocessing import get_context
from typing import Any

from eval.months import TrialArm
from eval.tuning.families import HELD_OUT, SEARCHED, PastFamily, split_families
from eval.tuning.space import arm_with
from eval.tuning.study import (
    Effort,
    Objective,
    Tried,
    find_best,
    is_better,
    measure,
    open_study,
    read_trials,
    search,
)
from facealbum.domain.ids import FamilyId
from facealbum.domain.months import Month
from facealbum.errors import ConflictError, InvalidValueError
from facealbum.settings import Settings
from facealbum.steps.arm_plans import ArmPlan, load_side
from facealbum.steps.arms import expect_arm_name
from facealbum.steps.context import Context, Progress, open_context
from facealbum.storage.families import load_family
from facealbum.storage.observations import Arm
from facealbum.storage.searches import (
    Search,
    load_family_ids,
    load_past_family,
    load_search,
    load_searches,
    open_trials,
    save_search,
    update_search,
)
from facealbum.storage.serving import load_installed_arm
from facealbum.storage.spaces import load_space


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """How long to search, on whom.

    families: at most so many are searched on, and of those held out as many as their share.  through: the last month
    that is lived through.  seed: the same gives the same trials if one process makes them.
    """

    trials: int = 100
    seed: int = 0
    families: int = 200
    held_out: float = 0.3
    through: Month | None = None

    def __post_init__(self) -> None:
        if self.trials < 1 or self.families < 1:
            raise InvalidValueError(f"there must be a trial and a family, got {self.trials} and {self.families}")
        if not 0 < self.held_out < 1:
            raise InvalidValueError(f"the share held out must be between 0 and 1, got {self.held_out:g}")


@dataclass(frozen=True, slots=True)
class Found:
    """How far a search is; best: the best trial so far.  lost: processes that ended before their time."""

    search: Search
    trials: tuple[Tried, ...]
    best: Tried | None
    lost: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        one = self.search
        return {
            "name": one.name,
            "base": dict(one.base),
            "plan": dict(one.plan),
            "author": one.author,
            "created_at": one.created_at.isoformat(),
            "outcome": one.outcome,
            "concluded_at": one.concluded_at and one.concluded_at.isoformat(),
            "arm": one.arm,
            "best": self.best and self.best.to_dict(),
            "trials": [trial.to_dict() for trial in self.trials],
            "lost": self.lost,
        }


def start_search(
    context: Context,
    name: str,
    plan: SearchPlan = SearchPlan(),
    *,
    seconds: float | None = None,
    processes: int = 1,
    author: str,
) -> Found:
    """Search around the installation's arm until there are enough trials or time is up, and say what was found.

    Raises ConflictError for a name that is taken, InvalidValueError for one that no arm can have, and ModelError
    without the extra `train`.
    """
    expect_arm_name(arm_name(name))
    now = context.clock()
    with context.database.begin() as transaction:
        if any(one.name == name for one in load_searches(transaction)):
            raise ConflictError(f"there is a search {name!r}; resume it, or choose another name")
        side = load_side(transaction, load_installed_arm(transaction), context.settings)
        base = {
            "arm": side.arm.name,
            "space": load_space(transaction, side.arm.name),
            "space_id": side.arm.space_id,
            "algorithm": side.plan.algorithm,
            "parameters": side.plan.parameters(),
        }
        through = plan.through or Month.of(Month.of(now).start() - timedelta(days=1))
        kept = {
            "trials": plan.trials,
            "seed": plan.seed,
            "families": plan.families,
            "held_out": plan.held_out,
            "through": str(through),
        }
        save_search(transaction, name, base=base, plan=kept, author=author, now=now)
    return resume_search(context, name, seconds=seconds, processes=processes)


def resume_search(
    context: Context, name: str, *, trials: int | None = None, seconds: float | None = None, processes: int = 1
) -> Found:
    """Go on with a search, with more trials if so many are given, and say what was found.

    Trials of processes that were killed are made again.  Raises UnknownSearchError.
    """
    if processes < 1:
        raise InvalidValueError(f"there must be a process, got {processes}")
    with context.database.begin() as transaction:
        one = load_search(transaction, name, lock=True)
        if trials is not None:
            update_search(transaction, one.search_id, plan={**one.plan, "trials": trials})
    spawn = get_context("spawn")
    others = [
        spawn.Process(target=_work_beside, args=(context.settings, name, worker, seconds), daemon=True)
        for worker in range(1, processes)
    ]
    for other in others:
        other.start()
    sides = _work(context, name, worker=0, seconds=seconds)
    for other in others:
        other.join()
    _conclude(context, name, sides)
    return replace(show_search(context, name), lost=sum(other.exitcode != 0 for other in others))


def show_search(context: Context, name: str) -> Found:
    """How far the search is; raises UnknownSearchError."""
    with context.database.begin() as transaction:
        one = load_search(transaction, name)
    with open_trials(context.database) as storage:
        trials = read_trials(name, storage)
    return Found(one, tuple(trials), find_best(trials))


def list_searches(context: Context) -> list[Search]:
    """Every search, the newest first."""
    with context.database.begin() as transaction:
        return load_searches(transaction)


def arm_name(search: str) -> str:
    """How the arm, the experiment and the model are called that are made of a search."""
    return f"search-{search}"


def plan_of(one: Search) -> ArmPlan:
    """The arm that the search began with."""
    base = one.base
    return ArmPlan.of_arm(Arm(0, base["arm"], base["space_id"], base["algorithm"], base["parameters"]))


def trial_arm(one: Search) -> TrialArm:
    """The same as families are lived through under it."""
    plan = plan_of(one)
    return TrialArm(plan.algorithm, plan.clustering, plan.linking)


def _work_beside(settings: Settings, name: str, worker: int, seconds: float | None) -> None:
    """What another process does; it begins once the first has made the study."""
    with open_context(settings, connections=1) as context:
        _work(context, name, worker=worker, seconds=seconds)


def _work(context: Context, name: str, *, worker: int, seconds: float | None) -> Mapping[str, list[PastFamily]]:
    """Make trials; gives the families by side, as they were read for it."""
    ends = None if seconds is None else context.clock() + timedelta(seconds=seconds)
    with context.database.begin() as transaction:
        one = load_search(transaction, name)
    sides = _load_families(context, one)
    context.progress.begin("Trials", one.plan["trials"])
    with open_trials(context.database) as storage:
        search(
            open_study(name, storage),
            Objective(sides[SEARCHED], trial_arm(one)),
            Effort(one.plan["trials"], one.plan["seed"], worker),
            out_of_time=lambda: ends is not None and context.clock() >= ends,
            report=_Bar(context.progress),
        )
    return sides


@dataclass(slots=True)
class _Bar:
    """Shows how many trials there are, whoever made them."""

    progress: Progress
    shown: int = 0

    def __call__(self, trials: int) -> None:
        self.progress.advance(trials - self.shown)
        self.shown = trials


def _load_families(context: Context, one: Search) -> Mapping[str, list[PastFamily]]:
    """The families by side, without those that have no face; raises InvalidValueError if there is none to search on."""
    with context.database.begin() as transaction:
        order = split_families(
            load_family_ids(transaction, before=one.created_at), salt=one.name, held_out=one.plan["held_out"]
        )
    share = one.plan["held_out"] / (1 - one.plan["held_out"])
    most = {SEARCHED: one.plan["families"], HELD_OUT: ceil(one.plan["families"] * share)}
    context.progress.begin("Reading families", sum(min(most[side], len(order[side])) for side in most))
    sides = {side: _load_some(context, one, order[side], most[side]) for side in most}
    if not sides[SEARCHED]:
        raise InvalidValueError("there must be families with faces to search on; run `facealbum analyze` first")
    return sides


def _load_some(context: Context, one: Search, order: list[FamilyId], most: int) -> list[PastFamily]:
    found: list[PastFamily] = []
    for family in order:
        if len(found) == most:
            break
        with context.database.begin() as transaction:
            past = load_past_family(
                transaction,
                load_family(transaction, family),
                space_id=one.base["space_id"],
                through=Month.parse(one.plan["through"]),
                before=one.created_at,
            )
        if past.months:
            found.append(past)
            context.progress.advance()
    return found


def _conclude(context: Context, name: str, sides: Mapping[str, list[PastFamily]]) -> None:
    """Look at the families held out, and keep what came of the search so far; nothing before its first trial ended."""
    found = show_search(context, name)
    if found.best is None:
        return
    base = trial_arm(found.search)
    arm = arm_with(base, found.best.values)
    told = {side: measure(families, arm, base) for side, families in sides.items()}
    better, reason = is_better(found.best, told[HELD_OUT])
    outcome = {
        "trial": found.best.number,
        "changes": found.best.values,
        "better": better,
        "reason": reason,
        "trials": len(found.trials),
        **told,
    }
    with context.database.begin() as transaction:
        update_search(transaction, found.search.search_id, outcome=outcome, concluded_at=context.clock())
