"""Data sets for trainings: put on record, kept as long as their families are, and gone with the first that leaves."""

from collections.abc import Collection
from pathlib import Path

from facealbum.code_version import code_version
from facealbum.domain.ids import FamilyId
from facealbum.errors import ChangedMeanwhileError, InvalidValueError
from facealbum.settings import Settings
from facealbum.steps.context import Context
from facealbum.storage.data_snapshots import (
    Snapshot,
    count_out,
    load_snapshots,
    load_snapshots_of,
    load_trained_with,
    save_snapshot,
)
from facealbum.storage.database import Transaction
from facealbum.storage.outputs import OutputStore


def open_outputs(settings: Settings) -> OutputStore:
    """Where the steps of pipelines leave their files."""
    return OutputStore(pipelines_folder(settings))


def pipelines_folder(settings: Settings) -> Path:
    """The folder of all that pipelines keep."""
    return settings.data_folder / "pipelines"


def record_snapshot(
    context: Context, digest: str, *, query: str, items: int, groups: int, families: Collection[FamilyId]
) -> None:
    """Put a data set on record before anything is made of it; the same again is the same row.

    Raises ChangedMeanwhileError if one of its families was deleted while it was collected.
    """
    snapshot = Snapshot(digest, query, items, groups, len(families), 0, code_version(), context.clock())
    with context.database.begin() as transaction:
        if not save_snapshot(transaction, snapshot, families):
            raise _incomplete()


def expect_whole(context: Context, digests: Collection[str]) -> None:
    """Raise ChangedMeanwhileError if a family was deleted that is in one of these data sets."""
    with context.database.begin() as transaction:
        if any(snapshot.deleted for snapshot in load_snapshots(transaction, digests)):
            raise _incomplete()


def find_snapshot(context: Context, digest: str) -> Snapshot | None:
    """What is on record of the data set; None of one that was collected elsewhere."""
    with context.database.begin() as transaction:
        return next(iter(load_snapshots(transaction, [digest])), None)


def read_snapshot(context: Context, digest: str) -> Snapshot:
    """The same; raises InvalidValueError if nothing is on record."""
    found = find_snapshot(context, digest)
    if found is None:
        raise InvalidValueError(f"a data set must be the digest of one that was collected here, got {digest!r}")
    return found


def trained_with(context: Context, family: FamilyId) -> list[str]:
    """The models that learnt from the family, as NAME@VERSION."""
    with context.database.begin() as transaction:
        return load_trained_with(transaction, family)


def leave_snapshots(context: Context, transaction: Transaction, family: FamilyId) -> None:
    """Take a family that is being deleted out of every data set: what was made of them goes, here and now."""
    digests = load_snapshots_of(transaction, family)
    if digests:
        open_outputs(context.settings).forget(digests)
        count_out(transaction, family, digests)


def sweep_outputs(context: Context) -> int:
    """Remove what is still here of data sets that a family has left, as where it was deleted from another machine."""
    outputs = open_outputs(context.settings)
    held = {digest for output in outputs.all() for digest in output.data}
    with context.database.begin() as transaction:
        left = [snapshot.digest for snapshot in load_snapshots(transaction, held) if snapshot.deleted]
    return outputs.forget(left) if left else 0


def _incomplete() -> ChangedMeanwhileError:
    return ChangedMeanwhileError(
        "every family of the data set must still be there, but one was deleted meanwhile; run the pipeline again, and "
        "it collects the others anew",
        current={},
    )
