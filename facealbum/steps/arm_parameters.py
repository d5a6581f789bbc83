"""What may be changed in a new arm: each number with what it means, its bounds, and what it is unless changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isinf

from facealbum.clustering import breakage, parameters
from facealbum.domain.sentences import Sentence
from facealbum.linking import parameters as linking
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.context import Context
from facealbum.steps.embedders import installed_space, models_of_space

_BOUNDS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "clustering": parameters.BOUNDS,
    "linking": linking.BOUNDS,
    "breakage": breakage.BOUNDS,
}
_ABOUT: Mapping[str, Sentence] = {
    "similarity": Sentence("mean cosine similarity from which two groups, or a group and a person, are one"),
    "poor_similarity": Sentence("the same for a poor face, which joins a group but never founds or bridges one"),
    "child_similarity": Sentence("the same for two persons that are linked to one child"),
    "young_likeness": Sentence("what two newborn faces need beyond these, as strangers of that age look alike"),
    "young_until": Sentence("years of age up to which a little of that is asked"),
    "grown_likeness": Sentence("what two grown-up faces need beyond these"),
    "min_faces": Sentence("sound faces that a new person needs"),
    "min_quality": Sentence("quality below which a face is poor"),
    "min_size": Sentence("pixels of a face's height below which it is poor"),
    "max_yaw": Sentence("degrees to either side beyond which a face is poor"),
    "max_nodes": Sentence("faces that stand for one person in the next clustering"),
    "max_family_nodes": Sentence("the same for all persons of a family together, which leaves three for each"),
    "density_min_cluster": Sentence("of hdbscan alone: faces that a dense group needs"),
    "density_min_samples": Sentence("of hdbscan alone: neighbours by which density is measured"),
    "linking.threshold": Sentence("probability from which a person is linked to a child"),
    "linking.min_faces": Sentence("faces that a person needs to be linked"),
    "linking.before_birth_days": Sentence("days before a birth from which a photo counts against the child"),
    "linking.prior_child": Sentence("probability that a person is a given child, before faces are looked at"),
    "linking.prior_adult": Sentence("probability that somebody else is grown up"),
    "linking.correlation": Sentence("how far the errors of one person's ages go together"),
    "linking.error_freedom": Sentence("degrees of freedom of the error of ages; few make large errors likely"),
    "linking.gender_limit": Sentence("the most that all faces together say of a gender"),
    "linking.prior_wrong_birth": Sentence("probability that a birth date is wrong, before faces are looked at"),
    "linking.doubt_threshold": Sentence("probability from which a birth date is doubted"),
    "breakage.mixing_share": Sentence("share of another person's faces in a group from which the label mixes"),
    "breakage.clustered_share": Sentence("share of a person's faces that must be in any group"),
    "breakage.splitting_share": Sentence("share of a person's faces that makes a group one of its parts"),
    "breakage.min_nodes": Sentence("faces below which a part does not count"),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of an arm; low, high: its bounds, None for no end; whole: whether it counts something.

    group: `clustering`, `linking` or `breakage`.  name: what it is called there.
    """

    group: str
    name: str
    default: float
    low: float
    high: float | None
    whole: bool
    about: Sentence

    @property
    def key(self) -> str:
        """As commands and requests name it."""
        return self.name if self.group == "clustering" else f"{self.group}.{self.name}"


def parameters_of(plan: ArmPlan) -> list[Parameter]:
    """Every number of the arm that may be changed, with the plan's value."""
    return list(_parameters(plan))


def list_parameters(context: Context, *, space: str | None = None) -> list[Parameter]:
    """Those of a new arm over this embedding space, or the one in use; raises ModelNotInstalledError."""
    with context.database.begin() as transaction:
        models = models_of_space(space or installed_space(transaction), context.settings)
    return parameters_of(ArmPlan.of_space(models.embedder))


def _parameters(plan: ArmPlan) -> Iterator[Parameter]:
    values = plan.parameters()
    for group, bounds in _BOUNDS.items():
        for name, (low, high) in bounds.items():
            value = values[group][name]
            key = name if group == "clustering" else f"{group}.{name}"
            end = None if isinf(high) else high
            yield Parameter(group, name, value, low, end, isinstance(value, int), _ABOUT[key])
