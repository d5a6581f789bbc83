"""Schema v1.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


PARTITIONS = 16


def partition(table: str) -> None:
    """Split the table by a hash of the family, so that it can grow past one file and one vacuum."""
    for number in range(PARTITIONS):
        op.execute(
            f"CREATE TABLE {table}_p{number} PARTITION OF {table}"
            f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number})"
        )


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.create_table(
        "embedding_spaces",
        sa.Column("space_id", sa.SmallInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("space_id", name=op.f("embedding_spaces_pkey")),
        sa.UniqueConstraint("name", name=op.f("embedding_spaces_name_key")),
    )
    op.create_table(
        "families",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("family_id", name=op.f("families_pkey")),
    )
    op.create_table(
        "analyzers",
        sa.Column("analyzer_id", sa.SmallInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("models", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("space_id", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["embedding_spaces.space_id"], name=op.f("analyzers_space_id_fkey")),
        sa.PrimaryKeyConstraint("analyzer_id", name=op.f("analyzers_pkey")),
        sa.UniqueConstraint("digest", name=op.f("analyzers_digest_key")),
    )
    op.create_table(
        "arms",
        sa.Column("arm_id", sa.SmallInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("space_id", sa.SmallInteger(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["embedding_spaces.space_id"], name=op.f("arms_space_id_fkey")),
        sa.PrimaryKeyConstraint("arm_id", name=op.f("arms_pkey")),
        sa.UniqueConstraint("name", name=op.f("arms_name_key")),
    )
    op.create_table(
        "children",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("gender", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("gender IN ('female', 'male', 'unknown')", name=op.f("children_gender_check")),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.family_id"], name=op.f("children_family_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("family_id", "child_id", name=op.f("children_pkey")),
    )
    op.create_table(
        "decisions",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('confirm', 'reject', 'merge', 'split', 'move', 'hide', 'name', 'different', 'same', 'link',"
            " 'not_a_face')",
            name=op.f("decisions_kind_check"),
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.family_id"], name=op.f("decisions_family_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("family_id", "decision_id", name=op.f("decisions_pkey")),
    )
    op.create_table(
        "photos",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at_source", sa.Text(), nullable=False),
        sa.Column("video_id", sa.Uuid(), nullable=True),
        sa.Column("frame_ms", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("analyzer_id", sa.SmallInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("analysed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('pending', 'analysed', 'failed')", name=op.f("photos_status_check")),
        sa.CheckConstraint(
            "taken_at_source IN ('manifest', 'exif', 'file')", name=op.f("photos_taken_at_source_check")
        ),
        sa.ForeignKeyConstraint(["analyzer_id"], ["analyzers.analyzer_id"], name=op.f("photos_analyzer_id_fkey")),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.family_id"], name=op.f("photos_family_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("family_id", "photo_id", name=op.f("photos_pkey")),
    )
    op.create_index(
        "photos_content_key",
        "photos",
        ["family_id", "sha256"],
        unique=True,
        postgresql_where=sa.text("frame_ms IS NULL"),
    )
    op.create_index(op.f("photos_family_id_taken_at_idx"), "photos", ["family_id", "taken_at"], unique=False)
    op.create_index(
        "photos_pending_idx",
        "photos",
        ["family_id", "photo_id"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "runs",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("arm_id", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("input_digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("models", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("nodes", sa.Integer(), nullable=False),
        sa.Column("attached", sa.Integer(), nullable=False),
        sa.Column("founded", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("persons_created", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('running', 'done', 'failed')", name=op.f("runs_status_check")),
        sa.ForeignKeyConstraint(["arm_id"], ["arms.arm_id"], name=op.f("runs_arm_id_fkey")),
        sa.ForeignKeyConstraint(
            ["family_id"], ["families.family_id"], name=op.f("runs_family_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("family_id", "run_id", name=op.f("runs_pkey")),
    )
    op.create_index(op.f("runs_family_id_arm_id_month_idx"), "runs", ["family_id", "arm_id", "month"], unique=False)
    op.create_table(
        "faces",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("face_id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("box", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("landmarks", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("yaw", sa.REAL(), nullable=False),
        sa.Column("pitch", sa.REAL(), nullable=False),
        sa.Column("roll", sa.REAL(), nullable=False),
        sa.Column("age", sa.REAL(), nullable=False),
        sa.Column("p_female", sa.REAL(), nullable=False),
        sa.Column("quality", sa.REAL(), nullable=False),
        sa.Column("score", sa.REAL(), nullable=False),
        sa.Column("analyzer_id", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "array_length(box, 1) = 4 AND array_length(landmarks, 1) = 10", name=op.f("faces_shapes_check")
        ),
        sa.ForeignKeyConstraint(["analyzer_id"], ["analyzers.analyzer_id"], name=op.f("faces_analyzer_id_fkey")),
        sa.ForeignKeyConstraint(
            ["family_id", "photo_id"],
            ["photos.family_id", "photos.photo_id"],
            name=op.f("faces_family_id_photo_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "face_id", name=op.f("faces_pkey")),
        sa.UniqueConstraint("family_id", "photo_id", "number", name=op.f("faces_family_id_photo_id_number_key")),
        postgresql_partition_by="HASH (family_id)",
    )
    partition("faces")
    op.create_index(op.f("faces_family_id_taken_at_idx"), "faces", ["family_id", "taken_at"], unique=False)
    op.create_table(
        "persons",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("arm_id", sa.SmallInteger(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("hidden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["arm_id"], ["arms.arm_id"], name=op.f("persons_arm_id_fkey")),
        sa.ForeignKeyConstraint(
            ["family_id", "run_id"],
            ["runs.family_id", "runs.run_id"],
            name=op.f("persons_family_id_run_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "person_id", name=op.f("persons_pkey")),
    )
    op.create_index(op.f("persons_family_id_arm_id_idx"), "persons", ["family_id", "arm_id"], unique=False)
    op.create_table(
        "photo_problems",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stage IN ('import', 'analysis')", name=op.f("photo_problems_stage_check")),
        sa.ForeignKeyConstraint(
            ["family_id", "photo_id"],
            ["photos.family_id", "photos.photo_id"],
            name=op.f("photo_problems_family_id_photo_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "photo_id", "stage", name=op.f("photo_problems_pkey")),
    )
    op.create_table(
        "plans",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("clustering", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("linking", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id", "run_id"],
            ["runs.family_id", "runs.run_id"],
            name=op.f("plans_family_id_run_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "run_id", name=op.f("plans_pkey")),
    )
    op.create_table(
        "assignments",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("arm_id", sa.SmallInteger(), nullable=False),
        sa.Column("face_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("score", sa.REAL(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('provisional', 'confirmed')", name=op.f("assignments_state_check")),
        sa.ForeignKeyConstraint(["arm_id"], ["arms.arm_id"], name=op.f("assignments_arm_id_fkey")),
        sa.ForeignKeyConstraint(
            ["family_id", "face_id"],
            ["faces.family_id", "faces.face_id"],
            name=op.f("assignments_family_id_face_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["family_id", "person_id"],
            ["persons.family_id", "persons.person_id"],
            name=op.f("assignments_family_id_person_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "arm_id", "face_id", name=op.f("assignments_pkey")),
        postgresql_partition_by="HASH (family_id)",
    )
    partition("assignments")
    op.create_index(
        op.f("assignments_family_id_arm_id_person_id_idx"),
        "assignments",
        ["family_id", "arm_id", "person_id"],
        unique=False,
    )
    op.create_index(op.f("assignments_family_id_face_id_idx"), "assignments", ["family_id", "face_id"], unique=False)
    op.create_table(
        "breakage",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("nodes", sa.Integer(), nullable=False),
        sa.Column("mixing", sa.Boolean(), nullable=False),
        sa.Column("disappearance", sa.Boolean(), nullable=False),
        sa.Column("splitting", sa.Boolean(), nullable=False),
        sa.Column("clusters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id", "person_id"],
            ["persons.family_id", "persons.person_id"],
            name=op.f("breakage_family_id_person_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["family_id", "run_id"],
            ["runs.family_id", "runs.run_id"],
            name=op.f("breakage_family_id_run_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "run_id", "person_id", name=op.f("breakage_pkey")),
    )
    op.create_index(op.f("breakage_family_id_person_id_idx"), "breakage", ["family_id", "person_id"], unique=False)
    op.create_table(
        "face_embeddings",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("space_id", sa.SmallInteger(), nullable=False),
        sa.Column("face_id", sa.Uuid(), nullable=False),
        sa.Column("embedding", HALFVEC(dim=512), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id", "face_id"],
            ["faces.family_id", "faces.face_id"],
            name=op.f("face_embeddings_family_id_face_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["embedding_spaces.space_id"], name=op.f("face_embeddings_space_id_fkey")
        ),
        sa.PrimaryKeyConstraint("family_id", "space_id", "face_id", name=op.f("face_embeddings_pkey")),
        postgresql_partition_by="HASH (family_id)",
    )
    partition("face_embeddings")
    op.create_index(
        op.f("face_embeddings_family_id_face_id_idx"),
        "face_embeddings",
        ["family_id", "face_id"],
        unique=False,
    )
    op.create_table(
        "links",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("probability", sa.REAL(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id", "child_id"],
            ["children.family_id", "children.child_id"],
            name=op.f("links_family_id_child_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["family_id", "person_id"],
            ["persons.family_id", "persons.person_id"],
            name=op.f("links_family_id_person_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "person_id", name=op.f("links_pkey")),
    )
    op.create_index(op.f("links_family_id_child_id_idx"), "links", ["family_id", "child_id"], unique=False)


def downgrade() -> None:
    for table in (
        "links",
        "face_embeddings",
        "breakage",
        "assignments",
        "plans",
        "photo_problems",
        "persons",
        "faces",
        "runs",
        "photos",
        "decisions",
        "children",
        "arms",
        "analyzers",
        "families",
        "embedding_spaces",
    ):
        op.drop_table(table)
