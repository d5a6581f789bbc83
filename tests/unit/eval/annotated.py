"""Simulated families whose truth is known, and an annotator who never errs."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from uuid import UUID, uuid5

import numpy as np

from eval.annotation import (
    Answer,
    Design,
    FamilyFaces,
    Item,
    Kind,
    Label,
    Picture,
    Place,
    Reservoir,
    Sample,
    estimate_sample,
    offer_family,
    settle,
)
from facealbum.domain.ids import ChildId, FaceId, FamilyId, PersonId, PhotoId

ROOT = UUID("00000000-0000-5000-8000-000000000000")
START = datetime(2026, 10, 1, tzinfo=UTC)
Truth = dict[FaceId, int]


def simulate(families: int, *, seed: int = 0, wrong: float = 0.1) -> tuple[list[FamilyFaces], Truth]:
    """Families of three people, each face placed with the wrong one with this probability, or a tenth with nobody."""
    draw, found, truth = np.random.default_rng(seed), [], Truth()
    for number in range(families):
        family = FamilyId(uuid5(ROOT, f"{seed}/{number}"))
        bad = min(0.9, draw.exponential(wrong))  # some families are hard, most are easy
        children = {ChildId(uuid5(family, "child")): (date(2022, 1, 1), "female")}
        places: dict[str, dict[FaceId, Place]] = {"default": {}, "other": {}}
        faces, vectors = [], []
        for index in range(int(draw.integers(6, 30))):
            face = FaceId(uuid5(family, f"face/{index}"))
            truth[face] = person = int(draw.integers(3))
            for arm, more in (("default", 1), ("other", 0.5)):
                error = draw.random() < bad * more
                held = (person + error) % 3
                score = float(draw.normal(0.45 if not error else 0.3, 0.1))
                child = next(iter(children)) if held == 0 else None
                if draw.random() > 0.1:
                    places[arm][face] = Place(PersonId(uuid5(family, f"{arm}/{held}")), score, child)
            taken = START + timedelta(hours=index)
            faces.append(Picture(face, PhotoId(uuid5(family, f"photo/{index // 2}")), taken))
            vectors.append(2 * np.eye(8)[person] + draw.normal(size=8))
        directions = np.array(vectors, np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        thresholds = {"default": 0.3, "other": 0.3}
        embeddings = {face.face_id: vector for face, vector in zip(faces, directions, strict=True)}
        found.append(FamilyFaces(family, faces, places, thresholds, children, embeddings))
    return found, truth


def draw(families: list[FamilyFaces], design: Design) -> Sample:
    """The sample of this design."""
    reservoir = Reservoir(design)
    for family in families:
        offer_family(reservoir, family)
    items, strata = reservoir.draw()
    return Sample(design.name, design.kind, design.arms, tuple(strata), tuple(items))


def majority(families: list[FamilyFaces], truth: Truth) -> dict[PersonId, int]:
    """Who most faces of each person show."""
    of: dict[PersonId, list[int]] = {}
    for family in families:
        for places in family.places.values():
            for face, place in places.items():
                of.setdefault(place.person_id, []).append(truth[face])
    return {person: int(np.bincount(shown).argmax()) for person, shown in of.items()}


def annotate(sample: Sample, truth: Truth, who: dict[PersonId, int], *, annotator: str = "ann") -> dict[UUID, Label]:
    """What somebody who knows says of each item."""
    return {item.item_id: _label(sample.kind, item, truth, who, annotator) for item in sample.items}


def _label(kind: Kind, item: Item, truth: Truth, who: dict[PersonId, int], annotator: str) -> Label:
    shown = [truth[face] for face in item.faces]
    if kind is Kind.PAIRS:
        return Label(item.item_id, annotator, Answer.YES if shown[0] == shown[1] else Answer.NO)
    assert item.person_id
    person = who[item.person_id]
    if kind is Kind.FACES:
        return Label(item.item_id, annotator, Answer.YES if shown[0] == person else Answer.NO)
    odd = tuple(number for number, face in enumerate(shown, 1) if face != person)
    return Label(item.item_id, annotator, Answer.NO if odd else Answer.YES, odd)


def true_rates(families: list[FamilyFaces], truth: Truth, kind: Kind, arm: str = "default") -> dict[str, float]:
    """The slow oracle: everything looked at, one by one."""
    who, counts = majority(families, truth), dict.fromkeys(("right", "all", "linked right", "linked", "pure", "n"), 0)
    pairs = {"both": 0, "together": 0, "same": 0}
    for family in families:
        placed: dict[PersonId, list[FaceId]] = {}
        for face, place in family.places[arm].items():
            placed.setdefault(place.person_id, []).append(face)
        for person, faces in placed.items():
            if len(faces) < 2:
                continue
            right = [truth[face] == who[person] for face in faces]
            counts["right"] += sum(right)
            counts["all"] += len(faces)
            counts["pure"] += all(right)
            counts["n"] += 1
            if family.places[arm][faces[0]].child_id:
                counts["linked right"] += sum(right)
                counts["linked"] += len(faces)
        for one, other in combinations(family.faces, 2):
            if one.photo_id != other.photo_id:
                a, b = (family.places[arm].get(face.face_id) for face in (one, other))
                together = a is not None and b is not None and a.person_id == b.person_id
                same = truth[one.face_id] == truth[other.face_id]
                pairs["both"] += together and same
                pairs["together"] += together
                pairs["same"] += same
    return {
        Kind.FACES: {
            "assignment_precision": counts["right"] / counts["all"],
            "link_precision": counts["linked right"] / counts["linked"],
        },
        Kind.PAIRS: {
            "pairwise_precision": pairs["both"] / pairs["together"],
            "pairwise_recall": pairs["both"] / pairs["same"],
        },
        Kind.CLUSTERS: {
            "cluster_precision": counts["right"] / counts["all"],
            "pure_clusters": counts["pure"] / counts["n"],
        },
    }[kind]


def rates(sample: Sample, labels: dict[UUID, Label]) -> dict[str, tuple[float, float, float]]:
    """Value, low and high of each figure of the first arm."""
    found = estimate_sample(sample, settle(labels.values()))
    return {
        one.measure: (one.estimate.value or 0.0, one.estimate.low, one.estimate.high)
        for one in found.figures
        if one.arm == sample.arms[0]
    }
