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


def set_up(settings: Settings, models: ModelsInUse) -> Setup:
    """What processes that analyse under these settings with these models are told."""
    limits = Limits(settings.max_pixels, settings.max_video_frames, settings.max_video_seconds)
    return Setup(
        settings.object_store_url,
        models_folder(settings),
        models.space,
        models.embedder.version,
        limits,
        every=settings.video_interval_seconds,
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


def save_outcome(transaction: Transaction, outcome: Outcome, by: AnalysedBy, *, now: datetime) -> bool:
    """Write what became of the upload, and tell whether it is there: one deleted meanwhile is let be.

    The caller's transaction holds `lock_family`.
    """
    family = outcome.photo.family_id
    match outcome.result:
        case Problem() as problem:
            return mark_failed(transaction, family, problem, now=now)
        case AnalysedVideo() as video:
            is_there = save_video(transaction, video, by.analyzer, now=now)
        case AnalysedPhoto() as photo:
            is_there = save_analysis(transaction, photo, by.analyzer, now=now)
    if is_there and outcome.faces:
        by.trained.estimate_upload(transaction, family, outcome.photo.photo_id)
        note_unmatched(transaction, family, now=now)
    return is_there
