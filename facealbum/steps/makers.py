"""What works on this machine now, as lineage keeps it: this release, its model files by checksum, the parameters."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache

from facealbum.code_version import code_version
from facealbum.domain.model_versions import ModelVersion
from facealbum.settings import Settings
from facealbum.steps.embedders import ModelsInUse
from facealbum.storage.analyses import AnalyzerRow, ensure_analyzer
from facealbum.storage.database import Transaction
from facealbum.storage.makers import Maker, Method, ModelFile, ensure_maker
from models.calibration import load_calibrations
from models.registry import EmbedderSpec, load_embedders, load_specs


def open_analyzer(transaction: Transaction, models: ModelsInUse, settings: Settings) -> AnalyzerRow:
    """The row of these models, with what is kept of their analyses from now on."""
    analyzer = ensure_analyzer(transaction, models.versions, models.space)
    parameters = {
        "max_pixels": settings.max_pixels,
        "max_video_frames": settings.max_video_frames,
        "max_video_seconds": settings.max_video_seconds,
        "video_interval_seconds": settings.video_interval_seconds,
    }
    maker = Maker(
        "analysis",
        analyzer.space_id,
        code_version(),
        files_of(models),
        parameters,
        analyzer_id=analyzer.analyzer_id,
    )
    return replace(analyzer, maker_id=ensure_maker(transaction, maker))


def ensure_clusterer(
    transaction: Transaction, models: ModelsInUse, space_id: int, *, trained: Mapping[str, str]
) -> int:
    """The maker of runs that read what these models see; trained: the SHA-256 by kind of those that the arm names."""
    files = files_of(models)
    files |= {kind: ModelFile(sha256[:8], sha256) for kind, sha256 in trained.items()}
    return ensure_maker(transaction, Maker("clustering", space_id, code_version(), files))


def embedding_maker(
    embedder: EmbedderSpec, space_id: int, *, source_space_id: int | None = None, job: int | None = None
) -> Maker:
    """The maker of vectors of faces that are known already: from their photos, or carried over from another space.

    job: the number of the re-embedding that asked for it.
    """
    method: Method = "embedding" if source_space_id is None else "carrying"
    parameters = {} if job is None else {"reembedding": job}
    files = files_of_embedder(embedder)
    return Maker(method, space_id, code_version(), files, parameters, source_space_id=source_space_id)


def adapter_maker(model: ModelVersion, adapter_id: int, spaces: Sequence[int]) -> Maker:
    """The maker of what the adapter makes of old vectors; spaces: its source and target."""
    files = {"adapter": ModelFile(model.version, model.sha256)}
    source, target = spaces
    return Maker("adapter", target, code_version(), files, source_space_id=source, adapter_id=adapter_id)


def files_of(models: ModelsInUse) -> dict[str, ModelFile]:
    """Every model that analysis runs, and the numbers that calibrate it, by role."""
    return _packaged() | files_of_embedder(models.embedder)


def files_of_embedder(embedder: EmbedderSpec) -> dict[str, ModelFile]:
    """The networks and the head behind an embedding space, by role."""
    found = {one.model.role: ModelFile(one.model.version, one.model.sha256) for one in embedder.backbones}
    if embedder.head is not None:
        found["embedder"] = ModelFile(embedder.head.version, embedder.head.sha256)
    return found


@cache
def _packaged() -> dict[str, ModelFile]:
    """All packaged models but embedders, with their calibrations; the files of a release don't change.

    A calibration is no file: its checksum is that of its numbers, as in the registry.
    """
    embedding = {one.model.role for spec in load_embedders().values() for one in spec.backbones}
    found = {role: ModelFile(spec.version, spec.sha256) for role, spec in load_specs().items() if role not in embedding}
    for purpose, one in load_calibrations().items():
        numbers = json.dumps(asdict(one), sort_keys=True).encode()
        found[f"{purpose}_calibration"] = ModelFile(one.version, hashlib.sha256(numbers).hexdigest())
    return found
