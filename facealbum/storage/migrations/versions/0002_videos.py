"""Videos: frames as photos of their video, and the tracks that people leave in it.

Additive first: add, fill in batches, switch, and drop in a later release.  Import nothing from facealbum.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "photos_video_idx",
        "photos",
        ["family_id", "video_id"],
        unique=False,
        postgresql_where=sa.text("video_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("photos_family_id_video_id_fkey"),
        "photos",
        "photos",
        ["family_id", "video_id"],
        ["family_id", "photo_id"],
        ondelete="CASCADE",
    )
    op.create_check_constraint(op.f("photos_frame_check"), "photos", sa.text("(video_id IS NULL) = (frame_ms IS NULL)"))
    take_dates_from("'manifest', 'exif', 'video', 'file'")
    op.create_table(
        "tracks",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("video_id", sa.Uuid(), nullable=False),
        sa.Column("track", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id", "video_id"],
            ["photos.family_id", "photos.photo_id"],
            name=op.f("tracks_family_id_video_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("family_id", "video_id", "track", name=op.f("tracks_pkey")),
    )
    op.add_column("faces", sa.Column("track", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("faces", "track")
    op.drop_table("tracks")
    op.execute("DELETE FROM photos WHERE frame_ms IS NOT NULL")
    op.execute("UPDATE photos SET taken_at_source = 'exif' WHERE taken_at_source = 'video'")
    take_dates_from("'manifest', 'exif', 'file'")
    op.drop_constraint(op.f("photos_frame_check"), "photos")
    op.drop_constraint(op.f("photos_family_id_video_id_fkey"), "photos")
    op.drop_index("photos_video_idx", "photos")


def take_dates_from(sources: str) -> None:
    """Let `taken_at_source` be one of these."""
    name = op.f("photos_taken_at_source_check")
    op.drop_constraint(name, "photos")
    op.create_check_constraint(name, "photos", sa.text(f"taken_at_source IN ({sources})"))
