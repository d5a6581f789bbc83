"""The open back end that turns a family's photo stream into an album per child."""

from facealbum.domain.faces import Face


def analyze_image(data: bytes) -> list[Face]:
    """The faces of one picture, given as the bytes of a file.

    The models load with the first call of each thread.  Raises a PhotoError if the bytes are no picture that can be
    read whole.
    """
    from facealbum.steps.images import thread_analyzer  # noqa: PLC0415 - `import facealbum` must stay cheap

    return list(thread_analyzer().analyze(data).faces)


__all__ = ["Face", "analyze_image"]
