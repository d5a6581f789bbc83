"""Lineage as W3C PROV-JSON (Member Submission of 24 April 2013), for programs that know PROV and not us.

Photos, faces, vectors, assignments, links, models and data sets are entities; analyses, runs, trainings and decisions
are activities; releases of the code and users are agents.  It holds ids, checksums and numbers, no names of photos or
children; what was not kept is left out.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from facealbum.domain.lineage import (
    AlbumLineage,
    DecisionOrigin,
    FaceLineage,
    LinkLineage,
    LinkOrigin,
    Making,
    ModelUse,
    RunOrigin,
)

MEDIA_TYPE = "application/prov+json"
_PREFIX = "facealbum"


def write_prov(found: FaceLineage | LinkLineage | AlbumLineage) -> dict[str, Any]:
    """The document, ready for JSON."""
    document = _Document()
    if isinstance(found, FaceLineage):
        _face(document, found)
    elif isinstance(found, LinkLineage):
        _decide(document, found.decisions, _link(document, found.link))
    else:
        _album(document, found)
    return {"prefix": {_PREFIX: "urn:facealbum:"}, **document.parts}


class _Document:
    """PROV-JSON's parts by name; an id that is told again is told once."""

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, dict[str, Any]]] = {}

    def add(self, part: str, name: str, **known: object) -> str:
        """An entity, activity or agent with what is known of it; its qualified name."""
        called = f"{_PREFIX}:{quote(name, safe='/')}"
        self.parts.setdefault(part, {})[called] = {
            key if key.startswith("prov:") else f"{_PREFIX}:{key}": _plain(value)
            for key, value in known.items()
            if value is not None
        }
        return called

    def activity(self, name: str, began: datetime | None, ended: datetime | None, **known: object) -> str:
        """An activity with its times."""
        return self.add("activity", name, **{"prov:startTime": began, "prov:endTime": ended}, **known)

    def relate(self, relation: str, **ends: str) -> None:
        """A relation between what is told, by PROV's own words for its ends."""
        told = self.parts.setdefault(relation, {})
        row = {f"prov:{end}": name for end, name in ends.items()}
        if row not in told.values():
            told[f"_:{relation}{len(told) + 1}"] = row


def _face(document: _Document, found: FaceLineage) -> None:
    photo = document.add(
        "entity", f"photo/{found.photo.photo_id}", sha256=found.photo.sha256, taken=found.photo.taken_at
    )
    face = document.add("entity", f"face/{found.face_id}")
    document.relate("wasDerivedFrom", generatedEntity=face, usedEntity=photo)
    analysis = document.activity(f"analysis/{found.face_id}", None, found.analysis.analysed_at)
    document.relate("used", activity=analysis, entity=photo)
    document.relate("wasGeneratedBy", entity=face, activity=analysis)
    _make(document, analysis, found.analysis.making)
    for model in (found.analysis.calibrator, found.analysis.predictor):
        if model:
            document.relate("used", activity=analysis, entity=_model(document, model))
    for one in found.embeddings:
        vector = document.add("entity", f"face/{found.face_id}/embedding/{one.space}")
        embedding = document.activity(f"embedding/{found.face_id}/{one.space}", one.began_at, one.ended_at)
        document.relate("used", activity=embedding, entity=face)
        document.relate("wasGeneratedBy", entity=vector, activity=embedding)
        _make(document, embedding, one.making)
    for placed in found.placements:
        known = {"person": placed.person_id, "state": placed.state, "score": placed.score, "shown": placed.shown}
        place = document.add("entity", f"face/{found.face_id}/arm/{placed.arm}", **known)
        document.relate("wasDerivedFrom", generatedEntity=place, usedEntity=face)
        if placed.run:
            document.relate("wasGeneratedBy", entity=place, activity=_run(document, placed.run))
        if placed.link:
            document.relate("wasInfluencedBy", influencee=place, influencer=_link(document, placed.link))
    _decide(document, found.decisions, face)


def _album(document: _Document, found: AlbumLineage) -> None:
    album = document.add("entity", f"album/{found.album_id}", arm=found.arm)
    for number, one in enumerate(found.analyses, 1):
        analyses = document.activity(
            f"album/{found.album_id}/analyses/{number}", one.first_at, one.last_at, faces=one.faces
        )
        document.relate("wasGeneratedBy", entity=album, activity=analyses)
        _make(document, analyses, one.making)
    for number, share in enumerate(found.embeddings, 1):
        embeddings = document.activity(f"album/{found.album_id}/embeddings/{number}", None, None, faces=share.faces)
        document.relate("wasGeneratedBy", entity=album, activity=embeddings)
        _make(document, embeddings, share.making)
    for part in found.runs:
        if part.run:
            document.relate("wasGeneratedBy", entity=album, activity=_run(document, part.run))
    for link in found.links:
        document.relate("wasDerivedFrom", generatedEntity=album, usedEntity=_link(document, link))
    _decide(document, found.decisions, album)


def _link(document: _Document, link: LinkOrigin) -> str:
    known = {"probability": link.probability, "confirmed": link.confirmed, "child": link.child_id, "at": link.linked_at}
    name = document.add("entity", f"link/{link.person_id}", **known)
    if link.run:
        document.relate("wasGeneratedBy", entity=name, activity=_run(document, link.run))
    return name


def _run(document: _Document, run: RunOrigin) -> str:
    known = {"arm": run.arm, "month": run.month, "algorithm": run.algorithm}
    name = document.activity(f"run/{run.run_id}", run.started_at, run.finished_at, **known)
    _make(document, name, run.making)
    return name


def _make(document: _Document, activity: str, making: Making | None) -> None:
    """Which models and which code an activity worked with."""
    if making is None:
        return
    for model in making.models:
        document.relate("used", activity=activity, entity=_model(document, model))
    if making.code_version:
        code = document.add("agent", f"code/{making.code_version}", **{"prov:type": "prov:SoftwareAgent"})
        document.relate("wasAssociatedWith", activity=activity, agent=code)


def _model(document: _Document, model: ModelUse) -> str:
    """A model, and the training that made it of a data set."""
    known = {name: getattr(model, name) for name in ("role", "version", "sha256", "licence", "source", "stage")}
    name = document.add("entity", f"model/{model.sha256 or f'{model.role}/{model.version}'}", **known)
    if model.training_run:
        training = document.activity(f"training/{model.training_run}", None, None)
        document.relate("wasGeneratedBy", entity=name, activity=training)
        if model.snapshot:
            document.relate("used", activity=training, entity=document.add("entity", f"data/{model.snapshot}"))
    return name


def _decide(document: _Document, decisions: tuple[DecisionOrigin, ...], about: str) -> None:
    """Who decided what about it."""
    for one in decisions:
        known = {"kind": one.kind, "undone": one.undone_at}
        decision = document.activity(f"decision/{one.number}", one.decided_at, one.decided_at, **known)
        author = document.add("agent", f"author/{one.author}", **{"prov:type": "prov:Person"})
        document.relate("wasAssociatedWith", activity=decision, agent=author)
        document.relate("wasInfluencedBy", influencee=about, influencer=decision)


def _plain(value: object) -> object:
    """As JSON has it: moments and days as ISO 8601, ids as text, PROV's own words as qualified names."""
    if isinstance(value, str) and value.startswith("prov:"):
        return {"$": value, "type": "prov:QUALIFIED_NAME"}
    if isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
