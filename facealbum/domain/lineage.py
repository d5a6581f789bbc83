"""Where a face, a link or an album comes from, and what a model was used for: trees of what is on record.

None stands for what was not kept: all that was made before there was a record of it, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model that took part; the last six as the registry knows its SHA-256, None where it doesn't.

    training_run: the tracked run that made it.  snapshot: the digest of the data that it learnt from.
    """

    role: str
    version: str
    sha256: str | None
    model_id: int | None = None
    licence: str | None = None
    source: str | None = None
    training_run: str | None = None
    snapshot: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Making:
    """How something came about; method: analysis, embedding (again), carrying, adapter or clustering.

    space: the embedding space that it fills or reads.  source_space: the one that vectors were carried over from.
    """

    method: str
    code_version: str | None
    space: str
    source_space: str | None
    parameters: Mapping[str, Any]
    models: tuple[ModelUse, ...]


@dataclass(frozen=True, slots=True)
class PhotoOrigin:
    """The photo, or frame of a video; name: as the family's importer calls it.  sha256: of the upload."""

    photo_id: UUID
    name: str
    sha256: str | None
    taken_at: datetime
    taken_at_source: str
    uploaded_at: datetime
    video_id: UUID | None
    frame_ms: int | None


@dataclass(frozen=True, slots=True)
class AnalysisOrigin:
    """The analysis that found the face; calibrator: that made its age and gender in place of the packaged numbers.

    predictor: that made its quality likewise.
    """

    analysed_at: datetime | None
    making: Making | None
    calibrator: ModelUse | None = None
    predictor: ModelUse | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingOrigin:
    """A vector of the face; began_at, ended_at: of the re-embedding that made it."""

    space: str
    making: Making | None
    reembedding: int | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExperimentThen:
    """An experiment that ran with the arm at the time; arm: what the family was assigned to, None: held out, or all."""

    name: str
    mode: str
    started_at: datetime
    ended_at: datetime | None
    assigned_at: datetime | None
    arm: str | None


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """A run of the family."""

    run_id: UUID
    arm: str
    month: date
    algorithm: str
    started_at: datetime
    finished_at: datetime | None
    making: Making
    experiments: tuple[ExperimentThen, ...]


@dataclass(frozen=True, slots=True)
class LinkOrigin:
    """Why a person is taken for a child; run: that said so, None where a user did, or children came later."""

    person_id: UUID
    child_id: UUID
    probability: float
    evidence: Mapping[str, Any]
    confirmed: bool
    linked_at: datetime
    run: RunOrigin | None


@dataclass(frozen=True, slots=True)
class DecisionOrigin:
    """What a user decided; about: `face` or `person`, whichever it touched."""

    number: int
    kind: str
    about: str
    author: str
    decided_at: datetime
    undone_at: datetime | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class Placement:
    """Whose a face is under one arm; state: provisional or confirmed, None where it waits.

    shown: the family sees this arm.  run: that gave it its person, None where a match or a user did.
    """

    arm: str
    shown: bool
    person_id: UUID | None
    state: str | None
    score: float | None
    assigned_at: datetime | None
    why: str
    run: RunOrigin | None
    link: LinkOrigin | None


@dataclass(frozen=True, slots=True)
class FaceLineage:
    """All that a face comes from."""

    family_id: UUID
    face_id: UUID
    photo: PhotoOrigin
    analysis: AnalysisOrigin
    embeddings: tuple[EmbeddingOrigin, ...]
    placements: tuple[Placement, ...]
    decisions: tuple[DecisionOrigin, ...]


@dataclass(frozen=True, slots=True)
class LinkLineage:
    """All that a person's link to a child comes from."""

    family_id: UUID
    arm: str
    link: LinkOrigin
    decisions: tuple[DecisionOrigin, ...]


@dataclass(frozen=True, slots=True)
class AnalysisShare:
    """How many faces of an album one way of analysis found, and when."""

    faces: int
    first_at: datetime | None
    last_at: datetime | None
    making: Making | None


@dataclass(frozen=True, slots=True)
class EmbeddingShare:
    """How many faces of an album one way of embedding made comparable."""

    faces: int
    making: Making | None


@dataclass(frozen=True, slots=True)
class RunShare:
    """How many faces of an album a run gave their person; run: None where matches or users did."""

    faces: int
    run: RunOrigin | None


@dataclass(frozen=True, slots=True)
class AlbumLineage:
    """All that an album comes from, by the faces of those whom it shows under the arm that the family sees."""

    family_id: UUID
    album_id: str
    arm: str
    persons: tuple[UUID, ...]
    analyses: tuple[AnalysisShare, ...]
    embeddings: tuple[EmbeddingShare, ...]
    runs: tuple[RunShare, ...]
    links: tuple[LinkOrigin, ...]
    decisions: tuple[DecisionOrigin, ...]


@dataclass(frozen=True, slots=True)
class FamilyUse:
    """What of a family was made by what is asked about; photos and faces: as they are now."""

    family_id: UUID
    since: datetime
    photos: int
    faces: int
    persons: int
    runs: int


@dataclass(frozen=True, slots=True)
class Uses:
    """What a model, data set or release was used for; families: that ever had something of it.

    models: those that learnt from it, as NAME@VERSION, for a data set.
    """

    subject: str
    makings: tuple[Making, ...]
    arms: tuple[str, ...]
    models: tuple[str, ...]
    families: int
    runs: int
