"""What it would change to do something to an experiment, told before anything is."""

from dataclasses import dataclass

from facealbum.errors import ConflictError
from facealbum.steps.context import Context
from facealbum.steps.experiments import ALLOWED
from facealbum.storage.experiments import Experiment, load_experiment
from facealbum.storage.families import count_families
from facealbum.storage.serving import count_computed, count_shown, load_installed_arm, load_promotions


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the action would find.

    families: that there are.  changing: how many would see another arm at once.  installed: the arm that all others
    see.  promoted: the arm that the experiment has put there, which a rollback takes back to `before`.
    """

    experiment: Experiment
    families: int
    changing: int
    installed: str
    promoted: str | None = None
    before: str | None = None


def foresee(context: Context, name: str, action: str) -> Outlook:
    """Look ahead; raises UnknownExperimentError, and ConflictError where the experiment's status refuses the action."""
    with context.database.begin() as transaction:
        experiment = load_experiment(transaction, name)
        if experiment.status not in ALLOWED[action]:
            raise ConflictError(
                f"to {action} an experiment it must be {' or '.join(ALLOWED[action])}; {name!r} is {experiment.status}"
            )
        installed, families = load_installed_arm(transaction), count_families(transaction)
        shown = count_shown(transaction, experiment.experiment_id)
        changing = sum(number for arm, number in shown.items() if arm != installed)
        promotions = load_promotions(transaction)
        mine = promotions[:1] if promotions and promotions[0].experiment_id == experiment.experiment_id else []
        if action != "rollback" or not mine:
            return Outlook(experiment, families, changing, installed)
        computed = count_computed(transaction, installed)
        return Outlook(experiment, families, computed, installed, installed, promotions[1].arm)
