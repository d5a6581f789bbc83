"""The tables of metrics: what was counted in each family and month, and their sums over all families."""

from sqlalchemy import Column, Date, Double, ForeignKey, Index, Integer, Table, Text, Uuid

from facealbum.storage.schema import arms, family_key, metadata, time_column

family_metrics = Table(
    "family_metrics",
    metadata,
    family_key(),
    Column("arm_id", ForeignKey(arms.c.arm_id), primary_key=True),
    Column("month", Date, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("slice", Text, primary_key=True),
    Column("total", Double, nullable=False),
    Column("cases", Double, nullable=False),
    Column("run_id", Uuid),
    Column("model", Text, nullable=False),
    Column("code_version", Text, nullable=False),
    time_column("computed_at"),
    Index("family_metrics_sums_idx", "arm_id", "month", "computed_at"),
)

family_slices = Table(
    "family_slices",
    metadata,
    family_key(),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    time_column("imported_at"),
)

metric_totals = Table(
    "metric_totals",
    metadata,
    Column("batch", Integer, primary_key=True, autoincrement=False),
    Column("arm_id", ForeignKey(arms.c.arm_id), primary_key=True),
    Column("month", Date, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("slice", Text, primary_key=True),
    Column("families", Integer, nullable=False),
    Column("total", Double, nullable=False),
    Column("cases", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("level", Double, nullable=False),
    time_column("computed_at"),
)
