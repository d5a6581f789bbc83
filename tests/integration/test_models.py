"""An installed embedder takes the place of the packaged one, where nobody loses a person by it."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from sqlalchemy import delete, select

from facealbum import demo
from facealbum.cli import main
from facealbum.clustering import ClusteringParameters
from facealbum.domain.months import Month
from facealbum.errors import (
    DownloadError,
    InvalidValueError,
    ModelError,
    ModelNotInstalledError,
    RefusedError,
    UnknownModelError,
)
from facealbum.steps import reembed
from facealbum.steps.analyze import AnalyzeResult, analyze_pending
from facealbum.steps.arm_plans import ArmPlan
from facealbum.steps.cluster import cluster_families
from facealbum.steps.compat import evaluate_change
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_space, models_folder
from facealbum.steps.imports import import_folder
from facealbum.steps.models import check_models, install_model, list_models, remove_model
from facealbum.steps.releases import use_model
from facealbum.storage.exports import load_exported_faces
from facealbum.storage.families import load_families
from facealbum.storage.photos import count_photos
from facealbum.storage.schema import embedding_spaces, face_embeddings
from tests.file_server import FileServer

PORTRAITS = Path(demo.__file__).parent / "portraits"
NUMBERS = 3 * 7 * 7

ENTRY = """
space = "tiny-147"
version = "tiny-1"
about = "The face in seven by seven fields"
page = "https://example.org/tiny"
runtime = "onnx"
output = 147
licence = {{ name = "CC0-1.0", text = "https://example.org/licence", commercial = {commercial} }}
download = {{ url = "{url}", bytes = {bytes}, sha256 = "{sha256}" }}
input = {{ size = 112, colour = "rgb", mean = [127.5, 127.5, 127.5], divisor = [127.5, 127.5, 127.5] }}
"""


def tiny_onnx() -> bytes:
    """A real network with channels first: the mean colour of 7 x 7 fields, 147 numbers."""
    nodes = [
        helper.make_node("AveragePool", ["picture"], ["fields"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Flatten", ["fields"], ["values"]),
    ]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 3, 112, 112])
    values = helper.make_tensor_value_info("values", TensorProto.FLOAT, ["N", NUMBERS])
    graph = helper.make_graph(nodes, "tiny", [picture], [values])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def publish(context: Context, server: FileServer, *, content: bytes | None = None, commercial: str = "true") -> bytes:
    """Put the network on the server, and an entry for it into the data folder."""
    content = tiny_onnx() if content is None else content
    server.files["tiny.onnx"] = content
    folder = models_folder(context.settings)
    folder.mkdir(parents=True, exist_ok=True)
    url, digest = server.place("tiny.onnx"), hashlib.sha256(content).hexdigest()
    entry = ENTRY.format(url=url, bytes=len(content), sha256=digest, commercial=commercial)
    (folder / "tiny.toml").write_text(entry, encoding="utf-8")
    return content


def quiet(_done: int, _total: int | None) -> None:
    """Nothing to show."""


def import_portraits(context: Context, folder: Path, *, count: int = 1) -> None:
    folder.mkdir()
    for name in ("obama-2009", "obama-2010", "obama-2012")[:count]:
        (folder / f"{name}.jpg").write_bytes((PORTRAITS / f"{name}.jpg").read_bytes())
    import_folder(context, folder, "Mori")


def analyze(context: Context, *, again: bool = False) -> AnalyzeResult:
    """In this process, which is fast for a few photos."""
    return analyze_pending(context, again=again, in_process=True)


def embed_and_measure(context: Context, old: str, new: str) -> None:
    """What the gate asks for."""
    reembed.start(context, new, accept_research_only=True)
    reembed.work_through(context)
    evaluate_change(context, old, new)


def persons(context: Context) -> dict[str, str]:
    with context.database.begin() as transaction:
        (family,) = load_families(transaction)
        return {face.photo_key: face.person for face in load_exported_faces(transaction, family.family_id, "default")}


def embeddings(context: Context) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """The rows of each space, float32[faces, 512]."""
    query = select(embedding_spaces.c.name, face_embeddings.c.embedding).join(
        face_embeddings, face_embeddings.c.space_id == embedding_spaces.c.space_id
    )
    found: dict[str, list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]] = {}
    with context.database.begin() as transaction:
        for name, vector in transaction.execute(query):
            found.setdefault(name, []).append(np.asarray(vector, np.float32))
    return {name: np.stack(vectors) for name, vectors in found.items()}


def state(context: Context, name: str) -> str:
    return next(model.state for model in list_models(context) if model.name == name)


def test_an_installed_model_embeds_faces(context: Context, tmp_path: Path, file_server: FileServer) -> None:
    publish(context, file_server)
    assert state(context, "tiny-147") == "available"
    install_model(context.settings, "tiny-147", report=quiet)
    assert state(context, "tiny-147") == "installed"
    assert use_model(context, "tiny-147").lacking == 0
    assert (state(context, "tiny-147"), state(context, default_space())) == ("in use", "packaged")
    import_portraits(context, tmp_path / "in", count=2)
    assert analyze_pending(context).faces == 2
    ((space, vectors),) = embeddings(context).items()
    assert space == "tiny-147"
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)
    assert (vectors[:, NUMBERS:] == 0).all()
    assert (vectors[:, :NUMBERS] != 0).any(axis=0).all()


def test_a_model_that_tears_people_apart_is_refused(context: Context, tmp_path: Path, file_server: FileServer) -> None:
    publish(context, file_server)
    import_portraits(context, tmp_path / "in", count=3)
    analyze(context)
    plan = ArmPlan(clustering=ClusteringParameters())
    cluster_families(context, Month.parse("2026-12"), arm=plan)
    before = persons(context)
    assert any(before.values())
    install_model(context.settings, "tiny-147", report=quiet)
    embed_and_measure(context, default_space(), "tiny-147")
    assert {name: len(rows) for name, rows in embeddings(context).items()} == {default_space(): 3, "tiny-147": 3}
    with pytest.raises(RefusedError, match=r"report 1 on this change failed \(broken\)"):
        use_model(context, "tiny-147")
    cluster_families(context, Month.parse("2026-12"), arm=plan)
    assert persons(context) == before
    assert state(context, default_space()) == "in use"


def test_a_space_of_the_same_networks_needs_no_photo_again(context: Context, tmp_path: Path) -> None:
    import_portraits(context, tmp_path / "in")
    analyze(context)
    embed_and_measure(context, default_space(), "family-512")
    assert reembed.show(context).job.faces == 0
    assert use_model(context, "family-512", accept_research_only=True).lacking == 0
    carried = embeddings(context)["family-512"]
    with context.database.begin() as transaction:
        transaction.execute(delete(face_embeddings))
    analyze(context, again=True)
    analysed = embeddings(context)["family-512"]
    assert (carried @ analysed.T).max(axis=1) == pytest.approx(1, abs=1e-3)
    assert use_model(context, default_space()).lacking == 1


def test_a_licence_for_research_only_must_be_accepted(context: Context, file_server: FileServer) -> None:
    publish(context, file_server, commercial="false")
    assert install_model(context.settings, "tiny-147", report=quiet).research_only
    with pytest.raises(InvalidValueError, match=r"CC0-1\.0.*--accept-research-only"):
        use_model(context, "tiny-147")
    assert state(context, "tiny-147") == "installed"
    use_model(context, "tiny-147", accept_research_only=True)
    assert state(context, "tiny-147") == "in use"


def test_a_file_that_is_no_network_is_never_chosen(context: Context, file_server: FileServer) -> None:
    publish(context, file_server, content=b"no network at all")
    install_model(context.settings, "tiny-147", report=quiet)
    with pytest.raises(ModelError, match="must hold a network"):
        use_model(context, "tiny-147")
    assert state(context, default_space()) == "in use"


def test_the_model_in_use_is_kept_and_another_goes(context: Context, file_server: FileServer) -> None:
    content = publish(context, file_server)
    install_model(context.settings, "tiny-147", report=quiet)
    use_model(context, "tiny-147")
    with pytest.raises(InvalidValueError, match="is in use"):
        remove_model(context, "tiny-147")
    use_model(context, default_space())
    assert remove_model(context, "tiny-147") > len(content)
    assert state(context, "tiny-147") == "available"
    with pytest.raises(ModelNotInstalledError, match="models install tiny-147"):
        use_model(context, "tiny-147")


def test_a_packaged_model_tells_which_networks_it_is_made_of(context: Context) -> None:
    told = next(model.about for model in list_models(context) if model.name == default_space())
    assert told == "fused-1: sface-2021dec-1, mobilefacenet-fr-1"


def test_packaged_models_are_neither_installed_nor_removed(context: Context) -> None:
    with pytest.raises(InvalidValueError, match="is packaged"):
        install_model(context.settings, "family-512", report=quiet)
    with pytest.raises(InvalidValueError, match="is packaged"):
        remove_model(context, "family-512")


def test_a_mirror_takes_the_place_of_the_publisher(context: Context, tmp_path: Path, file_server: FileServer) -> None:
    content = publish(context, file_server)
    mirror = tmp_path / "mirror of models"
    mirror.mkdir()
    settings = context.settings.model_copy(update={"model_mirror": str(mirror)})
    with pytest.raises(DownloadError, match=r"must be a file that can be read, .*No such file"):
        install_model(settings, "tiny-147", report=quiet)
    (mirror / "tiny.onnx").write_bytes(content)
    assert install_model(settings, "tiny-147", report=quiet).backbones[0].model.read() == content
    assert file_server.asked == []


def test_a_mirror_may_be_a_url(context: Context, file_server: FileServer) -> None:
    publish(context, file_server)
    file_server.files["mirror/tiny.onnx"] = file_server.files.pop("tiny.onnx")
    settings = context.settings.model_copy(update={"model_mirror": file_server.place("mirror/")})
    assert install_model(settings, "tiny-147", report=quiet).space == "tiny-147"


def test_every_model_file_is_compared_with_its_checksum(context: Context, file_server: FileServer) -> None:
    publish(context, file_server)
    packaged = check_models(context.settings)
    file = install_model(context.settings, "tiny-147", report=quiet).backbones[0].model.file
    assert len(check_models(context.settings)) == len(packaged) + 1
    file.write_bytes(b"changed")
    wrong = [check for check in check_models(context.settings) if not check.fine]
    assert [check.name for check in wrong] == ["tiny-1"]
    assert not check_models(context.settings, "tiny-147")[0].fine
    assert all(check.fine for check in check_models(context.settings, default_space()))
    with pytest.raises(UnknownModelError):
        check_models(context.settings, "nothing")


def test_photos_wait_where_the_chosen_model_is_missing_or_damaged(
    context: Context, tmp_path: Path, file_server: FileServer
) -> None:
    publish(context, file_server)
    file = install_model(context.settings, "tiny-147", report=quiet).backbones[0].model.file
    use_model(context, "tiny-147")
    import_portraits(context, tmp_path / "in")
    file.write_bytes(b"changed")
    with pytest.raises(ModelError, match="sha256"):
        analyze_pending(context)
    file.unlink()
    with pytest.raises(ModelNotInstalledError):
        analyze_pending(context)
    with context.database.begin() as transaction:
        assert count_photos(transaction) == {"pending": 1}


def test_a_space_that_nothing_here_fills_is_named(context: Context, file_server: FileServer) -> None:
    publish(context, file_server)
    install_model(context.settings, "tiny-147", report=quiet)
    use_model(context, "tiny-147")
    (models_folder(context.settings) / "tiny.toml").unlink()
    with pytest.raises(ModelNotInstalledError, match="tiny-147, which no model here fills"):
        analyze_pending(context)
    use_model(context, default_space())
    assert analyze(context).photos == 0


def test_the_commands_say_what_they_did(
    context: Context,
    database_url: str,
    file_server: FileServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    publish(context, file_server, commercial="false")
    monkeypatch.setenv("FACEALBUM_DATA", str(context.settings.data_folder))
    monkeypatch.setenv("FACEALBUM_DATABASE_URL", database_url)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["facealbum", "models", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().out

    assert run("install", "nothing") == (2, "")
    assert run("use", "tiny-147") == (1, "")
    code, said = run("install", "tiny-147")
    assert (code, "CC0-1.0, for research only" in said) == (0, True)
    assert run("use", "tiny-147") == (2, "")
    assert run("use", "tiny-147", "--accept-research-only")[0] == 0
    states = {model["name"]: model["state"] for model in json.loads(run("list", "--json")[1])}
    assert (states["tiny-147"], states["fused-512"]) == ("in use", "packaged")
    assert "tiny-147" in run("list")[1]
    assert run("verify")[0] == 0
    next(models_folder(context.settings).glob("*.onnx")).write_bytes(b"changed")
    code, said = run("verify", "tiny-147")
    assert (code, said.startswith("WRONG")) == (1, True)
    assert run("remove", "tiny-147") == (2, "")
    assert run("use", "fused-512")[0] == 0
    assert run("remove", "tiny-147")[0] == 0
