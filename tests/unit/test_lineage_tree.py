"""How `facealbum lineage` shows what it found."""

from facealbum import console
from facealbum.cli.lineage import Form, _show
from facealbum.domain.lineage import EmbeddingOrigin, Making, ModelUse

TRAINED = ModelUse("head", "ours-1", "ab" * 32, 7, "MIT", "training", "run-1", "cd" * 32, "shadow")
EARLIER = ModelUse("detector", "yunet-1", None)


def shown(*models: ModelUse, code_version: str | None = "0.1.0") -> str:
    making = Making("embedding", code_version, "ours", None, {"reembedding": 3}, models)
    with console.out.capture() as caught:
        _show("face", EmbeddingOrigin("ours", making, reembedding=3), form=Form.TREE)
    return " ".join(caught.get().replace("│", " ").split())  # however wide the terminal is


def test_a_model_takes_a_line_with_what_the_registry_knows_of_it() -> None:
    assert "model head: ours-1 · abababababab · MIT · shadow · run run-1 · data cdcdcdcdcdcd" in shown(TRAINED)


def test_what_was_not_kept_is_said_and_what_is_not_there_is_left_out() -> None:
    tree = shown(EARLIER, code_version=None)
    assert "code version: not on record" in tree
    assert "model detector: yunet-1 · checksum not on record" in tree
    assert "source space" not in tree
    assert "parameters: reembedding 3" in tree
