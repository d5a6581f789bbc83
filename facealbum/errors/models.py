"""Models, where they come from, and what lets them serve."""

from facealbum.errors.root import FacealbumError, InvalidValueError


class ModelError(FacealbumError):
    """A packaged model is missing, damaged or of another version than its manifest says."""

    code = "model"


class UnknownModelError(ModelError):
    """No packaged model and no entry of the catalogue has this name."""

    code = "unknown_model"


class ModelNotInstalledError(ModelError):
    """The model is known, but its weights, or what it needs to be trained, are not on this machine."""

    code = "model_not_installed"


class ChecksumError(ModelError):
    """A file has not the checksum that was expected of it."""

    code = "checksum"


class DownloadError(ModelError):
    """A file can't be fetched."""

    code = "download"
    retryable = True


class IncompatibleError(FacealbumError):
    """Albums would lose persons in another embedding space, or nobody has measured yet whether they would."""

    code = "incompatible"


class RefusedError(FacealbumError):
    """Gates refuse a model's next stage; the message says which, and what to do."""

    code = "refused"


class LeakageError(FacealbumError):
    """Something that a model is judged by was learnt from."""

    code = "leakage"


class StepFailedError(FacealbumError):
    """A step of a pipeline failed as often as it may be tried."""

    code = "step_failed"


class UnknownPipelineRunError(InvalidValueError):
    """No run of a pipeline has this id."""

    code = "unknown_pipeline_run"
