"""The head of the space that no training has touched: two networks' outputs side by side in 512 numbers.

The last layer of MobileFaceNet reaches hardly more than 256 of its 512 dimensions, so what SFace leaves free holds it
without loss (all but a millionth of its length, on faces).  No picture is needed to find that out, only the weights.
"""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from facealbum.domain.faces import EMBEDDING_SIZE
from models.convert.graph import Conv, Dense, Graph


def fused_head(first: Graph, second: Graph) -> bytes:
    """An array file float16[outputs of both, 512]: the first network as it is, the second where its layer is strong."""
    size = len(strongest(first, count=1))
    directions = strongest(second, count=EMBEDDING_SIZE - size)
    head = np.zeros((size + len(directions), EMBEDDING_SIZE), np.float16)
    head[:size, :size] = np.eye(size)
    head[size:, size:] = directions
    file = BytesIO()
    np.save(file, head, allow_pickle=False)
    return file.getvalue()


def strongest(graph: Graph, *, count: int) -> NDArray[np.float64]:
    """float64[outputs, count]: orthonormal, the output directions to which the last layer's weights give most."""
    kernel = [step.operation.kernel for step in graph.steps if isinstance(step.operation, (Conv, Dense))][-1]
    weights = kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)
    directions = np.linalg.eigh(weights.T @ weights)[1][:, ::-1][:, :count]
    largest = np.abs(directions).argmax(axis=0)
    signs = np.sign(directions[largest, np.arange(count)])  # both signs are right; one is written
    result: NDArray[np.float64] = directions * signs
    return result
