"""How a change of embedding space is measured on this database, and the gate that no change passes unmeasured.

The gate (`require_compatible`) asks for a report that passed, and for a way by which known faces come to have vectors
of the new space.  It may be asked for at any time: families whose faces have no such vectors yet go on in the space
that they are in (facealbum.steps.reading).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.compat import CompatReport, FamilyFaces, FamilyMeasures, Reading, compare, measure_family
from facealbum.code_version import code_version
from facealbum.domain.ids import FamilyId
from facealbum.domain.model_versions import ModelVersion, slot_of_adapter
from facealbum.domain.sentences import Sentence, join_sentences
from facealbum.errors import IncompatibleError, InvalidValueError
from facealbum.steps.adapt import OpenAdapter, open_adapter
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.context import Context
from facealbum.steps.embedders import find_embedder, models_folder
from facealbum.storage.analyses import ensure_space
from facealbum.storage.compat_reports import (
    StoredReport,
    load_compat_reports,
    load_twice_seen,
    save_compat_report,
)
from facealbum.storage.database import Transaction
from facealbum.storage.reembeddings import count_left, has_finished
from facealbum.storage.registry import load_production
from facealbum.storage.serving import load_served_arm
from facealbum.storage.spaces import has_faces, load_families_in
from models.registry import EmbedderSpec

_MOST_FAMILIES = 500


@dataclass(frozen=True, slots=True)
class NumberedReport:
    """A report as it is stored."""

    number: int
    report: CompatReport

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"number": self.number, **self.report.to_dict()}


def evaluate_change(
    context: Context, old: str, new: str, *, adapter: str | None = None, families: int = _MOST_FAMILIES, seed: int = 0
) -> NumberedReport:
    """Measure what would become of this database's albums in another space, and keep the report.

    It looks at faces with true vectors in both spaces, of at most so many families, drawn by the seed; with an adapter
    at families that it was not learnt from, and at what it makes of their old vectors.  Raises UnknownModelError,
    ModelNotInstalledError, and InvalidValueError where no face has both vectors.
    """
    folder = models_folder(context.settings)
    readings = [_reading(find_embedder(name, folder)) for name in (old, new)]
    with context.database.begin() as transaction:
        spaces = ensure_space(transaction, old), ensure_space(transaction, new)
        opened = open_adapter(context, transaction, adapter) if adapter else None
        known = load_families_in(transaction, spaces[1])
    if opened and (opened.map.source, opened.map.target) != (old, new):
        raise InvalidValueError(f"{adapter} leads from {opened.map.source} to {opened.map.target}, not {old} to {new}")
    chosen = _draw(known, opened, seed)
    context.progress.begin("Measuring families", min(families, len(chosen)))
    measured: list[FamilyMeasures] = []
    for family in chosen:
        if len(measured) == families:
            break
        faces = _load(context, family, spaces, opened)
        if faces.persons:
            measured.append(measure_family(faces, *readings))
            context.progress.advance()
    if not measured:
        raise InvalidValueError(
            f"faces must have vectors in {old} and {new} to compare these, none has"
            f"{' in a family that the adapter was not learnt from' if opened else ''}; embed some families again:"
            f" facealbum reembed start {new} --families 200"
        )
    report = compare(measured, source=old, target=new, remedy=opened.model.label if opened else "reembedding")
    with context.database.begin() as transaction:
        number = save_compat_report(
            transaction,
            report.to_dict(),
            spaces=spaces,
            adapter_id=opened.adapter_id if opened else None,
            code_version=code_version(),
            now=context.clock(),
        )
    return NumberedReport(number, report)


def require_compatible(transaction: Transaction, old_space: str, new_space: str) -> None:
    """Raise IncompatibleError unless albums may go on in the new space without losing anybody.

    They may if there is no face yet; if a report on this change passed and all faces were embedded again, or one with
    the adapter that is in production for it passed; or if it is the way back of a change that passed.
    """
    if old_space == new_space or not has_faces(transaction):
        return
    back = load_compat_reports(transaction, new_space, old_space)
    reports = load_compat_reports(transaction, old_space, new_space)
    if any(one.passed for one in back) or find_serving_adapter(transaction, old_space, new_space):
        return
    missing = _missing(transaction, reports, old_space, new_space)
    if missing:
        raise IncompatibleError(
            Sentence(
                "albums of %(old)s may lose people in %(new)s: %(missing)s; see docs/compatibility.md, or choose a"
                " model that passes",
                old=old_space,
                new=new_space,
                missing=join_sentences(missing),
            )
        )


def find_serving_adapter(transaction: Transaction, old_space: str, new_space: str) -> ModelVersion | None:
    """The adapter in production for this change, if the newest report with it passed."""
    model = load_production(transaction, slot_of_adapter(old_space, new_space))
    reports = load_compat_reports(transaction, old_space, new_space)
    passed = model is not None and any(one.passed for one in reports if one.adapter == model.label)
    return model if passed else None


def _missing(transaction: Transaction, reports: list[StoredReport], old: str, new: str) -> list[Sentence]:
    """What must still be done before the change, with its command."""
    target = ensure_space(transaction, new)
    missing = []
    if not has_finished(transaction, target) and (left := count_left(transaction, target)).incomplete:
        missing.append(
            Sentence(
                "%(left)s of %(faces)s faces have no vector in it, embed them: %(command)s",
                left=left.incomplete,
                faces=left.faces,
                command=f"facealbum reembed start {new}",
            )
        )
    true = [one for one in reports if one.adapter is None]
    if not true:
        command = f"facealbum eval compat {old} {new}"
        missing.append(Sentence("nobody has measured this change, do: %(command)s", command=command))
        if ready := [one.adapter for one in reports if one.passed]:
            command = f"facealbum models promote {ready[0]}"
            missing.append(Sentence("or promote an adapter that passed: %(command)s", command=command))
    elif not true[0].passed:
        failed = ", ".join(check["key"] for check in true[0].report["checks"] if not check["passed"])
        number = true[0].number
        missing.append(Sentence("report %(number)s on this change failed (%(checks)s)", number=number, checks=failed))
    return missing


def _reading(embedder: EmbedderSpec) -> Reading:
    plan = ArmPlan.of_space(embedder)
    return Reading(plan.algorithm, plan.clustering)


def _draw(known: list[FamilyId], adapter: OpenAdapter | None, seed: int) -> list[FamilyId]:
    """The families to look at, in an order by the seed."""
    fair = [family for family in known if adapter is None or adapter.is_judged_by(family)]
    order = np.random.default_rng(seed).permutation(len(fair))
    return [fair[row] for row in order]


def _load(context: Context, family: FamilyId, spaces: tuple[int, int], adapter: OpenAdapter | None) -> FamilyFaces:
    with context.database.begin() as transaction:
        served = load_served_arm(transaction, family)
        seen = load_twice_seen(transaction, family, arm=served, spaces=spaces)
    faces = FamilyFaces(family, seen.observations, seen.persons, seen.other, seen.other)
    if adapter is None or not faces.persons:
        return faces
    return FamilyFaces(family, seen.observations, seen.persons, seen.other, adapter.map.apply(faces.old))
