"""Whatever replaces or deletes faces waits for a run of the family, which would miss them at its end."""

from collections.abc import Callable
from threading import Thread

import pytest
from sqlalchemy import func, select, text

from facealbum.domain.ids import photo_id
from facealbum.domain.photos import AnalysedPhoto, PendingPhoto
from facealbum.errors import FamilyBusyError
from facealbum.steps import analyze
from facealbum.steps.analyze_upload import AnalysedBy
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_models
from facealbum.steps.families import forget_family
from facealbum.steps.photos import forget_photo
from facealbum.storage.runs import lock_family
from facealbum.storage.schema import faces
from tests.integration.album import FAMILY, FAMILY_ID, add, shots

SHOT = shots(months=1, a_month=1)[0]


def find_nothing(context: Context) -> None:
    """An analysis of the photo that no longer finds a face."""
    models, identity = default_models(), photo_id(FAMILY_ID, SHOT.key)
    with context.database.begin() as transaction:
        by = AnalysedBy.load(context, transaction, models)
    photo = PendingPhoto(FAMILY_ID, identity, SHOT.key, b"")
    outcome = analyze.Outcome(photo, AnalysedPhoto(FAMILY_ID, identity, "JPEG", 800, 600, None, []), {})
    analyze._save(context, outcome, by, FAMILY, analyze.AnalyzeResult())


@pytest.mark.parametrize(
    "change",
    [find_nothing, lambda context: forget_photo(context, FAMILY, SHOT.key), lambda one: forget_family(one, FAMILY)],
)
def test_faces_go_only_when_no_run_of_the_family_is_under_way(
    context: Context, change: Callable[[Context], object]
) -> None:
    add(context, [SHOT])
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    thread = Thread(target=change, args=(context,))
    with context.database.begin() as run:
        lock_family(run, FAMILY_ID)
        thread.start()
        while not run.execute(waiting).scalar_one():
            assert thread.is_alive()
        assert run.execute(select(func.count()).select_from(faces)).scalar_one() == len(SHOT.people)
    thread.join()
    with context.database.begin() as transaction:
        assert transaction.execute(select(func.count()).select_from(faces)).scalar_one() == 0


def test_a_family_that_stays_locked_is_given_up_and_free_again_afterwards(context: Context) -> None:
    with context.database.begin() as run:
        lock_family(run, FAMILY_ID)
        with pytest.raises(FamilyBusyError, match=str(FAMILY_ID)), context.database.begin() as other:
            lock_family(other, FAMILY_ID, wait_seconds=0.05)
    with context.database.begin() as transaction:
        lock_family(transaction, FAMILY_ID, wait_seconds=0.05)
        assert transaction.execute(text("SHOW lock_timeout")).scalar_one() == "0"
