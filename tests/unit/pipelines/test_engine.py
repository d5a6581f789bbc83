"""A pipeline makes each thing once, whole, however often it is cut short."""

import os
import signal
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from shutil import copytree

import pytest

from facealbum.errors import InvalidValueError, LeakageError, ObjectStoreUnavailableError, StepFailedError
from facealbum.pipelines.engine import Engine, Pipeline
from facealbum.pipelines.step import Step, Work
from facealbum.storage.outputs import Output, OutputStore
from tests.unit.pipelines.tiny import Heard, Tiny, tiny_pipeline, write_numbers

STEPS = ["collect", "split", "train", "evaluate", "plot"]
SILENT = "ignore:This process .* is multi-threaded:DeprecationWarning"  # it was, and the child uses no thread


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write_numbers(tmp_path / "numbers")


def engine(root: Path, heard: Heard | None = None) -> Engine:
    return Engine(OutputStore(root), None, heard or Heard(), pause=lambda _: None)


def digests(outputs: Mapping[str, Output]) -> dict[str, str]:
    return {name: output.digest for name, output in outputs.items()}


def test_a_second_run_is_served_from_what_the_first_one_left(tmp_path: Path, source: str) -> None:
    training, heard = Tiny(), Heard()
    first = engine(tmp_path / "store").run(tiny_pipeline(training, source))
    second = engine(tmp_path / "store", heard).run(tiny_pipeline(training, source))
    assert training.ran == STEPS
    assert heard.cached == STEPS
    assert first == second


@pytest.mark.parametrize(
    ("change", "ran"),
    [
        (lambda pipeline: replace(pipeline, parameters={**pipeline.parameters, "scale": 2.0}), STEPS[1:]),
        (lambda pipeline: replace(pipeline, parameters={**pipeline.parameters, "split_held_out": 0.3}), STEPS[1:]),
        (lambda pipeline: replace(pipeline, seed=5), STEPS[1:]),
    ],
    ids=["a parameter of all", "a parameter of split", "the seed"],
)
def test_only_what_a_change_reaches_is_made_anew(
    tmp_path: Path, source: str, change: Callable[[Pipeline], Pipeline], ran: list[str]
) -> None:
    training = Tiny()
    engine(tmp_path / "store").run(tiny_pipeline(training, source))
    training.ran.clear()
    engine(tmp_path / "store").run(change(tiny_pipeline(training, source)))
    assert training.ran == ran


def test_a_step_that_gives_the_same_as_before_lets_later_ones_rest(tmp_path: Path, source: str) -> None:
    training = Tiny()
    engine(tmp_path / "store").run(tiny_pipeline(training, source))
    training.ran.clear()
    newer = tiny_pipeline(training, source)
    steps = tuple(replace(step, version=2) if step.name == "split" else step for step in newer.steps)
    engine(tmp_path / "store").run(replace(newer, steps=steps))
    assert training.ran == ["split"]


def test_other_data_are_learnt_anew(tmp_path: Path, source: str) -> None:
    training = Tiny()
    engine(tmp_path / "store").run(tiny_pipeline(training, source))
    training.ran.clear()
    write_numbers(tmp_path / "numbers", 13)
    engine(tmp_path / "store").run(tiny_pipeline(training, source))
    assert training.ran == STEPS


def test_a_damaged_output_is_made_anew_and_the_rest_is_kept(tmp_path: Path, source: str) -> None:
    training = Tiny()
    first = engine(tmp_path / "store").run(tiny_pipeline(training, source))
    training.ran.clear()
    (first["train"].folder / "model.bin").write_bytes(b"of somebody else")
    second = engine(tmp_path / "store").run(tiny_pipeline(training, source))
    assert training.ran == ["train"]
    assert digests(first) == digests(second)


@pytest.mark.filterwarnings(SILENT)
def test_a_pipeline_killed_at_any_moment_goes_on_to_the_same_result(tmp_path: Path, source: str) -> None:
    whole = digests(engine(tmp_path / "whole").run(tiny_pipeline(Tiny(), source)))
    killed = 0
    for moment in count():
        root = tmp_path / f"store-{moment}"
        if not _killed(root, lambda at=root: engine(at).run(tiny_pipeline(Tiny(), source)), moment):
            break
        killed += 1
        left = {output.step for output in OutputStore(root).all()}
        training = Tiny()
        assert digests(engine(root).run(tiny_pipeline(training, source))) == whole, f"killed at {moment}"
        assert left.isdisjoint(training.ran), f"killed at {moment}: what was done is done again"
        assert sorted(output.step for output in OutputStore(root).all()) == sorted(STEPS)
    assert killed > len(STEPS) * 5


@pytest.mark.filterwarnings(SILENT)
def test_an_output_killed_in_its_removal_is_gone(tmp_path: Path, source: str) -> None:
    made = engine(tmp_path / "whole").run(tiny_pipeline(Tiny(), source))
    data = [made["collect"].digest]
    for moment in count():
        root = tmp_path / f"store-{moment}"
        copytree(tmp_path / "whole", root)
        killed = _killed(root, lambda at=root: OutputStore(at).forget(data), moment)
        OutputStore(root).forget(data)
        assert not [path for path in root.rglob("*") if path.is_file() and path.parent.name != "locks"], f"at {moment}"
        if not killed:
            break
    assert moment > len(STEPS)


def test_a_training_goes_on_from_its_checkpoint(tmp_path: Path, source: str) -> None:
    """The checkpoint is one that only an unfinished attempt can have left."""
    made = engine(tmp_path / "store").run(tiny_pipeline(Tiny(), source))
    store = OutputStore(tmp_path / "store")
    store.discard(made["train"].key)
    with store.making(made["train"].key) as draft:
        (draft.scratch / "learnt").write_text("7.0")
    again = engine(tmp_path / "store").run(tiny_pipeline(Tiny(), source))
    assert again["train"].digest != made["train"].digest
    assert not list((tmp_path / "store" / "work").iterdir()), "a checkpoint goes with the work that it was for"


@pytest.mark.filterwarnings(SILENT)
def test_two_that_run_at_once_make_each_thing_once(tmp_path: Path, source: str) -> None:
    log = tmp_path / "ran"

    def run() -> None:
        training = Tiny()
        engine(tmp_path / "store").run(tiny_pipeline(training, source))
        with log.open("a") as file:
            file.writelines(f"{name}\n" for name in training.ran)

    children = [_fork(run) for _ in range(4)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert sorted(log.read_text().split()) == sorted(STEPS)


def test_what_may_pass_is_tried_again_and_its_reason_kept(tmp_path: Path) -> None:
    waits: list[float] = []
    tried: list[str] = []

    def unreachable_twice(work: Work) -> None:
        (work.out / f"half-{len(tried)}").write_text("of an attempt")
        tried.append(step.name)
        if len(tried) <= 2:
            raise ObjectStoreUnavailableError("the object store rests")

    step = Step("fetch", unreachable_twice)
    heard = Heard()
    made = Engine(OutputStore(tmp_path), None, heard, pause=waits.append).run(_alone(step, tmp_path))
    assert made["fetch"].failures == ("object_store_unavailable: the object store rests",) * 2
    assert list(made["fetch"].files) == ["half-2"], "nothing of an attempt that failed is kept"
    assert waits == [2.0, 4.0]
    assert len(heard.lines) == 2


def test_what_never_passes_fails_with_its_last_reason(tmp_path: Path) -> None:
    def full(_: Work) -> None:
        raise OSError(28, "No space left on device", "a file that names somebody")

    with pytest.raises(StepFailedError, match=r"failed 3 times, at last by OSError: No space left on device; "):
        engine(tmp_path).run(_alone(Step("fetch", full), tmp_path))


def test_what_is_wrong_is_not_tried_again(tmp_path: Path) -> None:
    tried = []

    def leak(_: Work) -> None:
        tried.append(1)
        raise LeakageError("one group on both sides")

    with pytest.raises(LeakageError):
        engine(tmp_path).run(_alone(Step("split", leak), tmp_path))
    assert tried == [1]
    assert list(OutputStore(tmp_path).all()) == []


def test_a_step_that_asks_a_database_runs_each_time_and_the_rest_only_if_it_found_something_new(
    tmp_path: Path, source: str
) -> None:
    training = Tiny()

    def run() -> list[str]:
        training.ran.clear()
        pipeline = tiny_pipeline(training, source)
        asking = tuple(replace(step, asks=step.name == "collect") for step in pipeline.steps)
        engine(tmp_path / "store").run(replace(pipeline, steps=asking))
        return list(training.ran)

    assert run() == STEPS
    assert run() == ["collect"]
    write_numbers(tmp_path / "numbers", 9)
    assert run() == STEPS


@pytest.mark.parametrize(("refused", "left"), [("train", {"collect", "split"}), ("split", {"collect", "train"})])
def test_what_may_not_be_used_is_neither_kept_nor_handed_out(
    tmp_path: Path, source: str, refused: str, left: set[str]
) -> None:
    root = tmp_path / "store"
    if refused == "split":  # which is there already, as train is
        steps = tiny_pipeline(Tiny(), source)
        engine(root).run(replace(steps, steps=steps.steps[:3]))

    def refuse(step: str, folder: Path, data: Collection[str]) -> None:
        assert folder.is_dir()
        assert len(data) == 1
        if step == refused:
            raise InvalidValueError("a family left")

    with pytest.raises(InvalidValueError):
        replace(engine(root), guard=refuse).run(tiny_pipeline(Tiny(), source))
    assert {output.step for output in OutputStore(root).all()} == left
    assert not list((root / "work").iterdir())


def _alone(step: Step, folder: Path) -> Pipeline:
    return replace(tiny_pipeline(Tiny(), write_numbers(folder / "numbers")), steps=(step,))


def _fork(work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException:  # noqa: BLE001 - the parent is told
        os._exit(1)
    os._exit(0)


def _killed(root: Path, work: Callable[[], object], moment: int) -> bool:
    """Whether a process that does the work is killed as it is about to change the files below root for that time."""

    def work_until_killed() -> None:
        changes = count()

        def watch(event: str, arguments: tuple[object, ...]) -> None:
            if _changes(event, arguments, root) and next(changes) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        work()

    status = os.waitpid(_fork(work_until_killed), 0)[1]
    assert status in (0, signal.SIGKILL)
    return status != 0


def _changes(event: str, arguments: tuple[object, ...], root: Path) -> bool:
    if event == "open":
        path, _, flags = arguments
        return str(path).startswith(str(root)) and isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_CREAT))
    return event in {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.utime"}
