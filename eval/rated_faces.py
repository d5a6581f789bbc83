"""Faces with how often each really matches its person: what a predictor of quality learns from and is judged by."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from eval.albums import analyse_files
from eval.calibrate import Array, equal_shares
from eval.paired import Figure, Measure, Weights, compare
from eval.quality import error_after_rejecting, share_of_matches
from eval.worse_faces import GOOD_EYES, GOOD_TURN, Truth, known_faces
from facealbum.domain.faces import Face
from models.quality_predictor import looks_of, stored_terms
from models.train.quality_predictor import RatedFaces

PRIMARY = "rejection_area"
_CERTAIN, _HALF = 1e-4, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """n faces: terms float32[n, 7], the packaged quality, matches (0 to 1); group: family or subject."""

    terms: NDArray[np.float32]
    quality: NDArray[np.float32]
    matches: NDArray[np.float32]
    ids: NDArray[np.str_]
    groups: NDArray[np.str_]
    sources: NDArray[np.str_]
    embeddings: NDArray[np.float32]

    def rated(self) -> RatedFaces:
        """For training; every source counts the same."""
        return RatedFaces(self.terms, self.matches, equal_shares(self.sources.tolist()).astype(np.float32))

    def save(self, path: Path) -> None:
        """Write all arrays into one .npz file."""
        np.savez_compressed(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})


def see_rated_faces(albums: Path) -> Rated:
    """The faces of eval.worse_faces as they are, of those that have somebody to match; albums are kept apart."""
    truths = known_faces(albums)
    paths = sorted({truth.path for truth in truths})
    found = dict(zip(paths, analyse_files(paths), strict=True))
    pairs = [(truth, face) for truth in truths for face in [f for f in found[truth.path] if _is_in(truth, f)][:1]]
    parts = [rate([pair for pair in pairs if pair[0].album == album]) for album in sorted({t.album for t, _ in pairs})]
    return Rated(**{field.name: np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(Rated)})


def rate(pairs: list[tuple[Truth, Face]]) -> Rated:
    """The faces of one album that have somebody to match."""
    matches = share_of_matches(
        np.array([face.embedding for _, face in pairs]),
        person=np.array([truth.person for truth, _ in pairs]),
        path=np.array([str(truth.path) for truth, _ in pairs]),
        years=np.array([truth.years for truth, _ in pairs]),
        good=np.array([_is_good(face) for _, face in pairs]),
        whole=np.ones(len(pairs), bool),
    )
    kept = [(pair, share) for pair, share in zip(pairs, matches.tolist(), strict=True) if not np.isnan(share)]
    return Rated(
        terms=stored_terms(np.array([looks_of(face) for (_, face), _ in kept], np.float32)),
        quality=np.array([face.quality for (_, face), _ in kept], np.float32),
        matches=np.array([share for _, share in kept], np.float32),
        ids=np.array([f"{truth.path.name} {truth.person}" for (truth, _), _ in kept]),
        groups=np.array([f"{truth.album} {truth.family}" for (truth, _), _ in kept]),
        sources=np.array([truth.album for (truth, _), _ in kept]),
        embeddings=np.array([face.embedding for (_, face), _ in kept]),
    )


def judge_quality(faces: Rated, new: Array) -> tuple[dict[str, Figure], dict[str, dict[str, Figure]]]:
    """Figures of a quality float64[n] beside the packaged one, over all and for each source.

    rejection_area: missed matches, averaged over leaving out the worst 0 to 49 % of faces; log_loss; auc: of telling
    faces that match more than half of their person's from others.  The first two are better where they are lower.
    """
    everyone = np.ones(len(new), bool)
    slices = {source: _figures(faces, new, faces.sources == source) for source in np.unique(faces.sources).tolist()}
    return _figures(faces, new, everyone), slices


def _figures(faces: Rated, new: Array, here: NDArray[np.bool_]) -> dict[str, Figure]:
    _, place = np.unique(faces.groups, return_inverse=True)
    matches, old = faces.matches.astype(np.float64), faces.quality.astype(np.float64)

    def judged(figure: Callable[[Array, Array], float]) -> Figure | None:
        def measure(said: Array) -> Measure:
            def drawn(weights: Weights) -> float:
                rows = np.repeat(np.flatnonzero(here), weights[place[here]])
                return figure(said[rows], matches[rows]) if len(rows) else float("nan")

            return drawn

        return compare(measure(new), measure(old), groups=int(place.max()) + 1, n=int(here.sum()))

    found = {
        PRIMARY: _lower(judged(lambda said, truth: float(error_after_rejecting(said, truth).mean()))),
        "log_loss": _lower(judged(_log_loss)),
        "auc": judged(_auc),
    }
    return {name: one for name, one in found.items() if one is not None}


def _lower(figure: Figure | None) -> Figure | None:
    return figure if figure is None or figure.better is None else replace(figure, better=not figure.better)


def _log_loss(said: Array, matches: Array) -> float:
    chance = np.clip(said, _CERTAIN, 1 - _CERTAIN)
    return float(-(matches * np.log(chance) + (1 - matches) * np.log(1 - chance)).mean())


def _auc(said: Array, matches: Array) -> float:
    """The probability that a face that matches is said to be better than one that does not; ties count half."""
    good, bad = np.sort(said[matches > _HALF]), said[matches <= _HALF]
    if not (len(good) and len(bad)):
        return float("nan")
    below = np.searchsorted(good, bad, side="left") + np.searchsorted(good, bad, side="right")
    return float(1 - below.mean() / 2 / len(good))


def _is_in(truth: Truth, face: Face) -> bool:
    x, y = truth.centre
    return face.box.x1 < x < face.box.x2 and face.box.y1 < y < face.box.y2


def _is_good(face: Face) -> bool:
    eyes = np.linalg.norm(face.landmarks[1] - face.landmarks[0])
    return bool(eyes >= GOOD_EYES and np.hypot(face.yaw, face.pitch) <= GOOD_TURN)
