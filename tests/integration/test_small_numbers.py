"""Small tables number their rows up to 32,767, so no number may be used up where a row is there already."""

from sqlalchemy import text

from facealbum.steps.arm_plans import ArmPlan, save_side
from facealbum.steps.context import Context
from facealbum.steps.embedders import default_models
from facealbum.steps.makers import open_analyzer

NUMBERED = [
    *("embedding_spaces_space_id_seq", "analyzers_analyzer_id_seq"),
    *("arms_arm_id_seq", "makers_maker_id_seq"),
]
USED = text("SELECT sequencename, last_value FROM pg_sequences WHERE sequencename = ANY(:names) ORDER BY 1")


def test_asking_again_for_what_is_there_uses_up_no_number(context: Context) -> None:
    used = []
    for _ in range(3):
        with context.database.begin() as transaction:
            open_analyzer(transaction, default_models(), context.settings)
            save_side(transaction, ArmPlan(), default_models())
            used.append(transaction.execute(USED, {"names": NUMBERED}).all())
    assert len(used[0]) == len(NUMBERED)
    assert used == [used[0]] * 3
