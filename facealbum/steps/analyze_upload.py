"""Saving what became of an upload, and by whom: the database's side of analysis."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from facealbum.domain.photos import AnalysedPhoto, AnalysedVideo, Problem
from facealbum.settings import Settings
from facealbum.steps.analyst import Outcome, Setup
from facealbum.steps.arm_models import ArmModels
from facealbum.steps.context import Context
from facealbum.steps.embedders import ModelsInUse, models_folder
from facealbum.steps.makers import open_analyzer
from facealbum.storage.analyses import AnalyzerRow, save_analysis, save_video
from facealbum.storage.database import Transaction
from facealbum.storage.matching import note_unmatched
from facealbum.storage.photos import mark_failed
from models.limits import Limits


def set_up(settings: Settings, space: str) -> Setup:
    """What processes that analyse under these settings for this space are told."""
    limits = Limits(settings.max_pixels, settings.max_video_frames, settings.max_video_seconds)
    return Setup(
        settings.object_store_url, models_folder(settings), space, limits, every=settings.video_interval_seconds
    )


@dataclass(frozen=True, slots=True)
class AnalysedBy:
    """Whose results are saved: those of these models, with the estimates of trained ones that are in production."""

    analyzer: AnalyzerRow
    trained: ArmModels

    @classmethod
    def load(cls, context: Context, transaction: Transaction, models: ModelsInUse) -> Self:
        """These models, and what the installation's arm names; raises ModelError if that is not as registered."""
        analyzer = open_analyzer(transaction, models, context.settings)
        return cls(analyzer, ArmModels.installed(context, transaction))


def save_outcome(transaction: Transaction, outcome: Outcome, by: AnalysedBy, *, now: datetime) -> None:
    """Write what became of the upload; the caller's transaction holds `lock_family`."""
    match outcome.result:
        case Problem():
            mark_failed(transaction, outcome.photo.family_id, outcome.result, now=now)
        case AnalysedVideo():
            save_video(transaction, outcome.result, by.analyzer, now=now)
        case AnalysedPhoto():
            save_analysis(transaction, outcome.result, by.analyzer, now=now)
    if outcome.faces:
        by.trained.estimate_upload(transaction, outcome.photo.family_id, outcome.photo.photo_id)
        note_unmatched(transaction, outcome.photo.family_id, now=now)
