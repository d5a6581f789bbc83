"""Runs the steps of a pipeline, each once for the same inputs.

The key of a step is the hash of its name, version, parameters, seed, the digests of the outputs that it needs and of
the source.  What lies in the store under that key is handed out, else the step runs and its output is kept whole or
not at all: a pipeline that was killed goes on with the step that it was in, and two that run at once share the work.
"""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from facealbum.errors import FacealbumError, StepFailedError
from facealbum.pipelines.step import Step, Values, Work
from facealbum.steps.context import Context
from facealbum.storage.outputs import Draft, Output, OutputStore, clear, digest_of, file_digests

ATTEMPTS = 3
"""How often a step is tried that fails for a reason that may pass."""

_PAUSE = 2.0  # seconds before the second attempt; twice as many before each further one


@dataclass(frozen=True, slots=True)
class Source:
    """Where the first step finds its data, and the digest of what lies there; None if that can't be told beforehand."""

    name: str
    digest: str | None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Steps, each behind those that it needs, and what they are run with."""

    name: str
    steps: tuple[Step, ...]
    parameters: Values
    seed: int
    source: Source


class Report(Protocol):
    """Told what a pipeline does."""

    def log(self, line: str) -> None:
        """A line for the record."""
        ...

    def done(self, output: Output, *, cached: bool) -> None:
        """A step's output is there: made now, or before."""
        ...


class Guard(Protocol):
    """Asked of every output, before it is kept and again before it is handed out."""

    def __call__(self, step: str, folder: Path, data: Collection[str]) -> None:
        """Raise a FacealbumError if what comes from these data sets may not be used; then it is removed."""
        ...


def no_guard(step: str, folder: Path, data: Collection[str]) -> None:
    """Let everything pass."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What pipelines are run with.  pause: waits so many seconds.  elapsed: seconds since some moment."""

    store: OutputStore
    context: Context | None
    report: Report
    guard: Guard = no_guard
    pause: Callable[[float], None] = time.sleep
    elapsed: Callable[[], float] = time.perf_counter

    def run(self, pipeline: Pipeline) -> dict[str, Output]:
        """The output of every step; raises what a step raised, or StepFailedError if it was tried in vain."""
        made: dict[str, Output] = {}
        for step in pipeline.steps:
            key = step_key(pipeline, step, made)
            found = self._find(step, key)
            output = found or self._make(pipeline, step, made, key=key)
            made[step.name] = output
            self.report.done(output, cached=found is not None)
        return made

    def _find(self, step: Step, key: str) -> Output | None:
        found = None if step.asks else self.store.load(key)
        if found is not None:
            try:
                self.guard(step.name, found.folder, found.data)
            except FacealbumError:
                self.store.discard(key)
                raise
        return found

    def _make(self, pipeline: Pipeline, step: Step, made: Mapping[str, Output], *, key: str) -> Output:
        data = {digest for name in step.needs for digest in made[name].data}
        with self.store.making(key, data) as draft:
            found = self._find(step, key)  # somebody may have made it while we waited for the lock
            if found is not None:
                return found
            begun = self.elapsed()
            failures = self._try(step, _work(pipeline, step, made, draft=draft, engine=self), draft)
            seconds = self.elapsed() - begun
            digest = digest_of(file_digests(draft.out))
            try:
                self.guard(step.name, draft.out, data or {digest})
            except FacealbumError:
                self.store.drop(draft)
                raise
            if step.asks:
                key = _hash([key, digest])
            return self.store.keep(draft, key, step=step.name, data=data, seconds=seconds, failures=failures)

    def _try(self, step: Step, work: Work, draft: Draft) -> tuple[str, ...]:
        """Run the step, again after what may pass; gives the reasons of the attempts that failed."""
        failures: list[str] = []
        while True:
            try:
                step.run(work)
            except (FacealbumError, OSError) as error:
                failures.append(reason(error))
                self.report.log(f"{step.name}: attempt {len(failures)} failed: {failures[-1]}")
                if isinstance(error, FacealbumError) and not error.retryable:
                    raise
                if len(failures) == ATTEMPTS:
                    raise StepFailedError(
                        f"the step {step.name} failed {ATTEMPTS} times, at last by {failures[-1]}; run it again once "
                        "the cause is gone, and it goes on from there"
                    ) from error
            else:
                return tuple(failures)
            self.pause(_PAUSE * 2 ** (len(failures) - 1))
            clear(draft)


def step_key(pipeline: Pipeline, step: Step, made: Mapping[str, Output]) -> str:
    """The SHA-256 in hex of all that decides what the step gives."""
    return _hash(
        {
            "step": [pipeline.name, step.name, step.version],
            "parameters": {name: pipeline.parameters[name] for name in step.parameters},
            "seed": pipeline.seed if step.seeded else 0,
            "inputs": {name: made[name].digest for name in step.needs},
            "source": None if step.needs else pipeline.source.digest or pipeline.source.name,
        }
    )


def reason(error: BaseException) -> str:
    """Why something failed, without what a library may quote of people's data."""
    if isinstance(error, FacealbumError):
        return f"{error.code}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__


def _work(pipeline: Pipeline, step: Step, made: Mapping[str, Output], *, draft: Draft, engine: Engine) -> Work:
    return Work(
        inputs={name: made[name].folder for name in step.needs},
        out=draft.out,
        scratch=draft.scratch,
        parameters={name: pipeline.parameters[name] for name in step.parameters},
        seed=pipeline.seed if step.seeded else 0,
        source=None if step.needs else pipeline.source.name,
        context=engine.context,
        log=engine.report.log,
    )


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
