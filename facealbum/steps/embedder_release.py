"""Letting the whole installation work in another embedder's space, and putting the one before back.

The release's own arm moves to the space; vectors that can be had without a photo are there before it does.
"""

import numpy as np

from facealbum.domain.faces import Box
from facealbum.domain.model_versions import ModelVersion
from facealbum.errors import InvalidValueError, ModelError
from facealbum.steps.adapt import fill_by_adapter
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.arms import install_arm
from facealbum.steps.artefacts import read_artefact, verify_artefact
from facealbum.steps.compat import find_serving_adapter, require_compatible
from facealbum.steps.context import Context
from facealbum.steps.embedders import find_embedder, installed_space, models_folder
from facealbum.steps.reembed import carry_exactly
from facealbum.steps.served_models import note_served
from facealbum.storage.analyses import ensure_space
from facealbum.storage.database import Transaction
from facealbum.storage.experiments import is_in_running_experiment
from facealbum.storage.reembeddings import count_left
from facealbum.storage.registry import Deed
from facealbum.storage.runs import ensure_arm
from models.alignment import Pyramid, dlib_template
from models.detection import Detection
from models.embedder import Embedder, aligned
from models.heads import save_head
from models.registry import EmbedderSpec
from models.trained_network import is_network, save_network


def serve_embedder(context: Context, model: ModelVersion, deed: Deed) -> int:
    """Let analysis fill its space and clustering read it; the number of faces that it has not embedded itself yet.

    Known faces whose embedding follows from another space's, exactly or by the adapter in production, get it at once.
    Raises ModelError if it does not run here, InvalidValueError while an experiment compares with the release's own
    arm, and IncompatibleError if albums might lose people.
    """
    embedder = fetch_embedder(context, model)
    _try_out(embedder)
    plan = ArmPlan.of_space(embedder)
    with context.database.begin() as transaction:
        if is_in_running_experiment(transaction, plan.name):
            raise InvalidValueError(f"an experiment with the arm {plan.name} is running; conclude or stop it first")
        before = installed_space(transaction)
        require_compatible(transaction, before, model.name)
        adapter = find_serving_adapter(transaction, before, model.name)
        space_id = ensure_space(transaction, model.name)
    carry_exactly(context, embedder, space_id)
    if adapter is not None:
        fill_by_adapter(context, str(adapter.model_id))
    with context.database.begin() as transaction:
        _install(transaction, embedder, deed)
        return count_left(transaction, space_id).incomplete


def _install(transaction: Transaction, embedder: EmbedderSpec, deed: Deed, *, undoes: int | None = None) -> None:
    """The release's own arm works in the embedder's space from now on, and is what families see."""
    plan = ArmPlan.of_space(embedder)
    space_id = ensure_space(transaction, embedder.space)
    arm = ensure_arm(transaction, plan.name, space_id=space_id, algorithm=plan.algorithm, parameters=plan.parameters())
    if install_arm(transaction, arm, author=deed.author, now=deed.at, deed=deed) is None:
        note_served(transaction, arm, deed, undoes=undoes)


def restore_embedder(
    context: Context, transaction: Transaction, model: ModelVersion, deed: Deed, *, undoes: int
) -> None:
    """Put it back in the place of the one that followed it; raises IncompatibleError if faces have come since."""
    verify_artefact(context, transaction, model)
    require_compatible(transaction, installed_space(transaction), model.name)
    _install(transaction, fetch_embedder(context, model), deed, undoes=undoes)


def fetch_embedder(context: Context, model: ModelVersion) -> EmbedderSpec:
    """The embedder of this machine; one that was trained elsewhere comes from the object store."""
    folder = models_folder(context.settings)
    try:
        return find_embedder(model.name, folder)
    except ModelError:
        if model.training_run is None:
            raise
        content = read_artefact(context, model)
        if is_network(content):
            return save_network(folder, model.name, content, licence=model.licence, research_only=model.research_only)
        return save_head(folder, model.name, content)


def _try_out(embedder: EmbedderSpec) -> None:
    """Run the embedder once on a grey picture; raises ModelError if it does not run here."""
    grey = Pyramid(np.full((256, 256, 3), 128, np.uint8))
    face = Detection(Box(64, 64, 192, 192), dlib_template(256).astype(np.float32), 1.0)
    Embedder(embedder).embed(grey, face, aligned(grey, face.landmarks))
