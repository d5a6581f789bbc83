"""One process's part of analysis: an upload's bytes are read and become faces, or the reason why not.

What is wrong with a photo is a result, so that it keeps no other out of the albums; what is wrong with the machine is
an error.  The process keeps its models between photos.  A process that is started for this alone imports this module:
so it needs no database, no settings and, until there is a video, no FFmpeg.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from traceback import extract_tb

from facealbum.domain.ids import PhotoId
from facealbum.domain.photos import AnalysedPhoto, AnalysedVideo, PendingPhoto, Problem, original_key
from facealbum.errors import FacealbumError, ObjectNotFoundError, PhotoError
from facealbum.storage.objects import open_object_store
from models.analyzer import Analyzer
from models.containers import is_video
from models.limits import Limits
from models.spaces import find_embedder


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
    """What every process that analyses is told.

    objects: the URL of the object store.  models: the folder of installed ones.  space, version: the embedder's; one
    that was trained anew under its old name has another version, so that no process goes on with the old one.
    every: seconds between the frames of a video that are looked at.
    """

    objects: str
    models: Path
    space: str
    version: str
    limits: Limits
    every: float


class _Analyst:
    """One process's analyzer and object store."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.objects = open_object_store(setup.objects)
        self.analyzer = Analyzer.load(embedder=find_embedder(setup.space, setup.models), limits=setup.limits)

    def analyse(self, photo: PendingPhoto) -> Outcome:
        """Analyse one upload."""
        start = perf_counter()
        try:
            data = self.objects.get(original_key(photo.family_id, photo.sha256))
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
        from models.video_analysis import analyze_video  # noqa: PLC0415 - FFmpeg, which photos need not pay

        found = analyze_video(self.analyzer, data, every=self.setup.every, limits=self.setup.limits)
        size = found.width, found.height
        whose = video.family_id, video.photo_id
        return AnalysedVideo(*whose, found.format, *size, found.taken_at, found.tracks), found.seconds


_analyst = lru_cache(maxsize=1)(_Analyst)


def analyse_upload(photo: PendingPhoto, setup: Setup) -> Outcome:
    """Analyse one upload in this process; models that can't be loaded raise."""
    return _analyst(setup).analyse(photo)


def crashed(photo: PhotoId, how: str) -> Problem:
    """The reason of a photo that nobody can analyse, and that is not of a kind we know."""
    detail = f"the analysing process {how}; it is set aside, facealbum analyze --again tries once more"
    return Problem(photo, "analysis", "analysis_crashed", detail)
