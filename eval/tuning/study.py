"""The search itself: trials of one study, in as many processes as there are, until there are enough or time is up.

A study of Optuna holds parameters and sums over families, nothing of any one family.  The first trial is the arm that
the search began with, so the best is never worse than that.  A trial lives through the families block by block in a
fixed order, and is given up where the median of the earlier ones was better at that point.  One process gives the same
trials for the same seed, also if it is stopped and resumed; several share their trials, so that chance decides who
knows what when.  A process that is killed leaves a trial that others find stale and try again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.months import Household, TrialArm
from eval.tuning.families import PastFamily, digest_families, relive
from eval.tuning.objective import Array, Judgement, compare, judge
from eval.tuning.space import Values, arm_with, draw_values, place_of_nothing
from facealbum.errors import ModelNotInstalledError

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

_BLOCKS = 8  # in which the families of a trial come, so that it can be given up at seven points
_BEFORE_PRUNING = 5  # trials that are lived through to their end whatever comes
_WARM_BLOCKS = 2  # and blocks of each


@contextmanager
def open_library() -> Iterator[Any]:
    """Optuna, silent: it would tell each trial on standard error, and that its heartbeats may change one day.

    Raises ModelNotInstalledError without the extra `train`.
    """
    import warnings  # noqa: PLC0415

    try:
        import optuna  # noqa: PLC0415 - only who searches pays for it
    except ImportError as error:
        raise ModelNotInstalledError("Optuna must be installed to search; pip install 'facealbum[train]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield optuna


@dataclass(frozen=True, slots=True)
class Effort:
    """Until how many trials a study is searched, and its seed; worker tells processes that search together apart."""

    trials: int
    seed: int = 0
    worker: int = 0


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial.

    state: complete, pruned, running, waiting or fail.  loss: of one that was given up (pruned), at the point it
    reached.  is_base: whether it is the arm that the search began with.  data: tells the families' state from others.
    """

    number: int
    state: str
    values: Values
    loss: float | None
    rates: Mapping[str, float | None]
    broken: tuple[str, ...]
    is_base: bool
    data: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"broken": list(self.broken)}


def open_study(name: str, storage: "BaseStorage | None" = None) -> "Study":
    """The study of this name, made if it is new; without a storage it lasts as long as the object.

    Raises ModelNotInstalledError without the extra `train`.
    """
    with open_library() as optuna:
        pruner = optuna.pruners.MedianPruner(n_startup_trials=_BEFORE_PRUNING, n_warmup_steps=_WARM_BLOCKS)
        study: Study = optuna.create_study(
            study_name=name, storage=storage, pruner=pruner, direction="minimize", load_if_exists=True
        )
    return study


def search(
    study: "Study",
    objective: "Objective",
    effort: Effort,
    *,
    out_of_time: Callable[[], bool] = lambda: False,
    report: Callable[[int], None] = lambda _: None,
) -> None:
    """Make trials until the study has so many, or time is up; report: told after each how many there are.

    Raises ModelNotInstalledError without the extra `train`.
    """
    with open_library() as optuna:
        ends = optuna.trial.TrialState
        counted = (ends.COMPLETE, ends.PRUNED, ends.RUNNING)
        if effort.worker == 0 and not any(one.is_base and one.data == objective.data for one in list_trials(study)):
            known = {"base": True, "data": objective.data}
            study.enqueue_trial(place_of_nothing(), user_attrs=known)
        while not out_of_time():
            optuna.storages.fail_stale_trials(study)
            past = study.get_trials(deepcopy=False)
            if sum(one.state in counted for one in past) >= effort.trials:
                return
            own = int(np.random.SeedSequence([effort.seed, effort.worker, len(past)]).generate_state(1)[0])
            study.sampler = optuna.samplers.TPESampler(seed=own)
            study.optimize(objective, n_trials=1)
            report(len(study.get_trials(deepcopy=False, states=counted)))


class Objective:
    """What one trial costs: living through the families under the arm that it draws.

    base: the arm that the search began with, lived through once.  data: tells this state of the families from others.
    look: shown each family after its last month under an arm that is tried.
    """

    def __init__(
        self, families: Sequence[PastFamily], base: TrialArm, *, look: Callable[[Household], None] = lambda _: None
    ) -> None:
        self.base = base
        self._look = look
        self.data = digest_families(families)
        self._blocks = [
            [families[place] for place in block]
            for block in np.array_split(np.arange(len(families)), min(_BLOCKS, len(families)))
        ]
        self._base_counts = [_live_all(block, base).sum(axis=0) for block in self._blocks]

    def __call__(self, trial: "Trial") -> float:
        """The loss; raises TrialPruned where it is not worth going on."""
        values = draw_values(trial)
        trial.set_user_attr("data", self.data)
        trial.set_user_attr("values", values)
        arm = arm_with(self.base, values)
        counts, beside = np.zeros_like(self._base_counts[0]), np.zeros_like(self._base_counts[0])
        for step, (block, base) in enumerate(zip(self._blocks, self._base_counts, strict=True)):
            counts += _live_all(block, arm, self._look).sum(axis=0) if values else base
            beside += base
            judged = judge(counts, beside)
            trial.report(judged.loss, step)
            if values and step + 1 < len(self._blocks) and trial.should_prune():
                _keep(trial, judged)
                with open_library() as optuna:
                    raise optuna.TrialPruned
        _keep(trial, judged)
        return judged.loss


def read_trials(name: str, storage: "BaseStorage") -> list[Tried]:
    """The trials of the study of this name, none before it was made.

    Raises ModelNotInstalledError without the extra `train`.
    """
    with open_library() as optuna:
        known = optuna.get_all_study_names(storage)
        return list_trials(optuna.load_study(study_name=name, storage=storage)) if name in known else []


def list_trials(study: "Study") -> list[Tried]:
    """Every trial, by number."""
    return [_read(one) for one in study.get_trials(deepcopy=False)]


def find_best(trials: Sequence[Tried]) -> Tried | None:
    """The trial of the smallest loss, the earliest of equals, on the families as they were when it was begun last.

    None before the arm that the search began with was lived through.
    """
    bases = [one for one in trials if one.is_base and one.state == "complete"]
    if not bases:
        return None
    same = [one for one in trials if one.state == "complete" and one.data == bases[-1].data and not one.broken]
    return min(same, key=lambda one: (one.loss, one.number))


def measure(families: Sequence[PastFamily], arm: TrialArm, base: TrialArm) -> dict[str, Any]:
    """The arm beside the one that the search began with, on these families, as JSON."""
    if not families:
        return {"families": 0, "broken": [], "differences": []}
    counts, before = _live_all(families, arm), _live_all(families, base)
    judged = judge(counts.sum(axis=0), before.sum(axis=0))
    return {
        "families": len(families),
        "broken": list(judged.broken),
        "differences": [one.to_dict() for one in compare(counts, before)],
    }


def is_better(best: Tried, held_out: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether what `measure` says of families that were never searched on shows it, and why, in words."""
    if not best.values:
        return False, "no trial lost less than the arm that the search began with"
    if not held_out["families"]:
        return False, "no family was held out, so nothing tells what the gain on the others is worth"
    if held_out["broken"]:
        return False, f"on the families held out it breaks a guardrail: {', '.join(held_out['broken'])}"
    loss = next(one for one in held_out["differences"] if one["measure"] == "loss")
    if loss["high"] is None or loss["high"] >= 0:
        return False, "on the families held out it is not shown to lose less than the arm that the search began with"
    return True, "on the families held out it loses less than the arm that the search began with"


def _live_all(
    families: Sequence[PastFamily], arm: TrialArm, look: Callable[[Household], None] = lambda _: None
) -> Array:
    """float64[families, measures, 2]."""
    found = []
    for family in families:
        household, counts = relive(family, arm)
        look(household)
        found.append(counts)
    return np.array(found)


def _keep(trial: "Trial", judged: Judgement) -> None:
    trial.set_user_attr("rates", dict(judged.rates))
    trial.set_user_attr("broken", list(judged.broken))


def _read(one: "FrozenTrial") -> Tried:
    kept, reached = one.user_attrs, one.intermediate_values
    return Tried(
        number=one.number,
        state=one.state.name.lower(),
        values=kept.get("values", {}),
        loss=reached[max(reached)] if reached else None,
        rates=kept.get("rates", {}),
        broken=tuple(kept.get("broken", ())),
        is_base=kept.get("base", False),
        data=kept.get("data", ""),
    )
