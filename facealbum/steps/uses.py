"""What a model, a data set or a release of the code was used for: arms, runs, families and faces."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from facealbum.domain.ids import FaceId, FamilyId
from facealbum.domain.lineage import FamilyUse, Making, Uses
from facealbum.domain.model_versions import ModelVersion
from facealbum.errors import InvalidValueError
from facealbum.steps.context import Context
from facealbum.steps.packaged_models import register_packaged
from facealbum.steps.registry import resolve
from facealbum.storage.archive import Archive
from facealbum.storage.data_snapshots import load_snapshots
from facealbum.storage.database import Transaction
from facealbum.storage.families import open_family
from facealbum.storage.uses import Makers, count_families_of, count_runs_of, load_faces_made, load_family_uses


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is asked about: how it is called, its makers, and the models that are or come from it."""

    label: str
    makings: dict[int, Making]
    models: tuple[ModelVersion, ...]

    @property
    def makers(self) -> Makers:
        """As storage asks for them."""
        return Makers(tuple(self.makings), tuple(one.model_id for one in self.models))


def find_uses(context: Context, asked: str, *, limit: int, after: UUID | None = None) -> tuple[Uses, list[FamilyUse]]:
    """What it was used for, and families with something of it, by id behind `after`.

    asked: a model as models.registry.find_model takes it, `snapshot:DIGEST` or `code:VERSION`.  Raises
    UnknownModelError, and InvalidValueError for a data set or release that nobody knows.
    """
    with context.database.begin() as transaction:
        register_packaged(transaction, now=context.clock())
        subject = _subject(transaction, asked)
        runs = count_runs_of(transaction, subject.makers)
        arms = {*runs, *(one.arm for one in subject.models if one.arm)}
        uses = Uses(
            subject=subject.label,
            makings=tuple(subject.makings.values()),
            arms=tuple(sorted(arms)),
            models=tuple(one.label for one in subject.models if one.label != subject.label),
            families=count_families_of(transaction, subject.makers),
            runs=sum(runs.values()),
        )
        return uses, load_family_uses(transaction, subject.makers, limit=limit, after=after)


def list_faces_made(
    context: Context, family: FamilyId, asked: str, *, limit: int, after: UUID | None = None
) -> list[FaceId]:
    """The family's faces that it found or embedded, by id behind `after`; raises as above and UnknownFamilyError."""
    with context.database.begin() as transaction:
        open_family(transaction, family)
        subject = _subject(transaction, asked)
        return load_faces_made(transaction, family, subject.makers, limit=limit, after=after)


def _subject(transaction: Transaction, asked: str) -> _Subject:
    archive = Archive(transaction)
    what, apart, which = asked.partition(":")
    if not apart:
        model = resolve(transaction, asked)
        return _of_models(archive, model.label, (model,))
    if what == "snapshot":
        if not load_snapshots(transaction, [which]):
            raise InvalidValueError(f"a data set must be the digest of one that was collected here, got {which!r}")
        learnt = tuple(one for one in archive.versions if one.snapshot == which)
        return _of_models(archive, asked, learnt)
    if what == "code":
        makings = _choose(archive, lambda one: _is_of(which, one.code_version))
        if not makings:
            known = ", ".join(sorted({one.code_version for one in archive.makings.values() if one.code_version}))
            raise InvalidValueError(f"a release must be one that worked here ({known or 'none yet'}), got {which!r}")
        return _Subject(asked, makings, ())
    raise InvalidValueError(f"expected a model, snapshot:DIGEST or code:VERSION, got {asked!r}")


def _is_of(which: str, code: str | None) -> bool:
    """Whether code is this one exactly, or of this release."""
    return code is not None and which in {code, code.partition("-g")[0]}


def _of_models(archive: Archive, label: str, models: tuple[ModelVersion, ...]) -> _Subject:
    ids = {one.model_id for one in models}
    return _Subject(label, _choose(archive, lambda one: any(use.model_id in ids for use in one.models)), models)


def _choose(archive: Archive, wanted: Callable[[Making], bool]) -> dict[int, Making]:
    return {number: one for number, one in archive.makings.items() if wanted(one)}
