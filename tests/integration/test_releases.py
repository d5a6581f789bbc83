"""A version comes to families through its gates, in stages, and is taken back as if it had never been."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from facealbum.domain.access import Role
from facealbum.domain.faces import EMBEDDING_SIZE
from facealbum.domain.model_versions import ModelKind, ModelVersion, Stage
from facealbum.domain.months import Month
from facealbum.errors import ConflictError, InvalidValueError, ModelError, RefusedError
from facealbum.steps.arms import create_arm, promote_arm, rollback_arm
from facealbum.steps.artefacts import verify_production
from facealbum.steps.cluster import cluster_families
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_space, find_embedder, models_folder, models_in_use
from facealbum.steps.experiment_results import show_experiment
from facealbum.steps.registry import NewModel, find_model, list_changes, list_versions, register_model
from facealbum.steps.releases import Wish, promote_model, register_arm, retire_model, rollback_model, use_model
from facealbum.steps.users import add_user
from facealbum.storage.registry import load_production
from facealbum.storage.schema import runs
from facealbum.storage.serving import load_installed_arm
from models.heads import default_terms, load_heads, pack_head, save_head
from models.registry import load_specs
from tests.integration.album import add, shots

JANUARY = Month(2026, 1)
ANN, BEN = Wish("user ann", "sharper albums"), Wish("user ben")
THRESHOLDS = "thresholds"


@pytest.fixture
def world(context: Context) -> Context:
    """A family whose January is clustered, in February, and an arm that may take over."""
    february = replace(context, clock=lambda: datetime(2026, 2, 3, tzinfo=UTC))
    add(february, shots(months=1, a_month=8))
    cluster_families(february, JANUARY)
    create_arm(february, "sharp", algorithm="constrained", changes={"similarity": 0.3}, author="ann")
    return february


@pytest.fixture
def sharp(world: Context) -> ModelVersion:
    """The arm's numbers as a version."""
    return register_arm(world, "sharp")


def stages(context: Context) -> dict[str, Stage]:
    return {f"{one.kind}/{one.label}": one.stage for one in list_versions(context)}


def serving(context: Context, slot: str) -> str | None:
    with context.database.begin() as transaction:
        found = load_production(transaction, slot)
    return found and found.name


def installed(context: Context) -> str:
    with context.database.begin() as transaction:
        return load_installed_arm(transaction)


def count_runs(context: Context) -> int:
    with context.database.begin() as transaction:
        return int(transaction.execute(select(func.count()).select_from(runs)).scalar_one())


def test_what_was_not_compared_beside_what_families_see_is_refused(world: Context, sharp: ModelVersion) -> None:
    with pytest.raises(RefusedError, match=r"sharp@1 may not.*shadow comparison.*promote sharp@1 --to shadow"):
        promote_model(world, "sharp", Stage.PRODUCTION, ANN)
    found = find_model(world, "sharp")
    assert {gate: one["outcome"] for gate, one in found.gates.items()} == {
        "artefact": "pass",
        "licence": "pass",
        "baseline": "unknown",
        "fairness": "unknown",
        "compatibility": "pass",
        "shadow comparison": "unknown",
    }
    assert (found.stage, installed(world)) == (Stage.DRAFT, "default")
    assert len(list_changes(world, model_id=sharp.model_id)) == 1


def test_a_version_goes_through_the_shadow_to_families_and_back(world: Context, sharp: ModelVersion) -> None:
    before = stages(world)
    release = promote_model(world, "sharp", Stage.SHADOW, ANN)
    assert release.experiment == "shadow-sharp"
    assert promote_model(world, "sharp", Stage.SHADOW, ANN).experiment == "shadow-sharp"
    assert installed(world) == "default"
    cluster_families(world, JANUARY)
    assert show_experiment(world, "shadow-sharp").months_over == 1
    tried, computed = stages(world), count_runs(world)

    promote_model(world, "sharp", Stage.PRODUCTION, ANN)
    assert (installed(world), serving(world, THRESHOLDS)) == ("sharp", "sharp")
    assert find_model(world, "sharp").gates["shadow comparison"]["outcome"] == "pass"
    assert show_experiment(world, "shadow-sharp").experiment.status == "concluded"

    assert rollback_model(world, THRESHOLDS, author="user ben", reason="too sharp") == find_model(world, "release")
    assert installed(world) == "default"
    assert stages(world) == tried == before | {"thresholds/sharp@1": Stage.SHADOW}
    assert count_runs(world) == computed
    with pytest.raises(ConflictError, match="no promotion to take back"):
        rollback_model(world, THRESHOLDS, author="user ben")
    told = [(one.before, one.after, one.author, one.reason) for one in list_changes(world, model_id=sharp.model_id)]
    assert told[0] == (Stage.PRODUCTION, Stage.SHADOW, "user ben", "too sharp")
    assert told[1] == (Stage.SHADOW, Stage.PRODUCTION, "user ann", "sharper albums")
    assert [one[1] for one in told[2:]] == [Stage.SHADOW, Stage.DRAFT]


@pytest.mark.parametrize(
    ("asked", "compared"), [(2, [Month(2026, 2), Month(2026, 3)]), (12, list(JANUARY.through(Month(2026, 3))))]
)
def test_a_shadow_compares_the_last_months_that_were_measured(
    world: Context, sharp: ModelVersion, asked: int, compared: list[Month]
) -> None:
    april = replace(world, clock=lambda: datetime(2026, 4, 3, tzinfo=UTC))
    add(april, shots(months=3, a_month=8))
    cluster_families(april, compared[-1])
    release = promote_model(april, sharp.label, Stage.SHADOW, replace(ANN, months=asked))
    begun = show_experiment(april, str(release.experiment)).experiment
    assert (begun.first_month, begun.plan["months"]) == (compared[0], len(compared))


def test_a_gate_is_passed_over_with_a_reason_alone_and_on_record(world: Context, sharp: ModelVersion) -> None:
    with pytest.raises(InvalidValueError, match="needs a reason"):
        promote_model(world, "sharp", Stage.PRODUCTION, Wish(override=True))
    promote_model(world, "sharp", Stage.PRODUCTION, replace(ANN, override=True))
    (newest, *_) = list_changes(world, model_id=sharp.model_id)
    assert (newest.overridden, newest.author) == (("shadow comparison",), "user ann")


def test_a_canary_is_shown_to_a_few_and_ends_when_all_see_it(world: Context, sharp: ModelVersion) -> None:
    release = promote_model(world, "sharp", Stage.CANARY, ANN)
    (treatment,) = show_experiment(world, str(release.experiment)).experiment.treatments
    assert (release.experiment, treatment.share) == ("canary-sharp", 0.05)
    assert find_model(world, "sharp").stage is Stage.CANARY
    promote_model(world, str(sharp.model_id), Stage.PRODUCTION, replace(ANN, override=True))
    assert show_experiment(world, "canary-sharp").experiment.status == "stopped"
    assert installed(world) == "sharp"


def test_once_users_are_registered_another_one_must_agree(world: Context, sharp: ModelVersion) -> None:
    promote_model(world, "sharp", Stage.SHADOW, ANN)
    cluster_families(world, JANUARY)
    add_user(world, "ann", Role.ADMIN, password=None, author="test")
    for _ in range(2):
        assert promote_model(world, "sharp", Stage.PRODUCTION, ANN).waits
    assert (installed(world), find_model(world, "sharp").asked_by) == ("default", "user ann")
    assert not promote_model(world, "sharp", Stage.PRODUCTION, BEN).waits
    (newest, *_) = list_changes(world, model_id=sharp.model_id)
    assert (newest.author, newest.approver) == ("user ann", "user ben")
    assert (installed(world), find_model(world, "sharp").asked_by) == ("sharp", None)


def test_a_promotion_cut_short_changes_nothing_and_is_finished_by_asking_again(
    world: Context, sharp: ModelVersion
) -> None:
    wish, before = replace(ANN, override=True), stages(world)
    refusal = (
        "CREATE TRIGGER cut_short BEFORE INSERT ON model_changes FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    with world.database.begin() as transaction:
        transaction.execute(text(refusal))
    with pytest.raises(DatabaseError, match="append-only"):
        promote_model(world, "sharp", Stage.PRODUCTION, wish)
    assert (installed(world), stages(world)) == ("default", before)
    with world.database.begin() as transaction:
        transaction.execute(text("DROP TRIGGER cut_short ON model_changes"))
    promote_model(world, "sharp", Stage.PRODUCTION, wish)
    assert (installed(world), serving(world, THRESHOLDS)) == ("sharp", sharp.name)


def test_the_registry_follows_arms_that_are_promoted_by_themselves(world: Context) -> None:
    before = stages(world)
    promote_arm(world, "sharp", author="user ann")
    assert serving(world, THRESHOLDS) == "sharp"
    with pytest.raises(ConflictError, match="is in production; promote another"):
        retire_model(world, "sharp", author="user ann")
    rollback_arm(world, author="user ann")
    assert stages(world) == before | {"thresholds/sharp@1": Stage.DRAFT}
    assert retire_model(world, "sharp", author="user ann").stage is Stage.RETIRED


def test_what_was_promoted_since_is_taken_back_first(world: Context, sharp: ModelVersion) -> None:
    promote_model(world, "sharp", Stage.PRODUCTION, replace(ANN, override=True))
    create_arm(world, "same", algorithm="constrained", changes={"similarity": 0.3}, author="ann")
    use_model(world, default_space())
    assert serving(world, THRESHOLDS) == "release"
    promote_arm(world, "same", author="ann")
    promote_arm(world, sharp.name, author="ann")
    assert rollback_model(world, THRESHOLDS, author="ann") == find_model(world, "same")
    with pytest.raises(ConflictError, match="no promotion to take back"):
        rollback_model(world, THRESHOLDS, author="ann")


def test_an_embedder_and_what_served_before_it_change_places_without_a_photo(context: Context) -> None:
    before = stages(context)
    use_model(context, "family-512", accept_research_only=True)
    assert serving(context, "embedder") == "family-512"
    assert stages(context)[f"embedder/{default_space()}@fused-1"] is Stage.RETIRED
    assert rollback_model(context, "embedder", author="ann") == find_model(context, default_space())
    assert stages(context) == before
    promote_model(context, "family-512", Stage.PRODUCTION, replace(ANN, accept=True))
    assert serving(context, "embedder") == "family-512"


def test_a_licence_for_research_is_accepted_by_name(context: Context) -> None:
    with pytest.raises(RefusedError, match="licence of family-512 must be accepted"):
        promote_model(context, "family-512", Stage.PRODUCTION, replace(ANN, override=True))


def test_what_nothing_loads_from_the_registry_never_serves(context: Context) -> None:
    for kind in (ModelKind.DETECTOR, ModelKind.BACKBONE):
        new = NewModel(kind, f"our-{kind}", b"numbers", "CC0-1.0", research_only=False, source="training")
        register_model(context, new)
        with pytest.raises(ConflictError, match=f"serves as {kind} comes with a release"):
            promote_model(context, new.name, Stage.PRODUCTION, ANN)


def test_a_trained_head_serves_from_its_artefact_and_no_other_bytes(context: Context) -> None:
    folder, same = models_folder(context.settings), np.eye(EMBEDDING_SIZE, dtype=np.float32)
    content, other = pack_head(same, default_terms()), pack_head(same[::-1], default_terms())
    new = NewModel(
        ModelKind.EMBEDDER, "ours-1", content, "CC0-1.0", False, "training", training_run="run", metrics=BETTER
    )
    model = register_model(context, new)
    promote_model(context, "ours-1", Stage.PRODUCTION, ANN)
    assert load_heads(folder)["ours-1"].head.sha256 == model.sha256  # type: ignore[union-attr]
    save_head(folder, "ours-1", other)
    with pytest.raises(ModelError, match=f"must have sha256 {model.sha256}"):
        load_models(context)
    with pytest.raises(ModelError, match=f"must have sha256 {model.sha256}"):
        verify(context)
    rollback_model(context, "embedder", author="ann")
    assert load_models(context) == default_space()
    assert verify(context) > 0


def test_a_trained_network_is_an_embedder_like_any_other(context: Context) -> None:
    content = load_specs()["mobilefacenet"].read()
    model = register_model(
        context,
        NewModel(
            ModelKind.EMBEDDER, "ours-2", content, "CC0-1.0", False, "training", training_run="run", metrics=BETTER
        ),
    )
    promote_model(context, "ours-2", Stage.PRODUCTION, ANN)
    found = find_embedder("ours-2", models_folder(context.settings))
    assert (found.backbones[0].model.sha256, found.licence, load_models(context)) == (model.sha256, "CC0-1.0", "ours-2")
    found.backbones[0].model.file.write_bytes(content[:-1])
    with pytest.raises(ModelError, match=f"must have sha256 {model.sha256}"):
        verify(context)
    rollback_model(context, "embedder", author="ann")
    assert load_models(context) == default_space()


BETTER = {"tar": {"value": 0.6, "low": 0.5, "high": 0.7, "n": 40, "better": True}}


def load_models(context: Context) -> str:
    with context.database.begin() as transaction:
        return models_in_use(transaction, context.settings).space


def verify(context: Context) -> int:
    with context.database.begin() as transaction:
        return verify_production(context, transaction)
