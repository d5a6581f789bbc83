"""What is drawn for a chaos run, and how two of them are compared."""

from eval.chaos.faults import QUIET, Dose, draw_faults
from eval.chaos.uploads import PROCESSES
from eval.chaos.verdict import differing


def test_faults_are_drawn_from_the_seed() -> None:
    def names(seed: int) -> list[str]:
        return [fault.name for fault in draw_faults(Dose(), list(PROCESSES), seed=seed)]

    assert names(1) == names(1) != names(2)
    assert sum(name.startswith("kill") for name in names(1)) == 30
    assert draw_faults(QUIET, list(PROCESSES), seed=1) == []


def test_every_row_that_only_one_run_has_is_told() -> None:
    assert differing({"faces": ["a", "b"], "links": ["x"]}, {"faces": ["b", "c"], "links": ["x"]}) == {
        "faces": ["- a", "+ c"]
    }
    assert differing({"faces": ["a"]}, {"faces": ["a", "a"]}) == {"faces": ["1 rows against 2"]}
