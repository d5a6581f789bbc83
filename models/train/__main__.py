"""Train a head on the faces in a file, as models.train.faces.LabelledFaces.save writes it.

python -m models.train FACES.npz --out HEAD.npy [--epochs 5] [--seed 0]
"""

import argparse
import hashlib
import sys
from pathlib import Path

from facealbum.errors import FacealbumError
from models.registry import load_embedders
from models.train.faces import LabelledFaces
from models.train.head import head_file, head_recipe, train_head


def main(words: list[str]) -> int:
    """Run the command; 0 when done, 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__.split("\n", 1)[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=head_recipe().epochs)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(words)
    try:
        faces = LabelledFaces.load(arguments.faces)
        trained = train_head(faces, head_recipe(epochs=arguments.epochs), seed=arguments.seed, report=_say)
        default = next(iter(load_embedders().values()))
        assert default.head is not None, "the packaged default space has a head"  # noqa: S101
        content = head_file(default.head.read(), trained)
    except FacealbumError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    arguments.out.write_bytes(content)
    sys.stdout.write(f"{hashlib.sha256(content).hexdigest()}  {arguments.out}  {len(faces):,} faces\n")
    return 0


def _say(epoch: int, loss: float) -> None:
    sys.stderr.write(f"epoch {epoch}: loss {loss:.4f}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
