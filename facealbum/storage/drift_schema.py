"""The tables of drift: histograms of what analysis found, what they are compared with, and what came of it.

All are sums over many families: they name none, and stay when one is deleted.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Identity,
    Integer,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from facealbum.storage.schema import analyzers, metadata, time_column

__all__ = ["drift_baselines", "drift_histograms", "drift_results", "metadata"]

drift_histograms = Table(
    "drift_histograms",
    metadata,
    Column("month", Date, primary_key=True),
    Column("analyzer_id", SmallInteger, ForeignKey(analyzers.c.analyzer_id), primary_key=True),
    Column("distribution", Text, primary_key=True),
    Column("group_name", Text, primary_key=True),
    Column("binning", SmallInteger, primary_key=True, autoincrement=False),
    Column("counts", ARRAY(BigInteger, dimensions=2), nullable=False),
    time_column("counted_at"),
)

drift_baselines = Table(
    "drift_baselines",
    metadata,
    Column("number", Integer, Identity(), primary_key=True),
    Column("analyzer_id", SmallInteger, ForeignKey(analyzers.c.analyzer_id), nullable=False),
    Column("kind", Text, nullable=False),
    Column("months", ARRAY(Date), nullable=False),
    Column("binning", SmallInteger, nullable=False),
    Column("histograms", JSONB),
    time_column("created_at"),
    CheckConstraint("kind IN ('automatic', 'chosen', 'training')", name="kind"),
)

drift_results = Table(
    "drift_results",
    metadata,
    Column("month", Date, primary_key=True),
    Column("analyzer_id", SmallInteger, ForeignKey(analyzers.c.analyzer_id), primary_key=True),
    Column("against", Text, primary_key=True),
    Column("distribution", Text, primary_key=True),
    Column("baseline", Integer, ForeignKey(drift_baselines.c.number)),
    Column("distance", Double, nullable=False),
    Column("threshold", Double),
    Column("alarm", Boolean, nullable=False),
    Column("false_alarms", Double),
    Column("counts", ARRAY(BigInteger), nullable=False),
    Column("counts_before", ARRAY(BigInteger), nullable=False),
    Column("groups", JSONB, nullable=False),
    Column("unjudged", Text, nullable=False),
    time_column("checked_at"),
    CheckConstraint("against IN ('baseline', 'before', 'training')", name="against"),
)
