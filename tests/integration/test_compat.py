"""A change of embedding space is measured first, made possible by embedding again or an adapter, and loses nobody."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, select

from facealbum import demo
from facealbum.cli import main
from facealbum.clustering import ClusteringParameters
from facealbum.demo.album import FAMILY as DEMO_FAMILY
from facealbum.demo.album import build_demo_album
from facealbum.domain.decisions import Kind
from facealbum.domain.ids import FaceId, FamilyId, family_id
from facealbum.domain.model_versions import ModelVersion, Stage
from facealbum.domain.months import Month
from facealbum.domain.photos import original_key
from facealbum.domain.sides import is_held_out
from facealbum.errors import (
    ConflictError,
    InvalidValueError,
    ObjectStoreUnavailableError,
    RefusedError,
    UnknownModelError,
)
from facealbum.pipelines.run import run_training
from facealbum.pipelines.training import load_training
from facealbum.steps import reembed
from facealbum.steps.adapt import fill_by_adapter
from facealbum.steps.analyze import analyze_pending
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.arms import create_arm
from facealbum.steps.cluster import cluster_families
from facealbum.steps.compat import evaluate_change, require_compatible
from facealbum.steps.context import Context
from facealbum.steps.correct import Said, decide, list_decisions, list_faces, list_persons
from facealbum.steps.demo import EVERYBODY_REGISTERED
from facealbum.steps.embedders import find_embedder
from facealbum.steps.experiment_results import Unseen, show_experiment
from facealbum.steps.experiments import Draft, create_experiment, start_experiment
from facealbum.steps.imports import import_folder, import_manifests
from facealbum.steps.models import install_model
from facealbum.steps.registry import find_model
from facealbum.steps.releases import Wish, promote_model, rollback_model, use_model
from facealbum.storage.analyses import ensure_space
from facealbum.storage.objects import LocalObjectStore
from facealbum.storage.reembeddings import count_left, save_embeddings
from facealbum.storage.registry import load_production
from facealbum.storage.schema import embedding_spaces, face_embeddings, photos, runs
from models.registry import load_embedders
from tests.file_server import FileServer
from tests.integration.album import Shot, add, shots
from tests.integration.test_models import publish, quiet

PORTRAITS = sorted((Path(demo.__file__).parent / "portraits").glob("*.jpg"))
FUSED, HEAD, TINY = "fused-512", "family-512", "tiny-147"
YEAR = Month(2026, 12)

Vectors = dict[FaceId, NDArray[np.float32]]


class FailingStore(LocalObjectStore):
    """A store that goes away after so many reads."""

    def __init__(self, root: Path, reads: int) -> None:
        super().__init__(root)
        self.reads = reads

    def get(self, key: str) -> bytes:
        self.reads -= 1
        if self.reads < 0:
            raise ObjectStoreUnavailableError("gone")
        return super().get(key)


def import_portraits(context: Context, folder: Path, *, first: int = 0, count: int = 3) -> None:
    folder.mkdir(exist_ok=True)
    for path in PORTRAITS[first : first + count]:
        (folder / path.name).write_bytes(path.read_bytes())
    import_folder(context, folder, "Mori")
    analyze_pending(context, in_process=True)


@pytest.fixture
def in_head(context: Context) -> Context:
    """A database that works in the head's space, from which nothing leads back but the photos."""
    use_model(context, HEAD, accept_research_only=True)
    return context


def vectors(context: Context, space: str, *, family: str | None = None) -> Vectors:
    query = (
        select(face_embeddings.c.face_id, face_embeddings.c.embedding)
        .join(embedding_spaces, embedding_spaces.c.space_id == face_embeddings.c.space_id)
        .where(embedding_spaces.c.name == space)
    )
    if family is not None:
        query = query.where(face_embeddings.c.family_id == family_id(family))
    with context.database.begin() as transaction:
        return {FaceId(face): np.asarray(vector, np.float32) for face, vector in transaction.execute(query)}


def left(context: Context) -> int:
    return reembed.show(context).left.incomplete


def embed_all(context: Context, space: str) -> None:
    reembed.start(context, space, accept_research_only=True)
    reembed.work_through(context)


def test_a_change_is_refused_until_all_is_embedded_and_measured(in_head: Context, tmp_path: Path) -> None:
    context = in_head
    import_portraits(context, tmp_path / "in")
    with pytest.raises(RefusedError, match=r"3 of 3 faces.*reembed start fused-512.*eval compat family-512 fused"):
        use_model(context, FUSED)
    with pytest.raises(InvalidValueError, match="none has"):
        evaluate_change(context, HEAD, FUSED)
    embed_all(context, FUSED)
    with pytest.raises(RefusedError, match="nobody has measured this change"):
        use_model(context, FUSED)
    found = evaluate_change(context, HEAD, FUSED)
    assert found.report.passed
    assert found.report.faces == 3
    assert use_model(context, FUSED).lacking == 0
    with context.database.begin() as transaction:
        require_compatible(transaction, FUSED, HEAD)  # the way back was measured on the way there


def test_a_fresh_database_may_choose_any_space(context: Context) -> None:
    with context.database.begin() as transaction:
        require_compatible(transaction, FUSED, TINY)


def test_embedding_again_gives_what_analysis_gives(in_head: Context, tmp_path: Path) -> None:
    context = in_head
    import_portraits(context, tmp_path / "in")
    embed_all(context, FUSED)
    again = vectors(context, FUSED)
    evaluate_change(context, HEAD, FUSED)
    use_model(context, FUSED)
    with context.database.begin() as transaction:
        transaction.execute(delete(face_embeddings))
    analyze_pending(context, again=True, in_process=True)
    assert analyze_pending(context, again=True, in_process=True).photos == 0
    first = vectors(context, FUSED)
    assert first.keys() == again.keys()
    for face, vector in first.items():
        assert float(vector @ again[face]) == pytest.approx(1, abs=2e-3)


def test_it_goes_on_where_it_was_cut_short_and_doing_it_twice_changes_nothing(in_head: Context, tmp_path: Path) -> None:
    context = in_head
    import_portraits(context, tmp_path / "in")
    broken = replace(context, objects=FailingStore(tmp_path / "objects", reads=1))
    reembed.start(broken, FUSED)
    with pytest.raises(ObjectStoreUnavailableError):
        reembed.work_through(broken)
    assert left(context) == 2
    reembed.work_through(context)
    shown = reembed.show(context)
    assert (shown.job.status, shown.left.true, shown.left.incomplete, shown.job.faces) == ("done", 3, 0, 3)
    before = vectors(context, FUSED)
    embed_all(context, FUSED)
    after = vectors(context, FUSED)
    assert {face: vector.tobytes() for face, vector in before.items()} == {
        face: vector.tobytes() for face, vector in after.items()
    }
    assert reembed.show(context).job.faces == 0


def test_a_pause_holds_after_the_upload_in_hand_and_photos_that_came_meanwhile_are_embedded_at_the_end(
    in_head: Context, tmp_path: Path
) -> None:
    context = in_head
    import_portraits(context, tmp_path / "in")
    waits: list[float] = []

    def pause_once(seconds: float) -> None:
        waits.append(seconds)
        reembed.pause(context)

    reembed.start(context, FUSED, rate=0.01)
    reembed.work_through(context, wait=pause_once)
    assert reembed.show(context).job.status == "paused"
    assert len(waits) == 1
    assert 90 < waits[0] <= 100
    import_portraits(context, tmp_path / "in", first=3, count=1)
    assert left(context) == 3
    with pytest.raises(InvalidValueError, match="no faces are being embedded"):
        reembed.pause(context)
    reembed.resume(context)
    reembed.work_through(context, wait=waits.append)
    assert reembed.show(context).job.status == "done"
    assert vectors(context, FUSED).keys() == vectors(context, HEAD).keys()
    with pytest.raises(InvalidValueError, match="nothing is paused"):
        reembed.resume(context)


def test_a_face_whose_original_is_gone_is_counted_and_keeps_nobody_waiting(in_head: Context, tmp_path: Path) -> None:
    context = in_head
    import_portraits(context, tmp_path / "in")
    with context.database.begin() as transaction:
        family, sha256 = transaction.execute(select(photos.c.family_id, photos.c.sha256).limit(1)).one()
    context.objects.delete(original_key(FamilyId(family), bytes(sha256)))
    embed_all(context, FUSED)
    shown = reembed.show(context)
    assert (shown.job.status, shown.left.true, shown.left.lost) == ("done", 2, 1)
    assert [(code, faces) for code, _, faces in shown.reasons] == [("object_not_found", 1)]
    plain = shown.to_dict()
    assert (plain["left"], plain["lost"], plain["status"]) == (0, 1, "done")
    evaluate_change(context, HEAD, FUSED)
    use_model(context, FUSED)


def test_the_monthly_job_embeds_new_photos_for_an_arm_of_another_space_and_tells_which_it_can_not(
    in_head: Context, tmp_path: Path
) -> None:
    context = in_head
    import_portraits(context, tmp_path / "in", count=1)
    embed_all(context, FUSED)
    create_arm(context, "fused", algorithm="constrained", space=FUSED, author="ann")
    shares = (("default", 0.5), ("fused", 0.5))
    create_experiment(context, Draft("trial", "shadow", shares, "breakage", 0.05, 1, families=20), author="ann")
    start_experiment(context, "trial", author="ann", first_month=Month(2026, 1))
    import_portraits(context, tmp_path / "in", first=1, count=2)
    with context.database.begin() as transaction:
        newest = select(photos.c.family_id, photos.c.sha256).where(photos.c.key.contains(PORTRAITS[2].stem))
        family, sha256 = transaction.execute(newest).one()
    context.objects.delete(original_key(FamilyId(family), bytes(sha256)))
    assert show_experiment(context, "trial").unseen["fused"] == Unseen(without=2, lost=0)
    cluster_families(context, YEAR)
    assert show_experiment(context, "trial").unseen["fused"] == Unseen(without=0, lost=1)
    assert len(vectors(context, FUSED)) == len(vectors(context, HEAD)) - 1 == 2


def test_so_many_families_are_enough_to_measure_by(in_head: Context, tmp_path: Path) -> None:
    context = in_head
    import_portraits(context, tmp_path / "in", count=2)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.jpg").write_bytes(PORTRAITS[4].read_bytes())
    import_folder(context, other, "Kato")
    analyze_pending(context, in_process=True)
    reembed.start(context, FUSED, families=1)
    reembed.work_through(context)
    assert reembed.show(context).job.status == "paused"
    assert 1 <= left(context) <= 2
    with pytest.raises(InvalidValueError, match="above 0"):
        reembed.start(context, FUSED, families=0)
    with pytest.raises(InvalidValueError, match="being embedded for fused-512"):
        reembed.start(context, HEAD, accept_research_only=True)


def test_nobody_loses_name_link_or_decision_by_a_change_of_space(in_head: Context, tmp_path: Path) -> None:
    context = in_head
    album = build_demo_album(tmp_path / "album")
    import_manifests(context, album.photos_csv, album.families_csv)
    analyze_pending(context, in_process=True)
    old = replace(EVERYBODY_REGISTERED, clustering=_parameters(HEAD))
    cluster_families(context, YEAR, arm=old)
    first = max(list_persons(context, DEMO_FAMILY), key=lambda one: one.faces)
    face = list_faces(context, DEMO_FAMILY, str(first.person_id))[0]
    decide(context, DEMO_FAMILY, Said(Kind.NAME, person=str(first.person_id), name="Grandpa"), author="ann")
    decide(context, DEMO_FAMILY, Said(Kind.REJECT, (str(face.face_id),), person=str(first.person_id)), author="ann")
    cluster_families(context, YEAR, arm=old)
    before = _people(context), [(one.kind, one.undone_by) for one in list_decisions(context, DEMO_FAMILY)]
    embed_all(context, FUSED)
    assert evaluate_change(context, HEAD, FUSED).report.passed
    use_model(context, FUSED)
    cluster_families(context, YEAR, arm=EVERYBODY_REGISTERED)
    assert (_people(context), [(one.kind, one.undone_by) for one in list_decisions(context, DEMO_FAMILY)]) == before
    now = {one.face_id for one in list_faces(context, DEMO_FAMILY, str(first.person_id))}
    assert face.face_id not in now


def _parameters(space: str) -> ClusteringParameters:
    return ArmPlan.of_space(find_embedder(space, Path())).clustering


def _people(context: Context) -> set[tuple[str, str | None, str | None, int]]:
    return {
        (str(one.person_id), one.name, one.child, one.faces)
        for one in list_persons(context, DEMO_FAMILY)
        if one.name or one.child
    }


TURN = np.linalg.qr(np.random.default_rng(5).standard_normal((512, 512)))[0].astype(np.float32)
FLAT = TURN[:, :64]
ADAPTER, SLOT = "fused-to-tiny", "adapter/fused-512-tiny-147"
FAMILIES = tuple(f"Family {number}" for number in range(12))
NEWCOMERS = FAMILIES[-2:]


@pytest.fixture
def albums(context: Context, file_server: FileServer) -> Context:
    """Twelve clustered families; ten have vectors of another space too: the old one turned, and blurred."""
    publish(context, file_server)
    install_model(context.settings, TINY, report=quiet)
    for number, name in enumerate(FAMILIES):
        add_flat(context, shots(months=1, a_month=10, seed=number), family=name)
    cluster_families(context, YEAR)
    with context.database.begin() as transaction:
        target = ensure_space(transaction, TINY)
        for name in FAMILIES[: -len(NEWCOMERS)]:
            for face, vector in vectors(context, FUSED, family=name).items():
                blurred = vector @ TURN + np.random.default_rng(face.int % 2**32).normal(0, 0.005, 512)
                save_embeddings(transaction, family_id(name), target, [(face, unit(blurred))])
    return context


def add_flat(context: Context, photos: list[Shot], *, family: str) -> None:
    """Photos whose faces differ in 64 directions only, so that few families teach how these are turned."""
    add(context, photos, family=family)
    with context.database.begin() as transaction:
        space = ensure_space(transaction, FUSED)
        for face, vector in vectors(context, FUSED, family=family).items():
            save_embeddings(transaction, family_id(family), space, [(face, unit(vector @ FLAT @ FLAT.T))])


def unit(vector: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def persons_of(context: Context, name: str) -> dict[str, str]:
    return {
        str(face.face_id): str(person.person_id)
        for person in list_persons(context, name)
        for face in list_faces(context, name, str(person.person_id))
    }


def count_adapted(context: Context) -> int:
    with context.database.begin() as transaction:
        return count_left(transaction, ensure_space(transaction, TINY)).adapted


def spaces_read(context: Context, name: str) -> list[str]:
    """The embedder of each of the family's runs, the newest last."""
    query = select(runs.c.models).where(runs.c.family_id == family_id(name)).order_by(runs.c.month)
    with context.database.begin() as transaction:
        return [models["embedder"] for models in transaction.execute(query).scalars()]


def train_adapter(context: Context, form: str = "linear") -> ModelVersion:
    chosen = {"name": ADAPTER, "collect_from": FUSED, "collect_to": TINY, "form": form, "held_out": 0.2}
    return run_training(context, load_training("space_adapter"), source="confirmed", chosen=chosen).model


def serving(context: Context) -> str | None:
    with context.database.begin() as transaction:
        found = load_production(transaction, SLOT)
    return found and found.label


def promote(context: Context, model: ModelVersion) -> None:
    promote_model(context, model.label, Stage.PRODUCTION, Wish())


@pytest.mark.usefixtures("tracking")
def test_an_adapter_that_passes_opens_the_gate_and_true_vectors_take_the_place_of_its_own(albums: Context) -> None:
    before = {name: persons_of(albums, name) for name in FAMILIES}
    with pytest.raises(RefusedError):
        use_model(albums, TINY)
    trained = train_adapter(albums, "orthogonal")
    assert (trained.slot, trained.licence) == (SLOT, "Apache-2.0 and MIT and CC0-1.0")
    with pytest.raises(RefusedError, match=f"nobody has measured it.*--adapter {trained.label}"):
        promote(albums, trained)
    found = evaluate_change(albums, FUSED, TINY, adapter=trained.label)
    assert found.report.passed
    held_out = [name for name in FAMILIES if is_held_out(str(family_id(name)), 0.2, seed=0)]
    assert found.report.families == len([name for name in held_out if name not in NEWCOMERS]) > 0
    with pytest.raises(RefusedError, match=f"or promote an adapter.*{trained.label}"):
        use_model(albums, TINY)
    with pytest.raises(UnknownModelError, match="got 'another'"):
        evaluate_change(albums, FUSED, TINY, adapter="another")
    with pytest.raises(ConflictError, match="in the stage shadow"):
        promote_model(albums, trained.label, Stage.SHADOW, Wish())
    promote(albums, trained)
    assert serving(albums) == trained.label
    newcomers = sum(len(persons_of(albums, name)) for name in NEWCOMERS)
    assert use_model(albums, TINY).lacking == count_adapted(albums) >= newcomers
    cluster_families(albums, YEAR)
    assert {name: persons_of(albums, name) for name in FAMILIES} == before
    face = FaceId(UUID(next(iter(before[NEWCOMERS[0]]))))
    vector = vectors(albums, FUSED)[face]
    adapted = count_adapted(albums)
    with albums.database.begin() as transaction:
        target = ensure_space(transaction, TINY)
        assert save_embeddings(transaction, family_id(NEWCOMERS[0]), target, [(face, vector @ TURN)]) == 1
    assert count_adapted(albums) == adapted - 1
    assert rollback_model(albums, SLOT, author="ann") is None
    assert (serving(albums), find_model(albums, trained.label).stage) == (None, Stage.DRAFT)
    assert count_adapted(albums) == adapted - 1, "what it made stays until it is made anew"


@pytest.mark.usefixtures("tracking")
def test_a_family_goes_on_in_its_old_space_until_its_people_are_in_the_new_one(albums: Context) -> None:
    before = persons_of(albums, NEWCOMERS[0])
    trained = train_adapter(albums)
    assert evaluate_change(albums, FUSED, TINY, adapter=trained.label).report.passed
    promote(albums, trained)
    use_model(albums, TINY)
    with albums.database.begin() as transaction:
        of_adapter = face_embeddings.c.adapter_id.is_not(None)
        transaction.execute(delete(face_embeddings).where(of_adapter))
    later = [one for one in shots(months=2, a_month=10) if one.key.startswith("01-")]
    add_flat(albums, later, family=NEWCOMERS[0])
    cluster_families(albums, YEAR)
    after = persons_of(albums, NEWCOMERS[0])
    assert spaces_read(albums, NEWCOMERS[0])[-1] == load_embedders()[FUSED].version
    assert spaces_read(albums, FAMILIES[0])[-1] == "tiny-1"
    assert before.items() <= after.items()
    assert set(after.values()) == set(before.values())
    assert len(after) > len(before)
    fill_by_adapter(albums, trained.label)
    cluster_families(albums, YEAR)
    assert spaces_read(albums, NEWCOMERS[0]).count("tiny-1") == 2, "both months, once more"
    assert persons_of(albums, NEWCOMERS[0]) == after


def test_the_commands_say_how_far_it_is_and_what_is_missing(
    in_head: Context,
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import_portraits(in_head, tmp_path / "in", count=2)
    monkeypatch.setenv("FACEALBUM_DATA", str(in_head.settings.data_folder))
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url)
    monkeypatch.setenv("FACEALBUM_OBJECT_STORE", str(tmp_path / "objects"))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["facealbum", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    assert run("reembed", "status")[0] == 2
    code, _, complaint = run("models", "use", FUSED)
    assert (code, "eval compat family-512 fused-512" in complaint.replace("\n", " ")) == (1, True)
    code, said, _ = run("reembed", "start", FUSED)
    assert (code, "2 faces done, 0 left, 0 impossible" in said) == (0, True)
    assert json.loads(run("reembed", "status", "--json")[1])["status"] == "done"
    code, said, _ = run("eval", "compat", HEAD, FUSED)
    assert (code, "Report 1, family-512 to fused-512 by reembedding: passed" in said) == (0, True)
    assert json.loads(run("eval", "compat", HEAD, FUSED, "--json")[1])["number"] == 2
    assert run("models", "use", FUSED)[0] == 0
    assert run("reembed", "pause")[0] == 2
    assert "reembed start SPACE" in run("reembed", "resume")[2].replace("\n", " ")
    page = tmp_path / "compat.html"
    said = run("report", str(page), "--kind", "compatibility", "--spaces", HEAD, FUSED)[1]
    assert "With 1 family, fewer than 10" in said
    assert run("models", "train-adapter", "a-1", "--from", HEAD, "--to", FUSED, "--kind", "cubic")[0] == 2
