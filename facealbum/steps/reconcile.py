"""What the queues have lost is found in the tables, and ordered again.

A photo that has been pending for long is announced anew, and again only after as long; so is a family's match.  A pass
is bounded, the oldest come first, and while the outbox is long nothing is added to it.  The price: where the queues
are merely late, some photos are named by two messages, of which the second finds nothing to do.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from facealbum.domain.messages import MatchFamily
from facealbum.steps.context import Context
from facealbum.steps.outbox import order_analysis
from facealbum.steps.uploads import complete_promised_uploads
from facealbum.storage.matching import ask_for_late_matches
from facealbum.storage.outbox import has_messages, save_messages
from facealbum.storage.photos import claim_late_photos

_PHOTOS_AT_ONCE = 1000
_FAMILIES_AT_ONCE = 200
_UPLOADS_AT_ONCE = 200
_LONG_OUTBOX = 5000


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """How many photos and families' matches were ordered again, and how many promised uploads were found."""

    photos: int = 0
    matches: int = 0
    uploads: int = 0


def reconcile(context: Context) -> ReconcileResult:
    """Order again what has waited for longer than `reconcile_after_seconds`."""
    now, older = context.clock(), timedelta(seconds=context.settings.reconcile_after_seconds)
    with context.database.begin() as transaction:
        if has_messages(transaction, _LONG_OUTBOX):
            return ReconcileResult()
        late = claim_late_photos(transaction, _PHOTOS_AT_ONCE, before=now - older)
        for family, photos in groupby(sorted(late), key=lambda one: one[0]):
            order_analysis(context, transaction, family, [photo for _, photo in photos])
        unmatched = ask_for_late_matches(transaction, _FAMILIES_AT_ONCE, before=now - older, now=now)
        save_messages(transaction, [MatchFamily(family) for family in unmatched], now=now)
    found = complete_promised_uploads(context, _UPLOADS_AT_ONCE).completed
    return ReconcileResult(len(late), len(unmatched), found)
