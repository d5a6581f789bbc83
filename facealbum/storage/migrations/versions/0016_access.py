"""Users, sessions, service tokens, attempts to sign in, and who saw whose faces.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ROLES = "role IN ('viewer', 'reviewer', 'operator', 'admin')"


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(_ROLES, name=op.f("users_role_check")),
        sa.PrimaryKeyConstraint("name", name=op.f("users_pkey")),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_name"], ["users.name"], name=op.f("sessions_user_name_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("sessions_pkey")),
    )
    op.create_index(op.f("sessions_user_name_idx"), "sessions", ["user_name"])
    op.create_table(
        "service_tokens",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(_ROLES, name=op.f("service_tokens_role_check")),
        _of_family("service_tokens"),
        sa.PrimaryKeyConstraint("name", name=op.f("service_tokens_pkey")),
        sa.UniqueConstraint("digest", name=op.f("service_tokens_digest_key")),
    )
    op.create_table(
        "login_attempts",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("login_attempts_pkey")),
    )
    op.create_table(
        "face_views",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("viewer", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        _of_family("face_views"),
        sa.PrimaryKeyConstraint("family_id", "person_id", "viewer", "hour", name=op.f("face_views_pkey")),
    )


def _of_family(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"{table}_family_id_fkey")
    return sa.ForeignKeyConstraint(["family_id"], ["families.family_id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    for table in ("face_views", "login_attempts", "service_tokens", "sessions", "users"):
        op.drop_table(table)
