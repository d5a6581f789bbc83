"""Run with the code of an older release: has that release ask for the analysis of the families that are named."""

import sys

from facealbum.domain.ids import family_id
from facealbum.domain.messages import AnalyzeFamily
from facealbum.settings import load_settings
from facealbum.steps.context import open_context
from facealbum.steps.outbox import relay
from facealbum.storage.outbox import save_messages
from workers.sending import send

with open_context(load_settings()) as context:
    with context.database.begin() as transaction:
        save_messages(transaction, [AnalyzeFamily(family_id(name)) for name in sys.argv[2:]], now=context.clock())
    if sys.argv[1] == "sent":
        relay(context, send)
