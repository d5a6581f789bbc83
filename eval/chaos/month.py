"""The monthly job over many families, whose faces are drawn, while what works on it is killed."""

from eval.chaos.storm import Outcome, Storm
from eval.stage import Stage
from eval.stage.faces import draw_families
from eval.stage.stage import StageError
from facealbum.storage.batch_families import count_by_status
from facealbum.storage.batches import load_batch
from facealbum.storage.database import Transaction

PROCESSES = {
    "clustering-1": ("worker", "--queues", "clustering", "--processes", "1"),
    "clustering-2": ("worker", "--queues", "clustering,evaluation", "--processes", "1"),
    "rest": ("worker", "--queues", "matching,maintenance", "--processes", "1"),
    "relay": ("relay",),
    "beat": ("beat",),
}
_MONTH = "2026-10"


def run_month(stage: Stage, families: int, storm: Storm) -> Outcome:
    """Run the job while the storm blows; raises StageError if it says anything but that every family is done."""
    draw_families(stage.database, families, seed=storm.seed)

    def ended(transaction: Transaction) -> int:
        by_status = count_by_status(transaction, load_batch(transaction).batch_id)
        return by_status.get("done", 0) + by_status.get("failed", 0)

    def status(transaction: Transaction) -> str:
        return load_batch(transaction).status

    outcome = storm.blow(
        stage,
        PROCESSES,
        lambda: stage.run("run", "start", "--month", _MONTH),
        share=lambda: (stage.ask(ended) or 0) / families,
        working=lambda: stage.ask(status) != "done",
    )
    told = stage.run("run", "show")["families"]
    if told != {"done": families, "failed": 0, "left": 0}:
        raise StageError(f"of {families} families, the job says {told}")
    return outcome
