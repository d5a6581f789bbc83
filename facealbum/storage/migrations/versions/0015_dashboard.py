"""The schema `dashboard`: views and aggregates whose names and columns other programs rely on.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
What it creates stands in the SQL file beside this one; the remark behind each relation and column becomes its comment.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

RELATION = re.compile(r"CREATE (VIEW|TABLE) (dashboard\.\w+) .*-- (.+)")
COLUMN = {"VIEW": re.compile(r"(\w+),? +-- (.+)"), "TABLE": re.compile(r"^ +(\w+) .*-- (.+)")}
WATCHED = ("photos", "faces", "assignments")
EVENTS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}


def upgrade() -> None:
    for column in ("created_at", "analysed_at"):
        op.create_index(f"photos_{column}_idx", "photos", [column], postgresql_using="brin")
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    connection = op.get_bind()
    connection.exec_driver_sql(script)
    for comment in comments(script):
        connection.exec_driver_sql(comment)
    for table in WATCHED:
        for event, rows in EVENTS.items():
            op.execute(
                f"CREATE TRIGGER dashboard_{event.lower()} AFTER {event} ON {table}"
                f" REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION dashboard.note_change()"
            )
    op.execute(sa.text("INSERT INTO dashboard.changes SELECT family_id, 0 FROM families"))


def comments(script: str) -> Iterator[str]:
    """A statement for each remark of the script."""
    kind = relation = ""
    for line in script.splitlines():
        if found := RELATION.match(line):
            kind, relation, said = found.groups()
            yield f"COMMENT ON {kind} {relation} IS {quoted(said)}"
        elif kind and (found := COLUMN[kind].search(line)):
            yield f"COMMENT ON COLUMN {relation}.{found[1]} IS {quoted(found[2])}"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def downgrade() -> None:
    op.execute("DROP SCHEMA dashboard CASCADE")
    for column in ("created_at", "analysed_at"):
        op.drop_index(f"photos_{column}_idx", "photos")
