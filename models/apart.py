"""One picture of a stranger, analysed in a process of its own, which ends with it whatever the picture does to it.

Price: the models are loaded for each picture.
"""

from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection

from facealbum.domain.faces import Face
from facealbum.errors import DamagedImageError, FacealbumError
from models.analyzer import Analyzer
from models.decode.headers import format_of
from models.limits import Limits
from models.registry import EmbedderSpec

_SECONDS = 60.0


def analyze_apart(data: bytes, embedder: EmbedderSpec, limits: Limits) -> Sequence[Face]:
    """The picture's faces; raises a PhotoError, also for a picture that takes long or ends its process."""
    format_of(data)
    processes = get_context("spawn")
    receiver, sender = processes.Pipe(duplex=False)
    process = processes.Process(target=_tell, args=(sender, data, embedder, limits), daemon=True)
    with receiver:
        process.start()
        sender.close()
        try:
            told = receiver.recv() if receiver.poll(_SECONDS) else None
        except EOFError:
            told = None
        finally:
            process.kill()
            process.join()
    if told is None:
        raise DamagedImageError("the picture can't be analysed: it takes too long, or ends the process that tries")
    if isinstance(told, FacealbumError):
        raise told
    faces: Sequence[Face] = told
    return faces


def _tell(sender: Connection, data: bytes, embedder: EmbedderSpec, limits: Limits) -> None:
    """Send the faces, or the error of ours that they can't be told for."""
    try:
        sender.send(Analyzer.load(embedder=embedder, limits=limits).analyze(data).faces)
    except FacealbumError as error:
        sender.send(error)
