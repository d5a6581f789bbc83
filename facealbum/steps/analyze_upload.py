"""One upload: its bytes are read and become faces, or the reason why not, which are then saved.

What is wrong with a photo is a result, so that it keeps no other out of the albums; what is wrong with the machine is
an error.  The process keeps its models between photos.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from traceback import extract_tb
from typing import Self

from facealbum.domain.ids import PhotoId
from facealbum.errors import FacealbumError, ObjectNotFoundError, PhotoError
from facealbum.settings import Settings
from facealbum.steps.arm_models import ArmModels
from facealbum.steps.context import Context
from facealbum.steps.embedders import ModelsInUse, find_embedder, models_folder
from facealbum.steps.makers import open_analyzer
from facealbum.storage.analyses import (
    AnalysedPhoto,
    AnalysedVideo,
    AnalyzerRow,
    save_analysis,
    save_video,
)
from facealbum.storage.database import Transaction
from facealbum.storage.matching import note_unmatched
from facealbum.storage.objects import ObjectStore, open_object_store
from facealbum.storage.photos import PendingPhoto, Problem, mark_failed, original_key
from models.analyzer import Analyzer
from models.containers import is_video
from models.limits import Limits
from models.video_analysis import analyze_video


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one upload, and the seconds that each phase took."""

    photo: PendingPhoto
    result: AnalysedPhoto | AnalysedVideo | Problem
    seconds: dict[str, float]

    @property
    def faces(self) -> int:
        """How many faces were found."""
        match self.result:
            case AnalysedPhoto():
                return len(self.result.faces)
            case AnalysedVideo():
                return sum(len(track.best) for track in self.result.tracks)
        return 0


@dataclass(frozen=True, slots=True)
class Setup:
    """What every process that analyses is told: the settings, and the space of the embedder."""

    settings: Settings
    space: str


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


class _Analyst:
    """One process's analyzer and object store."""

    def __init__(self, setup: Setup) -> None:
        settings = setup.settings
        self.objects: ObjectStore = open_object_store(settings.object_store_url)
        self.every = settings.video_interval_seconds
        self.limits = Limits(settings.max_pixels, settings.max_video_frames, settings.max_video_seconds)
        embedder = find_embedder(setup.space, models_folder(settings))
        self.analyzer = Analyzer.load(embedder=embedder, limits=self.limits)

    def read(self, photo: PendingPhoto) -> bytes:
        """The upload's bytes."""
        return self.objects.get(original_key(photo.family_id, photo.sha256))

    def analyse(self, photo: PendingPhoto, read: Callable[[PendingPhoto], bytes]) -> Outcome:
        """Analyse one upload."""
        start = perf_counter()
        try:
            data = read(photo)
            waited = perf_counter() - start
            result, seconds = self._video(photo, data) if is_video(data) else self._photo(photo, data)
        except (PhotoError, ObjectNotFoundError) as error:
            problem = Problem(photo.photo_id, "analysis", error.code, str(error))
            return Outcome(photo, problem, {"failed": perf_counter() - start})
        except (FacealbumError, OSError):  # the machine's, not the photo's
            raise
        except Exception as error:  # noqa: BLE001 - the kind and place of what nobody foresaw are kept, no value
            last = extract_tb(error.__traceback__)[-1]
            how = f"failed on this photo ({type(error).__name__} at {Path(last.filename).name}:{last.lineno})"
            return Outcome(photo, crashed(photo.photo_id, how), {"failed": perf_counter() - start})
        return Outcome(photo, result, {"read": waited, **seconds})

    def _photo(self, photo: PendingPhoto, data: bytes) -> tuple[AnalysedPhoto, Mapping[str, float]]:
        found = self.analyzer.analyze(data)
        size = found.width, found.height
        whose = photo.family_id, photo.photo_id
        return AnalysedPhoto(*whose, found.format, *size, found.taken_at, found.faces, found.camera), found.seconds

    def _video(self, video: PendingPhoto, data: bytes) -> tuple[AnalysedVideo, Mapping[str, float]]:
        found = analyze_video(self.analyzer, data, every=self.every, limits=self.limits)
        size = found.width, found.height
        whose = video.family_id, video.photo_id
        return AnalysedVideo(*whose, found.format, *size, found.taken_at, found.tracks), found.seconds


_analyst = lru_cache(maxsize=1)(_Analyst)


def read_upload(photo: PendingPhoto, setup: Setup) -> bytes:
    """The upload's bytes, as this process reads them."""
    return _analyst(setup).read(photo)


def analyse_upload(photo: PendingPhoto, setup: Setup, read: Callable[[PendingPhoto], bytes] | None = None) -> Outcome:
    """Analyse one upload in this process, `read` from where its bytes are; models that can't be loaded raise."""
    analyst = _analyst(setup)
    return analyst.analyse(photo, read or analyst.read)


def crashed(photo: PhotoId, how: str) -> Problem:
    """The reason of a photo that nobody can analyse, and that is not of a kind we know."""
    detail = f"the analysing process {how}; it is set aside, facealbum analyze --again tries once more"
    return Problem(photo, "analysis", "analysis_crashed", detail)


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
