"""What is known of makers: their releases, parameters and model files, each found again in the registry.

All three tables are small and are read whole, once for each `Archive`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select

from facealbum.domain.lineage import Making, ModelUse
from facealbum.domain.model_versions import ModelVersion
from facealbum.storage.lineage_schema import makers
from facealbum.storage.registry import load_versions_of
from facealbum.storage.schema import analyzers, embedding_spaces

_SPACE, _SOURCE = embedding_spaces.alias("space"), embedding_spaces.alias("source")
_KNOWN = ("model_id", "licence", "source", "training_run", "snapshot")


class Archive:
    """Makers by number; what was not kept is told by the analyzer, without a code version and without checksums."""

    def __init__(self, connection: Connection) -> None:
        self.versions = load_versions_of(connection)
        learnt = {one.sha256: one for one in self.versions if one.training_run is not None}
        self._by_digest = {one.sha256: _of_training(one, learnt.get(one.sha256)) for one in self.versions}
        query = (
            select(makers, _SPACE.c.name.label("space"), _SOURCE.c.name.label("source_space"))
            .join(_SPACE, _SPACE.c.space_id == makers.c.space_id)
            .outerjoin(_SOURCE, _SOURCE.c.space_id == makers.c.source_space_id)
            .order_by(makers.c.maker_id)
        )
        self.makings = {row.maker_id: self._making(row) for row in connection.execute(query)}
        earlier = select(analyzers.c.analyzer_id, analyzers.c.models, _SPACE.c.name).join(
            _SPACE, _SPACE.c.space_id == analyzers.c.space_id
        )
        self._earlier = {row[0]: self._earlier_making(row[1], row[2]) for row in connection.execute(earlier)}

    def analysis(self, maker_id: int | None, analyzer_id: int) -> Making:
        """How these photos were analysed."""
        return self._earlier[analyzer_id] if maker_id is None else self.makings[maker_id]

    def trained(self, model_id: int | None) -> ModelUse | None:
        """The trained model that made an estimate of a face."""
        one = next((one for one in self.versions if one.model_id == model_id), None)
        return None if one is None else self._use(str(one.kind), one.version, one.sha256)

    def embedding(self, maker_id: int | None) -> Making | None:
        """How these vectors came about."""
        return None if maker_id is None else self.makings[maker_id]

    def clustering(self, run: Row[Any]) -> Making:
        """How a run came about; its algorithm and parameters are a model of their own where the registry has them."""
        made = self._earlier_making(run.models, "") if run.maker_id is None else self.makings[run.maker_id]
        parameters = run.parameters
        numbers = {"algorithm": run.algorithm, "parameters": parameters}
        digest = hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()
        known = self._by_digest.get(digest)
        thresholds = () if known is None else (self._use("thresholds", known.version, digest),)
        return Making("clustering", run.code_version, made.space, None, parameters, (*made.models, *thresholds))

    def _making(self, row: Row[Any]) -> Making:
        models = tuple(self._use(role, one["version"], one["sha256"]) for role, one in sorted(row.files.items()))
        return Making(row.method, row.code_version, row.space, row.source_space, row.parameters, models)

    def _earlier_making(self, models: Mapping[str, str], space: str) -> Making:
        uses = tuple(self._use(role, version, None) for role, version in sorted(models.items()))
        return Making("analysis", None, space, None, {}, uses)

    def _use(self, role: str, version: str, sha256: str | None) -> ModelUse:
        """Without a checksum it is the only model that is called so."""
        called = [one for one in self.versions if one.version == version] if sha256 is None else []
        known = self._by_digest.get(sha256 or "", called[0] if len(called) == 1 else None)
        if known is None:
            return ModelUse(role, version, sha256)
        return ModelUse(
            role, version, sha256, stage=known.stage.value, **{name: getattr(known, name) for name in _KNOWN}
        )


def _of_training(one: ModelVersion, learnt: ModelVersion | None) -> ModelVersion:
    """The version with where its artefact comes from, which another version of the same may know alone."""
    if learnt is None or one.training_run is not None:
        return one
    return replace(one, training_run=learnt.training_run, snapshot=learnt.snapshot)
